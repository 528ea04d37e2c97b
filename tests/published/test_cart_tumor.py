"""Mueller-Schoell 2021: the engine against an independent solver, and what the paper reports."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from simulation.engine.stops import merge
from simulation.tumor import cart_tumor_kernel as kernel
from simulation.tumor.cart_tumor import integrate, typical
from simulation.tumor.tables import values

MEDIAN_BASELINE_ML = 85.7


def infusion(end: float) -> object:
    return merge([(0.0, np.array([0.1]))], end, kernel.EVENT_COLUMNS)


@pytest.mark.parametrize("volume_ml", [2.54, MEDIAN_BASELINE_ML, 3555.0])
def test_against_an_independent_solver(volume_ml: float) -> None:
    days = np.linspace(0.5, 60.0, 40)
    found = integrate(typical(8), np.full(8, volume_ml), infusion(61.0), days)[:, :, 0]
    p = values("cart_tumor", "parameters")

    def gone(t: float, y: np.ndarray, extinction: float = p["extinction"]) -> float:
        return float(y[4] - extinction)

    gone.terminal = True  # type: ignore[attr-defined]
    start = np.array([0.1, 0.1, 0.1, 0.1, volume_ml])
    first = solve_ivp(
        lambda t, y: kernel.derivatives(y, p), (0, 60), start, "LSODA", dense_output=True, events=gone, rtol=1e-11,
        atol=1e-13,
    )  # fmt: skip
    expected = first.sol(days).T
    if first.t_events[0].size:
        rest = first.y_events[0][0].copy()
        rest[4] = 0.0
        later = solve_ivp(
            lambda t, y: kernel.derivatives(y, p), (first.t_events[0][0], 60), rest, "LSODA", dense_output=True,
            rtol=1e-11, atol=1e-13,
        )  # fmt: skip
        after = days > first.t_events[0][0]
        expected[after] = later.sol(days[after]).T
    error = np.abs(found - expected) / (kernel.FLOORS + np.abs(expected))
    assert error[:, :4].max() < 1e-4
    assert error[:, 4].max() < 1e-4


def test_expansion_peaks_in_the_second_week_and_the_tumor_shrinks() -> None:
    days = np.linspace(0.0, 100.0, 401)
    found = integrate(typical(8), np.full(8, MEDIAN_BASELINE_ML), infusion(101.0), days)[:, :, 0]
    cells = found[:, :4].sum(axis=1)
    assert 5.0 < days[cells.argmax()] < 20.0
    assert found[-1, 4] < MEDIAN_BASELINE_ML


def test_without_cells_growth_is_logistic() -> None:
    days = np.array([0.0, 100.0, 400.0])
    found = integrate(typical(8), np.full(8, 100.0), merge([], 401.0, kernel.EVENT_COLUMNS), days)[:, 4, 0]
    expected = 5000.0 / (1.0 + 49.0 * np.exp(-0.0023 * days))
    assert found == pytest.approx(expected, rel=1e-6)


def test_low_expansion_class_expands_less() -> None:
    days = np.linspace(0.0, 60.0, 121)
    low = typical(8)
    low[0] = values("cart_tumor", "population")["expansion_low"]
    peaks = [
        integrate(p, np.full(8, MEDIAN_BASELINE_ML), infusion(61.0), days)[:, :4, 0].sum(axis=1).max()
        for p in (typical(8), low)
    ]
    assert peaks[1] < peaks[0]
