"""What every model declares about itself.

A predictor or simulator is a final class with a ``card``; the model-card page, the
input checks, the documentation example and the contract tests are built from it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol

Evidence = Literal["published", "computed", "calibrated", "assumed"]
ModelKind = Literal["predictor", "simulator", "dose", "toxicity", "forecast", "endpoint"]
Value = float | int | bool | str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """Where a number comes from.

    ``verified`` is False while the value was not read in the cited source itself.
    """

    citation: str
    doi: str | None = None
    url: str | None = None
    evidence: Evidence = "published"
    verified: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """One input of a model, named by its dotted path in the wire vocabulary.

    ``low``/``high`` bound what the formula accepts; ``derivation_low``/``derivation_high``
    bound what the derivation cohort contained. ``choices`` lists the categories the formula
    knows, ``derivation_choices`` those that the cohort contained.
    """

    name: str
    unit: str
    low: float | None = None
    high: float | None = None
    derivation_low: float | None = None
    derivation_high: float | None = None
    choices: tuple[str, ...] = ()
    derivation_choices: tuple[str, ...] = ()
    required: bool = True
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Coefficient:
    """A number of a model with a clinical or biological meaning, and its interval where one is known."""

    name: str
    value: float
    unit: str
    evidence: Evidence
    source: str
    verified: bool = True
    lower: float | None = None
    upper: float | None = None
    level: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownValue:
    """A published or independently computed answer that the tests reproduce."""

    inputs: Mapping[str, Value]
    expected: Mapping[str, Value]
    absolute_tolerance: float
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Performance:
    """A measured figure of merit, with the data that it was measured on."""

    metric: str
    value: float
    lower: float | None = None
    upper: float | None = None
    level: float | None = None
    n: int | None = None
    data: str
    source: str
    in_sample: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationGroup:
    """Patients with similar predicted probabilities: the mean prediction, and how many had the event."""

    mean_predicted: float
    n: int
    events: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """Predicted against observed probability of one outcome, on the data named by ``data``."""

    outcome: str
    data: str
    in_sample: bool
    source: str
    groups: tuple[CalibrationGroup, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCard:
    """Purpose, inputs, equations, sources, validation and limits of a model.

    ``by_name_only`` keeps a predictor out of the answer to everyone who did not ask for it. A note says why
    coefficients, performance or calibration are empty; the registry completes the notes that a family shares.
    """

    id: str
    version: str
    title: str
    kind: ModelKind
    outcome: str
    purpose: str
    population: str
    inputs: tuple[Input, ...]
    equations: tuple[str, ...]
    references: tuple[Reference, ...]
    leaves_out: tuple[str, ...]
    example: Mapping[str, Value]
    validated_on_patients: bool
    horizon_days: int | None = None
    cancer_types: tuple[str, ...] = ()
    coefficients: tuple[Coefficient, ...] = ()
    coefficients_note: str | None = None
    known_values: tuple[KnownValue, ...] = ()
    performance: tuple[Performance, ...] = ()
    performance_note: str | None = None
    calibration: tuple[Calibration, ...] = ()
    calibration_note: str | None = None
    known_failures: tuple[str, ...] = ()
    increases_with: tuple[str, ...] = ()
    decreases_with: tuple[str, ...] = ()
    license_and_patents: str = "Formula re-implemented from the cited publication."
    history: tuple[str, ...] = ()
    by_name_only: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A two-sided interval; ``level`` is its coverage, for instance 0.95."""

    level: float
    lower: float
    upper: float


class Contribution(NamedTuple):
    """What one input adds, on the scale named by ``unit``, against the derivation cohort.

    A named tuple, like :class:`Prediction`: a request makes a hundred of them.
    """

    input: str
    value: float
    unit: str


class Prediction(NamedTuple):
    """One answer of a predictor.

    ``note`` carries what a reader must know with the number (a composition that nobody
    published as a whole, a score that is not a probability). ``references`` are positions in
    the card's references, all of them when empty. ``outside`` says why the answer lies outside
    the derivation cohort where the range of no single input shows it (a ratio of two inputs);
    ``unchecked`` names the inputs that were needed to compare this answer, and are absent.
    """

    outcome: str
    value: float
    unit: str
    interval: Interval | None = None
    group: str | None = None
    horizon_days: int | None = None
    contributions: tuple[Contribution, ...] = ()
    note: str | None = None
    references: tuple[int, ...] = ()
    outside: tuple[str, ...] = ()
    unchecked: tuple[str, ...] = ()


class Published(Prediction):
    """A printed figure: one object that every patient of its stratum gets."""

    __slots__ = ()


class Predictor(Protocol):
    """A published closed-form model: covariates in, predictions out.

    ``covariates`` maps the names of ``card.inputs`` to values; a required one is always
    there, an optional one may be absent. A model that does not apply to these covariates
    raises :class:`NotApplicable` with one sentence for the user.
    """

    card: ModelCard

    def predict(self, covariates: Mapping[str, Value]) -> tuple[Prediction, ...]:
        """Return the predictions of the model for one patient."""


class NotApplicable(Exception):
    """The model has no answer for these covariates; the message says why."""
