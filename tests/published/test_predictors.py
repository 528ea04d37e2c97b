"""Worked examples of published predictors, through the public predictors."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from service.predictions import predict
from simulation.predictors._arithmetic import logit
from simulation.predictors.loris_pan_cancer import recalibrated_response
from simulation.registry import PREDICTORS

Inputs = Mapping[str, Any]
EXAMPLES = json.loads((Path(__file__).parent / "data/predictors/worked_examples.json").read_text())["examples"]
WITHOUT_ICI = "mean-dose-appelt-pneumonitis"
IN_OTHER_TESTS = {"EDRIC_mean_body_dose": "a definition of an input"}


def blood(given: Inputs) -> dict[str, Any]:
    names = {
        "ANC": "patient.labs.neutrophils_1e9_per_l",
        "ALC": "patient.labs.lymphocytes_1e9_per_l",
        "WBC": "patient.labs.leukocytes_1e9_per_l",
        "platelets": "patient.labs.platelets_1e9_per_l",
        "CRP": "patient.labs.crp_mg_per_l",
        "LDH": "patient.labs.ldh_ratio_to_upper_limit",
        "metastatic_sites": "patient.metastatic_site_count",
    }
    found: dict[str, Any] = {names[name]: value for name, value in given.items() if name in names}
    if "albumin" in given:
        found["patient.labs.albumin_g_per_l"] = round(given["albumin"] * 10, 9)
    if "BMI" in given:
        found |= {"patient.height_cm": 100.0, "patient.weight_kg": given["BMI"]}
    return found


def loris(given: Inputs) -> dict[str, Any]:
    found = {
        "patient.biomarkers.tmb_mutations_per_mb": given["TMB"],
        "patient.prior_systemic_therapy": bool(given["PSTH"]),
        "patient.labs.albumin_g_per_l": round(given["albumin"] * 10, 9),
        "patient.labs.neutrophils_1e9_per_l": given["NLR"],
        "patient.labs.lymphocytes_1e9_per_l": 1.0,
        "patient.age_years": given["age"],
        "patient.cancer_type": given["cancer_type"].lower().replace(" & ", "_and_"),
    }
    if "PDL1_TPS" in given:
        found["patient.biomarkers.pd_l1_tps_percent"] = given["PDL1_TPS"]
    return found


def epsilon(given: Inputs) -> dict[str, Any]:
    return {
        "patient.ecog": given["ECOG"],
        "patient.smoking_pack_years": given["pack_years"],
        "patient.liver_metastases": bool(given["liver_metastases"]),
        "patient.labs.ldh_u_per_l": given["LDH"],
        "patient.labs.neutrophils_1e9_per_l": given["NLR"],
        "patient.labs.lymphocytes_1e9_per_l": 1.0,
        "patient.cancer_type": "nsclc",
    }


def doses(**names: str) -> Callable[[Inputs], dict[str, Any]]:
    return lambda given: {covariate: given[name] for name, covariate in names.items()}


def appelt(given: Inputs) -> dict[str, Any]:
    smoking = "former" if given.get("former_smoker") else "current" if given.get("current_smoker") else "never"
    return {
        "plan.mean_lung_dose_gy": given["MLD"],
        "patient.conditions.pulmonary_comorbidity": bool(given["pulmonary_comorbidity"]),
        "patient.conditions.tumor_in_mid_or_lower_lobe": bool(given.get("mid_or_lower_lobe", 0)),
        "patient.age_years": 64.0 if given.get("age_over_63") else 63.0,
        "plan.chemotherapy_with_radiotherapy": "sequential" if given.get("sequential_chemo") else "none",
        "patient.smoking_status": smoking,
    }


def esophagus(given: Inputs) -> dict[str, Any]:
    return {
        "plan.mean_esophagus_dose_gy": given["MED"],
        "plan.mean_esophagus_eqd2_gy": given["MED"],
        "plan.chemotherapy_with_radiotherapy": "concurrent" if given["concurrent_chemo"] else "none",
        "patient.sex": "female" if given.get("female") else "male",
        "patient.clinical_t_stage": "T4" if given.get("cT3_4") else "T1",
    }


EDRIC = doses(
    MLD="plan.mean_lung_dose_gy", MHD="plan.mean_heart_dose_gy", MBD="plan.mean_body_dose_gy", n="plan.fraction_count"
)
LUNG = doses(MLD="plan.mean_lung_dose_gy")
LUNG_EQD2 = doses(MLD="plan.mean_lung_eqd2_gy")
HEART = doses(MHD="plan.mean_heart_dose_gy")

# example -> model, covariates, outcome of each expected figure
ROUTES: dict[str, tuple[str, Callable[[Inputs], dict[str, Any]], dict[str, str]]] = {
    "loris_pan_readme": ("loris-pan-cancer", loris, {"score": "loris_score"}),
    "loris_pan_readme_recalibrated_orr": (
        "loris-pan-cancer",
        loris,
        {"score": "loris_score", "orr": "objective_response"},
    ),
    "loris_pan_full_precision": ("loris-pan-cancer-full-precision", loris, {"score": "loris_score"}),
    "loris_pan_web_llr6": ("loris-pan-cancer-web", loris, {"score": "loris_score"}),
    "loris_pan_web_llr5_no_psth": ("loris-pan-cancer-web-no-prior-therapy", loris, {"score": "loris_score"}),
    "loris_pan_rerun_llr5_no_tmb_rounded": ("loris-pan-cancer-no-tmb", loris, {"score": "loris_score"}),
    "loris_pan_rerun_llr5_no_cancer": ("loris-pan-cancer-no-cancer-type", loris, {"score": "loris_score"}),
    "loris_nsclc_readme": ("loris-nsclc", loris, {"score": "loris_score"}),
    "loris_nsclc_web_llr6": ("loris-nsclc-web", loris, {"score": "loris_score"}),
    "loris_nsclc_web_llr5_no_psth": ("loris-nsclc-web-no-prior-therapy", loris, {"score": "loris_score"}),
    "NLR": ("nlr", blood, {"NLR": "neutrophil_lymphocyte_ratio"}),
    "dNLR": ("dnlr", blood, {"dNLR": "derived_neutrophil_lymphocyte_ratio"}),
    "LIPI": ("lipi", blood, {"LIPI": "lipi_score", "group": "lipi_score.group"}),
    "GRIm": ("grim", blood, {"GRIm": "grim_score", "group": "grim_score.group"}),
    "RMH": ("rmh", blood, {"RMH": "rmh_score", "group": "rmh_score.group"}),
    "mGPS": ("mgps", blood, {"mGPS": "mgps_score"}),
    "SII": ("sii", blood, {"SII": "systemic_immune_inflammation_index"}),
    "PNI": ("pni", blood, {"PNI": "prognostic_nutritional_index"}),
    "ALI": ("ali", blood, {"ALI": "advanced_lung_cancer_inflammation_index"}),
    "EPSILoN": ("epsilon", epsilon, {"count": "epsilon_score"}),
    "quantec_pneumonitis": ("mean-dose-quantec-pneumonitis", LUNG, {"p": "pneumonitis"}),
    "lkb_seppenwoolde_pneumonitis": (
        "mean-dose-seppenwoolde-pneumonitis",
        LUNG,
        {"p": "pneumonitis_grade_2_or_higher"},
    ),
    "appelt2014_pneumonitis": (WITHOUT_ICI, appelt, {"p": "pneumonitis"}),
    "appelt_thor_pneumonitis": ("mean-dose-appelt-thor-pneumonitis", appelt, {"p": "pneumonitis"}),
    "appelt_times_ici_odds": (WITHOUT_ICI, appelt, {"p_without": "pneumonitis"}),
    "huang_pneumonitis": (
        "dvh-huang-pneumonitis",
        doses(MLD="plan.mean_lung_dose_gy", heart_D10pct="plan.heart_d10_percent_gy"),
        {"p": "pneumonitis"},
    ),
    "jackson_rp_g2plus_lung": ("eqd2-jackson-pneumonitis-lung", LUNG_EQD2, {"p": "pneumonitis_grade_2_or_higher"}),
    "jackson_rp_g3plus_lung": ("eqd2-jackson-pneumonitis-lung", LUNG_EQD2, {"p": "pneumonitis_grade_3_or_higher"}),
    "jackson_rp_g2plus_heart": (
        "eqd2-jackson-pneumonitis-heart",
        doses(MHD="plan.mean_heart_eqd2_gy"),
        {"p": "pneumonitis_grade_2_or_higher"},
    ),
    "jackson_oesophagitis_g2plus": (
        "eqd2-jackson-esophagitis",
        doses(D3cc="plan.esophagus_d3cc_eqd2_gy"),
        {"p": "esophagitis_grade_2_or_higher"},
    ),
    "huang_oesophagitis": ("mean-dose-huang-esophagitis", esophagus, {"p": "esophagitis"}),
    "wijsman_oesophagitis_g2plus": ("eqd2-wijsman-esophagitis", esophagus, {"p": "esophagitis_grade_2_or_higher"}),
    "darby_major_coronary_event_rr": ("mean-dose-darby-coronary-events", HEART, {"RR": "major_coronary_event"}),
    "EDRIC": ("edric", EDRIC, {"EDRIC": "effective_dose_to_circulating_immune_cells"}),
    "ctcae5_lymphopenia_grade": (
        "ctcae-lymphopenia",
        doses(ALC="patient.labs.lymphocytes_1e9_per_l", LLN="patient.labs.lymphocytes_lower_limit_1e9_per_l"),
        {"grade": "lymphopenia"},
    ),
    "ctcae5_alt_grade": (
        "ctcae-alt-increased",
        doses(ALT="patient.labs.alt_ratio_to_upper_limit"),
        {"grade": "alanine_aminotransferase_increased"},
    ),
}


def given_of(example: Mapping[str, Any]) -> dict[str, Any]:
    return {name: entry["value"] for name, entry in example["inputs"].items()}


def answer(model: str, covariates: Mapping[str, Any]) -> dict[str, Any]:
    result = predict(covariates, [model]).result
    assert isinstance(result, dict)
    assert result["not_applicable"] == []
    found: dict[str, Any] = {}
    for read in result["predictions"]:
        found.setdefault(read["outcome"], read["value"])
        found.setdefault(f"{read['outcome']}.group", read["group"])
    return found


ROUTED = [example for example in EXAMPLES if example["predictor"] in ROUTES]


@pytest.mark.parametrize("example", ROUTED, ids=[example["id"] for example in ROUTED])
def test_worked_example(example: Mapping[str, Any]) -> None:
    model, to_covariates, outcomes = ROUTES[example["predictor"]]
    found = answer(model, to_covariates(given_of(example)))
    compared = 0
    for name, outcome in outcomes.items():
        if name not in example["expected"]:
            continue
        compared += 1
        expected = example["expected"][name]
        if isinstance(expected, str):
            assert found[outcome] == expected
        else:
            assert found[outcome] == pytest.approx(expected, abs=example["tolerance"], rel=0)
    assert compared


RECALIBRATIONS = [example for example in EXAMPLES if example["predictor"] == "loris_recalibration"]


@pytest.mark.parametrize("example", RECALIBRATIONS, ids=[example["id"] for example in RECALIBRATIONS])
def test_recalibration_of_a_score(example: Mapping[str, Any]) -> None:
    response, interval = recalibrated_response(logit(given_of(example)["score"]))
    assert response == pytest.approx(example["expected"]["orr"], abs=example["tolerance"])
    assert interval.lower < response < interval.upper


def test_every_example_is_used() -> None:
    covered = set(ROUTES) | {"loris_recalibration"} | set(IN_OTHER_TESTS)
    assert {example["predictor"] for example in EXAMPLES} == covered
    assert {model for model, _, _ in ROUTES.values()} <= set(PREDICTORS)


@pytest.mark.parametrize(
    ("example", "odds_ratio"),
    [
        (example, given_of(example)["ici_odds_ratio"])
        for example in EXAMPLES
        if example["predictor"] == "appelt_times_ici_odds"
    ],
)
def test_odds_ratio_of_immunotherapy_multiplies_the_odds(example: Mapping[str, Any], odds_ratio: float) -> None:
    without = answer(WITHOUT_ICI, appelt(given_of(example)))["pneumonitis"]
    odds = odds_ratio * without / (1 - without)
    assert odds / (1 + odds) == pytest.approx(example["expected"]["p_with"], abs=example["tolerance"])


@pytest.mark.parametrize("example", [e for e in EXAMPLES if e["predictor"].startswith("appelt")], ids=lambda e: e["id"])
def test_appelt_is_a_logistic_curve_with_shifted_d50(example: Mapping[str, Any]) -> None:
    if "OR" not in example["expected"]:
        return
    model, to_covariates, _ = ROUTES[example["predictor"]]
    d50, steepness = example["expected"]["D50_Gy"], example["expected"]["gamma50"]
    covariates = to_covariates(given_of(example))
    at_d50 = answer(model, {**covariates, "plan.mean_lung_dose_gy": d50})["pneumonitis"]
    assert at_d50 == pytest.approx(0.5, abs=1e-5)
    beside = answer(model, {**covariates, "plan.mean_lung_dose_gy": d50 * 1.001})["pneumonitis"]
    assert (beside - at_d50) / 0.001 == pytest.approx(steepness, rel=1e-3)


@pytest.mark.parametrize(("neutrophils", "leukocytes"), [(0.3, 0.4), (3.0, 4.0), (6.6, 8.8), (2.1, 2.8), (5.7, 7.6)])
def test_a_ratio_on_the_cut_off_in_decimals_is_on_it_in_binary(neutrophils: float, leukocytes: float) -> None:
    found = answer(
        "lipi",
        {
            "patient.labs.neutrophils_1e9_per_l": neutrophils,
            "patient.labs.leukocytes_1e9_per_l": leukocytes,
            "patient.labs.ldh_ratio_to_upper_limit": 1.0,
        },
    )
    assert found["lipi_score"] == 0


def test_some_of_those_ratios_are_above_the_cut_off_without_rounding() -> None:
    assert any(n / (w - n) > 3.0 for n, w in [(0.3, 0.4), (6.6, 8.8), (2.1, 2.8), (5.7, 7.6)])


def test_the_score_is_told_apart_from_the_probability() -> None:
    result = predict(PREDICTORS["loris-pan-cancer"].card.example, ["loris-pan-cancer"]).result
    assert isinstance(result, dict)
    score, response = result["predictions"]
    assert (score["unit"], response["unit"]) == ("score", "probability")
    assert score["interval"] is None
    assert response["interval"]["lower"] < response["value"] < response["interval"]["upper"]
    assert "not a probability" in score["note"]
