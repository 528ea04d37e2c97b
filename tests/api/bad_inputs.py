"""Wrong inputs made by hand: where the mistake is, what it is, and the pointer that must name it."""

from collections.abc import Iterator
from typing import Any, NamedTuple


class Bad(NamedTuple):
    """One wrong request: a valid body with one member replaced (or added, or removed)."""

    route: str
    at: str
    value: Any
    pointer: str
    status: int = 422


REMOVED = object()
NOT_A_NUMBER = ["8", "", True, False, [], [1.0], {}, "NaN", "1e3", [None]]
NOT_A_TEXT = [1, 1.5, True, [], {}, ["nsclc"]]
NOT_A_FLAG = ["true", "no", 0, 1, 0.5, [], {}, ""]
NOT_AN_OBJECT = [1, "x", True, [], [{}], ""]
NOT_A_LIST = [1, "x", True, {}, {"0": 1}, ""]

_NUMBERS: dict[str, list[float]] = {
    "/patient/age_years": [-1, 121, 1e9, -0.001],
    "/patient/weight_kg": [0, 1.9, 401, -70],
    "/patient/height_cm": [0, 29.9, 261, -160],
    "/patient/smoking_pack_years": [-1, 301],
    "/patient/labs/albumin_g_per_l": [0, 4.1, 81, -40],
    "/patient/labs/neutrophils_1e9_per_l": [-0.1, 501],
    "/patient/labs/lymphocytes_1e9_per_l": [-0.1, 501],
    "/patient/labs/leukocytes_1e9_per_l": [-5, 1001],
    "/patient/labs/platelets_1e9_per_l": [-5, 5001],
    "/patient/labs/hemoglobin_g_per_l": [9, 301, -1],
    "/patient/labs/ldh_ratio_to_upper_limit": [-1, 101],
    "/patient/labs/crp_mg_per_l": [-1, 1001],
    "/patient/labs/egfr_ml_per_min": [0, -1, 251],
    "/patient/biomarkers/pd_l1_tps_percent": [-1, 100.1],
    "/patient/biomarkers/pd_l1_cps": [-1, 101],
    "/patient/biomarkers/tmb_mutations_per_mb": [-1, 1001],
}
_WHOLE = {"/patient/ecog": [-1, 5, 1.5, 99], "/patient/metastatic_site_count": [-1, 101, 0.5]}
_TEXTS: dict[str, list[Any]] = {
    "/patient/reference": ["", "Jane Doe", "a/b", "x" * 65, "ä", "a\nb"],
    "/patient/sex": ["F", "Female", "", "other"],
    "/patient/cancer_type": ["lung", "NSCLC", "", "nsclc "],
    "/patient/stage": ["4", "iv", "IVA", ""],
    "/patient/smoking_status": ["ex", "Never", ""],
    "/patient/prior_immunotherapy": ["yes", "None", ""],
}
_FLAGS = [
    "/patient/liver_metastases", "/patient/brain_metastases", "/patient/prior_systemic_therapy",
    "/patient/biomarkers/msi_high", "/patient/biomarkers/egfr_mutant", "/patient/conditions/pulmonary_comorbidity",
    "/patient/conditions/interstitial_lung_disease", "/patient/conditions/autoimmune_disease",
]  # fmt: skip
_OBJECTS = ["/patient", "/patient/labs", "/patient/biomarkers", "/patient/conditions", "/plan"]
_LISTS = ["/patient/lesions", "/patient/scans", "/plan/radiotherapy", "/plan/drugs", "/plan/cells", "/plan/vaccines"]
_UNKNOWN = [
    "/patient/name", "/patient/birth_date", "/patient/labs/albumin", "/patient/labs/albumin_g_per_dl",
    "/patient/biomarkers/pdl1", "/plan/surgery", "/patients", "/Seed", "/patient/AGE_YEARS", "/patient/conditions/x",
]  # fmt: skip

_PHASE_NUMBERS = {
    "/phases/0/dose_per_fraction_gy": [0, -2, 40.1, 1e6],
    "/phases/0/interval_hours": [0, -1, 25],
    "/phases/0/first_fraction_hour": [-1, 25],
    "/phases/0/start_day": [-3651, 3651],
    "/tissues/0/alpha_beta_gy": [0, -1, 101],
    "/tissues/0/alpha_per_gy": [0, -1, 6],
    "/tissues/0/relative_dose": [0, -1, 2.1],
    "/overall_time_days": [-1, 401],
}
_PHASE_WHOLE = {
    "/phases/0/fraction_count": [0, -1, 201, 1.5],
    "/phases/0/fractions_per_day": [0, 5, 1.5],
    "/phases/0/treatment_days_per_week": [0, 8, 2.5],
    "/first_weekday": [0, 8, 1.5],
    "/seed": [-1, 0.5, 2**53],
}


def cases() -> Iterator[Bad]:
    """Yield every wrong request of the table."""
    wrong: dict[tuple[str, str], list[Any]] = {}
    wrong |= {("predictions", at): [*values, *NOT_A_NUMBER] for at, values in {**_NUMBERS, **_WHOLE}.items()}
    wrong |= {("predictions", at): [*values, *NOT_A_TEXT] for at, values in _TEXTS.items()}
    wrong |= {("predictions", at): NOT_A_FLAG for at in _FLAGS}
    wrong |= {("predictions", at): NOT_AN_OBJECT for at in _OBJECTS}
    wrong |= {("predictions", at): NOT_A_LIST for at in _LISTS}
    wrong |= {("predictions", at): [1] for at in _UNKNOWN}
    wrong |= {
        ("fractionation", at): [*values, *NOT_A_NUMBER] for at, values in {**_PHASE_NUMBERS, **_PHASE_WHOLE}.items()
    }
    for (route, at), values in wrong.items():
        yield from (Bad(route, at, value, at) for value in values)
    yield from _SHAPES


_SHAPES = [
    Bad("predictions", "/patient", REMOVED, "/patient"),
    Bad("predictions", "/patient/lesions/0/organ", REMOVED, "/patient/lesions/0/organ"),
    Bad("predictions", "/patient/lesions/0/id", REMOVED, "/patient/lesions/0/id"),
    Bad("predictions", "/patient/lesions/0/id", "a b", "/patient/lesions/0/id"),
    Bad("predictions", "/patient/lesions/0/volume_cm3", 3.0, "/patient/lesions/0"),
    Bad("predictions", "/plan/radiotherapy/0/fraction_count", REMOVED, "/plan/radiotherapy/0"),
    Bad("predictions", "/plan/radiotherapy/0/fractions", [{"day": 0, "dose_gy": 2}], "/plan/radiotherapy/0"),
    Bad("predictions", "/plan/radiotherapy/0/modality", "neutron", "/plan/radiotherapy/0/modality"),
    Bad("predictions", "/plan/drugs/0/agent", "aspirin", "/plan/drugs/0/agent"),
    Bad("predictions", "/plan/drugs/0/dose_mg_per_kg", 2.0, "/plan/drugs/0"),
    Bad("predictions", "/plan/drugs/0/dose_mg", REMOVED, "/plan/drugs/0"),
    Bad("predictions", "/plan/drugs/0/interval_days", REMOVED, "/plan/drugs/0"),
    Bad("predictions", "/models", [], "/models"),
    Bad("predictions", "/models", ["no-such-model"], "/models/0"),
    Bad("predictions", "/models", ["A B"], "/models/0"),
    Bad("fractionation", "/phases", REMOVED, "/phases"),
    Bad("fractionation", "/phases", [], "/phases"),
    Bad("fractionation", "/tissues", REMOVED, "/tissues"),
    Bad("fractionation", "/tissues", [], "/tissues"),
    Bad("fractionation", "/tissues/0/preset", "no_such_tissue", "/tissues/0/preset"),
    Bad("fractionation", "/tissues/0/id", REMOVED, "/tissues/0/id"),
    Bad("fractionation", "/time_convention", "day_2", "/time_convention"),
    Bad("fractionation", "/phases/0/fractions_per_day", 2, "/phases/0"),
]
