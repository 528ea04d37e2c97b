"""Dose-volume histograms, and what is asked of them; ``dvh_results`` has the answer."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from schemas.base import (
    ComputeRequest,
    DoseGy,
    Identifier,
    Level,
    Schema,
    Whole,
    number,
)
from schemas.patient import Organ
from schemas.plan import Dvh

AlphaBetaGy = Annotated[float, number("Gy", "Ratio alpha/beta.", example=3.0, ge=0.05, le=100)]
MetricName = Annotated[
    str,
    Field(
        pattern=r"^(mean|max|min|D(100|\d{1,2}(\.\d{1,3})?)%|D\d{1,5}(\.\d{1,3})?cc|V\d{1,3}(\.\d{1,3})?Gy(_cc)?)$",
        description="mean, max, min, D95%, D0.03cc, V20Gy (percent of the volume) or V20Gy_cc.",
        examples=["D95%"],
    ),
]
ModelId = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.-]{0,95}$", examples=["seppenwoolde-pneumonitis"])]
Part = Annotated[
    Literal["whole", "left", "right", "ipsilateral", "contralateral"],
    Field(description="Which of a pair; whole is the organ, or both of a pair together."),
]
ComplicationForm = Literal[
    "lyman", "log_logistic", "logistic", "poisson_kallman", "poisson_exact", "relative_seriality_kallman",
    "relative_seriality_exact",
]  # fmt: skip
ControlForm = Literal["poisson", "zaider_minerbo", "log_logistic", "probit", "poisson_kallman", "poisson_exact"]
ParameterName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$", examples=["td50_gy"])]
IntervalNote = Annotated[
    str,
    Field(
        description="Whose uncertainty the interval carries, or why there is none.",
        examples=["No interval: the protocol gives coefficients without intervals or standard errors."],
    ),
]
Evidence = Literal["published", "computed", "calibrated", "assumed", "given"]


class ParameterInterval(Schema):
    """Published interval of a model parameter."""

    level: Annotated[float, number("", "Coverage of the interval.", example=0.95, ge=0.5, le=0.999)]
    lower: float
    upper: float

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.lower > self.upper:
            raise ValueError("lower must not exceed upper")
        return self


class ComplicationModelRequest(Schema):
    """A complication model with parameters of the caller's own."""

    id: Identifier
    """Name of the model in the answer."""
    endpoint: Annotated[
        str,
        Field(
            pattern=r"^[a-z][a-z0-9 ,_-]{0,119}$",
            description="In lower-case words; nothing about the patient.",
            examples=["pneumonitis grade 2 or higher"],
        ),
    ]
    form: ComplicationForm
    parameters: Annotated[
        dict[ParameterName, float],
        Field(
            description="lyman: td50_gy, m, n. log_logistic: td50_gy, gamma50, exponent. logistic: d50_gy, gamma50, "
            "exponent. poisson: d50_gy, gamma, exponent. relative_seriality: d50_gy, gamma, seriality.",
            examples=[{"td50_gy": 30.8, "m": 0.37, "n": 0.99}],
        ),
    ]
    intervals: dict[ParameterName, ParameterInterval] = {}
    alpha_beta_gy: Annotated[
        AlphaBetaGy | None, Field(description="Null: the parameters belong to physical dose, not EQD2.")
    ] = None


class RbeRequest(Schema):
    """How a physical proton or helium dose becomes a photon-equivalent one, bin by bin."""

    model: Literal[
        "fixed", "mcnamara_2015", "mcnamara_2015_matrad", "wedenberg_2013", "carabe_2012", "mairani_helium"
    ]  # fmt: skip
    """Model of relative biological effectiveness."""
    let_kev_per_um: Annotated[
        float | None, number("keV/um", "Dose-averaged linear energy transfer.", example=2.5, ge=0, le=100)
    ] = None

    @model_validator(mode="after")
    def _let_given(self) -> Self:
        if (self.model == "fixed") != (self.let_kev_per_um is None):
            raise ValueError("give let_kev_per_um with every model but fixed, and with fixed leave it out")
        return self


class StructureRequest(Schema):
    """One structure with its dose-volume histogram."""

    id: Identifier
    """Name of the structure, unique in the request."""
    organ: Annotated[Organ | None, Field(description="Left out: no tables are looked up for it.")] = None
    part: Part = "whole"
    target: Annotated[bool, Field(description="A target volume, not an organ at risk.")] = False
    dvh: Dvh
    alpha_beta_gy: Annotated[
        AlphaBetaGy | None, Field(description="Left out: 10 Gy for a target, the organ's customary value otherwise.")
    ] = None
    rbe: Annotated[RbeRequest | None, Field(description="Left out: the dose is photon dose or already weighted.")] = (
        None
    )
    complication_models: Annotated[list[ComplicationModelRequest], Field(max_length=5)] = []
    """Models of the caller's own."""


class TumorControlRequest(Schema):
    """A control model for one target: a preset, or parameters of the caller's own."""

    structure_id: Identifier
    form: ControlForm = "poisson"
    preset: Annotated[
        str | None, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$", description="For the poisson form.", examples=["nsclc"])
    ] = None
    parameters: Annotated[
        dict[ParameterName, float],
        Field(
            description="poisson: alpha_per_gy, alpha_beta_gy, clonogens or clonogens_per_cm3; optional "
            "alpha_sd_per_gy, repopulation_loss_gy, hypoxic_share with hypoxic_oxygen_tension_mmhg. zaider_minerbo: "
            "alpha_per_gy, alpha_beta_gy, clonogens or clonogens_per_cm3, birth_per_day, death_per_day, "
            "followup_days. log_logistic and probit: d50_gy, gamma50, exponent, alpha_beta_gy. poisson_kallman and "
            "poisson_exact: d50_gy, gamma, alpha_beta_gy.",
            examples=[{"alpha_per_gy": 0.3, "alpha_beta_gy": 10.0, "clonogens_per_cm3": 1e7}],
        ),
    ] = {}
    intervals: dict[ParameterName, ParameterInterval] = {}
    fraction_days: Annotated[
        list[Annotated[float, Field(ge=0, le=1000)]] | None,
        Field(min_length=1, max_length=200, description="Days of the fractions; the zaider_minerbo form needs them."),
    ] = None


class ConstraintRequest(Schema):
    """A limit of the caller's own on one structure."""

    structure_id: Identifier
    metric: MetricName
    limit: Annotated[float, Field(ge=0, le=1e6, description="The limit, in the unit of the metric.")]


class PatientFactors(Schema):
    """What the named clinical models ask about the patient; what is left out counts as no."""

    age_years: Annotated[float | None, number("a", "Age.", example=66.0, ge=0, le=120)] = None
    sex: Literal["female", "male"] | None = None
    smoking_status: Literal["never", "former", "current"] | None = None
    pulmonary_comorbidity: bool | None = None
    """Chronic lung disease."""
    middle_or_lower_lobe: Annotated[bool | None, Field(description="Tumor in the middle or lower lobe.")] = None
    sequential_chemotherapy: bool | None = None
    """Chemotherapy before the radiotherapy."""
    concurrent_chemotherapy: bool | None = None
    """Chemotherapy during the radiotherapy."""
    immunotherapy_consolidation: Annotated[bool | None, Field(description="Checkpoint inhibitor afterwards.")] = None
    t_stage_3_or_4: bool | None = None
    """T category 3 or 4."""
    head_and_neck_setting: Literal["primary", "postoperative"] | None = None
    """Primary or postoperative radiotherapy of a head and neck tumor."""
    head_and_neck_site: Literal["oral_cavity", "pharynx", "larynx"] | None = None
    """Site of a head and neck tumor."""
    baseline_xerostomia: Literal["none", "mild", "moderate_severe"] | None = None
    """Dry mouth before radiotherapy."""
    baseline_dysphagia: Literal["grade_0_1", "grade_2", "grade_3_or_more"] | None = None
    """Dysphagia before radiotherapy."""


class WindowRequest(Schema):
    """Scan of the prescription with the number of fractions unchanged."""

    lowest_scale: Annotated[float, Field(gt=0, le=1, examples=[0.6])] = 0.6
    """Smallest multiple of the prescription."""
    highest_scale: Annotated[float, Field(ge=1, le=3, examples=[1.5])] = 1.5
    """Largest multiple of the prescription."""
    point_count: Annotated[int, Field(ge=5, le=101, examples=[37]), Whole] = 37
    """Number of multiples."""
    complications: Annotated[
        list[ModelId] | None,
        Field(max_length=20, description="Ids of complication models; left out: the main one of every organ."),
    ] = None


class EvaluationOptions(Schema):
    """What is asked of the structures, whatever file or form they came in."""

    fraction_count: Annotated[int, Field(ge=1, le=200, description="Equal fractions.", examples=[30]), Whole]
    prescribed_dose_gy: DoseGy | None = None
    """Prescribed dose of the course; scales the axis of the window."""
    metrics: Annotated[list[MetricName], Field(max_length=40)] = []
    """Dose-volume metrics of every structure."""
    geud_exponents: Annotated[
        list[Annotated[float, Field(ge=-100, le=100)]],
        Field(max_length=10, description="Exponents a of the generalized EUD.", examples=[[1.0, 8.0]]),
    ] = []
    factors: PatientFactors = PatientFactors()
    """What the clinical models ask about the patient."""
    tumor_control: Annotated[list[TumorControlRequest], Field(max_length=10)] = []
    """Control models to ask."""
    constraints: Annotated[list[ConstraintRequest], Field(max_length=100)] = []
    """Limits of the caller's own."""
    window: WindowRequest | None = None
    """Scan of the prescription; left out: none."""
    interval_level: Level = 0.95


class DvhRequest(EvaluationOptions, ComputeRequest):
    """Structures of one course of equal fractions."""

    structures: Annotated[list[StructureRequest], Field(min_length=1, max_length=60)]

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        if len({structure.id for structure in self.structures}) != len(self.structures):
            raise ValueError("structure ids must differ")
        return self
