"""What predictors see of a plan: drug class, chemotherapy, fractions, organ doses."""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

from schemas.plan import DrugCourse, OrganDose, Plan, RadiotherapyCourse
from service.dvh_structures import distribution
from service.errors import InvalidInput
from service.radiotherapy import days_of_series
from service.regimens import regimen_of
from simulation.immunotherapy.regimens import REGIMENS, Regimen
from simulation.model import Value
from simulation.radiation.dvh import Dvh

_Row = tuple[str, str, Literal["number", "flag", "choice"], tuple[str, ...], str]

TARGET: Final = {
    "pembrolizumab": "pd1",
    "nivolumab": "pd1",
    "cemiplimab": "pd1",
    "dostarlimab": "pd1",
    "atezolizumab": "pd_l1",
    "durvalumab": "pd_l1",
    "avelumab": "pd_l1",
    "ipilimumab": "ctla4",
    "tremelimumab": "ctla4",
    "relatlimab": "lag3",
}
CTLA4_ANTIBODIES: Final = tuple(agent for agent, target in TARGET.items() if target == "ctla4")
CLASS_OF: Final[dict[frozenset[str], str]] = {
    frozenset(): "none",
    frozenset({"pd1"}): "pd1",
    frozenset({"pd_l1"}): "pd_l1",
    frozenset({"ctla4"}): "ctla4",
    frozenset({"pd1", "ctla4"}): "pd1_ctla4",
    frozenset({"pd_l1", "ctla4"}): "pd_l1_ctla4",
    frozenset({"pd1", "lag3"}): "pd1_lag3",
}
_FLAG: Final = ("false", "true")
_CLASSES: Final = tuple(CLASS_OF.values())
_WITH_RADIOTHERAPY: Final = ("none", "sequential", "concurrent")
_ORGANS: Final = ("lung", "heart", "esophagus", "body")
_ALPHA_BETA_GY: Final = {"lung": 3.0, "heart": 3.0, "esophagus": 10.0}

PLAN_COVARIATES: Final[tuple[_Row, ...]] = (
    ("plan.radiotherapy", "", "flag", _FLAG, "The plan has a radiotherapy course."),
    ("plan.immunotherapy", "", "flag", _FLAG, "The plan has a checkpoint inhibitor."),
    ("plan.checkpoint_class", "", "choice", _CLASSES, "Targets of the planned checkpoint inhibitors."),
    ("plan.agents", "", "choice", (), "Planned checkpoint inhibitors in alphabetical order, joined by +."),
    ("plan.regimen", "", "choice", (), "Name of the regimen, where the plan has exactly one drug course."),
    ("plan.with_chemotherapy", "", "flag", _FLAG, "A named regimen contains chemotherapy."),
    *(
        (f"plan.{agent}_{what}", unit, "number", (), f"{description} {agent}.")
        for agent in CTLA4_ANTIBODIES
        for what, unit, description in (
            ("dose_mg", "mg", "Largest dose of one infusion of"),
            ("dose_mg_per_kg", "mg/kg", "Largest dose of one infusion of"),
            ("interval_days", "d", "Shortest time between two infusions of"),
            ("dose_count", "", "Infusions of"),
        )
    ),
    ("plan.chemotherapy_with_radiotherapy", "", "choice", _WITH_RADIOTHERAPY, "As given in the plan."),
    ("plan.drug_start_after_radiotherapy_days", "d", "number", (), "First infusion minus last fraction."),
    ("plan.drug_start_after_first_fraction_days", "d", "number", (), "First infusion minus first fraction."),
    ("plan.fraction_count", "", "number", (), "Fractions of all courses."),
    ("plan.dose_per_fraction_gy", "Gy", "number", (), "Largest dose of one fraction."),
    ("plan.total_dose_gy", "Gy", "number", (), "Sum of the fractions of all courses."),
    ("plan.mean_lung_dose_gy", "Gy", "number", (), "Mean dose of both lungs, organ lung, over all courses."),
    ("plan.mean_heart_dose_gy", "Gy", "number", (), "Mean dose of the heart over all courses."),
    ("plan.mean_esophagus_dose_gy", "Gy", "number", (), "Mean dose of the esophagus over all courses."),
    ("plan.mean_body_dose_gy", "Gy", "number", (), "Integral dose over whole-body volume, organ body."),
    ("plan.mean_lung_eqd2_gy", "Gy", "number", (), "Mean EQD2 (alpha/beta 3) from the DVH of the only course."),
    ("plan.mean_heart_eqd2_gy", "Gy", "number", (), "Mean EQD2 (alpha/beta 3) from the DVH of the only course."),
    ("plan.mean_esophagus_eqd2_gy", "Gy", "number", (), "Mean EQD2 (alpha/beta 10) from the DVH of the only course."),
    ("plan.esophagus_d3cc_eqd2_gy", "Gy", "number", (), "EQD2 (alpha/beta 10) of the hottest 3 cm3, from the DVH."),
    ("plan.heart_d10_percent_gy", "Gy", "number", (), "Dose of the hottest tenth of the heart, from the DVH."),
)

_MEAN_DOSE: Final = "plan.radiotherapy[].organs[].mean_dose_gy (organ {})"
_DVH: Final = "plan.radiotherapy[].organs[].dvh (organ {})"
GIVEN_BY: Final[dict[str, str]] = {
    "plan.radiotherapy": "plan.radiotherapy",
    "plan.immunotherapy": "plan.drugs",
    "plan.checkpoint_class": "plan.drugs[].agent",
    "plan.agents": "plan.drugs[].agent",
    "plan.regimen": "plan.drugs[].regimen",
    "plan.with_chemotherapy": "plan.drugs[].regimen",
    **{
        f"plan.{agent}_{what}": f"plan.drugs[].{member} (agent {agent})"
        for agent in CTLA4_ANTIBODIES
        for what, member in (
            ("dose_mg", "dose_mg"),
            ("dose_mg_per_kg", "dose_mg_per_kg"),
            ("interval_days", "interval_days"),
            ("dose_count", "dose_count"),
        )
    },
    "plan.chemotherapy_with_radiotherapy": "plan.chemotherapy_with_radiotherapy",
    "plan.drug_start_after_radiotherapy_days": "plan.drugs[].start_day",
    "plan.drug_start_after_first_fraction_days": "plan.drugs[].start_day",
    "plan.fraction_count": "plan.radiotherapy[].fraction_count",
    "plan.dose_per_fraction_gy": "plan.radiotherapy[].dose_per_fraction_gy",
    "plan.total_dose_gy": "plan.radiotherapy[].dose_per_fraction_gy",
    **{f"plan.mean_{organ}_dose_gy": _MEAN_DOSE.format(organ) for organ in _ORGANS},
    **{f"plan.mean_{organ}_eqd2_gy": _DVH.format(organ) for organ in _ALPHA_BETA_GY},
    "plan.esophagus_d3cc_eqd2_gy": _DVH.format("esophagus"),
    "plan.heart_d10_percent_gy": _DVH.format("heart"),
}
"""The member of a request from which each summary of the plan is worked out."""


@dataclass(frozen=True, slots=True)
class _Series:
    """Fractions of one course: how many, the largest, the sum, the first and the last day."""

    count: int
    largest_gy: float
    total_gy: float
    first_day: float
    last_day: float


def plan_covariates(plan: Plan, weight_kg: float | None) -> dict[str, Value]:
    """Return the summaries that the plan determines, by dotted name.

    Raises
    ------
    InvalidInput
        A regimen is unknown, an organ is given twice in one course, or a course ends too late.
    """
    found: dict[str, Value] = {"plan.radiotherapy": bool(plan.radiotherapy)}
    first_day = _drugs(plan.drugs, weight_kg, found)
    if plan.chemotherapy_with_radiotherapy is not None:
        found["plan.chemotherapy_with_radiotherapy"] = plan.chemotherapy_with_radiotherapy
    if plan.radiotherapy:
        series = [_series(course, f"/plan/radiotherapy/{index}") for index, course in enumerate(plan.radiotherapy)]
        count = sum(one.count for one in series)
        found["plan.fraction_count"] = count
        found["plan.dose_per_fraction_gy"] = max(one.largest_gy for one in series)
        found["plan.total_dose_gy"] = sum(one.total_gy for one in series)
        if first_day is not None:
            found["plan.drug_start_after_radiotherapy_days"] = first_day - max(one.last_day for one in series)
            found["plan.drug_start_after_first_fraction_days"] = first_day - min(one.first_day for one in series)
        found.update(_organs(plan.radiotherapy, count))
    return found


def _drugs(courses: Sequence[DrugCourse], weight_kg: float | None, found: dict[str, Value]) -> float | None:
    """Fill in what the drugs determine; return the day of the first infusion."""
    agents: set[str] = set()
    with_chemotherapy = False
    first_days: list[float] = []
    infusions: dict[str, list[_Infusions]] = {}
    for index, course in enumerate(courses):
        regimen = regimen_of(course, f"/plan/drugs/{index}")
        first = course.start_day
        if regimen is not None:
            agents.update(regimen.agents)
            with_chemotherapy = with_chemotherapy or regimen.with_chemotherapy
            first += min(part.start_day for part in regimen.parts)
        elif course.agent is not None:
            agents.add(course.agent)
        for agent in CTLA4_ANTIBODIES:
            if agent == course.agent or (regimen is not None and agent in regimen.agents):
                infusions.setdefault(agent, []).append(_infusions(course, regimen, agent))
        first_days.append(first)
    found["plan.immunotherapy"] = bool(agents)
    found["plan.agents"] = "+".join(sorted(agents))
    found["plan.with_chemotherapy"] = with_chemotherapy
    targets = CLASS_OF.get(frozenset(TARGET[agent] for agent in agents))
    if targets is not None:
        found["plan.checkpoint_class"] = targets
    if len(courses) == 1 and courses[0].regimen is not None:
        found["plan.regimen"] = courses[0].regimen
    for agent, given in infusions.items():
        found.update(_of_antibody(agent, given, weight_kg))
    return min(first_days) if first_days else None


@dataclass(frozen=True, slots=True)
class _Infusions:
    """Infusions of one agent in one course: their days, and their doses as (mg, mg/kg) with one of the two."""

    days: tuple[float, ...]
    doses: tuple[tuple[float | None, float | None], ...]


def _infusions(course: DrugCourse, regimen: Regimen | None, agent: str) -> _Infusions:
    if regimen is None:
        count, interval = course.dose_count or 1, course.interval_days or 0.0
        days = tuple(course.start_day + number * interval for number in range(count))
        return _Infusions(days, ((course.dose_mg, course.dose_mg_per_kg),))
    days = tuple(course.start_day + day for day in _regimen_days(regimen.name, agent, course.dose_count))
    return _Infusions(days, tuple((part.dose_mg, part.dose_mg_per_kg) for part in regimen.parts if part.agent == agent))


@lru_cache(maxsize=256)
def _regimen_days(name: str, agent: str, visits: int | None) -> tuple[float, ...]:
    # any weight will do: the days do not depend on it
    events = REGIMENS[name].expand(visits=visits, weight_kg=1.0)
    return tuple(event.time_days for event in events if event.agent == agent)


def _of_antibody(agent: str, given: Sequence[_Infusions], weight_kg: float | None) -> Iterator[tuple[str, Value]]:
    doses = [dose for one in given for dose in one.doses]
    for what, largest in (
        ("dose_mg", _largest(_in_mg(*dose, weight_kg) for dose in doses)),
        ("dose_mg_per_kg", _largest(_per_kg(*dose, weight_kg) for dose in doses)),
    ):
        if largest is not None:
            yield f"plan.{agent}_{what}", largest
    days = sorted({day for one in given for day in one.days})
    if len(days) > 1:
        yield f"plan.{agent}_interval_days", min(later - day for day, later in itertools.pairwise(days))
    if days:
        yield f"plan.{agent}_dose_count", len(days)


def _largest(doses: Iterable[float | None]) -> float | None:
    """Return the largest dose; None where one is not known."""
    known = list(doses)
    return None if None in known else max(dose for dose in known if dose is not None)


def _in_mg(dose_mg: float | None, dose_mg_per_kg: float | None, weight_kg: float | None) -> float | None:
    if dose_mg is not None:
        return dose_mg
    return None if dose_mg_per_kg is None or weight_kg is None else dose_mg_per_kg * weight_kg


def _per_kg(dose_mg: float | None, dose_mg_per_kg: float | None, weight_kg: float | None) -> float | None:
    if dose_mg_per_kg is not None:
        return dose_mg_per_kg
    return None if dose_mg is None or weight_kg is None else dose_mg / weight_kg


def _series(course: RadiotherapyCourse, pointer: str) -> _Series:
    if course.fractions is not None:
        doses = [fraction.dose_gy for fraction in course.fractions]
        fraction_days = [fraction.day for fraction in course.fractions]
        return _Series(len(doses), max(doses), sum(doses), min(fraction_days), max(fraction_days))
    assert course.fraction_count is not None
    assert course.dose_per_fraction_gy is not None
    count, dose = course.fraction_count, course.dose_per_fraction_gy
    days = days_of_series(course, pointer)
    return _Series(count, dose, count * dose, days[0], days[-1])


def _organs(courses: Sequence[RadiotherapyCourse], fraction_count: int) -> Iterator[tuple[str, Value]]:
    given = [_by_organ(course, index) for index, course in enumerate(courses)]
    for organ in _ORGANS:
        doses = [course[organ] for course in given if organ in course]
        if not doses or len(doses) < len(courses):
            continue
        curves = [None if dose.dvh is None else distribution(dose.dvh, f"{pointer}/dvh") for pointer, dose in doses]
        yield (
            f"plan.mean_{organ}_dose_gy",
            sum(
                dose.mean_dose_gy if dose.mean_dose_gy is not None else curve.mean_gy if curve is not None else 0.0
                for (_, dose), curve in zip(doses, curves, strict=True)
            ),
        )
        if len(curves) == 1 and curves[0] is not None:
            yield from _of_curve(organ, curves[0], fraction_count)


def _by_organ(course: RadiotherapyCourse, index: int) -> dict[str, tuple[str, OrganDose]]:
    """Every organ's dose, with the place where it stands in the request."""
    found: dict[str, tuple[str, OrganDose]] = {}
    for position, dose in enumerate(course.organs):
        pointer = f"/plan/radiotherapy/{index}/organs/{position}"
        if dose.organ in found:
            raise InvalidInput(f"{pointer}/organ", "give each organ once in a course")
        found[dose.organ] = pointer, dose
    return found


def _of_curve(organ: str, curve: Dvh, fraction_count: int) -> Iterator[tuple[str, Value]]:
    if organ in _ALPHA_BETA_GY:
        corrected = curve.in_eqd2(fraction_count, _ALPHA_BETA_GY[organ])
        yield f"plan.mean_{organ}_eqd2_gy", corrected.mean_gy
        if organ == "esophagus" and curve.volume_cm3 is not None and curve.volume_cm3 >= 3.0:
            yield "plan.esophagus_d3cc_eqd2_gy", corrected.dose_at_volume_cm3(3.0)
    if organ == "heart":
        yield "plan.heart_d10_percent_gy", curve.dose_at_share(0.1)
