"""Predictions next to what happened: the endpoints that a prediction can be judged by."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.performance_records import GRADES, SCORES, Record
from simulation.model import Interval
from simulation.outcome.horizon import share_with_event, status_at
from simulation.outcome.summaries import proportion_interval

_SURVIVAL = {"overall_survival": "death", "progression_free_survival": "progression_or_death"}
_FALLING = (
    "prognostic_nutritional_index",
    "advanced_lung_cancer_inflammation_index",
    "loris_score",
)
"""Outcomes of which a higher value goes with longer survival."""

Seen = tuple[bool, float | None]
"""Whether the event was seen, and the day of it or of the end of follow-up where times matter."""
Observer = Callable[[Record], Seen | None]


@dataclass(frozen=True, slots=True)
class Pairs:
    """Predicted and observed of one endpoint.

    ``day`` is known where times matter. With ``horizon_days``, what is observed is the event by the horizon;
    ``weight`` makes up for those censored before it and is None where there are none.
    """

    endpoint: str
    predicted: str
    unit: str
    value: NDArray[np.float64]
    happened: NDArray[np.bool_]
    records: Sequence[Record]
    day: NDArray[np.float64] | None = None
    horizon_days: int | None = None
    observed: NDArray[np.bool_] = field(init=False)
    known: NDArray[np.bool_] = field(init=False)
    weight: NDArray[np.float64] | None = field(init=False)

    def __post_init__(self) -> None:
        observed, known = self.happened, np.ones(self.happened.size, dtype=np.bool_)
        weight = None
        if self.day is not None and self.horizon_days is not None:
            status = status_at(self.day, self.happened, self.horizon_days)
            observed, known = status.event, status.known
            weight = None if known.all() else status.weight
        for name, value in (("observed", observed), ("known", known), ("weight", weight)):
            object.__setattr__(self, name, value)

    @property
    def probability(self) -> bool:
        """Whether the prediction is a probability of the event."""
        return self.unit == "probability"

    @property
    def open_ended(self) -> bool:
        """Whether patients were followed for different times, with no horizon to judge them at."""
        return self.day is not None and self.horizon_days is None

    @property
    def events(self) -> int:
        """Patients with the event."""
        return int(self.observed.sum())

    @property
    def event_free(self) -> int:
        """Patients known to be without the event."""
        return int((self.known & ~self.observed).sum())

    def rate(self, rows: NDArray[np.bool_] | None = None) -> tuple[float, Interval]:
        """Return the observed rate among all or some of the patients, by Kaplan-Meier where some are censored."""
        inside = np.ones(self.value.size, dtype=np.bool_) if rows is None else rows
        if self.weight is None or self.day is None or self.horizon_days is None:
            observed = self.observed[inside]
            return float(observed.mean()), proportion_interval(int(observed.sum()), observed.size)
        return share_with_event(self.day[inside], self.happened[inside], self.horizon_days)

    def rows(self, index: NDArray[np.intp]) -> "Pairs":
        """Return some of the patients; their weights come from their own follow-up."""
        return Pairs(
            self.endpoint,
            self.predicted,
            self.unit,
            self.value[index],
            self.happened[index],
            [self.records[i] for i in index],
            None if self.day is None else self.day[index],
            self.horizon_days,
        )


def endpoints(records: Sequence[Record]) -> Iterator[Pairs]:
    """Yield every prediction with each endpoint that someone's outcomes can judge it by."""
    targets = dict.fromkeys(
        (read["outcome"], read["unit"], read["horizon_days"]) for record in records for read in record.predictions
    )
    for outcome, unit, horizon in targets:
        for endpoint, horizon_days, observe in _observers(outcome, unit, horizon):
            found = [
                (_value(record, outcome, unit, horizon, endpoint), *seen, record)
                for record in records
                if (seen := observe(record)) is not None and _read(record, outcome, unit, horizon) is not None
            ]
            if found:
                value, happened, day, kept = zip(*found, strict=True)
                yield Pairs(
                    endpoint,
                    outcome,
                    unit,
                    np.array(value, dtype=np.float64),
                    np.array(happened, dtype=np.bool_),
                    kept,
                    None if day[0] is None else np.array(day, dtype=np.float64),
                    horizon_days,
                )


def _observers(outcome: str, unit: str, horizon: int | None) -> Iterator[tuple[str, int | None, Observer]]:
    """Yield the endpoints that a prediction can be judged by, with the horizon of each."""
    if outcome in ("objective_response", "loris_score"):
        yield "response", None, lambda record: None if record.responded is None else (record.responded, None)
    if unit == "probability" and outcome in _SURVIVAL and horizon is not None:
        yield _SURVIVAL[outcome], horizon, _timed(_SURVIVAL[outcome])
    if unit in SCORES:
        for endpoint in _SURVIVAL.values():
            yield endpoint, None, _timed(endpoint)
    for name in ("pneumonitis", "esophagitis"):
        suffix = outcome.removeprefix(name)
        if unit == "probability" and outcome.startswith(name) and suffix in GRADES:
            yield f"{name}_grade_{GRADES[suffix]}_or_higher", None, _toxic(name, GRADES[suffix])


def _timed(endpoint: str) -> Observer:
    def observe(record: Record) -> Seen | None:
        seen = record.time_to(endpoint)
        return None if seen is None else (seen[1], seen[0])

    return observe


def _toxic(name: str, grade: int) -> Observer:
    return lambda record: (record.toxicities[name] >= grade, None) if name in record.toxicities else None


def _read(record: Record, outcome: str, unit: str, horizon: int | None) -> Any:
    wanted = (outcome, unit, horizon)
    return next((r for r in record.predictions if (r["outcome"], r["unit"], r["horizon_days"]) == wanted), None)


def _value(record: Record, outcome: str, unit: str, horizon: int | None, endpoint: str) -> float:
    """Return the prediction, turned so that a higher value means that the endpoint is likelier."""
    value = float(_read(record, outcome, unit, horizon)["value"])
    if endpoint not in ("death", "progression_or_death"):
        return value
    if unit == "probability":
        return 1.0 - value
    return -value if outcome in _FALLING else value
