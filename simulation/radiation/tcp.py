"""Tumor control probability."""

from collections.abc import Sequence
from math import log

import numpy as np
from numpy.typing import ArrayLike, NDArray

from simulation.radiation.dvh import Dvh
from simulation.radiation.linear_quadratic import bed_gy
from simulation.radiation.ntcp import PoissonForm, log_poisson

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(200)
_SPREAD = 8.0
_LARGEST_EXPONENT = 700.0
_NO_SPREAD = 1e-6
_NO_GROWTH_PER_DAY = 1e-12


def poisson_from_survivors(expected_survivors: ArrayLike) -> NDArray[np.float64]:
    """Probability that no clonogen survives when survivors are Poisson distributed.

    Parameters
    ----------
    expected_survivors : array-like
        Mean number of surviving clonogens.

    Returns
    -------
    ndarray
        Probability of control.
    """
    return np.exp(-np.asarray(expected_survivors, dtype=np.float64))


def poisson_clonogens(
    dvh: Dvh,
    clonogens: float,
    *,
    alpha_per_gy: float,
    alpha_beta_gy: float,
    fraction_count: float,
    alpha_sd_per_gy: float = 0.0,
    repopulation_loss_gy: float = 0.0,
    hypoxic_share: float = 0.0,
    hypoxic_dose_reduction: float = 1.0,
) -> float:
    r"""Poisson control probability with cell survival by the linear-quadratic model in every bin.

    With a spread of alpha between patients the probability is averaged over a normal distribution
    truncated at zero, alpha/beta held fixed.

    Parameters
    ----------
    dvh : Dvh
        Physical dose to the target.
    clonogens : float
        Clonogens in the whole target, > 0.
    alpha_per_gy : float, 1/Gy
        Mean linear coefficient.
    alpha_beta_gy : float, Gy
        Ratio alpha/beta.
    fraction_count : float
        Number of equal fractions.
    alpha_sd_per_gy : float, 1/Gy
        Standard deviation of alpha between patients.
    repopulation_loss_gy : float, Gy
        BED lost to proliferation.
    hypoxic_share : float
        Share of the clonogens that are hypoxic throughout the course.
    hypoxic_dose_reduction : float
        Factor by which these need more dose, >= 1.

    Returns
    -------
    float
        :math:`\exp(-\sum_i N v_i e^{-\alpha BED_i})`, averaged over alpha.

    References
    ----------
    Webb S, Nahum AE. A model for calculating tumour control probability in radiotherapy including the
    effects of inhomogeneous distributions of dose and clonogenic cell density. Phys Med Biol
    1993;38:653-666. doi:10.1088/0031-9155/38/6/001
    """
    if clonogens <= 0 or alpha_per_gy <= 0 or alpha_sd_per_gy < 0:
        raise ValueError("need clonogens > 0, alpha_per_gy > 0 and alpha_sd_per_gy >= 0")
    shares = np.array([1.0 - hypoxic_share, hypoxic_share])
    felt = dvh.dose_gy[None, :] / np.array([[1.0], [hypoxic_dose_reduction]])
    cells = (clonogens * shares[:, None] * dvh.share[None, :]).ravel()
    present = cells > 0
    log_cells = np.log(cells[present])
    effect = (bed_gy(felt, fraction_count, alpha_beta_gy).ravel() - repopulation_loss_gy)[present]

    def control(alpha: NDArray[np.float64]) -> NDArray[np.float64]:
        exponent = log_cells[None, :] - alpha[:, None] * effect[None, :]
        peak = exponent.max(axis=1)
        log_survivors = peak + np.log(np.sum(np.exp(exponent - peak[:, None]), axis=1))
        return poisson_from_survivors(np.exp(np.minimum(log_survivors, _LARGEST_EXPONENT)))

    if alpha_sd_per_gy <= _NO_SPREAD * alpha_per_gy:
        return float(control(np.array([alpha_per_gy]))[0])
    low = max(0.0, alpha_per_gy - _SPREAD * alpha_sd_per_gy)
    high = alpha_per_gy + _SPREAD * alpha_sd_per_gy
    alpha = (low + high) / 2.0 + (high - low) / 2.0 * _NODES
    weight = _WEIGHTS * np.exp(-0.5 * ((alpha - alpha_per_gy) / alpha_sd_per_gy) ** 2)
    return min(1.0, float(np.dot(weight, control(alpha)) / weight.sum()))


def poisson_dose_response(dvh: Dvh, *, d50_gy: float, gamma: float, form: PoissonForm) -> float:
    r"""Control probability from a Poisson dose-response curve, :math:`\prod_i P(D_i)^{v_i}`.

    Parameters
    ----------
    dvh : Dvh
        Distribution in the dose that the parameters were fitted to, usually EQD2.
    d50_gy : float, Gy
        Uniform dose with probability 0.5.
    gamma : float
        Slope in the meaning of the form.
    form : {"kallman_1992", "exact_gamma"}
        Which Poisson curve.

    Returns
    -------
    float
        Probability of control.
    """
    return float(np.exp(np.dot(dvh.share, log_poisson(dvh.dose_gy, d50_gy=d50_gy, gamma=gamma, form=form))))


def zaider_minerbo(
    clonogens: ArrayLike,
    *,
    log_survival_per_fraction: ArrayLike,
    fraction_days: Sequence[float],
    end_day: float,
    birth_per_day: float,
    death_per_day: float,
) -> float:
    r"""Exact control probability of a birth-death process under fractionated radiation.

    .. math:: TCP = \prod_i \left[1 - \frac{L_i}{1 + b L_i \int_0^t dt'/(S_i(t') e^{(b-d)t'})}\right]^{N_i},
              \quad L_i = S_i(t) e^{(b-d)t}

    Time zero is the first fraction; everything is kept as logarithms.

    Parameters
    ----------
    clonogens : array-like, shape () or (n_bins,)
        :math:`N_i` at the start, in each bin of dose.
    log_survival_per_fraction : array-like, shape () or (n_bins,)
        Natural log of the surviving fraction of each fraction.
    fraction_days : sequence of float, d
        Times of the fractions, not decreasing.
    end_day : float, d
        When control is asked for; not before the last fraction.
    birth_per_day, death_per_day : float, 1/d
        Rates of division, > 0, and of spontaneous loss.

    Returns
    -------
    float
        Probability that no clonogen is left at ``end_day``.

    References
    ----------
    Zaider M, Minerbo GN. Tumour control probability: a formulation applicable to any temporal protocol of
    dose delivery. Phys Med Biol 2000;45:279-293. doi:10.1088/0031-9155/45/2/303
    """
    days = np.asarray(fraction_days, dtype=np.float64)
    if np.any(np.diff(days) < 0) or end_day < days[-1] or birth_per_day <= 0:
        raise ValueError("need fraction_days in order, end_day not before the last one and birth_per_day > 0")
    start = days - days[0]
    length = np.append(start[1:], end_day - days[0]) - start
    growth = birth_per_day - death_per_day
    per_fraction = np.atleast_1d(np.asarray(log_survival_per_fraction, dtype=np.float64))[:, None]
    log_survival = per_fraction * np.arange(1, len(days) + 1)
    with np.errstate(divide="ignore"):
        if abs(growth) < _NO_GROWTH_PER_DAY:
            log_pieces = np.log(length)
        else:
            grown = growth * length
            log_pieces = np.maximum(-grown, 0.0) + np.log(-np.expm1(-np.abs(grown))) - log(abs(growth)) - growth * start
        log_integral = np.logaddexp.reduce(log_pieces - log_survival, axis=1)
    log_alive = log_survival[:, -1] + growth * (end_day - days[0])
    persistence = np.exp(log_alive - np.logaddexp(0.0, log(birth_per_day) + log_alive + log_integral))
    if np.any(persistence >= 1.0):
        return 0.0
    return float(np.exp(np.sum(np.asarray(clonogens, dtype=np.float64) * np.log1p(-persistence))))
