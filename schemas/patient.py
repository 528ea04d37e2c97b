"""The patient: pseudonymous covariates, lesions and scans of one person."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from schemas.base import Day, Identifier, Schema, Whole, number

CancerType = Literal[
    "bladder", "breast", "colorectal", "endometrial", "esophageal", "gastric", "glioma", "head_and_neck",
    "hepatobiliary", "melanoma", "mesothelioma", "nsclc", "ovarian", "pancreatic", "prostate", "renal",
    "sarcoma", "sclc", "other",
]  # fmt: skip
Organ = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$", examples=["lung"])]
DiameterMm = Annotated[float, number("mm", "Longest diameter; 0 when the lesion is gone.", example=32.0, ge=0, le=1000)]
VolumeCm3 = Annotated[float, number("cm3", "Volume.", example=17.2, ge=0, le=20000)]


class Labs(Schema):
    """Blood values, most recent before the decision."""

    albumin_g_per_l: Annotated[float | None, number("g/L", "Serum albumin.", example=40.0, ge=5, le=80)] = None
    neutrophils_1e9_per_l: Annotated[float | None, number("1e9/L", "Neutrophils.", example=5.0, ge=0, le=500)] = None
    lymphocytes_1e9_per_l: Annotated[float | None, number("1e9/L", "Lymphocytes.", example=1.6, ge=0, le=500)] = None
    leukocytes_1e9_per_l: Annotated[float | None, number("1e9/L", "Leukocytes.", example=7.5, ge=0, le=1000)] = None
    platelets_1e9_per_l: Annotated[float | None, number("1e9/L", "Platelets.", example=250.0, ge=0, le=5000)] = None
    hemoglobin_g_per_l: Annotated[float | None, number("g/L", "Hemoglobin.", example=132.0, ge=10, le=300)] = None
    ldh_ratio_to_upper_limit: Annotated[
        float | None,
        number("1", "Lactate dehydrogenase over the local upper limit of normal.", example=0.9, ge=0, le=100),
    ] = None
    ldh_u_per_l: Annotated[
        float | None, number("U/L", "Lactate dehydrogenase, absolute.", example=220.0, ge=0, le=50000)
    ] = None
    crp_mg_per_l: Annotated[float | None, number("mg/L", "C-reactive protein.", example=8.0, ge=0, le=1000)] = None
    alt_u_per_l: Annotated[float | None, number("U/L", "Alanine aminotransferase.", example=20.0, gt=0, le=10000)] = (
        None
    )
    alt_ratio_to_upper_limit: Annotated[
        float | None,
        number("1", "Alanine aminotransferase over the local upper limit of normal.", example=0.6, ge=0, le=1000),
    ] = None
    lymphocytes_lower_limit_1e9_per_l: Annotated[
        float | None, number("1e9/L", "Local lower limit of normal of lymphocytes.", example=1.0, ge=0.1, le=5)
    ] = None
    egfr_ml_per_min: Annotated[
        float | None,
        number("mL/min/1.73m2", "Estimated glomerular filtration rate.", example=88.0, gt=0, le=250),
    ] = None


class Biomarkers(Schema):
    """Tumor biomarkers."""

    pd_l1_tps_percent: Annotated[
        float | None, number("%", "PD-L1 tumor proportion score.", example=60.0, ge=0, le=100)
    ] = None
    pd_l1_cps: Annotated[float | None, number("1", "PD-L1 combined positive score.", example=20.0, ge=0, le=100)] = None
    tmb_mutations_per_mb: Annotated[
        float | None, number("1/Mb", "Tumor mutational burden, panel sequencing.", example=9.0, ge=0, le=1000)
    ] = None
    msi_high: Annotated[bool | None, Field(description="Microsatellite instability is high.", examples=[False])] = None
    egfr_mutant: Annotated[bool | None, Field(description="Activating EGFR mutation.", examples=[False])] = None


class Conditions(Schema):
    """Comorbidities that some models ask for."""

    pulmonary_comorbidity: bool | None = None
    """Chronic obstructive or another chronic lung disease."""
    interstitial_lung_disease: bool | None = None
    """Interstitial lung disease before treatment."""
    cardiac_disease: bool | None = None
    """Heart disease before treatment."""
    autoimmune_disease: bool | None = None
    """Autoimmune disease, active or in the history."""
    tumor_in_mid_or_lower_lobe: bool | None = None
    """The lung tumor lies in the middle or a lower lobe."""


class Lesion(Schema):
    """One tumor site; give its longest diameter or its volume."""

    id: Identifier
    """Name of the lesion; scans and radiotherapy courses refer to it."""
    organ: Organ
    longest_diameter_mm: DiameterMm | None = None
    """Longest diameter at the start; leave volume_cm3 out."""
    volume_cm3: VolumeCm3 | None = None
    """Volume at the start; leave longest_diameter_mm out."""
    target: Annotated[bool, Field(description="Measured as a RECIST target lesion.")] = True

    @model_validator(mode="after")
    def _one_size(self) -> Self:
        if self.longest_diameter_mm is not None and self.volume_cm3 is not None:
            raise ValueError("give longest_diameter_mm or volume_cm3, not both")
        return self


class ScanLesion(Schema):
    """One lesion on one scan."""

    id: Identifier
    """The lesion, by its id in patient.lesions."""
    longest_diameter_mm: DiameterMm


class Scan(Schema):
    """One imaging visit."""

    day: Day
    lesions: Annotated[list[ScanLesion], Field(max_length=100)]
    """Sizes of the lesions that this scan measured."""
    new_lesions: Annotated[bool, Field(description="Any new lesion on this scan.")] = False


class Patient(Schema):
    """Pseudonymous covariates of one person: no name, no birth date, no hospital number."""

    reference: Annotated[
        str | None,
        Field(
            pattern=r"^[A-Za-z0-9._:-]{1,64}$",
            description="Opaque pseudonym chosen by the caller; never a name or a hospital number.",
            examples=["demo-nsclc-1"],
        ),
    ] = None
    age_years: Annotated[float | None, number("a", "Age at the decision.", example=64.0, ge=0, le=120)] = None
    sex: Annotated[Literal["female", "male"] | None, Field(examples=["female"])] = None
    weight_kg: Annotated[float | None, number("kg", "Body weight.", example=70.0, ge=2, le=400)] = None
    height_cm: Annotated[float | None, number("cm", "Body height.", example=168.0, ge=30, le=260)] = None
    ecog: Annotated[
        int | None, Field(ge=0, le=4, description="ECOG performance status, 0 to 4.", examples=[1]), Whole
    ] = None
    cancer_type: Annotated[CancerType | None, Field(examples=["nsclc"])] = None
    stage: Annotated[Literal["I", "II", "III", "IV"] | None, Field(examples=["IV"])] = None
    """Stage group of the tumor (AJCC)."""
    histology: Annotated[
        Literal["squamous", "non_squamous", "other"] | None,
        Field(description="Histology where a trial was limited to one.", examples=["non_squamous"]),
    ] = None
    clinical_t_stage: Annotated[Literal["T1", "T2", "T3", "T4"] | None, Field(examples=["T2"])] = None
    """Clinical T category (AJCC)."""
    smoking_status: Annotated[Literal["never", "former", "current"] | None, Field(examples=["former"])] = None
    smoking_pack_years: Annotated[
        float | None, number("pack-years", "Smoking exposure.", example=30.0, ge=0, le=300)
    ] = None
    metastatic_site_count: Annotated[
        int | None, Field(ge=0, le=100, description="Organs with metastases.", examples=[2]), Whole
    ] = None
    liver_metastases: bool | None = None
    """Metastases in the liver."""
    brain_metastases: bool | None = None
    """Metastases in the brain."""
    prior_systemic_therapy: Annotated[
        bool | None,
        Field(description="Chemotherapy or targeted therapy before the immunotherapy.", examples=[True]),
    ] = None
    prior_immunotherapy: Annotated[Literal["none", "responded", "refractory"] | None, Field(examples=["none"])] = None
    """Earlier checkpoint inhibitors: none, with response, or refractory to them."""
    labs: Labs = Field(default_factory=Labs)
    biomarkers: Biomarkers = Field(default_factory=Biomarkers)
    conditions: Conditions = Field(default_factory=Conditions)
    lesions: Annotated[list[Lesion], Field(max_length=50)] = Field(default_factory=list)
    """Tumor sites with their sizes at the start."""
    scans: Annotated[list[Scan], Field(max_length=200)] = Field(default_factory=list)
