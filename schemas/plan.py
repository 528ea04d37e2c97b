"""The plan: radiotherapy, drugs, cells and vaccines on one time axis."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from schemas.base import Day, DoseGy, DosePerFractionGy, Identifier, Schema, Whole, number
from schemas.patient import Organ

Modality = Literal["photon", "electron", "proton", "carbon"]
Agent = Literal[
    "pembrolizumab", "nivolumab", "cemiplimab", "dostarlimab", "atezolizumab", "durvalumab", "avelumab",
    "ipilimumab", "tremelimumab", "relatlimab",
]  # fmt: skip
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.-]{0,95}$")]
Count = Annotated[int, Field(ge=1, le=200, examples=[4]), Whole]


class Fraction(Schema):
    """One irradiation."""

    day: Day
    dose_gy: DosePerFractionGy


class Dvh(Schema):
    """Dose-volume histogram; ``cumulative`` starts at the whole volume, ``differential`` sums to it.

    A relative curve starts at or sums to 100 percent, to half a percent.
    """

    kind: Literal["cumulative", "differential"]
    """cumulative: volume at or above each dose; differential: volume in each bin."""
    dose_gy: Annotated[
        list[DoseGy],
        Field(
            min_length=1,
            max_length=20000,
            description="Increasing doses, in Gy. Of a differential curve: the center of each bin, where all of its "
            "volume is taken to be. Of a cumulative curve: the edge at which the volume is read, with straight lines "
            "between the edges; volume left at the last edge receives exactly that dose.",
            examples=[[0.0, 10.0, 20.0]],
        ),
    ]
    volume: Annotated[
        list[Annotated[float, Field(ge=0, le=1e6)]],
        Field(
            min_length=1,
            max_length=20000,
            description="Of a differential curve: the volume in each bin. Of a cumulative curve: the volume that "
            "receives at least each dose, not increasing; the first value is the whole structure.",
            examples=[[100.0, 40.0, 0.0]],
        ),
    ]
    volume_unit: Literal["percent", "cm3"]
    """Unit of volume."""
    total_volume_cm3: Annotated[
        float | None,
        number("cm3", "Volume of the structure, when the curve is relative.", example=1500.0, gt=0, le=1e6),
    ] = None

    @model_validator(mode="after")
    def _aligned(self) -> Self:
        if len(self.dose_gy) != len(self.volume):
            raise ValueError("dose_gy and volume must have the same length")
        if any(later <= earlier for earlier, later in zip(self.dose_gy, self.dose_gy[1:], strict=False)):
            raise ValueError("dose_gy must increase from bin to bin")
        if self.kind == "cumulative" and any(
            later > earlier + 1e-9 for earlier, later in zip(self.volume, self.volume[1:], strict=False)
        ):
            raise ValueError("the volume of a cumulative curve must not increase with dose")
        if not any(self.volume):
            raise ValueError("the curve has no volume")
        return self


class OrganDose(Schema):
    """What one organ receives over the whole course; give the mean dose or the DVH."""

    organ: Organ
    mean_dose_gy: DoseGy | None = None
    """Mean physical dose over the whole course."""
    dvh: Dvh | None = None

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        if (self.mean_dose_gy is None) == (self.dvh is None):
            raise ValueError("give mean_dose_gy or dvh, exactly one of them")
        return self


class RadiotherapyCourse(Schema):
    """Fractions to some lesions: listed one by one, or as a regular series from ``start_day``.

    A regular series of 5 a week treats days 0 to 4 of each week counted from ``start_day``;
    other rates are spread evenly over the seven days, at most one fraction a day up to 7.
    """

    id: Identifier
    """Name of the course, unique in the plan."""
    lesion_ids: Annotated[list[Identifier], Field(max_length=50, examples=[["lesion-1"]])] = Field(default_factory=list)
    """Lesions in the field, by their ids in patient.lesions."""
    modality: Modality = "photon"
    fractions: Annotated[list[Fraction] | None, Field(min_length=1, max_length=200)] = None
    """Fractions one by one; leave the members of a series out."""
    start_day: Day | None = None
    dose_per_fraction_gy: DosePerFractionGy | None = None
    fraction_count: Count | None = None
    """Number of fractions of the series."""
    fractions_per_week: Annotated[float | None, number("1/wk", "Fractions a week.", example=5.0, ge=0.1, le=21)] = None
    organs: Annotated[list[OrganDose], Field(max_length=100)] = Field(default_factory=list)
    """What the organs receive over the course."""
    field_exposure: Annotated[
        float | None,
        number(
            "1",
            "Exposure of blood and lymphoid tissue relative to a conventional thoracic field; "
            "left out: 1, or 0.3 from 5 Gy a fraction on (stereotactic). Not used where every course of the plan "
            "lists an organ that holds blood: the organ doses then say it.",
            example=0.3,
            ge=0,
            le=3,
        ),
    ] = None
    node_dose_per_fraction_gy: Annotated[
        float | None, number("Gy", "Dose of one fraction to the draining lymph nodes.", example=0.0, ge=0, le=40)
    ] = None

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        series = (self.start_day, self.dose_per_fraction_gy, self.fraction_count)
        if self.fractions is not None:
            if any(member is not None for member in (*series, self.fractions_per_week)):
                raise ValueError("give fractions, or the series members, not both")
        elif any(member is None for member in series):
            raise ValueError("give fractions, or all of start_day, dose_per_fraction_gy and fraction_count")
        return self


class DrugCourse(Schema):
    """Doses of one agent, or an approved regimen by name (``GET /v1/regimens``)."""

    agent: Agent | None = None
    regimen: Name | None = None
    dose_mg: Annotated[float | None, number("mg", "Flat dose.", example=200.0, ge=0.001, le=10000)] = None
    dose_mg_per_kg: Annotated[float | None, number("mg/kg", "Weight-based dose.", example=3.0, ge=1e-4, le=100)] = None
    start_day: Day = 0.0
    interval_days: Annotated[float | None, number("d", "Days between doses.", example=21.0, ge=0.01, le=365)] = None
    dose_count: Count | None = None
    """Number of doses; with a regimen, left out: as the regimen says."""
    infusion_minutes: Annotated[
        float | None, number("min", "Duration of an infusion.", example=30.0, gt=0, le=1440)
    ] = None

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        if (self.agent is None) == (self.regimen is None):
            raise ValueError("give agent or regimen, exactly one of them")
        if self.regimen is not None:
            if any(v is not None for v in (self.dose_mg, self.dose_mg_per_kg, self.interval_days)):
                raise ValueError(
                    "a regimen fixes dose and interval; leave dose_mg, dose_mg_per_kg and interval_days out"
                )
        elif (self.dose_mg is None) == (self.dose_mg_per_kg is None):
            raise ValueError("give dose_mg or dose_mg_per_kg, exactly one of them")
        elif self.dose_count is None:
            raise ValueError("give dose_count")
        elif self.dose_count > 1 and self.interval_days is None:
            raise ValueError("give interval_days when there is more than one dose")
        return self


class CellInfusion(Schema):
    """One infusion of a cell product."""

    product: Name
    day: Day
    dose_cells: Annotated[float, number("cells", "Viable transduced cells.", example=2e8, gt=0, le=1e12)]


class VaccineCourse(Schema):
    """Doses of one vaccine."""

    product: Name
    days: Annotated[list[Day], Field(min_length=1, max_length=50)]
    """Days of the doses."""


class Plan(Schema):
    """Everything the patient receives, on one time axis; day 0 is the start of treatment."""

    radiotherapy: Annotated[list[RadiotherapyCourse], Field(max_length=20)] = Field(default_factory=list)
    """Radiotherapy courses."""
    drugs: Annotated[list[DrugCourse], Field(max_length=20)] = Field(default_factory=list)
    chemotherapy_with_radiotherapy: Annotated[
        Literal["none", "sequential", "concurrent"] | None,
        Field(description="Chemotherapy before or during the radiotherapy.", examples=["none"]),
    ] = None
    cells: Annotated[list[CellInfusion], Field(max_length=10)] = Field(default_factory=list)
    """Infusions of cell products."""
    vaccines: Annotated[list[VaccineCourse], Field(max_length=10)] = Field(default_factory=list)
    """Vaccine courses."""
