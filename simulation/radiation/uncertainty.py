"""Carries the published intervals of parameters through to the answer."""

from collections.abc import Callable, Mapping
from math import log

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from simulation.model import Interval

SAMPLES = 1000


def sample_parameters(
    values: Mapping[str, float], intervals: Mapping[str, Interval], *, stream: np.random.Generator
) -> list[dict[str, float]]:
    """Draw parameter sets whose spread reproduces the published intervals.

    Positive parameters with a positive interval vary on a log scale, the others on a linear one; above
    and below the estimate the spread may differ. Draws are stratified, parameters independent.

    Parameters
    ----------
    values : mapping
        Estimate of every parameter.
    intervals : mapping
        Interval of the uncertain ones; each contains its estimate.
    stream : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    list of dict, length :data:`SAMPLES`
        Complete parameter sets.
    """
    columns: dict[str, NDArray[np.float64]] = {}
    for name in sorted(intervals):
        interval, value = intervals[name], values[name]
        strata = (stream.permutation(SAMPLES) + 0.5) / SAMPLES
        deviate = ndtri(strata) / ndtri(0.5 + interval.level / 2.0)
        below = deviate < 0
        if value > 0 and interval.lower > 0:
            downward, upward = log(value / interval.lower), log(interval.upper / value)
            columns[name] = value * np.exp(deviate * (below * downward + ~below * upward))
        else:
            downward, upward = value - interval.lower, interval.upper - value
            columns[name] = value + deviate * (below * downward + ~below * upward)
    return [{**values, **{name: float(column[row]) for name, column in columns.items()}} for row in range(SAMPLES)]


def propagate(
    function: Callable[[Mapping[str, float]], float],
    values: Mapping[str, float],
    intervals: Mapping[str, Interval],
    *,
    level: float,
    stream: np.random.Generator,
) -> Interval | None:
    """Interval of a function of uncertain parameters.

    Parameters
    ----------
    function : callable
        From a complete parameter set to the answer.
    values : mapping
        Estimate of every parameter.
    intervals : mapping
        Interval of the uncertain ones.
    level : float
        Coverage wanted.
    stream : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    Interval or None
        None when no parameter has an interval.
    """
    if not intervals:
        return None
    answers = np.array([function(one) for one in sample_parameters(values, intervals, stream=stream)])
    lower, upper = np.quantile(answers, [(1.0 - level) / 2.0, (1.0 + level) / 2.0])
    return Interval(level=level, lower=float(lower), upper=float(upper))
