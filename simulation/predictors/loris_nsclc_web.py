"""LORIS NSCLC, web calculator fit (LLR6)."""

from collections.abc import Mapping

from simulation.model import KnownValue, ModelCard, Prediction, Value
from simulation.predictors import _loris

FIT = _loris.LorisFit(
    intercept=-1.5413249116546892,
    coefficients={
        "tmb": 0.0353526307,
        "pd_l1": 0.0110577809,
        "prior_systemic_therapy": -0.371124609,
        "albumin": 0.287634044,
        "nlr": -0.010592189,
        "age": 3.01592069e-05,
    },
    reference_means=_loris.LUNG_MEANS,
)


class Model:
    """LORIS NSCLC, web calculator fit (LLR6)."""

    card = ModelCard(
        id="loris-nsclc-web",
        version="1.1.0",
        title="LORIS NSCLC, web calculator fit (LLR6)",
        kind="predictor",
        outcome="objective response to immune checkpoint inhibitors (RECIST complete or partial response)",
        purpose="Ranks patients by the chance of an objective response before immune checkpoint inhibitors.",
        population=_loris.WEB_LUNG_POPULATION,
        cancer_types=("nsclc",),
        inputs=_loris.inputs(FIT),
        equations=_loris.equations(FIT),
        references=(_loris.CHANG_2024, _loris.WEB_FIT, _loris.LUNG_COHORT),
        leaves_out=(*_loris.LEAVES_OUT, "A calibrated response rate."),
        known_failures=(_loris.OTHER_FIT, _loris.PARTLY_PROGNOSTIC),
        coefficients=_loris.coefficient_rows(
            FIT, evidence="published", source="LLR6NSCLC coefficients of the authors' web calculator"
        ),
        example=_loris.covariates_of(FIT, 8.0, False, 4.1, 3.5, 66.0, "nsclc", 60.0),
        known_values=tuple(
            KnownValue(
                inputs=_loris.covariates_of(FIT, *features),
                expected={"loris_score": score},
                absolute_tolerance=1e-6,
                source="LLR6NSCLC coefficients of the authors' web calculator",
            )
            for features, score in (
                ((60.0, True, 4.0, 30.0, 90.0, "nsclc", 80.0), 0.835909),
                ((8.0, False, 4.1, 3.5, 66.0, "nsclc", 60.0), 0.633945),
                ((6.9, True, 3.6, 5.2, 71.0, "nsclc", 5.0), 0.347356),
            )
        ),
        increases_with=(_loris.TMB, _loris.PD_L1, _loris.ALBUMIN, _loris.AGE, _loris.LYMPHOCYTES),
        decreases_with=(
            _loris.PRIOR_THERAPY,
            _loris.NEUTROPHILS,
        ),
        validated_on_patients=True,
        license_and_patents=_loris.LICENSE,
        history=("1.0.0: first version.", "1.1.0: a LAG-3 antibody lies outside the training cohort."),
    )

    def predict(self, covariates: Mapping[str, Value]) -> tuple[Prediction, ...]:
        """Return the score of one patient."""
        return (_loris.score_prediction(covariates, FIT),)
