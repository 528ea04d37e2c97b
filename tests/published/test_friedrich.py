"""Trajectories of the public application of Friedrich, Scholz and Durante 2022, at its step of 0.1 d."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.integrate import quad

from simulation.tumor import friedrich
from simulation.tumor.tables import values

DATA = Path(__file__).parent / "data" / "dynamics" / "friedrich"
MANIFEST = json.loads((DATA / "manifest.json").read_text())
SCENARIOS = {scenario["name"]: scenario for scenario in MANIFEST["scenarios"]}


def run(scenario: dict[str, Any], step_days: float = friedrich.PUBLISHED_STEP_DAYS) -> tuple[Any, Any]:
    inputs = scenario["inputs"]
    parameters = dict(values("friedrich", "parameters"))
    renamed = {"fc1high": "c1_high", "fc4high": "c4_high"}
    parameters |= {renamed[name]: value for name, value in inputs["parameter_overrides"].items()}
    windows = [tuple(window) for window in inputs["immunotherapy_windows_d"]]
    treatment = friedrich.Treatment(
        fraction_days=inputs["fraction_days"],
        dose_gy=[inputs["dose_gy"]] * len(inputs["fraction_days"]),
        tumor_survival=inputs["ST"],
        pd1_windows=windows,
        ctla4_windows=windows,
    )
    return friedrich.simulate(parameters, treatment, MANIFEST["end_d"], step_days)


@pytest.mark.parametrize("name", SCENARIOS)
def test_all_nine_columns(name: str) -> None:
    scenario = SCENARIOS[name]
    expected = np.genfromtxt(DATA / scenario["file"], delimiter=",", skip_header=1)
    time, states = run(scenario)
    rows = np.rint(expected[:, 0] / MANIFEST["step_d"]).astype(int)
    error = np.abs(states[rows] - expected[:, 1:]) / (1.0 + np.abs(expected[:, 1:]))
    assert np.allclose(time[rows], expected[:, 0])
    assert error.max() < 1e-6


@pytest.mark.parametrize("name", SCENARIOS)
def test_days_of_disappearance_and_peak(name: str) -> None:
    scenario = SCENARIOS[name]
    time, states = run(scenario)
    for column, key in ((0, "first_grid_day_T_is_zero"), (2, "first_grid_day_T2_is_zero")):
        gone = np.flatnonzero(states[:, column] == 0.0)
        assert scenario[key] == (None if gone.size == 0 else pytest.approx(time[gone[0]]))
    imaged = states[:, 0] + states[:, 1]
    assert imaged.max() == pytest.approx(scenario["max_T_plus_M"], rel=1e-6)
    assert time[imaged.argmax()] == pytest.approx(scenario["max_T_plus_M_day"])


def test_kernels() -> None:
    table = np.genfromtxt(DATA / "kernels.csv", delimiter=",", skip_header=1)
    kernels = (friedrich.PRIMING, (0.32, 0.2, 2.8), (1.0 / 7.0, 0.2, 2.8))
    for kernel, column in zip(kernels, (2, 4, 6), strict=True):
        density, waiting = friedrich.death_delay(*kernel, table[:, 0])
        assert np.abs(density - table[:, column]).max() < 1e-10
        assert np.abs(waiting - table[:, column + 1]).max() < 1e-10


@pytest.mark.parametrize("kernel", [friedrich.PRIMING, (0.32, 0.2, 2.8), (1.0 / 7.0, 0.2, 2.8), (0.5, 0.2, 2.8)])
def test_kernels_integrate_to_one(kernel: tuple[float, float, float]) -> None:
    whole, _ = quad(lambda t: float(friedrich.death_delay(*kernel, np.array(t))[0]), 0.0, 1.0 / kernel[0], epsabs=1e-12)
    assert whole == pytest.approx(1.0, abs=1e-9)


def test_the_published_step_is_not_converged() -> None:
    scenario = SCENARIOS["app_default"]
    imaged = {}
    for step in (0.1, 0.05, 0.02, friedrich.CONVERGED_STEP_DAYS):
        time, states = run(scenario, step)
        row = int(np.argmin(np.abs(time - 8.0)))
        imaged[step] = states[row, 0] + states[row, 1]
    assert imaged[0.1] == pytest.approx(2.967e7, rel=1e-3)
    assert imaged[0.05] == pytest.approx(2.749e7, rel=1e-3)
    assert imaged[0.02] == pytest.approx(2.608e7, rel=1e-3)
    assert imaged[0.01] == pytest.approx(2.560e7, rel=1e-3)
