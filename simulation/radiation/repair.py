"""Incomplete repair of sublethal damage between fractions of one day."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, log

import numpy as np
from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class RepairComponent:
    """One exponential component of repair; the weights of a tissue sum to 1."""

    half_time_hours: float
    weight: float = 1.0


def unrepaired_fraction(elapsed_hours: ArrayLike, repair: Sequence[RepairComponent]) -> NDArray[np.float64]:
    """Share of the sublethal damage that is still there.

    Parameters
    ----------
    elapsed_hours : array-like, h
        Time since the damage, >= 0.
    repair : sequence of RepairComponent
        Repair kinetics; empty means complete repair at once.

    Returns
    -------
    ndarray
        1 right after the fraction, falling to 0.
    """
    elapsed = np.asarray(elapsed_hours, dtype=np.float64)
    left = np.zeros_like(elapsed)
    for part in repair:
        left += part.weight * np.exp2(-elapsed / part.half_time_hours)
    return left


def incomplete_repair_factor(fractions_per_day: int, interval_hours: float, half_time_hours: float) -> float:
    r"""Thames' factor :math:`h_m` for equal fractions at equal intervals within a day.

    With it the BED of a day becomes :math:`D[1 + (1 + h_m) d/(\alpha/\beta)]`; repair overnight is taken
    as complete.

    Parameters
    ----------
    fractions_per_day : int
        Fractions in the day, >= 1.
    interval_hours : float, h
        Time between two of them.
    half_time_hours : float, h
        Half-time of repair.

    Returns
    -------
    float
        0 for one fraction or complete repair, up to ``fractions_per_day - 1`` for none.

    References
    ----------
    Thames HD. An incomplete-repair model for survival after fractionated and continuous irradiations.
    Int J Radiat Biol 1985;47:319-339. doi:10.1080/09553008514550461
    """
    if fractions_per_day < 1 or interval_hours < 0 or half_time_hours <= 0:
        raise ValueError("need fractions_per_day >= 1, interval_hours >= 0 and half_time_hours > 0")
    remaining = exp(-log(2.0) * interval_hours / half_time_hours)
    pairs = sum((fractions_per_day - lag) * remaining**lag for lag in range(1, fractions_per_day))
    return 2.0 * pairs / fractions_per_day


def same_day_interaction(
    day: NDArray[np.float64],
    hour: NDArray[np.float64],
    weighted_dose: NDArray[np.float64],
    repair: Sequence[RepairComponent],
) -> NDArray[np.float64]:
    r"""Return what each fraction adds to the quadratic term through damage left by others of its day.

    Parameters
    ----------
    day : ndarray, shape (n_fractions,), d
        Treatment day of each fraction.
    hour : ndarray, shape (n_fractions,), h
        Time within the day.
    weighted_dose : ndarray, shape (n_fractions,), Gy**0.5
        :math:`d_i/\sqrt{(\alpha/\beta)_i}` of each fraction.
    repair : sequence of RepairComponent
        Repair kinetics; empty means complete repair.

    Returns
    -------
    ndarray, shape (n_fractions,), Gy
        :math:`\sum_{j \ne i} x_i x_j \varphi(|t_i - t_j|)` over the fractions of the same day. For equal
        fractions the sum over a day is :math:`h_m D d/(\alpha/\beta)`.
    """
    extra = np.zeros_like(weighted_dose)
    if not repair:
        return extra
    for treatment_day in np.unique(day):
        members = np.flatnonzero(day == treatment_day)
        if len(members) < 2:
            continue
        gap = np.abs(hour[members][:, None] - hour[members][None, :])
        left = unrepaired_fraction(gap, repair)
        np.fill_diagonal(left, 0.0)
        x = weighted_dose[members]
        extra[members] = x * (left @ x)
    return extra
