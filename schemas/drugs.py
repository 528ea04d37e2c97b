"""Antibody exposure: a patient and infusions in; concentrations, metrics and occupancy out."""

from typing import Annotated, Final, Literal, Self

from pydantic import Field, model_validator

from schemas.base import ComputeRequest, Day, Estimate, Probability, Schema, Whole, number
from schemas.patient import Patient
from schemas.plan import Agent, DrugCourse

LEAST_AMOUNT_MG: Final = 0.001
LEAST_INTERVAL_DAYS: Final = 0.01
MOST_LOG_SPREAD: Final = 3.0
"""Twenty-fold to each side at one standard deviation: more than any covariate varies between people."""
ConcentrationMgPerL = Annotated[float, number("mg/L", "Serum concentration.", example=60.0, ge=0, le=1e6)]
PkCovariate = Literal[
    "weight_kg", "albumin_g_per_l", "egfr_ml_per_min", "creatinine_clearance_ml_per_min", "alt_u_per_l", "ldh_u_per_l",
    "igg_g_per_l", "bmi_kg_per_m2", "tumor_size_mm", "soluble_pd_l1_pg_per_ml", "age_years", "female", "male",
    "ecog_1_or_more", "nsclc", "sclc", "bladder", "biliary", "cutaneous_squamous", "prior_ipilimumab", "race_black",
    "race_asian", "anti_drug_antibodies", "first_line", "with_chemotherapy",
]  # fmt: skip


class EventRecord(Schema):
    """One record of a NONMEM event table, with units in the names."""

    time_days: Day
    evid: Annotated[
        int, Field(description="0 observation, 1 dose, 3 reset, 4 reset and dose.", ge=0, le=4, examples=[1]), Whole
    ] = 1
    amt_mg: Annotated[float, number("mg", "AMT, the dose.", example=480.0, ge=0, le=10000)] = 0.0
    rate_mg_per_day: Annotated[
        float, number("mg/d", "RATE of the infusion; 0 is a bolus.", example=23040.0, ge=0, le=1e8)
    ] = 0.0
    ii_days: Annotated[float, number("d", "II, time between doses.", example=28.0, ge=0, le=365)] = 0.0
    addl: Annotated[int, Field(ge=0, le=1000, description="Additional doses.", examples=[3]), Whole] = 0
    ss: Annotated[
        int, Field(ge=0, le=1, description="1 starts at steady state; refused while clearance varies.", examples=[0]),
        Whole,
    ] = 0  # fmt: skip

    @model_validator(mode="after")
    def _not_vanishing(self) -> Self:
        for name, value, least in (
            ("amt_mg", self.amt_mg, LEAST_AMOUNT_MG),
            ("rate_mg_per_day", self.rate_mg_per_day, LEAST_AMOUNT_MG),
            ("ii_days", self.ii_days, LEAST_INTERVAL_DAYS),
        ):
            if 0 < value < least:
                raise ValueError(f"{name} must be 0 or at least {least}")
        return self


class EventTable(Schema):
    """The events of one agent, sorted by time."""

    agent: Agent
    records: Annotated[list[EventRecord], Field(min_length=1, max_length=2000)]
    """Records in order of time."""


class PkCovariates(Schema):
    """Covariates that only pharmacokinetic models ask for; what the patient has is taken from there."""

    igg_g_per_l: Annotated[float | None, number("g/L", "Serum IgG.", example=9.6, gt=0, le=100)] = None
    creatinine_clearance_ml_per_min: Annotated[
        float | None,
        number("mL/min", "Creatinine clearance; left out: the patient's eGFR stands in.", example=86.0, gt=0, le=300),
    ] = None
    soluble_pd_l1_pg_per_ml: Annotated[
        float | None, number("pg/mL", "Soluble PD-L1.", example=125.0, ge=0, le=5000)
    ] = None
    tumor_size_mm: Annotated[
        float | None,
        number("mm", "Sum of target lesions; left out: from the patient's lesions.", example=70.0, gt=0, le=2000),
    ] = None
    anti_drug_antibodies: bool | None = None
    """Antibodies against the drug were found."""
    prior_ipilimumab: bool | None = None
    """Ipilimumab was given before."""
    first_line: bool | None = None
    """First-line treatment."""
    with_chemotherapy: Annotated[
        bool | None, Field(description="Left out: true when a regimen of the plan contains chemotherapy.")
    ] = None
    race: Annotated[Literal["black", "asian", "other"] | None, Field(examples=["other"])] = None
    """Race, where a model has a term for it."""
    biliary_tract_cancer: bool | None = None
    """The tumor is a biliary tract cancer."""
    cutaneous_squamous_cell_carcinoma: bool | None = None
    """The tumor is a cutaneous squamous cell carcinoma."""


class CovariateSpread(Schema):
    """How one covariate is spread over the virtual patients; covariates are drawn independently."""

    covariate: PkCovariate
    """The covariate; its name carries its unit."""
    distribution: Annotated[
        Literal["normal", "lognormal", "indicator"],
        Field(description="lognormal: center is the median, spread the SD of the logarithm; indicator: a probability."),
    ]
    center: Annotated[float, Field(ge=0, le=1e6, examples=[76.0])]
    """Mean, median or probability, by distribution; in the unit of the covariate."""
    spread: Annotated[float, Field(ge=0, le=1e6, examples=[0.2])] = 0.0
    """Standard deviation: of the covariate (normal) or of its logarithm (lognormal)."""
    low: Annotated[float, Field(ge=0, le=1e6, description="Values below are set to it.", examples=[35.0])] = 0.0
    high: Annotated[float | None, Field(gt=0, le=1e6, description="Values above are set to it.")] = None

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.distribution == "lognormal" and self.spread > MOST_LOG_SPREAD:
            raise ValueError(f"a lognormal spread is the SD of the logarithm, {MOST_LOG_SPREAD:g} at most")
        if self.distribution == "indicator":
            if self.center > 1:
                raise ValueError("the center of an indicator is a probability")
        elif self.low <= 0:
            raise ValueError("give low > 0: a continuous covariate must stay positive")
        if self.high is not None and self.high < self.low:
            raise ValueError("high must not be below low")
        return self


class Population(Schema):
    """Virtual patients around the given one."""

    count: Annotated[int, Field(ge=10, le=100_000, examples=[1000]), Whole] = 1000
    """Number of virtual patients."""
    covariates: Annotated[list[CovariateSpread], Field(max_length=25)] = []
    """Covariates that differ between them."""


class ModelChoice(Schema):
    """Another population model than the usual one."""

    agent: Agent
    model: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,64}$", examples=["pk-nivolumab-bajaj2017"])]
    """Id of the population model."""


class TargetChoice(Schema):
    """A target concentration of the caller's."""

    agent: Agent
    concentration_mg_per_l: Annotated[float, number("mg/L", "Target concentration.", example=20.0, gt=0, le=1e5)]


class DrugsRequest(ComputeRequest):
    """Infusions as in a plan, or event tables, for one patient or for a virtual population."""

    patient: Patient = Patient()
    drugs: Annotated[list[DrugCourse], Field(max_length=20)] = []
    event_tables: Annotated[list[EventTable], Field(max_length=10)] = []
    """NONMEM event tables, one an agent, instead of drugs."""
    subject: Annotated[
        Literal["typical", "individual", "population"],
        Field(description="typical: no random effects; individual: one random patient; population: percentile bands."),
    ] = "typical"
    population: Population = Population()
    """The virtual patients of subject population."""
    covariates: PkCovariates = PkCovariates()
    """Further covariates of the pharmacokinetic models."""
    models: Annotated[list[ModelChoice], Field(max_length=10)] = []
    """Population models other than the usual ones."""
    targets: Annotated[list[TargetChoice], Field(max_length=10)] = []
    """Target concentrations other than the usual ones."""
    horizon_days: Annotated[
        float | None, number("d", "Last day; left out: the end of the last cycle.", example=168.0, gt=0, le=3650)
    ] = None
    output_step_days: Annotated[float, number("d", "Step of the output.", example=1.0, ge=0.05, le=90)] = 1.0

    @model_validator(mode="after")
    def _something_to_do(self) -> Self:
        if not self.drugs and not self.event_tables:
            raise ValueError("give drugs or event_tables")
        for name, agents in (
            ("event_tables", [table.agent for table in self.event_tables]),
            ("models", [choice.agent for choice in self.models]),
            ("targets", [choice.agent for choice in self.targets]),
            ("population.covariates", [spread.covariate for spread in self.population.covariates]),
        ):
            if len(set(agents)) < len(agents):
                raise ValueError(f"{name} names something twice")
        return self


class CovariateUsed(Schema):
    """A covariate of the model with the value that was used."""

    name: str
    """Name of the covariate; it carries the unit."""
    value: float
    """Value that was used."""
    origin: Literal["given", "reference", "drawn"]


class Parameters(Schema):
    """Parameters of the typical or the drawn patient; in a population, of the typical one."""

    cl_l_per_day: float
    """Clearance at baseline."""
    vc_l: float
    """Central volume of distribution."""
    q_l_per_day: float
    """Intercompartmental clearance."""
    vp_l: float
    """Peripheral volume of distribution."""
    clearance_form: Literal["constant", "exp", "lin"]
    """How clearance changes over time."""
    emax: float
    """Largest change of clearance, as the form uses it."""
    t50_days: float | None
    """Time of half the change of clearance."""
    hill: float | None
    """Shape of the change of clearance."""
    vmax_mg_per_day: float | None
    """Largest rate of saturable elimination; null without it."""
    km_mg_per_l: float | None
    """Concentration of half the saturable rate; null without it."""
    terminal_half_life_days: Annotated[float, Field(description="At baseline clearance, linear part. Unit: d.")]
    late_terminal_half_life_days: Annotated[float, Field(description="At late clearance, linear part. Unit: d.")]


class DoseRead(Schema):
    """One infusion."""

    time_days: float
    amount_mg: Annotated[float, Field(description="mg/kg doses: at the given weight, else at 80 kg.")]
    infusion_minutes: float


class Band(Schema):
    """One percentile of the virtual patients over time."""

    percent: float
    """Percentile."""
    concentration_mg_per_l: list[float]


class Profile(Schema):
    """Concentration over time; in a population, the median."""

    time_days: list[float]
    concentration_mg_per_l: list[float]
    bands: list[Band]
    """Percentiles of the virtual patients; empty for one patient."""


class CycleRead(Schema):
    """Exposure from one dose to the next planned one; intervals are percentile ranges of the virtual patients."""

    number: int
    """Number of the cycle, from 1."""
    start_day: float
    length_days: float
    """Days to the next planned dose, even one after the horizon; after the last, the length of the cycle before."""
    maximum_mg_per_l: Estimate
    trough_mg_per_l: Estimate
    average_mg_per_l: Estimate
    area_mg_day_per_l: Estimate


class SteadyStateRead(Schema):
    """Exposure after infinitely many doses like the last, with clearance at its late value."""

    dose_mg: float
    """Dose of every cycle."""
    interval_days: float
    maximum_mg_per_l: Estimate | None
    trough_mg_per_l: Estimate | None
    average_mg_per_l: Estimate
    area_mg_day_per_l: Estimate
    accumulation_ratio: Annotated[
        Estimate | None, Field(description="Area of an interval at steady state over that of the first cycle.")
    ]


class TargetRead(Schema):
    """Time above a target until the horizon."""

    concentration_mg_per_l: float
    """Target concentration."""
    what: str
    """What the target stands for."""
    source: str
    verified: bool
    days_above: Estimate
    """Days above the target."""
    share_above: Annotated[Probability, Field(description="Share of the time to the horizon above the target.")]


class OccupancyRead(Schema):
    """Target engagement at the troughs; it cannot tell approved doses apart."""

    half_maximal_mg_per_l: float
    """Concentration of half the maximal engagement."""
    maximum: Annotated[Probability, Field(description="Largest engagement that can be reached.")]
    what: str
    """What is measured as engagement."""
    source: str
    at_first_trough: Annotated[Probability, Field(description="Engagement at the trough of the first cycle.")]
    at_last_trough: Annotated[Probability, Field(description="Engagement at the trough of the last cycle.")]


class AgentExposure(Schema):
    """Everything about one agent."""

    agent: Agent
    status: Annotated[
        Literal["computed", "label_level"],
        Field(description="label_level: no population model is published; only label figures are given."),
    ]
    model: str
    source: str
    covariates: list[CovariateUsed]
    """Covariates that the model used."""
    parameters: Parameters | None
    """Parameters; null where no population model is published."""
    doses: list[DoseRead]
    """Planned infusions, also those after the horizon."""
    profile: Profile | None
    """Concentration over time; null where no population model is published."""
    cycles: list[CycleRead]
    """Exposure, cycle by cycle."""
    steady_state: SteadyStateRead | None
    """Exposure at steady state; null where it cannot be computed."""
    target: TargetRead | None
    """Time above the target; null where there is none."""
    occupancy: OccupancyRead | None
    """Target engagement; null where nothing is published."""
    notes: list[str]


class DrugsResult(Schema):
    """Exposure of every agent."""

    subject: Literal["typical", "individual", "population"]
    """Whom the exposure belongs to."""
    patients: int
    """Number of virtual patients; 1 for one patient."""
    horizon_days: float
    agents: list[AgentExposure]
    """Exposure, agent by agent."""
    notes: list[str]
