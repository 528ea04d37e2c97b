"""A plan unlike that of a trial is called so: dose, interval, timing, schedule, line, stage and chemotherapy."""

from typing import Any

import pytest

from schemas.predictions import PredictionRequest
from service.errors import InvalidInput
from service.predictions import compute

COMPOSITION = "pneumonitis-radiotherapy-checkpoint"
MELANOMA = {"cancer_type": "melanoma", "weight_kg": 80.0, "stage": "IV", "prior_systemic_therapy": False}
LUNG = {
    "cancer_type": "nsclc",
    "stage": "IV",
    "ecog": 1,
    "prior_systemic_therapy": True,
    "prior_immunotherapy": "none",
    "biomarkers": {"pd_l1_tps_percent": 60.0, "egfr_mutant": False},
}
STAGE_III = {
    "cancer_type": "nsclc",
    "stage": "III",
    "ecog": 1,
    "age_years": 66.0,
    "smoking_status": "never",
    "conditions": {"pulmonary_comorbidity": False, "tumor_in_mid_or_lower_lobe": False},
}


def asked(patient: dict[str, Any], plan: dict[str, Any], model: str) -> list[dict[str, Any]]:
    request = PredictionRequest.model_validate({"patient": patient, "plan": plan, "models": [model]})
    result = compute(request).result
    assert isinstance(result, dict)
    assert not result["not_applicable"]
    return list(result["predictions"])


def statuses(patient: dict[str, Any], plan: dict[str, Any], model: str) -> set[str]:
    return {row["applicability"]["status"] for row in asked(patient, plan, model)}


def drug(agent: str, **members: float) -> dict[str, Any]:
    return {"agent": agent, "dose_mg": 200.0, "interval_days": 21.0, "dose_count": 4, **members}


def course(count: int, dose_gy: float, start_day: float = 0.0) -> dict[str, Any]:
    return {
        "id": "a", "start_day": start_day, "dose_per_fraction_gy": dose_gy, "fraction_count": count,
        "fractions_per_week": 5.0, "organs": [{"organ": "lung", "mean_dose_gy": 15.0}],
    }  # fmt: skip


def consolidated(drug_day: float, *, start_day: float = 0.0, chemotherapy: str = "concurrent") -> dict[str, Any]:
    return {
        "radiotherapy": [course(30, 2.0, start_day)],
        "drugs": [
            {"agent": "durvalumab", "dose_mg": 1500, "start_day": drug_day, "interval_days": 28, "dose_count": 2}
        ],
        "chemotherapy_with_radiotherapy": chemotherapy,
    }


@pytest.mark.parametrize(("days_after", "outside"), [(0, True), (1, False), (42, False), (43, True), (561, True)])
def test_the_odds_ratio_of_consolidation_is_that_of_its_first_weeks(days_after: float, outside: bool) -> None:
    last_fraction = 39.0
    rows = asked(STAGE_III, consolidated(last_fraction + days_after), COMPOSITION)
    reason = "plan.drug_start_after_radiotherapy_days lies outside the derivation cohort (1 to 42 d)."
    assert all((reason in row["applicability"]["reasons"]) is outside for row in rows)
    assert all((row["applicability"]["status"] == "outside") is outside for row in rows)


def test_an_antibody_before_the_radiotherapy_has_no_odds_ratio() -> None:
    with pytest.raises(InvalidInput):
        asked(STAGE_III, consolidated(0.0, start_day=200.0), COMPOSITION)
    body = {"patient": STAGE_III, "plan": consolidated(0.0, start_day=200.0)}
    result = compute(PredictionRequest.model_validate(body)).result
    assert isinstance(result, dict)
    (silent,) = [row for row in result["not_applicable"] if row["model"] == COMPOSITION]
    assert "plan.drug_start_after_radiotherapy_days must lie from 0" in silent["reason"]


@pytest.mark.parametrize(
    ("patient", "chemotherapy"),
    [({"stage": "I"}, "concurrent"), ({"cancer_type": "sclc"}, "concurrent"), ({}, "sequential"), ({}, "none")],
)
def test_the_odds_ratio_of_consolidation_is_that_of_its_cohorts(patient: dict[str, Any], chemotherapy: str) -> None:
    plan = consolidated(50.0, chemotherapy=chemotherapy)
    assert statuses({**STAGE_III, **patient}, plan, COMPOSITION) == {"outside"}


def of_trials(patient: dict[str, Any], *drugs: dict[str, Any]) -> dict[str, dict[str, Any]]:
    rows = asked(patient, {"drugs": list(drugs)}, "irae-incidence")
    return {f"{row['group']}, {row['outcome']}": row["applicability"] for row in rows}


IPILIMUMAB_50 = "ipilimumab 50 mg every 6 weeks, melanoma, treatment_related_grade_3_or_higher"
IPILIMUMAB_100 = "ipilimumab 100 mg every 12 weeks, melanoma, treatment_related_grade_3_or_higher"


@pytest.mark.parametrize(
    ("dose_mg", "interval_days", "inside"),
    [(50, 42, IPILIMUMAB_50), (100, 84, IPILIMUMAB_100), (50, 84, None), (100, 42, None), (240, 21, None)],
)
def test_flat_doses_of_ipilimumab_are_compared_with_their_interval(
    dose_mg: float, interval_days: float, inside: str | None
) -> None:
    ipilimumab = drug("ipilimumab", dose_mg=dose_mg, interval_days=interval_days)
    found = of_trials(MELANOMA, drug("pembrolizumab"), ipilimumab)
    for name in (IPILIMUMAB_50, IPILIMUMAB_100):
        assert (found[name]["status"] == "inside") is (name == inside)
        assert found[name]["status"] in ("inside", "outside")


def test_the_course_of_the_trial_is_the_reason() -> None:
    found = of_trials(MELANOMA, drug("pembrolizumab"), drug("ipilimumab", dose_mg=100, interval_days=84))
    assert found[IPILIMUMAB_50]["reasons"] == ["The trial gave ipilimumab 50 mg every 6 weeks, at most 4 times."]


@pytest.mark.parametrize(
    ("count", "status"), [(1, "outside"), (2, "inside"), (3, "inside"), (4, "inside"), (5, "outside")]
)
def test_a_single_dose_or_more_doses_than_in_the_trial_are_outside(count: int, status: str) -> None:
    ipilimumab = {"agent": "ipilimumab", "dose_mg_per_kg": 3.0, "interval_days": 21.0, "dose_count": count}
    found = of_trials(MELANOMA, ipilimumab)
    assert found["CheckMate 067, melanoma, 3 mg/kg, treatment_related_grade_3_or_higher"]["status"] == status


def test_a_dose_that_cannot_be_compared_is_not_called_inside() -> None:
    patient = {name: value for name, value in MELANOMA.items() if name != "weight_kg"}
    found = of_trials(patient, drug("ipilimumab", dose_mg=240))
    for name in ("CheckMate 067, melanoma, 3 mg/kg", "3 mg/kg, melanoma, dose comparison"):
        applicability = found[f"{name}, treatment_related_grade_3_or_higher"]
        assert applicability["status"] == "unknown"
        assert applicability["reasons"] == ["Not given, so not checked: plan.ipilimumab_dose_mg_per_kg."]


def test_repeated_tremelimumab_is_not_the_single_dose_of_the_trial() -> None:
    patient = {"cancer_type": "hepatobiliary", "prior_systemic_therapy": False}
    single = asked(patient, {"drugs": [{"regimen": "tremelimumab-300-durvalumab-1500-q4w"}]}, "irae-incidence")
    repeated = of_trials(patient, drug("durvalumab"), drug("tremelimumab", dose_mg=75.0))
    stride = [row["applicability"] for row in single if "STRIDE" in str(row["group"])]
    assert [row["status"] for row in stride] == ["inside", "inside"]
    other = [row for name, row in repeated.items() if "STRIDE" in name]
    assert [row["reasons"] for row in other] == [["The trial gave tremelimumab 300 mg once."]] * 2


@pytest.mark.parametrize(
    ("patient", "reason"),
    [
        ({"prior_systemic_therapy": True}, "The trial enrolled patients without systemic therapy before."),
        ({"stage": "I"}, "The trial enrolled stage IV only."),
    ],
)
def test_line_and_stage_of_a_trial_are_compared(patient: dict[str, Any], reason: str) -> None:
    trial = "KEYNOTE-024, NSCLC, PD-L1 50 % or more, treatment_related_grade_3_or_higher"
    fits = {**LUNG, "prior_systemic_therapy": False}
    assert of_trials(fits, drug("pembrolizumab"))[trial]["status"] == "inside"
    assert of_trials({**fits, **patient}, drug("pembrolizumab"))[trial]["reasons"] == [reason]


def test_antibodies_alone_say_nothing_of_antibodies_with_chemotherapy() -> None:
    plan = {"drugs": [{"regimen": "nivolumab-360-q3w-chemotherapy"}]}
    pooled = [row for row in asked(LUNG, plan, "irae-incidence") if str(row["group"]).startswith("PD-1 and PD-L1")]
    assert pooled
    assert {row["applicability"]["status"] for row in pooled} == {"outside"}


def radiotherapy(agent: str, drug_day: float, count: int, dose_gy: float, **members: Any) -> dict[str, Any]:
    treatment = drug(agent, start_day=drug_day)
    return {"radiotherapy": [course(count, dose_gy, 20.0)], "drugs": [treatment], **members}


@pytest.mark.parametrize(
    ("model", "agent", "schedule", "together", "apart"),
    [
        ("radiotherapy-pembro-rt", "pembrolizumab", (3, 8.0), (22.0, 29.0), (20.0, 30.0, 400.0)),
        ("radiotherapy-pembro-rt-mdacc", "pembrolizumab", (3, 8.0), (6.0, 20.0, 29.0), (0.0, 40.0, 400.0)),
        ("radiotherapy-mdacc", "pembrolizumab", (4, 12.5), (6.0, 20.0, 27.0), (0.0, 30.0, 400.0)),
    ],
)
def test_a_drug_long_before_or_after_the_radiotherapy_is_not_the_trial(
    model: str, agent: str, schedule: tuple[int, float], together: tuple[float, ...], apart: tuple[float, ...]
) -> None:
    for day in together:
        assert statuses(LUNG, radiotherapy(agent, day, *schedule), model) == {"inside"}
    for day in apart:
        assert statuses(LUNG, radiotherapy(agent, day, *schedule), model) == {"outside"}


def test_another_schedule_than_the_trials_is_outside() -> None:
    rows = asked(LUNG, radiotherapy("pembrolizumab", 20.0, 10, 5.0), "radiotherapy-pembro-rt-mdacc")
    for row in rows:
        (reason,) = row["applicability"]["reasons"]
        assert reason.startswith("Another schedule than the trial's: planned 10 fractions of up to 5 Gy")


@pytest.mark.parametrize(
    ("count", "dose_gy", "status"),
    [(30, 2.0, "inside"), (33, 2.0, "inside"), (3, 18.0, "outside"), (20, 2.0, "outside")],
)
def test_pacific_is_conventional_radiotherapy_of_its_dose(count: int, dose_gy: float, status: str) -> None:
    plan = radiotherapy("durvalumab", 90.0, count, dose_gy, chemotherapy_with_radiotherapy="concurrent")
    last = 20.0 + 7 * ((count - 1) // 5) + (count - 1) % 5
    plan["drugs"][0]["start_day"] = last + 14.0
    assert statuses(STAGE_III, plan, "radiotherapy-pacific") == {status}


@pytest.mark.parametrize(
    ("drug_day", "status"), [(20.0, "inside"), (13.0, "inside"), (0.0, "outside"), (50.0, "outside")]
)
def test_the_drug_of_chemoradiotherapy_starts_with_it(drug_day: float, status: str) -> None:
    plan = radiotherapy("durvalumab", drug_day, 30, 2.0, chemotherapy_with_radiotherapy="concurrent")
    assert statuses(STAGE_III, plan, "radiotherapy-pacific-2") == {status}


@pytest.mark.parametrize(
    ("model", "agent"),
    [("radiotherapy-keynote-412", "pembrolizumab"), ("radiotherapy-javelin-head-neck-100", "avelumab")],
)
def test_chemoradiotherapy_of_head_and_neck_cancer_was_the_first_treatment(model: str, agent: str) -> None:
    patient = {"cancer_type": "head_and_neck", "stage": "III", "ecog": 0, "prior_systemic_therapy": False}
    plan = radiotherapy(agent, 13.0, 35, 2.0, chemotherapy_with_radiotherapy="concurrent")
    assert statuses(patient, plan, model) == {"inside"}
    assert statuses({**patient, "prior_systemic_therapy": True}, plan, model) == {"outside"}
    hypofractionated = radiotherapy(agent, 13.0, 3, 9.0, chemotherapy_with_radiotherapy="concurrent")
    assert statuses(patient, hypofractionated, model) == {"outside"}


def test_a_trial_of_the_drug_alone_says_nothing_of_it_with_radiotherapy() -> None:
    alone = {"drugs": [drug("pembrolizumab")]}
    with_it = radiotherapy("pembrolizumab", 20.0, 3, 8.0)
    for model in ("pd-l1-keynote-024", "pd-l1-keynote-042"):
        patient = {**LUNG, "prior_systemic_therapy": False}
        assert statuses(patient, alone, model) == {"inside"}
        assert statuses(patient, with_it, model) == {"outside"}
    assert statuses(LUNG, alone, "pd-l1-keynote-001") == {"inside"}
    assert statuses(LUNG, with_it, "pd-l1-keynote-001") == {"outside"}


@pytest.mark.parametrize(
    ("regimen", "status"),
    [
        ("nivolumab-1-ipilimumab-3-then-480-q4w", "inside"),
        ("nivolumab-3-ipilimumab-1-then-480-q4w", "outside"),
        ("nivolumab-360-q3w-ipilimumab-1-q6w", "outside"),
        ("nivolumab-480-q4w", "inside"),
    ],
)
def test_response_of_the_combination_is_that_of_its_dose(regimen: str, status: str) -> None:
    assert statuses({**MELANOMA, "ecog": 0}, {"drugs": [{"regimen": regimen}]}, "checkmate-067") == {status}


@pytest.mark.parametrize(("interval_days", "status"), [(21.0, "inside"), (14.0, "outside"), (84.0, "outside")])
def test_the_dose_response_of_ipilimumab_is_that_of_its_interval(interval_days: float, status: str) -> None:
    ipilimumab = {"agent": "ipilimumab", "dose_mg_per_kg": 3.0, "interval_days": interval_days, "dose_count": 4}
    assert statuses(MELANOMA, {"drugs": [ipilimumab]}, "ipilimumab-dose-response") == {status}


def test_a_lag3_antibody_was_not_in_the_cohort_of_loris() -> None:
    patient = {
        **MELANOMA,
        "age_years": 60.0,
        "labs": {"albumin_g_per_l": 40.0, "neutrophils_1e9_per_l": 4.0, "lymphocytes_1e9_per_l": 1.5},
        "biomarkers": {"tmb_mutations_per_mb": 8.0},
    }
    plan = {"drugs": [{"regimen": "nivolumab-480-relatlimab-160-q4w"}]}
    assert statuses(patient, plan, "loris-pan-cancer") == {"outside"}
    assert statuses(patient, {"drugs": [{"regimen": "nivolumab-480-q4w"}]}, "loris-pan-cancer") == {"inside"}


@pytest.mark.parametrize(("dose_gy", "status"), [(2.0, "inside"), (4.0, "outside")])
def test_the_dose_to_immune_cells_is_that_of_conventional_fractions(dose_gy: float, status: str) -> None:
    plan = {"radiotherapy": [course(30, dose_gy)]}
    plan["radiotherapy"][0]["organs"] += [
        {"organ": "heart", "mean_dose_gy": 10.0},
        {"organ": "body", "mean_dose_gy": 4.0},
    ]
    assert statuses(STAGE_III, plan, "edric") == {status}


@pytest.mark.parametrize(
    ("patient", "outside"), [({}, False), ({"prior_systemic_therapy": False}, True), ({"stage": "II"}, True)]
)
def test_a_score_of_pretreated_advanced_disease_says_so(patient: dict[str, Any], outside: bool) -> None:
    labs = {"ldh_u_per_l": 220.0, "neutrophils_1e9_per_l": 5.0, "lymphocytes_1e9_per_l": 1.6}
    known = {**LUNG, "smoking_pack_years": 30.0, "liver_metastases": False, "labs": labs, **patient}
    plan = {"drugs": [drug("pembrolizumab")]}
    assert (statuses(known, plan, "epsilon") == {"outside"}) is outside
