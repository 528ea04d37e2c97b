"""Simulation and comparison as callers see them: what must hold whatever the parameters are."""

import copy
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.simulations import ComparisonRequest, ComparisonResult, SimulationRequest, SimulationResult
from service import comparisons, runs, simulations
from service.errors import InvalidInput
from simulation.tumor.interface import MODELS

PATIENT: dict[str, Any] = {
    "cancer_type": "nsclc",
    "prior_immunotherapy": "none",
    "labs": {"lymphocytes_1e9_per_l": 1.6},
    "lesions": [
        {"id": "primary", "organ": "lung", "longest_diameter_mm": 40},
        {"id": "far", "organ": "lung", "longest_diameter_mm": 25},
    ],
}
DRUG = {"agent": "pembrolizumab", "dose_mg": 200, "start_day": 7, "interval_days": 21, "dose_count": 9}
COURSE = {"id": "rt", "lesion_ids": ["primary"], "fractions": [{"day": day, "dose_gy": 8} for day in (0, 2, 4)]}


def simulate(plan: dict[str, Any] | None = None, **changes: Any) -> SimulationResult:
    body = {"patient": PATIENT, "plan": plan or {}, "patients": 200, "horizon_days": 189, "seed": 3} | changes
    result = simulations.compute(SimulationRequest.model_validate_json(orjson.dumps(body))).result
    assert isinstance(result, SimulationResult)
    return result


def compare(plans: dict[str, dict[str, Any]], **changes: Any) -> ComparisonResult:
    body = {
        "patient": PATIENT,
        "plans": [{"id": name, "plan": plan} for name, plan in plans.items()],
        "patients": 400,
        "horizon_days": 189,
        "seed": 3,
    } | changes
    result = comparisons.compute(ComparisonRequest.model_validate_json(orjson.dumps(body))).result
    assert isinstance(result, ComparisonResult)
    return result


def test_the_start_is_the_measured_size_and_untreated_tumors_grow() -> None:
    result = simulate()
    for lesion, size in zip(result.simulations[0].lesions, (40, 25), strict=True):
        assert lesion.diameter_mm.median[0] == pytest.approx(size, rel=0.02)
        assert lesion.diameter_mm.median[-1] > lesion.diameter_mm.median[0]
        assert not lesion.irradiated
    assert result.simulations[0].outcomes.abscopal_response is None
    assert result.simulations[0].outcomes.objective_response.value < 0.02


def test_bands_are_ordered_and_probabilities_add_up() -> None:
    for simulation in simulate({"radiotherapy": [COURSE], "drugs": [DRUG]}).simulations:
        inner, outer = simulation.sum_of_diameters_mm.bands
        rows = zip(
            outer.lower, inner.lower, simulation.sum_of_diameters_mm.median, inner.upper, outer.upper, strict=True
        )
        assert all(list(row) == sorted(row) for row in rows)
        best = simulation.outcomes.best_response
        parts = (best.complete, best.partial, best.stable, best.progressive, best.not_evaluable)
        assert sum(part.value for part in parts) == pytest.approx(1.0)
        response = simulation.outcomes.objective_response
        assert response.value == pytest.approx(best.complete.value + best.partial.value)
        assert response.interval is not None
        assert response.interval.lower <= response.value <= response.interval.upper


def test_every_model_answers_the_same_question() -> None:
    result = simulate({"radiotherapy": [COURSE], "drugs": [DRUG]}, models=sorted(MODELS), patients=50)
    assert [simulation.model for simulation in result.simulations] == sorted(MODELS)
    for simulation in result.simulations:
        assert len(simulation.sum_of_diameters_mm.median) == len(result.time_days)


def test_zero_exposure_is_no_event() -> None:
    nowhere = {**COURSE, "lesion_ids": [], "field_exposure": 0.0}
    plain, idle = simulate({"drugs": [DRUG]}), simulate({"drugs": [DRUG], "radiotherapy": [nowhere]})
    assert idle.simulations[0].lesions == plain.simulations[0].lesions


def test_the_order_of_lesions_does_not_matter() -> None:
    turned = copy.deepcopy(PATIENT)
    turned["lesions"].reverse()
    plan = {"radiotherapy": [COURSE], "drugs": [DRUG]}
    first, second = simulate(plan).simulations[0], simulate(plan, patient=turned).simulations[0]
    assert {lesion.id: lesion for lesion in first.lesions} == {lesion.id: lesion for lesion in second.lesions}
    assert first.outcomes == second.outcomes


def test_the_same_request_is_the_same_bytes_and_another_seed_is_not() -> None:
    request = SimulationRequest.model_validate_json(orjson.dumps(simulations.EXAMPLE | {"patients": 300}))
    first, second = (runs.compute(simulations.KIND, request).result for _ in range(2))
    assert first == second
    other = SimulationRequest.model_validate_json(orjson.dumps(simulations.EXAMPLE | {"patients": 300, "seed": 8}))
    assert runs.compute(simulations.KIND, other).result != first


def test_the_first_patients_do_not_depend_on_how_many_follow() -> None:
    few, many = simulate(patients=50), simulate(patients=5000)
    assert few.simulations[0].courses_mm == many.simulations[0].courses_mm


def test_a_finer_grid_changes_nothing_at_the_shared_days() -> None:
    plan = {"radiotherapy": [COURSE], "drugs": [DRUG]}
    coarse, fine = simulate(plan, output_interval_days=21.0), simulate(plan, output_interval_days=3.0)
    shared = [fine.time_days.index(day) for day in coarse.time_days]
    for rough, exact in zip(coarse.simulations[0].courses_mm, fine.simulations[0].courses_mm, strict=True):
        assert rough == pytest.approx([exact[i] for i in shared], rel=1e-4)


def test_the_same_plan_twice_makes_no_difference() -> None:
    plan = {"radiotherapy": [COURSE], "drugs": [DRUG]}
    result = compare({"a": plan, "b": plan})
    (compared,) = result.comparisons
    assert compared.verdict == "no expected gain"
    assert not compared.dominates
    assert not compared.dominated
    assert all(row.difference.value == 0.0 for row in compared.differences)
    assert all(row.number_needed_to_treat is None for row in compared.differences)


def test_a_refractory_patient_gains_nothing_out_of_field() -> None:
    refractory = {**PATIENT, "prior_immunotherapy": "refractory"}
    result = compare(
        {"rt": {"radiotherapy": [COURSE]}, "both": {"radiotherapy": [COURSE], "drugs": [DRUG]}}, patient=refractory
    )
    (compared,) = result.comparisons
    assert compared.verdict == "no expected gain"
    abscopal = next(row for row in compared.differences if row.outcome == "abscopal_response")
    assert abscopal.difference.value == pytest.approx(0.0, abs=0.01)


def test_the_abscopal_response_is_compared_on_the_same_lesions() -> None:
    result = compare({"drug": {"drugs": [DRUG]}, "both": {"radiotherapy": [COURSE], "drugs": [DRUG]}})
    alone, both = (plan.outcomes.abscopal_response for plan in result.plans)
    assert alone is not None
    assert both is not None
    row = next(row for row in result.comparisons[0].differences if row.outcome == "abscopal_response")
    assert row.difference.value == pytest.approx(both.value - alone.value)


def test_treatment_beats_none() -> None:
    result = compare({"nothing": {}, "both": {"radiotherapy": [COURSE], "drugs": [DRUG]}})
    (compared,) = result.comparisons
    assert compared.verdict in ("expected gain", "mixed")
    gained = next(row for row in compared.differences if row.outcome == "objective_response")
    assert gained.better is True
    assert gained.number_needed_to_treat == pytest.approx(1.0 / gained.difference.value)


@settings(max_examples=8, deadline=None)
@given(st.floats(0.5, 12.0), st.floats(0.5, 12.0))
def test_more_dose_is_never_less_shrinkage_of_the_irradiated_lesion_just_after(low: float, high: float) -> None:
    low, high = sorted((low, high))
    courses = [{**COURSE, "fractions": [{"day": 1, "dose_gy": dose}], "field_exposure": 0.3} for dose in (low, high)]
    less, more = (
        simulate({"radiotherapy": [course]}, patients=50, horizon_days=28, scan_interval_days=14).simulations[0]
        for course in courses
    )
    assert more.lesions[0].diameter_mm.median[-1] <= less.lesions[0].diameter_mm.median[-1] * 1.01


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"models": ["nothing"]}, "/models/0"),
        ({"plan": {"radiotherapy": [{**COURSE, "lesion_ids": ["elsewhere"]}]}}, "/plan/radiotherapy/0/lesion_ids/0"),
        ({"plan": {"radiotherapy": [{**COURSE, "fractions": [{"day": -3, "dose_gy": 8}]}]}}, "/plan/radiotherapy/0"),
        ({"patient": {"lesions": [{"id": "a", "organ": "lung"}]}}, "/patient/lesions/0"),
        ({"patient": {"lesions": [{"id": "a", "organ": "lung", "volume_cm3": 3}] * 2}}, "/patient/lesions/1/id"),
        ({"horizon_days": 1826, "output_interval_days": 1}, "/output_interval_days"),
    ],
)
def test_wrong_questions_name_their_member(changes: dict[str, Any], pointer: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        simulate(**changes)
    assert refused.value.errors[0]["pointer"] == pointer
