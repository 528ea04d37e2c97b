"""Friedrich 2022 for a patient's plan: the mouse answer to the schedule, lesion sizes relative to their start."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from simulation.tumor import friedrich
from simulation.tumor.mouse import IGNORED, NOTES, blockade_windows, irradiated_course, present
from simulation.tumor.scenario import Scenario, Trajectories
from simulation.tumor.tables import values

Array = NDArray[np.float64]


def prepare(scenario: Scenario, seed: int) -> Callable[[int, int], Trajectories]:
    """Return the function that runs one chunk, at the published step."""
    return _prepare(scenario, "friedrich-2022", friedrich.PUBLISHED_STEP_DAYS)


def prepare_converged(scenario: Scenario, seed: int) -> Callable[[int, int], Trajectories]:
    """Return the function that runs one chunk, at a converged step; not the published numbers."""
    return _prepare(scenario, "friedrich-2022-converged", friedrich.CONVERGED_STEP_DAYS)


def _prepare(scenario: Scenario, model_id: str, step_days: float) -> Callable[[int, int], Trajectories]:
    p = values("friedrich", "parameters")
    lead_in = p["lead_in_days"]
    course = irradiated_course(scenario)
    treatment = friedrich.Treatment(
        fraction_days=[lead_in + day for day, _ in course],
        dose_gy=[dose for _, dose in course],
        pd1_windows=[(lead_in + a, lead_in + b) for a, b in blockade_windows(scenario, "pd1", p["drug_effect_days"])],
        ctla4_windows=[
            (lead_in + a, lead_in + b) for a, b in blockade_windows(scenario, "ctla4", p["drug_effect_days"])
        ],
    )
    time, states = friedrich.simulate(p, treatment, lead_in + scenario.horizon_days + 2 * step_days, step_days)
    column = {name: states[:, i] for i, name in enumerate(friedrich.STATES)}
    days = scenario.output_days + lead_in

    def relative(cells: Array) -> Array:
        shown = np.interp(days, time, cells)
        return np.asarray(shown / np.interp(lead_in, time, cells))

    imaged = np.where(
        scenario.irradiated[:, None],
        relative(column["irradiated"] + column["moribund"]),
        relative(column["distant"]),
    )
    viable = np.where(scenario.irradiated[:, None], relative(column["irradiated"]), relative(column["distant"]))
    ignored = [*IGNORED, "PD-L1, other covariates and differences between patients: the model has one mouse"]
    if treatment.ctla4_windows:
        ignored.append("CTLA-4 blockade: it has no effect at the published default")
    if not scenario.irradiated.all():
        ignored.append("differences between lesions that are not irradiated: all follow one distant tumor")

    def run(chunk: int, size: int) -> Trajectories:
        return present(
            scenario, model_id,
            imaged=np.repeat(imaged[None], size, axis=0), viable=np.repeat(viable[None], size, axis=0),
            parameters=np.zeros((size, 0)), names=(), ignored=tuple(ignored), notes=NOTES,
        )  # fmt: skip

    return run
