"""What the forecast model is compared with: each fits on some patients and predicts others' scans.

A rival answers the median and, where it has them, the 90 % limits of every case, in mm.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from forecast_fitting import EXPONENT, Cases, Floats, Series, cases, predict, process_only
from scipy import optimize, special, stats
from scipy.stats import qmc

from simulation.forecast_mixture import FLOOR_MM, Model
from simulation.forecast_process import from_scale

Answer = tuple[Floats, Floats | None, Floats | None]
Rival = Callable[[Sequence[Series], Sequence[Series], Cases, Model], Answer]

LIMITS_MM = (0.5, 500.0)
DRAWS = 256
ROUNDING_SHARE_MM = 0.6


def locf(training: Sequence[Series], test: Sequence[Series], asked: Cases, model: Model) -> Answer:
    """Carry the last observation forward."""
    return asked.state.last_mm, None, None


def log_linear(training: Sequence[Series], test: Sequence[Series], asked: Cases, model: Model) -> Answer:
    """Fit the logarithm by least squares on time; one scan is carried forward."""
    found = []
    for patient, count, ahead in _keys(asked):
        one = test[patient]
        if count == 1:
            found.append(one.size_mm[0])
            continue
        slope, intercept = np.polyfit(one.day[:count], np.log(one.size_mm[:count]), 1)
        found.append(np.exp(intercept + slope * one.day[count + ahead]))
    return np.clip(found, *LIMITS_MM), None, None


def process_alone(training: Sequence[Series], test: Sequence[Series], asked: Cases, model: Model) -> Answer:
    """Answer with the Student-t process, without repeats and disappearance."""
    return process_only(asked)


def mixture(training: Sequence[Series], test: Sequence[Series], asked: Cases, model: Model) -> Answer:
    """Answer with the model that is shipped."""
    found = predict(model, asked)
    return found.quantile(0.5), found.quantile(0.05), found.quantile(0.95)


def median_regression(training: Sequence[Series], test: Sequence[Series], asked: Cases, model: Model) -> Answer:
    """Fit by least absolute deviations on the process median's growth and shrinkage, added to the last value."""
    known = cases(training, model.process, range(2, 7), 6)
    weight = 1.0 / (1.0 + known.ahead)
    columns, target = _shifts(known), known.seen_mm - known.state.last_mm
    beta = np.zeros(columns.shape[1])
    for _ in range(60):
        scaled = columns * (weight / np.maximum(np.abs(target - columns @ beta), 0.05))[:, None]
        beta = np.linalg.solve(scaled.T @ columns + 0.02 * target.size * np.eye(beta.size), scaled.T @ target)
    return np.maximum(asked.state.last_mm + _shifts(asked) @ beta, FLOOR_MM), None, None


def _shifts(found: Cases) -> Floats:
    state = found.state
    shift = np.maximum(from_scale(state.location, EXPONENT), FLOOR_MM) - state.last_mm
    early = np.exp(-state.days_observed / 60.0)
    return np.column_stack((np.maximum(shift, 0.0), np.minimum(shift, 0.0), early * np.minimum(shift, 0.0)))


@dataclass(frozen=True)
class _Draws:
    """Draws of the rates (per month) and of the shrinking share, from the population."""

    decay: Floats
    growth: Floats
    share: Floats

    def log_size(self, month: Floats) -> Floats:
        t = month[:, None]
        shrinking = self.share * np.exp(-np.minimum(self.decay * t, 30.0))
        return np.log(shrinking + (1.0 - self.share) * np.exp(np.minimum(self.growth * t, 5.0)))


_START = np.array([np.log(0.3), np.log(0.03), 0.0, 0.0, 0.0, 0.0, np.log(0.3), np.log(3.0), np.log(0.3)])
_NORMAL = stats.norm.ppf(qmc.Sobol(3, seed=np.random.Generator(np.random.Philox(1))).random(DRAWS))


def _population(x: Floats) -> _Draws:
    scaled = x[:3] + np.exp(x[3:6]) * _NORMAL
    return _Draws(np.exp(scaled[:, 0]), np.exp(scaled[:, 1]), special.expit(scaled[:, 2]))


def _steps(series: Sequence[Series]) -> tuple[Floats, Floats, Floats, Floats]:
    rows = [(one.day[:-1] / 30.0, one.day[1:] / 30.0, one.size_mm[:-1], one.size_mm[1:]) for one in series]
    before, after, size, next_size = (np.concatenate(column) for column in zip(*rows, strict=True))
    return before, after, size, next_size


def _step_likelihood(x: Floats, draws: _Draws, steps: tuple[Floats, Floats, Floats, Floats]) -> Floats:
    before, after, size, next_size = steps
    moved = draws.log_size(after) - draws.log_size(before)
    spread = np.sqrt(np.exp(2 * x[6]) * (after - before + np.exp(x[8])) + (ROUNDING_SHARE_MM / size) ** 2)[:, None]
    freedom = np.exp(x[7]) + 1.5
    u = (np.log(next_size / size)[:, None] - moved) / spread
    return (
        special.gammaln((freedom + 1) / 2) - special.gammaln(freedom / 2) - 0.5 * np.log(freedom * np.pi)
        - np.log(spread) - (freedom + 1) / 2 * np.log1p(u**2 / freedom)
    )  # fmt: skip


def hierarchical(training: Sequence[Series], test: Sequence[Series], asked: Cases, model: Model) -> Answer:
    """Fit hierarchical Bayes bi-exponential drift with heavy-tailed steps, by importance sampling."""
    used = [one for one in training if one.day.size > 1]
    steps = _steps(used)
    starts = np.concatenate(([0], np.cumsum([one.day.size - 1 for one in used])[:-1]))

    def loss(x: Floats) -> float:
        each = np.add.reduceat(_step_likelihood(x, _population(x), steps), starts, axis=0)
        return float(0.5 * np.sum(((x - _START) / 2.0) ** 2) - np.sum(special.logsumexp(each, axis=1)))

    x = optimize.minimize(loss, _START, method="L-BFGS-B", options={"maxiter": 40}).x
    draws = _population(x)
    found = []
    for patient, count, ahead in _keys(asked):
        one = test[patient]
        log_weight = np.zeros(DRAWS)
        if count > 1:
            seen = Series(one.study, one.day[:count], one.size_mm[:count])
            log_weight = _step_likelihood(x, draws, _steps([seen])).sum(axis=0)
        moved = draws.log_size(one.day[count + ahead : count + ahead + 1] / 30.0) - draws.log_size(
            one.day[count - 1 : count] / 30.0
        )
        order = np.argsort(moved[0])
        weight = np.cumsum(np.exp(log_weight - log_weight.max())[order])
        middle = min(int(np.searchsorted(weight, 0.5 * weight[-1])), DRAWS - 1)
        found.append(one.size_mm[count - 1] * np.exp(moved[0][order][middle]))
    return np.maximum(found, FLOOR_MM), None, None


def _keys(asked: Cases) -> list[tuple[int, int, int]]:
    counts = asked.state.scan_count.astype(int)
    return list(zip(asked.patient.tolist(), counts.tolist(), asked.ahead.tolist(), strict=True))


RIVALS: dict[str, Rival] = {
    "last value": locf,
    "log-linear fit": log_linear,
    "hierarchical bi-exponential": hierarchical,
    "median regression": median_regression,
    "t process alone": process_alone,
    "t process with repeats": mixture,
}
SHIPPED = "t process with repeats"
