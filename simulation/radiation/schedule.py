"""When the fractions of a course are given: weekday patterns, phases and overall time."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor

import numpy as np
from numpy.typing import NDArray

DAYS_PER_WEEK = 7


@dataclass(frozen=True, slots=True, eq=False)
class Schedule:
    """Fractions in order of time.

    Attributes
    ----------
    day : ndarray, shape (n_fractions,), d
        Treatment day on the plan's axis.
    hour : ndarray, shape (n_fractions,), h
        Time within the day.
    dose_gy : ndarray, shape (n_fractions,), Gy
        Prescribed dose of each fraction.
    phase : ndarray of int, shape (n_fractions,)
        The phase each fraction belongs to.
    """

    day: NDArray[np.float64]
    hour: NDArray[np.float64]
    dose_gy: NDArray[np.float64]
    phase: NDArray[np.int64]

    def overall_time_days(self, *, first_day_is_one: bool) -> float:
        """Days from the first to the last fraction; the first day counts when it is called day 1."""
        return float(self.day.max() - self.day.min()) + (1.0 if first_day_is_one else 0.0)

    def first(self, count: int) -> "Schedule":
        """Return the first ``count`` fractions."""
        return Schedule(self.day[:count], self.hour[:count], self.dose_gy[:count], self.phase[:count])


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """Equal fractions on a regular pattern; ``start_day`` None continues the phase before."""

    dose_per_fraction_gy: float
    fraction_count: int
    fractions_per_day: int = 1
    interval_hours: float = 0.0
    first_fraction_hour: float = 0.0
    treatment_days_per_week: int = 5
    start_day: float | None = None


def pattern_days(start_day: float, count: int, days_per_week: int, *, week_start_day: float) -> list[float]:
    """Treatment days of a weekly pattern: the first ``days_per_week`` days of each week.

    Parameters
    ----------
    start_day : float, d
        The earliest day that may be used.
    count : int
        How many treatment days are wanted.
    days_per_week : int
        1 to 7; three days a week are days 0, 2 and 4, two are 0 and 3, five are 0 to 4.
    week_start_day : float, d
        Any day on which a week begins.

    Returns
    -------
    list of float, d
        Increasing days, none before ``start_day``.
    """
    if not 1 <= days_per_week <= DAYS_PER_WEEK:
        raise ValueError("days_per_week must be 1 to 7")
    slots = _WEEK_SLOTS[days_per_week]
    days: list[float] = []
    week = floor((start_day - week_start_day) / DAYS_PER_WEEK)
    while len(days) < count:
        monday = week_start_day + week * DAYS_PER_WEEK
        days.extend(monday + slot for slot in slots if monday + slot >= start_day)
        week += 1
    return days[:count]


_WEEK_SLOTS = {
    days: tuple(range(days)) if days >= 5 else tuple(floor(slot * DAYS_PER_WEEK / days) for slot in range(days))
    for days in range(1, DAYS_PER_WEEK + 1)
}


def build_schedule(phases: Sequence[Phase], *, first_weekday: int = 1) -> Schedule:
    """Lay the phases out on the calendar.

    Parameters
    ----------
    phases : sequence of Phase
        At least one. A phase without ``start_day`` follows the phase before it; a start that is no
        treatment day of the weekly pattern moves to the next one.
    first_weekday : int
        Weekday of the first phase's start, 1 for Monday to 7 for Sunday.

    Returns
    -------
    Schedule
        All fractions in order of day and hour.
    """
    course_start = phases[0].start_day if phases[0].start_day is not None else 0.0
    week_start = course_start - (first_weekday - 1)
    next_day = course_start
    days: list[float] = []
    hours: list[float] = []
    doses: list[float] = []
    members: list[int] = []
    for index, phase in enumerate(phases):
        start = phase.start_day if phase.start_day is not None else next_day
        per_day = phase.fractions_per_day
        needed = -(-phase.fraction_count // per_day)
        treated = pattern_days(start, needed, phase.treatment_days_per_week, week_start_day=week_start)
        for number in range(phase.fraction_count):
            days.append(treated[number // per_day])
            hours.append(phase.first_fraction_hour + (number % per_day) * phase.interval_hours)
            doses.append(phase.dose_per_fraction_gy)
            members.append(index)
        next_day = treated[-1] + 1.0
    order = np.lexsort((np.asarray(hours), np.asarray(days)))
    return Schedule(
        np.asarray(days, dtype=np.float64)[order],
        np.asarray(hours, dtype=np.float64)[order],
        np.asarray(doses, dtype=np.float64)[order],
        np.asarray(members, dtype=np.int64)[order],
    )
