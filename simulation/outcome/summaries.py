"""Rates with intervals and the endpoints of many virtual patients at once.

Arrays of virtual patients are shaped (patient, lesion, time); the first time is baseline.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from simulation.model import Interval
from simulation.outcome import thresholds as limit

Floats = NDArray[np.float64]
Codes = NDArray[np.int8]
Flags = NDArray[np.bool_]

CATEGORIES: Final = ("CR", "PR", "SD", "PD", "NE")
CR, PR, SD, PD, NE = (np.int8(code) for code in range(5))
"""Codes of the categories in integer arrays, in the order of ``CATEGORIES``."""


@lru_cache(maxsize=4096)
def proportion_interval(
    hits: int, n: int, *, level: float = 0.95, method: Literal["wilson", "exact"] = "wilson"
) -> Interval:
    """Interval of a proportion, Wilson's score or Clopper and Pearson's exact one.

    Parameters
    ----------
    hits, n : int
        Patients with the outcome among all.
    level : float
    method : {"wilson", "exact"}

    Returns
    -------
    Interval
    """
    found = stats.binomtest(hits, n).proportion_ci(level, method)
    return Interval(level=level, lower=float(found.low), upper=float(found.high))


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseRates:
    """Objective response and disease control among all patients, those not evaluable included."""

    n: int
    objective_response: float
    objective_response_interval: Interval
    disease_control: float
    disease_control_interval: Interval


def response_rates(
    codes: ArrayLike, *, level: float = 0.95, method: Literal["wilson", "exact"] = "wilson"
) -> ResponseRates:
    """Rates from the best responses of a group.

    Parameters
    ----------
    codes : array-like of int, shape (n,)
        Best response of every patient, coded as in ``CATEGORIES``.
    level : float
    method : {"wilson", "exact"}

    Returns
    -------
    ResponseRates
    """
    code = np.asarray(codes)
    n = code.size
    if n == 0:
        raise ValueError("a rate needs at least one patient")
    responders = int(np.count_nonzero(code <= PR))
    controlled = int(np.count_nonzero(code <= SD))
    return ResponseRates(
        n=n,
        objective_response=responders / n,
        objective_response_interval=proportion_interval(responders, n, level=level, method=method),
        disease_control=controlled / n,
        disease_control_interval=proportion_interval(controlled, n, level=level, method=method),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class CohortResponse:
    """RECIST endpoints of n virtual patients.

    ``best_response`` holds codes; ``pfs_day`` is the first progression or the last visit,
    ``progressed`` tells which; ``response_day`` is the first day of a partial or complete response,
    ``first_response_day`` that of the best one; ``best_change`` is the smallest relative change of the target
    sum up to progression (0 is baseline, -1 gone).
    """

    best_response: Codes
    response_day: Floats
    first_response_day: Floats
    pfs_day: Floats
    progressed: NDArray[np.bool_]
    best_change: Floats


def cohort_response(
    diameter_mm: ArrayLike,
    day: ArrayLike,
    *,
    target: ArrayLike | None = None,
    non_target: ArrayLike | None = None,
    node: ArrayLike | None = None,
    new_lesion: ArrayLike | None = None,
    last_day: ArrayLike | None = None,
    confirmation_required: bool = False,
    confirmation_days: float = limit.CONFIRMATION_DAYS,
    stable_disease_days: float = limit.STABLE_DISEASE_DAYS,
) -> CohortResponse:
    """RECIST 1.1 for many virtual patients.

    A lesion of diameter 0 is gone, a lymph node below its normal size too; after a complete response any disease seen
    again is progression. Agrees visit by visit with :mod:`simulation.outcome.recist` for targets that are always
    evaluable, with non-target disease judged as :func:`non_target_progression` does.

    Parameters
    ----------
    diameter_mm : array-like, shape (n, lesion, time), mm
        Longest diameters, of lymph nodes the short axis; time 0 is baseline.
    day : array-like, shape (time,), d
        Days of the visits, increasing; day[0] is the start.
    target : array-like of bool, shape (n, lesion) or (lesion,), optional
        Lesions that are summed; all, when left out. Without any, a patient is not evaluable before progression.
    non_target : array-like of bool, shape (n, lesion) or (lesion,), optional
        Lesions followed without being summed; none, when left out. Lesions that are neither do not count.
    node : array-like of bool, shape (lesion,), optional
        Lymph nodes; none, when left out.
    new_lesion : array-like of bool, shape (n, time), optional
        A new lesion is seen at this visit.
    last_day : array-like, shape (n,), d, optional
        Death or end of observation: later visits do not take place.
    confirmation_required : bool
        Responses count only when seen again after ``confirmation_days``.
    confirmation_days, stable_disease_days : float, d

    Returns
    -------
    CohortResponse
        The days of response are NaN without a (confirmed, where required) response.
    """
    sizes = np.asarray(diameter_mm, dtype=np.float64)
    days = np.asarray(day, dtype=np.float64)
    if sizes.ndim != 3 or sizes.shape[2] != days.size or days.size < 1:
        raise ValueError("diameter_mm must be (patient, lesion, time) with one day for every time")
    summed = _lesions(target, sizes, default=True)
    followed = _lesions(non_target, sizes, default=False)
    present = sizes > 0.0
    if node is not None:
        present &= (sizes >= limit.NORMAL_NODE_MM) | ~np.asarray(node, dtype=np.bool_)[:, None]
    total = np.einsum("nl,nlt->nt", summed.astype(np.float64), sizes)
    left = _any_lesion(present, summed)
    codes = visit_responses(total, left)
    codes[~summed.any(axis=1)] = NE
    disease = left
    if followed.any():
        persists = _any_lesion(present, followed)
        disease = left | persists
        codes[(codes == CR) & persists] = PR
        codes[non_target_progression(sizes, summed, followed)] = PD
    if new_lesion is not None:
        codes[np.asarray(new_lesion, dtype=np.bool_)[:, 1:]] = PD
    complete_before = np.logical_or.accumulate(codes == CR, axis=1)[:, :-1]
    codes[:, 1:][complete_before & disease[:, 1:]] = PD

    rows = np.arange(total.shape[0])
    visits = days[1:]
    done = np.full(rows.size, visits.size)
    if last_day is not None:
        done = np.searchsorted(visits, np.asarray(last_day, dtype=np.float64), side="right")
    progresses = (codes == PD) & (np.arange(visits.size) < done[:, None])
    progressed = progresses.any(axis=1)
    end = np.where(progressed, progresses.argmax(axis=1), done) if visits.size else done
    before = np.arange(visits.size) < end[:, None]

    complete = _seen(before & (codes == CR), visits, confirmation_days if confirmation_required else 0.0)
    response = _seen(before & (codes <= PR), visits, confirmation_days if confirmation_required else 0.0)
    stable = (before & (codes <= SD) & (visits - days[0] >= stable_disease_days)).any(axis=1)
    best = np.full(rows.size, NE)
    best[progressed] = PD
    best[stable] = SD
    best[~np.isnan(response)] = PR
    best[~np.isnan(complete)] = CR

    with np.errstate(divide="ignore", invalid="ignore"):
        change = total[:, 1:] / total[:, :1] - 1.0
    counted = np.arange(visits.size) < (end + progressed)[:, None]
    best_change = np.min(np.where(counted, change, np.inf), axis=1, initial=np.inf)
    return CohortResponse(
        best_response=best,
        response_day=response,
        first_response_day=np.where(best == CR, complete, response),
        pfs_day=days[end + progressed],
        progressed=progressed,
        best_change=np.where(np.isfinite(best_change), best_change, np.nan),
    )


def visit_responses(target_sum_mm: Floats, left: Flags) -> Codes:
    """Category at every visit after baseline from the targets alone.

    Parameters
    ----------
    target_sum_mm : ndarray, shape (n, time), mm
    left : ndarray of bool, shape (n, time - 1)
        Some target is not gone.

    Returns
    -------
    ndarray of int8, shape (n, time - 1)
    """
    baseline = target_sum_mm[:, :1]
    current = target_sum_mm[:, 1:]
    codes = np.full(current.shape, SD)
    codes[current <= (1.0 - limit.RELATIVE_DECREASE) * baseline + limit.ROUNDING_MM] = PR
    codes[_exceeds_nadir(target_sum_mm)] = PD
    codes[~left] = CR
    return codes


def non_target_progression(sizes: Floats, target: Flags, non_target: Flags) -> Flags:
    """Unequivocal progression of non-target disease at every visit after baseline.

    RECIST 1.1 leaves it to the reader, who should see the overall burden rise by about 73 % in volume, as much as a
    target does that gains 20 % in diameter. Here the sum of the non-target diameters must be 20 % and 5 mm above its
    nadir, and the volume of all lesions, taken as spheres, that much above its own: modest growth beside shrinking
    targets is not progression.

    Parameters
    ----------
    sizes : ndarray, shape (n, lesion, time), mm
    target, non_target : ndarray of bool, shape (n, lesion)

    Returns
    -------
    ndarray of bool, shape (n, time - 1)
    """
    beside = np.einsum("nl,nlt->nt", non_target.astype(np.float64), sizes)
    burden = np.einsum("nl,nlt->nt", (target | non_target).astype(np.float64), sizes * sizes * sizes)
    least = np.minimum.accumulate(burden, axis=1)[:, :-1]
    return np.asarray(_exceeds_nadir(beside) & (burden[:, 1:] >= (1.0 + limit.RELATIVE_INCREASE) ** 3 * least))


def _exceeds_nadir(sum_mm: Floats) -> Flags:
    """Tell where the sum is both 20 % and 5 mm above its nadir so far, shape (n, time - 1)."""
    nadir = np.minimum.accumulate(sum_mm, axis=1)[:, :-1]
    increase = sum_mm[:, 1:] - nadir + limit.ROUNDING_MM
    return np.asarray((increase >= limit.RELATIVE_INCREASE * nadir) & (increase >= limit.ABSOLUTE_INCREASE_MM))


def _any_lesion(present: Flags, lesions: Flags) -> Flags:
    """Tell where one of the lesions of a patient is present, shape (n, time - 1)."""
    return np.asarray(np.any(present[:, :, 1:] & lesions[:, :, None], axis=1))


def _lesions(chosen: ArrayLike | None, sizes: Floats, *, default: bool) -> Flags:
    flags = np.asarray(default if chosen is None else chosen, dtype=np.bool_)
    return np.broadcast_to(flags, sizes.shape[:2])


def _seen(shown: NDArray[np.bool_], visits: Floats, apart_days: float) -> Floats:
    """First day on which each row is True, NaN unless the last such day is far enough from it."""
    if not visits.size:
        return np.full(shown.shape[0], np.nan)
    first = visits[shown.argmax(axis=1)]
    last = visits[visits.size - 1 - shown[:, ::-1].argmax(axis=1)]
    return np.where(shown.any(axis=1) & (last - first >= apart_days), first, np.nan)


def quantile_bands(
    values: ArrayLike, levels: tuple[float, ...] = (0.5, 0.9)
) -> tuple[Floats, tuple[tuple[float, Floats, Floats], ...]]:
    """Median over patients at every time and central bands of these coverages.

    Parameters
    ----------
    values : array-like, shape (n, time)
    levels : tuple of float

    Returns
    -------
    median : ndarray, shape (time,)
    bands : tuple of (level, lower, upper), each ndarray of shape (time,)
    """
    data = np.asarray(values, dtype=np.float64)
    asked = [0.5, *(0.5 + side * level / 2.0 for level in levels for side in (-1.0, 1.0))]
    found = np.quantile(data, asked, axis=0)
    bands = tuple((level, found[1 + 2 * i], found[2 + 2 * i]) for i, level in enumerate(levels))
    return found[0], bands


def waterfall_order(best_change: ArrayLike) -> NDArray[np.intp]:
    """Order of the bars: largest increase first, patients without a value left out."""
    change = np.asarray(best_change, dtype=np.float64)
    order = np.argsort(-change, kind="stable")
    return order[~np.isnan(change[order])]
