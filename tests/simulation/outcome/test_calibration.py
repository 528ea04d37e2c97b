"""Calibration against its own model, SciPy, properties and hand-worked weights."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize, special, stats

from simulation.outcome import calibration

pairs = st.lists(st.tuples(st.booleans(), st.integers(0, 10)), min_size=4, max_size=40).filter(
    lambda rows: len({event for event, _ in rows}) == 2
)


def simulated(n: int, intercept: float, slope: float, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Outcomes whose true logit is intercept + slope * predicted logit."""
    rng = np.random.Generator(np.random.Philox(seed))
    logit = rng.normal(-0.5, 1.2, n)
    return rng.random(n) < special.expit(intercept + slope * logit), special.expit(logit)


@pytest.mark.parametrize(("intercept", "slope"), [(0.0, 1.0), (0.7, 1.0), (-0.4, 0.5)])
def test_calibration_finds_the_line_that_made_the_data(intercept: float, slope: float) -> None:
    event, chance = simulated(20_000, intercept, slope)
    line = calibration.calibration_line(event, chance)
    assert line.intercept == pytest.approx(intercept, abs=0.06)
    assert line.slope == pytest.approx(slope, abs=0.06)
    assert line.slope_interval.lower < slope < line.slope_interval.upper


def test_calibration_is_the_maximum_of_the_likelihood() -> None:
    event, chance = simulated(300, 0.3, 0.8)
    logit = special.logit(chance)

    def loss(x: np.ndarray) -> float:
        return -float(np.sum(special.log_expit(np.where(event, 1, -1) * (x[0] + x[1] * logit))))

    peer = optimize.minimize(loss, [0.0, 1.0], method="BFGS")
    line = calibration.calibration_line(event, chance)
    assert [line.intercept, line.slope] == pytest.approx(peer.x, abs=1e-4)
    one = optimize.minimize_scalar(lambda shift: loss(np.array([shift, 1.0])))
    assert line.p_perfect == pytest.approx(stats.chi2.sf(2 * (loss(np.array([0.0, 1.0])) - peer.fun), 2))
    assert line.p_slope == pytest.approx(stats.chi2.sf(2 * (one.fun - peer.fun), 1), rel=1e-4)
    errors = np.sqrt(np.diag(peer.hess_inv))
    assert (line.slope_interval.upper - line.slope_interval.lower) / 3.92 == pytest.approx(errors[1], rel=0.1)


@pytest.mark.parametrize(
    ("event", "chance"),
    [([1, 1, 1], [0.2, 0.3, 0.4]), ([1, 0, 1], [0.5, 0.5, 0.5]), ([0, 0, 1, 1], [0.1, 0.2, 0.8, 0.9])],
)
def test_calibration_that_does_not_exist_is_refused(event: list[int], chance: list[float]) -> None:
    with pytest.raises(ValueError, match=r"both outcomes|separate"):
        calibration.calibration_line(event, chance)


@given(pairs, st.integers(1, 12))
def test_the_curve_holds_every_patient_once(rows: list[tuple[bool, int]], groups: int) -> None:
    event, chance = np.array([e for e, _ in rows]), np.array([s / 10 for _, s in rows])
    points = calibration.calibration_curve(event, chance, groups=groups)
    assert len(points) <= groups
    assert sum(point.n for point in points) == len(rows)
    assert sum(point.n * point.observed for point in points) == pytest.approx(event.sum())
    assert all(a.predicted < b.predicted for a, b in itertools.pairwise(points))
    assert all(p.interval.lower - 1e-9 <= p.observed <= p.interval.upper + 1e-9 for p in points)


@given(pairs, st.integers(1, 30), st.integers(0, 8))
def test_small_groups_are_merged_with_their_neighbors(rows: list[tuple[bool, int]], least: int, of_each: int) -> None:
    event, chance = np.array([e for e, _ in rows]), np.array([s / 10 for _, s in rows])
    points = calibration.calibration_curve(event, chance, least_patients=least, least_of_each=of_each)
    assert sum(point.n for point in points) == len(rows)
    assert sum(point.n * point.observed for point in points) == pytest.approx(event.sum())
    assert all(a.predicted < b.predicted for a, b in itertools.pairwise(points))
    for point in points if len(points) > 1 else ():
        with_it = round(point.n * point.observed)
        assert point.n >= least
        assert min(with_it, point.n - with_it) >= of_each


@pytest.mark.parametrize(
    ("intercept", "slope", "method"),
    [(0.0, 1.0, "unchanged"), (0.6, 1.0, "intercept"), (0.0, 0.4, "intercept_and_slope")],
)
def test_recalibration_proposes_as_little_as_the_data_ask_for(intercept: float, slope: float, method: str) -> None:
    event, chance = simulated(3000, intercept, slope, seed=4)
    proposal = calibration.propose_recalibration(event, chance)
    assert proposal.method == method
    assert proposal.slope == pytest.approx(slope, abs=0.1)
    assert proposal.intercept == pytest.approx(intercept, abs=0.12)


def test_weights_that_count_patients_twice_find_the_line_of_the_doubled_sample() -> None:
    event, chance = simulated(300, 0.3, 0.8)
    twice = np.arange(300) % 3 == 0
    doubled = calibration.calibration_line(np.append(event, event[twice]), np.append(chance, chance[twice]))
    line = calibration.calibration_line(event, chance, weight=1.0 + twice)
    assert (line.intercept, line.slope) == pytest.approx((doubled.intercept, doubled.slope))
    assert line.in_the_large == pytest.approx(doubled.in_the_large)
    width, doubled_width = (x.slope_interval.upper - x.slope_interval.lower for x in (line, doubled))
    assert width > doubled_width  # the second copy is no second patient


def test_patients_without_weight_change_nothing() -> None:
    event, chance = simulated(300, 0.3, 0.8)
    line = calibration.calibration_line(event, chance, weight=np.ones(300))
    more = calibration.calibration_line(
        np.append(event, event), np.append(chance, chance[::-1]), weight=np.repeat([1.0, 0.0], 300)
    )
    assert line == more


def test_the_weighted_test_rejects_a_true_model_as_seldom_as_it_says() -> None:
    hits = 0
    for seed in range(300):
        event, chance = simulated(150, 0.0, 1.0, seed)
        weight = np.where(np.random.Generator(np.random.Philox(seed + 1000)).random(150) < 0.5, 0.0, 2.0)
        hits += calibration.propose_recalibration(event, chance, weight=weight).method != "unchanged"
    assert 5 <= hits <= 35
