"""What is checked before a predictor is asked, worked out once for all patients.

Models share most of their checks (the same range of the same covariate), so each is made once
per patient; sets of names and of checks are integers with one bit a member.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, TypeVar

from schemas.run import ModelRef
from simulation.model import Input, Predictor, Published, Reference, Value
from simulation.registry import PREDICTORS

T = TypeVar("T")


def cite(reference: Reference) -> str:
    """Return a reference as one line of text."""
    where = f" doi:{reference.doi}" if reference.doi else f" {reference.url}" if reference.url else ""
    unread = "" if reference.verified else " (value not re-read in the source)"
    return f"{reference.citation}.{where}{unread}"


@dataclass(frozen=True, slots=True)
class Refusal:
    """An input lies outside what a formula accepts."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Check:
    """One comparison of one covariate; models that ask for the same one share it."""

    name: str
    low: float
    high: float
    cohort_low: float
    cohort_high: float
    choices: frozenset[str]
    cohort_choices: frozenset[str]
    refusal: Refusal
    outside: str

    @classmethod
    def of(cls, given: Input) -> "Check":
        """Return the check that an input asks for."""
        low, high = _or(given.low, -math.inf), _or(given.high, math.inf)
        cohort_low, cohort_high = _or(given.derivation_low, -math.inf), _or(given.derivation_high, math.inf)
        unit = f" {given.unit}" if given.unit not in ("", "1") else ""
        if given.choices:
            refusal = f"the model covers only these of {given.name}: {', '.join(given.choices)}"
            cohort = f"is not among those of the derivation cohort ({', '.join(given.derivation_choices)})"
        else:
            refusal = f"{given.name} must lie from {low:g} to {high:g}{unit}"
            cohort = f"lies outside the derivation cohort ({cohort_low:g} to {cohort_high:g}{unit})"
        return cls(
            name=given.name,
            low=low,
            high=high,
            cohort_low=cohort_low,
            cohort_high=cohort_high,
            choices=frozenset(given.choices),
            cohort_choices=frozenset(given.derivation_choices or given.choices),
            refusal=Refusal(given.name, refusal),
            outside=f"{given.name} {cohort}.",
        )

    def of_value(self, value: Value) -> str | Refusal | None:
        """Return None for a value like those of the cohort, else what is wrong with it."""
        if self.choices:
            text = ("true" if value else "false") if isinstance(value, bool) else value
            if text not in self.choices:
                return self.refusal
            return None if text in self.cohort_choices else self.outside
        if isinstance(value, str) or not self.low <= value <= self.high:
            return self.refusal
        return None if self.cohort_low <= value <= self.cohort_high else self.outside


def _or(bound: float | None, otherwise: float) -> float:
    return otherwise if bound is None else bound


class Answer(NamedTuple):
    """What one predictor said: its predictions, or why there are none."""

    reads: tuple[dict[str, Any], ...] = ()
    outside: tuple[str, ...] = ()
    none: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Ready:
    """A predictor with everything that does not depend on the patient worked out.

    ``answers`` remembers by the values of all categories where nothing ``measured`` is required,
    ``printed`` by the identity of a figure.
    """

    model: Predictor
    ref: ModelRef
    id: str
    horizon_days: int | None
    validated: bool
    required: int
    consulted: int
    measured: int
    checks: int
    ranges_unpublished: dict[str, Any] | None
    references: tuple[str, ...]
    names: tuple[str, ...]
    answers: dict[tuple[Value | None, ...], Answer] | None
    printed: dict[int, tuple[Published, dict[str, Any]]]

    @classmethod
    def of(cls, model: Predictor, checks: dict[Check, int], names: dict[str, int]) -> "Ready":
        """Work a predictor out; ``checks`` and ``names`` number what all predictors share, and grow."""
        card = model.card
        return cls(
            model=model,
            ref=ModelRef(id=card.id, version=card.version),
            id=card.id,
            horizon_days=card.horizon_days,
            validated=card.validated_on_patients,
            required=_bits(_position(given.name, names) for given in card.inputs if given.required),
            consulted=_bits(
                _position(given.name, names) for given in card.inputs if not given.required and _has_cohort(given)
            ),
            measured=_bits(_position(given.name, names) for given in card.inputs if not given.choices),
            checks=_bits(_position(Check.of(given), checks) for given in card.inputs),
            ranges_unpublished=_ranges_unpublished(card.inputs),
            references=tuple(cite(reference) for reference in card.references),
            names=tuple(given.name for given in card.inputs),
            answers={} if all(given.choices or not given.required for given in card.inputs) else None,
            printed={},
        )


def _position(item: T, position_of: dict[T, int]) -> int:
    """Return the number of an item, a new one where it has none."""
    return position_of.setdefault(item, len(position_of))


def _bits(positions: Iterable[int]) -> int:
    """Return the set of numbers as one integer."""
    bits = 0
    for position in positions:
        bits |= 1 << position
    return bits


def positions(bits: int) -> list[int]:
    """Return the numbers in the set, smallest first."""
    found = []
    while bits:
        lowest = bits & -bits
        found.append(lowest.bit_length() - 1)
        bits ^= lowest
    return found


def _has_cohort(given: Input) -> bool:
    return given.derivation_low is not None or given.derivation_high is not None or bool(given.derivation_choices)


def _ranges_unpublished(inputs: tuple[Input, ...]) -> dict[str, Any] | None:
    names = [given.name for given in inputs if given.required and not given.choices and not _has_cohort(given)]
    if not names:
        return None
    return {"status": "unknown", "reasons": [f"No range of the derivation cohort is known for {', '.join(names)}."]}


def _prepare() -> tuple[dict[str, Ready], tuple[Check, ...], dict[str, int]]:
    checks: dict[Check, int] = {}
    names: dict[str, int] = {}
    ready = {name: Ready.of(model, checks, names) for name, model in PREDICTORS.items()}
    return ready, tuple(checks), {name: 1 << position for name, position in names.items()}


READY, CHECKS, BIT_OF_NAME = _prepare()
_NAMES: Final = tuple(BIT_OF_NAME)
_CHECKS_OF_NAME: Final = {
    name: tuple((1 << position, check) for position, check in enumerate(CHECKS) if check.name == name)
    for name in _NAMES
}
ASKED: Final = tuple(ready for ready in READY.values() if not ready.model.card.by_name_only)
MOST_REMEMBERED: Final = 1000
_INSIDE: Final[dict[str, Any]] = {"status": "inside", "reasons": []}


@dataclass(frozen=True, slots=True)
class Patient:
    """The covariates of one patient with every check made once.

    ``given`` are the bits of the names that are there; ``refused`` and ``outside`` those of
    the checks that failed.
    """

    covariates: Mapping[str, Value]
    given: int
    refused: int
    outside: int

    @classmethod
    def of(cls, covariates: Mapping[str, Value]) -> "Patient":
        """Make every check of every predictor."""
        given = refused = outside = 0
        for name, value in covariates.items():
            given |= BIT_OF_NAME.get(name, 0)
            for bit, check in _CHECKS_OF_NAME.get(name, ()):
                fault = check.of_value(value)
                if fault is None:
                    continue
                if fault is check.refusal:
                    refused |= bit
                else:
                    outside |= bit
        return cls(covariates, given, refused, outside)


def not_checked(names: Iterable[str]) -> str:
    """Return the reason why nothing is known of a patient who leaves these names out."""
    return f"Not given, so not checked: {', '.join(names)}."


def usual_applicability(ready: Ready, given: int) -> dict[str, Any]:
    """Return status and reasons for a patient whom no check found unlike the cohort."""
    unchecked = ready.consulted & ~given
    if unchecked:
        names = [_NAMES[position] for position in positions(unchecked)]
        return {"status": "unknown", "reasons": [not_checked(names)]}
    return _INSIDE if ready.ranges_unpublished is None else ready.ranges_unpublished
