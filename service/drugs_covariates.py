"""Patient, plan and extra covariates in the names that the pharmacokinetic models use."""

from collections.abc import Mapping
from typing import Final

from schemas.drugs import DrugsRequest
from schemas.patient import Patient
from service.errors import InvalidInput
from service.regimens import regimen_of
from simulation.immunotherapy.plan import DoseArrays, DrugPlan

REFERENCE_WEIGHT_KG: Final = 80.0
_POINTERS: Final = {
    "weight_kg": "/patient/weight_kg",
    "albumin_g_per_l": "/patient/labs/albumin_g_per_l",
    "egfr_ml_per_min": "/patient/labs/egfr_ml_per_min",
    "creatinine_clearance_ml_per_min": "/covariates/creatinine_clearance_ml_per_min",
    "alt_u_per_l": "/patient/labs/alt_u_per_l",
    "ldh_u_per_l": "/patient/labs/ldh_u_per_l",
    "igg_g_per_l": "/covariates/igg_g_per_l",
    "bmi_kg_per_m2": "/patient/height_cm",
    "tumor_size_mm": "/patient/lesions",
    "soluble_pd_l1_pg_per_ml": "/covariates/soluble_pd_l1_pg_per_ml",
    "age_years": "/patient/age_years",
    "female": "/patient/sex",
    "male": "/patient/sex",
    "ecog_1_or_more": "/patient/ecog",
    "nsclc": "/patient/cancer_type",
    "sclc": "/patient/cancer_type",
    "bladder": "/patient/cancer_type",
    "biliary": "/covariates/biliary_tract_cancer",
    "cutaneous_squamous": "/covariates/cutaneous_squamous_cell_carcinoma",
    "prior_ipilimumab": "/covariates/prior_ipilimumab",
    "race_black": "/covariates/race",
    "race_asian": "/covariates/race",
    "anti_drug_antibodies": "/covariates/anti_drug_antibodies",
    "first_line": "/covariates/first_line",
    "with_chemotherapy": "/covariates/with_chemotherapy",
}
_SAME_DOSE: Final = 0.2
_SAME_INTERVAL_DAYS: Final = 4.0


def pointer(covariate: str) -> str:
    """Return where in the request this covariate is given."""
    return _POINTERS.get(covariate, "/drugs")


def known_covariates(request: DrugsRequest, plan: DrugPlan) -> dict[str, float]:
    """Return every covariate that the request determines; nothing is imputed.

    Raises
    ------
    InvalidInput
        The activity of lactate dehydrogenase is so small that it must be a ratio.
    """
    patient, extra = request.patient, request.covariates
    ldh = patient.labs.ldh_u_per_l
    if ldh is not None and ldh <= 1.0:  # the models take its logarithm
        raise InvalidInput(
            "/patient/labs/ldh_u_per_l",
            "an activity must be above 1 U/L; a ratio to the upper limit belongs into ldh_ratio_to_upper_limit",
        )
    known: dict[str, float | None] = {
        "weight_kg": patient.weight_kg,
        "age_years": patient.age_years,
        "albumin_g_per_l": patient.labs.albumin_g_per_l,
        "egfr_ml_per_min": patient.labs.egfr_ml_per_min,
        "creatinine_clearance_ml_per_min": extra.creatinine_clearance_ml_per_min or patient.labs.egfr_ml_per_min,
        "alt_u_per_l": patient.labs.alt_u_per_l,
        "ldh_u_per_l": ldh,
        "igg_g_per_l": extra.igg_g_per_l,
        "soluble_pd_l1_pg_per_ml": extra.soluble_pd_l1_pg_per_ml,
        "tumor_size_mm": extra.tumor_size_mm or _tumor_size_mm(patient),
        "anti_drug_antibodies": _flag(extra.anti_drug_antibodies),
        "prior_ipilimumab": _flag(extra.prior_ipilimumab),
        "first_line": _flag(extra.first_line),
        "biliary": _flag(extra.biliary_tract_cancer),
        "cutaneous_squamous": _flag(extra.cutaneous_squamous_cell_carcinoma),
        "with_chemotherapy": _with_chemotherapy(request),
    }
    if patient.weight_kg is not None and patient.height_cm is not None:
        known["bmi_kg_per_m2"] = patient.weight_kg / (patient.height_cm / 100.0) ** 2
    if patient.sex is not None:
        known |= {"female": _flag(patient.sex == "female"), "male": _flag(patient.sex == "male")}
    if patient.ecog is not None:
        known["ecog_1_or_more"] = _flag(patient.ecog >= 1)
    if patient.cancer_type is not None:
        known |= {name: _flag(patient.cancer_type == name) for name in ("nsclc", "sclc", "bladder")}
    if extra.race is not None:
        known |= {"race_black": _flag(extra.race == "black"), "race_asian": _flag(extra.race == "asian")}
    given = {name: value for name, value in known.items() if value is not None}
    return given | _partners(plan, patient.weight_kg or REFERENCE_WEIGHT_KG, given)


def _flag(value: bool | None) -> float | None:
    return None if value is None else float(value)


def _tumor_size_mm(patient: Patient) -> float | None:
    sizes = [lesion.longest_diameter_mm for lesion in patient.lesions if lesion.target]
    if not sizes or any(size is None for size in sizes):
        return None
    total = sum(size for size in sizes if size is not None)
    return total if total > 0 else None


def _with_chemotherapy(request: DrugsRequest) -> float | None:
    if request.covariates.with_chemotherapy is not None:
        return float(request.covariates.with_chemotherapy)
    regimens = [regimen_of(course, f"/drugs/{index}") for index, course in enumerate(request.drugs)]
    return 1.0 if any(regimen is not None and regimen.with_chemotherapy for regimen in regimens) else None


def _partners(plan: DrugPlan, weight_kg: float, given: Mapping[str, float]) -> dict[str, float]:
    """Return the combination indicators, which always follow from the plan."""
    ipilimumab, nivolumab = plan.doses("ipilimumab"), plan.doses("nivolumab")
    both = "tremelimumab" in plan.agents and given.get("with_chemotherapy", 0.0) > 0
    partners = {
        "with_ipilimumab": float(ipilimumab.time_days.size > 0),
        "with_ipilimumab_3_mg_per_kg_q3w": _given_as(ipilimumab, weight_kg, 3.0, 21.0),
        "with_ipilimumab_1_mg_per_kg_q6w": _given_as(ipilimumab, weight_kg, 1.0, 42.0),
        "with_nivolumab": float(nivolumab.time_days.size > 0),
        "with_nivolumab_1_mg_per_kg_q3w": _given_as(nivolumab, weight_kg, 1.0, 21.0),
        "with_nivolumab_3_mg_per_kg_q2w": _given_as(nivolumab, weight_kg, 3.0, 14.0),
        "with_tremelimumab_and_chemotherapy": float(both),
    }
    return partners | {"with_chemotherapy": 0.0} if both else partners


def _given_as(doses: DoseArrays, weight_kg: float, mg_per_kg: float, interval_days: float) -> float:
    if doses.time_days.size == 0:
        return 0.0
    right_dose = abs(doses.amount_mg[0] / weight_kg / mg_per_kg - 1.0) <= _SAME_DOSE
    if doses.time_days.size == 1:
        return float(right_dose)
    return float(right_dose and abs(doses.time_days[1] - doses.time_days[0] - interval_days) <= _SAME_INTERVAL_DAYS)
