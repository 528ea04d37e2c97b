"""LORIS pan-cancer, web calculator fit (LLR6)."""

from collections.abc import Mapping

from simulation.model import KnownValue, ModelCard, Performance, Prediction, Value
from simulation.predictors import _loris

FIT = _loris.LorisFit(
    intercept=-2.663569384884529,
    coefficients={
        "tmb": 0.04402069,
        "prior_systemic_therapy": -0.95742317,
        "albumin": 0.65691216,
        "nlr": -0.03733682,
        "age": 0.00748933,
    },
    cancer_terms={
        "bladder": -0.4822024815338707,
        "breast": -0.07203915947867234,
        "colorectal": -0.20145826001892642,
        "endometrial": 0.10345490263721475,
        "esophageal": 0.48668657791290343,
        "gastric": 0.1899473602530846,
        "head_and_neck": 0.07016275225551956,
        "hepatobiliary": -0.23304076750462574,
        "melanoma": -0.10911861333208761,
        "mesothelioma": -0.026239811048115562,
        "nsclc": 0.0056240336264663255,
        "ovarian": -0.09971426686630935,
        "pancreatic": -1.2078460078388555,
        "renal": 0.8004345508180791,
        "sarcoma": 0.04696853834374907,
        "sclc": -0.005779413239244845,
    },
    reference_means=_loris.PAN_MEANS,
)


class Model:
    """LORIS pan-cancer, web calculator fit (LLR6)."""

    card = ModelCard(
        id="loris-pan-cancer-web",
        version="1.1.0",
        title="LORIS pan-cancer, web calculator fit (LLR6)",
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
            FIT, evidence="published", source="LLR6Pan coefficients of the authors' web calculator"
        ),
        example=_loris.covariates_of(FIT, 8.0, False, 4.1, 3.5, 66.0, "nsclc"),
        known_values=tuple(
            KnownValue(
                inputs=_loris.covariates_of(FIT, *features),
                expected={"loris_score": score},
                absolute_tolerance=1e-6,
                source="LLR6Pan coefficients of the authors' web calculator",
            )
            for features, score in (
                ((10.0, False, 4.2, 3.0, 60.0, "melanoma"), 0.6822),
                ((3.0, True, 3.2, 8.0, 70.0, "pancreatic"), 0.08556),
                ((60.0, True, 4.0, 30.0, 90.0, "nsclc"), 0.714326),
                ((5.0, False, 3.9, 4.0, 65.0, "renal"), 0.778403),
            )
        ),
        increases_with=(_loris.TMB, _loris.ALBUMIN, _loris.AGE, _loris.LYMPHOCYTES),
        decreases_with=(
            _loris.PRIOR_THERAPY,
            _loris.NEUTROPHILS,
        ),
        performance=(
            Performance(
                metric="AUC, objective response",
                value=0.741,
                lower=0.709,
                upper=0.773,
                level=0.95,
                n=964,
                data="Chowell_train",
                source="computed from the LLR6Pan coefficients of the web calculator, bootstrap",
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
