"""How much of the blood a field reaches, relative to a conventional thoracic field, and what lymphocytes are left."""

import numpy as np
from numpy.typing import NDArray

from simulation.tumor.tables import table, values


def course_exposure(dose_per_fraction_gy: float) -> float:
    """Return the default exposure of a fraction of this size: small fields come with large fractions.

    Parameters
    ----------
    dose_per_fraction_gy : float, Gy

    Returns
    -------
    float
        1 for conventional fractions, the stereotactic exposure from its threshold on.
    """
    exposure = table("multi_lesion")["field_exposure"]
    stereotactic = dose_per_fraction_gy >= exposure["stereotactic_from_dose_gy"]
    return float(exposure["stereotactic"] if stereotactic else exposure["conventional"])


def lowest_count(fraction_days: NDArray[np.float64], exposures: NDArray[np.float64]) -> float:
    """Return the lowest relative lymphocyte count of the tumor model: just after a fraction, or 1 before the first.

    Parameters
    ----------
    fraction_days : ndarray, shape (n_fractions,), d
        Not decreasing.
    exposures : ndarray, shape (n_fractions,)
        Relative to a conventional thoracic field.

    Returns
    -------
    float
    """
    p = values("multi_lesion", "parameters")
    count = lowest = 1.0
    for wait, exposure in zip(np.diff(fraction_days, prepend=fraction_days[:1]), exposures, strict=True):
        count = (1.0 - (1.0 - count) * np.exp(-p["kA"] * wait)) * (1.0 - p["lamA"] * exposure)
        lowest = min(lowest, count)
    return float(lowest)


def exposure_for_counts(fraction_days: NDArray[np.float64], counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the exposure of each fraction with which the tumor model's lymphocyte count follows another one.

    The model loses ``lamA`` times the exposure at a fraction and recovers at the rate ``kA`` in between.

    Parameters
    ----------
    fraction_days : ndarray, shape (n_fractions,), d
        Not decreasing.
    counts : ndarray, shape (n_fractions,)
        Relative count to reach just before the next fraction; for the last one, a day after it.

    Returns
    -------
    ndarray, shape (n_fractions,)
        0 where the count would have to rise faster than the model recovers. Of fractions at one time, the last one has
        the exposure of all.
    """
    p = values("multi_lesion", "parameters")
    exposures = np.zeros(fraction_days.size)
    count = 1.0
    for i, wait in enumerate(np.append(np.diff(fraction_days), 1.0)):
        if wait > 0.0:
            recovery = np.exp(p["kA"] * wait)
            after = min(max(1.0 - (1.0 - counts[i]) * recovery, 0.0), count)
            exposures[i] = (1.0 - after / count) / p["lamA"] if count > 0.0 else 0.0
            count = 1.0 - (1.0 - after) / recovery
    return exposures
