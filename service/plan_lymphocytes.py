"""The lymphocyte count of a plan with organ doses, as the tumor simulators take it.

The same circulation, blood dose and two-pool model as for the dose to the blood, with its default of one beam per
fraction, so that both answers agree for the same plan.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from schemas.blood import BloodRequest
from schemas.plan import Plan
from schemas.run import RunWarning
from schemas.simulations import ComparisonRequest, SimulationRequest
from service.blood import circulation_of
from service.blood_exposure import TUMOR, course_exposure, exposure_warnings
from service.blood_lymphocytes import survival_of_fractions
from service.radiotherapy import radiotherapy_plan
from simulation.radiation.circulation import EXPOSED_BY
from simulation.radiation.lymphocytes import alpha_values_per_gy, relative_counts
from simulation.radiation.plan import Course
from simulation.tumor.exposure import exposure_for_counts
from simulation.tumor.scenario import LymphocyteCourse

Floats = NDArray[np.float64]


def plan_lymphocytes(
    request: SimulationRequest | ComparisonRequest, plan: Plan, days: Floats, pointer: str
) -> tuple[LymphocyteCourse | None, Floats | None, tuple[RunWarning, ...]]:
    """Return the relative lymphocyte count that the organ doses lead to.

    Parameters
    ----------
    request : SimulationRequest or ComparisonRequest
    plan : Plan
        The plan to follow, which stands at ``pointer``.
    days : ndarray, shape (n_times,), d
        When the count is wanted.
    pointer : str

    Returns
    -------
    LymphocyteCourse or None
        None without a fraction up to the horizon, or where a course lists no organ that holds blood.
    ndarray of shape (n_fractions,) or None
        Field exposure of each fraction up to the horizon with which the tumor model's own count follows the median.
    tuple of RunWarning
    """
    planned = radiotherapy_plan(plan.radiotherapy, pointer=f"{pointer}/radiotherapy").courses
    courses = [_without_tumor(course) for course in planned]
    blind = [i for i, course in enumerate(courses) if not any(organ.organ in EXPOSED_BY for organ in course.organs)]
    if blind:
        notices = tuple(
            RunWarning(
                code="lymphocytes-from-field-size",
                message="the lymphocyte count follows the size of the fields that reach a lesion, because a course "
                "lists no organ that holds blood",
                pointer=f"{pointer}/radiotherapy/{index}/organs",
            )
            for index in blind
            if any(course.organs for course in courses)
        )
        return None, None, notices
    if not courses:
        return None, None, ()
    asked = BloodRequest(patient=request.patient, plan=plan, seed=request.seed)
    circulation = circulation_of(asked)
    exposures = [course_exposure(asked, index, course, circulation) for index, course in enumerate(courses)]
    alpha = alpha_values_per_gy()
    rows, blood, reserve = survival_of_fractions(exposures, alpha)
    given = sum(row[0] <= request.horizon_days for row in rows)
    if not given:
        return None, None, ()
    fraction_days = np.array([row[0] for row in rows[:given]])
    survived = blood[:given], reserve[:given]
    counts = relative_counts(fraction_days, *survived, days)
    between = relative_counts(fraction_days, *survived, np.append(fraction_days[1:], fraction_days[-1] + 1.0))
    exposure = exposure_for_counts(fraction_days, between.at_days[:, alpha.size // 2])
    course = LymphocyteCourse(relative=counts.at_days.T, nadir=counts.nadir)
    return course, exposure, exposure_warnings(exposures, f"{pointer}/radiotherapy")


def _without_tumor(course: Course) -> Course:
    """Return the course without the dose of the tumor as an organ: here the lesions say where the tumor is."""
    return replace(course, organs=tuple(organ for organ in course.organs if organ.organ != TUMOR))
