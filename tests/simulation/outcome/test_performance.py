"""Measures of performance against known numbers, SciPy and properties."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special, stats

from simulation.outcome import performance

pairs = st.lists(st.tuples(st.booleans(), st.integers(0, 10)), min_size=4, max_size=40).filter(
    lambda rows: len({event for event, _ in rows}) == 2
)


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


@given(pairs, st.data())
def test_whole_weights_are_copies_of_patients(rows: list[tuple[bool, int]], data: st.DataObject) -> None:
    event, chance = np.array([e for e, _ in rows]), np.array([s / 10 for _, s in rows])
    copies = np.array(data.draw(st.lists(st.integers(1, 4), min_size=len(rows), max_size=len(rows))))
    many, chances = np.repeat(event, copies), np.repeat(chance, copies)
    assert performance.auc(event, chance, weight=copies)[0] == pytest.approx(performance.auc(many, chances)[0])
    assert performance.brier(event, chance, weight=copies) == pytest.approx(performance.brier(many, chances))
    weighted, plain = (
        performance.decision_curve(*args, [0.2, 0.5], weight=weight)
        for args, weight in (((event, chance), copies), ((many, chances), None))
    )
    assert weighted.model == pytest.approx(plain.model)
    assert weighted.everyone == pytest.approx(plain.everyone)


@pytest.mark.parametrize("weight", [[1.0], [1.0, -1.0], [0.0, 0.0], [1.0, np.inf]])
def test_what_is_no_weight_is_refused(weight: list[float]) -> None:
    with pytest.raises(ValueError, match="weights"):
        performance.brier([1, 0], [0.5, 0.5], weight=weight)
