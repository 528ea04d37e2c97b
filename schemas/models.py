"""Model cards as they go over the wire."""

from typing import Annotated, Literal

from pydantic import Field

from schemas.base import IntervalRead, Probability, Schema

ModelKind = Literal["predictor", "simulator", "dose", "toxicity", "forecast", "endpoint"]
Evidence = Literal["published", "computed", "calibrated", "assumed"]
Scalar = float | int | bool | str


class InputRead(Schema):
    """One input: its path in a request, unit, what the formula accepts and what the cohort contained."""

    name: Annotated[str, Field(examples=["patient.labs.albumin_g_per_l"])]
    """Dotted path of the member in a request."""
    unit: str
    required: bool
    """Without it the model does not answer."""
    low: float | None
    """Smallest value that the formula accepts, in the unit."""
    high: float | None
    """Largest value that the formula accepts, in the unit."""
    derivation_low: float | None
    """Smallest value in the derivation cohort, in the unit."""
    derivation_high: float | None
    """Largest value in the derivation cohort, in the unit."""
    choices: list[str]
    """Categories that the formula knows; empty for a quantity."""
    derivation_choices: list[str]
    """Categories that the derivation cohort contained."""
    why: str
    """What the input is for, or where its range comes from."""


class CoefficientRead(Schema):
    """A number of the model with its source."""

    name: str
    """Name of the coefficient or of the printed figure."""
    value: float
    """Value of the coefficient, in the unit."""
    interval: IntervalRead | None
    unit: str
    evidence: Evidence
    source: str
    verified: Annotated[bool, Field(description="The value was read in the cited source itself.")]


class ReferenceRead(Schema):
    """Where numbers come from."""

    citation: str
    doi: str | None
    url: str | None
    evidence: Evidence
    verified: Annotated[bool, Field(description="The values were read in the cited source itself.")]


class KnownValueRead(Schema):
    """An answer that the tests reproduce."""

    inputs: dict[str, Scalar]
    """Inputs by name."""
    expected: dict[str, Scalar]
    """Expected answers by name."""
    absolute_tolerance: float
    """Largest deviation that the test accepts, in the unit of the answer."""
    source: str


class PerformanceFigureRead(Schema):
    """A measured figure of merit."""

    metric: str
    """What was measured."""
    value: float
    """The figure."""
    interval: IntervalRead | None
    n: int | None
    """Number of patients; null where it is not known."""
    data: str
    """What it was measured on."""
    source: str
    in_sample: Annotated[bool, Field(description="Measured on the patients that the model was fitted to.")]


class CalibrationGroupRead(Schema):
    """Patients with similar predictions."""

    mean_predicted: Annotated[Probability, Field(description="Mean predicted probability of the group.")]
    n: int
    """Patients in the group."""
    events: int
    """Patients with the event."""


class CalibrationRead(Schema):
    """Predicted against observed probability."""

    outcome: str
    """Outcome whose probability was predicted."""
    data: str
    """What it was measured on."""
    in_sample: bool
    source: str
    groups: list[CalibrationGroupRead]
    """Groups of similar predictions."""


class ModelSummary(Schema):
    """One line about a model."""

    id: str
    """Id of the model."""
    version: str
    title: str
    kind: ModelKind
    """What sort of model it is."""
    outcome: str
    """What it answers."""
    cancer_types: Annotated[list[str], Field(description="Empty: no restriction is stated.")]
    validated_on_patients: bool
    by_name_only: Annotated[bool, Field(description="Answers only when a request names it in models.")]


class ModelList(Schema):
    """Every model of this service."""

    models: list[ModelSummary]
    """The models, by id."""


class ModelCardRead(ModelSummary):
    """Purpose, inputs, equations, sources, validation and limits of a model."""

    purpose: str
    """What the model is for, and what not."""
    population: str
    """Whom or what it was derived from."""
    horizon_days: int | None
    inputs: list[InputRead]
    """Inputs with units and ranges."""
    equations: list[str]
    """The equations, in plain text."""
    coefficients: list[CoefficientRead]
    """Numbers of the model, each with unit and source."""
    coefficients_note: str | None
    """Why there are no coefficients; null where there are."""
    references: list[ReferenceRead]
    performance: list[PerformanceFigureRead]
    """Measured figures of merit."""
    performance_note: str | None
    """Why there is no figure of merit; null where there is one."""
    calibration: list[CalibrationRead]
    """Predicted against observed probabilities."""
    calibration_note: str | None
    """Why there is no calibration plot; null where there is one."""
    known_failures: list[str]
    """Where it is known to fail or was not checked."""
    leaves_out: list[str]
    """What the model does not represent."""
    increases_with: list[str]
    """Inputs that raise the answer."""
    decreases_with: list[str]
    """Inputs that lower the answer."""
    example: dict[str, Scalar]
    """Inputs of an example, by name."""
    known_values: list[KnownValueRead]
    """Answers that the tests reproduce."""
    license_and_patents: str
    """Terms of the formula and its numbers."""
    history: list[str]
    """What each version changed."""
