"""LORIS pan-cancer without prior therapy, web calculator fit (LLR5)."""

from collections.abc import Mapping

from simulation.model import KnownValue, ModelCard, Performance, Prediction, Value
from simulation.predictors import _loris

FIT = _loris.LorisFit(
    intercept=-3.7256067282515746,
    coefficients={
        "tmb": 0.04585159,
        "albumin": 0.71900319,
        "nlr": -0.04498181,
        "age": 0.0109262,
    },
    cancer_terms={
        "bladder": -0.5539934636232641,
        "breast": -0.25290341309416775,
        "colorectal": -0.3428875211355777,
        "endometrial": -0.010927160925007623,
        "esophageal": 0.4806365485191027,
        "gastric": 0.329660841860277,
        "head_and_neck": -0.004476773562338537,
        "hepatobiliary": -0.287359968199123,
        "melanoma": 0.22342414393479748,
        "mesothelioma": -0.0725466133039033,
        "nsclc": 0.02028427707293726,
        "ovarian": -0.22345051882807654,
        "pancreatic": -1.4182469247677578,
        "renal": 0.782968065894044,
        "sarcoma": 0.00018395873172186955,
        "sclc": -0.14659309353129546,
    },
    reference_means=_loris.PAN_MEANS,
)


class Model:
    """LORIS pan-cancer without prior therapy, web calculator fit (LLR5)."""

    card = ModelCard(
        id="loris-pan-cancer-web-no-prior-therapy",
        version="1.1.0",
        title="LORIS pan-cancer without prior therapy, web calculator fit (LLR5)",
        kind="predictor",
        outcome="objective response to immune checkpoint inhibitors (RECIST complete or partial response)",
        purpose="Ranks patients by the chance of an objective response before immune checkpoint inhibitors.",
        population=_loris.WEB_POPULATION,
        cancer_types=tuple(FIT.cancer_terms),
        inputs=_loris.inputs(FIT),
        equations=_loris.equations(FIT),
        references=(_loris.CHANG_2024, _loris.WEB_FIT, _loris.TRAINING_COHORT),
        leaves_out=(*_loris.LEAVES_OUT, "A calibrated response rate."),
        known_failures=(_loris.OTHER_FIT, _loris.PARTLY_PROGNOSTIC),
        coefficients=_loris.coefficient_rows(
            FIT, evidence="published", source="LLR5Pan coefficients of the authors' web calculator"
        ),
        example=_loris.covariates_of(FIT, 8.0, False, 4.1, 3.5, 66.0, "nsclc"),
        known_values=tuple(
            KnownValue(
                inputs=_loris.covariates_of(FIT, *features),
                expected={"loris_score": score},
                absolute_tolerance=1e-6,
                source="LLR5Pan coefficients of the authors' web calculator",
            )
            for features, score in (
                ((10.0, False, 4.2, 3.0, 60.0, "melanoma"), 0.621701),
                ((3.0, True, 3.2, 8.0, 70.0, "pancreatic"), 0.091081),
                ((60.0, True, 4.0, 30.0, 90.0, "nsclc"), 0.780306),
                ((5.0, False, 3.9, 4.0, 65.0, "renal"), 0.650448),
            )
        ),
        increases_with=(_loris.TMB, _loris.ALBUMIN, _loris.AGE, _loris.LYMPHOCYTES),
        decreases_with=(_loris.NEUTROPHILS,),
        performance=(
            Performance(
                metric="AUC, objective response",
                value=0.712,
                lower=0.678,
                upper=0.746,
                level=0.95,
                n=964,
                data="Chowell_train",
                source="computed from the LLR5Pan coefficients of the web calculator, bootstrap",
                in_sample=True,
            ),
        ),
        validated_on_patients=True,
        license_and_patents=_loris.LICENSE,
        history=("1.0.0: first version.", "1.1.0: a LAG-3 antibody lies outside the training cohort."),
    )

    def predict(self, covariates: Mapping[str, Value]) -> tuple[Prediction, ...]:
        """Return the score of one patient."""
        return (_loris.score_prediction(covariates, FIT),)
