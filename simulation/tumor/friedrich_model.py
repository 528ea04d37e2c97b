"""Friedrich 2022 for a patient's plan: the mouse answer to the schedule, lesion sizes relative to their start."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from simulation.tumor import friedrich
from simulation.tumor.mouse import IGNORED, NOTES, Course, blockade_windows, course_of_all, courses, present
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
    pd1, ctla4 = (
        [(lead_in + start, lead_in + stop) for start, stop in blockade_windows(scenario, target, p["drug_effect_days"])]
        for target in ("pd1", "ctla4")
    )
    days = scenario.output_days + lead_in

    def mouse(course: Course) -> dict[str, Array]:
        """Return the cells of each tumor over those at the start of the plan."""
        treatment = friedrich.Treatment(
            fraction_days=[lead_in + day for day, _ in course], dose_gy=[dose for _, dose in course],
            pd1_windows=pd1, ctla4_windows=ctla4,
        )  # fmt: skip
        time, states = friedrich.simulate(p, treatment, lead_in + scenario.horizon_days + 2 * step_days, step_days)
        column = {name: states[:, i] for i, name in enumerate(friedrich.STATES)}
        shown = {
            "imaged": column["irradiated"] + column["moribund"],
            "viable": column["irradiated"],
            "distant": column["distant"],
        }
        return {name: np.interp(days, time, n) / np.interp(lead_in, time, n) for name, n in shown.items()}

    of_lesion, of_all = courses(scenario), course_of_all(scenario)
    found = {course: mouse(course) for course in dict.fromkeys([of_all, *of_lesion]) if course or not of_all}
    distant = found[of_all]["distant"]
    imaged = np.stack([found[course]["imaged"] if course else distant for course in of_lesion])
    viable = np.stack([found[course]["viable"] if course else distant for course in of_lesion])
    ignored = [*IGNORED, "PD-L1, other covariates and differences between patients: the model has one mouse"]
    if ctla4:
        ignored.append("CTLA-4 blockade: it has no effect at the published default")
    if len({course for course in of_lesion if course}) > 1:
        ignored.append(
            "effects of lesions with different courses on each other: each has a mouse of its own, lesions outside the "
            "fields follow one mouse with the fractions of all"
        )
    if not scenario.irradiated.all():
        ignored.append("differences between lesions that are not irradiated: all follow one distant tumor")

    def run(chunk: int, size: int) -> Trajectories:
        return present(
            scenario, model_id,
            imaged=np.repeat(imaged[None], size, axis=0), viable=np.repeat(viable[None], size, axis=0),
            parameters=np.zeros((size, 0)), names=(), ignored=tuple(ignored), notes=NOTES,
        )  # fmt: skip

    return run
