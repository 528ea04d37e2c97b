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
    """Lesions of every virtual patient."""
    organ: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")] = "lung"
    """Organ of the lesions, in lower case."""
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
    """Simulators to ask, each once."""

    @model_validator(mode="after")
    def _once(self) -> Self:
        if len(set(self.models)) != len(self.models):
            raise ValueError("models must differ")
        return self


class NamedPlan(Schema):
    """One of the plans to compare."""

    id: Identifier
    """Name of the plan in the answer."""
    plan: Plan


class ComparisonRequest(_Simulated):
    """The same patient under two to eight plans; the first one is the reference."""

    plans: Annotated[list[NamedPlan], Field(min_length=2, max_length=8)]
    """Plans to compare; the first one is the reference."""
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
    """Median at each time."""
    bands: list[BandRead]
    """Central bands of the virtual patients."""


class LesionRead(Schema):
    """One lesion over time."""

    id: str
    """The lesion, by its id in the patient or the population."""
    organ: str
    irradiated: bool
    """The lesion lies in a field of the plan."""
    target: Annotated[
        bool,
        Field(
            description="Counts as a RECIST target lesion: among the five largest of those that may be targets, two in "
            "one organ (lymph nodes are one organ), equal ones by id; in some of the virtual patients where sizes "
            "differ between them. The other visible lesions are non-target disease."
        ),
    ]
    diameter_mm: SeriesRead
    """Diameter over time, in mm; shown as 400 where it is larger."""
    local_control: Annotated[
        Estimate | None, Field(description="Probability that no viable cell is left at the horizon.")
    ]


class DrugSeriesRead(Schema):
    """Concentration of the antibodies against one target."""

    target: str
    """Molecule that the antibodies block."""
    concentration_mg_per_l: SeriesRead
    """Serum concentration over time."""


class CurveRead(Schema):
    """Kaplan–Meier estimate of the simulated patients; 90 % limits over sampling and over the parameter sets.

    One minus the limits are those of the cumulative incidence of the same event.
    """

    time_days: list[float]
    survival: list[Probability | None]
    """Kaplan-Meier estimate at each time."""
    lower: list[Probability | None]
    upper: list[Probability | None]
    at_risk: list[int]
    median_days: float | None
    """Median time to the event; null where it is not reached."""


class ResponseRead(Schema):
    """RECIST 1.1 best overall response of the simulated patients, unconfirmed, on scans before death and dropout."""

    complete: Estimate
    """Probability of complete response."""
    partial: Estimate
    """Probability of partial response."""
    stable: Estimate
    """Probability of stable disease."""
    progressive: Estimate
    """Probability of progressive disease."""
    not_evaluable: Estimate
    """Probability that no response can be assessed: no scan before death or dropout, or no visible target."""


class IncidenceRead(Schema):
    """Share of the virtual patients who have had the event by each day of ``by_time.time_days``.

    The limits rise with time: where that of one day would fall, the lower limit of the days before it is as low and
    the upper limit of the days after it as high.
    """

    probability: list[Probability]
    """Probability of the event by each time."""
    lower: Annotated[list[Probability] | None, Field(description="Null for a model of one subject.")]
    upper: Annotated[list[Probability] | None, Field(description="Null for a model of one subject.")]


class OutcomesByTimeRead(Schema):
    """Cumulative incidence; responses are seen at scans. The last value of each curve is the one at the horizon."""

    time_days: list[float]
    level: Level
    response: Annotated[
        IncidenceRead, Field(description="Complete or partial response by this day, seen while alive and observed.")
    ]
    abscopal_response: Annotated[
        IncidenceRead | None,
        Field(
            description="Response of the lesions outside every field, whatever caused it; null as abscopal_note says."
        ),
    ]
    progression: Annotated[
        IncidenceRead, Field(description="Progression or death by this day: one minus Kaplan-Meier.")
    ]
    relapse_after_response: Annotated[
        IncidenceRead | None,
        Field(description="Progression or death by this day among all who ever respond; null without responders."),
    ]


class OutcomesRead(Schema):
    """What happens to the simulated patients by the horizon."""

    best_response: ResponseRead
    """Best overall response."""
    objective_response: Estimate
    """Probability of complete or partial response."""
    abscopal_response: Annotated[
        Estimate | None,
        Field(
            description="RECIST response of the lesions outside every field (in a comparison: of every plan), whatever "
            "caused it: drugs alone reach these lesions too, and a comparison with the same drugs shows what "
            "radiotherapy adds. Null as abscopal_note says."
        ),
    ]
    abscopal_note: Annotated[
        str | None, Field(description="Why there is no abscopal response: no such lesion, or no such mechanism.")
    ]
    progression: Annotated[
        Estimate,
        Field(description="Progression or death by the horizon: one minus Kaplan-Meier, dropouts are censored."),
    ]
    relapse_after_response: Annotated[Estimate | None, Field(description="Progression or death among responders.")]
    severe_lymphopenia: Annotated[
        Estimate | None,
        Field(
            description="Lymphocytes below 0.5e9/L at some time, with the spread between patients; needs "
            "labs.lymphocytes_1e9_per_l. From the organ doses of the plan where every course lists an organ that "
            "holds blood, else from the size of the fields. 1 where the measured count is below it before treatment."
        ),
    ]
    interval_note: Annotated[
        str | None,
        Field(
            description="What the intervals leave out, or why there are none; null where they cover the number of "
            "virtual patients, their differences and the parameters."
        ),
    ]
    by_time: OutcomesByTimeRead
    """The same probabilities over time."""
    progression_free_survival: CurveRead
    """Time to progression or death."""
    overall_survival: Annotated[CurveRead | None, Field(description="Null where the model has no survival link.")]


class SensitivityRead(Schema):
    """How the best change of the sum of diameters hangs on one parameter, over the virtual patients."""

    parameter: str
    """Parameter that differs between the virtual patients."""
    rank_correlation: Annotated[float, Field(ge=-1, le=1)]
    """Spearman rank correlation, -1 to 1."""


class PlanComplicationRead(Schema):
    """A complication model applied to the organ doses of the plan."""

    organ: str
    model: str
    endpoint: str
    probability: Estimate
    """Probability of the complication."""
    interval_note: IntervalNote
    assumed: Annotated[
        list[str],
        Field(description="Factors of the model that the request left out; they count as no or as the first category."),
    ]


class ModelSimulationRead(Schema):
    """The answer of one model."""

    model: str
    ignored: Annotated[list[str], Field(description="Parts of the plan or patient that the model cannot represent.")]
    notes: list[str]
    validated_on_patients: bool
    lesions: list[LesionRead]
    """Every lesion over time."""
    sum_of_diameters_mm: Annotated[SeriesRead, Field(description="Sum of the diameters of the target lesions, in mm.")]
    courses_mm: Annotated[list[list[float]], Field(description="The same sum for the first virtual patients, in mm.")]
    best_change_percentiles: Annotated[
        list[float], Field(description="Best relative change of the target sum at percentiles 0, 1, … 100.")
    ]
    lymphocyte_relative: SeriesRead | None
    """Lymphocyte count over its start; null where the model has none."""
    drugs: list[DrugSeriesRead]
    """Serum concentrations over time."""
    car_relative: SeriesRead | None
    """CAR-T cells over the peak of the typical patient; null where the model has none."""
    outcomes: OutcomesRead
    """What happens by the horizon."""
    sensitivity: list[SensitivityRead]
    """Which parameters the answer hangs on."""


class SimulationResult(Schema):
    """The same question to every asked model, in the same terms."""

    time_days: list[float]
    fractions: Annotated[list[Day], Field(description="Days of the fractions.")]
    doses: Annotated[list[Day], Field(description="Days of the drug doses up to the horizon.")]
    simulations: list[ModelSimulationRead]
    """Answers, model by model."""
    complications: list[PlanComplicationRead]


class PlanOutcomesRead(Schema):
    """Outcomes under one plan."""

    id: str
    """The plan, by its id."""
    ignored: list[str]
    """Parts of the plan that the model cannot represent."""
    notes: Annotated[list[str], Field(description="What a reader must know of the model under this plan.")]
    outcomes: OutcomesRead
    """What happens by the horizon."""
    sum_of_diameters_mm: Annotated[SeriesRead, Field(description="Sum of the diameters of the target lesions, in mm.")]
    complications: list[PlanComplicationRead]


class DifferenceRead(Schema):
    """One outcome of a plan minus that of the reference plan, same virtual patients."""

    outcome: Literal[
        "objective_response", "abscopal_response", "progression", "severe_lymphopenia",
        "progression_free_days", "overall_survival_days",
    ]  # fmt: skip
    """The outcome that is compared."""
    unit: Literal["probability", "d"]
    difference: Estimate
    """This plan minus the reference plan, in the unit."""
    smallest_meaningful_difference: Annotated[
        float, Field(description="In the unit of the difference; an assumed convention, the same for all models.")
    ]
    better: Annotated[
        bool | None,
        Field(
            description="Whether the difference is an improvement; null when its interval spans zero, when it is "
            "smaller than the smallest meaningful difference, or when verdict_note says why nothing is judged."
        ),
    ]
    number_needed_to_treat: Annotated[
        float | None,
        Field(description="Patients for one more (or one fewer) event; null unless the difference is an improvement."),
    ]


class HarmDifferenceRead(Schema):
    """One harm of a plan minus that of the reference plan, from published incidence or a complication model."""

    harm: Annotated[str, Field(examples=["treatment_related_grade_3_or_higher"])]
    """The harm that is compared."""
    organ: str | None
    model: str
    reference: Annotated[Estimate, Field(description="Probability under the reference plan.")]
    plan: Annotated[Estimate, Field(description="Probability under this plan.")]
    difference: Annotated[
        Estimate,
        Field(description="With an interval as if both were independent, where both have one; never too narrow."),
    ]
    sources: list[str]
    """Where the figures come from."""
    notes: Annotated[list[str], Field(description="How patient or plan differ from where the figures come from.")]


class PlanComparisonRead(Schema):
    """A plan against the reference plan."""

    id: str
    """The plan, by its id."""
    verdict: Annotated[
        Literal["expected gain", "expected loss", "mixed", "no expected gain", "undetermined"],
        Field(
            description="Of the efficacy outcomes alone, harm not weighed. No expected gain: every interval spans zero "
            "or the difference is smaller than the smallest meaningful one. Undetermined: the model gives no interval, "
            "or the plans differ in what it cannot represent or in what has an effect of assumed size; verdict_note "
            "says which."
        ),
    ]
    verdict_note: Annotated[str | None, Field(description="What bears on the verdict beside the intervals.")]
    dominates: Annotated[
        bool | None,
        Field(
            description="Better in some efficacy outcome, worse in no outcome, and no harm is higher; null when that "
            "turns on a harm that is not known for both plans."
        ),
    ]
    dominated: Annotated[bool | None, Field(description="The same with the two plans exchanged.")]
    dominance_note: Annotated[str | None, Field(description="Why dominance is null, or which harm is higher.")]
    differences: list[DifferenceRead]
    """Efficacy outcomes against the reference plan."""
    harms: list[HarmDifferenceRead]
    """Harms against the reference plan."""
    harms_unknown: Annotated[list[str], Field(description="Harms that are not known for both plans.")]


class ComparisonResult(Schema):
    """All plans, and each against the first."""

    model: str
    reference: str
    """The reference plan, by its id."""
    time_days: list[float]
    plans: list[PlanOutcomesRead]
    """Outcomes, plan by plan."""
    comparisons: list[PlanComparisonRead]
    """Every other plan against the reference."""
    validated_on_patients: bool
