"""Time to event: Kaplan-Meier, median, restricted mean, log-rank test, concordance.

References
----------
Kaplan EL, Meier P. J Am Stat Assoc 1958;53:457-481. doi:10.1080/01621459.1958.10501452
Brookmeyer R, Crowley J. Biometrics 1982;38:29-41. doi:10.2307/2530286
Harrell FE et al. Stat Med 1996;15:361-387.
doi:10.1002/(SICI)1097-0258(19960229)15:4<361::AID-SIM168>3.0.CO;2-4
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from simulation.model import Interval

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class KaplanMeier:
    """Product-limit estimate on the distinct times at which someone left, after time 0.

    ``survival``, ``greenwood_variance``, ``lower`` and ``upper`` hold from ``time`` on (right
    continuous); ``at_risk`` counts those under observation just before ``time``.
    """

    time: Floats
    at_risk: NDArray[np.int64]
    events: NDArray[np.int64]
    survival: Floats
    greenwood_variance: Floats
    lower: Floats
    upper: Floats
    level: float
    entry_times: Floats

    def at(self, times: ArrayLike) -> Floats:
        """Survival at these times; 1 before the first event, NaN after the last observation."""
        asked = np.asarray(times, dtype=np.float64)
        steps = np.concatenate(([1.0], self.survival))
        found = steps[np.searchsorted(self.time, asked, side="right")]
        known = (asked <= self.time[-1]) | (self.survival[-1] == 0.0)
        return np.where(known, found, np.nan)

    def numbers_at_risk(self, times: ArrayLike) -> NDArray[np.int64]:
        """How many are still under observation at these times."""
        left = np.searchsorted(self.entry_times, np.asarray(times, dtype=np.float64), side="left")
        return np.asarray(self.entry_times.size - left, dtype=np.int64)


def kaplan_meier(times: ArrayLike, events: ArrayLike, *, level: float = 0.95) -> KaplanMeier:
    r"""Kaplan-Meier estimate with Greenwood's variance and complementary log-log limits.

    .. math:: \hat S(t) = \prod_{t_i \le t} (1 - d_i / n_i)

    Parameters
    ----------
    times : array-like, shape (n,), any unit of time
        Time of the event or of censoring, >= 0.
    events : array-like of bool, shape (n,)
        True for an event, False for censored.
    level : float
        Coverage of the pointwise limits.

    Returns
    -------
    KaplanMeier
        Where the estimate is 1 the limits are 1, where it is 0 they are 0.
    """
    time, event = checked(times, events)
    ordered = np.sort(time)
    distinct, left = np.unique(ordered, return_counts=True)
    died = np.histogram(time[event], np.append(distinct, np.inf))[0].astype(np.int64)
    at_risk = time.size - np.concatenate(([0], np.cumsum(left)[:-1]))
    survival = np.cumprod(1.0 - died / at_risk)
    with np.errstate(divide="ignore", invalid="ignore"):
        hazard_variance = np.cumsum(died / (at_risk * (at_risk - died)))
        variance = np.where(survival > 0.0, survival**2 * hazard_variance, 0.0)
        spread = stats.norm.ppf(0.5 + level / 2.0) * np.sqrt(hazard_variance) / np.log(survival)
        inside = (survival > 0.0) & (survival < 1.0)
        lower = np.where(inside, survival ** np.exp(-spread), survival)
        upper = np.where(inside, survival ** np.exp(spread), survival)
    return KaplanMeier(
        time=distinct,
        at_risk=at_risk.astype(np.int64),
        events=died,
        survival=survival,
        greenwood_variance=variance,
        lower=lower,
        upper=upper,
        level=level,
        entry_times=ordered,
    )


def checked(times: ArrayLike, events: ArrayLike) -> tuple[Floats, NDArray[np.bool_]]:
    """Return times and event flags as arrays of one length; ValueError where they are no survival data."""
    time = np.asarray(times, dtype=np.float64)
    event = np.asarray(events, dtype=np.bool_)
    if time.ndim != 1 or time.shape != event.shape or time.size == 0:
        raise ValueError("times and events must be 1-D, of one length and not empty")
    if not np.all(np.isfinite(time)) or np.any(time < 0.0):
        raise ValueError("times must be finite and >= 0")
    return time, event


def median(curve: KaplanMeier) -> tuple[float | None, float | None, float | None]:
    """Median, lower and upper Brookmeyer-Crowley limit: first time at which each curve is at most one half.

    None where the curve does not come down that far.
    """
    return (
        _first_time(curve.time, curve.survival),
        _first_time(curve.time, curve.lower),
        _first_time(curve.time, curve.upper),
    )


def _first_time(time: Floats, survival: Floats) -> float | None:
    below = np.flatnonzero(survival <= 0.5 + 1e-12)
    return float(time[below[0]]) if below.size else None


def restricted_mean(curve: KaplanMeier, horizon: float) -> tuple[float, float]:
    """Area under the curve up to ``horizon`` and its standard error, in the unit of time.

    ValueError where the horizon lies beyond the last observation of a curve that has not reached 0.
    """
    if horizon <= 0.0 or (horizon > curve.time[-1] and curve.survival[-1] > 0.0):
        raise ValueError("the horizon must be positive and not beyond the last observation")
    inside = curve.time < horizon
    edges = np.concatenate(([0.0], curve.time[inside], [horizon]))
    heights = np.concatenate(([1.0], curve.survival[inside]))
    pieces = np.diff(edges) * heights
    beyond = np.cumsum(pieces[::-1])[::-1][1:]
    at_risk, events = curve.at_risk[inside], curve.events[inside]
    remaining = at_risk - events
    weights = np.divide(events, at_risk * remaining, out=np.zeros(events.shape), where=remaining > 0)
    return float(pieces.sum()), float(np.sqrt(np.sum(beyond**2 * weights)))


def log_rank(first: tuple[ArrayLike, ArrayLike], second: tuple[ArrayLike, ArrayLike]) -> tuple[float, float]:
    """Two-sample log-rank test of (times, events); the statistic and p.

    The statistic is positive where the first group has more events than expected.
    """
    (time, event), (other_time, other_event) = checked(*first), checked(*second)
    found = stats.logrank(
        stats.CensoredData.right_censored(time, ~event),
        stats.CensoredData.right_censored(other_time, ~other_event),
    )
    return float(found.statistic), float(found.pvalue)


def concordance(
    times: ArrayLike, events: ArrayLike, risk: ArrayLike, *, level: float = 0.95
) -> tuple[float, Interval | None]:
    """Harrell's C-index: how often the patient with the higher risk has the event first.

    A pair counts when the earlier time is an event; equal risks count one half. The interval
    uses the infinitesimal jackknife on the logit scale.

    Parameters
    ----------
    times, events, risk : array-like, shape (n,)
        Higher ``risk`` predicts an earlier event.
    level : float

    Returns
    -------
    tuple of float and Interval or None
        None for the interval where the index is 0 or 1.

    Raises
    ------
    ValueError
        No pair can be ordered.
    """
    time, event = checked(times, events)
    score = np.asarray(risk, dtype=np.float64)
    if score.shape != time.shape or not np.all(np.isfinite(score)):
        raise ValueError("risk must be finite and as long as times")
    agree = np.zeros(time.size)
    usable = np.zeros(time.size)
    for i in np.flatnonzero(event):
        later = (time > time[i]) | ((time == time[i]) & ~event)
        credit = later * (0.5 + 0.5 * np.sign(score[i] - score))
        agree += credit
        agree[i] += credit.sum()
        usable += later
        usable[i] += later.sum()
    pairs = usable.sum()
    if pairs == 0.0:
        raise ValueError("no pair of patients can be ordered")
    index = float(agree.sum() / pairs)
    influence = 2.0 * (agree - index * usable) / pairs
    return index, logit_interval(index, float(np.sqrt(np.sum(influence**2))), level)


def logit_interval(value: float, standard_error: float, level: float) -> Interval | None:
    """Interval of a proportion-like index on the logit scale; None at 0 and 1."""
    if not 0.0 < value < 1.0:
        return None
    reach = stats.norm.ppf(0.5 + level / 2.0) * standard_error / (value * (1.0 - value))
    center = np.log(value / (1.0 - value))
    lower, upper = (float(1.0 / (1.0 + np.exp(-(center + sign * reach)))) for sign in (-1.0, 1.0))
    return Interval(level=level, lower=lower, upper=upper)
