"""What the evaluation of dose-volume histograms answers."""

from typing import Annotated, Literal

from pydantic import Field

from schemas.base import Estimate, Probability, Schema
from schemas.dvh import ComplicationForm, ControlForm, Evidence, IntervalNote, Part


class MetricRead(Schema):
    """One metric; the value is null with a reason where the distribution cannot give it."""

    name: str
    """The metric, as it was asked for."""
    value: float | None
    """Value of the metric, in the unit."""
    unit: Literal["Gy", "%", "cm3"]
    reason: str | None


class GeudRead(Schema):
    """Generalized equivalent uniform dose."""

    exponent: float
    """Exponent a of the generalized mean."""
    physical_gy: float
    """Generalized EUD of the physical dose."""
    eqd2_gy: float
    """Generalized EUD of the equivalent dose in 2 Gy fractions."""


class CurveRead(Schema):
    """Cumulative curve, thinned out; the same volumes belong to the doses in every column."""

    dose_gy: list[float]
    """Physical dose."""
    eqd2_gy: list[float]
    bed_gy: list[float]
    volume_percent: list[float]
    """Volume that receives at least the dose."""


class SourceRead(Schema):
    """Where a number or model comes from."""

    citation: str
    doi: str | None
    url: str | None
    evidence: Evidence
    verified: Annotated[
        bool, Field(description="False: read neither in the cited publication nor in a library that states it.")
    ]


class ConstraintRead(Schema):
    """A limit, what the structure has, and how far it is on the right side."""

    protocol: Literal["quantec", "tg101", "hytec", "given"]
    """Where the limit comes from."""
    metric: str
    """Dose-volume metric of the limit."""
    kind: Annotated[Literal["at_most", "spared_at_least"], Field(description="Upper limit, or volume to be spared.")]
    limit: float
    """The limit, in the unit."""
    unit: Literal["Gy", "%", "cm3"]
    risk: Annotated[str | None, Field(description="The risk that the source attaches to the limit.")]
    value: float | None
    """What the structure has, in the unit; null where the distribution cannot tell."""
    passed: bool | None
    """Whether the limit is kept; null without a value."""
    margin: Annotated[float | None, Field(description="In the unit of the metric; negative when it fails.")]
    reason: str | None
    source: SourceRead | None


class ComplicationRead(Schema):
    """Probability of one complication of one structure by one parameter set."""

    model: str
    endpoint: str
    form: ComplicationForm
    parameters: dict[str, float]
    dose_basis: Literal["eqd2", "physical"]
    """Dose that the parameters belong to."""
    alpha_beta_gy: float | None
    alpha_beta_source: Literal["published", "assumed", "given"]
    probability: Annotated[
        Estimate,
        Field(description="The interval carries the intervals of the parameters; null where there are none."),
    ]
    interval_note: IntervalNote
    applicability: Literal["inside", "outside", "unknown"]
    reasons: list[str]
    source: SourceRead | None


class StructureRead(Schema):
    """Everything about one structure."""

    id: str
    """The structure, by its id in the request."""
    organ: str | None
    part: Part
    target: bool
    volume_cm3: float | None
    """Volume; null where only a relative curve is known."""
    alpha_beta_gy: float
    alpha_beta_source: Literal["given", "published", "assumed"]
    physical: list[MetricRead]
    """Metrics of physical dose."""
    eqd2: Annotated[list[MetricRead], Field(description="The same metrics, every bin converted to 2 Gy fractions.")]
    geud: list[GeudRead]
    """Generalized equivalent uniform doses."""
    curve: CurveRead
    """Cumulative histogram."""
    constraints: list[ConstraintRead]
    complications: list[ComplicationRead]


class TumorControlRead(Schema):
    """Control probability of one target."""

    structure_id: str
    form: ControlForm
    parameters: dict[str, float]
    probability: Estimate
    """Tumor control probability."""
    interval_note: IntervalNote
    source: SourceRead | None


class ClinicalInputRead(Schema):
    """One input of a clinical model as it was used."""

    name: str
    """Metric or patient factor."""
    value: float | str
    """Value that was used."""
    unit: str
    structure_id: str | None
    """The structure whose metric it is; null for a patient factor."""
    assumed: Annotated[bool, Field(description="The request was silent; this value was taken.")]


class ClinicalRead(Schema):
    """Answer of one named clinical model."""

    model: str
    title: str
    outcome: str
    """What is predicted."""
    answer: Literal["probability", "relative_risk", "hazard_ratio"]
    """What the estimate is."""
    estimate: Estimate
    """The answer."""
    interval_note: IntervalNote
    horizon_days: int | None
    population: str
    """Whom the model was derived from."""
    inputs: list[ClinicalInputRead]
    """Inputs as they were used."""
    applicability: Literal["inside", "outside", "unknown"]
    reasons: list[str]
    note: str | None
    """What must be read together with the estimate; null without a remark."""
    source: SourceRead


class ClinicalMissingRead(Schema):
    """A clinical model that lacks a structure, while it has another."""

    model: str
    reason: str
    """Which structure is lacking."""


class WindowComplicationRead(Schema):
    """One complication over the scaled prescription."""

    structure_id: str
    model: str
    endpoint: str
    probability: list[Probability]
    """Probability at each multiple."""


class WindowRead(Schema):
    """Control, complications and complication-free control; complications count as independent."""

    target_id: str
    """The target whose control is counted."""
    scale: list[float]
    """Multiples of the prescription."""
    prescribed_dose_gy: list[float] | None
    """Prescribed dose at each multiple; null when none was given."""
    control: list[Probability]
    """Tumor control probability at each multiple."""
    complications: list[WindowComplicationRead]
    complication_free_control: list[Probability]
    """Probability of control without any complication at each multiple."""
    best_scale: Annotated[
        float, Field(description="Where the computed curve of complication-free control has its maximum; not advice.")
    ]


class DvhResult(Schema):
    """Structures, control, clinical models and the therapeutic window."""

    fraction_count: int
    dose_per_fraction_gy: float | None
    structures: list[StructureRead]
    tumor_control: list[TumorControlRead]
    """Control probabilities of the targets."""
    clinical_models: list[ClinicalRead]
    """Answers of the named clinical models."""
    clinical_models_missing: list[ClinicalMissingRead]
    """Clinical models that lack a structure."""
    window: WindowRead | None
    """Scan of the prescription; null when none was asked for."""
