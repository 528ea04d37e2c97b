"""The few formulas that several predictors share."""

import math
from collections.abc import Mapping

from simulation.model import Value

_DIGITS = 9
_NEUTROPHILS = "patient.labs.neutrophils_1e9_per_l"
_LYMPHOCYTES = "patient.labs.lymphocytes_1e9_per_l"


def logistic(x: float) -> float:
    """Return 1 / (1 + exp(-x)), without overflow for any finite x."""
    if x >= 0:
        return 1.0 / (1.0 + math.exp(-x))
    e = math.exp(x)
    return e / (1.0 + e)


def logit(p: float) -> float:
    """Return ln(p / (1 - p)) for 0 < p < 1."""
    return math.log(p / (1.0 - p))


def ratio(numerator: float, denominator: float) -> float:
    """Return the quotient rounded to 9 digits, so that a cut-off met in decimals is met in binary."""
    return round(numerator / denominator, _DIGITS)


def number(covariates: Mapping[str, Value], name: str) -> float:
    """Return the numeric covariate ``name``; yes counts 1, no counts 0."""
    return float(covariates[name])


def neutrophil_lymphocyte_ratio(covariates: Mapping[str, Value]) -> float:
    """Return neutrophils over lymphocytes, dimensionless."""
    return ratio(float(covariates[_NEUTROPHILS]), float(covariates[_LYMPHOCYTES]))
