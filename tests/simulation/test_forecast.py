"""The fitted forecast: what it answers, what it refuses, what its card claims."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulation.forecast import FITTED, MODEL, forecast, progression_threshold_mm, validation_rows
from simulation.registry import CARDS

courses = st.lists(st.tuples(st.floats(10.0, 90.0), st.floats(0.0, 150.0)), min_size=1, max_size=8)


@given(courses, st.lists(st.floats(1.0, 400.0), min_size=1, max_size=5))
def test_answers_are_finite_ordered_and_nested(course: list[tuple[float, float]], gaps: list[float]) -> None:
    days = np.cumsum([gap for gap, _ in course])
    sizes = [size for _, size in course]
    found = forecast(days, sizes, days[-1] + np.array(gaps))
    low90, low50, median, high50, high90 = (found.quantile(level) for level in (0.05, 0.25, 0.5, 0.75, 0.95))
    for lower, upper in ((low90, low50), (low50, median), (median, high50), (high50, high90)):
        assert np.all(np.isfinite(upper))
        assert np.all(lower <= upper + 1e-9)
    for chance in (found.repeat, found.vanish, found.not_measurable(), found.at_least(30.0)):
        assert np.all((chance >= 0.0) & (chance <= 1.0 + 1e-9))
    assert np.all(found.at_least(30.0) >= found.at_least(31.0) - 1e-12)


def test_a_growing_lesion_is_more_likely_to_progress_than_a_shrinking_one() -> None:
    days = [0, 42, 84]
    growing = forecast(days, [30, 33, 38], [126])
    shrinking = forecast(days, [30, 26, 22], [126])
    stable = forecast(days, [30, 30, 30], [126])
    assert growing.quantile(0.5)[0] > 38.0
    assert shrinking.quantile(0.5)[0] <= 22.0
    assert stable.quantile(0.5)[0] == pytest.approx(30.0)
    chances = [
        found.at_least(progression_threshold_mm(nadir))[0]
        for found, nadir in ((growing, 30.0), (stable, 30.0), (shrinking, 22.0))
    ]
    assert chances[0] > 0.5 > max(chances[1:])


def test_further_ahead_is_less_certain() -> None:
    found = forecast([0, 42, 84], [30, 33, 31], [100, 126, 200, 400])
    assert np.all(np.diff(found.quantile(0.95) - found.quantile(0.05)) > 0.0)


def test_the_day_axis_may_start_anywhere() -> None:
    here = forecast([0, 42], [30, 33], [84]).quantile(0.9)
    assert forecast([-100, -58], [30, 33], [-16]).quantile(0.9) == pytest.approx(here)


def test_gone_and_below_the_floor_are_the_same() -> None:
    assert forecast([0, 42], [30, 0], [84]).quantile(0.9) == forecast([0, 42], [30, 2], [84]).quantile(0.9)


@pytest.mark.parametrize(
    ("day", "size", "asked"),
    [([], [], [1]), ([0, 0], [1, 2], [5]), ([0, 1], [1, 2], [1]), ([0], [np.nan], [1]), ([0, 1], [1], [5])],
)
def test_what_makes_no_sense_is_refused(day: list[float], size: list[float], asked: list[float]) -> None:
    with pytest.raises(ValueError, match=r"day|diameter"):
        forecast(day, size, asked)


@pytest.mark.parametrize(("nadir", "threshold"), [(10.0, 15.0), (25.0, 30.0), (50.0, 60.0)])
def test_progression_threshold(nadir: float, threshold: float) -> None:
    assert progression_threshold_mm(nadir) == pytest.approx(threshold, abs=1e-5)


def test_the_validation_reaches_what_the_card_says() -> None:
    headline = next(row for row in validation_rows(3) if row["horizon"] == "next")
    assert headline["n"] == 571
    assert headline["mae_mm"] < 3.63
    assert 0.87 <= headline["coverage_90"] <= 0.93
    locf = [r for r in FITTED["validation"]["by_patient"] if r["method"] == "last value" and r["study"] is None]
    assert next(r for r in locf if (r["scans"], r["horizon"]) == (3, "next"))["mae_mm"] == pytest.approx(
        3.6272, abs=1e-4
    )
    methods = {row["method"] for row in FITTED["validation"]["by_patient"]}
    assert len(methods - {"last value"}) >= 3


def test_every_negative_skill_is_a_known_failure() -> None:
    card = CARDS["lesion_size_forecast"]
    skills = [row for row in card.performance if row.metric.startswith("skill")]
    assert skills
    negative = [row for row in skills if row.value < 0.0]
    told = [line for line in card.known_failures if line.startswith("Worse than the last value")]
    assert len(told) == len(negative)
    assert {row.in_sample for row in card.performance} == {False}


def test_parameters_carry_the_digest_of_their_data() -> None:
    assert len(FITTED["data"]["sha256"]) == 64
    card = CARDS["lesion_size_forecast"]
    assert all(FITTED["data"]["sha256"] in row.source for row in card.coefficients)
    assert MODEL.process.degrees_of_freedom > 0.0
