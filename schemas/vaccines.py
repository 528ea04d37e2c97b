"""Vaccines: a product and its schedule in; research dynamics, or a curve under a hazard ratio, out."""

from itertools import pairwise
from typing import Annotated, Literal

from pydantic import Field, field_validator

from schemas.base import ComputeRequest, IntervalRead, Probability, Schema, number
from schemas.plan import Name

DoseDay = Annotated[float, number("d", "Day of a dose.", example=0.0, ge=0, le=3650)]
Cells = Annotated[float, number("cells", "Number of cells.", example=1e6, ge=0, le=1e13)]


class CurvePoint(Schema):
    """One point of a survival curve."""

    day: Annotated[float, number("d", "Time.", example=548.0, ge=0, le=7300)]
    survival: Annotated[Probability, Field(description="Share of patients who are alive.")]


class VaccineDynamics(Schema):
    """What the whole-cell model needs; the two rates are those that its paper fitted to each patient."""

    dose_cells: Annotated[float, number("cells", "Vaccine cells of one dose.", example=1e6, gt=0, le=1e12)] = 1e6
    tumor_cells: Annotated[Cells, Field(description="Tumor cells at the start.")] = 1e6
    cytotoxic_t_cells: Annotated[Cells, Field(description="Cytotoxic T cells at the start.")] = 0.0
    regulatory_t_cells: Annotated[Cells, Field(description="Regulatory T cells at the start.")] = 0.0
    tumor_growth_per_hour: Annotated[float | None, number("1/h", "Tumor growth rate.", example=1e-5, ge=0, le=0.1)] = (
        None
    )
    killing_per_cell_hour: Annotated[
        float | None, number("1/(cell h)", "Killing per cytotoxic cell.", example=1.14e-6, ge=0, le=1)
    ] = None


class VaccinesRequest(ComputeRequest):
    """One product; what is computed depends on what is published for it."""

    product: Annotated[Name, Field(examples=["whole-cell-prostate-kronik2010"])]
    days: Annotated[
        list[DoseDay] | None, Field(min_length=1, max_length=50, description="Left out: the product's schedule.")
    ] = None
    horizon_days: Annotated[float, number("d", "Last day.", example=365.0, gt=0, le=3650)] = 365.0
    output_step_days: Annotated[float, number("d", "Step of the output.", example=7.0, ge=0.25, le=90)] = 7.0
    dynamics: VaccineDynamics = VaccineDynamics()
    """Parameters of the whole-cell model; other products ignore them."""
    comparator_curve: Annotated[
        list[CurvePoint] | None,
        Field(max_length=200, description="Survival of the comparator; left out: the trial's own point."),
    ] = None

    @field_validator("days")
    @classmethod
    def _days_increase(cls, days: list[float] | None) -> list[float] | None:
        if any(later <= earlier for earlier, later in pairwise(days or [])):
            raise ValueError("days must increase")
        return days

    @field_validator("comparator_curve")
    @classmethod
    def _curve_falls(cls, curve: list[CurvePoint] | None) -> list[CurvePoint] | None:
        if any(
            later.day <= earlier.day or later.survival > earlier.survival for earlier, later in pairwise(curve or [])
        ):
            raise ValueError("days must increase and survival must not")
        return curve


class VaccineDynamicsRead(Schema):
    """States of the research model over time, in cells."""

    model: str
    time_days: list[float]
    vaccine_cells: list[float]
    """Vaccine cells at each time."""
    maturing_dendritic_cells: list[float]
    """Dendritic cells that mature at each time."""
    mature_dendritic_cells: list[float]
    """Mature antigen-presenting dendritic cells at each time."""
    regulatory_dendritic_cells: list[float]
    """Regulatory dendritic cells at each time."""
    cytotoxic_t_cells: list[float]
    """Cytotoxic T cells at each time."""
    regulatory_t_cells: list[float]
    """Regulatory T cells at each time."""
    tumor_cells: list[float]
    """Tumor cells with the vaccine at each time."""
    tumor_cells_without_vaccine: list[float]
    """Tumor cells without the vaccine at each time."""


class CurveUnderVaccine(Schema):
    """Survival with the vaccine at one time; the interval is that of the hazard ratio."""

    day: float
    """Time since the start of the trial treatment."""
    comparator_survival: Annotated[Probability, Field(description="Share of the comparator group that is alive.")]
    survival: Annotated[Probability, Field(description="Survival under the vaccine.")]
    interval: IntervalRead


class HazardRatioRead(Schema):
    """A randomized comparison carried to the comparator's curve: no mechanism, no single patient."""

    model: str
    endpoint: str
    comparator: str
    """Treatment of the comparator group."""
    hazard_ratio: float
    """Hazard ratio of the vaccine group over the comparator."""
    interval: IntervalRead
    curve: list[CurveUnderVaccine]
    """The comparator's curve, and that under the vaccine."""


class VaccinesResult(Schema):
    """Schedule and what is published of the effect."""

    product: Name
    title: str
    effect: Literal["dynamics", "hazard_ratio", "none"]
    """What is published of the effect."""
    dose: str
    """One dose, in the source's words."""
    dose_days: list[float]
    """Days of the doses."""
    source: str
    verified: bool
    dynamics: VaccineDynamicsRead | None
    """Research dynamics; null without a model."""
    hazard_ratio: HazardRatioRead | None
    """Randomized comparison; null without one."""
    notes: list[str]
