"""Survival from tumor growth: the log-normal link of Struemper 2025.

References
----------
Struemper H et al. 2025, joint model of tumor size and survival in NSCLC (n = 786); coefficients in ``data/tgi.toml``.
"""

import numpy as np
from numpy.typing import NDArray

from simulation.tumor.tables import struemper_survival

Array = NDArray[np.float64]
REGROWTH_WEEKS = 24
SMALLEST_SUM_MM = 1.0


def death_day(
    growth_per_week: Array,
    time_to_growth_weeks: Array,
    baseline_mm: Array,
    standard_normal: Array,
    *,
    albumin_g_per_l: float | None = None,
    neutrophil_lymphocyte_ratio: float | None = None,
) -> Array:
    """Return the day of death of each virtual patient by the published link, which knows the whole course.

    Parameters
    ----------
    growth_per_week : ndarray, shape (n,)
        Growth rate of the sum of diameters.
    time_to_growth_weeks : ndarray, shape (n,)
        When the sum of diameters is smallest.
    baseline_mm : ndarray, shape (n,)
        Sum of diameters at the start.
    standard_normal : ndarray, shape (n,)
        The patient's draw.
    albumin_g_per_l, neutrophil_lymphocyte_ratio : float, optional
        The derivation cohort's median when unknown.

    Returns
    -------
    ndarray, shape (n,), d
    """
    c = struemper_survival()
    own_time = _own_time(baseline_mm, standard_normal, albumin_g_per_l, neutrophil_lymphocyte_ratio)
    longer = c["time_to_growth_per_week"] * (time_to_growth_weeks - c["time_to_growth_weeks"])
    shorter = c["growth_max"] * growth_per_week / (growth_per_week + c["growth_half_per_week"])
    return np.asarray(own_time * np.exp(longer - shorter))


def death_after_start(untreated: Array, treated: Array, start_day: float | None) -> Array:
    """Return the day of death where treatment starts later than the simulation.

    Until then nobody lives longer for a treatment to come; the share of life that is left afterwards is lived at the
    pace of the treated.

    Parameters
    ----------
    untreated, treated : ndarray, shape (n,), d
        Day of death without treatment, and with treatment from day 0 on.
    start_day : float or None
        First day of treatment; None without any.

    Returns
    -------
    ndarray, shape (n,), d
    """
    if start_day is None:
        return untreated
    left = np.maximum(1.0 - start_day / untreated, 0.0)
    return np.where(untreated <= start_day, untreated, start_day + left * treated)


def death_day_along(
    sum_mm: Array,
    week: Array,
    standard_normal: Array,
    *,
    albumin_g_per_l: float | None = None,
    neutrophil_lymphocyte_ratio: float | None = None,
    smallest_mm: float = SMALLEST_SUM_MM,
) -> Array:
    """Return the day of death of each virtual patient along a course that later treatment may change.

    The published link knows growth rate and time to growth of the whole course; the chance of dying today cannot
    depend on them. Here the time of the link runs, week by week, at the pace of what has been seen so far (accelerated
    failure time with covariates that change): at one while the sum of diameters is at its nadir, and at that of the
    published link from regrowth on, with the nadir so far as time to growth, and the mean log growth rate since then
    or over the last 24 weeks.

    Parameters
    ----------
    sum_mm : ndarray, shape (n, n_weeks)
        Sum of diameters on a weekly grid that begins on day 0.
    week : ndarray, shape (n_weeks,)
    standard_normal : ndarray, shape (n,)
        The patient's draw.
    albumin_g_per_l, neutrophil_lymphocyte_ratio : float, optional
        The derivation cohort's median when unknown.
    smallest_mm : float
        Sum of diameters when every lesion is too small to measure. Growth below it is not growth of the sum.

    Returns
    -------
    ndarray, shape (n,), d
        Infinite where death does not come before the last week.
    """
    c = struemper_survival()
    own_time = _own_time(sum_mm[:, 0], standard_normal, albumin_g_per_l, neutrophil_lymphocyte_ratio)
    log_sum = np.log(np.maximum(sum_mm, smallest_mm))
    at = np.arange(week.size)
    nadir = np.maximum.accumulate(np.where(log_sum <= np.minimum.accumulate(log_sum, axis=1), at, 0), axis=1)
    since = np.maximum(nadir, at - REGROWTH_WEEKS)
    span = np.maximum(week - week[since], 1.0)
    growth = np.maximum((log_sum - np.take_along_axis(log_sum, since, axis=1)) / span, 0.0)
    longer = c["time_to_growth_per_week"] * (week[nadir] - c["time_to_growth_weeks"])
    shorter = c["growth_max"] * growth / (growth + c["growth_half_per_week"])
    pace = np.where(nadir < at, np.exp(shorter - longer), 1.0)
    passed = np.zeros_like(log_sum)
    np.cumsum(pace[:, :-1] * np.diff(7.0 * week), axis=1, out=passed[:, 1:])
    dead = passed >= own_time[:, None]
    last = np.maximum(dead.argmax(axis=1) - 1, 0)
    rows = np.arange(log_sum.shape[0])
    day = 7.0 * week[last] + (own_time - passed[rows, last]) / pace[rows, last]
    return np.asarray(np.where(dead.any(axis=1), day, np.inf))


def _own_time(
    baseline_mm: Array, standard_normal: Array, albumin_g_per_l: float | None, neutrophil_lymphocyte_ratio: float | None
) -> Array:
    """Return the survival of a patient without growth, at the reference time to growth, in days."""
    c = struemper_survival()
    location = c["intercept"] - c["baseline_per_mm"] * (baseline_mm - c["baseline_mm"])
    if albumin_g_per_l is not None:
        location = location + c["albumin_per_g_per_l"] * (albumin_g_per_l - c["albumin_g_per_l"])
    if neutrophil_lymphocyte_ratio is not None:
        location = location - c["nlr_per_unit"] * (neutrophil_lymphocyte_ratio - c["nlr"])
    return np.asarray(np.exp(location + np.exp(c["log_sigma"]) * standard_normal))
