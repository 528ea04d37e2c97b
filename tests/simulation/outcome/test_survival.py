"""Survival estimates against SciPy, closed forms and properties."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from simulation.outcome import survival

# Remission of leukemia on 6-mercaptopurine, weeks (Freireich 1963, doi 10.1182/blood.V21.6.699.699), a textbook sample.
TREATED = [6, 6, 6, 7, 10, 13, 16, 22, 23, 6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35]
REMITTED = [1] * 9 + [0] * 12
PLACEBO = [1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23]

samples = st.lists(st.tuples(st.integers(1, 30), st.booleans()), min_size=1, max_size=40)


def test_textbook_sample() -> None:
    curve = survival.kaplan_meier(TREATED, REMITTED)
    assert curve.at([6, 7, 10, 23]) == pytest.approx([0.857, 0.807, 0.753, 0.448], abs=5e-4)
    assert survival.median(curve) == (23.0, 13.0, None)
    placebo = survival.kaplan_meier(PLACEBO, [1] * 21)
    assert survival.median(placebo)[0] == 8.0
    assert list(curve.numbers_at_risk([0, 6, 10, 22.5, 36])) == [21, 21, 15, 6, 0]


def test_log_rank_of_the_textbook_sample() -> None:
    statistic, p = survival.log_rank((TREATED, REMITTED), (PLACEBO, [1] * 21))
    assert statistic**2 == pytest.approx(16.79, abs=0.01)
    assert p == pytest.approx(4.17e-5, rel=0.01)


@given(samples)
def test_it_agrees_with_scipy(data: list[tuple[int, bool]]) -> None:
    times, events = np.array([t for t, _ in data], float), np.array([e for _, e in data])
    curve = survival.kaplan_meier(times, events)
    peer = stats.ecdf(stats.CensoredData.right_censored(times, ~events)).sf
    assert curve.at(times) == pytest.approx(peer.evaluate(times), abs=1e-12, nan_ok=True)
    assert np.all(np.diff(curve.survival) <= 0)
    assert np.all(curve.lower <= curve.survival + 1e-12)
    assert np.all(curve.survival <= curve.upper + 1e-12)
    assert list(curve.numbers_at_risk(curve.time)) == list(curve.at_risk)


def test_log_log_limits_agree_with_scipy() -> None:
    times, events = np.array(TREATED, float), np.array(REMITTED, bool)
    curve = survival.kaplan_meier(times, events)
    interval = stats.ecdf(stats.CensoredData.right_censored(times, ~events)).sf.confidence_interval(method="log-log")
    inside = curve.survival < 1.0
    assert curve.lower[inside] == pytest.approx(interval.low.probabilities[inside])
    assert curve.upper[inside] == pytest.approx(interval.high.probabilities[inside])


@given(st.lists(st.integers(1, 50), min_size=1, max_size=30))
def test_without_censoring_the_restricted_mean_is_the_mean(times: list[int]) -> None:
    curve = survival.kaplan_meier(times, [1] * len(times))
    assert survival.restricted_mean(curve, float(max(times)))[0] == pytest.approx(np.mean(times))


def test_the_error_of_the_restricted_mean_of_a_plain_sample() -> None:
    times = np.arange(1.0, 101.0)
    error = survival.restricted_mean(survival.kaplan_meier(times, np.ones(100)), 100.0)[1]
    assert error == pytest.approx(np.std(times) / 10.0, rel=0.02)


def test_the_curve_is_unknown_beyond_the_last_censored_patient() -> None:
    curve = survival.kaplan_meier([2, 5], [1, 0])
    assert math.isnan(curve.at([6.0])[0])
    assert survival.kaplan_meier([2, 5], [1, 1]).at([6.0])[0] == 0.0
    with pytest.raises(ValueError, match="horizon"):
        survival.restricted_mean(curve, 6.0)


@pytest.mark.parametrize(("times", "events"), [([], []), ([1.0], [1, 0]), ([-1.0], [1]), ([math.nan], [1])])
def test_bad_samples_are_refused(times: list[float], events: list[int]) -> None:
    with pytest.raises(ValueError, match="times"):
        survival.kaplan_meier(times, events)


def test_concordance_by_hand() -> None:
    index, interval = survival.concordance([1, 2, 3, 4], [1, 1, 0, 1], [4, 2, 3, 1])
    assert index == pytest.approx(4 / 5)
    assert interval is not None
    assert interval.lower < index < interval.upper
    assert survival.concordance([1, 2, 3], [1, 1, 1], [3, 2, 1]) == (1.0, None)
    assert survival.concordance([1, 2, 3], [1, 1, 1], [0, 0, 0])[0] == 0.5


def test_the_interval_of_the_concordance_has_the_size_of_the_bootstrap() -> None:
    rng = np.random.Generator(np.random.Philox(1))
    risk = rng.normal(size=200)
    times = rng.exponential(np.exp(-risk))
    events = rng.random(200) < 0.7
    index, interval = survival.concordance(times, events, risk)
    drawn = []
    for _ in range(100):
        pick = rng.integers(0, 200, 200)
        drawn.append(survival.concordance(times[pick], events[pick], risk[pick])[0])
    assert interval is not None
    assert (interval.upper - interval.lower) / 3.92 == pytest.approx(np.std(drawn), rel=0.25)
    assert interval.lower < index < interval.upper


@given(samples, st.integers(0, 2**32))
def test_reversing_the_risk_mirrors_the_concordance(data: list[tuple[int, bool]], seed: int) -> None:
    times, events = [t for t, _ in data], [e for _, e in data]
    risk = np.random.Generator(np.random.Philox(seed)).integers(0, 5, len(data)).astype(float)
    try:
        index, _ = survival.concordance(times, events, risk)
    except ValueError:
        return
    assert survival.concordance(times, events, -risk)[0] == pytest.approx(1.0 - index)


def test_concordance_refuses_what_cannot_be_ordered() -> None:
    with pytest.raises(ValueError, match="pair"):
        survival.concordance([1, 2], [0, 0], [1, 2])
    with pytest.raises(ValueError, match="risk"):
        survival.concordance([1, 2], [1, 0], [1, math.nan])
