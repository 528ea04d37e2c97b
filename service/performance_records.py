"""Stored runs and their outcomes as pairs of what was predicted and what happened."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import orjson

from schemas.outcomes import OutcomeRequest

RESPONDERS = ("CR", "PR")
GRADES = {"_grade_3_or_higher": 3, "_grade_2_or_higher": 2, "": 2, "_with_checkpoint_inhibitor": 2}
"""Lowest grade that a prediction of a toxicity is judged at, by the end of its name."""
SCORES = ("score", "points", "ratio", "1e9/L", "Gy")


class StoredOutcome(Protocol):
    """One outcome with the run it belongs to, as the database gives it; none that was corrected."""

    @property
    def run_id(self) -> str:
        """Id of the run."""

    @property
    def kind(self) -> str:
        """Kind of the outcome."""

    @property
    def day(self) -> float:
        """Day on the plan's axis."""

    @property
    def value(self) -> str:
        """What :func:`value_of` made of the outcome."""

    @property
    def run_created_at(self) -> str:
        """Time of the run."""

    @property
    def input(self) -> bytes:
        """Stored request of the run."""

    @property
    def result(self) -> bytes | None:
        """Stored result of the run."""

    @property
    def model_version(self) -> str:
        """Version of the model in that run."""


def value_of(outcome: OutcomeRequest) -> str:
    """Return the content of an outcome as the text of a JSON scalar, for storage."""
    if outcome.kind == "response":
        return orjson.dumps(outcome.response).decode()
    if outcome.kind == "toxicity":
        return orjson.dumps(f"{outcome.toxicity}:{outcome.grade}").decode()
    return "true"


def content_of(kind: str, value: str) -> dict[str, Any]:
    """Return the members ``response``, ``toxicity`` and ``grade`` of a stored outcome."""
    stored = orjson.loads(value)
    name, grade = (None, None)
    if kind == "toxicity":
        name, _, text = str(stored).rpartition(":")
        grade = int(text)
    return {"response": stored if kind == "response" else None, "toxicity": name, "grade": grade}


@dataclass(slots=True)
class Record:
    """One patient: what the model said, and what happened."""

    created_at: str
    version: str
    covariates: Mapping[str, Any]
    predictions: list[Mapping[str, Any]]
    reference: str | None
    responses: list[str] = field(default_factory=list)
    death_day: float | None = None
    progression_day: float | None = None
    last_day: float = 0.0
    toxicities: dict[str, int] = field(default_factory=dict)

    def add(self, kind: str, day: float, value: str) -> None:
        """Take in one outcome."""
        content = content_of(kind, value)
        self.last_day = max(self.last_day, day)
        if kind == "response":
            self.responses.append(str(content["response"]))
            if content["response"] == "PD":
                self._progressed(day)
        elif kind == "death":
            self.death_day = day if self.death_day is None else min(day, self.death_day)
        elif kind == "progression":
            self._progressed(day)
        elif kind == "toxicity":
            name = str(content["toxicity"])
            self.toxicities[name] = max(self.toxicities.get(name, 0), int(content["grade"]))

    def _progressed(self, day: float) -> None:
        self.progression_day = day if self.progression_day is None else min(day, self.progression_day)

    @property
    def responded(self) -> bool | None:
        """Whether the best response was complete or partial; None where none was reported."""
        return any(response in RESPONDERS for response in self.responses) if self.responses else None

    def time_to(self, endpoint: str) -> tuple[float, bool] | None:
        """Return day and event for ``death`` or ``progression_or_death``; None before day 0."""
        days = [self.death_day] if endpoint == "death" else [self.death_day, self.progression_day]
        known = [day for day in days if day is not None]
        day = min(known) if known else self.last_day
        return (day, bool(known)) if day > 0 else None


def read_records(rows: Iterable[StoredOutcome], model: str) -> list[Record]:
    """Gather the outcomes of each run; of several runs of one patient only the first counts."""
    records: dict[str, Record] = {}
    for row in rows:
        record = records.get(row.run_id)
        if record is None:
            if row.result is None:
                continue
            record = records[row.run_id] = _record(row, model)
        record.add(row.kind, row.day, row.value)
    return list(_first_of_each_patient(records.values()))


def _record(row: StoredOutcome, model: str) -> Record:
    given, result = orjson.loads(row.input), orjson.loads(row.result or b"{}")
    patient = given.get("patient") or {}
    return Record(
        created_at=row.run_created_at,
        version=row.model_version,
        covariates=patient,
        predictions=[read for read in result.get("predictions", []) if read["model"] == model],
        reference=patient.get("reference"),
    )


def _first_of_each_patient(records: Iterable[Record]) -> Iterator[Record]:
    seen: set[str] = set()
    for record in sorted(records, key=lambda one: one.created_at):
        if record.reference is not None:
            if record.reference in seen:
                continue
            seen.add(record.reference)
        yield record
