from dataclasses import replace
from math import ceil, exp, log

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from simulation.model import Interval
from simulation.radiation import linear_quadratic as lq
from simulation.radiation.compensation import Interruption, compensate
from simulation.radiation.repair import RepairComponent, incomplete_repair_factor, unrepaired_fraction
from simulation.radiation.repopulation import Repopulation, rate_from_doubling_gy_per_day
from simulation.radiation.schedule import Phase, build_schedule
from simulation.radiation.tissue import PRESETS, Tissue, effect_interval, effect_on, high_dose_effects
from tests.simulation.radiation.strategies import phases, ratios

TUMOR = Tissue(
    id="tumor",
    role="tumor",
    alpha_beta_gy=(10.0,),
    alpha_per_gy=0.3,
    repopulation=Repopulation(kick_off_day=28.0, rate_gy_per_day=0.9),
)
LATE = Tissue(id="late", role="late", alpha_beta_gy=(3.0,), repair=(RepairComponent(half_time_hours=4.0),))


@given(st.floats(min_value=0.1, max_value=100.0), ratios)
def test_eqd2_of_two_gray_fractions_is_the_dose(total: float, ratio: float) -> None:
    assert float(lq.eqd2_gy(total, total / 2.0, ratio)) == pytest.approx(total)


@given(st.floats(min_value=0.1, max_value=90.0), st.integers(1, 40), st.integers(1, 40), ratios)
def test_another_fraction_number_keeps_the_bed(total: float, old: int, new: int, ratio: float) -> None:
    other = lq.dose_in_fractions_gy(total, old, new, ratio)
    assert float(lq.bed_gy(other, new, ratio)) == pytest.approx(float(lq.bed_gy(total, old, ratio)))


@given(st.floats(min_value=0.0, max_value=300.0), st.integers(1, 40), ratios)
def test_dose_for_a_bed_gives_that_bed(bed: float, count: int, ratio: float) -> None:
    dose = lq.dose_per_fraction_for_bed_gy(bed, count, ratio)
    assert float(lq.bed_gy(count * dose, count, ratio)) == pytest.approx(bed, abs=1e-9)


@given(st.floats(min_value=0.0, max_value=40.0), ratios)
def test_straight_tail_never_exceeds_the_parabola(dose: float, ratio: float) -> None:
    parabola = float(lq.fraction_bed_gy(dose, ratio))
    straight = float(lq.fraction_bed_linear_quadratic_linear_gy(dose, ratio, 2.0 * ratio))
    damped = float(lq.fraction_bed_modified_linear_quadratic_gy(dose, ratio, shift_per_gy=0.15))
    assert straight <= parabola + 1e-9
    assert dose - 1e-9 <= damped <= parabola + 1e-9
    if dose <= 2.0 * ratio:
        assert straight == pytest.approx(parabola)


def test_infinite_alpha_beta_gives_the_dose() -> None:
    assert float(lq.bed_gy(60.0, 30, float("inf"))) == 60.0


@pytest.mark.parametrize("ratio", [0.0, -1.0, float("nan")])
def test_meaningless_alpha_beta_is_refused(ratio: float) -> None:
    with pytest.raises(ValueError, match="alpha_beta_gy"):
        lq.bed_gy(60.0, 30, ratio)


@given(st.floats(min_value=0.0, max_value=200.0))
def test_protraction_factor_lies_between_zero_and_one(exponent: float) -> None:
    assert 0.0 < float(lq.lea_catcheside_factor(exponent)) <= 1.0


def test_protraction_series_meets_the_closed_form() -> None:
    below, above = lq.lea_catcheside_factor([0.00999999, 0.01000001])
    assert below == pytest.approx(above, rel=1e-7)


@given(st.integers(2, 4), st.floats(min_value=1.0, max_value=12.0), st.floats(min_value=0.3, max_value=6.0))
def test_repair_factor_equals_the_closed_form(per_day: int, interval: float, half_time: float) -> None:
    left = exp(-log(2.0) * interval / half_time)
    closed = (2.0 / per_day) * (left / (1.0 - left)) * (per_day - (1.0 - left**per_day) / (1.0 - left))
    assert incomplete_repair_factor(per_day, interval, half_time) == pytest.approx(closed, rel=1e-9)


@given(st.integers(2, 4), st.floats(min_value=1.0, max_value=6.0), st.floats(min_value=0.3, max_value=6.0))
def test_same_day_fractions_follow_the_repair_factor(per_day: int, interval: float, half_time: float) -> None:
    phase = Phase(
        dose_per_fraction_gy=1.5, fraction_count=10 * per_day, fractions_per_day=per_day, interval_hours=interval
    )
    tissue = replace(LATE, repair=(RepairComponent(half_time_hours=half_time),))
    factor = incomplete_repair_factor(per_day, interval, half_time)
    expected = 15.0 * per_day * (1.0 + (1.0 + factor) * 1.5 / 3.0)
    assert effect_on(build_schedule([phase]), tissue).bed_gy == pytest.approx(expected)


def test_two_repair_components_average() -> None:
    fast, slow = RepairComponent(half_time_hours=0.7, weight=0.5), RepairComponent(half_time_hours=3.8, weight=0.5)
    mean = (2 ** (-6 / 0.7) + 2 ** (-6 / 3.8)) / 2.0
    assert float(unrepaired_fraction(6.0, (fast, slow))) == pytest.approx(mean)


@given(phases, st.data())
def test_splitting_a_plan_into_phases_changes_nothing(phase: Phase, data: st.DataObject) -> None:
    first = data.draw(st.integers(1, phase.fraction_count - 1))
    halves = [
        replace(phase, fraction_count=first),
        replace(phase, fraction_count=phase.fraction_count - first, start_day=None),
    ]
    whole, split = build_schedule([phase]), build_schedule(halves)
    assert np.array_equal(whole.day, split.day)
    assert effect_on(whole, TUMOR).bed_gy == pytest.approx(effect_on(split, TUMOR).bed_gy)
    per_phase = replace(TUMOR, alpha_beta_gy=(10.0, 10.0))
    assert effect_on(split, per_phase).eqd2_gy == pytest.approx(effect_on(whole, TUMOR).eqd2_gy)


@given(phases)
def test_treatment_days_increase_and_keep_the_weekly_rate(phase: Phase) -> None:
    day = build_schedule([phase]).day
    assert np.all(np.diff(day) >= 1.0)
    weeks = np.floor((day - day[0]) / 7.0)
    assert max(np.bincount(weeks.astype(int))) <= phase.treatment_days_per_week


@given(phases)
def test_both_day_conventions_give_one_bed(phase: Phase) -> None:
    plan = build_schedule([phase])
    assert TUMOR.repopulation is not None
    shifted = replace(TUMOR, repopulation=replace(TUMOR.repopulation, kick_off_day=27.0))
    by_one = effect_on(plan, TUMOR, first_day_is_one=True).bed_gy
    assert effect_on(plan, shifted, first_day_is_one=False).bed_gy == pytest.approx(by_one)


@given(phases)
def test_interval_contains_the_estimate(phase: Phase) -> None:
    tissue = replace(TUMOR, alpha_beta_interval=Interval(level=0.95, lower=6.5, upper=29.0))
    plan = build_schedule([phase])
    found = effect_interval(plan, tissue)
    assert found is not None
    effect = effect_on(plan, tissue)
    assert found[0].lower - 1e-9 <= effect.bed_gy <= found[0].upper + 1e-9
    assert found[1].lower - 1e-9 <= effect.eqd2_gy <= found[1].upper + 1e-9


def test_an_interval_that_reaches_zero_gives_none() -> None:
    plan = build_schedule([Phase(dose_per_fraction_gy=2.0, fraction_count=30)])
    assert effect_interval(plan, PRESETS["melanoma"].tissue) is None
    assert effect_interval(plan, PRESETS["late_generic"].tissue) is None


def test_survival_is_of_the_radiation_alone() -> None:
    plan = build_schedule([Phase(dose_per_fraction_gy=2.0, fraction_count=35)])
    effect = effect_on(plan, TUMOR)
    assert effect.log_survival == pytest.approx(-0.3 * 84.0)
    assert effect.bed_gy == pytest.approx(84.0 - 0.9 * 19.0)


def test_high_dose_models_agree_with_lq_for_small_fractions() -> None:
    plan = build_schedule([Phase(dose_per_fraction_gy=2.0, fraction_count=30)])
    straight = high_dose_effects(plan, TUMOR)[0]
    assert straight.model == "lq_l"
    assert straight.bed_gy == pytest.approx(effect_on(plan, TUMOR).bed_gy)
    assert straight.eqd2_gy == pytest.approx(effect_on(plan, TUMOR).eqd2_gy)


def test_rate_from_doubling_time() -> None:
    assert rate_from_doubling_gy_per_day(0.35, 3.0) == pytest.approx(0.660, abs=5e-4)
    with pytest.raises(ValueError, match="must be > 0"):
        rate_from_doubling_gy_per_day(0.0, 3.0)


def _case(delivered: int, lost: float) -> Interruption:
    return Interruption(
        planned=build_schedule([Phase(dose_per_fraction_gy=2.0, fraction_count=35)]),
        delivered_count=delivered,
        days_lost=lost,
        treatment_days_per_week=5,
        week_start_day=0.0,
        second_fraction_after_hours=6.0,
        first_day_is_one=True,
    )


@given(st.integers(1, 34), st.integers(1, 30))
def test_every_option_gives_the_fractions_it_says(delivered: int, lost: int) -> None:
    case = _case(delivered, float(lost))
    options, refused = compensate(case, [TUMOR, LATE])
    assert len(options) + len(refused) == 7
    assert any(option.pareto_optimal for option in options)
    planned = effect_on(case.planned, TUMOR).bed_gy
    for option in options:
        assert len(option.schedule.day) == delivered + option.remaining_count
        assert np.all(np.diff(option.schedule.day) >= 0)
        assert np.array_equal(option.schedule.day[:delivered], case.planned.day[:delivered])
        if option.strategy in ("larger_fractions_same_time", "larger_fractions_longer_time"):
            assert option.effects[0].bed_gy == pytest.approx(planned)
        if option.strategy in ("two_fractions_a_day", "weekend_fractions", "larger_fractions_same_time"):
            assert float(option.schedule.day[-1]) <= case.last_planned_day
        if option.strategy == "larger_fractions_same_time_late_matched":
            assert option.effects[1].bed_gy == pytest.approx(effect_on(case.planned, LATE).bed_gy)


@given(st.integers(1, 34), st.floats(0.5, 30.0))
def test_weekends_make_up_wherever_the_calendar_has_the_days(delivered: int, lost: float) -> None:
    case = _case(delivered, lost)
    assume(case.missed_count > 0 and case.slots)
    options, _ = compensate(case, [TUMOR, LATE])
    found = [option for option in options if option.strategy == "weekend_fractions"]
    days_left = int(case.last_planned_day) - ceil(case.earliest_day) + 1
    assert bool(found) == (days_left >= case.remaining_count)
    for option in found:
        given_later = option.schedule.day[delivered:]
        assert given_later[0] >= case.earliest_day
        assert np.all(np.diff(given_later) >= 1)


@given(st.integers(1, 34), st.integers(1, 30))
def test_pareto_options_are_not_dominated(delivered: int, lost: int) -> None:
    options, _ = compensate(_case(delivered, float(lost)), [TUMOR, LATE])
    merit = [(option.effects[0].bed_gy, -option.effects[1].bed_gy) for option in options]
    for own, option in zip(merit, options, strict=True):
        better = any(one[0] > own[0] + 1e-6 and one[1] > own[1] + 1e-6 for one in merit)
        assume(option.pareto_optimal)
        assert not better


def test_nothing_lost_on_a_free_day_leaves_nothing_to_compensate() -> None:
    case = replace(_case(5, 1.0), days_lost=0.0)
    assert case.missed_count == 0
    options, refused = compensate(case, [TUMOR, LATE])
    assert {one.strategy for one in refused} >= {"two_fractions_a_day", "weekend_fractions"}
    assert options[0].effects[0].bed_gy == pytest.approx(effect_on(case.planned, TUMOR).bed_gy)
