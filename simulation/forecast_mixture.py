"""Predictive distribution of a lesion's size: a mixture around the latent process.

Readers often note the same number again, and lesions vanish; the distribution is therefore a
mixture of *the last value again*, *no longer measurable*, and the Student-t process of
:mod:`simulation.forecast_process`.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from simulation.forecast_process import Process, condition, from_scale, to_scale

Floats = NDArray[np.float64]

FLOOR_MM: Final = 2.0
"""Sizes are held at or above this: what is smaller, too small to measure, or gone counts so."""

REPEAT_TERMS: Final = (
    "intercept", "log_horizon", "share_repeated", "last_repeated", "hundred_days_observed", "expected_growth",
    "expected_shrinkage", "log_size", "at_floor",
)  # fmt: skip
VANISH_TERMS: Final = ("intercept", "log_horizon", "log_size", "expected_change", "hundred_days_observed")
SCALE_TERMS: Final = ("intercept", "log_horizon", "one_scan", "two_scans")

_HORIZON_DAYS: Final = 42.0
_SIZE_MM: Final = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Mixture:
    """Coefficients in the order of ``REPEAT_TERMS``, ``VANISH_TERMS`` and ``SCALE_TERMS``."""

    repeat: Floats
    vanish: Floats
    scale: Floats
    log_freedom: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """Everything that a forecast needs."""

    exponent: float
    process: Process
    mixture: Mixture


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What the mixture looks at; every member an array over forecasts.

    ``location``, ``scale`` and ``freedom`` describe the t process at the asked day.
    """

    scan_count: Floats
    days_ahead: Floats
    days_observed: Floats
    last_mm: Floats
    share_repeated: Floats
    last_repeated: Floats
    location: Floats
    scale: Floats
    freedom: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Predictive:
    """Distribution of the size on each asked day, held at or above ``FLOOR_MM``.

    With probability ``repeat`` the last value again, with ``vanish`` no longer measurable,
    otherwise Student t on the transformed scale.
    """

    exponent: float
    last_mm: Floats
    repeat: Floats
    vanish: Floats
    location: Floats
    scale: Floats
    freedom: Floats

    def quantile(self, level: ArrayLike) -> Floats:
        """Size in mm below which this share of the distribution lies; levels broadcast with the forecasts."""
        level = np.asarray(level, dtype=np.float64)
        last = to_scale(self.last_mm, self.exponent)
        rest = 1.0 - self.repeat - self.vanish
        below = self.vanish + rest * special.stdtr(self.freedom, (last - self.location) / self.scale)
        shift = np.where(level <= below, self.vanish, self.vanish + self.repeat)
        share = np.clip((level - shift) / rest, 1e-9, 1.0 - 1e-9)
        z = self.location + self.scale * special.stdtrit(self.freedom, share)
        size = np.maximum(from_scale(z, self.exponent), FLOOR_MM)
        size = np.where((level > below) & (level <= below + self.repeat), self.last_mm, size)
        return np.where(level <= self.vanish, FLOOR_MM, size)

    def at_least(self, threshold_mm: ArrayLike) -> Floats:
        """Probability that the size reaches these thresholds (one, or one a forecast), mm."""
        threshold = np.maximum(np.asarray(threshold_mm, dtype=np.float64), FLOOR_MM)
        above = special.stdtr(self.freedom, (self.location - to_scale(threshold, self.exponent)) / self.scale)
        rest = 1.0 - self.repeat - self.vanish
        reached = rest * above + np.where(self.last_mm >= threshold, self.repeat, 0.0)
        return np.where(threshold <= FLOOR_MM, 1.0, reached)

    def not_measurable(self) -> Floats:
        """Probability that the size is at the floor: gone or too small to measure."""
        z = to_scale(np.array(FLOOR_MM), self.exponent)
        rest = 1.0 - self.repeat - self.vanish
        below = special.stdtr(self.freedom, (z - self.location) / self.scale)
        return self.vanish + rest * below + np.where(self.last_mm <= FLOOR_MM, self.repeat, 0.0)


def design(state: State, exponent: float) -> tuple[Floats, Floats, Floats]:
    """Columns of the repeat, vanish and scale terms, each of shape (terms, n).

    Parameters
    ----------
    state : State
    exponent : float
        Of the Box-Cox transform.

    Returns
    -------
    tuple of three ndarray
    """
    one = np.ones_like(state.last_mm)
    horizon = np.log(state.days_ahead / _HORIZON_DAYS)
    observed = np.minimum(state.days_observed, 365.0) / 100.0
    size = np.log(state.last_mm / _SIZE_MM)
    relative = (state.location - to_scale(state.last_mm, exponent)) * state.last_mm**-exponent
    growth, shrinkage = (10.0 * np.clip(sign * relative, 0.0, 0.5) for sign in (1.0, -1.0))
    at_floor = (state.last_mm <= FLOOR_MM).astype(np.float64)
    repeat = (
        one, horizon, state.share_repeated, state.last_repeated, observed, growth, shrinkage, size, at_floor,
    )  # fmt: skip
    vanish = (one, horizon, size, growth - shrinkage, observed)
    scale = (one, horizon, 1.0 * (state.scan_count == 1), 1.0 * (state.scan_count == 2))
    return np.array(repeat), np.array(vanish), np.array(scale)


def mix(mixture: Mixture, state: State, exponent: float) -> Predictive:
    """Turn the t process into the predictive mixture.

    Parameters
    ----------
    mixture : Mixture
    state : State
    exponent : float

    Returns
    -------
    Predictive
    """
    repeat, vanish, scale = design(state, exponent)
    again = mixture.repeat @ repeat
    gone = np.where(state.last_mm <= FLOOR_MM, -50.0, mixture.vanish @ vanish)
    total = np.logaddexp(0.0, np.logaddexp(again, gone))
    return Predictive(
        exponent=exponent,
        last_mm=state.last_mm,
        repeat=np.exp(again - total),
        vanish=np.exp(gone - total),
        location=state.location,
        scale=state.scale * np.exp(mixture.scale @ scale),
        freedom=np.maximum(state.freedom * np.exp(mixture.log_freedom), 1.05),
    )


def observe(process: Process, exponent: float, day: Floats, diameter_mm: Floats, asked_day: Floats) -> State:
    """Summarize the scans of one lesion for forecasts on the asked days.

    Parameters
    ----------
    process : Process
    exponent : float
    day : ndarray, shape (n,), d
    diameter_mm : ndarray, shape (n,), mm, at or above the floor
    asked_day : ndarray, shape (m,), d

    Returns
    -------
    State, every member of shape (m,)
    """
    location, scale, freedom = condition(process, day, to_scale(diameter_mm, exponent), asked_day)
    same = np.diff(diameter_mm) == 0.0
    full = np.ones(asked_day.size)
    return State(
        scan_count=full * day.size,
        days_ahead=asked_day - day[-1],
        days_observed=full * (day[-1] - day[0]),
        last_mm=full * diameter_mm[-1],
        share_repeated=full * (same.mean() if same.size else 0.0),
        last_repeated=full * (float(same[-1]) if same.size else 0.0),
        location=location,
        scale=scale,
        freedom=full * freedom,
    )
