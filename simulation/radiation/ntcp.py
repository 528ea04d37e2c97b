r"""Complication probability against dose: sigmoid curves and the relative seriality model.

Several curves share names in the literature while their parameters do not mix: the log-logistic of
Niemierko and the logistic in dose, and two Poisson curves whose slope :math:`\gamma` means different
things. Each has a function of its own here.
"""

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, ndtr

from simulation.radiation.dvh import Dvh

PoissonForm = Literal["kallman_1992", "exact_gamma"]


def _dose(dose_gy: ArrayLike) -> NDArray[np.float64]:
    dose = np.asarray(dose_gy, dtype=np.float64)
    if np.any(dose < 0):
        raise ValueError("dose_gy must be >= 0")
    return dose


def lyman(dose_gy: ArrayLike, *, td50_gy: float, m: float) -> NDArray[np.float64]:
    r"""Lyman-Kutcher-Burman probability, :math:`\Phi((D - TD_{50})/(m TD_{50}))`.

    Not to be confused with the logistic curves: this one is a normal distribution.

    Parameters
    ----------
    dose_gy : array-like, Gy
        Generalized EUD with exponent ``1/n``, or a uniform dose.
    td50_gy : float, Gy
        Uniform dose with probability 0.5.
    m : float
        Slope parameter, > 0.

    Returns
    -------
    ndarray
        Probability.

    References
    ----------
    Kutcher GJ, Burman C. Calculation of complication probability factors for non-uniform normal tissue
    irradiation: the effective volume method. Int J Radiat Oncol Biol Phys 1989;16:1623-1630.
    doi:10.1016/0360-3016(89)90972-3
    """
    return np.asarray(ndtr((_dose(dose_gy) - td50_gy) / (m * td50_gy)), dtype=np.float64)


def effective_volume(dvh: Dvh, *, n: float, reference_dose_gy: float) -> float:
    """Share of the volume that, at a reference dose, does the harm of the whole distribution.

    Parameters
    ----------
    dvh : Dvh
        Distribution of the structure.
    n : float
        Volume parameter, > 0.
    reference_dose_gy : float, Gy
        Usually the maximum dose.

    Returns
    -------
    float
        Effective volume as a share.
    """
    return float((dvh.generalized_eud_gy(1.0 / n) / reference_dose_gy) ** (1.0 / n))


def lyman_partial_volume(dose_gy: float, *, share: float, td50_gy: float, m: float, n: float) -> float:
    """Lyman probability of a uniform dose to a part of the organ.

    Parameters
    ----------
    dose_gy : float, Gy
        Dose of the irradiated part.
    share : float
        Irradiated share of the organ, > 0.
    td50_gy, m, n : float
        Lyman parameters; ``td50_gy`` is for the whole organ.

    Returns
    -------
    float
        Probability.
    """
    return float(lyman(dose_gy, td50_gy=td50_gy * share**-n, m=m))


def log_logistic(dose_gy: ArrayLike, *, td50_gy: float, gamma50: float) -> NDArray[np.float64]:
    r"""Niemierko's curve, :math:`1/(1 + (TD_{50}/EUD)^{4\gamma_{50}})`; logistic in the log of dose.

    Parameters
    ----------
    dose_gy : array-like, Gy
        Generalized EUD.
    td50_gy : float, Gy
        Dose with probability 0.5.
    gamma50 : float
        Normalized slope there, > 0.

    Returns
    -------
    ndarray
        Probability, 0 at zero dose.

    References
    ----------
    Gay HA, Niemierko A. A free program for calculating EUD-based NTCP and TCP in external beam
    radiotherapy. Phys Med 2007;23:115-125. doi:10.1016/j.ejmp.2007.07.001
    """
    with np.errstate(divide="ignore"):
        log_ratio = np.log(_dose(dose_gy) / td50_gy)
    return np.asarray(expit(4.0 * gamma50 * log_ratio), dtype=np.float64)


def logistic(dose_gy: ArrayLike, *, d50_gy: float, gamma50: float) -> NDArray[np.float64]:
    r"""Return the curve that is logistic in dose, :math:`1/(1 + e^{4\gamma_{50}(1 - D/D_{50})})`.

    Not Niemierko's curve: this one is above zero at zero dose.

    Parameters
    ----------
    dose_gy : array-like, Gy
        Dose, usually a mean dose.
    d50_gy : float, Gy
        Dose with probability 0.5.
    gamma50 : float
        Normalized slope there.

    Returns
    -------
    ndarray
        Probability.
    """
    return np.asarray(expit(4.0 * gamma50 * (_dose(dose_gy) / d50_gy - 1.0)), dtype=np.float64)


def log_poisson(dose_gy: ArrayLike, *, d50_gy: float, gamma: float, form: PoissonForm) -> NDArray[np.float64]:
    r"""Natural log of the Poisson dose-response curve.

    ``kallman_1992``: :math:`P = 2^{-\exp(e\gamma(1 - D/D_{50}))}`.
    ``exact_gamma``: :math:`P = \exp(-\exp(e\gamma - (D/D_{50})(e\gamma - \ln\ln 2)))`, where
    :math:`\gamma` is the normalized slope where the curve is steepest.

    Parameters
    ----------
    dose_gy : array-like, Gy
        Dose.
    d50_gy : float, Gy
        Dose with probability 0.5 in both forms.
    gamma : float
        Slope in the meaning of the form.
    form : {"kallman_1992", "exact_gamma"}
        Which curve.

    Returns
    -------
    ndarray
        ln P, <= 0.

    References
    ----------
    Kallman P, Agren A, Brahme A. Tumour and normal tissue responses to fractionated non-uniform dose
    delivery. Int J Radiat Biol 1992;62:249-262. doi:10.1080/09553009214552071
    """
    relative = _dose(dose_gy) / d50_gy
    steep = np.e * gamma
    if form == "kallman_1992":
        log_probability = -np.log(2.0) * np.exp(steep * (1.0 - relative))
    else:
        log_probability = -np.exp(steep - relative * (steep - np.log(np.log(2.0))))
    return np.asarray(log_probability, dtype=np.float64)


def poisson(dose_gy: ArrayLike, *, d50_gy: float, gamma: float, form: PoissonForm) -> NDArray[np.float64]:
    """Poisson dose-response curve; see :func:`log_poisson`.

    Parameters
    ----------
    dose_gy : array-like, Gy
        Dose.
    d50_gy : float, Gy
        Dose with probability 0.5.
    gamma : float
        Slope in the meaning of the form.
    form : {"kallman_1992", "exact_gamma"}
        Which curve.

    Returns
    -------
    ndarray
        Probability.
    """
    return np.exp(log_poisson(dose_gy, d50_gy=d50_gy, gamma=gamma, form=form))


def relative_seriality(dvh: Dvh, *, d50_gy: float, gamma: float, seriality: float, form: PoissonForm) -> float:
    r"""Return the relative seriality probability, :math:`[1 - \prod_i (1 - P_i^s)^{v_i}]^{1/s}`.

    Computed on logarithms throughout: a small :math:`s` raises voxel probabilities as small as 1e-15
    and less to powers that matter.

    Parameters
    ----------
    dvh : Dvh
        Distribution of the organ, in the dose that the parameters were fitted to.
    d50_gy : float, Gy
        Uniform dose with probability 0.5.
    gamma : float
        Slope in the meaning of the form.
    seriality : float
        :math:`s`, > 0; large for serial organs.
    form : {"kallman_1992", "exact_gamma"}
        Which Poisson curve the parameters belong to.

    Returns
    -------
    float
        Probability.
    """
    if seriality <= 0:
        raise ValueError("seriality must be > 0")
    used = dvh.share > 0
    power = seriality * log_poisson(dvh.dose_gy[used], d50_gy=d50_gy, gamma=gamma, form=form)
    with np.errstate(divide="ignore"):
        spared = np.where(power > -np.log(2.0), np.log(-np.expm1(power)), np.log1p(-np.exp(power)))
    harmed = -np.expm1(float(np.dot(dvh.share[used], spared)))
    if harmed <= 0:
        return 0.0
    return float(np.exp(np.log(harmed) / seriality))
