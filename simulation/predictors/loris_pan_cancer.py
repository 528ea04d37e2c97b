"""LORIS pan-cancer (LLR6), the fit printed by its authors, and its recalibrated response rate."""

import math
from collections.abc import Mapping

from simulation.model import (
    Calibration,
    CalibrationGroup,
    Coefficient,
    Contribution,
    Interval,
    KnownValue,
    ModelCard,
    Performance,
    Prediction,
    Reference,
    Value,
)
from simulation.predictors import _loris
from simulation.predictors._arithmetic import logistic, neutrophil_lymphocyte_ratio

FIT = _loris.LorisFit(
    intercept=-2.0886,
    coefficients={"tmb": 0.0371, "prior_systemic_therapy": -0.8775, "albumin": 0.5382, "nlr": -0.033, "age": 0.0049},
    cancer_terms={
        "bladder": -0.3323,
        "breast": -0.3323,
        "colorectal": -0.1020,
        "endometrial": -0.0079,
        "esophageal": 0.5500,
        "gastric": 0.2306,
        "head_and_neck": 0.0678,
        "hepatobiliary": -0.1189,
        "melanoma": -0.0086,
        "mesothelioma": 0.1255,
        "nsclc": 0.0008,
        "ovarian": -0.0520,
        "pancreatic": -1.1169,
        "renal": 0.5451,
        "sarcoma": 0.0542,
        "sclc": -0.0033,
    },
    reference_means=_loris.PAN_MEANS,
)

RECALIBRATION_INTERCEPT = -0.8752177125346186
RECALIBRATION_SLOPE = 1.1823611450002434
RECALIBRATION_COVARIANCE = (
    (0.0060264221880462305, -0.0008309808887697569),
    (-0.0008309808887697569, 0.011343036201501943),
)
INTERVAL_LEVEL = 0.95
NORMAL_QUANTILE_975 = 1.959963984540054
RECALIBRATED = (
    "Logistic recalibration of the score on its training cohort (n = 964, in-sample); the interval covers the "
    "uncertainty of that line only. Not yet checked on other patients."
)


def recalibrated_response(score_log_odds: float) -> tuple[float, Interval]:
    """Return the probability of objective response and its 95 % interval (uncertainty of the two parameters).

    Parameters
    ----------
    score_log_odds : float
        Log-odds of the LORIS pan-cancer score of this fit, no other.

    Returns
    -------
    tuple of float and Interval
        Probability, 0 to 1, and the interval of the mean response at this score.
    """
    center = RECALIBRATION_INTERCEPT + RECALIBRATION_SLOPE * score_log_odds
    (v00, v01), (_, v11) = RECALIBRATION_COVARIANCE
    half = NORMAL_QUANTILE_975 * math.sqrt(v00 + 2 * score_log_odds * v01 + score_log_odds**2 * v11)
    return logistic(center), Interval(
        level=INTERVAL_LEVEL, lower=logistic(center - half), upper=logistic(center + half)
    )


class Model:
    """LORIS pan-cancer score of Chang et al. 2024 with a calibrated response rate beside it."""

    card = ModelCard(
        id="loris-pan-cancer",
        version="1.1.0",
        title="LORIS pan-cancer (LLR6, published fit)",
        kind="predictor",
        outcome="objective response to immune checkpoint inhibitors (RECIST complete or partial response)",
        purpose="Ranks patients by the chance of an objective response before immune checkpoint inhibitors.",
        population=_loris.POPULATION,
        cancer_types=tuple(FIT.cancer_terms),
        inputs=_loris.inputs(FIT),
        equations=(
            *_loris.equations(FIT),
            "logit(response) = -0.8752 + 1.1824 * S; the interval is the Wald interval of this line",
        ),
        references=(
            _loris.CHANG_2024,
            _loris.README_FIT,
            Reference(
                citation="Recalibration on sheet Chowell_train (n = 964, 282 responders) of the authors' workbook; "
                "scripts/loris_reference.py refits the pair to 2e-4 and gives its covariance",
                url="https://github.com/rootchang/LORIS",
                evidence="calibrated",
            ),
            _loris.TRAINING_COHORT,
        ),
        leaves_out=_loris.LEAVES_OUT,
        known_failures=(
            "At the ends the recalibration is too flat: the lowest and highest score deciles of the training cohort "
            "have mean calibrated rates of 0.079 and 0.693 where 1.0 % and 61.9 % responded.",
            "As a probability the raw score is no better than the constant rate (Brier 0.206 against 0.207).",
            "For a cancer type outside the sixteen the cancer term is 0: an extrapolation.",
            _loris.PARTLY_PROGNOSTIC,
        ),
        coefficients=(
            *_loris.coefficient_rows(FIT, evidence="published", source="rootchang/LORIS, commit eb87300"),
            Coefficient(
                name="recalibration intercept",
                value=RECALIBRATION_INTERCEPT,
                unit="1",
                evidence="calibrated",
                source="scripts/loris_reference.py on Chowell_train",
            ),
            Coefficient(
                name="recalibration slope",
                value=RECALIBRATION_SLOPE,
                unit="1",
                evidence="calibrated",
                source="scripts/loris_reference.py on Chowell_train",
            ),
        ),
        example=_loris.covariates_of(FIT, 8.0, False, 4.1, 3.5, 66.0, "nsclc"),
        known_values=tuple(
            KnownValue(
                inputs=_loris.covariates_of(FIT, *features),
                expected={"loris_score": score, "objective_response": response},
                absolute_tolerance=1e-6,
                source="Published formula of rootchang/LORIS, commit eb87300, and its recalibration",
            )
            for features, score, response in (
                ((10.0, False, 4.2, 3.0, 60.0, "melanoma"), 0.674638, 0.496752),
                ((3.0, True, 3.2, 8.0, 70.0, "pancreatic"), 0.102435, 0.031024),
                ((60.0, True, 4.0, 30.0, 90.0, "nsclc"), 0.653396, 0.468641),
                ((8.0, False, 4.1, 3.5, 66.0, "nsclc"), 0.651019, 0.465557),
            )
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
                source="computed from the published formula, bootstrap",
                in_sample=True,
            ),
            Performance(
                metric="C-index, overall survival",
                value=0.688,
                n=964,
                data="Chowell_train",
                source="computed from the published formula",
                in_sample=True,
            ),
            Performance(
                metric="Brier score, recalibrated",
                value=0.176,
                n=964,
                data="Chowell_train",
                source="computed; the constant rate scores 0.207",
                in_sample=True,
            ),
        ),
        calibration=(
            Calibration(
                outcome="objective_response",
                data="Chowell_train, tenths of the recalibrated probability",
                in_sample=True,
                source="scripts/loris_reference.py",
                groups=tuple(
                    CalibrationGroup(mean_predicted=predicted, n=n, events=events)
                    for predicted, n, events in (
                        (0.0788, 97, 1),
                        (0.1307, 97, 12),
                        (0.1603, 97, 16),
                        (0.1861, 97, 24),
                        (0.2147, 96, 21),
                        (0.2554, 96, 24),
                        (0.3284, 96, 36),
                        (0.3988, 96, 43),
                        (0.4841, 96, 45),
                        (0.6947, 96, 60),
                    )
                ),
            ),
        ),
        increases_with=(_loris.TMB, _loris.ALBUMIN, _loris.AGE, _loris.LYMPHOCYTES),
        decreases_with=(_loris.PRIOR_THERAPY, _loris.NEUTROPHILS),
        validated_on_patients=True,
        license_and_patents=_loris.LICENSE,
        history=("1.0.0: first version.", "1.1.0: a LAG-3 antibody lies outside the training cohort."),
    )

    def predict(self, covariates: Mapping[str, Value]) -> tuple[Prediction, ...]:
        """Return the score and the calibrated probability of objective response."""
        nlr = neutrophil_lymphocyte_ratio(covariates)
        s, shares = _loris.linear_predictor(covariates, FIT, nlr)
        score = _loris.scored(nlr, s, shares, references=(0, 1, 3))
        response, interval = recalibrated_response(s)
        return (
            score,
            Prediction(
                outcome="objective_response",
                value=response,
                unit="probability",
                interval=interval,
                contributions=tuple(
                    [Contribution(name, RECALIBRATION_SLOPE * value, unit) for name, value, unit in shares]
                ),
                note=RECALIBRATED,
                references=(0, 2, 3),
                outside=score.outside,
            ),
        )
