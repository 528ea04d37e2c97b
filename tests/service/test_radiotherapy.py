import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from schemas.base import LAST_DAY
from schemas.plan import Plan, RadiotherapyCourse
from service.errors import InvalidInput
from service.plan_covariates import plan_covariates
from service.radiotherapy import radiotherapy_plan, series_days


def course(**more: Any) -> RadiotherapyCourse:
    return RadiotherapyCourse.model_validate_json(json.dumps({"id": "rt", "lesion_ids": ["l1"], **more}))


def test_five_a_week_are_the_first_five_days_of_each_week() -> None:
    assert series_days(3.0, 7, 5.0) == [3.0, 4.0, 5.0, 6.0, 7.0, 10.0, 11.0]


@given(st.floats(min_value=0.1, max_value=21.0), st.integers(min_value=1, max_value=60))
def test_other_rates_are_spread_evenly(per_week: float, count: int) -> None:
    days = series_days(0.0, count, per_week)
    assert len(days) == count
    assert days[0] == 0.0
    steps = [later - earlier for earlier, later in pairwise(days)]
    if per_week <= 7.0:
        assert all(step >= 1.0 for step in steps)
    if per_week != 5.0:
        assert all(abs(step - 7.0 / per_week) <= 1.0 + 1e-6 for step in steps)


def test_listed_fractions_are_sorted() -> None:
    listed = [{"day": 5.0, "dose_gy": 3.0}, {"day": 1.0, "dose_gy": 2.0}]
    plan = radiotherapy_plan([course(fractions=listed)])
    assert [fraction.day for fraction in plan.courses[0].fractions] == [1.0, 5.0]


def test_series_and_organs() -> None:
    dvh = {"kind": "cumulative", "dose_gy": [0.0, 20.0], "volume": [100.0, 0.0], "volume_unit": "percent"}
    organs = [{"organ": "lung", "mean_dose_gy": 4.0}, {"organ": "heart", "dvh": dvh}]
    plan = radiotherapy_plan(
        [course(start_day=7.0, dose_per_fraction_gy=8.0, fraction_count=3, organs=organs, field_exposure=0.3)]
    )
    days, doses = plan.fraction_table(["l1", "l2"])
    assert days.tolist() == [7.0, 8.0, 9.0]
    assert doses.tolist() == [[8.0, 0.0]] * 3
    assert plan.organ_mean_dose_gy("lung") == 4.0
    assert plan.organ_mean_dose_gy("heart") == pytest.approx(10.0)
    assert plan.courses[0].field_exposure == 0.3


@pytest.mark.parametrize(
    ("dvh", "member"),
    [
        ({"kind": "differential", "volume": [50.0, 30.0], "volume_unit": "percent"}, "volume"),
        ({"kind": "cumulative", "volume": [80.0, 0.0], "volume_unit": "percent"}, "volume"),
        (
            {"kind": "differential", "volume": [50.0, 30.0], "volume_unit": "cm3", "total_volume_cm3": 100.0},
            "total_volume_cm3",
        ),
    ],
)
def test_a_histogram_that_contradicts_itself_is_refused(dvh: dict[str, Any], member: str) -> None:
    organs = [{"organ": "lung", "mean_dose_gy": 4.0}, {"organ": "heart", "dvh": {"dose_gy": [0.0, 20.0], **dvh}}]
    with pytest.raises(InvalidInput) as caught:
        radiotherapy_plan([course(start_day=0.0, dose_per_fraction_gy=2.0, fraction_count=3, organs=organs)])
    assert caught.value.errors[0]["pointer"] == f"/plan/radiotherapy/0/organs/1/dvh/{member}"


def test_equal_ids_are_refused() -> None:
    with pytest.raises(InvalidInput):
        radiotherapy_plan([course(fractions=[{"day": 0.0, "dose_gy": 2.0}])] * 2)


def test_a_series_ends_within_the_days_of_a_plan() -> None:
    late = {"start_day": 0.0, "dose_per_fraction_gy": 2.0, "fraction_count": 200, "fractions_per_week": 0.1}
    for compute in (lambda: radiotherapy_plan([course(**late)]), lambda: plan_covariates(_plan(late), None)):
        with pytest.raises(InvalidInput) as refused:
            compute()
        assert refused.value.errors[0]["pointer"] == "/plan/radiotherapy/0/fraction_count"
    with pytest.raises(ValidationError) as rare:
        course(**late | {"fractions_per_week": 0.01})
    assert rare.value.errors()[0]["loc"] == ("fractions_per_week",)
    days = radiotherapy_plan([course(**late | {"fraction_count": 50})]).courses[0].fractions
    assert days[-1].day <= LAST_DAY


def _plan(series: dict[str, Any]) -> Plan:
    return Plan.model_validate({"radiotherapy": [{"id": "rt", **series}]})
