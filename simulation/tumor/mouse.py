"""What the mouse models share when they answer for a patient's plan."""

import numpy as np
from numpy.typing import NDArray

from simulation.tumor.scenario import Scenario, Trajectories, diameter_mm
from simulation.tumor.virtual_patients import CTLA4_AGENTS, PD1_AGENTS

Array = NDArray[np.float64]

Course = tuple[tuple[float, float], ...]
"""Day and dose (Gy) of each fraction."""

IGNORED = (
    "absolute lesion sizes: the mouse starts from its own tumor, sizes are relative to the start",
    "organs, lymphocyte count, new lesions and survival",
    "drug doses: blockade is on or off",
)
NOTES = ("Mouse time and mouse kinetics: compare schedules, do not read days or sizes as a patient's.",)
_TARGETS = {"pd1": PD1_AGENTS, "ctla4": CTLA4_AGENTS}


def courses(scenario: Scenario) -> list[Course]:
    """Return what each lesion receives; no fractions for one outside the fields."""
    days, dose_gy = _by_instant(scenario)
    return [
        tuple((day, dose) for day, dose in zip(days, column.tolist(), strict=True) if dose > 0.0)
        for column in dose_gy.T
    ]


def course_of_all(scenario: Scenario) -> Course:
    """Return every fraction of the plan, with the largest dose where lesions differ."""
    days, dose_gy = _by_instant(scenario)
    return tuple((day, max(row)) for day, row in zip(days, dose_gy.tolist(), strict=True) if max(row) > 0.0)


def _by_instant(scenario: Scenario) -> tuple[list[float], Array]:
    """Return the days without repetition, and the dose to each lesion on each: fields of one instant add up."""
    plan = scenario.fractions
    days, row = np.unique(plan.day, return_inverse=True)
    dose_gy = np.zeros((days.size, plan.dose_gy.shape[1]))
    np.add.at(dose_gy, row, plan.dose_gy)
    return days.tolist(), dose_gy


def blockade_windows(scenario: Scenario, target: str, effect_days: float) -> list[tuple[float, float]]:
    """Return the intervals during which a target is blocked: each dose acts for ``effect_days``."""
    windows: list[tuple[float, float]] = []
    for dose in scenario.drugs.events:
        if dose.agent in _TARGETS[target]:
            start, stop = dose.time_days, dose.time_days + effect_days
            if windows and start <= windows[-1][1]:
                windows[-1] = (windows[-1][0], max(stop, windows[-1][1]))
            else:
                windows.append((start, stop))
    return windows


def present(
    scenario: Scenario, model_id: str, *, imaged: Array, viable: Array, parameters: Array, names: tuple[str, ...],
    ignored: tuple[str, ...], notes: tuple[str, ...],
) -> Trajectories:  # fmt: skip
    """Scale relative volumes to the patient's lesions.

    Parameters
    ----------
    scenario : Scenario
    model_id : str
    imaged, viable : ndarray, shape (n, n_lesions, n_times)
        Volume over the one imaged at the start.
    parameters : ndarray, shape (n, n_parameters)
    names : tuple of str
        Of the parameters.
    ignored, notes : tuple of str

    Returns
    -------
    Trajectories
    """
    n, _, times = imaged.shape
    start = scenario.volume_cm3[None, :, None]
    left_out = list(ignored)
    if scenario.cells:
        left_out.append("cell therapy")
    if scenario.vaccine_days:
        left_out.append("vaccine")
    never = np.full(n, np.inf)
    return Trajectories(
        model_id=model_id,
        lesion_ids=scenario.lesion_ids,
        time_days=scenario.output_days,
        diameter_mm=diameter_mm(imaged * start),
        viable_cm3=viable * start,
        lymphocyte_relative=np.full((n, times), np.nan),
        drug_mg_per_l={},
        car_relative=np.full((n, times), np.nan),
        new_lesion_day=never,
        dropout_day=never,
        death_day=never,
        parameters=parameters,
        parameter_names=names,
        ignored=tuple(left_out),
        notes=notes,
    )
