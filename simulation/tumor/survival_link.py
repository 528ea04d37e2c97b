"""Survival from tumor growth: the log-normal link of Struemper 2025.

References
----------
Struemper H et al. 2025, joint model of tumor size and survival in NSCLC (n = 786); coefficients in ``data/tgi.toml``.
"""

import numpy as np
from numpy.typing import NDArray

from simulation.tumor.tables import struemper_survival

Array = NDArray[np.float64]
WINDOW_DAYS = 728.0
"""Growth is read from the two years after the start, whatever the horizon asked for."""
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
    growth_starts_day: Array | None = None,
) -> Array:
    """Return the day of death of each virtual patient.

    The published link takes growth as present from the start. Where regrowth begins later, it can act from then on
    only: time runs at the pace of a patient without growth until ``growth_starts_day`` and at the pace of the growing
    tumor afterwards (accelerated failure time with a covariate that changes once).

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
    growth_starts_day : ndarray, shape (n,), optional
        When the tumor starts to grow again; the start, when left out.

    Returns
    -------
    ndarray, shape (n,), d
    """
    c = struemper_survival()
    location = (
        c["intercept"]
        - c["baseline_per_mm"] * (baseline_mm - c["baseline_mm"])
        + c["time_to_growth_per_week"] * (time_to_growth_weeks - c["time_to_growth_weeks"])
    )
    if albumin_g_per_l is not None:
        location = location + c["albumin_per_g_per_l"] * (albumin_g_per_l - c["albumin_g_per_l"])
    if neutrophil_lymphocyte_ratio is not None:
        location = location - c["nlr_per_unit"] * (neutrophil_lymphocyte_ratio - c["nlr"])
    quiet = np.exp(location + np.exp(c["log_sigma"]) * standard_normal)
    pace = np.exp(-c["growth_max"] * growth_per_week / (growth_per_week + c["growth_half_per_week"]))
    start = 0.0 if growth_starts_day is None else growth_starts_day
    return np.asarray(np.where(quiet <= start, quiet, start + (quiet - start) * pace))


def growth_after_nadir(sum_mm: Array, week: Array, *, smallest_mm: float = SMALLEST_SUM_MM) -> tuple[Array, Array]:
    """Read regrowth from trajectories of the sum of diameters, as far as scans can measure it.

    The link was estimated on measured sums, in which a lesion too small to measure counts a few millimeters. Growth
    below that size is not growth of the sum, and the nadir of a sum that stays there is its last week there.

    Parameters
    ----------
    sum_mm : ndarray, shape (n, n_weeks)
        On a weekly grid.
    week : ndarray, shape (n_weeks,)
    smallest_mm : float
        Sum of diameters when every lesion is too small to measure.

    Returns
    -------
    growth_per_week, time_to_growth_weeks : ndarray, shape (n,)
        Mean log growth rate over the 24 weeks after the nadir (0 where the nadir is the last point), and the time of
        the nadir.
    """
    log_sum = np.log(np.maximum(sum_mm, smallest_mm))
    nadir = week.size - 1 - log_sum[:, ::-1].argmin(axis=1)
    later = np.minimum(nadir + REGROWTH_WEEKS, week.size - 1)
    rows = np.arange(log_sum.shape[0])
    span = np.maximum(week[later] - week[nadir], 1.0)
    growth = (log_sum[rows, later] - log_sum[rows, nadir]) / span
    return np.maximum(growth, 0.0), week[nadir]
