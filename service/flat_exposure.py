"""Whether two plans differ in nothing but doses of PD-(L)1 antibodies from the approved up to the highest tested rate.

Response and survival did not change with exposure over that range in trials; the tumor models have no such plateau
built in, so a small difference of theirs comes from an assumed half-blocking concentration.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

from schemas.plan import Plan
from service.regimens import drug_plan
from simulation.immunotherapy.plan import DoseEvent
from simulation.immunotherapy.regimens import REGIMENS
from simulation.tumor.virtual_patients import PD1_AGENTS

FLAT_EXPOSURE: Final = (
    "the plans differ only in doses of PD-(L)1 antibodies between the approved and the highest tested rate, where "
    "response and survival did not change with exposure in trials (pembrolizumab doi:10.1093/annonc/mdw174, nivolumab "
    "doi:10.1186/s40425-016-0177-2); the differences follow from an assumed half-blocking concentration and count "
    "as no gain and no loss"
)
BEYOND_TESTED: Final = (
    "given above the highest rate that was tested or approved; its effect there is extrapolated from an assumed "
    "half-blocking concentration"
)
_REFERENCE_WEIGHT_KG: Final = 70.0
_ROUNDING: Final = 0.05
_HIGHEST_TESTED_MG_PER_KG_PER_DAY: Final = {"pembrolizumab": 10.0 / 14.0, "nivolumab": 10.0 / 14.0}
"""10 mg/kg every two weeks, for both; of the others the highest approved rate bounds the range."""
_TESTED_INTERVAL_DAYS: Final = 14.0


@dataclass(frozen=True, slots=True)
class _Course:
    """When one agent starts and how long it lasts (d), its usual interval (d) and its mean rate (mg/d)."""

    start_days: float
    end_days: float
    interval_days: float
    rate_mg_per_day: float


def flat_exposure(first: Plan, second: Plan, weight_kg: float | None) -> bool:
    """Return whether the plans differ only in PD-(L)1 doses between the approved and the highest tested rate.

    Parameters
    ----------
    first, second : Plan
    weight_kg : float or None
        For doses by weight.

    Returns
    -------
    bool
        Start, duration and agents must be the same, and there must be two doses or more of each agent. False where
        the infusions are the same, however they are written down.
    """
    if first.drugs == second.drugs or second.model_copy(update={"drugs": first.drugs}) != first:
        return False
    before, after = (drug_plan(plan.drugs, weight_kg, "/plan/drugs") for plan in (first, second))
    if before == after or before.agents != after.agents:
        return False
    for agent in before.agents:
        pair = [[event for event in plan.events if event.agent == agent] for plan in (before, after)]
        if pair[0] != pair[1] and not _same_exposure(agent, pair[0], pair[1], weight_kg or _REFERENCE_WEIGHT_KG):
            return False
    return True


def beyond_tested(plan: Plan, weight_kg: float | None, pointer: str = "/plan") -> tuple[str, ...]:
    """Return the PD-(L)1 antibodies that the plan gives at a higher rate than any trial or approval on record here.

    Parameters
    ----------
    plan : Plan
    weight_kg : float or None
        For doses by weight, and for the highest tested one.
    pointer : str
        Where the plan stands in the request.

    Returns
    -------
    tuple of str
    """
    given = drug_plan(plan.drugs, weight_kg, f"{pointer}/drugs")
    found = []
    for agent in given.agents:
        limits = _limits_mg_per_day(agent, weight_kg or _REFERENCE_WEIGHT_KG)
        doses = [event for event in given.events if event.agent == agent]
        if limits is not None and _rate_mg_per_day(doses) > limits[1]:
            found.append(agent)
    return tuple(found)


def _rate_mg_per_day(doses: Sequence[DoseEvent]) -> float:
    if doses[-1].time_days > doses[0].time_days:
        return _course(doses).rate_mg_per_day
    return sum(dose.amount_mg for dose in doses) / _TESTED_INTERVAL_DAYS


def _limits_mg_per_day(agent: str, weight_kg: float) -> tuple[float, float] | None:
    """Return the approved and the highest tested rate, with room for rounding; None for other agents."""
    approved = _approved_mg_per_day(agent) if agent in PD1_AGENTS else ()
    if not approved:
        return None
    tested = max(*approved, _HIGHEST_TESTED_MG_PER_KG_PER_DAY.get(agent, 0.0) * weight_kg)
    return (1.0 - _ROUNDING) * min(approved), (1.0 + _ROUNDING) * tested


def _same_exposure(agent: str, before: Sequence[DoseEvent], after: Sequence[DoseEvent], weight_kg: float) -> bool:
    limits = _limits_mg_per_day(agent, weight_kg)
    if limits is None or len(before) < 2 or len(after) < 2:
        return False
    low, high = limits
    courses = [_course(events) for events in (before, after)]
    longest = max(course.interval_days for course in courses)
    return (
        all(low <= course.rate_mg_per_day <= high for course in courses)
        and courses[0].start_days == courses[1].start_days
        and abs(courses[0].end_days - courses[1].end_days) <= longest
    )


def _course(events: Sequence[DoseEvent]) -> _Course:
    start, last = events[0].time_days, events[-1].time_days
    interval = (last - start) / (len(events) - 1)
    end = last + interval
    rate = sum(event.amount_mg for event in events) / (end - start) if end > start else 0.0
    return _Course(start, end, interval, rate)


@cache
def _approved_mg_per_day(agent: str) -> tuple[float, ...]:
    """Return the rates of the approved regimens, of those with a flat dose where there are any."""
    parts = [part for regimen in REGIMENS.values() for part in regimen.parts if part.agent == agent]
    flat = [part.dose_mg / part.interval_days for part in parts if part.dose_mg and part.interval_days]
    by_weight = [
        part.dose_mg_per_kg * _REFERENCE_WEIGHT_KG / part.interval_days
        for part in parts
        if part.dose_mg_per_kg and part.interval_days
    ]
    return tuple(flat or by_weight)
