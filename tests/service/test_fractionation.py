import json
from pathlib import Path
from typing import Any

import pytest

from schemas.fractionation import FractionationResult
from service.errors import InvalidInput
from service.fractionation import KIND


def compute(**body: Any) -> Any:
    computation = KIND.compute(KIND.request.model_validate_json(json.dumps(body)))
    assert isinstance(computation.result, FractionationResult)
    return computation


def pointer_of(**body: Any) -> str:
    with pytest.raises(InvalidInput) as caught:
        compute(**body)
    return caught.value.errors[0]["pointer"]


COURSE = [{"dose_per_fraction_gy": 2.0, "fraction_count": 35}]
TUMOR = {
    "id": "tumor",
    "role": "tumor",
    "alpha_beta_gy": 10.0,
    "repopulation": {"kick_off_day": 28.0, "rate_gy_per_day": 0.9},
}
LATE = {"id": "late", "role": "late", "alpha_beta_gy": 3.0}
GAP = {"tumor_id": "tumor", "delivered_fraction_count": 20, "days_lost": 7.0}


@pytest.mark.parametrize("name", sorted(KIND.examples))
def test_examples_compute_the_same_bytes_twice(name: str) -> None:
    request = KIND.request.model_validate_json(json.dumps(KIND.examples[name]))
    first, second = KIND.compute(request).result, KIND.compute(request).result
    assert isinstance(first, FractionationResult)
    assert isinstance(second, FractionationResult)
    assert first.model_dump_json() == second.model_dump_json()
    assert KIND.series is not None
    assert KIND.series({}, first.model_dump()).count("\n") == 1 + len(first.tissues)


def test_bed_and_interval_of_a_preset() -> None:
    result = compute(
        phases=[{"dose_per_fraction_gy": 2, "fraction_count": 30}], tissues=[{"id": "t", "preset": "breast"}]
    )
    tissue = result.result.tissues[0]
    assert tissue.bed_gy.value == pytest.approx(60.0 * (1.0 + 2.0 / 3.5))
    assert tissue.bed_gy.interval.upper == pytest.approx(60.0 * (1.0 + 2.0 / 1.2))
    assert tissue.eqd2_gy.value == pytest.approx(60.0)
    assert tissue.eqd2_gy.interval.lower == pytest.approx(60.0)
    assert [warning.code for warning in result.warnings] == ["unverified-parameter", "not-validated-on-patients"]


def test_large_fractions_bring_other_models_and_a_warning() -> None:
    result = compute(
        phases=[{"dose_per_fraction_gy": 18.0, "fraction_count": 3, "treatment_days_per_week": 3}],
        tissues=[LATE, {"id": "nsclc", "preset": "nsclc_park"}],
    )
    late, tumor = result.result.tissues
    assert {one.model: one.bed_gy for one in late.high_dose_models}["lq_l"] == pytest.approx(234.0)
    assert {one.model: one.bed_gy for one in tumor.high_dose_models}["usc"] == pytest.approx(117.8181818)
    assert result.warnings[0].code == "lq-beyond-validity"
    assert result.warnings[0].pointer == "/phases/0/dose_per_fraction_gy"
    used = {model.id for model in result.models}
    assert used == {"lq-fractionation", "lq-linear", "modified-lq", "universal-survival-curve"}


def test_a_known_transition_dose_brings_them_earlier() -> None:
    own = {**LATE, "transition_dose_gy": 6.0}
    late, tumor = compute(
        phases=[{"dose_per_fraction_gy": 10.0, "fraction_count": 5}],
        tissues=[own, {"id": "nsclc", "preset": "nsclc_park"}],
    ).result.tissues
    assert {one.model: one.bed_gy for one in late.high_dose_models}["lq_l"] == pytest.approx(190.0)
    assert "usc" in {one.model for one in tumor.high_dose_models}
    small = compute(phases=[{"dose_per_fraction_gy": 6.0, "fraction_count": 5}], tissues=[own])
    assert small.result.tissues[0].high_dose_models == []


def test_fractions_of_one_day_fit_into_it() -> None:
    phase = {"dose_per_fraction_gy": 1.0, "fraction_count": 8, "fractions_per_day": 4, "interval_hours": 8.0}
    with pytest.raises(ValueError, match="within 24 hours"):
        compute(phases=[phase], tissues=[LATE])


def test_a_tissue_that_gets_little_stays_with_lq() -> None:
    body = {
        "phases": [{"dose_per_fraction_gy": 18.0, "fraction_count": 3}],
        "tissues": [{**LATE, "relative_dose": 0.3}],
    }
    result = compute(**body)
    assert result.result.tissues[0].high_dose_models == []
    assert result.result.tissues[0].dose_gy == pytest.approx(16.2)
    assert [warning.code for warning in result.warnings] == ["not-validated-on-patients"]


def test_alpha_beta_for_each_phase() -> None:
    phases = [{"dose_per_fraction_gy": 2.0, "fraction_count": 25}, {"dose_per_fraction_gy": 3.0, "fraction_count": 5}]
    tissue = {"id": "t", "role": "late", "alpha_beta_by_phase_gy": [3.0, 2.0]}
    read = compute(phases=phases, tissues=[tissue]).result.tissues[0]
    first, second = 50.0 * (1.0 + 2.0 / 3.0), 15.0 * (1.0 + 3.0 / 2.0)
    assert read.bed_gy.value == pytest.approx(first + second)
    assert read.eqd2_gy.value == pytest.approx(first / (1.0 + 2.0 / 3.0) + second / 2.0)
    assert read.bed_gy.interval is None


def test_doubling_time_becomes_a_daily_dose() -> None:
    tissue = {
        "id": "t",
        "role": "tumor",
        "alpha_beta_gy": 10.0,
        "alpha_per_gy": 0.35,
        "repopulation": {"kick_off_day": 28.0, "doubling_time_days": 3.0},
    }
    read = compute(phases=COURSE, tissues=[tissue]).result.tissues[0]
    assert read.repopulation_loss_gy == pytest.approx(0.66014 * 19.0, rel=1e-4)
    assert read.surviving_fraction == pytest.approx(2.718281828 ** (-0.35 * 84.0), rel=1e-6)


def test_both_day_conventions_give_a_preset_the_same_bed() -> None:
    tissue = [{"id": "t", "preset": "head_and_neck_scc"}]
    by_one = compute(phases=COURSE, tissues=tissue)
    by_zero = compute(phases=COURSE, tissues=tissue, time_convention="first_fraction_is_day_0")
    assert by_one.result.tissues[0].bed_gy == by_zero.result.tissues[0].bed_gy
    assert by_one.result.schedule.overall_time_days == 47.0
    assert by_zero.result.schedule.overall_time_days == 46.0


def test_a_friday_start_waits_over_the_weekend() -> None:
    result = compute(phases=[{"dose_per_fraction_gy": 8.0, "fraction_count": 2}], tissues=[LATE], first_weekday=5)
    assert result.result.schedule.phases[0].last_day == 3.0


def test_a_start_on_a_free_day_moves_with_a_warning() -> None:
    phases = [*COURSE, {"dose_per_fraction_gy": 2.0, "fraction_count": 5, "start_day": 54.0}]
    result = compute(phases=phases, tissues=[LATE])
    assert result.result.schedule.phases[1].first_day == 56.0
    assert [warning.code for warning in result.warnings] == ["start-moved", "not-validated-on-patients"]


def test_two_fractions_a_day_cost_the_late_tissue_more() -> None:
    phase = {"dose_per_fraction_gy": 1.2, "fraction_count": 68, "fractions_per_day": 2, "interval_hours": 6.0}
    slow = {**LATE, "repair": [{"half_time_hours": 4.0}]}
    with_memory = compute(phases=[phase], tissues=[slow]).result.tissues[0].bed_gy.value
    without = compute(phases=[phase], tissues=[LATE]).result.tissues[0].bed_gy.value
    assert with_memory == pytest.approx(81.6 * (1.0 + 1.35355339 * 0.4))
    assert without == pytest.approx(81.6 * 1.4)


def test_interruption_lists_options_with_their_late_effect() -> None:
    result = compute(phases=COURSE, tissues=[TUMOR, LATE], interruption=GAP)
    compensation = result.result.compensation
    options = {option.strategy: option for option in compensation.options}
    assert compensation.missed_fraction_count == 5
    assert options["larger_fractions_longer_time"].dose_per_fraction_gy == pytest.approx(2.293833011524188)
    assert options["larger_fractions_longer_time"].tissues[1].bed_gy == pytest.approx(127.38251126332011)
    assert options["no_compensation"].tissues[0].bed_difference_gy == pytest.approx(-6.3)
    assert not options["no_compensation"].keeps_tumor_bed
    assert options["larger_fractions_same_time_late_matched"].tissues[1].bed_difference_gy == pytest.approx(0.0)
    assert {one.strategy for one in compensation.not_possible} == {"weekend_fractions"}
    assert {tissue.id for option in compensation.options for tissue in option.tissues} == {"tumor", "late"}


def test_the_weekend_on_which_treatment_can_go_on_is_used() -> None:
    gap = {**GAP, "delivered_fraction_count": 15, "days_lost": 5.0}
    compensation = compute(phases=COURSE, tissues=[TUMOR, LATE], interruption=gap).result.compensation
    options = {option.strategy: option for option in compensation.options}
    assert compensation.missed_fraction_count == 5
    assert options["weekend_fractions"].fraction_count == 20
    assert options["weekend_fractions"].last_day == 46.0
    assert options["weekend_fractions"].keeps_tumor_bed
    assert compensation.not_possible == []


def test_options_with_large_fractions_are_warned_of_and_get_other_models() -> None:
    late, phases = {**LATE}, [{"dose_per_fraction_gy": 9.5, "fraction_count": 5}]
    tumor = {"id": "tumor", "role": "tumor", "alpha_beta_gy": 10.0}
    gap = {**GAP, "delivered_fraction_count": 2, "days_lost": 1.0}
    computation = compute(phases=phases, tissues=[tumor, late], interruption=gap)
    options = {option.strategy: option for option in computation.result.compensation.options}
    matched = options["larger_fractions_same_time"]
    assert matched.dose_per_fraction_gy == pytest.approx(12.40330428)
    straight = next(one for one in matched.tissues[1].high_dose_models if one.model == "lq_l")
    assert straight.bed_gy == pytest.approx(2 * (18.0 + 5.0 * 3.5) + 2 * (18.0 + 5.0 * 6.40330428))
    assert straight.bed_difference_gy == pytest.approx(straight.bed_gy - 5 * (18.0 + 5.0 * 3.5))
    assert straight.bed_difference_gy < 0 < matched.tissues[1].bed_difference_gy
    assert options["no_compensation"].tissues[1].high_dose_models == []
    assert ("lq-beyond-validity", "/interruption") in {(one.code, one.pointer) for one in computation.warnings}
    assert {"lq-linear", "modified-lq"} <= {model.id for model in computation.models}


def test_a_solved_fraction_of_ten_gray_is_not_above_ten() -> None:
    phases = [{"dose_per_fraction_gy": 10.0, "fraction_count": 5}]
    tumor = {"id": "tumor", "role": "tumor", "alpha_beta_gy": 10.0}
    gap = {**GAP, "delivered_fraction_count": 4, "days_lost": 1.0}
    computation = compute(phases=phases, tissues=[tumor, LATE], interruption=gap)
    assert "lq-beyond-validity" not in {one.code for one in computation.warnings}
    for option in computation.result.compensation.options:
        assert all(tissue.high_dose_models == [] for tissue in option.tissues)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"tissues": [{"id": "t", "preset": "no_such"}]}, "/tissues/0/preset"),
        ({"tissues": [{**LATE, "repopulation": TUMOR["repopulation"]}]}, "/tissues/0/repopulation"),
        (
            {"tissues": [{**TUMOR, "repopulation": {"kick_off_day": 28.0, "doubling_time_days": 3.0}}]},
            "/tissues/0/alpha_per_gy",
        ),
        (
            {"tissues": [{"id": "t", "role": "late", "alpha_beta_by_phase_gy": [3.0, 2.0]}]},
            "/tissues/0/alpha_beta_by_phase_gy",
        ),
        (
            {"tissues": [{**LATE, "alpha_beta_interval_gy": {"level": 0.95, "lower": 4.0, "upper": 5.0}}]},
            "/tissues/0/alpha_beta_interval_gy",
        ),
        ({"tissues": [LATE], "phases": [{**COURSE[0], "start_day": 0.0}] * 2}, "/phases"),
        ({"tissues": [TUMOR, LATE], "interruption": {**GAP, "tumor_id": "late"}}, "/interruption/tumor_id"),
        ({"tissues": [TUMOR], "interruption": GAP}, "/tissues"),
        (
            {"tissues": [TUMOR, LATE], "interruption": {**GAP, "delivered_fraction_count": 35}},
            "/interruption/delivered_fraction_count",
        ),
        ({"tissues": [TUMOR, LATE], "interruption": GAP, "overall_time_days": 46.0}, "/overall_time_days"),
        ({"tissues": [LATE], "overall_time_days": 34.0}, "/overall_time_days"),
        (
            {"tissues": [LATE], "overall_time_days": 33.0, "time_convention": "first_fraction_is_day_0"},
            "/overall_time_days",
        ),
        (
            {
                "tissues": [TUMOR, LATE],
                "interruption": {**GAP, "delivered_fraction_count": 5},
                "phases": [COURSE[0], {"dose_per_fraction_gy": 2.0, "fraction_count": 5}],
            },
            "/interruption/delivered_fraction_count",
        ),
        (
            {
                "tissues": [TUMOR, LATE],
                "interruption": GAP,
                "phases": [{**COURSE[0], "fractions_per_day": 2, "interval_hours": 6.0}],
            },
            "/phases/0/fractions_per_day",
        ),
    ],
)
def test_what_cannot_be_computed_is_pointed_at(body: dict[str, Any], pointer: str) -> None:
    assert pointer_of(**{"phases": COURSE, **body}) == pointer


@pytest.mark.parametrize("name", sorted(KIND.examples))
def test_example_files_are_the_examples(name: str) -> None:
    file = Path(__file__).parents[2] / "examples" / f"fractionation_{name}.json"
    assert json.loads(file.read_text(encoding="utf-8")) == KIND.examples[name]


def test_impossible_results_and_assumptions_are_warned_of() -> None:
    slow = {**LATE, "repair": [{"half_time_hours": 48.0}]}
    quick = {**LATE, "id": "quick", "repair": [{"half_time_hours": 4.0}]}
    codes = {(w.code, w.pointer) for w in compute(phases=COURSE, tissues=[TUMOR, slow, quick]).warnings}
    assert ("repair-not-complete-overnight", "/tissues/1/repair") in codes
    assert not any(pointer == "/tissues/2/repair" for _, pointer in codes)
    assert not any(code == "negative-bed" for code, _ in codes)
    grown = compute(phases=COURSE, tissues=[TUMOR], overall_time_days=365.0)
    assert grown.result.tissues[0].bed_gy.value < 0
    assert [w.pointer for w in grown.warnings if w.code == "negative-bed"] == ["/tissues/0"]
