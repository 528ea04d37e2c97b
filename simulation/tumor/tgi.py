"""Growth-inhibition curves of the sum of diameters, in closed form.

References
----------
Claret L et al. J Clin Oncol 2009;27:4103-4108. doi:10.1200/JCO.2008.21.0807
Stein WD et al. Clin Cancer Res 2011;17:907-917. doi:10.1158/1078-0432.CCR-10-1762
Chatterjee MS et al. Ann Oncol 2016;27:1291-1298 (KEYNOTE-001). doi:10.1093/annonc/mdw174
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


def chatterjee(time: ArrayLike, growth: ArrayLike, shrinkage: ArrayLike, fraction: ArrayLike, delay: float) -> Array:
    r"""Return :math:`(1-f) e^{k_g t} + f e^{-k_d \max(0, t - t_0)}`, the size relative to baseline.

    Not to be confused with the form of :func:`growth_decay_fraction`, which has no delay.

    Parameters
    ----------
    time : array-like
        Time since the first dose.
    growth, shrinkage, fraction : array-like
        Rates per unit of time and the responding fraction; broadcast against ``time``.
    delay : float
        Delay of shrinkage.

    Returns
    -------
    ndarray, dimensionless
    """
    t, g, d, f = np.broadcast_arrays(time, growth, shrinkage, fraction)
    return np.asarray((1 - f) * np.exp(g * t) + f * np.exp(-d * np.maximum(t - delay, 0.0)))


def growth_decay(time: ArrayLike, growth: ArrayLike, decay: ArrayLike) -> Array:
    r"""Return :math:`e^{-dt} + e^{gt} - 1`, the size relative to baseline (Stein)."""
    t, g, d = np.broadcast_arrays(time, growth, decay)
    return np.asarray(np.exp(-d * t) + np.exp(g * t) - 1.0)


def growth_decay_fraction(time: ArrayLike, growth: ArrayLike, decay: ArrayLike, fraction: ArrayLike) -> Array:
    r"""Return :math:`\phi e^{-dt} + (1-\phi) e^{gt}`, the size relative to baseline (Stein).

    Parameters
    ----------
    time, growth, decay, fraction : array-like
        Broadcast against each other; rates per unit of time.

    Returns
    -------
    ndarray, dimensionless
    """
    return chatterjee(time, growth, decay, fraction, 0.0)


def claret(
    time: ArrayLike, growth: ArrayLike, shrinkage: ArrayLike, resistance: ArrayLike, exposure: ArrayLike = 1.0
) -> Array:
    r"""Return the solution of :math:`y' = k_L y - k_D e^{-\lambda t} E\, y`, relative to baseline.

    Parameters
    ----------
    time : array-like
        Time since the first dose.
    growth, shrinkage, resistance : array-like
        Rates per unit of time; resistance must be > 0.
    exposure : array-like
        Exposure relative to the reference, constant.

    Returns
    -------
    ndarray, dimensionless
    """
    t, g, d, r, e = np.broadcast_arrays(time, growth, shrinkage, resistance, exposure)
    return np.asarray(np.exp(g * t - d * e * -np.expm1(-r * t) / r))


def claret_time_to_growth(growth: ArrayLike, shrinkage: ArrayLike, resistance: ArrayLike) -> Array:
    """Return when :func:`claret` is smallest at full exposure.

    Parameters
    ----------
    growth, shrinkage, resistance : array-like
        Rates per unit of time; resistance must be > 0.

    Returns
    -------
    ndarray, unit of time
        0 where the size never falls.
    """
    g, d, r = np.broadcast_arrays(growth, shrinkage, resistance)
    return np.asarray(np.maximum(np.log(d / g) / r, 0.0))


def chatterjee_time_to_growth(growth: ArrayLike, shrinkage: ArrayLike, fraction: ArrayLike, delay: float) -> Array:
    """Return when :func:`chatterjee` is smallest.

    Parameters
    ----------
    growth, shrinkage, fraction : array-like
        Rates per unit of time and the responding fraction.
    delay : float
        Delay of shrinkage.

    Returns
    -------
    ndarray, unit of time
        0 where the size never falls below its start.
    """
    g, d, f = np.broadcast_arrays(growth, shrinkage, fraction)
    lowest = (np.log(f * d / ((1 - f) * g)) + d * delay) / (g + d)
    falls = (lowest > delay) & (chatterjee(np.maximum(lowest, 0.0), g, d, f, delay) < 1.0)
    return np.where(falls, lowest, 0.0)


def time_to_growth(growth: ArrayLike, decay: ArrayLike) -> Array:
    """Return when :func:`growth_decay` is smallest; 0 where it never falls."""
    g, d = np.broadcast_arrays(np.asarray(growth, dtype=np.float64), np.asarray(decay, dtype=np.float64))
    return np.asarray(np.maximum(np.log(d / g) / (g + d), 0.0))
