"""Tumor-size data and the maximum penalized likelihood of the forecast model."""

import csv
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special, stats

from simulation.forecast_mixture import (
    FLOOR_MM,
    REPEAT_TERMS,
    SCALE_TERMS,
    VANISH_TERMS,
    Mixture,
    Model,
    Predictive,
    State,
    design,
    mix,
    observe,
)
from simulation.forecast_process import MONTH_DAYS, Process, from_scale, to_scale

Floats = NDArray[np.float64]

EXPONENT = 0.0
FURTHEST_SCAN = 6
POSITIVE = (
    "response_variance", "response_months", "trend_variance", "walk_variance", "velocity_variance", "velocity_months",
    "measurement_variance", "degrees_of_freedom",
)  # fmt: skip
FREE = ("response_mean", "trend_mean")
START = Process(
    response_mean=0.0, response_variance=0.05, response_months=2.0, trend_mean=0.0, trend_variance=0.0005,
    walk_variance=0.01, velocity_variance=0.003, velocity_months=3.0, measurement_variance=0.005,
    degrees_of_freedom=4.0,
)  # fmt: skip
LEAST_FREEDOM = 0.5
PRIOR_SD = 3.0  # of log parameters
START_MIXTURE = np.array([-1.5, -0.5, 1, 0.5, 0.2, 0, 0, 0, 3, -3, 0.5, -1, -1, 0, 0, 0, 0, 0, 0.0])


@dataclass(frozen=True)
class Series:
    """The scans of one patient: days since the first, sizes at or above the floor."""

    study: str
    day: Floats
    size_mm: Floats


def read(path: Path) -> list[Series]:
    """Read the table by the protocol: too small is the floor, what has no size or day is left out."""
    rows: dict[tuple[str, str, str], dict[float, float]] = {}
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if not row["time_days"] or row["measurement_status"] in ("not_evaluable", "missing"):
                continue
            small = row["measurement_status"] == "too_small_to_measure"
            size = FLOOR_MM if small else max(float(row["longest_diameter_mm"]), FLOOR_MM)
            scans = rows.setdefault((row["study"], row["arm"], row["patient_id"]), {})
            scans.setdefault(float(row["time_days"]), size)
    found = []
    for (study, _, _), scans in rows.items():
        days = np.array(sorted(scans))
        found.append(Series(study, days - days[0], np.array([scans[day] for day in days])))
    return found


def _unpack(x: Floats) -> Process:
    positive = np.exp(np.clip(x[: len(POSITIVE)], -16.0, 8.0))
    values = dict(zip(POSITIVE, positive, strict=True)) | dict(zip(FREE, x[len(POSITIVE) :], strict=True))
    values["degrees_of_freedom"] += LEAST_FREEDOM
    return Process(**{name: float(value) for name, value in values.items()})


def fit_process(series: Sequence[Series], start: Process = START) -> Process:
    """Maximum likelihood of the changes since the first scan, with weak priors on the logarithms."""
    used = [one for one in series if one.day.size > 1]
    longest = max(one.day.size for one in used) - 1
    month, change = np.zeros((2, len(used), longest))
    known = np.zeros((len(used), longest), dtype=bool)
    for row, one in enumerate(used):
        z = to_scale(one.size_mm, EXPONENT)
        month[row, : z.size - 1] = one.day[1:] / MONTH_DAYS
        change[row, : z.size - 1] = z[1:] - z[0]
        known[row, : z.size - 1] = True
    count = known.sum(axis=1)
    both = known[:, :, None] & known[:, None, :]
    eye = np.eye(longest)
    prior = _pack(START)

    def loss(x: Floats) -> float:
        process = _unpack(x)
        covariance = process.covariance(month, month) + process.measurement_variance * (1.0 + eye)
        root = np.linalg.cholesky(np.where(both, covariance, eye))
        residual = np.where(known, change - process.mean(month), 0.0)
        squares = (np.linalg.solve(root, residual[:, :, None])[:, :, 0] ** 2).sum(axis=1)
        log_root = np.log(np.diagonal(root, axis1=1, axis2=2)).sum(axis=1)
        nu = process.degrees_of_freedom
        likelihood = (
            special.gammaln((nu + count) / 2) - special.gammaln(nu / 2) - count / 2 * math.log(nu * math.pi)
            - log_root - (nu + count) / 2 * np.log1p(squares / nu)
        )  # fmt: skip
        penalty = 0.5 * np.sum(((x - prior)[: len(POSITIVE)] / PRIOR_SD) ** 2)
        return float(penalty - likelihood.sum())

    found = optimize.minimize(loss, _pack(start), method="L-BFGS-B", options={"maxiter": 80})
    return _unpack(found.x)


def _pack(process: Process) -> Floats:
    log = [
        math.log(getattr(process, name) - (LEAST_FREEDOM if name == "degrees_of_freedom" else 0.0)) for name in POSITIVE
    ]
    return np.array([*log, *(getattr(process, name) for name in FREE)])


@dataclass(frozen=True)
class Cases:
    """One forecast a row: the state, what was seen, and which patient, count and horizon it is."""

    state: State
    seen_mm: Floats
    patient: NDArray[np.int64]
    ahead: NDArray[np.int64]
    is_last: NDArray[np.bool_]
    nadir_mm: Floats

    def pick(self, rows: NDArray[np.bool_]) -> "Cases":
        """Return some of the rows."""
        state = State(**{f.name: getattr(self.state, f.name)[rows] for f in fields(State)})
        rest = {f.name: getattr(self, f.name)[rows] for f in fields(self) if f.name != "state"}
        return Cases(state=state, **rest)


def cases(series: Sequence[Series], process: Process, counts: Iterable[int], furthest: int = 10**6) -> Cases:
    """Forecasts of every later scan (up to ``furthest`` ahead) after the first ``counts`` scans."""
    states: list[State] = []
    rest: list[tuple[Floats, Floats, Floats, Floats, Floats]] = []
    for patient, one in enumerate(series):
        for count in counts:
            later = slice(count, min(one.day.size, count + furthest))
            seen = one.size_mm[later]
            if seen.size == 0:
                continue
            states.append(observe(process, EXPONENT, one.day[:count], one.size_mm[:count], one.day[later]))
            full = np.ones(seen.size)
            ahead = np.arange(seen.size)
            nadir = one.size_mm[:count].min()
            rest.append((seen, full * patient, ahead, ahead + count == one.day.size - 1, full * nadir))
    state = State(**{f.name: np.concatenate([getattr(s, f.name) for s in states]) for f in fields(State)})
    seen, patient_, ahead_, last, nadir_ = (np.concatenate(column) for column in zip(*rest, strict=True))
    return Cases(state, seen, patient_.astype(int), ahead_.astype(int), last.astype(bool), nadir_)


def _mixture(x: Floats) -> Mixture:
    first, second = len(REPEAT_TERMS), len(REPEAT_TERMS) + len(VANISH_TERMS)
    return Mixture(
        repeat=x[:first], vanish=x[first:second], scale=x[second : second + len(SCALE_TERMS)], log_freedom=float(x[-1])
    )


def fit_mixture(training: Cases) -> Mixture:
    """Fit the mixture by penalized likelihood; the nearer the forecast scan the more it weighs."""
    state, seen = training.state, training.seen_mm
    z = to_scale(seen, EXPONENT)
    again = seen == state.last_mm
    gone = ~again & (seen <= FLOOR_MM)
    weight = 1.0 / (1.0 + training.ahead)
    repeat, vanish, scale = design(state, EXPONENT)
    at_floor = state.last_mm <= FLOOR_MM

    def loss(x: Floats) -> float:
        mixture = _mixture(x)
        a = mixture.repeat @ repeat
        b = np.where(at_floor, -50.0, mixture.vanish @ vanish)
        total = np.logaddexp(0.0, np.logaddexp(a, b))
        spread = state.scale * np.exp(mixture.scale @ scale)
        freedom = np.maximum(state.freedom * math.exp(mixture.log_freedom), 1.05)
        u = (z - state.location) / spread
        moved = (
            special.gammaln((freedom + 1) / 2) - special.gammaln(freedom / 2) - 0.5 * np.log(freedom * np.pi)
            - np.log(spread) - (freedom + 1) / 2 * np.log1p(u**2 / freedom)
        )  # fmt: skip
        likelihood = np.where(again, a, np.where(gone, b, moved)) - total
        return float(np.sum((x - START_MIXTURE) ** 2) - np.sum(weight * likelihood))

    return _mixture(optimize.minimize(loss, START_MIXTURE, method="L-BFGS-B", options={"maxiter": 80}).x)


def fit(series: Sequence[Series], start: Process = START) -> Model:
    """Fit the process to whole series, then the mixture to every forecast inside them."""
    process = fit_process(series, start)
    longest = max(one.day.size for one in series)
    mixture = fit_mixture(cases(series, process, range(1, longest), FURTHEST_SCAN))
    return Model(exponent=EXPONENT, process=process, mixture=mixture)


def predict(model: Model, found: Cases) -> Predictive:
    """Return the predictive distribution of every case."""
    return mix(model.mixture, found.state, model.exponent)


def process_only(found: Cases) -> tuple[Floats, Floats, Floats]:
    """Median and 90 % limits of the t process without the mixture, mm."""
    state = found.state
    reach = stats.t.ppf(0.95, state.freedom) * state.scale
    z = (state.location, state.location - reach, state.location + reach)
    median, lower, upper = (np.maximum(from_scale(value, EXPONENT), FLOOR_MM) for value in z)
    return median, lower, upper
