r"""The latent course of one lesion: a Student-t process on a Box-Cox scale.

With :math:`z = (y^\lambda - 1)/\lambda` (or :math:`\ln y`), the change since the first scan is

.. math:: z(t) - z(0) = \mu(t) + f(t) + \varepsilon_t - \varepsilon_0,

a population mean :math:`\mu` (early response that saturates, then a trend) and, for the
individual, deviations of the same two shapes, a random walk, a velocity that forgets
(integrated Ornstein-Uhlenbeck process) and measurement error. One Gamma-distributed scale a
lesion makes the whole a Student-t process (Shah et al., AISTATS 2014): a lesion that has been
quiet gets narrow intervals, a lesion that has jumped gets wide ones.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

MONTH_DAYS: Final = 30.0
"""Unit of time of the parameters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """Parameters on the transformed scale; times in months of 30 days."""

    response_mean: float
    response_variance: float
    response_months: float
    trend_mean: float
    trend_variance: float
    walk_variance: float
    velocity_variance: float
    velocity_months: float
    measurement_variance: float
    degrees_of_freedom: float

    def mean(self, month: Floats) -> Floats:
        """Return the population mean of the change since the first scan."""
        return self.response_mean * (1.0 - np.exp(-month / self.response_months)) + self.trend_mean * month

    def covariance(self, first: Floats, second: Floats) -> Floats:
        """Covariance of the change without measurement error, shape (..., first, second)."""
        t, s = first[..., :, None], second[..., None, :]
        both = np.minimum(t, s)
        rise_t, rise_s = (1.0 - np.exp(-x / self.response_months) for x in (t, s))
        rate = 1.0 / self.velocity_months
        drift = 2.0 * both * rate + np.exp(-rate * t) + np.exp(-rate * s) - 1.0 - np.exp(-rate * np.abs(t - s))
        return np.asarray(
            self.response_variance * rise_t * rise_s
            + self.trend_variance * t * s
            + self.walk_variance * both
            + self.velocity_variance * drift / rate**2
        )


def to_scale(diameter_mm: Floats, exponent: float) -> Floats:
    """Box-Cox transform of a diameter > 0 in mm; the logarithm for exponent 0."""
    return np.log(diameter_mm) if exponent == 0.0 else (diameter_mm**exponent - 1.0) / exponent


def from_scale(z: Floats, exponent: float) -> Floats:
    """Inverse of :func:`to_scale`; below the image of 0 mm it answers 0 mm."""
    if exponent == 0.0:
        return np.exp(np.minimum(z, 50.0))
    return np.maximum(z * exponent + 1.0, 0.0) ** (1.0 / exponent)


def condition(process: Process, day: Floats, z: Floats, asked_day: Floats) -> tuple[Floats, Floats, float]:
    """Location, scale and degrees of freedom of the transformed size on the asked days.

    Parameters
    ----------
    process : Process
    day : ndarray, shape (n,), d
        Days of the scans, increasing.
    z : ndarray, shape (n,)
        Transformed sizes at the scans.
    asked_day : ndarray, shape (m,), d

    Returns
    -------
    location : ndarray, shape (m,)
    scale : ndarray, shape (m,)
    degrees_of_freedom : float
    """
    asked = (asked_day - day[0]) / MONTH_DAYS
    location = process.mean(asked)
    variance = np.diagonal(process.covariance(asked, asked)) + 2.0 * process.measurement_variance
    seen = day.size - 1
    squares = 0.0
    if seen:
        month = (day[1:] - day[0]) / MONTH_DAYS
        residual = z[1:] - z[0] - process.mean(month)
        noise = process.measurement_variance * (1.0 + np.eye(seen))
        cross = process.covariance(asked, month) + process.measurement_variance
        solved = np.linalg.solve(process.covariance(month, month) + noise, np.column_stack((residual, cross.T)))
        squares = float(residual @ solved[:, 0])
        location = location + cross @ solved[:, 0]
        variance = variance - np.einsum("ij,ji->i", cross, solved[:, 1:])
    freedom = process.degrees_of_freedom + seen
    return z[0] + location, np.sqrt(variance * (process.degrees_of_freedom + squares) / freedom), freedom
