"""Intervals and arithmetic that the predictors share."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulation.predictors._answers import counted, points, published, wilson, wilson_difference
from simulation.predictors._arithmetic import logistic, logit, ratio

COUNTS = st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


def test_wilson_interval_of_the_literature() -> None:
    assert wilson(10, 29) == pytest.approx((0.199, 0.527), abs=5e-4)
    assert wilson(0, 20) == pytest.approx((0.0, 0.1611), abs=5e-4)
    assert wilson(30, 72) == pytest.approx((0.31, 0.53), abs=5e-3)


def test_newcombe_interval_of_the_literature() -> None:
    assert wilson_difference(56, 70, 48, 80) == pytest.approx((0.0524, 0.3339), abs=5e-5)


@given(COUNTS)
def test_wilson_holds_the_proportion_and_stays_in_range(count: tuple[int, int]) -> None:
    lower, upper = wilson(*count)
    assert 0.0 <= lower <= count[0] / count[1] + 1e-12
    assert count[0] / count[1] - 1e-12 <= upper <= 1.0


@given(COUNTS, COUNTS)
def test_difference_changes_sign_with_the_order_of_the_arms(one: tuple[int, int], other: tuple[int, int]) -> None:
    lower, upper = wilson_difference(*one, *other)
    assert wilson_difference(*other, *one) == pytest.approx((-upper, -lower), abs=1e-12)
    assert -1.0 - 1e-9 <= lower <= one[0] / one[1] - other[0] / other[1] + 1e-12
    assert upper <= 1.0 + 1e-9


@given(st.floats(-700, 700))
def test_logistic_is_a_probability_and_symmetric(x: float) -> None:
    assert 0.0 <= logistic(x) <= 1.0
    assert logistic(x) + logistic(-x) == pytest.approx(1.0, abs=1e-12)


@given(st.floats(0.001, 0.999))
def test_logit_undoes_logistic(p: float) -> None:
    assert logistic(logit(p)) == pytest.approx(p, abs=1e-12)


def test_a_ratio_that_prints_as_a_cut_off_is_the_cut_off() -> None:
    assert 6.6 / 2.2 != 3.0 or 0.3 / (0.4 - 0.3) != 3.0
    assert ratio(6.6, 2.2) == 3.0
    assert ratio(0.3, 0.4 - 0.3) == 3.0


def test_points_name_each_factor() -> None:
    score, shares = points(("a", True), ("b", False), ("c", True))
    assert score == 2
    assert [(share.input, share.value) for share in shares] == [("a", 1.0), ("b", 0.0), ("c", 1.0)]


def test_printed_and_counted_figures_carry_their_interval() -> None:
    answer = counted("objective_response", 9, 31, group="arm", note="Single arm.")
    assert answer.interval is not None
    assert answer.interval.lower < answer.value < answer.interval.upper
    assert answer.note == "9 of 31; the interval is computed (Wilson). Single arm."
    assert published("overall_survival", 0.72, "hazard_ratio").interval is None
    assert math.isclose(answer.value, 9 / 31)
