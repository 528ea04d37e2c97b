"""Who a number speaks for: trials and cohorts against the patient and the plan."""

from typing import Any

import pytest

from schemas.predictions import PredictionRequest
from service.predictions import compute
from service.predictions_figures import probabilities

COMBINATION = "nivolumab-1-ipilimumab-3-then-480-q4w"
ATTENUATED = "nivolumab-360-q3w-ipilimumab-1-q6w"


def asked(patient: dict[str, Any], plan: dict[str, Any], *models: str) -> list[dict[str, Any]]:
    body = {"patient": patient, "plan": plan, "models": list(models)}
    result = compute(PredictionRequest.model_validate(body)).result
    assert isinstance(result, dict)
    return list(result["predictions"])


def by_trial(cancer_type: str, regimen: str) -> dict[str, dict[str, Any]]:
    patient = {"cancer_type": cancer_type, "weight_kg": 80.0, "stage": "IV", "prior_systemic_therapy": False}
    rows = asked(patient, {"drugs": [{"regimen": regimen}]}, "irae-incidence")
    return {str(row["group"]).partition(",")[0]: row["applicability"] for row in rows}


@pytest.mark.parametrize(
    ("cancer_type", "regimen", "inside", "outside"),
    [
        ("melanoma", COMBINATION, {"CheckMate 067"}, {"CheckMate 227", "CheckMate 9LA"}),
        ("nsclc", ATTENUATED, {"CheckMate 227"}, {"CheckMate 067", "CheckMate 9LA"}),
        ("melanoma", ATTENUATED, set(), {"CheckMate 067", "CheckMate 227", "CheckMate 9LA"}),
        ("melanoma", "pembrolizumab-200-q3w", {"pembrolizumab safety pool"}, {"KEYNOTE-024", "KEYNOTE-042"}),
    ],
)
def test_adverse_events_of_other_trials_are_outside(
    cancer_type: str, regimen: str, inside: set[str], outside: set[str]
) -> None:
    found = by_trial(cancer_type, regimen)
    for status, trials in (("inside", inside), ("outside", outside)):
        assert all(found[trial]["status"] == status for trial in trials)
    assert all(found[trial]["reasons"] for trial in outside)


def test_the_dose_of_the_trial_is_named() -> None:
    reasons = by_trial("melanoma", ATTENUATED)["CheckMate 067"]["reasons"]
    assert reasons == ["The trial gave ipilimumab 3 mg/kg every 3 weeks, at most 4 times."]


def test_a_cancer_that_is_not_given_is_not_called_inside() -> None:
    rows = asked({}, {"drugs": [{"regimen": "pembrolizumab-200-q3w"}]}, "irae-incidence")
    assert {row["applicability"]["status"] for row in rows} == {"unknown"}


@pytest.mark.parametrize(("cancer_type", "status"), [("nsclc", "unknown"), ("breast", "outside")])
def test_a_lung_cancer_model_says_so_in_other_cancers(cancer_type: str, status: str) -> None:
    course = {
        "id": "a", "start_day": 0.0, "dose_per_fraction_gy": 2.0, "fraction_count": 25, "fractions_per_week": 5.0,
        "organs": [{"organ": "lung", "mean_dose_gy": 9.0}],
    }  # fmt: skip
    patient = {"cancer_type": cancer_type, "age_years": 50.0, "conditions": {"pulmonary_comorbidity": False}}
    (row,) = asked(patient, {"radiotherapy": [course]}, "mean-dose-appelt-thor-pneumonitis")
    assert row["applicability"]["status"] == status


def test_shares_of_fatal_events_are_no_probabilities_of_the_patient() -> None:
    rows = asked({"cancer_type": "nsclc"}, {"drugs": [{"regimen": "pembrolizumab-200-q3w"}]}, "irae-fatal")
    units = {row["outcome"]: row["unit"] for row in rows}
    assert units["fatal_event"] == "probability"
    assert {unit for name, unit in units.items() if name.startswith("fatal_event_by_")} == {"share"}
    drawn = probabilities({}, {"predictions": rows})
    assert b"fatal event" in drawn
    assert b"by colitis" not in drawn


def test_rows_of_one_name_are_told_apart_by_their_group() -> None:
    rows = asked({"cancer_type": "nsclc"}, {"drugs": [{"regimen": "pembrolizumab-200-q3w"}]}, "irae-incidence")
    drawn = probabilities({}, {"predictions": rows}).decode()
    assert "(KEYNOTE-024, NSCLC, PD-L1 50 % or more)" in drawn
    assert "(KEYNOTE-042, NSCLC, PD-L1 1 % or more)" in drawn


def test_a_typical_onset_cites_its_source() -> None:
    rows = asked({"cancer_type": "nsclc"}, {"drugs": [{"regimen": "pembrolizumab-200-q3w"}]}, "irae-incidence")
    with_onset = [row for row in rows if "Typical onset" in (row["note"] or "")]
    assert with_onset
    assert all(any("Martins" in text for text in row["references"]) for row in with_onset)
