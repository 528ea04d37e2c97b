"""Dose to circulating blood and what it does to the lymphocyte count."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from schemas.base import ComputeRequest, Estimate, Identifier, Level, Probability, Schema, Whole, number
from schemas.patient import Organ, Patient
from schemas.plan import Plan

Seconds = Annotated[float, number("s", "Time within one fraction.", example=20.0, ge=0, le=7200)]
Duration = Annotated[float, number("s", "How long the beam is on.", example=20.0, ge=1e-6, le=3600)]
DoseRead = Annotated[float, number("Gy", "Dose.", example=0.12, ge=0)]
Share = Annotated[float, number("1", "Part of a whole, 0 to 1.", example=0.05, gt=0, lt=1)]


class BeamOn(Schema):
    """One stretch of irradiation."""

    start_seconds: Seconds = 0.0
    duration_seconds: Duration


class Delivery(Schema):
    """When the beams of every fraction of a course are on."""

    course_id: Identifier
    beams: Annotated[list[BeamOn], Field(min_length=1, max_length=50)]
    """When the beam is on within each fraction."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        for before, after in zip(self.beams, self.beams[1:], strict=False):
            if after.start_seconds < before.start_seconds + before.duration_seconds:
                raise ValueError("beams must be in order of time and must not overlap")
        return self


class TumorBlood(Schema):
    """Blood of the tumor, taken out of the organ that it lies in."""

    host: Annotated[Organ, Field(description="Organ whose blood the tumor shares.", examples=["lung"])]
    volume_fraction: Annotated[Share, Field(description="Share of the host's blood volume that is the tumor's.")]
    flow_fraction: Annotated[Share, Field(description="Share of the host's blood flow that is the tumor's.")]


class BloodRequest(ComputeRequest):
    """Patient, courses with organ doses, and beam times."""

    patient: Patient
    plan: Plan
    deliveries: Annotated[
        list[Delivery], Field(max_length=20, description="Left out for a course: one beam of 60 s per fraction.")
    ] = []
    tumor: Annotated[
        TumorBlood | None, Field(description="Needed when a course lists the organ tumor; left out otherwise.")
    ] = None
    total_blood_volume_l: Annotated[
        float | None,
        number("L", "Left out: from sex, weight and height, or the reference adult's.", example=4.6, gt=0.1, le=15),
    ] = None
    cardiac_output_l_per_min: Annotated[
        float | None, number("L/min", "Left out: in proportion to the blood volume.", example=6.0, gt=0.1, le=40)
    ] = None
    body_volume_l: Annotated[
        float | None,
        number(
            "L",
            "Volume to which the mean dose of the organ body belongs. Left out: of the body's DVH, where it gives one.",
            example=61.8,
            gt=0.1,
            le=400,
        ),
    ] = None
    dwell_shape: Annotated[
        float, Field(ge=1, le=4, description="Shape of the Weibull law of dwell times; 1 is exponential.")
    ] = 2.0
    particles: Annotated[
        int, Field(ge=1000, le=200_000, description="Blood particles that are followed.", examples=[20000]), Whole
    ] = 20_000
    follow_days: Annotated[float, number("d", "Days after the last fraction.", example=180.0, ge=0, le=730)] = 180.0
    interval_level: Level = 0.95


class DoseQuantile(Schema):
    """Dose below which a share of the blood stays."""

    probability: Annotated[Probability, Field(description="Share of the blood that stays below dose_gy.")]
    dose_gy: Annotated[DoseRead, Field(description="Quantile of the blood dose.")]


class DoseDistribution(Schema):
    """Dose over the blood; the mean is exact, the rest comes from sampled particles."""

    mean_gy: Annotated[DoseRead, Field(description="Mean dose of the blood.")]
    sd_gy: Annotated[DoseRead, Field(description="Standard deviation over the blood.")]
    quantiles: list[DoseQuantile]
    """Quantiles of the dose."""


class ImmuneDose(Schema):
    """Effective dose to immune cells; null with a reason where an organ is missing."""

    value_gy: DoseRead | None
    """Effective uniform dose; null where an organ is missing."""
    reason: str | None


class CourseBlood(Schema):
    """Blood dose of one course."""

    course_id: str
    fraction_count: int
    beam_on_seconds: float
    """Time with the beam on in one fraction."""
    per_fraction: Annotated[DoseDistribution, Field(description="Of a fraction of mean size.")]
    unirradiated_share: Annotated[Probability, Field(description="Blood that a mean fraction does not reach.")]
    course: DoseDistribution
    """Of the whole course."""
    sampled_mean_ratio: Annotated[
        float, Field(description="Mean of the sampled particles over the exact mean, before they were scaled to it.")
    ]
    compartments: Annotated[dict[str, float], Field(description="Mean dose of each irradiated compartment, Gy.")]
    edic: ImmuneDose
    """Effective dose to immune circulating cells (EDIC)."""
    edric: ImmuneDose
    """Estimated dose of radiation to immune cells (EDRIC)."""
    exposure_basis: Annotated[
        Literal["edic", "edric", "mean_blood_dose"],
        Field(
            description="What the lymphocyte reserve's exposure is taken from: EDIC, else EDRIC where the volume of "
            "the body is not known, else the mean dose of the blood in the listed organs, to which the model is not "
            "calibrated."
        ),
    ]


class FractionLymphocytes(Schema):
    """Lymphocytes at one fraction."""

    day: float
    course_id: str
    mean_blood_dose_gy: Annotated[DoseRead, Field(description="Mean blood dose of this fraction.")]
    surviving_fraction: Annotated[Estimate, Field(description="Circulating lymphocytes that this fraction spares.")]
    surviving_fraction_so_far: Annotated[
        Estimate, Field(description="Product over all fractions, without exchange and recovery.")
    ]
    relative_count_after: Annotated[Estimate, Field(description="Count after the fraction over the count before all.")]


class CountSeries(Schema):
    """Lymphocyte count over time; the band covers sensitivity and differences between patients."""

    day: list[float]
    value: list[float]
    """Count at each time."""
    lower: list[float]
    upper: list[float]


class Nadir(Schema):
    """Lowest count."""

    day: float
    relative_count: Estimate
    """Lowest count over the count before treatment."""
    count_1e9_per_l: Estimate | None
    """Lowest count; null when the baseline count is not known."""


class GradeProbability(Schema):
    """Probability that the lowest count reaches a grade of lymphopenia or a worse one."""

    grade: Literal[3, 4]
    """CTCAE 5.0 grade."""
    below_1e9_per_l: float
    """Count below which the grade begins."""
    probability: Estimate
    """Probability that the lowest count falls below it; 1 where the measured baseline count is below it already."""
    interval_note: Annotated[str, Field(description="What the value covers, and why it has no interval.")]


class BloodResult(Schema):
    """Blood dose of every course and the lymphocyte count over the whole plan."""

    total_blood_volume_l: float
    """Blood volume that was used."""
    cardiac_output_l_per_min: float
    """Cardiac output that was used."""
    courses: list[CourseBlood]
    """Blood dose, course by course."""
    fractions: list[FractionLymphocytes]
    """Lymphocytes, fraction by fraction."""
    interval_level: Level
    relative_count: CountSeries
    """Count over the count before treatment."""
    count_1e9_per_l: Annotated[CountSeries | None, Field(description="Null when the baseline count is not known.")]
    nadir: Nadir
    """Lowest count of the whole time."""
    lymphopenia: Annotated[
        list[GradeProbability] | None, Field(description="CTCAE 5.0; null when the baseline count is not known.")
    ]
