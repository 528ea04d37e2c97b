"""LORIS pan-cancer, coefficients recovered at full precision."""

from collections.abc import Mapping

from simulation.model import KnownValue, ModelCard, Prediction, Value
from simulation.predictors import _loris

FIT = _loris.LorisFit(
    intercept=-2.08858,
    coefficients={
        "tmb": 0.037056,
        "prior_systemic_therapy": -0.877518,
        "albumin": 0.538245,
        "nlr": -0.032996,
        "age": 0.004866,
    },
    cancer_terms={
        "bladder": -0.332312,
        "breast": -0.332348,
        "colorectal": -0.102047,
        "endometrial": -0.007918,
        "esophageal": 0.549926,
        "gastric": 0.230545,
        "head_and_neck": 0.067751,
        "hepatobiliary": -0.11894,
        "melanoma": -0.008589,
        "mesothelioma": 0.1255,
        "nsclc": 0.000808,
        "ovarian": -0.052066,
        "pancreatic": -1.116941,
        "renal": 0.545075,
        "sarcoma": 0.054173,
        "sclc": -0.003296,
    },
    reference_means=_loris.PAN_MEANS,
)


class Model:
    """LORIS pan-cancer, coefficients recovered at full precision."""

    card = ModelCard(
        id="loris-pan-cancer-full-precision",
        version="1.1.0",
        title="LORIS pan-cancer, coefficients recovered at full precision",
        kind="predictor",
        outcome="objective response to immune checkpoint inhibitors (RECIST complete or partial response)",
        purpose="Ranks patients by the chance of an objective response before immune checkpoint inhibitors.",
        population=_loris.POPULATION,
        cancer_types=tuple(FIT.cancer_terms),
        inputs=_loris.inputs(FIT),
        equations=_loris.equations(FIT),
        references=(_loris.CHANG_2024, _loris.RECOVERED, _loris.TRAINING_COHORT),
        leaves_out=(*_loris.LEAVES_OUT, "A calibrated response rate."),
        known_failures=(_loris.RECOVERED_REMARK, _loris.PARTLY_PROGNOSTIC),
        coefficients=_loris.coefficient_rows(
            FIT,
            evidence="computed",
            source="coefficients recovered from the full-precision scores of the authors' workbook",
        ),
        example=_loris.covariates_of(FIT, 8.0, False, 4.1, 3.5, 66.0, "nsclc"),
        known_values=tuple(
            KnownValue(
                inputs=_loris.covariates_of(FIT, *features),
                expected={"loris_score": score},
                absolute_tolerance=1e-6,
                source="coefficients recovered from the full-precision scores of the authors' workbook",
            )
            for features, score in (
                ((10.0, False, 4.2, 3.0, 60.0, "melanoma"), 0.674145),
                ((3.0, True, 3.2, 8.0, 70.0, "pancreatic"), 0.102217),
                ((60.0, True, 4.0, 30.0, 90.0, "nsclc"), 0.652308),
                ((5.0, False, 3.9, 4.0, 65.0, "renal"), 0.716108),
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
        return (_loris.score_prediction(covariates, FIT),)
