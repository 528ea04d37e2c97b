"""Simulation of every lesion under both therapies, and the comparison of plans."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from schemas.base import ComputeRequest, Day, Estimate, Identifier, Level, Probability, Schema, Whole, number
from schemas.dvh import IntervalNote
from schemas.patient import Patient
from schemas.plan import Plan

TumorModelId = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,95}$", examples=["multi-lesion"])]
HorizonDays = Annotated[float, number("d", "How far to simulate.", example=365.0, ge=7, le=1826)]
PatientCount = Annotated[int, Field(ge=1, le=20000, description="Number of virtual patients.", examples=[1000]), Whole]
Interval = Annotated[float, number("d", "Days between two points of the answer.", example=7.0, ge=1, le=91)]


class VirtualPopulation(Schema):
    """Virtual patients without measured lesions: how many lesions, and how large they are."""

    lesion_count: Annotated[int, Field(ge=1, le=8, examples=[4]), Whole] = 4
    organ: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")] = "lung"
    median_volume_cm3: Annotated[float, number("cm3", "Median lesion volume.", example=12.0, gt=0, le=2000)] = 12.0
    log_volume_sd: Annotated[float, Field(ge=0, le=2, description="Standard deviation of log volume.")] = 0.8


class _Simulated(ComputeRequest):
    """What simulation and comparison have in common."""

    patient: Patient = Patient()
    population: Annotated[
        VirtualPopulation | None,
        Field(description="Instead of patient.lesions; its lesions are called lesion-1, lesion-2, …"),
    ] = None
    horizon_days: HorizonDays = 365.0
    patients: PatientCount = 1000
    output_interval_days: Interval = 7.0
    scan_interval_days: Annotated[float, number("d", "Days between scans.", example=63.0, ge=14, le=182)] = 63.0

    @model_validator(mode="after")
    def _someone(self) -> Self:
        if self.population is not None and self.patient.lesions:
            raise ValueError("give patient.lesions or population, not both")
        if self.population is None and not self.patient.lesions:
            raise ValueError("give patient.lesions with sizes, or population")
        return self


class SimulationRequest(_Simulated):
    """A patient or a virtual population, a plan, and the models to ask."""

    plan: Plan = Plan()
    models: Annotated[list[TumorModelId], Field(min_length=1, max_length=9)] = ["multi-lesion"]


class NamedPlan(Schema):
    """One of the plans to compare."""

    id: Identifier
    plan: Plan


class ComparisonRequest(_Simulated):
    """The same patient under two to eight plans; the first one is the reference."""

    plans: Annotated[list[NamedPlan], Field(min_length=2, max_length=8)]
    model: TumorModelId = "multi-lesion"
    patients: Annotated[
        int, Field(ge=50, le=20000, description="Number of virtual patients under every plan.", examples=[1000]), Whole
    ] = 1000

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        if len({named.id for named in self.plans}) != len(self.plans):
            raise ValueError("plan ids must differ")
        return self


class BandRead(Schema):
    """Central band that holds this share of the virtual patients."""

    level: Level
    lower: list[float]
    upper: list[float]


class SeriesRead(Schema):
    """Median and bands of a quantity on ``time_days``."""

    median: list[float]
    bands: list[BandRead]


class LesionRead(Schema):
    """One lesion over time."""

    id: str
    organ: str
    irradiated: bool
    target: bool
    diameter_mm: SeriesRead
    local_control: Annotated[
        Estimate | None, Field(description="Probability that no viable cell is left at the horizon.")
    ]


class DrugSeriesRead(Schema):
    """Concentration of the antibodies against one target."""

    target: str
    concentration_mg_per_l: SeriesRead


class CurveRead(Schema):
    """Kaplan–Meier estimate of the simulated patients."""

    time_days: list[float]
    survival: list[Probability | None]
    lower: list[Probability | None]
    upper: list[Probability | None]
    at_risk: list[int]
    median_days: float | None


class ResponseRead(Schema):
    """RECIST 1.1 best overall response of the simulated patients, unconfirmed."""

    complete: Estimate
    partial: Estimate
    stable: Estimate
    progressive: Estimate
    not_evaluable: Estimate


class OutcomesRead(Schema):
    """What happens to the simulated patients by the horizon."""

    best_response: ResponseRead
    objective_response: Estimate
    abscopal_response: Annotated[
        Estimate | None,
        Field(
            description="RECIST response of the lesions outside every field (in a comparison: of every plan); "
            "null without such lesions."
        ),
    ]
    progression: Annotated[Estimate, Field(description="Progression or death by the horizon.")]
    relapse_after_response: Annotated[Estimate | None, Field(description="Progression among responders.")]
    severe_lymphopenia: Annotated[
        Estimate | None,
        Field(description="Lymphocytes below 0.5e9/L at some time; needs labs.lymphocytes_1e9_per_l."),
    ]
    progression_free_survival: CurveRead
    overall_survival: Annotated[CurveRead | None, Field(description="Null where the model has no survival link.")]


class SensitivityRead(Schema):
    """How the best change of the sum of diameters hangs on one parameter, over the virtual patients."""

    parameter: str
    rank_correlation: Annotated[float, Field(ge=-1, le=1)]


class PlanComplicationRead(Schema):
    """A complication model applied to the organ doses of the plan."""

    organ: str
    model: str
    endpoint: str
    probability: Estimate
    interval_note: IntervalNote


class ModelSimulationRead(Schema):
    """The answer of one model."""

    model: str
    ignored: Annotated[list[str], Field(description="Parts of the plan or patient that the model cannot represent.")]
    notes: list[str]
    validated_on_patients: bool
    lesions: list[LesionRead]
    sum_of_diameters_mm: SeriesRead
    courses_mm: Annotated[list[list[float]], Field(description="Sum of diameters of the first virtual patients.")]
    best_change_percentiles: Annotated[
        list[float], Field(description="Best relative change of the target sum at percentiles 0, 1, … 100.")
    ]
    lymphocyte_relative: SeriesRead | None
    drugs: list[DrugSeriesRead]
    car_relative: SeriesRead | None
    outcomes: OutcomesRead
    sensitivity: list[SensitivityRead]


class SimulationResult(Schema):
    """The same question to every asked model, in the same terms."""

    time_days: list[float]
    fractions: Annotated[list[Day], Field(description="Days of the fractions.")]
    doses: Annotated[list[Day], Field(description="Days of the drug doses.")]
    simulations: list[ModelSimulationRead]
    complications: list[PlanComplicationRead]


class PlanOutcomesRead(Schema):
    """Outcomes under one plan."""

    id: str
    ignored: list[str]
    outcomes: OutcomesRead
    sum_of_diameters_mm: SeriesRead
    complications: list[PlanComplicationRead]


class DifferenceRead(Schema):
    """One outcome of a plan minus that of the reference plan, same virtual patients."""

    outcome: Literal[
        "objective_response", "abscopal_response", "progression", "severe_lymphopenia",
        "progression_free_days", "overall_survival_days",
    ]  # fmt: skip
    unit: Literal["probability", "d"]
    difference: Estimate
    better: Annotated[
        bool | None, Field(description="Whether the difference is an improvement; null when its interval spans zero.")
    ]
    number_needed_to_treat: Annotated[
        float | None,
        Field(description="Patients for one more (or one fewer) event; null when the interval spans zero."),
    ]


class PlanComparisonRead(Schema):
    """A plan against the reference plan."""

    id: str
    verdict: Annotated[
        Literal["expected gain", "expected loss", "mixed", "no expected gain"],
        Field(description="No expected gain: every interval of an efficacy outcome spans zero."),
    ]
    dominates: Annotated[bool, Field(description="Better in some efficacy outcome, worse in no outcome.")]
    dominated: Annotated[bool, Field(description="Worse in some outcome, better in none.")]
    differences: list[DifferenceRead]


class ComparisonResult(Schema):
    """All plans, and each against the first."""

    model: str
    reference: str
    time_days: list[float]
    plans: list[PlanOutcomesRead]
    comparisons: list[PlanComparisonRead]
    validated_on_patients: bool
