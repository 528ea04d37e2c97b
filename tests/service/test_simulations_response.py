"""What counts as a response in a simulation: who is alive, which lesions are followed, what is seen."""

from typing import Any

import orjson
import pytest

from schemas.simulations import ModelSimulationRead, SimulationRequest
from service import simulations
from service.kinds import Computation

PEMBROLIZUMAB = {"agent": "pembrolizumab", "dose_mg": 200, "start_day": 0, "interval_days": 21, "dose_count": 17}
LESIONS = [
    {"id": "a", "organ": "lung", "longest_diameter_mm": 40},
    {"id": "b", "organ": "lymph_node", "longest_diameter_mm": 25},
    {"id": "c", "organ": "liver", "longest_diameter_mm": 18},
]


def course(dose_gy: float = 8.0, days: tuple[float, ...] = (0, 2, 4)) -> dict[str, Any]:
    return {"id": "rt", "lesion_ids": ["a"], "fractions": [{"day": day, "dose_gy": dose_gy} for day in days]}


def compute(plan: dict[str, Any], lesions: list[dict[str, Any]] | None = None, **changes: Any) -> Computation:
    patient = {"cancer_type": "nsclc", "prior_immunotherapy": "none", "lesions": lesions or LESIONS}
    body = {"patient": patient, "plan": plan, "patients": 300, "horizon_days": 365, "seed": 0} | changes
    return simulations.compute(SimulationRequest.model_validate_json(orjson.dumps(body)))


def simulate(plan: dict[str, Any], lesions: list[dict[str, Any]] | None = None, **changes: Any) -> ModelSimulationRead:
    (found,) = compute(plan, lesions, **changes).result.simulations
    return found


def warned(computation: Computation) -> list[tuple[str, str | None]]:
    codes = ("lesion-not-visible-at-baseline", "target-not-measurable-at-baseline", "more-targets-than-recist-allows")
    return [(warning.code, warning.pointer) for warning in computation.warnings if warning.code in codes]


def test_nobody_responds_after_death() -> None:
    patient = {
        "cancer_type": "nsclc",
        "labs": {"lymphocytes_1e9_per_l": 0.02, "neutrophils_1e9_per_l": 20},
        "lesions": LESIONS,
    }
    outcomes = simulate({"drugs": [PEMBROLIZUMAB], "radiotherapy": [course()]}, patient=patient).outcomes
    assert outcomes.overall_survival is not None
    assert outcomes.overall_survival.survival[1] == 0.0
    assert outcomes.objective_response.value == 0.0
    assert outcomes.abscopal_response is not None
    assert outcomes.abscopal_response.value == 0.0
    assert outcomes.best_response.stable.value == 0.0
    assert outcomes.best_response.not_evaluable.value == 1.0


@pytest.mark.parametrize("size", [1.3, 1.9])
def test_a_lesion_that_no_scan_shows_neither_responds_nor_progresses(size: float) -> None:
    unseen = [{"id": "a", "organ": "lung", "longest_diameter_mm": size}]
    computation = compute({}, unseen)
    (found,) = computation.result.simulations
    assert warned(computation) == [("lesion-not-visible-at-baseline", "/patient/lesions/0/longest_diameter_mm")]
    assert not found.lesions[0].target
    assert found.best_change_percentiles == []
    assert found.outcomes.objective_response.value == 0.0
    assert found.outcomes.best_response.progressive.value < 0.2  # new lesions alone


def test_non_target_disease_withholds_a_complete_response_and_progresses() -> None:
    lesions = [
        {"id": "a", "organ": "lung", "longest_diameter_mm": 15},
        {"id": "b", "organ": "lung", "longest_diameter_mm": 90, "target": False},
    ]
    outcomes = simulate({"radiotherapy": [course(18.0)]}, lesions).outcomes
    assert outcomes.best_response.complete.value == 0.0
    assert outcomes.best_response.partial.value > 0.2
    alone = simulate({"radiotherapy": [course(18.0)]}, lesions[:1]).outcomes
    assert alone.best_response.complete.value > 0.8
    assert outcomes.progression.value > alone.progression.value + 0.3
    assert outcomes.abscopal_note is not None


def test_a_lymph_node_is_normal_below_ten_millimeters() -> None:
    plan = {"drugs": [PEMBROLIZUMAB]}
    node = simulate(plan, [{"id": "a", "organ": "lymph_node", "longest_diameter_mm": 20}]).outcomes.best_response
    lung = simulate(plan, [{"id": "a", "organ": "lung", "longest_diameter_mm": 20}]).outcomes.best_response
    assert node.complete.value > lung.complete.value
    normal = compute({}, [*LESIONS, {"id": "n", "organ": "lymph_node", "longest_diameter_mm": 9}])
    assert warned(normal) == [("lesion-not-visible-at-baseline", "/patient/lesions/3/longest_diameter_mm")]


def test_the_order_of_the_lesions_does_not_matter_and_the_targets_are_told() -> None:
    given = (
        ("a", 60, "lung"), ("b", 50, "lung"), ("c", 40, "liver"), ("d", 30, "liver"), ("e", 20, "bone"),
        ("f", 15, "bone"), ("g", 12, "brain"),
    )  # fmt: skip
    lesions = [{"id": name, "organ": organ, "longest_diameter_mm": size} for name, size, organ in given]
    plan = {"drugs": [PEMBROLIZUMAB], "radiotherapy": [course()]}
    computation = compute(plan, lesions)
    (first,), second = computation.result.simulations, simulate(plan, lesions[::-1])
    assert first.outcomes == second.outcomes
    assert first.sum_of_diameters_mm.median[0] == second.sum_of_diameters_mm.median[0] == 200.0
    for found in (first, second):
        assert {lesion.id for lesion in found.lesions if lesion.target} == set("abcde")
    assert warned(computation) == [
        ("more-targets-than-recist-allows", f"/patient/lesions/{index}/target") for index in (5, 6)
    ]


def test_small_targets_and_populations_are_warned_about() -> None:
    lesions = [
        {"id": "a", "organ": "lung", "longest_diameter_mm": 9},
        {"id": "b", "organ": "lymph_node", "volume_cm3": 1.0},
    ]
    assert warned(compute({}, lesions, patients=8)) == [
        ("target-not-measurable-at-baseline", "/patient/lesions/0/longest_diameter_mm"),
        ("target-not-measurable-at-baseline", "/patient/lesions/1/volume_cm3"),
    ]
    population = {"patient": {"cancer_type": "nsclc"}, "population": {"lesion_count": 6}}
    computation = compute({}, **population)
    assert warned(computation) == [("more-targets-than-recist-allows", "/population/lesion_count")]
    assert all(lesion.target for lesion in computation.result.simulations[0].lesions)


def test_the_measured_sizes_come_back_exactly() -> None:
    found = simulate({"drugs": [PEMBROLIZUMAB]}, patients=600)
    for lesion, size in zip(found.lesions, (40.0, 25.0, 18.0), strict=True):
        start = lesion.diameter_mm
        assert [start.median[0], *(edge[0] for band in start.bands for edge in (band.lower, band.upper))] == [size] * 5


@pytest.mark.parametrize("model", ["stein-growth-decay", "chatterjee-2016", "friedrich-2022"])
def test_sizes_end_where_a_body_does_for_any_number_of_patients(model: str) -> None:
    for patients in (200, 600):
        found = simulate({}, models=[model], horizon_days=1820, patients=patients)
        assert max(lesion.diameter_mm.bands[1].upper[-1] for lesion in found.lesions) == pytest.approx(400, rel=0.005)
        assert found.sum_of_diameters_mm.bands[1].upper[-1] == pytest.approx(1200, rel=0.005)
        assert max(map(max, found.courses_mm)) == 1200.0


def test_local_control_is_read_at_the_horizon_whatever_the_grid() -> None:
    plan = {"radiotherapy": [course(20.0, (100, 101, 102, 103, 104))]}
    fine, coarse = (
        simulate(plan, horizon_days=180, output_interval_days=output, scan_interval_days=scan, patients=64)
        for output, scan in ((1, 63), (91, 182))
    )
    for one, other in zip(fine.lesions, coarse.lesions, strict=True):
        assert one.local_control is not None
        assert one.local_control == other.local_control
    assert fine.lesions[0].local_control is not None
    assert fine.lesions[0].local_control.value > 0.9
