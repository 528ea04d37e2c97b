"""The drug part of a plan."""

import math

import pytest

from simulation.immunotherapy.plan import DoseEvent, DrugPlan

FIRST = DoseEvent(0.0, "nivolumab", 240.0, 1.0 / 48.0)
SECOND = DoseEvent(14.0, "nivolumab", 240.0, 1.0 / 48.0)
OTHER = DoseEvent(0.0, "ipilimumab", 80.0, 1.0 / 48.0)


def test_a_plan_is_sorted_and_comparable() -> None:
    plan = DrugPlan.of([SECOND, FIRST, OTHER])
    assert plan.events == (OTHER, FIRST, SECOND)
    assert plan == DrugPlan.of([OTHER, SECOND, FIRST])
    assert plan.agents == ("ipilimumab", "nivolumab")
    assert plan.doses("nivolumab").time_days.tolist() == [0.0, 14.0]
    assert plan.doses("avelumab").amount_mg.size == 0
    assert plan.first_dose_day("nivolumab") == 0.0
    assert plan.first_dose_day("avelumab") is None
    assert hash(plan) == hash(DrugPlan.of([SECOND, FIRST, OTHER]))


def test_unsorted_events_are_refused() -> None:
    with pytest.raises(ValueError, match="sorted"):
        DrugPlan((SECOND, FIRST))


@pytest.mark.parametrize("wrong", [(math.nan, 1.0, 0.0), (0.0, 0.0, 0.0), (0.0, 1.0, -1.0), (0.0, math.inf, 0.0)])
def test_impossible_infusions_are_refused(wrong: tuple[float, float, float]) -> None:
    with pytest.raises(ValueError, match="must"):
        DoseEvent(wrong[0], "nivolumab", wrong[1], wrong[2])
