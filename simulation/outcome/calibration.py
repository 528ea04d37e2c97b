"""Predicted against observed probability: logistic recalibration, groups, a proposal.

Nothing here refits a model; recalibration is returned as numbers. ``weight`` serves outcomes at a
horizon, as in :mod:`simulation.outcome.performance`; with weights the variance is the robust one.

References
----------
Vergouwe Y et al. Stat Med 2017;36:4529-4539. doi:10.1002/sim.7179
White H. Econometrica 1982;50:1-25. doi:10.2307/1912526
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special, stats

from simulation.model import Interval
from simulation.outcome.performance import sample
from simulation.outcome.summaries import proportion_interval

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

PROBABILITY_FLOOR: Final = 1e-6
"""Probabilities are held this far from 0 and 1 where a logit is taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationLine:
    """Logistic recalibration: logit(observed) = intercept + slope * logit(predicted).

    ``in_the_large`` is the intercept when the slope is held at 1: above 0 the model predicts
    too low. ``p_perfect`` tests intercept 0 and slope 1, ``p_slope`` slope 1 alone: by the
    likelihood ratio, and with weights by Wald's test.
    """

    intercept: float
    intercept_interval: Interval
    slope: float
    slope_interval: Interval
    in_the_large: float
    in_the_large_interval: Interval
    p_perfect: float
    p_slope: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fit:
    """Coefficients of a logistic regression with their covariance."""

    beta: Floats
    covariance: Floats
    log_likelihood: float


def calibration_line(
    outcome: ArrayLike, probability: ArrayLike, *, weight: ArrayLike | None = None, level: float = 0.95
) -> CalibrationLine:
    """Intercept and slope of the logistic recalibration with Wald intervals.

    Parameters
    ----------
    outcome : array-like of 0 and 1, shape (n,)
    probability : array-like, shape (n,)
    weight : array-like, shape (n,), optional
    level : float

    Returns
    -------
    CalibrationLine

    Raises
    ------
    ValueError
        One outcome only, equal predictions only, or predictions that separate the outcomes.
    """
    event, chance, share = sample(outcome, probability, weight)
    counted = share > 0.0
    event, chance, share = event[counted], chance[counted], share[counted]
    logit = special.logit(np.clip(chance, PROBABILITY_FLOOR, 1.0 - PROBABILITY_FLOOR))
    if event.all() or not event.any() or np.ptp(logit) == 0.0:
        raise ValueError("both outcomes and different predictions are needed")
    ones = np.ones_like(logit)
    robust = weight is not None
    shift = _logistic(ones[:, None], event, share, offset=logit, robust=robust)
    line = _logistic(np.column_stack((ones, logit)), event, share, offset=np.zeros_like(logit), robust=robust)

    def wald(fit: _Fit, index: int) -> Interval:
        reach = float(stats.norm.ppf(0.5 + level / 2.0) * np.sqrt(fit.covariance[index, index]))
        value = float(fit.beta[index])
        return Interval(level=level, lower=value - reach, upper=value + reach)

    if robust:
        apart = line.beta - np.array([0.0, 1.0])
        perfect = float(apart @ np.linalg.solve(line.covariance, apart))
        slope = float(apart[1] ** 2 / line.covariance[1, 1])
    else:
        perfect = 2.0 * (line.log_likelihood - _log_likelihood(logit, event, share))
        slope = 2.0 * (line.log_likelihood - shift.log_likelihood)
    return CalibrationLine(
        intercept=float(line.beta[0]),
        intercept_interval=wald(line, 0),
        slope=float(line.beta[1]),
        slope_interval=wald(line, 1),
        in_the_large=float(shift.beta[0]),
        in_the_large_interval=wald(shift, 0),
        p_perfect=float(stats.chi2.sf(perfect, 2)),
        p_slope=float(stats.chi2.sf(slope, 1)),
    )


def _log_likelihood(eta: Floats, event: Flags, share: Floats) -> float:
    return float(np.sum(share * special.log_expit(np.where(event, eta, -eta))))


def _logistic(design: Floats, event: Flags, share: Floats, *, offset: Floats, robust: bool) -> _Fit:
    """Maximum likelihood by Newton steps; the covariance from the information, or robust from the scores."""
    beta = np.zeros(design.shape[1])
    for _ in range(50):
        mean = special.expit(offset + design @ beta)
        scores = design * (share * (event - mean))[:, None]
        information = design.T @ (design * (share * mean * (1.0 - mean))[:, None])
        try:
            step = np.linalg.solve(information, scores.sum(axis=0))
        except np.linalg.LinAlgError:
            break
        beta = beta + np.clip(step, -5.0, 5.0)
        if np.max(np.abs(step)) < 1e-10:
            inverse = np.asarray(np.linalg.inv(information), dtype=np.float64)
            sandwich: Floats = inverse @ (scores.T @ scores) @ inverse
            return _Fit(
                beta=beta,
                covariance=sandwich if robust else inverse,
                log_likelihood=_log_likelihood(offset + design @ beta, event, share),
            )
    raise ValueError("the predictions separate the outcomes; no recalibration exists")


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationPoint:
    """One group of patients with similar predictions."""

    n: int
    predicted: float
    observed: float
    interval: Interval


def calibration_curve(
    outcome: ArrayLike,
    probability: ArrayLike,
    *,
    known: ArrayLike | None = None,
    observed: Callable[[Flags], tuple[float, Interval]] | None = None,
    groups: int = 10,
    least_patients: int = 1,
    least_of_each: int = 0,
) -> tuple[CalibrationPoint, ...]:
    """Observed rate against mean prediction in groups of similar predictions.

    Parameters
    ----------
    outcome : array-like of 0 and 1, shape (n,)
    probability : array-like, shape (n,)
    known : array-like of bool, shape (n,), optional
        Whether the outcome is known; by default, everywhere.
    observed : callable, optional
        Observed rate and interval of the patients of a mask; by default, those of a proportion at 95 %.
    groups : int
        So many of (nearly) equal size at first. Equal predictions stay in one group, so fewer may come back.
    least_patients, least_of_each : int
        Neighbors are merged until every group has so many patients, and so many with and so many without the
        outcome. Where all patients together have fewer, one group comes back all the same.

    Returns
    -------
    tuple of CalibrationPoint, by increasing prediction
    """
    event, chance, _ = sample(outcome, probability, None)
    free = ~event if known is None else ~event & np.asarray(known, dtype=np.bool_)
    rate = _proportion(event) if observed is None else observed
    position = stats.rankdata(chance, method="average") / chance.size
    group = np.minimum((position * groups - 1e-9).astype(np.int64), groups - 1)
    points = []
    for inside in _merged([group == index for index in np.unique(group)], event, free, least_patients, least_of_each):
        share, interval = rate(inside)
        points.append(
            CalibrationPoint(
                n=int(inside.sum()), predicted=float(chance[inside].mean()), observed=share, interval=interval
            )
        )
    return tuple(points)


def _proportion(event: Flags) -> Callable[[Flags], tuple[float, Interval]]:
    return lambda inside: (
        float(event[inside].mean()),
        proportion_interval(int(event[inside].sum()), int(inside.sum())),
    )


def _merged(groups: Sequence[Flags], event: Flags, free: Flags, least_patients: int, least_of_each: int) -> list[Flags]:
    """Merge neighbors until each group is large enough; what is left over at the end joins the last one."""
    whole: list[Flags] = []
    open_group = np.zeros_like(event)
    for rows in groups:
        open_group = open_group | rows
        fewest = min(int(event[open_group].sum()), int(free[open_group].sum()))
        if int(open_group.sum()) >= least_patients and fewest >= least_of_each:
            whole.append(open_group)
            open_group = np.zeros_like(event)
    if open_group.any():
        whole.append(whole.pop() | open_group if whole else open_group)
    return whole


@dataclass(frozen=True, slots=True, kw_only=True)
class Recalibration:
    """What a closed test proposes; new probability = expit(intercept + slope * logit(old)).

    ``p_value`` compares the proposal's richest alternative with the unchanged model.
    """

    method: Literal["unchanged", "intercept", "intercept_and_slope"]
    intercept: float
    slope: float
    p_value: float


def propose_recalibration(
    outcome: ArrayLike, probability: ArrayLike, *, weight: ArrayLike | None = None, alpha: float = 0.05
) -> Recalibration:
    """Choose between no change, a new intercept, and a new intercept and slope.

    Closed testing: the full recalibration must beat the unchanged model (2 degrees of
    freedom) before anything is changed, and the new intercept (1) before the slope is.

    Parameters
    ----------
    outcome : array-like, shape (n,)
        0 or 1.
    probability : array-like, shape (n,)
        As predicted, strictly between 0 and 1.
    weight : array-like, shape (n,), optional
        Inverse probability of censoring; 1 for everyone when left out.
    alpha : float
        Level of each test.

    Returns
    -------
    Recalibration
    """
    line = calibration_line(outcome, probability, weight=weight)
    if line.p_perfect >= alpha:
        return Recalibration(method="unchanged", intercept=0.0, slope=1.0, p_value=line.p_perfect)
    if line.p_slope >= alpha:
        return Recalibration(method="intercept", intercept=line.in_the_large, slope=1.0, p_value=line.p_perfect)
    return Recalibration(
        method="intercept_and_slope", intercept=line.intercept, slope=line.slope, p_value=line.p_perfect
    )
