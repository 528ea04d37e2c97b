"""The regimen library and the conversion of drug courses."""

import pytest

from schemas.plan import DrugCourse
from schemas.regimens import RegimenList
from service.errors import InvalidInput
from service.regimens import agents_of, drug_plan, list_regimens


def test_the_library_is_sorted_and_fits_its_schema() -> None:
    listed = list_regimens()
    names = [regimen.name for regimen in listed.regimens]
    assert names == sorted(names)
    assert len(names) > 25
    assert RegimenList.model_validate(listed.model_dump()) == listed
    assert all(DrugCourse(regimen=name) for name in names)


def test_courses_become_infusions() -> None:
    courses = [
        DrugCourse(agent="ipilimumab", dose_mg_per_kg=1.0, interval_days=42.0, dose_count=2, infusion_minutes=30.0),
        DrugCourse(regimen="nivolumab-240-q2w", dose_count=3, start_day=7.0),
    ]
    plan = drug_plan(courses, 70.0)
    assert [(event.time_days, event.agent, event.amount_mg) for event in plan.events] == [
        (0.0, "ipilimumab", 70.0),
        (7.0, "nivolumab", 240.0),
        (21.0, "nivolumab", 240.0),
        (35.0, "nivolumab", 240.0),
        (42.0, "ipilimumab", 70.0),
    ]
    assert plan.events[0].infusion_days == pytest.approx(30.0 / 1440.0)
    assert agents_of(courses) == ("ipilimumab", "nivolumab")


def test_errors_name_the_member() -> None:
    per_kg = DrugCourse(agent="ipilimumab", dose_mg_per_kg=1.0, dose_count=1)
    for courses, pointer in (
        ([per_kg], "/patient/weight_kg"),
        ([DrugCourse(regimen="ipilimumab-3-q3w")], "/patient/weight_kg"),
        ([DrugCourse(regimen="none-such")], "/plan/drugs/0/regimen"),
        ([DrugCourse(agent="nivolumab", dose_mg=1.0, dose_count=200, interval_days=1.0)] * 11, "/plan/drugs"),
    ):
        with pytest.raises(InvalidInput) as wrong:
            drug_plan(courses, None)
        assert wrong.value.errors[0]["pointer"] == pointer
