"""What must hold for every patient and every plan of the multi-lesion model."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulation.tumor import multi_lesion
from simulation.tumor.interface import simulate
from simulation.tumor.scenario import Covariates, Fractions, Trajectories, volume_cm3
from simulation.tumor.tables import values
from tests.simulation.tumor.scenarios import IPILIMUMAB, PEMBROLIZUMAB, SBRT, fractions, scenario

PATIENTS = 64


def run(plan, patients: int = PATIENTS, seed: int = 5, threads: int = 1) -> Trajectories:
    return simulate("multi-lesion", plan, patients=patients, seed=seed, threads=threads)


def same(a: Trajectories, b: Trajectories) -> bool:
    names = ("diameter_mm", "viable_cm3", "lymphocyte_relative", "new_lesion_day", "dropout_day", "death_day")
    return all(getattr(a, name).tobytes() == getattr(b, name).tobytes() for name in names)


def test_measured_lesions_are_taken_as_given() -> None:
    found = run(scenario(course=SBRT, drugs=PEMBROLIZUMAB))
    assert volume_cm3(found.diameter_mm[:, :, 0]) == pytest.approx(np.tile([12.0, 5.0, 30.0], (PATIENTS, 1)))


def test_untreated_tumors_grow() -> None:
    found = run(scenario(), patients=512)
    burden = found.viable_cm3.sum(axis=1)
    assert np.all(found.diameter_mm.sum(axis=1)[:, -1] > found.diameter_mm.sum(axis=1)[:, 0])
    assert np.all(burden[:, 1] > burden[:, 0])
    assert np.all(found.lymphocyte_relative == 1.0)


@pytest.mark.parametrize("cancer_type", ["nsclc", "melanoma"])
@pytest.mark.parametrize("volumes", [(4.0, 4.0, 4.0), (60.0, 1.0, 60.0), (950.0, 1.0, 20.0), (980.0, 980.0, 980.0)])
def test_no_untreated_lesion_shrinks_at_first_whatever_its_size(cancer_type: str, volumes: tuple[float, ...]) -> None:
    high = Covariates(cancer_type=cancer_type, pd_l1_tps_percent=100.0)
    found = run(scenario(volumes=volumes, covariates=high, days=np.array([0.0, 3.0])), patients=512)
    assert np.all(found.diameter_mm[:, :, 1] >= found.diameter_mm[:, :, 0] * (1.0 - 1e-3))


def test_survival_does_not_know_the_horizon_nor_what_lies_behind_it() -> None:
    course = ((320.0, 12.0), (322.0, 12.0), (324.0, 12.0))
    short, long = (
        run(scenario(drugs=PEMBROLIZUMAB, days=np.arange(0.0, end, 21.0)), patients=256) for end in (316, 1100)
    )
    treated = run(scenario(course=course, drugs=PEMBROLIZUMAB, days=np.arange(0.0, 1100.0, 21.0)), patients=256)
    for other in (long, treated):
        assert np.minimum(other.death_day, 315.0) == pytest.approx(np.minimum(short.death_day, 315.0), rel=1e-3)
    assert np.sum(short.death_day < 315.0) > 20
    assert np.sum(treated.death_day > 1100.0) > np.sum(long.death_day > 1100.0)


def test_zero_dose_is_no_event() -> None:
    nothing = run(scenario())
    assert same(nothing, run(scenario(course=((5.0, 0.0), (9.0, 0.0)))))


def test_threads_and_numbers_of_patients_change_nothing() -> None:
    plan = scenario(course=SBRT, drugs=PEMBROLIZUMAB + IPILIMUMAB)
    alone = run(plan, patients=600, threads=1)
    assert same(alone, run(plan, patients=600, threads=2))
    few = run(plan, patients=13)
    assert few.diameter_mm.tobytes() == alone.diameter_mm[:13].tobytes()
    assert few.death_day.tobytes() == alone.death_day[:13].tobytes()
    assert not same(alone, run(plan, patients=600, seed=6))


def test_the_order_of_lesions_does_not_matter() -> None:
    plan = scenario(course=SBRT, drugs=PEMBROLIZUMAB)
    order = [2, 0, 1]
    turned = replace(
        plan,
        lesion_ids=tuple(plan.lesion_ids[i] for i in order),
        organs=tuple(plan.organs[i] for i in order),
        volume_cm3=plan.volume_cm3[order],
        fractions=replace(plan.fractions, dose_gy=plan.fractions.dose_gy[:, order]),
    )
    straight, permuted = run(plan), run(turned)
    assert permuted.diameter_mm.tobytes() == np.ascontiguousarray(straight.diameter_mm[:, order]).tobytes()
    assert permuted.death_day.tobytes() == straight.death_day.tobytes()


def test_horizon_and_output_grid_do_not_change_the_patients() -> None:
    short = run(scenario(drugs=PEMBROLIZUMAB, days=np.array([0.0, 63.0])))
    long = run(scenario(drugs=PEMBROLIZUMAB, days=np.array([0.0, 30.0, 63.0, 700.0])))
    assert short.diameter_mm.tobytes() == np.ascontiguousarray(long.diameter_mm[:, :, [0, 2]]).tobytes()
    assert np.minimum(short.death_day, 63.0).tobytes() == np.minimum(long.death_day, 63.0).tobytes()
    assert np.minimum(short.new_lesion_day, 63.0).tobytes() == np.minimum(long.new_lesion_day, 63.0).tobytes()


@settings(max_examples=15, deadline=None)
@given(
    course=st.lists(st.tuples(st.integers(0, 200), st.floats(0.0, 25.0)), max_size=6),
    lesions=st.integers(1, 8),
    volume=st.floats(0.01, 400.0),
)
def test_volumes_are_finite_and_never_negative(course: list, lesions: int, volume: float) -> None:
    days = sorted((float(day), dose) for day, dose in course)
    found = run(
        scenario(
            course=tuple(days), drugs=PEMBROLIZUMAB[:3], volumes=(volume,) * lesions, days=np.arange(0.0, 300.0, 9.0)
        ),
        patients=8,
    )
    assert np.all(np.isfinite(found.diameter_mm))
    assert np.all(found.diameter_mm >= 0.0)
    assert np.all(found.viable_cm3 >= 0.0)
    assert np.all((found.lymphocyte_relative > 0.0) & (found.lymphocyte_relative <= 1.0 + 1e-12))


@settings(max_examples=25, deadline=None)
@given(low=st.floats(0.0, 40.0), more=st.floats(0.0, 10.0))
def test_more_dose_leaves_fewer_viable_cells_at_the_same_instant(low: float, more: float) -> None:
    p = values("multi_lesion", "parameters")
    state = np.concatenate([[0.1, 0.2, 0.3, 1.0, 1.0], [9.0, 0.1, 0.0, 0.5, 0.1, 0.3, 0.6, 0.0]])
    smaller, larger = (
        multi_lesion.irradiate(state, np.array([dose]), 1.0, 0.0, p)[5:7].sum() for dose in (low, low + more)
    )
    assert larger <= smaller <= 9.1


def test_kill_is_linear_above_the_bend() -> None:
    logs = [np.log(multi_lesion.tumor_cell_survival(d, 0.2, 0.02)) for d in (10.0, 20.0, 21.0, 22.0)]
    assert logs[0] == pytest.approx(-4.0)
    assert logs[1] == pytest.approx(-12.0)
    assert logs[2] - logs[1] == pytest.approx(logs[3] - logs[2]) == pytest.approx(-1.0)


def test_single_doses_above_the_trex1_threshold_add_little() -> None:
    p = values("multi_lesion", "parameters")
    doses = np.array([2.0, 8.0, 12.0, 20.0])
    added = [multi_lesion.adjuvanticity(d, p) for d in doses]
    assert added[0] < added[1]
    assert added[3] < 0.2 * added[1]


def test_a_refractory_patient_gains_nothing_out_of_field() -> None:
    refractory = Covariates(cancer_type="nsclc", prior_immunotherapy="refractory")
    alone = run(scenario(drugs=PEMBROLIZUMAB, covariates=refractory))
    both = run(scenario(course=SBRT, drugs=PEMBROLIZUMAB, covariates=refractory))
    untreated = run(scenario(covariates=refractory))
    assert np.allclose(alone.diameter_mm, untreated.diameter_mm, rtol=1e-4)
    assert np.allclose(both.diameter_mm[:, 1:], untreated.diameter_mm[:, 1:], rtol=1e-4)
    assert np.all(both.diameter_mm[:, 0, -1] < untreated.diameter_mm[:, 0, -1])


def test_lymphocytes_fall_with_exposure_and_fractions_and_recover() -> None:
    weekdays = tuple((float(7 * (i // 5) + i % 5), 2.0) for i in range(30))
    plan = scenario(course=weekdays, days=np.arange(0.0, 200.0, 1.0))
    wide = run(replace(plan, fractions=fractions(weekdays, 3, field=1.0)), patients=8).lymphocyte_relative
    narrow = run(plan, patients=8).lymphocyte_relative
    assert wide.min() == pytest.approx(0.36, abs=0.03)
    assert narrow.min() > wide.min()
    assert np.all(wide[:, -1] > 0.95)


def test_high_pd_l1_responds_more() -> None:
    sizes = {}
    for tps in (0.0, 90.0):
        known = Covariates(cancer_type="nsclc", pd_l1_tps_percent=tps)
        found = run(scenario(drugs=PEMBROLIZUMAB, covariates=known), patients=512)
        sizes[tps] = found.diameter_mm.sum(axis=1)[:, 9] / found.diameter_mm.sum(axis=1)[:, 0]
    assert np.mean(sizes[90.0] <= 0.7) > np.mean(sizes[0.0] <= 0.7)


def test_nothing_is_left_out_in_silence() -> None:
    found = run(scenario(drugs=PEMBROLIZUMAB, vaccine_days=(1.0,)), patients=8)
    assert any("infusion" in text for text in found.ignored)
    assert any("speculative" in text for text in found.notes)
    other = run(scenario(covariates=Covariates(cancer_type="renal")), patients=8)
    assert any("lung cancer set" in text for text in other.notes)


def test_too_many_lesions_are_refused() -> None:
    plan = scenario(volumes=(1.0,) * 9)
    with pytest.raises(ValueError, match="at most 8 lesions"):
        run(plan)


def test_a_scenario_must_fit_together() -> None:
    with pytest.raises(ValueError, match="one row per fraction"):
        Fractions(day=np.zeros(2), dose_gy=np.zeros((1, 1)), field_exposure=np.zeros(2), node_dose_gy=np.zeros(2))
    with pytest.raises(ValueError, match="output days"):
        scenario(days=np.array([5.0, 1.0]))
