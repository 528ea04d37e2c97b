"""Adverse events of checkpoint inhibitors: incidence, fatal events, onset, grades and management steps.

Grade definitions and management steps await clinical sign-off: :func:`signed_off` keeps back every row
that no clinician has released, and nothing else may be shown to a user.
"""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any, Final, Protocol, TypeVar

from simulation.model import Reference
from simulation.predictors._answers import wilson
from simulation.predictors._antibodies import AntibodyCourse


@dataclass(frozen=True, slots=True, kw_only=True)
class Incidence:
    """How many patients have an event; ``classes`` or ``agents`` say which treatment.

    ``cancer_types``, ``stages`` and ``first_line`` say whom one trial enrolled, ``with_chemotherapy`` and ``ctla4``
    what it gave.
    """

    event: str
    grades: str
    source: str
    classes: tuple[str, ...] = ()
    agents: str | None = None
    group: str | None = None
    cancer_types: tuple[str, ...] = ()
    stages: tuple[str, ...] = ()
    first_line: bool = False
    with_chemotherapy: bool | None = None
    ctla4: AntibodyCourse | None = None
    organ: str | None = None
    percent: float | None = None
    lower: float | None = None
    upper: float | None = None
    events: int | None = None
    n: int | None = None

    @property
    def probability(self) -> float:
        """Share of the patients, 0 to 1."""
        if self.events is not None and self.n is not None:
            return self.events / self.n
        return (self.percent or 0.0) / 100.0

    @property
    def bounds(self) -> tuple[float, float] | None:
        """Printed 95 % interval, or Wilson's from the counts; None where neither is known."""
        if self.lower is not None and self.upper is not None:
            return self.lower / 100.0, self.upper / 100.0
        if self.n is None:
            return None
        return wilson(round(self.probability * self.n) if self.events is None else self.events, self.n)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fatal:
    """Fatal events of some classes: share of patients, causes as percent of the deaths, time to the event."""

    classes: tuple[str, ...]
    percent: float
    deaths: int
    causes: Mapping[str, float]
    days_to_event: float


@dataclass(frozen=True, slots=True, kw_only=True)
class GradeDefinition:
    """What each grade of a term means, from grade 1."""

    term: str
    grades: tuple[str, ...]
    source: str
    signed_off: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ManagementStep:
    """What a guideline does at one grade of one event; empty texts where it says nothing."""

    event: str
    grade: int
    antibody: str
    corticosteroid: str
    resume: str
    source: str
    signed_off: bool


class _Released(Protocol):
    @property
    def signed_off(self) -> bool: ...


Row = TypeVar("Row", bound=_Released)


def signed_off(rows: Iterable[Row]) -> tuple[Row, ...]:
    """Return the rows that a clinician has released."""
    return tuple(row for row in rows if row.signed_off)


def _load() -> dict[str, Any]:
    text = resources.files("simulation").joinpath("data/immune_adverse_events.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def _incidence(row: Mapping[str, Any]) -> Incidence:
    read: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in row.items()}
    if "ctla4" in read:
        read["ctla4"] = AntibodyCourse(**read["ctla4"])
    return Incidence(**read)


_DATA: Final = _load()
VERSION: Final[str] = _DATA["version"]
SOURCES: Final[Mapping[str, Reference]] = {
    name: Reference(citation=row["citation"], doi=row.get("doi"), verified=row["verified"])
    for name, row in _DATA["sources"].items()
}
INCIDENCE: Final = tuple(_incidence(row) for row in _DATA["incidence"])
FATAL: Final = tuple(Fatal(**(row | {"classes": tuple(row["classes"])})) for row in _DATA["fatal"])
COMBINATION_RELATIVE_RISK: Final[Mapping[str, float]] = {
    name: _DATA["combination_relative_risk"][name] for name in ("value", "lower", "upper")
}
"""Adverse events of grade 3 or higher under two checkpoint inhibitors against one: value, lower, upper."""
COMBINATION_SOURCE: Final[str] = _DATA["combination_relative_risk"]["source"]
ONSET_WEEKS: Final[Mapping[str, tuple[float, float]]] = {
    organ: (weeks[0], weeks[1]) for organ, weeks in _DATA["onset_weeks"].items()
}
GRADES: Final = tuple(GradeDefinition(**(row | {"grades": tuple(row["grades"])})) for row in _DATA["grade"])
MANAGEMENT: Final = tuple(ManagementStep(**row) for row in _DATA["management"])
