"""LORIS for non-small-cell lung cancer (LLR6 with PD-L1), the fit printed by its authors."""

from collections.abc import Mapping

from simulation.model import KnownValue, ModelCard, Prediction, Value
from simulation.predictors import _loris

FIT = _loris.LorisFit(
    intercept=-1.5593,
    coefficients={"tmb": 0.0353, "pd_l1": 0.0111, "prior_systemic_therapy": -0.375, "albumin": 0.2924, "nlr": -0.0103},
    reference_means=_loris.LUNG_MEANS,
)


class Model:
    """LORIS NSCLC score of Chang et al. 2024."""

    card = ModelCard(
        id="loris-nsclc",
        version="1.1.0",
        title="LORIS NSCLC (LLR6, published fit)",
        kind="predictor",
        outcome="objective response to immune checkpoint inhibitors (RECIST complete or partial response)",
        purpose="Ranks patients with NSCLC by the chance of an objective response before checkpoint inhibitors.",
        population=_loris.LUNG_POPULATION,
        cancer_types=("nsclc",),
        inputs=_loris.inputs(FIT),
        equations=_loris.equations(FIT),
        references=(_loris.CHANG_2024, _loris.README_FIT, _loris.LUNG_COHORT),
        leaves_out=(*_loris.LEAVES_OUT, "Age: its coefficient was shrunk to 0.", "A calibrated response rate."),
        known_failures=(_loris.PARTLY_PROGNOSTIC,),
        coefficients=_loris.coefficient_rows(FIT, evidence="published", source="rootchang/LORIS, commit eb87300"),
        example=_loris.covariates_of(FIT, 8.0, False, 4.1, 3.5, 66.0, "nsclc", 60.0),
        known_values=tuple(
            KnownValue(
                inputs=_loris.covariates_of(FIT, *features),
                expected={"loris_score": score},
                absolute_tolerance=1e-6,
                source="Published formula of rootchang/LORIS, commit eb87300",
            )
            for features, score in (
                ((60.0, True, 4.0, 30.0, 90.0, "nsclc", 80.0), 0.836279),
                ((8.0, False, 4.1, 3.5, 66.0, "nsclc", 60.0), 0.634574),
                ((6.9, True, 3.6, 5.2, 71.0, "nsclc", 5.0), 0.346117),
            )
        ),
        increases_with=(_loris.TMB, _loris.PD_L1, _loris.ALBUMIN, _loris.LYMPHOCYTES),
        decreases_with=(_loris.PRIOR_THERAPY, _loris.NEUTROPHILS),
        validated_on_patients=True,
        license_and_patents=_loris.LICENSE,
        history=("1.0.0: first version.", "1.1.0: a LAG-3 antibody lies outside the training cohort."),
    )

    def predict(self, covariates: Mapping[str, Value]) -> tuple[Prediction, ...]:
        """Return the score of one patient."""
        return (_loris.score_prediction(covariates, FIT),)
