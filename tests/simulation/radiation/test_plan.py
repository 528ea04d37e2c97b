import numpy as np
import pytest

from simulation.radiation.dvh import from_samples
from simulation.radiation.plan import Course, Fraction, OrganDose, RadiotherapyPlan


def _plan() -> RadiotherapyPlan:
    first = Course(
        id="a",
        lesion_ids=("x", "y"),
        modality="photon",
        fractions=(Fraction(0.0, 8.0), Fraction(2.0, 8.0)),
        organs=(OrganDose(organ="lung", mean_dose_gy=4.0, dvh=from_samples([4.0], [1.0])),),
        node_dose_per_fraction_gy=0.5,
    )
    second = Course(id="b", lesion_ids=("y",), modality="photon", fractions=(Fraction(1.0, 2.0), Fraction(2.0, 2.0)))
    return RadiotherapyPlan(courses=(first, second))


def test_table_keeps_fractions_of_different_courses_apart() -> None:
    days, doses = _plan().fraction_table(["x", "y", "z"])
    assert days.tolist() == [0.0, 1.0, 2.0, 2.0]
    assert np.array_equal(doses, [[8.0, 8.0, 0.0], [0.0, 2.0, 0.0], [8.0, 8.0, 0.0], [0.0, 2.0, 0.0]])


def test_empty_table_has_the_shape_of_the_lesions() -> None:
    days, doses = RadiotherapyPlan().fraction_table(["x", "y"])
    assert days.shape == (0,)
    assert doses.shape == (0, 2)


def test_totals() -> None:
    plan = _plan()
    assert plan.total_dose_gy("y") == 20.0
    assert plan.total_dose_gy("z") == 0.0
    assert plan.fractions_of("x") == (Fraction(0.0, 8.0), Fraction(2.0, 8.0))
    assert plan.organ_mean_dose_gy("lung") == 4.0
    assert plan.organ_mean_dose_gy("heart") is None
    assert plan.courses[0].total_dose_gy == 16.0
    assert plan.courses[0].fraction_count == 2


def test_scaling_reaches_the_organs() -> None:
    course = _plan().courses[0].scaled(0.5)
    assert course.total_dose_gy == 8.0
    assert course.organs[0].mean_dose_gy == 2.0
    assert course.organs[0].dvh is not None
    assert course.organs[0].dvh.mean_gy == 2.0
    assert course.node_dose_per_fraction_gy == 0.25


def test_unsorted_fractions_are_refused() -> None:
    with pytest.raises(ValueError, match="sorted"):
        Course(id="a", lesion_ids=(), modality="photon", fractions=(Fraction(2.0, 1.0), Fraction(1.0, 1.0)))
