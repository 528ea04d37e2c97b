"""Whether two plans differ in nothing but doses of PD-(L)1 antibodies at or above the approved ones.

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
    "the plans differ only in doses of PD-(L)1 antibodies at or above the approved rate, where response and survival "
    "did not change with exposure in trials (doi:10.1093/annonc/mdw174); the differences follow from an assumed "
    "half-blocking concentration and count as no gain and no loss"
)
_REFERENCE_WEIGHT_KG: Final = 70.0
_ROUNDING: Final = 0.95


@dataclass(frozen=True, slots=True)
class _Course:
    """When one agent starts and how long it lasts (d), its usual interval (d) and its mean rate (mg/d)."""

    start_days: float
    end_days: float
    interval_days: float
    rate_mg_per_day: float


def flat_exposure(first: Plan, second: Plan, weight_kg: float | None) -> bool:
    """Return whether the plans differ only in PD-(L)1 doses at or above the approved rate.

    Parameters
    ----------
    first, second : Plan
    weight_kg : float or None
        For doses by weight.

    Returns
    -------
    bool
        Start, duration and agents must be the same, and there must be two doses or more of each agent.
    """
    if first.drugs == second.drugs or second.model_copy(update={"drugs": first.drugs}) != first:
        return False
    before, after = (drug_plan(plan.drugs, weight_kg, "/plan/drugs") for plan in (first, second))
    if before.agents != after.agents:
        return False
    for agent in before.agents:
        pair = [[event for event in plan.events if event.agent == agent] for plan in (before, after)]
        if pair[0] != pair[1] and not _same_exposure(agent, pair[0], pair[1]):
            return False
    return True


def _same_exposure(agent: str, before: Sequence[DoseEvent], after: Sequence[DoseEvent]) -> bool:
    if agent not in PD1_AGENTS or len(before) < 2 or len(after) < 2:
        return False
    approved = _approved_mg_per_day(agent)
    courses = [_course(events) for events in (before, after)]
    longest = max(course.interval_days for course in courses)
    return (
        approved is not None
        and all(course.rate_mg_per_day >= _ROUNDING * approved for course in courses)
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
def _approved_mg_per_day(agent: str) -> float | None:
    """Return the lowest rate of an approved regimen, of those with a flat dose where there are any."""
    parts = [part for regimen in REGIMENS.values() for part in regimen.parts if part.agent == agent]
    flat = [part.dose_mg / part.interval_days for part in parts if part.dose_mg and part.interval_days]
    by_weight = [
        part.dose_mg_per_kg * _REFERENCE_WEIGHT_KG / part.interval_days
        for part in parts
        if part.dose_mg_per_kg and part.interval_days
    ]
    return min(flat or by_weight, default=None)
