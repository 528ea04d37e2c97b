"""LORIS-type pan-cancer score without cancer type (re-run, not a published model)."""

from collections.abc import Mapping

from simulation.model import KnownValue, ModelCard, Prediction, Value
from simulation.predictors import _loris

FIT = _loris.LorisFit(
    intercept=-1.8812240548971557,
    coefficients={
        "tmb": 0.03390616691859997,
        "prior_systemic_therapy": -0.9073895080725989,
        "albumin": 0.5301582881804096,
        "nlr": -0.03176983365279053,
        "age": 0.0033752114555390053,
    },
    reference_means=_loris.PAN_MEANS,
)


class Model:
    """LORIS-type pan-cancer score without cancer type (re-run, not a published model)."""

    card = ModelCard(
        id="loris-pan-cancer-no-cancer-type",
        version="1.1.0",
        title="LORIS-type pan-cancer score without cancer type (re-run, not a published model)",
        kind="predictor",
        outcome="objective response to immune checkpoint inhibitors (RECIST complete or partial response)",
        purpose="Ranks patients by the chance of an objective response before immune checkpoint inhibitors.",
        population=_loris.POPULATION,
        cancer_types=(),
        inputs=_loris.inputs(FIT),
        equations=_loris.equations(FIT),
        references=(_loris.RERUN, _loris.CHANG_2024, _loris.TRAINING_COHORT),
        leaves_out=(*_loris.LEAVES_OUT, "A calibrated response rate."),
        known_failures=(_loris.RERUN_REMARK, _loris.PARTLY_PROGNOSTIC),
        coefficients=_loris.coefficient_rows(
            FIT, evidence="computed", source="re-run of the authors' procedure without the cancer type"
        ),
        example=_loris.covariates_of(FIT, 8.0, False, 4.1, 3.5, 66.0, "nsclc"),
        known_values=tuple(
            KnownValue(
                inputs=_loris.covariates_of(FIT, *features),
                expected={"loris_score": score},
                absolute_tolerance=1e-6,
                source="re-run of the authors' procedure without the cancer type",
            )
            for features, score in (
                ((10.0, False, 4.2, 3.0, 60.0, "melanoma"), 0.688197),
                ((3.0, True, 3.2, 8.0, 70.0, "pancreatic"), 0.267316),
                ((60.0, True, 4.0, 30.0, 90.0, "nsclc"), 0.627142),
                ((5.0, False, 3.9, 4.0, 65.0, "renal"), 0.610219),
            )
        ),
        increases_with=(_loris.TMB, _loris.ALBUMIN, _loris.AGE, _loris.LYMPHOCYTES),
        decreases_with=(
            _loris.PRIOR_THERAPY,
            _loris.NEUTROPHILS,
        ),
        validated_on_patients=False,
        license_and_patents=_loris.LICENSE,
        history=("1.0.0: first version.", "1.1.0: a LAG-3 antibody lies outside the training cohort."),
        by_name_only=True,
    )

    def predict(self, covariates: Mapping[str, Value]) -> tuple[Prediction, ...]:
        """Return the score of one patient."""
        return (_loris.score_prediction(covariates, FIT, note=_loris.RERUN_NOTE),)
