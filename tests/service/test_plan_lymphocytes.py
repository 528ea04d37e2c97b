"""Lymphocytes of a simulated plan: from organ doses as in the blood route, with its spread between patients."""

from typing import Any

import numpy as np
import orjson
import pytest

from schemas.blood import BloodRequest
from schemas.simulations import ComparisonRequest, ComparisonResult, SimulationRequest
from service import blood, comparisons, simulations
from service.scenarios import scenario_of
from simulation.tumor import interface as tumor_models
from simulation.tumor.exposure import exposure_for_counts
from simulation.tumor.tables import values

FAINT = {"lung": 5.0, "heart": 3.0, "body": 1.5}
HEAVY = {"lung": 30.0, "heart": 40.0, "body": 20.0}


def plan(organs: dict[str, float], **members: Any) -> dict[str, Any]:
    course = {"id": "rt", "lesion_ids": ["a"], "start_day": 0, "dose_per_fraction_gy": 2, "fraction_count": 30}
    listed = [{"organ": organ, "mean_dose_gy": dose} for organ, dose in organs.items()]
    return {"radiotherapy": [course | {"organs": listed} | members]}


def patient(baseline: float) -> dict[str, Any]:
    lesion = {"id": "a", "organ": "lung", "longest_diameter_mm": 40}
    return {"cancer_type": "nsclc", "labs": {"lymphocytes_1e9_per_l": baseline}, "lesions": [lesion]}


def answer(body: dict[str, Any]) -> Any:
    return simulations.compute(SimulationRequest.model_validate_json(orjson.dumps(body)))


def simulate(organs: dict[str, float], baseline: float = 1.6, patients: int = 3000, **members: Any) -> Any:
    body = {
        "patient": patient(baseline), "plan": plan(organs, **members), "patients": patients, "horizon_days": 182,
        "seed": 7,
    }  # fmt: skip
    return answer(body)


def of_blood(organs: dict[str, float], baseline: float) -> Any:
    body = {"patient": patient(baseline), "plan": plan(organs), "seed": 7}
    return blood.compute(BloodRequest.model_validate_json(orjson.dumps(body))).result


@pytest.mark.parametrize("baseline", [1.0, 1.6])
@pytest.mark.parametrize("organs", [FAINT, HEAVY], ids=["faint", "heavy"])
def test_both_routes_agree_on_lymphopenia(organs: dict[str, float], baseline: float) -> None:
    found = simulate(organs, baseline).result.simulations[0]
    expected = of_blood(organs, baseline)
    probability = expected.lymphopenia[0].probability
    assert probability.interval is None
    assert expected.lymphopenia[0].interval_note
    share = found.outcomes.severe_lymphopenia.value
    assert 0.0 < share < 1.0
    assert share == pytest.approx(probability.value, abs=4.0 * np.sqrt(0.25 / 3000))
    on_day = dict(zip(expected.relative_count.day, expected.relative_count.value, strict=True))
    for day, median in zip(simulate(organs, baseline).result.time_days, found.lymphocyte_relative.median, strict=True):
        assert median == pytest.approx(on_day[day], abs=0.03)


def test_organ_doses_move_the_count_and_only_then() -> None:
    faint, heavy, none = (simulate(organs, patients=200).result.simulations[0] for organs in (FAINT, HEAVY, {}))
    assert min(heavy.lymphocyte_relative.median) < min(faint.lymphocyte_relative.median) - 0.1
    assert min(none.lymphocyte_relative.median) == pytest.approx(0.4, abs=0.1)


def test_the_exposure_behind_the_count_is_said() -> None:
    codes = {warning.code: warning.pointer for warning in simulate(FAINT, patients=8).warnings}
    assert codes["body-volume-missing"] == "/plan/radiotherapy/0/organs"
    codes = {warning.code: warning.pointer for warning in simulate({"lung": 15.0}, patients=8).warnings}
    assert codes["lymphocytes-from-blood-dose"] == "/plan/radiotherapy/0/organs"


def test_a_measured_count_below_the_limit_is_severe_lymphopenia() -> None:
    share = simulate({"lung": 0.0}, baseline=0.49, patients=200).result.simulations[0].outcomes.severe_lymphopenia
    assert share.value == of_blood({"lung": 0.0}, 0.49).lymphopenia[0].probability.value == 1.0


def test_without_organ_doses_patients_differ_too() -> None:
    share = simulate({}).result.simulations[0].outcomes.severe_lymphopenia
    assert 0.05 < share.value < 0.95


def test_a_course_without_blood_follows_the_field_and_says_so() -> None:
    codes = {warning.code for warning in simulate({"parotid": 20.0}, patients=8).warnings}
    assert "lymphocytes-from-field-size" in codes
    assert "lymphocytes-from-field-size" not in {warning.code for warning in simulate({}, patients=8).warnings}


def test_a_course_of_organs_alone_lowers_the_count() -> None:
    found = simulate(FAINT, patients=200, lesion_ids=[])
    assert "course-without-lesion" in {warning.code for warning in found.warnings}
    treated = {"drugs": [{"agent": "pembrolizumab", "dose_mg": 200, "interval_days": 21, "dose_count": 9}]}
    body = {"patient": patient(1.6), "patients": 200, "horizon_days": 182, "seed": 7}
    alone, both = (
        answer(body | {"plan": treated | courses}).result.simulations[0] for courses in ({}, plan(HEAVY, lesion_ids=[]))
    )
    assert both.sum_of_diameters_mm.median[-1] > alone.sum_of_diameters_mm.median[-1]
    assert min(found.result.simulations[0].lymphocyte_relative.median) < 0.7


def test_plans_that_count_differently_are_not_compared() -> None:
    body = {
        "patient": patient(1.6),
        "plans": [{"id": "a", "plan": plan(FAINT)}, {"id": "b", "plan": plan({})}],
        "patients": 50,
        "horizon_days": 182,
    }
    result = comparisons.compute(ComparisonRequest.model_validate_json(orjson.dumps(body))).result
    assert isinstance(result, ComparisonResult)
    (compared,) = result.comparisons
    assert "severe_lymphopenia" not in {row.outcome for row in compared.differences}
    assert any("severe lymphopenia" in reason for reason in compared.harms_unknown)


def test_the_exposures_lead_the_model_through_the_counts() -> None:
    days = np.array([0.0, 1.0, 1.0, 4.0])
    counts = np.array([0.9, 0.9, 0.8, 0.7])
    p = values("multi_lesion", "parameters")
    exposures = exposure_for_counts(days, counts)
    assert exposures[1] == 0.0
    assert np.all(exposures >= 0.0)
    count, reached = 1.0, []
    for exposure, wait in zip(exposures, np.append(np.diff(days), 1.0), strict=True):
        count *= 1.0 - p["lamA"] * exposure
        count = 1.0 - (1.0 - count) * np.exp(-p["kA"] * wait)
        reached.append(count)
    assert [reached[0], *reached[2:]] == pytest.approx([0.9, 0.8, 0.7])


@pytest.mark.parametrize("organs", [FAINT, HEAVY], ids=["faint", "heavy"])
def test_the_count_that_acts_on_the_tumor_follows_the_median(organs: dict[str, float]) -> None:
    body = {"patient": patient(1.6), "plan": plan(organs), "patients": 8, "horizon_days": 42}
    request = SimulationRequest.model_validate_json(orjson.dumps(body))
    scenario, _ = scenario_of(request, request.plan)
    assert scenario.lymphocytes is not None
    median = scenario.lymphocytes.relative[scenario.lymphocytes.nadir.size // 2]
    acting = tumor_models.simulate("multi-lesion", scenario, patients=8, seed=0).lymphocyte_relative
    assert np.ptp(acting, axis=0).max() < 1e-6
    during = scenario.output_days <= 35.0
    assert acting[0, during] == pytest.approx(median[during], abs=1e-3)
