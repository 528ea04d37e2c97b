"""Fractionation: phases of a course and the tissues they act on; BED, EQD2 and survival out."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from schemas.base import (
    ComputeRequest,
    Day,
    DosePerFractionGy,
    Estimate,
    Identifier,
    Level,
    Probability,
    Schema,
    Whole,
    number,
)

AlphaBetaGy = Annotated[float, number("Gy", "Ratio alpha/beta.", example=10.0, ge=0.05, le=100)]
PresetName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$", examples=["nsclc"])]
Role = Annotated[
    Literal["tumor", "early", "late"],
    Field(description="Tumor, early-reacting or late-reacting normal tissue; late tissue does not repopulate."),
]
TimeConvention = Annotated[
    Literal["first_fraction_is_day_1", "first_fraction_is_day_0"],
    Field(description="How overall time and kick-off day count the day of the first fraction; day 1 is the RCR way."),
]
Strategy = Literal[
    "no_compensation", "two_fractions_a_day", "weekend_fractions", "larger_fractions_same_time",
    "larger_fractions_same_time_late_matched", "larger_fractions_longer_time", "extra_fractions",
]  # fmt: skip

HOURS_PER_DAY = 24.0


class FractionationPhase(Schema):
    """Equal fractions on a weekly pattern."""

    dose_per_fraction_gy: DosePerFractionGy
    fraction_count: Annotated[int, Field(ge=1, le=200, examples=[30]), Whole]
    fractions_per_day: Annotated[int, Field(ge=1, le=4, examples=[1]), Whole] = 1
    """Fractions on each treatment day."""
    interval_hours: Annotated[
        float | None, number("h", "Time between two fractions of one day.", example=6.0, gt=0, le=24)
    ] = None
    first_fraction_hour: Annotated[
        float, number("h", "Time of the day's first fraction, for phases that share days.", example=0.0, ge=0, le=24)
    ] = 0.0
    treatment_days_per_week: Annotated[
        int, Field(ge=1, le=7, description="5 is Monday to Friday.", examples=[5]), Whole
    ] = 5
    start_day: Annotated[Day | None, Field(description="Left out: the phase follows the one before it.")] = None

    @model_validator(mode="after")
    def _interval_given(self) -> Self:
        if self.fractions_per_day > 1 and self.interval_hours is None:
            raise ValueError("give interval_hours when there is more than one fraction a day")
        if (self.fractions_per_day - 1) * (self.interval_hours or 0.0) >= HOURS_PER_DAY:
            raise ValueError("the fractions of one day must lie within 24 hours; shorten interval_hours")
        return self


class AlphaBetaInterval(Schema):
    """Interval of a ratio alpha/beta."""

    level: Level
    lower: AlphaBetaGy
    upper: AlphaBetaGy

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.lower > self.upper:
            raise ValueError("lower must not exceed upper")
        return self


class RepairComponent(Schema):
    """One exponential component of the repair of sublethal damage."""

    half_time_hours: Annotated[float, number("h", "Half-time of repair.", example=1.5, ge=0.01, le=48)]
    weight: Annotated[float, Field(gt=0, le=1, description="Share of this component; the shares sum to 1.")] = 1.0


class Repopulation(Schema):
    """Proliferation: a daily loss of BED, or a doubling time together with alpha."""

    kick_off_day: Annotated[float, number("d", "Day of overall time when it starts.", example=28.0, ge=0, le=365)]
    rate_gy_per_day: Annotated[float | None, number("Gy/d", "BED lost a day.", example=0.9, ge=0, le=5)] = None
    doubling_time_days: Annotated[
        float | None, number("d", "Effective doubling time of the clonogens.", example=3.0, ge=0.1, le=365)
    ] = None

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        if (self.rate_gy_per_day is None) == (self.doubling_time_days is None):
            raise ValueError("give rate_gy_per_day or doubling_time_days, exactly one of them")
        return self


class TissueRequest(Schema):
    """One tissue: a preset by name, values of your own, or a preset with some values replaced."""

    id: Identifier
    """Name of the tissue, unique in the request."""
    preset: PresetName | None = None
    """Tissue of the built-in table."""
    role: Role | None = None
    """Left out: that of the preset."""
    alpha_beta_gy: AlphaBetaGy | None = None
    alpha_beta_interval_gy: AlphaBetaInterval | None = None
    """Interval of the ratio; left out: that of the preset."""
    alpha_beta_by_phase_gy: Annotated[
        list[AlphaBetaGy] | None,
        Field(min_length=1, max_length=10, description="One ratio for each phase, in the order of the phases."),
    ] = None
    alpha_per_gy: Annotated[
        float | None, number("1/Gy", "Linear coefficient, for survival.", example=0.3, ge=1e-4, le=5)
    ] = None
    repair: Annotated[list[RepairComponent] | None, Field(min_length=1, max_length=3)] = None
    """Repair of sublethal damage; left out: that of the preset, or complete between fractions."""
    repopulation: Repopulation | None = None
    """Proliferation; left out: that of the preset, or none."""
    transition_dose_gy: Annotated[
        float | None,
        number(
            "Gy",
            "Dose per fraction where LQ-L becomes straight; 2 alpha/beta unless given.",
            example=6.0,
            ge=0.1,
            le=100,
        ),
    ] = None
    relative_dose: Annotated[
        float, Field(ge=0.001, le=2, description="Dose to this tissue over the prescribed dose.", examples=[1.0])
    ] = 1.0

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.alpha_beta_gy is not None and self.alpha_beta_by_phase_gy is not None:
            raise ValueError("give alpha_beta_gy or alpha_beta_by_phase_gy, not both")
        if self.preset is None:
            if self.alpha_beta_gy is None and self.alpha_beta_by_phase_gy is None:
                raise ValueError("give preset, alpha_beta_gy or alpha_beta_by_phase_gy")
            if self.role is None:
                raise ValueError("give role with values of your own")
        if self.repair is not None and abs(sum(part.weight for part in self.repair) - 1.0) > 1e-6:
            raise ValueError("the weights of repair must sum to 1")
        return self


class InterruptionRequest(Schema):
    """An unplanned interruption of the planned phases, one fraction a day."""

    tumor_id: Annotated[Identifier, Field(description="The tissue whose BED is to be kept.")]
    delivered_fraction_count: Annotated[int, Field(ge=1, le=200, examples=[20]), Whole]
    """Fractions given before the interruption."""
    days_lost: Annotated[
        float, number("d", "Days from the next planned fraction until treatment can go on.", example=7.0, gt=0, le=90)
    ]
    second_fraction_after_hours: Annotated[
        float, number("h", "Interval on days with two fractions.", example=6.0, ge=4, le=12)
    ] = 6.0


class FractionationRequest(ComputeRequest):
    """A course in phases and the tissues that it acts on."""

    phases: Annotated[list[FractionationPhase], Field(min_length=1, max_length=10)]
    """Phases in the order in which they are given."""
    tissues: Annotated[list[TissueRequest], Field(min_length=1, max_length=40)]
    """Tumors and normal tissues."""
    first_weekday: Annotated[
        int, Field(ge=1, le=7, description="Weekday of the first fraction, 1 is Monday.", examples=[1]), Whole
    ] = 1
    time_convention: TimeConvention = "first_fraction_is_day_1"
    overall_time_days: Annotated[
        float | None,
        number("d", "Overall time, if not the one of the weekly pattern.", example=46.0, ge=0, le=400),
    ] = None
    interruption: InterruptionRequest | None = None
    """An unplanned interruption; left out: none."""

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        if len({tissue.id for tissue in self.tissues}) != len(self.tissues):
            raise ValueError("tissue ids must differ")
        return self


class PhaseRead(Schema):
    """Where one phase lies on the plan's time axis."""

    first_day: float
    """Day of the first fraction."""
    last_day: float
    """Day of the last fraction."""
    fraction_count: int
    total_dose_gy: float
    """Physical dose of the phase."""


class ScheduleRead(Schema):
    """The course as laid out."""

    fraction_count: int
    total_dose_gy: float
    """Physical dose of the course."""
    overall_time_days: float
    """Overall treatment time, by the time convention."""
    time_convention: TimeConvention
    phases: list[PhaseRead]
    """Where the phases lie."""


class ParameterRead(Schema):
    """A number that went into the answer and where it comes from."""

    name: str
    """Name of the parameter."""
    value: float
    """Value of the parameter, in the unit."""
    unit: str
    source: str
    doi: str | None
    evidence: Literal["published", "computed", "calibrated", "assumed", "given"]
    verified: Annotated[bool, Field(description="False: not read in the cited publication itself, or not sourced.")]


class HighDoseRead(Schema):
    """The course by a model made for large fractions."""

    model: Literal["lq_l", "usc", "mlq"]
    """lq_l: linear-quadratic-linear; usc: universal survival curve; mlq: modified linear-quadratic."""
    parameters: dict[str, float]
    bed_gy: float
    eqd2_gy: float


class TissueRead(Schema):
    """Effect on one tissue; intervals are the image of the alpha/beta interval, all else held fixed."""

    id: str
    """The tissue, by its id in the request."""
    label: str
    """Name for people."""
    role: Role
    dose_gy: Annotated[float, number("Gy", "Physical dose to this tissue.", example=60.0)]
    bed_gy: Annotated[Estimate, Field(description="BED after the loss to repopulation. Unit: Gy.")]
    eqd2_gy: Annotated[Estimate, Field(description="Equivalent dose in 2 Gy fractions. Unit: Gy.")]
    repopulation_loss_gy: Annotated[float, number("Gy", "BED lost to proliferation.", example=9.0)]
    log_survival: Annotated[
        float | None, Field(description="Natural log of the surviving fraction; radiation alone. Null without alpha.")
    ]
    surviving_fraction: Probability | None
    """Surviving fraction by radiation alone; null without alpha."""
    high_dose_models: Annotated[
        list[HighDoseRead],
        Field(
            description="Filled when a fraction exceeds 10 Gy in this tissue, or its own transition dose where one is "
            "known."
        ),
    ]
    parameters: list[ParameterRead]
    """Parameters that were used, each with its source."""


class OptionHighDoseRead(HighDoseRead):
    """One option by a model made for large fractions."""

    bed_difference_gy: Annotated[
        float, number("Gy", "Against the plan without interruption by the same model.", example=-6.3)
    ]


class OptionTissueRead(Schema):
    """Effect of one option on one tissue."""

    id: str
    """The tissue, by its id in the request."""
    role: Role
    bed_gy: float
    eqd2_gy: float
    bed_difference_gy: Annotated[float, number("Gy", "Against the plan without interruption.", example=-6.3)]
    high_dose_models: Annotated[
        list[OptionHighDoseRead],
        Field(
            description="Filled when a fraction of the option exceeds 10 Gy in this tissue, or its own transition dose "
            "where one is known; the fraction sizes themselves come from the linear-quadratic form."
        ),
    ]


class OptionRead(Schema):
    """One way to finish the interrupted course."""

    strategy: Strategy
    """How the course is finished."""
    fraction_count: Annotated[int, Field(description="Fractions still to be given.")]
    dose_per_fraction_gy: float
    days_with_two_fractions: int
    """Days on which two fractions are given."""
    last_day: float
    """Day of the last fraction."""
    overall_time_days: float
    """Overall treatment time, by the time convention."""
    keeps_tumor_bed: bool
    """The tumor receives the planned biologically effective dose."""
    pareto_optimal: Annotated[
        bool, Field(description="No other option is at least as good in every tissue and better in one.")
    ]
    tissues: list[OptionTissueRead]
    """Effect, tissue by tissue."""


class NotPossibleRead(Schema):
    """A strategy that this interruption leaves no room for."""

    strategy: Strategy
    """The strategy."""
    reason: str
    """Why it is not possible."""


class CompensationRead(Schema):
    """The options side by side; none of them is a recommendation."""

    missed_fraction_count: int
    """Fractions still owed when treatment goes on."""
    options: list[OptionRead]
    """Ways to finish."""
    not_possible: list[NotPossibleRead]
    """Strategies that do not fit."""


class FractionationResult(Schema):
    """Schedule, effect on every tissue and, after an interruption, the ways to finish."""

    schedule: ScheduleRead
    """Phases, dose and overall time of the course."""
    tissues: list[TissueRead]
    """Effect, tissue by tissue."""
    compensation: CompensationRead | None
    """Ways to finish; null without an interruption."""
