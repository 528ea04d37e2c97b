"""How well predictions hold on the patients of one site: discrimination, squared error, benefit.

Functions of plain arrays: ``outcome`` is 0 or 1, ``probability`` or ``score`` what the model
said beforehand. ``weight`` serves outcomes at a horizon: the weights of
:func:`simulation.outcome.horizon.status_at`, 0 where the outcome is not known; left out, all
are 1. The standard errors take the weights as known, which errs on the wide side.

References
----------
DeLong ER et al. Biometrics 1988;44:837-845. doi:10.2307/2531595
Vickers AJ, Elkin EB. Med Decis Making 2006;26:565-574. doi:10.1177/0272989X06295361
Graf E et al. Stat Med 1999;18:2529-2545.
doi:10.1002/(SICI)1097-0258(19990915/30)18:17/18<2529::AID-SIM274>3.0.CO;2-5
Blanche P et al. Stat Med 2013;32:5381-5397. doi:10.1002/sim.5958
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from simulation.model import Interval
from simulation.outcome.survival import logit_interval

Floats = NDArray[np.float64]
T = TypeVar("T")


def auc(
    outcome: ArrayLike, score: ArrayLike, *, weight: ArrayLike | None = None, level: float = 0.95
) -> tuple[float, Interval | None]:
    """Area under the ROC curve with DeLong's variance, the interval on the logit scale.

    With weights, the cumulative and dynamic area at the horizon.

    Parameters
    ----------
    outcome : array-like of 0 and 1, shape (n,)
    score : array-like, shape (n,)
        Higher means that the outcome is more likely; equal scores count one half.
    weight : array-like, shape (n,), optional
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
    event, value, share = sample(outcome, score, weight)
    first, second = event & (share > 0.0), ~event & (share > 0.0)
    high, low = value[first], value[second]
    if high.size == 0 or low.size == 0:
        raise ValueError("both outcomes must occur")
    above = _share_below(high, low, share[second])
    below = 1.0 - _share_below(low, high, share[first])
    area = float(np.average(above, weights=share[first]))
    if min(high.size, low.size) < 2:
        return area, None
    variance = _variance_of_mean(above, share[first]) + _variance_of_mean(below, share[second])
    return area, logit_interval(area, float(np.sqrt(variance)), level)


def _share_below(values: Floats, others: Floats, weight: Floats) -> Floats:
    """Weighted share of the others that lie below each value, ties counted one half."""
    order = np.argsort(others, kind="stable")
    ordered = others[order]
    summed = np.concatenate(([0.0], np.cumsum(weight[order])))
    under, up_to = (summed[np.searchsorted(ordered, values, side=side)] for side in ("left", "right"))
    shares: Floats = (under + up_to) / (2.0 * summed[-1])
    return shares


def _variance_of_mean(values: Floats, weight: Floats) -> float:
    """Variance of the weighted mean; without weights, the sample variance over the number."""
    apart = weight * (values - np.average(values, weights=weight)) / weight.sum()
    return float(np.sum(apart**2) * values.size / (values.size - 1))


def brier(outcome: ArrayLike, probability: ArrayLike, *, weight: ArrayLike | None = None) -> tuple[float, float]:
    """Brier score, and one minus its ratio to that of the observed rate (0: no better).

    The scaled score is NaN when only one outcome occurs.
    """
    event, chance, share = sample(outcome, probability, weight)
    score = float(np.average((chance - event) ** 2, weights=share))
    rate = float(np.average(event, weights=share))
    reference = rate * (1.0 - rate)
    return score, 1.0 - score / reference if reference > 0.0 else float("nan")


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionCurve:
    """Net benefit a patient of acting on the model, on everyone, or (0) on no one."""

    threshold: Floats
    model: Floats
    everyone: Floats


def decision_curve(
    outcome: ArrayLike, probability: ArrayLike, thresholds: ArrayLike, *, weight: ArrayLike | None = None
) -> DecisionCurve:
    """Net benefit at each threshold probability: true positives less weighted false ones.

    Parameters
    ----------
    outcome : array-like of 0 and 1, shape (n,)
    probability : array-like, shape (n,)
    thresholds : array-like, shape (k,)
        Strictly between 0 and 1; a patient at or above is treated.
    weight : array-like, shape (n,), optional

    Returns
    -------
    DecisionCurve
    """
    event, chance, share = sample(outcome, probability, weight)
    threshold = np.asarray(thresholds, dtype=np.float64)
    if np.any((threshold <= 0.0) | (threshold >= 1.0)):
        raise ValueError("thresholds must lie strictly between 0 and 1")
    odds = threshold / (1.0 - threshold)
    treated = chance[None, :] >= threshold[:, None]
    true_positive = np.average(treated & event, axis=1, weights=share)
    false_positive = np.average(treated & ~event, axis=1, weights=share)
    rate = np.average(event, weights=share)
    return DecisionCurve(
        threshold=threshold,
        model=true_positive - odds * false_positive,
        everyone=rate - odds * (1.0 - rate),
    )


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


def sample(outcome: ArrayLike, value: ArrayLike, weight: ArrayLike | None) -> tuple[NDArray[np.bool_], Floats, Floats]:
    """Return outcomes, predictions and weights as arrays of one length; ValueError where they are no sample."""
    event = np.asarray(outcome)
    number = np.asarray(value, dtype=np.float64)
    if event.ndim != 1 or event.shape != number.shape or event.size == 0:
        raise ValueError("outcome and prediction must be 1-D, of one length and not empty")
    if not np.all(np.isfinite(number)) or not np.all((event == 0) | (event == 1)):
        raise ValueError("outcomes must be 0 or 1 and predictions finite")
    share = np.ones(number.shape) if weight is None else np.asarray(weight, dtype=np.float64)
    if share.shape != number.shape or not np.all(np.isfinite(share)) or np.any(share < 0.0) or not np.any(share):
        raise ValueError("weights must be finite, >= 0, not all 0 and as many as outcomes")
    return event.astype(np.bool_), number, share
