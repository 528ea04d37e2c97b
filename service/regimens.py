"""The regimen library, and the conversion of a plan's drug courses to infusions."""

from collections.abc import Iterator, Sequence

from schemas.plan import DrugCourse
from schemas.regimens import RegimenList, RegimenPartRead, RegimenRead
from service.errors import InvalidInput
from simulation.immunotherapy.plan import DoseEvent, DrugPlan
from simulation.immunotherapy.regimens import INFUSION_MINUTES, MINUTES_PER_DAY, REGIMENS, Regimen, WeightNeeded

_MOST_INFUSIONS = 2000


def list_regimens() -> RegimenList:
    """Return every approved regimen."""
    return RegimenList(regimens=[_read(regimen) for _, regimen in sorted(REGIMENS.items())])


def _read(regimen: Regimen) -> RegimenRead:
    parts = [
        RegimenPartRead.model_validate(
            {
                "agent": part.agent,
                "dose_mg": part.dose_mg,
                "dose_mg_per_kg": part.dose_mg_per_kg,
                "max_dose_mg": part.max_dose_mg,
                "start_day": part.start_day,
                "interval_days": part.interval_days,
                "dose_count": part.dose_count,
                "infusion_minutes": part.infusion_minutes or INFUSION_MINUTES[part.agent],
            }
        )
        for part in regimen.parts
    ]
    return RegimenRead.model_validate(
        {
            "name": regimen.name,
            "title": regimen.title,
            "agents": list(regimen.agents),
            "indication": regimen.indication,
            "with_chemotherapy": regimen.with_chemotherapy,
            "duration_days": regimen.duration_days,
            "parts": parts,
            "source": regimen.source,
            "recorded": regimen.recorded,
            "verified": regimen.verified,
            "notes": list(regimen.notes),
        }
    )


def regimen_of(course: DrugCourse, pointer: str) -> Regimen | None:
    """Return the regimen that a course names; None when it names an agent.

    Raises
    ------
    InvalidInput
        If no regimen has this name.
    """
    if course.regimen is None:
        return None
    if course.regimen not in REGIMENS:
        raise InvalidInput(f"{pointer}/regimen", "no regimen has this name; GET /v1/regimens lists them")
    return REGIMENS[course.regimen]


def agents_of(courses: Sequence[DrugCourse], pointer: str = "/plan/drugs") -> tuple[str, ...]:
    """Return the agents of a plan's drug courses, in alphabetical order."""
    found: set[str] = set()
    for index, course in enumerate(courses):
        regimen = regimen_of(course, f"{pointer}/{index}")
        found.update(regimen.agents if regimen is not None else ())
        if course.agent is not None:
            found.add(course.agent)
    return tuple(sorted(found))


def drug_plan(courses: Sequence[DrugCourse], weight_kg: float | None, pointer: str = "/plan/drugs") -> DrugPlan:
    """Return the infusions of a plan's drug courses.

    ``dose_count`` beside a regimen counts treatment days.

    Raises
    ------
    InvalidInput
        If a regimen is unknown, a dose needs a weight that is missing, or there are too many infusions.
    """
    events: list[DoseEvent] = []
    for index, course in enumerate(courses):
        events.extend(_events(course, weight_kg, f"{pointer}/{index}"))
        if len(events) > _MOST_INFUSIONS:
            raise InvalidInput(pointer, f"a plan has at most {_MOST_INFUSIONS} infusions")
    return DrugPlan.of(events)


def _events(course: DrugCourse, weight_kg: float | None, pointer: str) -> Iterator[DoseEvent]:
    regimen = regimen_of(course, pointer)
    if regimen is not None:
        try:
            yield from regimen.expand(
                start_day=course.start_day,
                visits=course.dose_count,
                weight_kg=weight_kg,
                infusion_minutes=course.infusion_minutes,
            )
        except WeightNeeded:
            raise InvalidInput("/patient/weight_kg", "the regimen doses in mg/kg: give the body weight") from None
        return
    assert course.agent is not None
    assert course.dose_count is not None
    minutes = course.infusion_minutes if course.infusion_minutes is not None else INFUSION_MINUTES[course.agent]
    if course.dose_mg is not None:
        amount = course.dose_mg
    elif weight_kg is None or course.dose_mg_per_kg is None:
        raise InvalidInput("/patient/weight_kg", "a dose in mg/kg needs the body weight")
    else:
        amount = course.dose_mg_per_kg * weight_kg
    for number in range(course.dose_count):
        day = course.start_day + number * (course.interval_days or 0.0)
        yield DoseEvent(day, course.agent, amount, minutes / MINUTES_PER_DAY)
