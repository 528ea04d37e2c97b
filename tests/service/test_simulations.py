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
from simulation.outcome.thresholds import MEANINGFUL_DAYS, MEANINGFUL_PROBABILITY
from simulation.registry import CARDS
from simulation.tumor.interface import MODELS
from simulation.tumor.tables import values

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


def lesion(**size: float) -> dict[str, Any]:
    return {"id": "a", "organ": "lung", **size}


def simulate(plan: dict[str, Any] | None = None, **changes: Any) -> SimulationResult:
    body = {"patient": PATIENT, "plan": plan or {}, "patients": 200, "horizon_days": 189, "seed": 3} | changes
    result = simulations.compute(SimulationRequest.model_validate_json(orjson.dumps(body))).result
    assert isinstance(result, SimulationResult)
    return result


def warned(plan: dict[str, Any] | None = None, **changes: Any) -> set[tuple[str, str | None]]:
    body = {"patient": PATIENT, "plan": plan or {}, "patients": 8, "horizon_days": 63, "seed": 3} | changes
    found = simulations.compute(SimulationRequest.model_validate_json(orjson.dumps(body))).warnings
    return {(warning.code, warning.pointer) for warning in found}


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


def test_an_untreated_lesion_below_the_carrying_capacity_does_not_respond() -> None:
    large = {"cancer_type": "nsclc", "lesions": [lesion(longest_diameter_mm=120)]}
    assert simulate(patient=large).simulations[0].outcomes.objective_response.value < 0.02
    assert ("outside-derivation-range", "/patient/lesions/0/longest_diameter_mm") in warned(patient=large)


def test_the_model_that_refuses_names_itself_and_another_one_answers() -> None:
    large = {"lesions": [lesion(longest_diameter_mm=200)]}
    with pytest.raises(InvalidInput) as refused:
        simulate(patient=large, models=["claret-2009", "multi-lesion"])
    assert refused.value.errors[0]["message"].startswith("multi-lesion: ")
    assert "carrying capacity" in refused.value.errors[0]["message"]
    assert simulate(patient=large, models=["claret-2009"]).simulations


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        (
            {"plan": {"radiotherapy": [{**COURSE, "fractions": [{"day": day, "dose_gy": 35} for day in (0, 2)]}]}},
            "/plan/radiotherapy/0/fractions/0/dose_gy",
        ),
        (
            {"plan": {"radiotherapy": [{**COURSE, "fractions": [{"day": day, "dose_gy": 0.2} for day in range(5)]}]}},
            "/plan/radiotherapy/0/fractions/0/dose_gy",
        ),
        ({"patient": PATIENT | {"cancer_type": "renal"}}, "/patient/cancer_type"),
        ({"patient": PATIENT | {"cancer_type": "glioma"}}, "/patient/cancer_type"),
        ({"patient": PATIENT | {"age_years": 3}}, "/patient/age_years"),
    ],
)
def test_what_lies_outside_the_derivation_range_is_answered_with_a_warning(
    changes: dict[str, Any], pointer: str
) -> None:
    assert ("outside-derivation-range", pointer) in warned(**changes)
    assert ("outside-derivation-range", pointer) not in warned({"radiotherapy": [COURSE]})


def test_the_ranges_that_are_enforced_stand_on_the_card() -> None:
    card = CARDS["multi-lesion"]
    volume = next(given for given in card.inputs if given.name == "patient.lesions.volume_cm3")
    capacity = values("multi_lesion", "parameters")["Kmax"]
    assert volume.high is not None
    assert volume.low is not None
    assert volume.high < capacity
    assert any(f"Kmax = {capacity:g} cm3" in line for line in card.equations)
    assert any("dropout" in line for line in card.equations)
    for size in (volume.high, volume.low):
        assert simulate(patient={"lesions": [lesion(volume_cm3=size)]}, patients=8).simulations
    for size in (volume.high * 1.001, volume.low * 0.999):
        with pytest.raises(InvalidInput):
            simulate(patient={"lesions": [lesion(volume_cm3=size)]}, patients=8)


def test_models_without_the_mechanism_have_no_abscopal_response() -> None:
    for simulation in simulate(
        {"radiotherapy": [COURSE], "drugs": [DRUG]}, models=sorted(MODELS), patients=50
    ).simulations:
        outcomes = simulation.outcomes
        assert (outcomes.abscopal_response is not None) == MODELS[simulation.model].abscopal
        assert (outcomes.by_time.abscopal_response is not None) == MODELS[simulation.model].abscopal
        assert (outcomes.abscopal_note is None) == MODELS[simulation.model].abscopal
    assert {name for name, model in MODELS.items() if model.abscopal} == {
        "multi-lesion", "friedrich-2022", "friedrich-2022-converged",
    }  # fmt: skip


@pytest.mark.parametrize("model", ["chatterjee-2016", "kosinsky-2018", "mueller-schoell-2021"])
def test_one_parameter_set_is_said_to_leave_its_uncertainty_out(model: str) -> None:
    outcomes = simulate({"drugs": [DRUG]}, models=[model], patients=50).simulations[0].outcomes
    assert outcomes.objective_response.interval is not None
    assert outcomes.interval_note is not None
    assert "not the uncertainty of the model's parameters" in outcomes.interval_note
    assert simulate({"drugs": [DRUG]}).simulations[0].outcomes.interval_note is None


def test_one_mouse_has_no_interval() -> None:
    outcomes = simulate({"drugs": [DRUG]}, models=["friedrich-2022"]).simulations[0].outcomes
    assert outcomes.objective_response.interval is None
    assert outcomes.best_response.partial.interval is None
    assert outcomes.by_time.response.lower is None
    assert set(outcomes.progression_free_survival.lower) == {None}
    assert outcomes.interval_note is not None
    (compared,) = compare({"nothing": {}, "drug": {"drugs": [DRUG]}}, model="friedrich-2022").comparisons
    assert compared.verdict == "undetermined"
    assert (compared.dominates, compared.dominated) == (None, None)
    assert all(row.difference.interval is None and row.better is None for row in compared.differences)


@pytest.mark.parametrize("plan", [{}, {"radiotherapy": [COURSE], "drugs": [DRUG]}], ids=["untreated", "treated"])
def test_progression_is_one_minus_the_curve_of_the_same_answer(plan: dict[str, Any]) -> None:
    outcomes = simulate(plan, horizon_days=364).simulations[0].outcomes
    survival = outcomes.progression_free_survival.survival[-1]
    assert survival is not None
    assert outcomes.progression.value == pytest.approx(1.0 - survival, abs=1e-9)
    base, other = compare({"a": plan, "b": {"drugs": [DRUG]}}).plans
    row = next(
        row
        for row in compare({"a": plan, "b": {"drugs": [DRUG]}}).comparisons[0].differences
        if row.outcome == "progression"
    )
    expected = other.outcomes.progression.value - base.outcomes.progression.value
    assert row.difference.value == pytest.approx(expected, abs=1e-9)


def test_curves_and_probabilities_of_one_event_have_the_same_interval() -> None:
    grids = {"output_interval_days": 21.0, "scan_interval_days": 63.0}
    outcomes = simulate({"drugs": [DRUG]}, horizon_days=364, patients=600, **grids).simulations[0].outcomes
    curve, progression = outcomes.progression_free_survival, outcomes.by_time.progression
    for place, day in enumerate(curve.time_days):
        gone = outcomes.by_time.time_days.index(day)
        assert curve.lower[place] == pytest.approx(1.0 - progression.upper[gone], abs=1e-9)
        assert curve.upper[place] == pytest.approx(1.0 - progression.lower[gone], abs=1e-9)
    assert outcomes.progression.interval is not None
    assert curve.upper[-1] == pytest.approx(1.0 - outcomes.progression.interval.lower, abs=1e-9)


def test_survival_limits_cover_the_parameter_sets() -> None:
    """The sets disagree on survival by several points, however many patients are drawn."""
    found = simulate({"drugs": [DRUG]}, horizon_days=364, patients=8192, scan_interval_days=182.0).simulations[0]
    survival = found.outcomes.overall_survival
    assert survival is not None
    value = survival.survival[-1]
    assert survival.upper[-1] - survival.lower[-1] > 2.0 * 2.0 * 1.645 * (value * (1.0 - value) / 8192) ** 0.5


def test_probabilities_by_time_rise_to_those_at_the_horizon() -> None:
    result = simulate({"radiotherapy": [COURSE], "drugs": [DRUG]}, horizon_days=200)
    outcomes = result.simulations[0].outcomes
    by_time = outcomes.by_time
    assert by_time.time_days[:-1] == result.time_days
    assert by_time.time_days[-1] == 200
    for name in ("response", "abscopal_response", "progression", "relapse_after_response"):
        curve = getattr(by_time, name)
        assert curve.probability == sorted(curve.probability)
        assert len(curve.probability) == len(curve.lower) == len(curve.upper) == len(by_time.time_days)
        assert curve.lower == sorted(curve.lower)
        assert curve.upper == sorted(curve.upper)
        rows = zip(curve.lower, curve.probability, curve.upper, strict=True)
        assert all(list(row) == sorted(row) for row in rows)
        at_horizon = getattr(outcomes, "objective_response" if name == "response" else name)
        assert at_horizon.value == curve.probability[-1]
    assert by_time.response.probability[by_time.time_days.index(56.0)] == 0.0
    assert by_time.response.probability[by_time.time_days.index(63.0)] > 0.0
    written = simulations.series({}, result.model_dump())
    assert "probability:relapse_after_response" in written
    picture = simulations.KIND.figures["incidence"]({}, result.model_dump()).decode()
    assert "abscopal response" in picture


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


def test_severe_lymphopenia_does_not_depend_on_the_days_of_output() -> None:
    days = [7 * week + day for week in range(6) for day in range(5)]
    course = {"id": "rt", "lesion_ids": ["primary"], "fractions": [{"day": day, "dose_gy": 2} for day in days]}
    found = {
        simulate({"radiotherapy": [course]}, output_interval_days=step, scan_interval_days=scan)
        .simulations[0]
        .outcomes.severe_lymphopenia.value
        for step, scan in ((1.0, 63.0), (7.0, 63.0), (91.0, 182.0))
    }
    assert len(found) == 1
    assert found.pop() > 0.2


@pytest.mark.parametrize(("count", "severe"), [(1.6, 0.0), (0.4, 1.0)])
def test_the_measured_count_is_taken_as_given(count: float, severe: float) -> None:
    simulation = simulate(patient=PATIENT | {"labs": {"lymphocytes_1e9_per_l": count}}).simulations[0]
    assert simulation.outcomes.severe_lymphopenia is not None
    assert simulation.outcomes.severe_lymphopenia.value == severe
    counts = simulation.lymphocyte_relative
    assert counts is not None
    assert {counts.median[0], *(side[0] for band in counts.bands for side in (band.lower, band.upper))} == {1.0}


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


NIVOLUMAB = {"agent": "nivolumab", "dose_mg": 240, "interval_days": 14, "dose_count": 13}
IPILIMUMAB = {"agent": "ipilimumab", "dose_mg": 800, "interval_days": 21, "dose_count": 4}


def test_a_gain_at_the_price_of_adverse_events_does_not_dominate() -> None:
    plans = {"one": {"drugs": [NIVOLUMAB]}, "two": {"drugs": [NIVOLUMAB, IPILIMUMAB]}}
    (compared,) = compare(plans, horizon_days=364).comparisons
    assert compared.verdict == "expected gain"
    assert compared.dominates is False
    assert compared.dominance_note is not None
    assert "treatment_related_grade_3_or_higher" in compared.dominance_note
    (harm,) = compared.harms
    assert harm.reference.value == pytest.approx(2627 / 18715)
    assert harm.plan.value == pytest.approx(0.328)
    assert harm.difference.value == pytest.approx(0.328 - 2627 / 18715)
    turned = compare(dict(reversed(plans.items())), horizon_days=364).comparisons[0]
    assert turned.dominated is False


def test_radiation_without_organ_doses_leaves_dominance_open() -> None:
    plans = {"one": {"drugs": [DRUG]}, "two": {"radiotherapy": [COURSE], "drugs": [DRUG]}}
    (compared,) = compare(plans, horizon_days=364).comparisons
    assert compared.verdict == "expected gain"
    assert compared.dominates is None
    assert compared.dominance_note is not None
    assert "organ complications" in compared.dominance_note
    assert compared.harms_unknown


def test_organ_doses_make_the_harm_of_radiotherapy_known() -> None:
    def course(scale: float) -> dict[str, Any]:
        dvh = {
            "kind": "cumulative", "volume_unit": "percent", "total_volume_cm3": 3900,
            "dose_gy": [0, 5 * scale, 20 * scale, 40 * scale], "volume": [100, 40, 15, 0],
        }  # fmt: skip
        fractions = [{"day": day, "dose_gy": 2} for day in range(25)]
        return {**COURSE, "fractions": fractions, "organs": [{"organ": "lung", "dvh": dvh}]}

    drug = DRUG | {"start_day": 40}
    low, high = ({"radiotherapy": [course(scale)], "drugs": [drug]} for scale in (0.3, 1.0))
    (compared,) = compare({"low": low, "high": high}, patients=50).comparisons
    assert compared.harms_unknown == []
    lung = [row for row in compared.harms if row.organ == "lung"]
    assert lung
    assert all(row.difference.value > 0.0 for row in lung)


def test_the_same_treatment_has_the_same_harm() -> None:
    (compared,) = compare({"a": {"drugs": [DRUG]}, "b": {"radiotherapy": [COURSE], "drugs": [DRUG]}}).comparisons
    assert compared.harms == []
    assert len(compared.harms_unknown) == 1
    stronger = IPILIMUMAB | {"dose_mg": 1600}
    plans = {"a": {"drugs": [NIVOLUMAB, IPILIMUMAB]}, "b": {"drugs": [NIVOLUMAB, stronger]}}
    assert compare(plans, patients=50).comparisons[0].harms_unknown != []


@pytest.mark.parametrize(
    ("dose_mg", "interval_days", "dose_count"), [(1000, 21, 9), (400, 42, 5)], ids=["fivefold", "every six weeks"]
)
def test_more_of_a_pd_1_antibody_is_no_gain(dose_mg: float, interval_days: float, dose_count: int) -> None:
    other = DRUG | {"dose_mg": dose_mg, "interval_days": interval_days, "dose_count": dose_count}
    (compared,) = compare({"a": {"drugs": [DRUG]}, "b": {"drugs": [other]}}, horizon_days=364).comparisons
    assert compared.verdict == "no expected gain"
    assert (compared.dominates, compared.dominated) == (False, False)
    assert compared.verdict_note is not None
    assert all(row.number_needed_to_treat is None for row in compared.differences)
    too_little = DRUG | {"dose_mg": 0.05}
    assert compare({"a": {"drugs": [too_little]}, "b": {"drugs": [DRUG]}}).comparisons[0].verdict == "expected gain"


def test_more_than_any_trial_gave_is_not_flat() -> None:
    for dose_mg, flat in ((1000, True), (2000, False), (10000, False)):
        plan = {"drugs": [DRUG | {"dose_mg": dose_mg}]}
        (compared,) = compare({"a": {"drugs": [DRUG]}, "b": plan}).comparisons
        assert compared.verdict == ("no expected gain" if flat else "undetermined")
        assert compared.verdict_note is not None
        assert ("above the highest rate" in compared.verdict_note) != flat
        assert (("outside-derivation-range", "/plan/drugs") in warned(plan)) != flat
        (both,) = compare({"a": plan, "b": plan | {"radiotherapy": [COURSE]}}).comparisons
        assert both.verdict_note is None
    assert ("outside-derivation-range", "/plan/drugs") in warned({"drugs": [DRUG | {"dose_count": 1, "dose_mg": 5000}]})


def test_the_same_doses_in_two_courses_are_the_same_plan() -> None:
    halves = [DRUG | {"dose_count": 4}, DRUG | {"start_day": 7 + 4 * 21, "dose_count": 5}]
    (compared,) = compare({"a": {"drugs": [DRUG]}, "b": {"drugs": halves}}).comparisons
    assert compared.verdict_note is None
    assert compared.verdict == "no expected gain"
    assert all(row.difference.value == 0.0 for row in compared.differences)


def test_a_difference_below_the_smallest_meaningful_one_is_no_gain() -> None:
    for compared in compare({"a": {"drugs": [DRUG]}, "b": {"radiotherapy": [COURSE], "drugs": [DRUG]}}).comparisons:
        for row in compared.differences:
            assert row.smallest_meaningful_difference == (
                MEANINGFUL_DAYS if row.unit == "d" else MEANINGFUL_PROBABILITY
            )
            if abs(row.difference.value) < row.smallest_meaningful_difference:
                assert row.better is None
            if row.number_needed_to_treat is not None:
                assert row.better is True


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
        ({"patient": {"lesions": [lesion(longest_diameter_mm=125)]}}, "/patient/lesions/0/longest_diameter_mm"),
        ({"patient": {"lesions": [lesion(longest_diameter_mm=1000)]}}, "/patient/lesions/0/longest_diameter_mm"),
        ({"patient": {"lesions": [lesion(volume_cm3=1000)]}}, "/patient/lesions/0/volume_cm3"),
        ({"patient": {"lesions": [lesion(volume_cm3=1e-100)]}}, "/patient/lesions/0/volume_cm3"),
        ({"patient": {"lesions": [lesion(longest_diameter_mm=1e-308)]}}, "/patient/lesions/0/longest_diameter_mm"),
        ({"patient": {"lesions": [lesion(longest_diameter_mm=5e-324)]}}, "/patient/lesions/0/longest_diameter_mm"),
        ({"patient": {}, "population": {"median_volume_cm3": 900}}, "/population/log_volume_sd"),
        ({"plan": {"radiotherapy": [{**COURSE, "lesion_ids": []}]}}, "/plan/radiotherapy/0/lesion_ids"),
        ({"plan": {"cells": [{"product": "saline", "day": 0, "dose_cells": 1}]}}, "/plan/cells/0/product"),
        ({"plan": {"vaccines": [{"product": "homeopathy", "days": [0]}]}}, "/plan/vaccines/0/product"),
        ({"patient": {"lesions": [{"id": "a", "organ": "lung", "volume_cm3": 3}] * 2}}, "/patient/lesions/1/id"),
        ({"horizon_days": 1826, "output_interval_days": 1}, "/output_interval_days"),
    ],
)
def test_wrong_questions_name_their_member(changes: dict[str, Any], pointer: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        simulate(**changes)
    assert refused.value.errors[0]["pointer"] == pointer
