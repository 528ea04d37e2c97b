"""Intervals of complication probabilities from those of the numbers behind them."""

from collections.abc import Mapping, Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from simulation.model import Interval
from simulation.predictors._answers import LEVEL
from simulation.predictors._arithmetic import logistic
from simulation.radiation.clinical import MODELS, ClinicalModel
from simulation.radiation.uncertainty import sample_parameters

_MODELS: Mapping[str, ClinicalModel] = {model.id: model for model in MODELS}
_SEED = 1


@cache
def _draws(identifier: str, present: frozenset[str]) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """Return coefficients, shape (samples, terms), and shifts of the score; None where nothing has an interval."""
    model = _MODELS[identifier]
    values, intervals = model.uncertain(present)
    if not intervals:
        return None
    stream = np.random.Generator(np.random.Philox(_SEED))
    drawn = [model.resampled(sample) for sample in sample_parameters(values, intervals, stream=stream)]
    return np.array([coefficients for coefficients, _ in drawn]), np.array([shift for _, shift in drawn])


def interval_of(
    identifier: str, doses_gy: Sequence[float], score: float, present: Mapping[str, bool]
) -> Interval | None:
    """Return the 95 % interval of a probability with a logit link.

    Parameters
    ----------
    identifier : str
        Id in the clinical table.
    doses_gy : sequence of float
        In the order of the model's terms, Gy.
    score : float
        Log-odds of the estimate.
    present : mapping of str to bool
        The yes-or-no factors of the model.

    Returns
    -------
    Interval or None
        From draws of the curve in dose and of the odds ratios of the factors that are present, taken as independent;
        None where none of them has an interval.
    """
    drawn = _draws(identifier, frozenset(name for name, there in present.items() if there))
    if drawn is None:
        return None
    coefficients, shifts = drawn
    estimate = np.array([term.coefficient for term in _MODELS[identifier].terms])
    scores = score + (coefficients - estimate) @ np.asarray(doses_gy) + shifts
    lower, upper = np.quantile(scores, [(1.0 - LEVEL) / 2.0, (1.0 + LEVEL) / 2.0])
    return Interval(level=LEVEL, lower=logistic(float(lower)), upper=logistic(float(upper)))
