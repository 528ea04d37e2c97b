"""How many virtual patients have had an event by each day, with intervals over sampling and over parameter sets.

Patients who leave observation are censored. Weighted by inverse probability of censoring, the share that has had the
event equals one minus the Kaplan-Meier estimate and stays a mean over patients, so plans can be compared in pairs.

References
----------
Robins JM, Finkelstein DM. Biometrics 2000;56:779-788. doi:10.1111/j.0006-341X.2000.00779.x
Reid N. Ann Stat 1981;9:78-92 (what one observation moves the estimate by).
Satten GA, Datta S. Am Stat 2001;55:207-210. doi:10.1198/000313001317098185
Wilson EB. J Am Stat Assoc 1927;22:209-212. doi:10.1080/01621459.1927.10502953
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from simulation.outcome.survival import checked

Floats = NDArray[np.float64]
Groups = NDArray[np.int64]
_FAR_BELOW_ZERO = -1e3
"""Standard errors below zero from which on a variance is zero for certain."""
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Incidence:
    """Share of patients with the event by each day, with its interval; arrays of shape (n_days,)."""

    probability: Floats
    lower: Floats
    upper: Floats


def censoring_weights(times: ArrayLike, events: ArrayLike) -> Floats:
    """Return one over the probability of still being observed just before each event; 0 without an event.

    Parameters
    ----------
    times : array-like, shape (n,), any unit of time
        Time of the event or of censoring, >= 0. At one time, events come before censorings.
    events : array-like of bool, shape (n,)

    Returns
    -------
    ndarray, shape (n,)
    """
    time, event = checked(times, events)
    distinct, place = np.unique(time, return_inverse=True)
    had = np.bincount(place, weights=event, minlength=distinct.size)
    left = np.bincount(place, weights=~event, minlength=distinct.size)
    at_risk = time.size - np.concatenate(([0.0], np.cumsum(had + left)[:-1])) - had
    stay = 1.0 - np.divide(left, at_risk, out=np.zeros_like(left), where=at_risk > 0.0)
    observed = np.concatenate(([1.0], np.cumprod(stay)[:-1]))
    weights: Floats = np.divide(1.0, observed[place], out=np.zeros(time.size), where=event)
    return weights


def cumulative_incidence(
    time: Floats, event: Flags, group: Groups, days: ArrayLike, *, level: float = 0.9
) -> Incidence:
    r"""Return one minus the Kaplan-Meier estimate on each day, with limits over sampling and over parameter sets.

    Patient :math:`i` moves the estimate by :math:`\varphi_i / n`,

    .. math::
        \varphi_i(t) = S(t) \left[\frac{n\,1\{T_i \le t, \text{event}\}}{Y(T_i) - d(T_i)}
        - \sum_{s \le \min(T_i, t)} \frac{n\,d(s)}{Y(s)\,(Y(s) - d(s))}\right],

    whose mean square gives the sampling variance (without censoring that of a share), and whose variance between
    groups, freed of its sampling part, is added. The interval is Wilson's for the number of patients that has the
    same total variance. Where a limit falls with time, the lower one is brought down before the fall and the upper
    one is kept up after it: a cumulative curve never falls, and no interval becomes narrower than that of its day.

    Parameters
    ----------
    time : ndarray, shape (n,), d
        Time of the event or of the end of observation, >= 0; infinite where nothing happens up to the last day.
    event : ndarray of bool, shape (n,)
    group : ndarray of int, shape (n,)
        Parameter set of each patient; all equal where there is one.
    days : array-like, shape (n_days,), d
        Increasing.
    level : float

    Returns
    -------
    Incidence
    """
    at = np.asarray(days, dtype=np.float64)
    n = time.size
    distinct, place = np.unique(time, return_inverse=True)
    had = np.bincount(place, weights=event, minlength=distinct.size)
    at_risk = n - np.concatenate(([0.0], np.cumsum(np.bincount(place, minlength=distinct.size))[:-1]))
    stay = at_risk - had
    jump = np.divide(n, stay, out=np.zeros_like(stay), where=stay > 0.0)
    drift = np.cumsum(jump * had / at_risk)
    step = np.searchsorted(distinct, at, side="right")
    survival = np.concatenate(([1.0], np.cumprod(stay / at_risk)))[step]
    still = np.concatenate(([0.0], drift))[step]

    labels, index = np.unique(group, return_inverse=True)
    counts = np.bincount(index).astype(np.float64)
    cell = index * (at.size + 1) + np.searchsorted(at, time, side="left")
    cells = labels.size * (at.size + 1)
    settled = jump[place] * event - drift[place]
    gone, first, second = (
        np.cumsum(_sums(cell, values, cells).reshape(labels.size, -1), axis=1)[:, :-1]
        for values in (np.ones(n), settled, settled**2)
    )
    left = counts[:, None] - gone
    first = survival * (first - still * left)
    second = survival**2 * (second + still**2 * left)
    variance = second.sum(axis=0) / n**2 + between_variance(first, second, counts)
    share = 1.0 - survival
    lower, upper = wilson(share, _effective_patients(share, variance, n), level)
    return Incidence(
        probability=share,
        lower=np.minimum.accumulate(lower[::-1])[::-1],
        upper=np.maximum.accumulate(upper),
    )


def _effective_patients(share: Floats, variance: Floats, n: int) -> Floats:
    """Return how many patients have this variance; where none is left to tell, as many as before."""
    found = np.divide(share * (1.0 - share), variance, out=np.full(share.size, float(n)), where=variance > 0.0)
    last = np.maximum.accumulate(np.where(variance > 0.0, np.arange(share.size), 0))
    return np.asarray(np.clip(found[last], min(2.0, n), float(n)))


def variance_between_groups(values: Floats, group: Groups) -> float:
    """Return :func:`between_variance` of one value a patient.

    Parameters
    ----------
    values : ndarray, shape (n,)
    group : ndarray of int, shape (n,)

    Returns
    -------
    float
    """
    labels, index = np.unique(group, return_inverse=True)
    first, second = (_sums(index, power, labels.size)[:, None] for power in (values, values * values))
    return float(between_variance(first, second, np.bincount(index).astype(np.float64))[0])


@cache
def _two_sided(level: float) -> float:
    return float(stats.norm.ppf(0.5 + level / 2.0))


def _sums(cell: Groups, values: Floats, cells: int) -> Floats:
    return np.asarray(np.bincount(cell, weights=values, minlength=cells), dtype=np.float64)


def wilson(share: Floats, n: Floats, level: float) -> tuple[Floats, Floats]:
    """Return Wilson's score limits of shares among ``n`` patients each; ``n`` need not be whole.

    Parameters
    ----------
    share : ndarray, shape (k,)
    n : ndarray, shape (k,)
    level : float

    Returns
    -------
    tuple of ndarray, shape (k,) each
    """
    z = _two_sided(level)
    middle = (share + z * z / (2.0 * n)) / (1.0 + z * z / n)
    half = z * np.sqrt(share * (1.0 - share) / n + z * z / (4.0 * n * n)) / (1.0 + z * z / n)
    return np.minimum(np.maximum(middle - half, 0.0), share), np.maximum(np.minimum(middle + half, 1.0), share)


def between_variance(total: Floats, total_of_squares: Floats, counts: Floats) -> Floats:
    """Return the variance of the group means beyond sampling: the mean covariance of two patients of one group.

    The mean covariance falls below zero by chance where groups are small, which does not show that the groups agree.
    Returned is therefore its expectation under a normal likelihood, given that a variance is not negative.

    Parameters
    ----------
    total, total_of_squares : ndarray, shape (n_groups, k)
        Sums over the patients of each group.
    counts : ndarray, shape (n_groups,)
        Patients in each group.

    Returns
    -------
    ndarray, shape (k,)
        0 with fewer than two groups, with one patient in each, or where all patients are alike.
    """
    pairs = float((counts * (counts - 1.0)).sum())
    if counts.size < 2 or pairs == 0.0:
        return np.zeros(total.shape[1])
    grand = total.sum(axis=0) / counts.sum()
    apart = total - counts[:, None] * grand
    own = total_of_squares - 2.0 * grand * total + counts[:, None] * grand**2
    shared = apart**2 - own
    found = shared.sum(axis=0) / pairs
    error = np.sqrt(shared.var(axis=0, ddof=1) * counts.size) / pairs
    known = np.maximum(np.divide(found, error, out=np.zeros_like(found), where=error > 0.0), _FAR_BELOW_ZERO)
    beyond = np.exp(stats.norm.logpdf(known) - stats.norm.logcdf(known))
    return np.asarray(np.maximum(0.0, found + error * beyond))
