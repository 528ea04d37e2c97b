"""The mouse models follow the doses of each lesion, however they are written down."""

import tracemalloc
from typing import Any

import numpy as np
import pytest

from simulation.tumor.friedrich import CONVERGED_STEP_DAYS, Treatment
from simulation.tumor.friedrich import simulate as simulate_friedrich
from simulation.tumor.interface import simulate
from simulation.tumor.scenario import Covariates, Fractions, Scenario
from simulation.tumor.tables import values

MICE = ("friedrich-2022", "kosinsky-2018")
DAYS = np.array([0.0, 14.0, 28.0, 42.0])


def plan(*rows: tuple[float, float, float]) -> Scenario:
    """Irradiate two lesions: day, dose to the first, dose to the second; a third lies outside."""
    rows = tuple(sorted(rows, key=lambda row: row[0]))
    return Scenario(
        lesion_ids=("a", "b", "c"),
        organs=("lung",) * 3,
        volume_cm3=np.array([12.0, 12.0, 12.0]),
        fractions=Fractions(
            day=np.array([row[0] for row in rows]),
            dose_gy=np.array([[row[1], row[2], 0.0] for row in rows]).reshape(-1, 3),
            field_exposure=np.full(len(rows), 0.3),
            node_dose_gy=np.zeros(len(rows)),
        ),
        horizon_days=42.0,
        output_days=DAYS,
        covariates=Covariates(),
    )


def sizes(model: str, scenario: Scenario) -> Any:
    return simulate(model, scenario, patients=8, seed=1).diameter_mm


@pytest.mark.parametrize("model", MICE)
def test_one_course_for_two_lesions_is_two_courses_of_one_each(model: str) -> None:
    together = plan(*((day, 4.0, 4.0) for day in (0.0, 2.0, 4.0)))
    apart = plan(*((day, *dose) for day in (0.0, 2.0, 4.0) for dose in ((4.0, 0.0), (0.0, 4.0))))
    assert sizes(model, together) == pytest.approx(sizes(model, apart), rel=1e-12)


@pytest.mark.parametrize("model", MICE)
def test_a_lesion_does_not_receive_the_course_of_another_one(model: str) -> None:
    alone = plan((0.0, 7.0, 0.0))
    later = plan((0.0, 7.0, 0.0), (21.0, 0.0, 7.0))
    assert np.array_equal(sizes(model, alone)[:, 0], sizes(model, later)[:, 0])
    assert np.all(sizes(model, later)[:, 1, -1] != sizes(model, later)[:, 0, -1])


def test_effects_between_lesions_with_different_courses_are_named() -> None:
    said = simulate("friedrich-2022", plan((0.0, 7.0, 0.0), (21.0, 0.0, 7.0)), patients=1, seed=1).ignored
    assert any("different courses" in text for text in said)
    said = simulate("friedrich-2022", plan((0.0, 7.0, 7.0)), patients=1, seed=1).ignored
    assert not any("different courses" in text for text in said)


def test_many_fractions_need_little_memory() -> None:
    treatment = Treatment(fraction_days=np.arange(5.0, 205.0).tolist(), dose_gy=[2.0] * 200)
    parameters = values("friedrich", "parameters")
    simulate_friedrich(parameters, treatment, 10.0, CONVERGED_STEP_DAYS)
    tracemalloc.start()
    try:
        _, states = simulate_friedrich(parameters, treatment, 400.0, CONVERGED_STEP_DAYS)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 4 * states.nbytes
