"""Exposure metrics."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulation.immunotherapy.antibodies import MODELS, AntibodyModel
from simulation.immunotherapy.disposition import Disposition, simulate
from simulation.immunotherapy.metrics import (
    crossing_grid,
    cycle_bounds,
    cycle_metrics,
    days_above,
    occupancy,
    output_grid,
    steady_state,
)
from simulation.immunotherapy.timeline import Doses

ONE = Disposition.of(cl_l_per_day=0.2, vc_l=4.0, q_l_per_day=0.6, vp_l=3.0)
DRIFTING = Disposition.of(
    cl_l_per_day=0.3, vc_l=4.0, q_l_per_day=0.6, vp_l=3.0, form="exp", emax=-0.3, t50_days=60.0, hill=2.0
)


def test_cycles_run_from_dose_to_dose() -> None:
    doses = Doses.of([0.0, 21.0, 49.0], 200.0, 1.0 / 24.0)
    assert cycle_bounds(doses, 300.0).tolist() == [0.0, 21.0, 49.0, 77.0]
    assert cycle_bounds(Doses.of([5.0], 1.0), 40.0).tolist() == [5.0, 40.0]
    assert cycle_bounds(doses, 30.0).tolist() == [0.0, 21.0, 49.0]
    assert cycle_bounds(doses, 10.0).tolist() == [0.0, 21.0]
    run = simulate(ONE, doses, output_grid(doses, 77.0, 1.0))
    cycles = cycle_metrics(run, doses, 77.0)
    assert cycles.length_days.tolist() == [21.0, 28.0, 28.0]
    assert np.all(cycles.maximum_mg_per_l > cycles.average_mg_per_l)
    assert np.all(cycles.average_mg_per_l > cycles.trough_mg_per_l)
    assert cycles.area_mg_day_per_l.sum() == pytest.approx(run.area_mg_day_per_l[-1, 0])


def test_cycles_need_their_bounds_among_the_outputs() -> None:
    doses = Doses.of([0.0, 21.0], 200.0)
    run = simulate(ONE, doses, np.array([0.0, 10.0]))
    with pytest.raises(ValueError, match="output_grid"):
        cycle_metrics(run, doses, 42.0)


def test_a_long_course_reaches_the_steady_state() -> None:
    doses = Doses.of(21.0 * np.arange(300), 200.0, 0.5 / 24.0)
    horizon = 21.0 * 300
    late = cycle_metrics(simulate(DRIFTING, doses, output_grid(doses, horizon, 21.0)), doses, horizon)
    steady = steady_state(DRIFTING, 200.0, 0.5 / 24.0, 21.0)
    assert late.trough_mg_per_l[-1] == pytest.approx(steady.trough_mg_per_l, rel=1e-3)
    assert late.maximum_mg_per_l[-1] == pytest.approx(steady.maximum_mg_per_l, rel=1e-3)
    assert steady.area_mg_day_per_l[0] == pytest.approx(200.0 / (0.3 * np.exp(-0.3)))
    assert steady.average_mg_per_l[0] == pytest.approx(steady.area_mg_day_per_l[0] / 21.0)


def test_steady_state_of_a_bolus_and_a_wrong_interval() -> None:
    bolus = steady_state(ONE, 200.0, 0.0, 21.0)
    assert bolus.maximum_mg_per_l[0] == pytest.approx(bolus.trough_mg_per_l[0] + 50.0)
    with pytest.raises(ValueError, match="shorter"):
        steady_state(ONE, 200.0, 21.0, 21.0)


def test_time_above_is_exact_for_an_exponential() -> None:
    time = np.array([0.0, 7.0, 14.0])
    falling = 100.0 * np.exp(-0.1 * time)[:, None]
    assert days_above(time, falling, 50.0)[0] == pytest.approx(np.log(2.0) / 0.1)
    assert days_above(time, falling, 1.0)[0] == 14.0
    assert days_above(time, falling, 101.0)[0] == 0.0
    assert days_above(np.array([0.0, 1.0]), np.array([[0.0], [10.0]]), 5.0)[0] == pytest.approx(0.5)
    assert days_above(np.array([0.0, 1.0]), np.array([[5.0], [5.0]]), 5.0)[0] == 1.0


@given(
    step=st.floats(0.3, 90.0),
    starts=st.lists(st.floats(1.0, 60.0), min_size=1, max_size=5),
    amount=st.floats(1.0, 1000.0),
)
def test_the_maximum_of_a_bolus_does_not_depend_on_the_outputs(step: float, starts: list[float], amount: float) -> None:
    doses = Doses.of(np.cumsum(starts), amount)
    horizon = float(doses.time_days[-1]) + 21.0
    cycles = cycle_metrics(simulate(ONE, doses, output_grid(doses, horizon, step)), doses, horizon)
    before = np.concatenate([[0.0], cycles.trough_mg_per_l[:-1, 0]])
    assert cycles.maximum_mg_per_l[:, 0] == pytest.approx(before + amount / 4.0, rel=1e-6)


def test_a_reset_during_an_infusion_ends_the_rise() -> None:
    doses = Doses.of([0.0], 200.0, 5.0, reset_days=[2.0])
    cycle = cycle_metrics(simulate(ONE, doses, output_grid(doses, 21.0, 21.0)), doses, 21.0)
    at_reset = simulate(ONE, Doses.of([0.0], 200.0, 5.0), np.array([2.0])).concentration_mg_per_l[0, 0]
    assert cycle.maximum_mg_per_l[0, 0] == pytest.approx(at_reset)
    days = crossing_grid(doses, 21.0)
    above = days_above(days, simulate(ONE, doses, days).concentration_mg_per_l, at_reset / 2.0)[0]
    assert 0.9 < above < 1.1


@pytest.mark.parametrize("infusion_days", [0.0, 1.0 / 24.0, 5.0])
@pytest.mark.parametrize("model", MODELS.values(), ids=list(MODELS))
def test_a_crossing_is_found_within_two_hundredths_of_a_day(model: AntibodyModel, infusion_days: float) -> None:
    patient = model.individual()
    doses = Doses.of([0.0, 42.0], 1500.0, infusion_days)
    days = crossing_grid(doses, 84.0)
    fine = np.union1d(days, np.arange(0.0, 84.0, 0.01))
    close, exact = (simulate(patient, doses, grid).concentration_mg_per_l for grid in (days, fine))
    for share in (0.05, 0.2, 0.4, 0.6, 0.8, 0.95):
        target = share * float(exact.max())
        error = abs(days_above(days, close, target)[0] - days_above(fine, exact, target)[0])
        assert error < 4 * 0.02  # each dose crosses up and down


@given(st.floats(0.0, 1e4), st.floats(1e-3, 100.0), st.floats(0.1, 1.0))
def test_occupancy_is_a_share(concentration: float, half: float, maximum: float) -> None:
    share = float(occupancy(np.array([concentration]), half, maximum)[0])
    assert 0.0 <= share <= maximum
    assert occupancy(np.array([half]), half, maximum)[0] == pytest.approx(maximum / 2.0)
