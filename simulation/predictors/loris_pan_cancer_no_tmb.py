"""LORIS-type pan-cancer score without TMB (re-run, not a published model)."""

from collections.abc import Mapping

from simulation.model import KnownValue, ModelCard, Prediction, Value
from simulation.predictors import _loris

FIT = _loris.LorisFit(
    intercept=-1.9877,
    coefficients={
        "prior_systemic_therapy": -0.9555,
        "albumin": 0.5886,
        "nlr": -0.0247,
        "age": 0.007,
    },
    cancer_terms={
        "bladder": -0.3389,
        "breast": -0.3885,
        "colorectal": 0.0149,
        "endometrial": 0.0135,
        "esophageal": 0.4322,
        "gastric": 0.0999,
        "head_and_neck": 0.0057,
        "hepatobiliary": -0.2324,
        "melanoma": 0.0458,
        "mesothelioma": 0.0027,
        "nsclc": -0.0129,
        "ovarian": -0.0986,
        "pancreatic": -1.3482,
        "renal": 0.2837,
        "sarcoma": -0.008,
        "sclc": -0.0071,
    },
    reference_means=_loris.PAN_MEANS,
)


class Model:
    """LORIS-type pan-cancer score without TMB (re-run, not a published model)."""

    card = ModelCard(
        id="loris-pan-cancer-no-tmb",
        version="1.1.0",
        title="LORIS-type pan-cancer score without TMB (re-run, not a published model)",
        kind="predictor",
        outcome="objective response to immune checkpoint inhibitors (RECIST complete or partial response)",
        purpose="Ranks patients by the chance of an objective response before immune checkpoint inhibitors.",
        population=_loris.POPULATION,
        cancer_types=tuple(FIT.cancer_terms),
        inputs=_loris.inputs(FIT),
        equations=_loris.equations(FIT),
        references=(_loris.RERUN, _loris.CHANG_2024, _loris.TRAINING_COHORT),
        leaves_out=(*_loris.LEAVES_OUT, "A calibrated response rate."),
        known_failures=(_loris.RERUN_REMARK, _loris.PARTLY_PROGNOSTIC),
        coefficients=_loris.coefficient_rows(
            FIT, evidence="computed", source="re-run of the authors' procedure without TMB"
        ),
        example=_loris.covariates_of(FIT, 8.0, False, 4.1, 3.5, 66.0, "nsclc"),
        known_values=tuple(
            KnownValue(
                inputs=_loris.covariates_of(FIT, *features),
                expected={"loris_score": score},
                absolute_tolerance=1e-6,
                source="re-run of the authors' procedure without TMB",
            )
            for features, score in (
                ((10.0, False, 4.2, 3.0, 60.0, "melanoma"), 0.706018),
                ((3.0, True, 3.2, 8.0, 70.0, "pancreatic"), 0.107601),
                ((60.0, True, 4.0, 30.0, 90.0, "nsclc"), 0.348827),
                ((5.0, False, 3.9, 4.0, 65.0, "renal"), 0.72066),
            )
        ),
        increases_with=(_loris.ALBUMIN, _loris.AGE, _loris.LYMPHOCYTES),
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
