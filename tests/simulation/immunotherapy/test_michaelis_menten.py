"""Saturable elimination: limits at low and high concentration, and an independent integrator."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.integrate import solve_ivp

from simulation.immunotherapy.disposition import Disposition, simulate
from simulation.immunotherapy.metrics import steady_state
from simulation.immunotherapy.timeline import Doses

BASE = {"cl_l_per_day": 0.232, "vc_l": 3.51, "q_l_per_day": 0.476, "vp_l": 3.45}
DURVALUMAB = Disposition.of(**BASE, vmax_mg_per_day=0.824, km_mg_per_l=0.344)


def test_against_an_adaptive_integrator() -> None:
    at = np.linspace(0.0, 400.0, 81)
    run = simulate(DURVALUMAB, Doses.of([0.0], 700.0), at)

    def slope(_: float, y: NDArray[np.float64]) -> list[float]:
        c = y[0] / 3.51
        exchange = 0.476 * (c - y[1] / 3.45)
        return [-0.232 * c - 0.824 * c / (0.344 + c) - exchange, exchange, c]

    found = solve_ivp(slope, (0.0, 400.0), [700.0, 0.0, 0.0], "DOP853", at, rtol=1e-11, atol=1e-13).y
    assert run.concentration_mg_per_l[1:, 0] == pytest.approx(found[0, 1:] / 3.51, rel=1e-6, abs=1e-9)
    assert run.area_mg_day_per_l[:, 0] == pytest.approx(found[2], rel=1e-7, abs=1e-9)


@given(dose=st.floats(1e-6, 1e-4), km=st.floats(1.0, 100.0))
@settings(max_examples=20, deadline=None)
def test_tiny_doses_see_a_linear_clearance(dose: float, km: float) -> None:
    at, doses = np.array([1.0, 10.0, 30.0]), Doses.of([0.0], dose)
    saturable = Disposition.of(**BASE, vmax_mg_per_day=0.5, km_mg_per_l=km)
    linear = Disposition.of(**(BASE | {"cl_l_per_day": 0.232 + 0.5 / km}))
    low = simulate(saturable, doses, at).concentration_mg_per_l
    assert low == pytest.approx(simulate(linear, doses, at).concentration_mg_per_l, rel=1e-3, abs=1e-9)


def test_a_higher_dose_is_cleared_more_slowly() -> None:
    at = np.array([28.0])
    single, tenfold = (
        simulate(DURVALUMAB, Doses.of([0.0], mg, 1.0 / 24.0), at).area_mg_day_per_l[0, 0] for mg in (20.0, 200.0)
    )
    assert tenfold > 10.0 * single


def test_steady_state_is_reached_by_repetition() -> None:
    steady = steady_state(DURVALUMAB, 1500.0, 1.0 / 24.0, 28.0)
    times = 28.0 * np.arange(60)
    run = simulate(DURVALUMAB, Doses.of(times, 1500.0, 1.0 / 24.0), np.array([60 * 28.0]))
    assert steady.trough_mg_per_l[0] == pytest.approx(run.concentration_mg_per_l[0, 0], rel=1e-5)


def test_overlapping_infusions_resets_and_own_doses() -> None:
    pair = Disposition.of(**(BASE | {"cl_l_per_day": [0.232, 0.232]}), vmax_mg_per_day=0.8, km_mg_per_l=0.3)
    amounts = np.array([[100.0, 200.0], [100.0, 200.0]])
    doses = Doses.of([0.0, 0.5], amounts, [1.0, 1.0], reset_days=[20.0])
    run = simulate(pair, doses, np.array([0.75, 1.5, 20.0, 21.0]))
    assert np.all(run.concentration_mg_per_l[:3, 1] > run.concentration_mg_per_l[:3, 0])
    assert np.all(run.concentration_mg_per_l[3] == 0.0)
