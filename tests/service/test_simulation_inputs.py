"""What the cards of the tumor models list, bound and assume of a patient."""

from typing import Any

import numpy as np
import orjson
import pytest

from schemas.simulations import SimulationRequest, SimulationResult
from service import simulations
from service.errors import InvalidInput
from service.kinds import Computation
from simulation.registry import CARDS

LESIONS = [{"id": "a", "organ": "lung", "longest_diameter_mm": 40}, {"id": "b", "organ": "liver", "volume_cm3": 9}]
PEM = {"agent": "pembrolizumab", "dose_mg": 200, "interval_days": 21, "dose_count": 9}
AXI_CEL = {"product": "axicabtagene-ciloleucel", "day": 0, "dose_cells": 2e8}
PATIENT: dict[str, Any] = {
    "age_years": 66, "sex": "female", "weight_kg": 68, "ecog": 1, "cancer_type": "nsclc", "prior_immunotherapy": "none",
    "prior_systemic_therapy": True, "lesions": LESIONS, "biomarkers": {"pd_l1_tps_percent": 40, "egfr_mutant": False},
    "labs": {
        "lymphocytes_1e9_per_l": 1.6, "neutrophils_1e9_per_l": 6, "albumin_g_per_l": 39, "ldh_u_per_l": 220,
        "egfr_ml_per_min": 80,
    },
}  # fmt: skip
GROWTH_MODELS = ("chatterjee-2016", "claret-2009", "stein-growth-decay", "struemper-2025")


def ask(patient: dict[str, Any], plan: dict[str, Any] | None = None, **changes: Any) -> Computation:
    body = {"patient": patient, "plan": plan or {"drugs": [PEM]}, "patients": 100, "horizon_days": 189, "seed": 3}
    return simulations.compute(SimulationRequest.model_validate_json(orjson.dumps(body | changes)))


def answer(patient: dict[str, Any], model: str, plan: dict[str, Any] | None = None) -> Any:
    result = ask(patient, plan, models=[model]).result
    assert isinstance(result, SimulationResult)
    return result.simulations[0]


def changed(name: str, value: Any) -> dict[str, Any]:
    *path, member = name.split(".")[1:]
    patient = PATIENT | {key: dict(PATIENT[key]) for key in path}
    (patient[path[0]] if path else patient)[member] = value
    return patient


@pytest.mark.parametrize("model", ["multi-lesion", *GROWTH_MODELS])
def test_what_changes_the_answer_stands_on_the_card(model: str) -> None:
    other = {
        "patient.age_years": 40, "patient.sex": "male", "patient.weight_kg": 95, "patient.ecog": 0,
        "patient.prior_immunotherapy": "refractory", "patient.prior_systemic_therapy": False,
        "patient.cancer_type": "melanoma",
        "patient.biomarkers.pd_l1_tps_percent": 90, "patient.biomarkers.egfr_mutant": True,
        "patient.labs.lymphocytes_1e9_per_l": 0.8, "patient.labs.neutrophils_1e9_per_l": 12,
        "patient.labs.albumin_g_per_l": 30, "patient.labs.ldh_u_per_l": 700, "patient.labs.egfr_ml_per_min": 30,
    }  # fmt: skip
    listed = {given.name for given in CARDS[model].inputs}
    usual = answer(PATIENT, model)
    for name, value in other.items():
        asked = answer(changed(name, value), model)
        if (asked.sum_of_diameters_mm, asked.outcomes, asked.drugs) != (
            usual.sum_of_diameters_mm, usual.outcomes, usual.drugs,
        ):  # fmt: skip
            assert name in listed, name


def test_unknown_earlier_therapy_is_taken_as_given_and_said() -> None:
    unknown = {key: value for key, value in PATIENT.items() if key != "prior_systemic_therapy"}
    found = ask(unknown)
    said = [warning for warning in found.warnings if warning.code == "assumed-covariate"]
    assert [warning.pointer for warning in said] == ["/patient/prior_systemic_therapy"]
    assert answer(unknown, "multi-lesion").outcomes == answer(PATIENT, "multi-lesion").outcomes
    for patient in (PATIENT, unknown | {"cancer_type": "melanoma"}):
        assert not any(warning.code == "assumed-covariate" for warning in ask(patient).warnings)
    assert not any(w.code == "assumed-covariate" for w in ask(unknown, models=["claret-2009"]).warnings)


@pytest.mark.parametrize(
    ("name", "value", "pointer"),
    [
        ("patient.labs.lymphocytes_1e9_per_l", 0.02, "/patient/labs/lymphocytes_1e9_per_l"),
        ("patient.labs.albumin_g_per_l", 15, "/patient/labs/albumin_g_per_l"),
    ],
)
@pytest.mark.parametrize("model", ["multi-lesion", "struemper-2025"])
def test_survival_that_hangs_on_one_covariate_is_said(model: str, name: str, value: float, pointer: str) -> None:
    def said(patient: dict[str, Any]) -> set[str | None]:
        found = ask(patient, models=[model]).warnings
        return {warning.pointer for warning in found if warning.code == "outside-derivation-range"}

    assert pointer in said(changed(name, value))
    assert pointer not in said(PATIENT)


def test_a_tumor_above_the_capacity_is_refused() -> None:
    lesions = [{"id": f"l{i}", "organ": "lung", "volume_cm3": 1000} for i in range(5)]
    with pytest.raises(InvalidInput) as refused:
        answer({"lesions": lesions}, "mueller-schoell-2021", {})
    assert refused.value.errors[0]["pointer"] == "/patient/lesions"
    assert answer({"lesions": lesions[:4]}, "mueller-schoell-2021", {}).outcomes.objective_response.value == 0.0
    population = {"lesion_count": 8, "median_volume_cm3": 300}
    with pytest.raises(InvalidInput) as refused:
        ask({}, {}, population=population, models=["mueller-schoell-2021"])
    assert refused.value.errors[0]["pointer"] == "/population/median_volume_cm3"


def test_car_t_cells_are_over_the_typical_peak() -> None:
    patient = {"cancer_type": "other", "lesions": LESIONS}
    for model in ("mueller-schoell-2021", "multi-lesion"):
        coarse, fine = (
            ask(patient, {"cells": [AXI_CEL]}, models=[model], output_interval_days=step).result for step in (28.0, 1.0)
        )
        assert isinstance(coarse, SimulationResult)
        assert isinstance(fine, SimulationResult)
        rough, exact = coarse.simulations[0].car_relative, fine.simulations[0].car_relative
        assert rough is not None
        assert exact is not None
        shared = [fine.time_days.index(day) for day in coarse.time_days]
        for band, sharp in zip(rough.bands, exact.bands, strict=True):
            assert min(band.lower) >= 0.0
            assert band.upper == pytest.approx([sharp.upper[i] for i in shared], rel=0.03, abs=1e-6)
        assert 0.2 < max(exact.median) < 3.0
        assert np.all(np.array(exact.bands[-1].upper) < 50.0)


def test_every_model_has_its_own_range_of_doses() -> None:
    course = {"id": "rt", "lesion_ids": ["a"], "fractions": [{"day": 0, "dose_gy": 12}]}

    def said(model: str) -> bool:
        found = ask(PATIENT, {"radiotherapy": [course]}, models=[model]).warnings
        return any((warning.pointer or "").endswith("dose_gy") for warning in found)

    assert said("kosinsky-2018")
    assert not said("multi-lesion")
    assert not said("friedrich-2022")
    with pytest.raises(ValueError, match="models must differ"):
        ask(PATIENT, models=["multi-lesion", "multi-lesion"])
