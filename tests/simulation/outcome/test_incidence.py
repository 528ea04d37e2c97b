"""Cumulative incidence against the Kaplan-Meier estimate and against counting."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from simulation.outcome.incidence import censoring_weights, cumulative_incidence, variance_between_groups, wilson
from simulation.outcome.survival import kaplan_meier

PEOPLE = st.lists(st.tuples(st.integers(0, 12), st.booleans()), min_size=2, max_size=40)


ONE_SET = np.zeros(1, dtype=np.int64)


@given(PEOPLE)
def test_it_is_one_minus_kaplan_meier_and_the_share_weighted_for_censoring(people):
    time = np.array([float(day) for day, _ in people])
    event = np.array([had for _, had in people])
    curve = kaplan_meier(time, event)
    days = np.arange(0.0, time.max() + 1.0)
    found = cumulative_incidence(time, event, np.repeat(ONE_SET, time.size), days)
    known = ~np.isnan(curve.at(days))
    assert found.probability[known] == pytest.approx(1.0 - curve.at(days)[known], abs=1e-12)
    weighted = (censoring_weights(time, event)[:, None] * (event[:, None] & (time[:, None] <= days))).mean(axis=0)
    assert found.probability == pytest.approx(weighted, abs=1e-12)
    assert np.all(np.diff(found.probability) >= 0.0)
    assert np.all((found.lower <= found.probability) & (found.probability <= found.upper))


def test_with_censoring_and_one_set_it_is_wilsons_interval_of_greenwoods_variance():
    random = np.random.default_rng(1)
    death, left = random.exponential(10.0, 300).round(1), random.exponential(20.0, 300).round(1)
    time, event = np.minimum(death, left), death <= left
    curve = kaplan_meier(time, event)
    for day in (1.0, 5.0, 15.0):
        step = np.searchsorted(curve.time, day, side="right") - 1
        survival, variance = curve.survival[step], curve.greenwood_variance[step]
        expected = wilson(1.0 - survival[None], (survival * (1.0 - survival) / variance)[None], 0.9)
        found = cumulative_incidence(time, event, np.repeat(ONE_SET, 300), [day], level=0.9)
        assert (found.lower[0], found.upper[0]) == pytest.approx((expected[0][0], expected[1][0]), abs=1e-9)


@given(PEOPLE, st.integers(1, 5))
def test_limits_never_fall_and_are_never_narrower_than_those_of_one_day(people, sets):
    time = np.array([float(day) for day, _ in people])
    event = np.array([had for _, had in people])
    group = np.arange(time.size) % sets
    days = np.arange(14.0)
    found = cumulative_incidence(time, event, group, days)
    assert np.all(np.diff(found.lower) >= 0.0)
    assert np.all(np.diff(found.upper) >= 0.0)
    for i, day in enumerate(days):
        alone = cumulative_incidence(time, event, group, [day])
        assert found.lower[i] <= alone.lower[0] + 1e-12
        assert found.upper[i] >= alone.upper[0] - 1e-12


def test_sets_that_die_at_other_rates_widen_a_censored_curve():
    """Exponential times with a log-normal rate in each of many sets: the spread of the sets' own curves is known."""
    random = np.random.default_rng(2)
    group = np.repeat(np.arange(100), 200)
    rate = 0.1 * np.exp(random.normal(0.0, 0.3, 100))
    death, left = random.exponential(1.0 / rate[group]), random.exponential(15.0, group.size)
    found = cumulative_incidence(np.minimum(death, left), death <= left, group, [7.0], level=0.9)
    own = 1.0 - np.exp(-7.0 * rate)
    half = stats.norm.ppf(0.95) * np.sqrt(own.var(ddof=1) + own.mean() * (1.0 - own.mean()) / group.size)
    assert (found.upper[0] - found.lower[0]) / 2.0 == pytest.approx(half, rel=0.1)


def test_without_censoring_it_is_a_count_with_wilsons_interval():
    days = np.array([3.0, 5.0, np.inf, np.inf, 9.0])
    found = cumulative_incidence(days, np.isfinite(days), np.repeat(ONE_SET, 5), [0.0, 4.0, 9.0], level=0.9)
    assert found.probability == pytest.approx([0.0, 0.2, 0.6])
    expected = stats.binomtest(3, 5).proportion_ci(0.9, "wilson")
    assert (found.lower[-1], found.upper[-1]) == pytest.approx((expected.low, expected.high))


def test_parameter_sets_that_disagree_widen_the_interval():
    group = np.repeat(np.arange(20), 50)
    event = np.where(group % 2 == 0, 0.0, np.inf)
    one = np.zeros(group.size, dtype=np.int64)
    apart, together = (cumulative_incidence(event, np.isfinite(event), g, [0.0]) for g in (group, one))
    assert apart.upper[0] - apart.lower[0] > 3.0 * (together.upper[0] - together.lower[0])
    assert variance_between_groups(np.isfinite(event).astype(float), group) == pytest.approx(0.25, rel=0.2)


def test_small_sets_that_seem_to_agree_by_chance_do_not_make_the_interval_certain():
    """Between-set deviation 0.05, 10 patients a set: the estimate of its square is often negative."""
    random = np.random.default_rng(5)
    group = np.repeat(np.arange(200), 10)
    ideal = np.sqrt(0.05**2 + 0.4 * 0.6 / group.size) * stats.norm.ppf(0.95)
    halves = []
    for _ in range(200):
        probability = np.repeat(random.normal(0.4, 0.05, 200), 10)
        event = np.where(random.random(group.size) < probability, 0.0, np.inf)
        found = cumulative_incidence(event, np.isfinite(event), group, [0.0], level=0.9)
        halves.append((found.upper[0] - found.lower[0]) / 2.0)
    assert 0.5 * ideal < min(halves)
    assert np.median(halves) == pytest.approx(ideal, rel=0.2)
    assert max(halves) < 2.2 * ideal


def test_a_difference_that_nobody_shows_has_no_variance():
    assert variance_between_groups(np.zeros(40), np.repeat(np.arange(8), 5)) == 0.0


def test_one_event_in_a_small_set_is_no_sign_of_disagreement():
    event = np.full(200, np.inf)
    event[0] = 0.0
    found = cumulative_incidence(event, np.isfinite(event), np.append(0, np.arange(1, 200) // 2 + 1), [0.0])
    assert found.upper[0] < 0.05


def test_limits_stay_between_zero_and_one():
    lower, upper = wilson(np.array([0.0, 1.0]), np.array([3.5, 3.5]), 0.9)
    assert lower[0] == 0.0
    assert upper[1] == 1.0
    assert upper[0] > 0.0
    assert lower[1] < 1.0
