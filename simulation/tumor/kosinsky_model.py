"""Kosinsky 2018 for a patient's plan: a mouse population for every course that a lesion receives, or none."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from simulation.engine.lanes import LANES
from simulation.engine.stops import Stops, merge
from simulation.engine.streams import CHUNK, stream
from simulation.tumor import kosinsky
from simulation.tumor.mouse import IGNORED, NOTES, courses, present
from simulation.tumor.scenario import Scenario, Trajectories
from simulation.tumor.tables import values
from simulation.tumor.virtual_patients import CTLA4_AGENTS, PD1_AGENTS

Array = NDArray[np.float64]

MODEL_ID = "kosinsky-2018"
RELATIVE_TOLERANCE = 1e-7  # animals between response and relapse amplify errors


def integrate(
    parameters: Array, stops: Stops, output_days: Array, *, rtol: float = RELATIVE_TOLERANCE, all_states: bool = False
) -> Array:
    """Run animals from inoculation on.

    Parameters
    ----------
    parameters : ndarray, shape (n_parameters, n)
        Rows in the order of ``kosinsky.PARAMETERS``; n must be a multiple of eight.
    stops : Stops
        Columns: Gy, antibody nM.
    output_days : ndarray, shape (n_times,)
    rtol : float
    all_states : bool
        Leave out the antibody.

    Returns
    -------
    ndarray, shape (n_times, 6 or 5, n)
        The five states and the antibody in plasma (nM), after the events of the same time.
    """
    n = parameters.shape[1]
    initial = np.zeros((len(kosinsky.STATES), n))
    initial[0] = values("kosinsky", "start")["volume_ul"]
    observed = np.empty((output_days.size, 5 if all_states else 6, n))
    status = np.zeros((n // LANES, 2), dtype=np.int64)
    kosinsky.solve(
        parameters, initial, stops.day, stops.table, output_days, kosinsky.FLOORS, rtol, all_states,
        observed, np.empty_like(initial), status,
    )  # fmt: skip
    if status[:, 0].any():
        raise RuntimeError("the step size of the Kosinsky model became too small; try a shorter horizon")
    return observed


def animals(log_deviation: Array) -> Array:
    """Return parameters, shape (n_parameters, n), of animals that differ in ``s_l``; 0 is the typical one."""
    fixed = values("kosinsky", "parameters")
    parameters = np.repeat(np.array([[fixed[name]] for name in kosinsky.PARAMETERS]), log_deviation.size, axis=1)
    parameters[kosinsky.PARAMETERS.index("s_l")] *= np.exp(log_deviation)
    return parameters


def prepare(scenario: Scenario, seed: int) -> Callable[[int, int], Trajectories]:
    """Return the function that runs one chunk of animals."""
    start = values("kosinsky", "start")
    lead_in = start["treatment_day"]
    antibody = [
        (lead_in + dose.time_days, np.array([0.0, start["antibody_dose_nm"]]))
        for dose in scenario.drugs.events
        if dose.agent in PD1_AGENTS
    ]
    end = lead_in + scenario.horizon_days + 1.0
    of_lesion = courses(scenario)
    stops = {
        course: merge(
            antibody + [(lead_in + day, np.array([dose, 0.0])) for day, dose in course], end, kosinsky.EVENT_COLUMNS
        )
        for course in dict.fromkeys(of_lesion)
    }
    days = np.concatenate([[lead_in - 1e-9], lead_in + scenario.output_days])
    ignored = [
        *IGNORED,
        "spread from an irradiated to another lesion: the model has one tumor, a lesion outside the field is a mouse "
        "without radiotherapy",
        "PD-L1 and other covariates",
    ]
    if any(agent in CTLA4_AGENTS for agent in scenario.drugs.agents):
        ignored.append("CTLA-4 blockade")

    def run(chunk: int, size: int) -> Trajectories:
        padded = -(-size // LANES) * LANES
        normal = stream(seed, chunk, 0).standard_normal(CHUNK)[:padded]
        parameters = animals(start["s_l_sd_log"] * normal)
        found = {course: integrate(parameters, events, days)[:, :2] for course, events in stops.items()}
        chosen = np.stack([found[course] for course in of_lesion])
        total = chosen.sum(axis=2)
        relative = (total[:, 1:] / total[:, :1]).transpose(2, 0, 1)[:size]
        viable = (chosen[:, 1:, 0] / total[:, :1]).transpose(2, 0, 1)[:size]
        return present(
            scenario, MODEL_ID, imaged=relative, viable=viable,
            parameters=parameters[[kosinsky.PARAMETERS.index("s_l")]].T[:size], names=("s_l",),
            ignored=tuple(ignored), notes=NOTES,
        )  # fmt: skip

    return run
