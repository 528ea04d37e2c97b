"""A higher dose of a PD-1 or PD-L1 antibody never improves predicted response or survival.

Patients who clear an antibody slowly live longer, and a model that took exposure for a cause would reward a
higher dose. Dose-ranging trials found none, so nothing here may.
"""

from typing import Any

import pytest

from schemas.predictions import PredictionRequest
from service import predictions
from simulation.registry import PREDICTORS

PATIENT = {
    "age_years": 66.0,
    "sex": "female",
    "weight_kg": 70.0,
    "ecog": 1,
    "cancer_type": "nsclc",
    "stage": "IV",
    "prior_systemic_therapy": False,
    "labs": {"albumin_g_per_l": 38.0, "neutrophils_1e9_per_l": 5.0, "lymphocytes_1e9_per_l": 1.5},
    "biomarkers": {"pd_l1_tps_percent": 60.0, "tmb_mutations_per_mb": 8.0},
}
BETTER = ("response", "survival", "benefit", "control")


def answers(agent: str, dose_mg: float) -> list[Any]:
    drug = {"agent": agent, "dose_mg": dose_mg, "interval_days": 21.0, "dose_count": 6}
    body = {"patient": PATIENT, "plan": {"drugs": [drug]}}
    result = predictions.compute(PredictionRequest.model_validate(body)).result
    found = result["predictions"] if isinstance(result, dict) else result.model_dump()["predictions"]  # type: ignore[union-attr]
    return [row for row in found if any(word in str(row) for word in BETTER)]


@pytest.mark.parametrize(
    "agent",
    ["pembrolizumab", "nivolumab", "cemiplimab", "dostarlimab", "atezolizumab", "durvalumab", "avelumab"],
)
def test_predictions_do_not_move_with_the_dose(agent: str) -> None:
    usual = answers(agent, 200.0)
    assert answers(agent, 2000.0) == usual
    assert answers(agent, 20.0) == usual


def test_no_predictor_takes_a_dose_or_a_concentration_of_these_antibodies() -> None:
    taken = {given.name for model in PREDICTORS.values() for given in model.card.inputs}
    exposure = {name for name in taken if name.endswith(("_mg", "_mg_per_kg", "_mg_per_l")) or "clearance" in name}
    ctla4 = {
        f"plan.{agent}_{dose}" for agent in ("ipilimumab", "tremelimumab") for dose in ("dose_mg", "dose_mg_per_kg")
    }
    assert exposure <= ctla4 | {"patient.labs.crp_mg_per_l"}
