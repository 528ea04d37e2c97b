"""Measures of performance against known numbers, SciPy and properties."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize, special, stats

from simulation.outcome import performance

pairs = st.lists(st.tuples(st.booleans(), st.integers(0, 10)), min_size=4, max_size=40).filter(
    lambda rows: len({event for event, _ in rows}) == 2
)


def simulated(n: int, intercept: float, slope: float, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Outcomes whose true logit is intercept + slope * predicted logit."""
    rng = np.random.Generator(np.random.Philox(seed))
    logit = rng.normal(-0.5, 1.2, n)
    return rng.random(n) < special.expit(intercept + slope * logit), special.expit(logit)


@given(pairs)
def test_the_area_is_the_scaled_mann_whitney_statistic(rows: list[tuple[bool, int]]) -> None:
    event, score = np.array([e for e, _ in rows]), np.array([s for _, s in rows], float)
    area, interval = performance.auc(event, score)
    peer = stats.mannwhitneyu(score[event], score[~event], method="asymptotic").statistic
    assert area == pytest.approx(peer / (event.sum() * (~event).sum()))
    assert performance.auc(event, -score)[0] == pytest.approx(1.0 - area)
    if interval is not None:
        assert 0.0 <= interval.lower <= area <= interval.upper <= 1.0


def test_delong_on_a_hand_worked_sample() -> None:
    # Placements: cases 0.8, 0.4 against controls 0.6, 0.3, 0.2 -> V10 = (1, 2/3), V01 = (1/2, 1, 1).
    area, interval = performance.auc([1, 1, 0, 0, 0], [0.8, 0.4, 0.6, 0.3, 0.2])
    assert area == pytest.approx(5 / 6)
    error = np.sqrt(np.var([1, 2 / 3], ddof=1) / 2 + np.var([0.5, 1, 1], ddof=1) / 3)
    reach = stats.norm.ppf(0.975) * error / (area * (1 - area))
    assert interval is not None
    assert interval.lower == pytest.approx(special.expit(special.logit(area) - reach))


def test_the_delong_interval_covers() -> None:
    truth = stats.norm.cdf(1.0 / np.sqrt(2.0))
    hits = 0
    for seed in range(200):
        rng = np.random.Generator(np.random.Philox(seed))
        score = np.concatenate((rng.normal(1, 1, 40), rng.normal(0, 1, 60)))
        _, interval = performance.auc([1] * 40 + [0] * 60, score)
        assert interval is not None
        hits += interval.lower <= truth <= interval.upper
    assert 183 <= hits <= 198


def test_perfect_and_single_member_areas_have_no_interval() -> None:
    assert performance.auc([1, 1, 0, 0], [4, 3, 2, 1]) == (1.0, None)
    assert performance.auc([1, 0, 0], [2, 1, 3])[1] is None
    with pytest.raises(ValueError, match="both outcomes"):
        performance.auc([1, 1], [1, 2])


def test_brier() -> None:
    assert performance.brier([1, 0, 1, 0], [1.0, 0.0, 1.0, 0.0]) == (0.0, 1.0)
    assert performance.brier([1, 0], [0.5, 0.5]) == (0.25, 0.0)
    assert np.isnan(performance.brier([1, 1], [0.5, 0.5])[1])


@pytest.mark.parametrize(("intercept", "slope"), [(0.0, 1.0), (0.7, 1.0), (-0.4, 0.5)])
def test_calibration_finds_the_line_that_made_the_data(intercept: float, slope: float) -> None:
    event, chance = simulated(20_000, intercept, slope)
    line = performance.calibration_line(event, chance)
    assert line.intercept == pytest.approx(intercept, abs=0.06)
    assert line.slope == pytest.approx(slope, abs=0.06)
    assert line.slope_interval.lower < slope < line.slope_interval.upper


def test_calibration_is_the_maximum_of_the_likelihood() -> None:
    event, chance = simulated(300, 0.3, 0.8)
    logit = special.logit(chance)

    def loss(x: np.ndarray) -> float:
        return -float(np.sum(special.log_expit(np.where(event, 1, -1) * (x[0] + x[1] * logit))))

    peer = optimize.minimize(loss, [0.0, 1.0], method="BFGS")
    line = performance.calibration_line(event, chance)
    assert [line.intercept, line.slope] == pytest.approx(peer.x, abs=1e-4)
    assert line.log_likelihood_both == pytest.approx(-peer.fun)
    assert line.log_likelihood_unchanged <= line.log_likelihood_intercept <= line.log_likelihood_both
    errors = np.sqrt(np.diag(peer.hess_inv))
    assert (line.slope_interval.upper - line.slope_interval.lower) / 3.92 == pytest.approx(errors[1], rel=0.1)


@pytest.mark.parametrize(
    ("event", "chance"),
    [([1, 1, 1], [0.2, 0.3, 0.4]), ([1, 0, 1], [0.5, 0.5, 0.5]), ([0, 0, 1, 1], [0.1, 0.2, 0.8, 0.9])],
)
def test_calibration_that_does_not_exist_is_refused(event: list[int], chance: list[float]) -> None:
    with pytest.raises(ValueError, match=r"both outcomes|separate"):
        performance.calibration_line(event, chance)


@given(pairs, st.integers(1, 12))
def test_the_curve_holds_every_patient_once(rows: list[tuple[bool, int]], groups: int) -> None:
    event, chance = np.array([e for e, _ in rows]), np.array([s / 10 for _, s in rows])
    points = performance.calibration_curve(event, chance, groups=groups)
    assert len(points) <= groups
    assert sum(point.n for point in points) == len(rows)
    assert sum(point.n * point.observed for point in points) == pytest.approx(event.sum())
    assert all(a.predicted < b.predicted for a, b in itertools.pairwise(points))
    assert all(p.interval.lower - 1e-9 <= p.observed <= p.interval.upper + 1e-9 for p in points)


@given(pairs, st.integers(1, 30), st.integers(0, 8))
def test_small_groups_are_merged_with_their_neighbors(rows: list[tuple[bool, int]], least: int, of_each: int) -> None:
    event, chance = np.array([e for e, _ in rows]), np.array([s / 10 for _, s in rows])
    points = performance.calibration_curve(event, chance, least_patients=least, least_of_each=of_each)
    assert sum(point.n for point in points) == len(rows)
    assert sum(point.n * point.observed for point in points) == pytest.approx(event.sum())
    assert all(a.predicted < b.predicted for a, b in itertools.pairwise(points))
    for point in points if len(points) > 1 else ():
        with_it = round(point.n * point.observed)
        assert point.n >= least
        assert min(with_it, point.n - with_it) >= of_each


def test_decision_curve_by_hand() -> None:
    curve = performance.decision_curve([1, 1, 0, 0, 0], [0.9, 0.3, 0.6, 0.2, 0.1], [0.25, 0.5])
    assert curve.model == pytest.approx([2 / 5 - 1 / 5 / 3, 1 / 5 - 1 / 5])
    assert curve.everyone == pytest.approx([2 / 5 - 3 / 5 / 3, 2 / 5 - 3 / 5])
    with pytest.raises(ValueError, match="thresholds"):
        performance.decision_curve([1, 0], [0.5, 0.5], [1.0])


@given(pairs)
def test_treating_at_almost_no_threshold_is_treating_everyone(rows: list[tuple[bool, int]]) -> None:
    event, chance = [e for e, _ in rows], [0.1 + s / 20 for _, s in rows]
    curve = performance.decision_curve(event, chance, [0.05])
    assert curve.model == pytest.approx(curve.everyone)


@pytest.mark.parametrize(
    ("intercept", "slope", "method"),
    [(0.0, 1.0, "unchanged"), (0.6, 1.0, "intercept"), (0.0, 0.4, "intercept_and_slope")],
)
def test_recalibration_proposes_as_little_as_the_data_ask_for(intercept: float, slope: float, method: str) -> None:
    event, chance = simulated(3000, intercept, slope, seed=4)
    proposal = performance.propose_recalibration(event, chance)
    assert proposal.method == method
    assert proposal.slope == pytest.approx(slope, abs=0.1)
    assert proposal.intercept == pytest.approx(intercept, abs=0.12)


def test_small_subgroups_are_suppressed() -> None:
    found = performance.by_group(["a", "b", "a", "a"], lambda rows: rows.tolist(), minimum=2)
    assert found == {"a": (3, [0, 2, 3]), "b": (1, None)}


@given(st.lists(st.floats(0, 1000), min_size=1, max_size=50), st.integers(1, 8), st.integers(1, 20))
def test_windows_are_in_time_order_and_large_enough(times: list[float], windows: int, minimum: int) -> None:
    found = performance.drift_windows(times, windows, minimum=minimum)
    assert sorted(np.concatenate(found)) == list(range(len(times)))
    ordered = np.array(times)[np.concatenate(found)]
    assert np.all(np.diff(ordered) >= 0)
    assert len(found) == 1 or min(part.size for part in found) >= minimum


@pytest.mark.parametrize(("event", "value"), [([], []), ([1, 0], [0.5]), ([2, 0], [0.5, 0.5]), ([1, 0], [0.5, np.nan])])
def test_what_is_no_sample_is_refused(event: list[int], value: list[float]) -> None:
    with pytest.raises(ValueError, match="outcome"):
        performance.brier(event, value)
