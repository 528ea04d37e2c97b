"""The predictive mixture: quantiles, tail probabilities, terms."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special

from simulation.forecast_mixture import (
    FLOOR_MM,
    REPEAT_TERMS,
    SCALE_TERMS,
    VANISH_TERMS,
    Predictive,
    design,
    observe,
)
from tests.simulation.test_forecast_process import PROCESS


def predictive(repeat: float = 0.3, vanish: float = 0.05, last: float = 30.0, shift: float = 0.05) -> Predictive:
    one = np.ones(1)
    return Predictive(
        exponent=0.0,
        last_mm=last * one,
        repeat=repeat * one,
        vanish=vanish * one,
        location=(np.log(last) + shift) * one,
        scale=0.2 * one,
        freedom=4.0 * one,
    )


shares = st.tuples(st.floats(0.0, 0.6), st.floats(0.0, 0.3), st.floats(2.0, 120.0), st.floats(-0.5, 0.5))


@given(shares, st.lists(st.floats(0.01, 0.99), min_size=2, max_size=6))
def test_quantiles_increase_with_the_level(share: tuple[float, float, float, float], levels: list[float]) -> None:
    found = predictive(*share)
    sizes = [found.quantile(level)[0] for level in sorted(levels)]
    assert all(a <= b + 1e-9 for a, b in itertools.pairwise(sizes))
    assert sizes[0] >= FLOOR_MM


@given(shares, st.floats(0.02, 0.98))
def test_quantiles_invert_the_tail_probability(share: tuple[float, float, float, float], level: float) -> None:
    found = predictive(*share)
    size = found.quantile(level)[0]
    slack = 1e-6 * size
    assert 1.0 - found.at_least(size + slack)[0] >= level - 1e-4
    if size > FLOOR_MM + slack:
        assert 1.0 - found.at_least(size - slack)[0] <= level + 1e-4


@given(shares)
def test_the_parts_add_up(share: tuple[float, float, float, float]) -> None:
    found = predictive(*share)
    total = found.not_measurable()[0] + found.at_least(np.nextafter(FLOOR_MM, 3.0))[0]
    assert total == pytest.approx(1.0, abs=1e-6)
    assert found.at_least([FLOOR_MM])[0] == 1.0


def test_a_large_share_of_repeats_makes_the_last_value_the_median() -> None:
    assert predictive(repeat=0.3, shift=0.03).quantile(0.5)[0] == pytest.approx(30.0)
    assert predictive(repeat=0.0, vanish=0.0, shift=0.03).quantile(0.5)[0] == pytest.approx(30.0 * np.exp(0.03))


def test_tail_of_the_process_alone() -> None:
    found = predictive(repeat=0.0, vanish=0.0, shift=0.0)
    assert found.at_least(36.0)[0] == pytest.approx(special.stdtr(4.0, -np.log(1.2) / 0.2))


def test_terms_have_names_and_bounds() -> None:
    state = observe(PROCESS, 0.0, np.array([0.0, 40.0, 80.0]), np.array([20.0, 20.0, 2.0]), np.array([122.0, 164.0]))
    repeat, vanish, scale = design(state, 0.0)
    assert (len(repeat), len(vanish), len(scale)) == (len(REPEAT_TERMS), len(VANISH_TERMS), len(SCALE_TERMS))
    named = dict(zip(REPEAT_TERMS, repeat[:, 0], strict=True))
    assert named["log_horizon"] == 0.0
    assert (named["share_repeated"], named["last_repeated"], named["at_floor"]) == (0.5, 0.0, 1.0)
    assert 0.0 <= named["expected_growth"] <= 5.0
    assert 0.0 <= named["expected_shrinkage"] <= 5.0
    assert dict(zip(SCALE_TERMS, scale[:, 0], strict=True)) == {
        "intercept": 1.0, "log_horizon": 0.0, "one_scan": 0.0, "two_scans": 0.0,
    }  # fmt: skip
