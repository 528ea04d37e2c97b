r"""The linear-quadratic family: biologically effective dose and cell survival per fraction.

Every dose-rate, repair or proliferation effect lives in its own module; the functions here take
fractions as instantaneous and completely repaired.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

LQ_VALID_TO_GY = 10.0
"""Dose per fraction up to which the linear-quadratic form is accepted without a second opinion.

Brenner DJ. The linear-quadratic model is an appropriate methodology for determining isoeffective doses
at large doses per fraction. Semin Radiat Oncol 2008;18:234-239. doi:10.1016/j.semradonc.2008.04.004
"""


def _doses(dose_per_fraction_gy: ArrayLike) -> NDArray[np.float64]:
    dose = np.asarray(dose_per_fraction_gy, dtype=np.float64)
    if not np.all(np.isfinite(dose)) or np.any(dose < 0):
        raise ValueError("doses must be finite and >= 0 Gy")
    return dose


def _positive(name: str, value: ArrayLike) -> NDArray[np.float64]:
    checked = np.asarray(value, dtype=np.float64)
    if np.any(np.isnan(checked)) or np.any(checked <= 0):
        raise ValueError(f"{name} must be > 0")
    return checked


def fraction_bed_gy(dose_per_fraction_gy: ArrayLike, alpha_beta_gy: ArrayLike) -> NDArray[np.float64]:
    r"""Biologically effective dose of each fraction, :math:`d(1 + d/(\alpha/\beta))`.

    Parameters
    ----------
    dose_per_fraction_gy : array-like, Gy
        Dose of each fraction, >= 0.
    alpha_beta_gy : array-like, Gy
        Ratio alpha/beta, > 0, broadcast against the doses; infinity gives the physical dose.

    Returns
    -------
    ndarray, Gy
        BED of each fraction; sum it over the fractions of a course.

    References
    ----------
    Fowler JF. The linear-quadratic formula and progress in fractionated radiotherapy.
    Br J Radiol 1989;62:679-694. doi:10.1259/0007-1285-62-740-679
    """
    dose = _doses(dose_per_fraction_gy)
    return dose * (1.0 + dose / _positive("alpha_beta_gy", alpha_beta_gy))


def bed_gy(total_dose_gy: ArrayLike, fraction_count: ArrayLike, alpha_beta_gy: ArrayLike) -> NDArray[np.float64]:
    """Biologically effective dose of equal fractions.

    Parameters
    ----------
    total_dose_gy : array-like, Gy
        Total dose of each voxel or bin, >= 0; its dose per fraction is ``total_dose_gy / fraction_count``.
    fraction_count : array-like
        Number of fractions, > 0.
    alpha_beta_gy : array-like, Gy
        Ratio alpha/beta, > 0.

    Returns
    -------
    ndarray, Gy
        BED of each voxel or bin.
    """
    count = _positive("fraction_count", fraction_count)
    return count * fraction_bed_gy(_doses(total_dose_gy) / count, alpha_beta_gy)


def equivalent_dose_gy(
    bed: ArrayLike, alpha_beta_gy: ArrayLike, *, reference_dose_per_fraction_gy: float = 2.0
) -> NDArray[np.float64]:
    """Total dose in fractions of a reference size that has this BED; EQD2 by default.

    Parameters
    ----------
    bed : array-like, Gy
        Biologically effective dose.
    alpha_beta_gy : array-like, Gy
        Ratio alpha/beta, > 0, the one the BED was computed with.
    reference_dose_per_fraction_gy : float, Gy
        Size of the reference fractions.

    Returns
    -------
    ndarray, Gy
        Equivalent total dose.
    """
    return np.asarray(bed, dtype=np.float64) / (
        1.0 + reference_dose_per_fraction_gy / _positive("alpha_beta_gy", alpha_beta_gy)
    )


def eqd2_gy(total_dose_gy: ArrayLike, fraction_count: ArrayLike, alpha_beta_gy: ArrayLike) -> NDArray[np.float64]:
    """Equivalent total dose in 2 Gy fractions of equal fractions, voxel by voxel or bin by bin.

    Parameters
    ----------
    total_dose_gy : array-like, Gy
        Total dose of each voxel or bin.
    fraction_count : array-like
        Number of fractions, > 0.
    alpha_beta_gy : array-like, Gy
        Ratio alpha/beta, > 0.

    Returns
    -------
    ndarray, Gy
        EQD2 of each voxel or bin.
    """
    return equivalent_dose_gy(bed_gy(total_dose_gy, fraction_count, alpha_beta_gy), alpha_beta_gy)


def isoeffective_dose_gy(
    total_dose_gy: float, dose_per_fraction_gy: float, new_dose_per_fraction_gy: float, alpha_beta_gy: float
) -> float:
    """Total dose in fractions of another size with the same effect.

    Parameters
    ----------
    total_dose_gy, dose_per_fraction_gy : float, Gy
        The course that is replaced.
    new_dose_per_fraction_gy : float, Gy
        Fraction size of the new course.
    alpha_beta_gy : float, Gy
        Ratio alpha/beta, > 0.

    Returns
    -------
    float, Gy
        Total dose of the new course.
    """
    _positive("alpha_beta_gy", alpha_beta_gy)
    return total_dose_gy * (dose_per_fraction_gy + alpha_beta_gy) / (new_dose_per_fraction_gy + alpha_beta_gy)


def dose_per_fraction_for_bed_gy(bed: float, fraction_count: float, alpha_beta_gy: float) -> float:
    """Dose per fraction that reaches a BED in a given number of equal fractions.

    Parameters
    ----------
    bed : float, Gy
        BED to reach, >= 0.
    fraction_count : float
        Number of fractions, > 0.
    alpha_beta_gy : float, Gy
        Ratio alpha/beta, > 0.

    Returns
    -------
    float, Gy
        The positive root of ``n d (1 + d / (alpha/beta)) = bed``.
    """
    if bed < 0:
        raise ValueError("bed must be >= 0")
    _positive("fraction_count", fraction_count)
    _positive("alpha_beta_gy", alpha_beta_gy)
    per_fraction = bed / fraction_count
    return 2.0 * per_fraction / (1.0 + float(np.sqrt(1.0 + 4.0 * per_fraction / alpha_beta_gy)))


def dose_in_fractions_gy(
    total_dose_gy: ArrayLike, fraction_count: float, new_fraction_count: float, alpha_beta_gy: float
) -> NDArray[np.float64]:
    """Total dose in another number of equal fractions with the same BED, voxel by voxel.

    Parameters
    ----------
    total_dose_gy : array-like, Gy
        Total dose of each voxel or bin, given in ``fraction_count`` fractions.
    fraction_count, new_fraction_count : float
        Old and new number of fractions, > 0.
    alpha_beta_gy : float, Gy
        Ratio alpha/beta, > 0.

    Returns
    -------
    ndarray, Gy
        Total dose of each voxel or bin in the new number of fractions.
    """
    _positive("new_fraction_count", new_fraction_count)
    per_fraction = bed_gy(total_dose_gy, fraction_count, alpha_beta_gy) / new_fraction_count
    return new_fraction_count * 2.0 * per_fraction / (1.0 + np.sqrt(1.0 + 4.0 * per_fraction / alpha_beta_gy))


def log_survival(dose_per_fraction_gy: ArrayLike, *, alpha_per_gy: float, alpha_beta_gy: float) -> float:
    r"""Natural log of the surviving fraction after all fractions.

    Parameters
    ----------
    dose_per_fraction_gy : array-like, shape (n_fractions,), Gy
        Dose of each fraction.
    alpha_per_gy : float, 1/Gy
        Linear coefficient.
    alpha_beta_gy : float, Gy
        Ratio alpha/beta, > 0.

    Returns
    -------
    float
        :math:`-\alpha \sum_k d_k (1 + d_k/(\alpha/\beta))`, never positive.
    """
    return -alpha_per_gy * float(np.sum(fraction_bed_gy(dose_per_fraction_gy, alpha_beta_gy)))


def fraction_bed_linear_quadratic_linear_gy(
    dose_per_fraction_gy: ArrayLike, alpha_beta_gy: ArrayLike, transition_dose_gy: ArrayLike
) -> NDArray[np.float64]:
    """BED of each fraction when the survival curve goes on straight above a transition dose (LQ-L).

    The line is the tangent of the linear-quadratic curve at the transition dose.

    Parameters
    ----------
    dose_per_fraction_gy : array-like, Gy
        Dose of each fraction.
    alpha_beta_gy : array-like, Gy
        Ratio alpha/beta, > 0.
    transition_dose_gy : array-like, Gy
        Dose per fraction at which the curve becomes straight; twice alpha/beta is customary.

    Returns
    -------
    ndarray, Gy
        BED of each fraction; equal to the linear-quadratic one up to the transition dose.

    References
    ----------
    Astrahan M. Some implications of linear-quadratic-linear radiation dose-response with regard to
    hypofractionation. Med Phys 2008;35:4161-4172. doi:10.1118/1.2969065
    """
    dose = _doses(dose_per_fraction_gy)
    ratio = _positive("alpha_beta_gy", alpha_beta_gy)
    transition = _positive("transition_dose_gy", transition_dose_gy)
    curved = np.minimum(dose, transition)
    return fraction_bed_gy(curved, ratio) + (1.0 + 2.0 * transition / ratio) * (dose - curved)


def fraction_bed_universal_survival_gy(
    dose_per_fraction_gy: ArrayLike,
    *,
    alpha_per_gy: float,
    alpha_beta_gy: float,
    final_slope_dose_gy: float,
    quasi_threshold_dose_gy: float,
    transition_dose_gy: float,
) -> NDArray[np.float64]:
    r"""BED of each fraction by the universal survival curve: LQ, then the multitarget line.

    Above the transition dose :math:`-\ln S = (d - D_q)/D_0`. The curve has a small step where the
    transition dose is not the one that the other parameters imply.

    Parameters
    ----------
    dose_per_fraction_gy : array-like, Gy
        Dose of each fraction.
    alpha_per_gy : float, 1/Gy
        Linear coefficient.
    alpha_beta_gy : float, Gy
        Ratio alpha/beta, > 0.
    final_slope_dose_gy : float, Gy
        :math:`D_0`, the dose that reduces survival to 1/e on the straight part.
    quasi_threshold_dose_gy : float, Gy
        :math:`D_q`, where the straight part meets full survival.
    transition_dose_gy : float, Gy
        Dose per fraction above which the straight part is used.

    Returns
    -------
    ndarray, Gy
        BED of each fraction.

    References
    ----------
    Park C, Papiez L, Zhang S, Story M, Timmerman RD. Universal survival curve and single fraction
    equivalent dose. Int J Radiat Oncol Biol Phys 2008;70:847-852. doi:10.1016/j.ijrobp.2007.10.059
    """
    dose = _doses(dose_per_fraction_gy)
    straight = (dose - quasi_threshold_dose_gy) / (alpha_per_gy * final_slope_dose_gy)
    return np.where(dose <= transition_dose_gy, fraction_bed_gy(dose, alpha_beta_gy), straight)


def fraction_bed_modified_linear_quadratic_gy(
    dose_per_fraction_gy: ArrayLike, alpha_beta_gy: ArrayLike, *, shift_per_gy: float
) -> NDArray[np.float64]:
    r"""BED of each acute fraction by the modified linear-quadratic model.

    The quadratic term is damped by :math:`G(\delta d)`, :math:`G(x) = 2(x + e^{-x} - 1)/x^2`, so that the
    curve becomes straight at large doses.

    Parameters
    ----------
    dose_per_fraction_gy : array-like, Gy
        Dose of each fraction.
    alpha_beta_gy : array-like, Gy
        Ratio alpha/beta, > 0.
    shift_per_gy : float, 1/Gy
        :math:`\delta`, >= 0; zero is the linear-quadratic model.

    Returns
    -------
    ndarray, Gy
        BED of each fraction.

    References
    ----------
    Guerrero M, Li XA. Extending the linear-quadratic model for large fraction doses pertinent to
    stereotactic radiotherapy. Phys Med Biol 2004;49:4825-4835. doi:10.1088/0031-9155/49/20/012
    """
    dose = _doses(dose_per_fraction_gy)
    damping = lea_catcheside_factor(shift_per_gy * dose)
    return dose * (1.0 + damping * dose / _positive("alpha_beta_gy", alpha_beta_gy))


def lea_catcheside_factor(repair_exponent: ArrayLike) -> NDArray[np.float64]:
    r"""Lea-Catcheside dose protraction factor of a constant dose rate, :math:`2(x + e^{-x} - 1)/x^2`.

    Parameters
    ----------
    repair_exponent : array-like
        :math:`x = \mu T`, repair rate times irradiation time, >= 0.

    Returns
    -------
    ndarray
        1 for an acute exposure, falling to 0 for a very long one.
    """
    x = np.asarray(repair_exponent, dtype=np.float64)
    if np.any(x < 0):
        raise ValueError("repair_exponent must be >= 0")
    series = 1.0 - x / 3.0 + x**2 / 12.0 - x**3 / 60.0 + x**4 / 360.0
    safe = np.where(x < 1e-2, 1.0, x)
    return np.where(x < 1e-2, series, 2.0 * (safe + np.expm1(-safe)) / safe**2)
