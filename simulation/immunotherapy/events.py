"""NONMEM-style event records of one agent, expanded to doses.

Columns: TIME (d), EVID (0 observation, 1 dose, 3 reset, 4 reset and dose), AMT (mg), RATE (mg/d; 0 is a
bolus), II (d), ADDL, SS. Modelled rates and durations (RATE -1, -2) and constant infusions at steady
state (AMT 0 with SS) are refused.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulation.immunotherapy.timeline import Doses

OBSERVATION, DOSE, RESET, RESET_AND_DOSE = 0, 1, 3, 4
_MOST_DOSES = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRecord:
    """One record; members as the columns of the table."""

    time_days: float
    evid: int = DOSE
    amt_mg: float = 0.0
    rate_mg_per_day: float = 0.0
    ii_days: float = 0.0
    addl: int = 0
    ss: int = 0


class InvalidRecord(ValueError):
    """A record cannot be used; ``index`` is its position, ``column`` the member at fault."""

    def __init__(self, index: int, column: str, message: str) -> None:
        super().__init__(message)
        self.index = index
        self.column = column
        self.message = message


def expand(records: Sequence[EventRecord], *, constant_clearance: bool) -> tuple[Doses, NDArray[np.float64]]:
    """Return the doses and the observation times (d) of an event table.

    Splitting one record with ADDL into single doses, or an infusion into two back to back, gives the
    same concentrations. A reset empties the body and stops running infusions; additional doses of an
    earlier record that fall after it are still given.

    Parameters
    ----------
    records : sequence of EventRecord
        Sorted by time.
    constant_clearance : bool
        Whether the model has a steady state that does not depend on when treatment began.

    Raises
    ------
    InvalidRecord
        If the table is unsorted, ADDL comes without II, SS is asked of a model with time-varying or
        saturable clearance, or a value is impossible.
    """
    doses: list[tuple[float, float, float, float]] = []
    resets: list[float] = []
    observations: list[float] = []
    previous = -math.inf
    for index, record in enumerate(records):
        if record.time_days < previous:
            raise InvalidRecord(index, "time_days", "times must not decrease from record to record")
        previous = record.time_days
        if record.evid == OBSERVATION:
            observations.append(record.time_days)
            continue
        if record.evid in (RESET, RESET_AND_DOSE):
            resets.append(record.time_days)
        if record.evid == RESET:
            continue
        if record.evid not in (DOSE, RESET_AND_DOSE):
            raise InvalidRecord(index, "evid", "evid must be 0, 1, 3 or 4")
        _check(index, record, constant_clearance)
        infusion = record.amt_mg / record.rate_mg_per_day if record.rate_mg_per_day > 0 else 0.0
        if record.ss and infusion > record.ii_days:
            raise InvalidRecord(index, "rate_mg_per_day", "a steady-state infusion must end within its interval")
        for number in range(record.addl + 1):
            start = record.time_days + number * record.ii_days
            doses.append((start, record.amt_mg, infusion, record.ii_days if record.ss and number == 0 else 0.0))
        if len(doses) > _MOST_DOSES:
            raise InvalidRecord(index, "addl", f"the table expands to more than {_MOST_DOSES} doses")
    doses.sort(key=lambda dose: dose[0])
    columns = np.array(doses, dtype=np.float64).reshape(-1, 4)
    return (
        Doses.of(
            columns[:, 0], columns[:, 1], columns[:, 2], steady_state_interval_days=columns[:, 3], reset_days=resets
        ),
        np.array(observations, dtype=np.float64),
    )


def _check(index: int, record: EventRecord, constant_clearance: bool) -> None:
    if not (math.isfinite(record.amt_mg) and record.amt_mg > 0):
        raise InvalidRecord(index, "amt_mg", "a dose needs amt_mg > 0")
    if not (math.isfinite(record.rate_mg_per_day) and record.rate_mg_per_day >= 0):
        raise InvalidRecord(index, "rate_mg_per_day", "give the infusion rate, or 0 for a bolus")
    if record.addl > 0 and record.ii_days <= 0:
        raise InvalidRecord(index, "ii_days", "addl needs ii_days > 0")
    if record.ss not in (0, 1):
        raise InvalidRecord(index, "ss", "ss must be 0 or 1")
    if record.ss and record.ii_days <= 0:
        raise InvalidRecord(index, "ii_days", "ss needs ii_days > 0")
    if record.ss and not constant_clearance:
        raise InvalidRecord(
            index, "ss", "steady state is undefined while clearance varies with time or saturates; list the doses"
        )
