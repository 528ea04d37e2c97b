"""Ways to go on after an unplanned interruption, with their price in every tissue.

The options are laid side by side; which one is right is a clinical decision.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import floor
from typing import Literal

import numpy as np

from simulation.radiation.linear_quadratic import dose_per_fraction_for_bed_gy
from simulation.radiation.schedule import Schedule, pattern_days
from simulation.radiation.tissue import Effect, Tissue, effect_on

Strategy = Literal[
    "no_compensation",
    "two_fractions_a_day",
    "weekend_fractions",
    "larger_fractions_same_time",
    "larger_fractions_same_time_late_matched",
    "larger_fractions_longer_time",
    "extra_fractions",
]
MOST_EXTRA_FRACTIONS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Interruption:
    """What was planned, what was given, and how long nothing can be given.

    ``week_start_day`` is any day on which a week of the treatment pattern begins.
    """

    planned: Schedule
    delivered_count: int
    days_lost: float
    treatment_days_per_week: int
    week_start_day: float
    second_fraction_after_hours: float
    first_day_is_one: bool

    @property
    def remaining_count(self) -> int:
        """Fractions that are left."""
        return len(self.planned.day) - self.delivered_count

    @property
    def remaining_dose_gy(self) -> float:
        """Planned size of each fraction that is left, Gy."""
        return float(self.planned.dose_gy[-1])

    @property
    def last_planned_day(self) -> float:
        """Day on which the plan would have ended."""
        return float(self.planned.day[-1])

    @property
    def earliest_day(self) -> float:
        """Day from which treatment can go on, a treatment day of the pattern or not."""
        return float(self.planned.day[self.delivered_count]) + self.days_lost

    def resumption(self, count: int) -> list[float]:
        """Return the first ``count`` treatment days after the interruption."""
        return pattern_days(self.earliest_day, count, self.treatment_days_per_week, week_start_day=self.week_start_day)

    @property
    def slots(self) -> list[float]:
        """Treatment days between resumption and the planned end."""
        return [day for day in self.resumption(self.remaining_count) if day <= self.last_planned_day]

    @property
    def missed_count(self) -> int:
        """Fractions for which the planned time has no treatment day any more."""
        return self.remaining_count - len(self.slots)


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One way to finish, and what it does to every tissue, in the order of the request."""

    strategy: Strategy
    schedule: Schedule
    remaining_count: int
    dose_per_fraction_gy: float
    days_with_two_fractions: int
    effects: tuple[Effect, ...]
    pareto_optimal: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class NotPossible:
    """A strategy that this interruption leaves no room for."""

    strategy: Strategy
    reason: str


class _NoRoom(Exception):
    pass


@dataclass(frozen=True, slots=True)
class _Finish:
    days: list[float]
    hours: list[float]
    dose_gy: float
    doubled: int = 0


def _finished(case: Interruption, finish: _Finish) -> Schedule:
    given = case.planned.first(case.delivered_count)
    days = np.asarray(finish.days, dtype=np.float64)
    return Schedule(
        np.append(given.day, days),
        np.append(given.hour, np.asarray(finish.hours, dtype=np.float64)),
        np.append(given.dose_gy, np.full(len(days), finish.dose_gy)),
        np.append(given.phase, np.full(len(days), case.planned.phase[-1])),
    )


def _single(days: list[float], dose_gy: float) -> _Finish:
    return _Finish(days, [0.0] * len(days), dose_gy)


@dataclass(frozen=True, slots=True)
class _Aim:
    """The tissues, tumor first, and the BED that the whole plan would have given each."""

    tissues: Sequence[Tissue]
    planned_bed_gy: Sequence[float]


def _dose_for(case: Interruption, tissue: Tissue, days: list[float], target_bed_gy: float) -> float:
    """Fraction size on these days that brings one tissue to a BED, proliferation included."""
    trial = _finished(case, _single(days, 0.0))
    short = target_bed_gy - effect_on(trial, tissue, first_day_is_one=case.first_day_is_one).bed_gy
    if short <= 0:
        raise _NoRoom("the fractions already given exceed the aim")
    return dose_per_fraction_for_bed_gy(short, len(days), tissue.alpha_beta_gy[-1]) / tissue.relative_dose


def _shortened(case: Interruption) -> list[float]:
    slots = case.slots
    if not slots:
        raise _NoRoom("no treatment day is left in the planned time")
    if case.missed_count == 0:
        raise _NoRoom("no treatment day was lost")
    return slots


def _no_compensation(case: Interruption, _aim: _Aim) -> _Finish:
    return _single(case.resumption(case.remaining_count), case.remaining_dose_gy)


def _two_fractions_a_day(case: Interruption, _aim: _Aim) -> _Finish:
    slots, missed = _shortened(case), case.missed_count
    if missed > len(slots):
        raise _NoRoom("fewer treatment days are left than fractions were missed")
    second = [(day, case.second_fraction_after_hours) for day in slots[:missed]]
    entries = sorted([*((day, 0.0) for day in slots), *second])
    return _Finish([day for day, _ in entries], [hour for _, hour in entries], case.remaining_dose_gy, missed)


def _weekend_fractions(case: Interruption, _aim: _Aim) -> _Finish:
    slots, missed = _shortened(case), case.missed_count
    first = slots[0] - floor(slots[0] - case.earliest_day)
    calendar = (float(day) for day in np.arange(first, case.last_planned_day + 0.5))
    free = [day for day in calendar if day not in set(slots)]
    if missed > len(free):
        raise _NoRoom("too few free days are left in the planned time")
    return _single(sorted([*slots, *free[:missed]]), case.remaining_dose_gy)


def _larger_same_time(case: Interruption, aim: _Aim) -> _Finish:
    slots = _shortened(case)
    return _single(slots, _dose_for(case, aim.tissues[0], slots, aim.planned_bed_gy[0]))


def _larger_same_time_late_matched(case: Interruption, aim: _Aim) -> _Finish:
    slots = _shortened(case)
    allowed = [
        _dose_for(case, tissue, slots, bed)
        for tissue, bed in zip(aim.tissues, aim.planned_bed_gy, strict=True)
        if tissue.role == "late"
    ]
    return _single(slots, min(allowed))


def _larger_longer_time(case: Interruption, aim: _Aim) -> _Finish:
    days = case.resumption(case.remaining_count)
    return _single(days, _dose_for(case, aim.tissues[0], days, aim.planned_bed_gy[0]))


def _extra_fractions(case: Interruption, aim: _Aim) -> _Finish:
    for extra in range(1, MOST_EXTRA_FRACTIONS + 1):
        finish = _single(case.resumption(case.remaining_count + extra), case.remaining_dose_gy)
        reached = effect_on(_finished(case, finish), aim.tissues[0], first_day_is_one=case.first_day_is_one).bed_gy
        if reached >= aim.planned_bed_gy[0] - 1e-9:
            return finish
    raise _NoRoom("no number of extra fractions up to the limit makes up for the longer time")


_STRATEGIES: Mapping[Strategy, Callable[[Interruption, _Aim], _Finish]] = {
    "no_compensation": _no_compensation,
    "two_fractions_a_day": _two_fractions_a_day,
    "weekend_fractions": _weekend_fractions,
    "larger_fractions_same_time": _larger_same_time,
    "larger_fractions_same_time_late_matched": _larger_same_time_late_matched,
    "larger_fractions_longer_time": _larger_longer_time,
    "extra_fractions": _extra_fractions,
}


def compensate(case: Interruption, tissues: Sequence[Tissue]) -> tuple[tuple[Option, ...], tuple[NotPossible, ...]]:
    """List the ways to finish an interrupted course.

    Parameters
    ----------
    case : Interruption
        One fraction a day; all fractions that are left have the same planned size.
    tissues : sequence of Tissue
        The first one is the tumor whose BED is to be kept; at least one other is a late tissue.

    Returns
    -------
    tuple of Option, tuple of NotPossible
        Options with ``pareto_optimal`` set where no other option is at least as good in every tissue
        (tumor BED high, normal-tissue BED low) and better in one.
    """

    def effects(schedule: Schedule) -> tuple[Effect, ...]:
        return tuple(effect_on(schedule, tissue, first_day_is_one=case.first_day_is_one) for tissue in tissues)

    aim = _Aim(tissues, [effect.bed_gy for effect in effects(case.planned)])
    options: list[Option] = []
    refused: list[NotPossible] = []
    for strategy, make in _STRATEGIES.items():
        try:
            finish = make(case, aim)
        except _NoRoom as no_room:
            refused.append(NotPossible(strategy=strategy, reason=str(no_room)))
            continue
        schedule = _finished(case, finish)
        options.append(
            Option(
                strategy=strategy,
                schedule=schedule,
                remaining_count=len(finish.days),
                dose_per_fraction_gy=finish.dose_gy,
                days_with_two_fractions=finish.doubled,
                effects=effects(schedule),
            )
        )
    return _with_pareto_front(options, tissues), tuple(refused)


def _with_pareto_front(options: Sequence[Option], tissues: Sequence[Tissue]) -> tuple[Option, ...]:
    sign = np.array([1.0 if tissue.role == "tumor" else -1.0 for tissue in tissues])
    merit = np.array([[effect.bed_gy for effect in option.effects] for option in options]) * sign
    marked = []
    for own, option in zip(merit, options, strict=True):
        dominated = np.any(np.all(merit >= own - 1e-9, axis=1) & np.any(merit > own + 1e-9, axis=1))
        marked.append(replace(option, pareto_optimal=not dominated))
    return tuple(marked)
