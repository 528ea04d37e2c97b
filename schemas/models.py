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
    unit: str
    required: bool
    low: float | None
    high: float | None
    derivation_low: float | None
    derivation_high: float | None
    choices: list[str]
    derivation_choices: list[str]
    why: str


class CoefficientRead(Schema):
    """A number of the model with its source."""

    name: str
    value: float
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
    expected: dict[str, Scalar]
    absolute_tolerance: float
    source: str


class PerformanceFigureRead(Schema):
    """A measured figure of merit."""

    metric: str
    value: float
    interval: IntervalRead | None
    n: int | None
    data: str
    source: str
    in_sample: Annotated[bool, Field(description="Measured on the patients that the model was fitted to.")]


class CalibrationGroupRead(Schema):
    """Patients with similar predictions."""

    mean_predicted: Probability
    n: int
    events: int


class CalibrationRead(Schema):
    """Predicted against observed probability."""

    outcome: str
    data: str
    in_sample: bool
    source: str
    groups: list[CalibrationGroupRead]


class ModelSummary(Schema):
    """One line about a model."""

    id: str
    version: str
    title: str
    kind: ModelKind
    outcome: str
    cancer_types: Annotated[list[str], Field(description="Empty: no restriction is stated.")]
    validated_on_patients: bool
    by_name_only: Annotated[bool, Field(description="Answers only when a request names it in models.")]


class ModelList(Schema):
    """Every model of this service."""

    models: list[ModelSummary]


class ModelCardRead(ModelSummary):
    """Purpose, inputs, equations, sources, validation and limits of a model."""

    purpose: str
    population: str
    horizon_days: int | None
    inputs: list[InputRead]
    equations: list[str]
    coefficients: list[CoefficientRead]
    references: list[ReferenceRead]
    performance: list[PerformanceFigureRead]
    calibration: list[CalibrationRead]
    known_failures: list[str]
    leaves_out: list[str]
    increases_with: list[str]
    decreases_with: list[str]
    example: dict[str, Scalar]
    known_values: list[KnownValueRead]
    license_and_patents: str
    history: list[str]
