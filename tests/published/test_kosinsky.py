"""Kosinsky 2018: trajectories with the corrected repair term, and the published response rates of CT26 mice."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from simulation.engine.stops import Stops, merge
from simulation.tumor import kosinsky
from simulation.tumor.kosinsky_model import animals, integrate
from simulation.tumor.tables import values

DATA = Path(__file__).parent / "data" / "dynamics" / "kosinsky"
MANIFEST = json.loads((DATA / "manifest.json").read_text())
SCENARIOS = {scenario["name"]: scenario for scenario in MANIFEST["scenarios"]}


def stops(antibody_days: list[float], fractions: list[dict[str, float]], end: float = 65.0) -> Stops:
    dose = MANIFEST["antibody_dose_nM"]
    events = [(float(day), np.array([0.0, dose])) for day in antibody_days]
    events += [(float(fraction["day"]), np.array([fraction["dose_gy"], 0.0])) for fraction in fractions]
    return merge(events, end, kosinsky.EVENT_COLUMNS)


def plan(scenario: dict[str, Any]) -> Stops:
    return stops(scenario["antibody_days"], scenario["radiotherapy"])


@pytest.mark.parametrize("name", SCENARIOS)
def test_typical_animal(name: str) -> None:
    expected = np.genfromtxt(DATA / SCENARIOS[name]["file"], delimiter=",", skip_header=1)
    found = integrate(animals(np.zeros(8)), plan(SCENARIOS[name]), expected[:, 0].copy())[:, :, 0]
    scale = np.maximum(np.abs(expected[:, 1:]), [1e-2, 1e-2, 1e-1, 1e-1, 1e-4, 1e-2])
    assert (np.abs(found - expected[:, 1:]) / scale).max() < 1e-5


def test_control_agrees_with_the_public_file_where_it_is_right() -> None:
    days = np.array([7.0, 12.0, 20.0, 30.0])
    found = integrate(animals(np.zeros(8)), plan(SCENARIOS["control"]), days)[:, :2, 0].sum(axis=1)
    assert found == pytest.approx([149.21988, 356.8091, 1048.2474, 1667.4515], rel=1e-5)


@pytest.fixture(scope="module")
def population() -> NDArray[np.float64]:
    return animals(0.696 * np.random.default_rng(7).standard_normal(504)[:504])


def responders(found: NDArray[np.float64]) -> float:
    """Percent of the first 500 animals with at most 10 uL."""
    return float(100.0 * np.mean(found[0, :2, :500].sum(axis=0) <= 10.0))


@pytest.mark.parametrize("name", SCENARIOS)
def test_response_rates_of_the_population(name: str, population: NDArray[np.float64]) -> None:
    expected = SCENARIOS[name]["population"]
    assert responders(integrate(population, plan(SCENARIOS[name]), np.array([50.0]))) == pytest.approx(
        expected["percent_le_10uL_day50"], abs=0.41
    )
    assert responders(integrate(population, plan(SCENARIOS[name]), np.array([57.0]))) == pytest.approx(
        expected["percent_le_10uL_day57"], abs=0.41
    )


def test_published_bands_and_order(population: NDArray[np.float64]) -> None:
    fractions = SCENARIOS["RT5x2_d7"]["radiotherapy"]
    every_three = [0.0, 2.0, 4.0, 7.0, 9.0, 11.0, 14.0, 16.0, 18.0]
    rate = {
        start: responders(
            integrate(
                population, stops([start + day for day in every_three], fractions, 80.0), np.array([start + 43.0])
            )
        )
        for start in (7.0, 12.0, 19.0)
    }
    assert 40.0 <= rate[7.0] <= 70.0
    assert rate[7.0] > rate[12.0] > rate[19.0]
    alone = responders(integrate(population, plan(SCENARIOS["aPDL1_d7"]), np.array([50.0])))
    assert 0.0 <= alone <= 27.0


def test_extinction_is_explicit(population: NDArray[np.float64]) -> None:
    parameters = population.copy()
    parameters[kosinsky.PARAMETERS.index("extinction_ul")] = 1.0
    relapsing = responders(integrate(population, plan(SCENARIOS["RT5x2_aPDL1_d7"]), np.array([57.0])))
    lasting = responders(integrate(parameters, plan(SCENARIOS["RT5x2_aPDL1_d7"]), np.array([57.0])))
    assert values("kosinsky", "parameters")["extinction_ul"] == 0.0
    assert lasting > relapsing
