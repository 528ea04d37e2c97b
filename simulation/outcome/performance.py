"""How well predictions hold on the patients of one site: discrimination, calibration, benefit.

Functions of plain arrays: ``outcome`` is 0 or 1, ``probability`` or ``score`` what the model
said beforehand. Nothing here refits a model; recalibration is returned as numbers.

References
----------
DeLong ER et al. Biometrics 1988;44:837-845. doi:10.2307/2531595
Vickers AJ, Elkin EB. Med Decis Making 2006;26:565-574. doi:10.1177/0272989X06295361
Vergouwe Y et al. Stat Med 2017;36:4529-4539. doi:10.1002/sim.7179
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special, stats

from simulation.model import Interval
from simulation.outcome.summaries import proportion_interval
from simulation.outcome.survival import logit_interval

Floats = NDArray[np.float64]
T = TypeVar("T")

PROBABILITY_FLOOR: Final = 1e-6
"""Probabilities are held this far from 0 and 1 where a logit is taken."""


def auc(outcome: ArrayLike, score: ArrayLike, *, level: float = 0.95) -> tuple[float, Interval | None]:
    """Area under the ROC curve with DeLong's variance, the interval on the logit scale.

    Parameters
    ----------
    outcome : array-like of 0 and 1, shape (n,)
    score : array-like, shape (n,)
        Higher means that the outcome is more likely; equal scores count one half.
    level : float

    Returns
    -------
    tuple of float and Interval or None
        None where the area is 0 or 1 or a class has one member.

    Raises
    ------
    ValueError
        Only one class is present.
    """
    event, value = _pair(outcome, score)
    high, low = value[event], value[~event]
    if high.size == 0 or low.size == 0:
        raise ValueError("both outcomes must occur")
    joint = stats.rankdata(value)
    above = (joint[event] - stats.rankdata(high)) / low.size
    below = 1.0 - (joint[~event] - stats.rankdata(low)) / high.size
    area = float(above.mean())
    if min(high.size, low.size) < 2:
        return area, None
    error = float(np.sqrt(above.var(ddof=1) / high.size + below.var(ddof=1) / low.size))
    return area, logit_interval(area, error, level)


def brier(outcome: ArrayLike, probability: ArrayLike) -> tuple[float, float]:
    """Brier score, and one minus its ratio to that of the observed rate (0: no better).

    The scaled score is NaN when only one outcome occurs.
    """
    event, chance = _pair(outcome, probability)
    score = float(np.mean((chance - event) ** 2))
    rate = event.mean()
    reference = rate * (1.0 - rate)
    return score, float(1.0 - score / reference) if reference > 0.0 else float("nan")


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationLine:
    """Logistic recalibration: logit(observed) = intercept + slope * logit(predicted).

    ``in_the_large`` is the intercept when the slope is held at 1: above 0 the model predicts
    too low.
    """

    intercept: float
    intercept_interval: Interval
    slope: float
    slope_interval: Interval
    in_the_large: float
    in_the_large_interval: Interval
    log_likelihood_unchanged: float
    log_likelihood_intercept: float
    log_likelihood_both: float


def calibration_line(outcome: ArrayLike, probability: ArrayLike, *, level: float = 0.95) -> CalibrationLine:
    """Intercept and slope of the logistic recalibration with Wald intervals.

    Parameters
    ----------
    outcome : array-like of 0 and 1, shape (n,)
    probability : array-like, shape (n,)
    level : float

    Returns
    -------
    CalibrationLine

    Raises
    ------
    ValueError
        One outcome only, equal predictions only, or predictions that separate the outcomes.
    """
    event, chance = _pair(outcome, probability)
    logit = special.logit(np.clip(chance, PROBABILITY_FLOOR, 1.0 - PROBABILITY_FLOOR))
    if event.all() or not event.any() or np.ptp(logit) == 0.0:
        raise ValueError("both outcomes and different predictions are needed")
    ones = np.ones_like(logit)
    shift, shift_error, with_shift = _logistic(ones[:, None], event, offset=logit)
    line, line_error, with_line = _logistic(np.column_stack((ones, logit)), event, offset=np.zeros_like(logit))

    def wald(value: float, error: float) -> Interval:
        reach = float(stats.norm.ppf(0.5 + level / 2.0)) * error
        return Interval(level=level, lower=value - reach, upper=value + reach)

    return CalibrationLine(
        intercept=float(line[0]),
        intercept_interval=wald(float(line[0]), float(line_error[0])),
        slope=float(line[1]),
        slope_interval=wald(float(line[1]), float(line_error[1])),
        in_the_large=float(shift[0]),
        in_the_large_interval=wald(float(shift[0]), float(shift_error[0])),
        log_likelihood_unchanged=_log_likelihood(logit, event),
        log_likelihood_intercept=with_shift,
        log_likelihood_both=with_line,
    )


def _log_likelihood(eta: Floats, event: NDArray[np.bool_]) -> float:
    return float(np.sum(special.log_expit(np.where(event, eta, -eta))))


def _logistic(design: Floats, event: NDArray[np.bool_], *, offset: Floats) -> tuple[Floats, Floats, float]:
    """Maximum likelihood by Newton steps; coefficients, standard errors, log likelihood."""
    beta = np.zeros(design.shape[1])
    for _ in range(50):
        mean = special.expit(offset + design @ beta)
        information = design.T @ (design * (mean * (1.0 - mean))[:, None])
        try:
            step = np.linalg.solve(information, design.T @ (event - mean))
        except np.linalg.LinAlgError:
            break
        beta = beta + np.clip(step, -5.0, 5.0)
        if np.max(np.abs(step)) < 1e-10:
            errors = np.sqrt(np.diag(np.linalg.inv(information)))
            return beta, errors, _log_likelihood(offset + design @ beta, event)
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
    groups: int = 10,
    least_patients: int = 1,
    least_of_each: int = 0,
    level: float = 0.95,
) -> tuple[CalibrationPoint, ...]:
    """Observed rate against mean prediction in groups of similar predictions.

    Parameters
    ----------
    outcome : array-like of 0 and 1, shape (n,)
    probability : array-like, shape (n,)
    groups : int
        So many of (nearly) equal size at first. Equal predictions stay in one group, so fewer may come back.
    least_patients, least_of_each : int
        Neighbors are merged until every group has so many patients, and so many with and so many without the
        outcome. Where all patients together have fewer, one group comes back all the same.
    level : float

    Returns
    -------
    tuple of CalibrationPoint, by increasing prediction
    """
    event, chance = _pair(outcome, probability)
    position = stats.rankdata(chance, method="average") / chance.size
    group = np.minimum((position * groups - 1e-9).astype(np.int64), groups - 1)
    points = []
    for inside in _merged([group == index for index in np.unique(group)], event, least_patients, least_of_each):
        n = int(inside.sum())
        points.append(
            CalibrationPoint(
                n=n,
                predicted=float(chance[inside].mean()),
                observed=float(event[inside].mean()),
                interval=proportion_interval(int(event[inside].sum()), n, level=level),
            )
        )
    return tuple(points)


def _merged(
    groups: Sequence[NDArray[np.bool_]], event: NDArray[np.bool_], least_patients: int, least_of_each: int
) -> list[NDArray[np.bool_]]:
    """Merge neighbors until each group is large enough; what is left over at the end joins the last one."""
    whole: list[NDArray[np.bool_]] = []
    open_group = np.zeros_like(event)
    for rows in groups:
        open_group = open_group | rows
        n, events = int(open_group.sum()), int(event[open_group].sum())
        if n >= least_patients and min(events, n - events) >= least_of_each:
            whole.append(open_group)
            open_group = np.zeros_like(event)
    if open_group.any():
        whole.append(whole.pop() | open_group if whole else open_group)
    return whole


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionCurve:
    """Net benefit a patient of acting on the model, on everyone, or (0) on no one."""

    threshold: Floats
    model: Floats
    everyone: Floats


def decision_curve(outcome: ArrayLike, probability: ArrayLike, thresholds: ArrayLike) -> DecisionCurve:
    """Net benefit at each threshold probability: true positives less weighted false ones.

    Parameters
    ----------
    outcome : array-like of 0 and 1, shape (n,)
    probability : array-like, shape (n,)
    thresholds : array-like, shape (k,)
        Strictly between 0 and 1; a patient at or above is treated.

    Returns
    -------
    DecisionCurve
    """
    event, chance = _pair(outcome, probability)
    threshold = np.asarray(thresholds, dtype=np.float64)
    if np.any((threshold <= 0.0) | (threshold >= 1.0)):
        raise ValueError("thresholds must lie strictly between 0 and 1")
    odds = threshold / (1.0 - threshold)
    treated = chance[None, :] >= threshold[:, None]
    true_positive = (treated & event).mean(axis=1)
    false_positive = (treated & ~event).mean(axis=1)
    rate = event.mean()
    return DecisionCurve(
        threshold=threshold,
        model=true_positive - odds * false_positive,
        everyone=rate - odds * (1.0 - rate),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Recalibration:
    """What a closed test proposes; new probability = expit(intercept + slope * logit(old)).

    ``p_value`` compares the proposal's richest alternative with the unchanged model.
    """

    method: Literal["unchanged", "intercept", "intercept_and_slope"]
    intercept: float
    slope: float
    p_value: float


def propose_recalibration(outcome: ArrayLike, probability: ArrayLike, *, alpha: float = 0.05) -> Recalibration:
    """Choose between no change, a new intercept, and a new intercept and slope.

    Closed testing: the full recalibration must beat the unchanged model (2 degrees of
    freedom) before anything is changed, and the new intercept (1) before the slope is.
    """
    line = calibration_line(outcome, probability)
    overall = float(stats.chi2.sf(2.0 * (line.log_likelihood_both - line.log_likelihood_unchanged), 2))
    if overall >= alpha:
        return Recalibration(method="unchanged", intercept=0.0, slope=1.0, p_value=overall)
    slope = float(stats.chi2.sf(2.0 * (line.log_likelihood_both - line.log_likelihood_intercept), 1))
    if slope >= alpha:
        return Recalibration(method="intercept", intercept=line.in_the_large, slope=1.0, p_value=overall)
    return Recalibration(method="intercept_and_slope", intercept=line.intercept, slope=line.slope, p_value=overall)


def by_group(
    labels: Sequence[Hashable], measure: Callable[[NDArray[np.intp]], T], *, minimum: int
) -> dict[Hashable, tuple[int, T | None]]:
    """Apply ``measure`` to the row numbers of every subgroup.

    Parameters
    ----------
    labels : sequence, length n
    measure : callable
        Receives the row numbers of one subgroup.
    minimum : int
        Subgroups with fewer patients are suppressed: their measure is None.

    Returns
    -------
    dict from label to (n, measure or None), in the order of first appearance
    """
    rows: dict[Hashable, list[int]] = {}
    for row, label in enumerate(labels):
        rows.setdefault(label, []).append(row)
    return {
        label: (len(found), measure(np.array(found)) if len(found) >= minimum else None)
        for label, found in rows.items()
    }


def drift_windows(times: ArrayLike, windows: int, *, minimum: int) -> tuple[NDArray[np.intp], ...]:
    """Row numbers in consecutive windows of time with (nearly) equal numbers of patients.

    Fewer windows come back where ``windows`` would hold fewer than ``minimum`` patients each.
    """
    order = np.argsort(np.asarray(times, dtype=np.float64), kind="stable")
    count = max(1, min(windows, order.size // max(minimum, 1)))
    return tuple(np.array_split(order, count))


def _pair(outcome: ArrayLike, value: ArrayLike) -> tuple[NDArray[np.bool_], Floats]:
    event = np.asarray(outcome)
    number = np.asarray(value, dtype=np.float64)
    if event.ndim != 1 or event.shape != number.shape or event.size == 0:
        raise ValueError("outcome and prediction must be 1-D, of one length and not empty")
    if not np.all(np.isfinite(number)) or not np.all((event == 0) | (event == 1)):
        raise ValueError("outcomes must be 0 or 1 and predictions finite")
    return event.astype(np.bool_), number
