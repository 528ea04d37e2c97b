"""CAR-T cells: a product in; expansion and persistence over time, and reported toxicity out."""

from typing import Annotated, Literal

from pydantic import Field

from schemas.base import ComputeRequest, Estimate, IntervalRead, Probability, Schema, Whole, number
from schemas.plan import Name


class CellsRequest(ComputeRequest):
    """One infusion of a product."""

    product: Annotated[Name, Field(examples=["tisagenlecleucel"])]
    dose_cells: Annotated[
        float | None,
        number(
            "cells",
            "Viable transduced cells; recorded only: expansion does not depend on it.",
            example=2e8,
            gt=0,
            le=1e12,
        ),
    ] = None
    horizon_days: Annotated[float, number("d", "Days after infusion.", example=180.0, ge=28, le=3650)] = 365.0
    output_step_days: Annotated[float, number("d", "Step of the output.", example=1.0, ge=0.1, le=90)] = 1.0
    patient_count: Annotated[
        int, Field(ge=100, le=100_000, description="Virtual patients of the percentile bands.", examples=[2000]), Whole
    ] = 2000
    tocilizumab_day: Annotated[
        float | None, number("d", "Day of tocilizumab; multiplies expansion from then on.", example=5.0, ge=0, le=60)
    ] = None
    corticosteroid_day: Annotated[
        float | None, number("d", "Day of corticosteroids; the published factor is 1.", example=7.0, ge=0, le=60)
    ] = None
    random_effects_read_as: Annotated[
        Literal["standard_deviation", "variance"],
        Field(description="The paper leaves open what its random effects are; Monolix prints standard deviations."),
    ] = "standard_deviation"


class CellBand(Schema):
    """One percentile of the virtual patients over time."""

    percent: float
    """Percentile."""
    copies_per_ug: list[float]
    """Transgene copies per microgram of DNA at each time."""


class CellKineticsRead(Schema):
    """Kinetics of the transgene by the model; estimates are of the typical patient, intervals of 90 % of patients."""

    model: str
    unit: str
    time_days: list[float]
    typical_copies_per_ug: list[float]
    """Transgene copies per microgram of DNA of the typical patient at each time."""
    bands: list[CellBand]
    """Percentiles of the virtual patients."""
    maximum_copies_per_ug: Estimate
    """Highest level."""
    maximum_day: Estimate
    """Time of the highest level after infusion."""
    doubling_days: Estimate
    """Doubling time of the expansion before tocilizumab or corticosteroids."""
    contraction_half_life_days: Estimate
    """Half-life of the fast decline after the maximum."""
    persistence_half_life_days: Estimate
    """Half-life of the slow decline."""
    area_0_28_copies_day_per_ug: Estimate
    """Area under the curve from day 0 to 28."""
    random_effects_read_as: Literal["standard_deviation", "variance"]
    """How the printed random effects were read."""


class PrintedKinetics(Schema):
    """Kinetics as printed for one setting."""

    setting: str
    """Trial and disease."""
    unit: str
    maximum: float | None
    """Highest level, in the unit."""
    maximum_day: float | None
    """Time of the highest level after infusion."""
    area_0_28: float | None
    """Area under the curve from day 0 to 28, in the unit times days."""
    source: str
    verified: bool


class CellToxicity(Schema):
    """Reported incidence; the grading scale belongs to the number."""

    event: Literal["crs", "icans"]
    """Cytokine release syndrome (crs) or immune effector cell neurotoxicity (icans)."""
    grades: Literal["any", "3+"]
    """Grades that are counted."""
    setting: str
    """Trial and disease."""
    probability: Annotated[Probability, Field(description="Reported share of patients with the event.")]
    interval: IntervalRead | None
    scale: str
    """Grading scale of the source."""
    source: str
    verified: bool


class CellsResult(Schema):
    """Kinetics where a model or a summary is published, and toxicity."""

    product: Name
    title: str
    kinetics: CellKineticsRead | None
    """Kinetics by a published model; null where there is none."""
    printed_kinetics: list[PrintedKinetics]
    """Kinetics as printed, setting by setting."""
    toxicity: list[CellToxicity]
    """Reported incidence of toxicity."""
    notes: list[str]
