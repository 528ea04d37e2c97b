"""Lymphocyte counts of virtual patients around one course of the count."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulation.radiation.lymphocytes import spread_of_log
from simulation.tumor.exposure import lowest_count
from simulation.tumor.interface import simulate
from simulation.tumor.lymphocyte_spread import spread_of_patients
from simulation.tumor.scenario import Fractions, LymphocyteCourse
from simulation.tumor.tables import table, values
from tests.simulation.tumor.scenarios import scenario

N = 400
WEEKDAYS = np.array([7.0 * week + day for week in range(6) for day in range(5)])


def conventional(days, exposure=1.0):
    n = days.size
    dose = np.zeros((n, 3))
    dose[:, 0] = 2.0
    return Fractions(day=days, dose_gy=dose, field_exposure=np.full(n, exposure), node_dose_gy=np.zeros(n))


def asked(output_days, days=WEEKDAYS):
    return replace(
        scenario(), fractions=conventional(days), horizon_days=364.0, output_days=np.array(output_days, dtype=float)
    )


def test_the_lowest_count_is_the_one_just_after_a_fraction_of_the_simulated_course():
    close = np.nextafter(WEEKDAYS, np.inf)
    found = simulate("multi-lesion", asked([0.0, *close]), patients=8, seed=0).lymphocyte_relative
    assert lowest_count(WEEKDAYS, np.ones(30)) == pytest.approx(found.min(), rel=1e-4)


def test_the_lowest_count_does_not_depend_on_the_days_of_output():
    fine, coarse = (
        spread_of_patients(np.ones((N, len(days))), asked(days), 0, 0)[1]
        for days in ([0, 1, 39, 40, 364], [0, 182, 364])
    )
    assert np.array_equal(fine, coarse)
    assert np.median(fine) == pytest.approx(lowest_count(WEEKDAYS, np.ones(30)), rel=0.1)


def test_the_stated_effect_of_a_conventional_course_is_that_of_the_equations():
    p = values("multi_lesion", "parameters")
    before_last = lowest_count(WEEKDAYS, np.ones(30)) / (1.0 - p["lamA"])
    said = table("multi_lesion")["parameters"]["lamA"]["source"]
    assert f"{lowest_count(WEEKDAYS, np.ones(30)):.2f} of the count just after 30" in said
    assert f"{before_last:.2f} just before the last" in said


@given(st.lists(st.floats(0.0, 100.0), max_size=30), st.floats(0.0, 2.0))
def test_the_lowest_count_lies_between_that_without_recovery_and_one(days, exposure):
    kept = 1.0 - values("multi_lesion", "parameters")["lamA"] * exposure
    found = lowest_count(np.sort(np.array(days)), np.full(len(days), exposure))
    assert kept ** len(days) * (1.0 - 1e-9) <= found <= 1.0
    if days and exposure:
        assert found <= kept * (1.0 + 1e-12)


def test_the_measured_count_has_no_spread():
    days = np.array([0.0, 28.0])
    relative, nadir = spread_of_patients(np.ones((N, 2)), asked(days, np.zeros(0)), 0, 0)
    assert np.all(relative[:, 0] == 1.0)
    assert np.log(relative[:, 1]).std() == pytest.approx(spread_of_log(np.ones(1))[0], rel=0.15)
    assert nadir.max() == 1.0


def test_neither_has_that_of_a_course_from_organ_doses():
    course = LymphocyteCourse(relative=np.array([[1.0, 0.9], [1.0, 0.7]]), nadir=np.array([0.8, 0.6]))
    relative, nadir = spread_of_patients(np.ones((N, 2)), replace(asked([0.0, 28.0]), lymphocytes=course), 0, 0)
    assert np.all(relative[:, 0] == 1.0)
    assert nadir.max() <= 1.0
    assert np.median(nadir) == pytest.approx(0.7, rel=0.1)
