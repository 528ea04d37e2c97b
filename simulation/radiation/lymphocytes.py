"""Lymphocytes under fractionated radiotherapy: circulating cells in exchange with a partly exposed reserve.

Every fraction kills circulating cells by the dose to blood, and exposed reserve cells by a multiple of the
effective dose to immune cells. Between fractions blood and reserve exchange within a day, and the reserve's
deficit refills, a part of it within weeks and the rest within a year. All counts are relative to the count
before treatment.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr, ndtri

from simulation.radiation.tables import read_table

NORMAL_95 = 1.959963984540054
ALPHA_NODES = 41
SMALLEST_COUNT = 1e-9
_SAME_DOSE_GY = 1e-9
"""Doses that differ by less have no bins between them."""
REFERENCE_RATIO = 0.66
"""Mean count ratio of the cohort in which the spread between patients was observed."""
_TABLE: Mapping[str, Any] = read_table("lymphocyte_response.toml")
GRADE_LIMITS_1E9_PER_L: Mapping[str, float] = _TABLE["grades"]["below_1e9_per_l"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LymphocyteParameters:
    """Parameters of the two-pool model; see ``lymphocyte_response.toml`` for sources."""

    alpha_per_gy: float
    alpha_log_sd: float
    exchange_half_time_days: float
    fast_recovery_half_time_days: float
    slow_recovery_half_time_days: float
    reserve_dose_ratio: float
    reserve_exposed_share: float
    reserve_fast_share: float
    between_patient_log_sd: float
    baseline_log_sd: float


def _default() -> LymphocyteParameters:
    rows = _TABLE["parameters"]
    alpha = rows["alpha_per_gy"]
    return LymphocyteParameters(
        alpha_log_sd=log(alpha["high"] / alpha["low"]) / (2 * NORMAL_95),
        **{name: float(row["value"]) for name, row in rows.items()},
    )


DEFAULT = _default()


def alpha_values_per_gy(parameters: LymphocyteParameters = DEFAULT, count: int = ALPHA_NODES) -> NDArray[np.float64]:
    """Return equally likely values of alpha: the middles of ``count`` slices of its log-normal law.

    Parameters
    ----------
    parameters : LymphocyteParameters
    count : int
        Odd, so that the median is among them.

    Returns
    -------
    ndarray, shape (count,), 1/Gy
    """
    return parameters.alpha_per_gy * np.exp(parameters.alpha_log_sd * normal_middles(count))


def normal_middles(count: int) -> NDArray[np.float64]:
    """Return the middles of ``count`` equally likely slices of the standard normal law."""
    middles: NDArray[np.float64] = ndtri((np.arange(count) + 0.5) / count)
    return middles


def blood_survival(
    particles_gy: ArrayLike, alpha_per_gy: ArrayLike, *, beta_per_gy2: float = 0.0
) -> NDArray[np.float64]:
    """Return the share of circulating lymphocytes that survive one fraction.

    Parameters
    ----------
    particles_gy : array-like, shape (n_particles,), Gy
        Dose of equally large portions of blood; a single value stands for a uniform dose.
    alpha_per_gy : array-like, shape (n,), 1/Gy
    beta_per_gy2 : float, 1/Gy^2

    Returns
    -------
    ndarray, shape (n,)
    """
    dose = np.atleast_1d(np.asarray(particles_gy, dtype=np.float64))
    alpha = np.atleast_1d(np.asarray(alpha_per_gy, dtype=np.float64))
    dose, share = _binned(dose) if len(dose) > 4096 else (dose, np.full(len(dose), 1 / len(dose)))
    survival: NDArray[np.float64] = np.exp(-np.outer(alpha, dose) - beta_per_gy2 * dose**2) @ share
    return survival


def _binned(dose: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return a few doses, the last of them 0, and the share of the blood with each."""
    hit = dose[dose > 0]
    if hit.size and np.ptp(hit) <= _SAME_DOSE_GY:
        return np.array([hit.mean(), 0.0]), np.array([hit.size, len(dose) - hit.size]) / len(dose)
    counts, edges = np.histogram(hit, bins=2048)
    share = np.append(counts, len(dose) - counts.sum()) / len(dose)
    return np.append((edges[1:] + edges[:-1]) / 2, 0.0), share


def reserve_survival(
    exposure_gy: float, alpha_per_gy: ArrayLike, parameters: LymphocyteParameters = DEFAULT
) -> NDArray[np.float64]:
    """Return the share of exposed reserve lymphocytes that survive one fraction.

    Parameters
    ----------
    exposure_gy : float, Gy
        Effective dose to immune cells of the fraction, to which ``reserve_dose_ratio`` is calibrated.
    alpha_per_gy : array-like, shape (n,), 1/Gy
    parameters : LymphocyteParameters

    Returns
    -------
    ndarray, shape (n,)
    """
    alpha = np.atleast_1d(np.asarray(alpha_per_gy, dtype=np.float64))
    return np.exp(-alpha * parameters.reserve_dose_ratio * exposure_gy)


@dataclass(frozen=True, slots=True)
class RelativeCounts:
    """Counts relative to the count before treatment.

    Attributes
    ----------
    at_days : ndarray, shape (n_days, n)
        On the days asked for; on the day of a fraction, before it.
    after_fractions : ndarray, shape (n_fractions, n)
        Just after each fraction.
    """

    at_days: NDArray[np.float64]
    after_fractions: NDArray[np.float64]

    @property
    def nadir(self) -> NDArray[np.float64]:
        """Smallest value, shape (n,)."""
        everything = np.concatenate([self.at_days, self.after_fractions])
        lowest: NDArray[np.float64] = everything.min(axis=0)
        return lowest


def relative_counts(
    fraction_days: ArrayLike,
    blood_survival_per_fraction: ArrayLike,
    reserve_survival_per_fraction: ArrayLike,
    days: ArrayLike,
    parameters: LymphocyteParameters = DEFAULT,
) -> RelativeCounts:
    r"""Solve the two-pool model exactly from fraction to fraction.

    .. math::
        \dot c = k\,(\sum_i r_i - c), \qquad \dot r_i = \rho_i\,(F_i - r_i)

    with four parts of the reserve: exposed or sheltered, refilling fast or slowly.

    Parameters
    ----------
    fraction_days : array-like, shape (n_fractions,), d
        Not decreasing.
    blood_survival_per_fraction, reserve_survival_per_fraction : array-like, shape (n_fractions, n)
        Share that survives, for n parameter values at once.
    days : array-like, shape (n_days,), d
        When the count is wanted; not decreasing.
    parameters : LymphocyteParameters

    Returns
    -------
    RelativeCounts
    """
    times = np.asarray(fraction_days, dtype=np.float64)
    wanted = np.asarray(days, dtype=np.float64)
    blood = np.asarray(blood_survival_per_fraction, dtype=np.float64)
    reserve = np.asarray(reserve_survival_per_fraction, dtype=np.float64)
    if np.any(np.diff(times) < 0) or np.any(np.diff(wanted) < 0):
        raise ValueError("days must not decrease")
    exposed, fast = parameters.reserve_exposed_share, parameters.reserve_fast_share
    full = np.outer([exposed, 1 - exposed], [fast, 1 - fast]).reshape(4, 1)
    refill = log(2) / np.tile(
        [parameters.fast_recovery_half_time_days, parameters.slow_recovery_half_time_days], 2
    ).reshape(4, 1)
    exchange = log(2) / parameters.exchange_half_time_days
    width = blood.shape[1] if blood.ndim == 2 else 1
    count = np.ones(width)
    pools = np.repeat(full, width, axis=1)
    at_days = np.empty((len(wanted), width))
    after = np.empty((len(times), width))
    now = min([*times[:1], *wanted[:1]], default=0.0)
    events = sorted([(day, 0, index) for index, day in enumerate(wanted)] + [(d, 1, i) for i, d in enumerate(times)])
    for day, kind, index in events:
        count, pools = _advance(count, pools, day - now, full, refill, exchange)
        now = day
        if kind == 0:
            at_days[index] = count
        else:
            count = count * blood[index]
            pools = np.concatenate([pools[:2] * reserve[index], pools[2:]])
            after[index] = count
    return RelativeCounts(at_days, after)


def _advance(
    count: NDArray[np.float64],
    pools: NDArray[np.float64],
    elapsed_days: float,
    full: NDArray[np.float64],
    refill: NDArray[np.float64],
    exchange: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    left = np.exp(-exchange * elapsed_days)
    missing_left = np.exp(-refill * elapsed_days)
    missing = pools - full
    carried = missing * exchange / (exchange - refill) * (missing_left - left)
    return (
        count * left + (full * (1 - left) + carried).sum(axis=0),
        full + missing * missing_left,
    )


def probability_below(
    limit_1e9_per_l: float,
    baseline_1e9_per_l: float,
    relative_nadirs: NDArray[np.float64],
    parameters: LymphocyteParameters = DEFAULT,
) -> float:
    """Return the probability that the lowest count falls below a limit.

    Parameters
    ----------
    limit_1e9_per_l, baseline_1e9_per_l : float, 1e9/L
    relative_nadirs : ndarray, shape (n,)
        For equally likely values of alpha.
    parameters : LymphocyteParameters

    Returns
    -------
    float
        0 to 1, with the spread between patients and of the baseline around every nadir; 1 where the baseline, which
        was measured, lies below the limit itself.
    """
    if baseline_1e9_per_l < limit_1e9_per_l:
        return 1.0
    gap = log(limit_1e9_per_l / baseline_1e9_per_l) - np.log(np.maximum(relative_nadirs, SMALLEST_COUNT))
    return float(np.mean(ndtr(gap / spread_of_log(relative_nadirs, parameters))))


def spread_of_log(relative: NDArray[np.float64], parameters: LymphocyteParameters = DEFAULT) -> NDArray[np.float64]:
    """Return the standard deviation of the log count between patients with the same dose and alpha.

    It grows with the logarithm of the loss up to the loss at which it was observed, and never falls
    below the baseline's own variation.

    Parameters
    ----------
    relative : ndarray
    parameters : LymphocyteParameters

    Returns
    -------
    ndarray, same shape
    """
    part = np.clip(np.log(np.maximum(relative, SMALLEST_COUNT)) / log(REFERENCE_RATIO), 0.0, 1.0)
    return np.hypot(parameters.between_patient_log_sd * part, parameters.baseline_log_sd)


def count_quantiles(
    relative: NDArray[np.float64],
    levels: Sequence[float],
    parameters: LymphocyteParameters = DEFAULT,
) -> NDArray[np.float64]:
    """Return quantiles of the relative count over alpha and over patients.

    Parameters
    ----------
    relative : ndarray, shape (n_days, n)
        For equally likely values of alpha.
    levels : sequence of float
        0 to 1.
    parameters : LymphocyteParameters

    Returns
    -------
    ndarray, shape (n_levels, n_days)
    """
    spread = spread_of_log(relative, parameters)[:, :, None] * normal_middles(ALPHA_NODES)
    everyone = np.log(np.maximum(relative, SMALLEST_COUNT))[:, :, None] + spread
    quantiles: NDArray[np.float64] = np.exp(np.quantile(everyone.reshape(len(relative), -1), levels, axis=1))
    return quantiles
