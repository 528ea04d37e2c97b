"""The radiotherapy of a plan, from the wire to the numerics."""

from collections.abc import Sequence
from math import floor

from schemas.base import LAST_DAY
from schemas.plan import OrganDose as OrganDoseWire
from schemas.plan import RadiotherapyCourse
from service.dvh_structures import distribution
from service.errors import InvalidInput
from simulation.radiation.plan import Course, Fraction, OrganDose, RadiotherapyPlan
from simulation.radiation.schedule import DAYS_PER_WEEK, pattern_days

WEEKDAYS = 5.0
_DAY_DECIMALS = 9


def radiotherapy_plan(
    courses: Sequence[RadiotherapyCourse], *, pointer: str = "/plan/radiotherapy"
) -> RadiotherapyPlan:
    """Return the courses as the simulators take them.

    Parameters
    ----------
    courses : sequence of RadiotherapyCourse
        From the wire.
    pointer : str
        Where the courses stand in the request, for error messages.

    Returns
    -------
    RadiotherapyPlan
        Fractions sorted by day.

    Raises
    ------
    InvalidInput
        When two courses share an id, or the volumes of a histogram contradict themselves.
    """
    if len({course.id for course in courses}) != len(courses):
        raise InvalidInput(pointer, "course ids must differ")
    return RadiotherapyPlan(
        courses=tuple(_course(course, f"{pointer}/{index}") for index, course in enumerate(courses))
    )


def _course(course: RadiotherapyCourse, pointer: str) -> Course:
    return Course(
        id=course.id,
        lesion_ids=tuple(course.lesion_ids),
        modality=course.modality,
        fractions=_fractions(course, pointer),
        organs=tuple(_organ(organ, f"{pointer}/organs/{index}") for index, organ in enumerate(course.organs)),
        field_exposure=course.field_exposure,
        node_dose_per_fraction_gy=course.node_dose_per_fraction_gy,
    )


def _fractions(course: RadiotherapyCourse, pointer: str) -> tuple[Fraction, ...]:
    if course.fractions is not None:
        return tuple(sorted(Fraction(_instant(fraction.day), fraction.dose_gy) for fraction in course.fractions))
    assert course.dose_per_fraction_gy is not None
    return tuple(Fraction(_instant(day), course.dose_per_fraction_gy) for day in days_of_series(course, pointer))


def _instant(day: float) -> float:
    # days that differ by rounding only are one day
    return round(day, _DAY_DECIMALS)


def days_of_series(course: RadiotherapyCourse, pointer: str) -> list[float]:
    """Return the days of a course that is given as a regular series.

    Raises
    ------
    InvalidInput
        The last fraction comes later than any day of a plan may.
    """
    assert course.start_day is not None
    assert course.fraction_count is not None
    days = series_days(course.start_day, course.fraction_count, course.fractions_per_week or WEEKDAYS)
    if days[-1] > LAST_DAY:
        raise InvalidInput(
            f"{pointer}/fraction_count",
            f"the last fraction must come by day {LAST_DAY:.0f}; give fewer fractions, or more of them a week",
        )
    return days


def series_days(start_day: float, count: int, per_week: float) -> list[float]:
    """Return the days of a regular series, as the plan's schema describes them.

    Parameters
    ----------
    start_day : float, d
        Day of the first fraction.
    count : int
        Number of fractions.
    per_week : float, 1/wk
        5 is days 0 to 4 of each week from the start; other rates are spread evenly, on whole days up to 7.

    Returns
    -------
    list of float, d
        Not decreasing; strictly increasing up to 7 a week.
    """
    if per_week == WEEKDAYS:
        return pattern_days(start_day, count, int(WEEKDAYS), week_start_day=start_day)
    spread = [number * DAYS_PER_WEEK / per_week for number in range(count)]
    return [start_day + (floor(day + 1e-9) if per_week <= DAYS_PER_WEEK else day) for day in spread]


def _organ(organ: OrganDoseWire, pointer: str) -> OrganDose:
    if organ.dvh is None:
        assert organ.mean_dose_gy is not None
        return OrganDose(organ=organ.organ, mean_dose_gy=organ.mean_dose_gy)
    dvh = distribution(organ.dvh, f"{pointer}/dvh")
    return OrganDose(organ=organ.organ, mean_dose_gy=dvh.mean_gy, dvh=dvh)
