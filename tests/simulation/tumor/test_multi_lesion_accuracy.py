"""The compiled multi-lesion model against the readable reference and against a tight tolerance in the tails."""

import numpy as np
import pytest

from simulation.tumor import multi_lesion_model, multi_lesion_reference
from simulation.tumor.scenario import CellDose, Scenario
from simulation.tumor.virtual_patients import Posterior, draw
from tests.simulation.tumor.scenarios import IPILIMUMAB, PEMBROLIZUMAB, SBRT, scenario

EVERYTHING = scenario(
    course=(*SBRT, (4.0, 1.0), (30.0, 20.0)), drugs=PEMBROLIZUMAB[:4] + IPILIMUMAB[:2], node_gy=2.0,
    cells=(CellDose(3.0, "car-t", 1e8),), vaccine_days=(1.0, 22.0),
)  # fmt: skip
PLANS = {
    "nothing": scenario(),
    "one lesion": scenario(course=SBRT, drugs=PEMBROLIZUMAB, volumes=(3.0,)),
    "everything": EVERYTHING,
}


def prepared(plan: Scenario, end: float, chunk: int = 0) -> tuple:
    patients = draw(plan, Posterior.shipped(), 11, chunk, pd1="pembrolizumab", ctla4="ipilimumab")
    parameters, start = multi_lesion_model.settled_start(patients)
    return parameters, start, multi_lesion_model.event_table(plan, end)


@pytest.mark.parametrize("name", PLANS)
def test_against_the_readable_reference(name: str) -> None:
    parameters, start, stops = prepared(PLANS[name], 120.0)
    days = np.linspace(0.0, 119.0, 30)
    columns = [0, 3]
    found = multi_lesion_model.integrate(parameters[:, :8].copy(), start[:, :8].copy(), stops, days, all_states=True)
    for column in columns:
        expected = multi_lesion_reference.solve(parameters[:, column], start[:, column], stops, days)
        error = (
            np.abs(found.observed[:, :, column] - expected)
            / multi_lesion_model.error_scale(expected[:, :, None])[..., 0]
        )
        assert error.max() < 1e-4


def test_all_states_in_the_tails() -> None:
    plan = scenario(course=SBRT, drugs=PEMBROLIZUMAB + IPILIMUMAB, volumes=(12.0, 5.0, 30.0, 2.0))
    days = np.arange(0.0, 728.0, 7.0)
    for chunk in range(2):
        parameters, start, stops = prepared(plan, 728.0, chunk)
        found, tight = (
            multi_lesion_model.integrate(parameters, start, stops, days, rtol=rtol, all_states=True).observed
            for rtol in (multi_lesion_model.RELATIVE_TOLERANCE, 1e-10)
        )
        assert (np.abs(found - tight) / multi_lesion_model.error_scale(tight)).max() < 1e-4


def test_output_times_do_not_change_the_steps() -> None:
    parameters, start, stops = prepared(PLANS["everything"], 200.0)
    parameters, start = parameters[:, :16].copy(), start[:, :16].copy()
    coarse, fine = np.arange(0.0, 200.0, 20.0), np.arange(0.0, 200.0, 2.5)
    few = multi_lesion_model.integrate(parameters, start, stops, coarse)
    many = multi_lesion_model.integrate(parameters, start, stops, fine)
    assert few.steps == many.steps
    assert few.observed.tobytes() == np.ascontiguousarray(many.observed[::8]).tobytes()
    assert few.final.tobytes() == many.final.tobytes()
