"""Inputs that several predictors share: their unit and what the wire accepts.

The unit and the allowed range stand here once; what the derivation cohort contained is
each predictor's own and is given where the input is used.
"""

from simulation.model import Input

_UNIT_LOW_HIGH: dict[str, tuple[str, float, float]] = {
    "patient.age_years": ("a", 0.0, 120.0),
    "patient.weight_kg": ("kg", 2.0, 400.0),
    "patient.height_cm": ("cm", 30.0, 260.0),
    "patient.ecog": ("", 0.0, 4.0),
    "patient.smoking_pack_years": ("pack-years", 0.0, 300.0),
    "patient.metastatic_site_count": ("", 0.0, 100.0),
    "patient.labs.albumin_g_per_l": ("g/L", 5.0, 80.0),
    "patient.labs.neutrophils_1e9_per_l": ("1e9/L", 0.0, 500.0),
    "patient.labs.lymphocytes_1e9_per_l": ("1e9/L", 0.01, 500.0),
    "patient.labs.lymphocytes_lower_limit_1e9_per_l": ("1e9/L", 0.1, 5.0),
    "patient.labs.leukocytes_1e9_per_l": ("1e9/L", 0.0, 1000.0),
    "patient.labs.platelets_1e9_per_l": ("1e9/L", 0.0, 5000.0),
    "patient.labs.ldh_ratio_to_upper_limit": ("1", 0.0, 100.0),
    "patient.labs.ldh_u_per_l": ("U/L", 0.0, 50000.0),
    "patient.labs.crp_mg_per_l": ("mg/L", 0.0, 1000.0),
    "patient.labs.alt_ratio_to_upper_limit": ("1", 0.0, 1000.0),
    "patient.biomarkers.pd_l1_tps_percent": ("%", 0.0, 100.0),
    "patient.biomarkers.tmb_mutations_per_mb": ("1/Mb", 0.0, 1000.0),
    "plan.fraction_count": ("", 1.0, 4000.0),
    "plan.dose_per_fraction_gy": ("Gy", 0.01, 40.0),
    "plan.mean_lung_dose_gy": ("Gy", 0.0, 200.0),
    "plan.mean_heart_dose_gy": ("Gy", 0.0, 200.0),
    "plan.mean_esophagus_dose_gy": ("Gy", 0.0, 200.0),
    "plan.mean_body_dose_gy": ("Gy", 0.0, 200.0),
    "plan.mean_lung_eqd2_gy": ("Gy", 0.0, 1000.0),
    "plan.mean_heart_eqd2_gy": ("Gy", 0.0, 1000.0),
    "plan.mean_esophagus_eqd2_gy": ("Gy", 0.0, 1000.0),
    "plan.esophagus_d3cc_eqd2_gy": ("Gy", 0.0, 1000.0),
    "plan.heart_d10_percent_gy": ("Gy", 0.0, 200.0),
    "plan.total_dose_gy": ("Gy", 0.01, 160000.0),
    "plan.drug_start_after_radiotherapy_days": ("d", -4000.0, 4000.0),
    "plan.drug_start_after_first_fraction_days": ("d", -4000.0, 4000.0),
    **{
        f"plan.{agent}_{what}": bounds
        for agent in ("ipilimumab", "tremelimumab")
        for what, bounds in (
            ("dose_mg", ("mg", 1e-4, 40000.0)),
            ("dose_mg_per_kg", ("mg/kg", 1e-6, 5000.0)),
            ("interval_days", ("d", 0.0, 4000.0)),
            ("dose_count", ("", 1.0, 4000.0)),
        )
    },
}
CANCER_TYPES = (
    "bladder", "breast", "colorectal", "endometrial", "esophageal", "gastric", "glioma", "head_and_neck",
    "hepatobiliary", "melanoma", "mesothelioma", "nsclc", "ovarian", "pancreatic", "prostate", "renal",
    "sarcoma", "sclc", "other",
)  # fmt: skip
STAGES = ("I", "II", "III", "IV")
CHECKPOINT_CLASSES = ("none", "pd1", "pd_l1", "ctla4", "pd1_ctla4", "pd_l1_ctla4", "pd1_lag3")
ANY_CHECKPOINT_CLASS = CHECKPOINT_CLASSES[1:]


def measured(
    name: str, derivation: tuple[float, float] | None = None, *, required: bool = True, why: str = ""
) -> Input:
    """Return the numeric input ``name``, with the range of the derivation cohort where known."""
    unit, low, high = _UNIT_LOW_HIGH[name]
    derivation_low, derivation_high = derivation or (None, None)
    return Input(
        name=name,
        unit=unit,
        low=low,
        high=high,
        derivation_low=derivation_low,
        derivation_high=derivation_high,
        required=required,
        why=why,
    )


def flag(name: str, *, derivation: bool | None = None, required: bool = True, why: str = "") -> Input:
    """Return the yes-or-no input ``name``; ``derivation`` is the only value the cohort contained."""
    return Input(
        name=name,
        unit="",
        choices=("false", "true"),
        derivation_choices=() if derivation is None else (str(derivation).lower(),),
        required=required,
        why=why,
    )


def chosen(
    name: str, choices: tuple[str, ...], derivation: tuple[str, ...] = (), *, required: bool = True, why: str = ""
) -> Input:
    """Return the categorical input ``name``."""
    return Input(name=name, unit="", choices=choices, derivation_choices=derivation, required=required, why=why)


def cancer_type(*derivation: str, required: bool = False) -> Input:
    """Return the cancer type, with the types that the derivation cohort contained."""
    return chosen(
        "patient.cancer_type", CANCER_TYPES, derivation, required=required, why="The cohort contained these types only."
    )


def only_cancer_type(*types: str) -> Input:
    """Return the cancer type of a model that has nothing to say about any other type."""
    return chosen("patient.cancer_type", types, types, why="The model covers these types only.")


def stage(*enrolled: str) -> Input:
    """Return the stage, with those that the cohort contained."""
    return chosen("patient.stage", STAGES, enrolled, required=False, why="The cohort contained these stages only.")


def checkpoint_class(*derivation: str) -> Input:
    """Return the class of the planned checkpoint inhibitor, with the classes of the cohort."""
    return chosen(
        "plan.checkpoint_class",
        CHECKPOINT_CLASSES,
        derivation or ANY_CHECKPOINT_CLASS,
        required=False,
        why="The model was derived in patients who received these classes.",
    )
