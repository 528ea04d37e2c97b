"""Asking every predictor: what is answered, what is not, and what is said with it."""

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import orjson
import pytest
from pydantic import ValidationError

from schemas.plan import Plan
from schemas.predictions import PredictionRequest, PredictionsResult
from service.covariates import COVARIATES, flatten
from service.errors import InvalidInput
from service.plan_covariates import GIVEN_BY, PLAN_COVARIATES, plan_covariates
from service.predictions import KIND, compute
from simulation.registry import PREDICTORS

EXAMPLE = json.loads((Path(__file__).parents[2] / "examples" / "predict_nsclc.json").read_text())


def changed(**members: Any) -> dict[str, Any]:
    """The example with members of the patient replaced, by dotted path with ``__``."""
    body: dict[str, Any] = json.loads(json.dumps(EXAMPLE))
    for path, value in members.items():
        *parents, last = path.split("__")
        node = body
        for parent in parents:
            node = node[parent]
        if value is None:
            node.pop(last)
        else:
            node[last] = value
    return body


def ask(body: dict[str, Any], models: list[str] | None = None) -> dict[str, Any]:
    request = PredictionRequest.model_validate_json(orjson.dumps({**body, **({"models": models} if models else {})}))
    computation = compute(request)
    result = PredictionsResult.model_validate_json(orjson.dumps(computation.result)).model_dump()
    return {
        **result,
        "warnings": [warning.model_dump() for warning in computation.warnings],
        "used": computation.models,
    }


def of(answer: dict[str, Any], model: str) -> list[dict[str, Any]]:
    return [read for read in answer["predictions"] if read["model"] == model]


def test_every_predictor_answers_or_says_why_not() -> None:
    answer = ask(EXAMPLE)
    answered = {read["model"] for read in answer["predictions"]}
    silent = {none["model"] for none in answer["not_applicable"]}
    assert not answered & silent
    assert answered | silent == {name for name, model in PREDICTORS.items() if not model.card.by_name_only}
    assert all(none["reason"] for none in answer["not_applicable"])
    assert [ref.id for ref in answer["used"]] == sorted(answered)


def test_the_silent_keep_their_order_whatever_silences_them() -> None:
    """Too few leukocytes for its neutrophils: one model notices only while it computes."""
    body = changed(patient__labs={**EXAMPLE["patient"]["labs"], "leukocytes_1e9_per_l": 1.0})
    silent = ask(body)["not_applicable"]
    places = [list(PREDICTORS).index(none["model"]) for none in silent]
    assert places == sorted(places)
    assert "leukocytes must exceed neutrophils" in next(none["reason"] for none in silent if none["model"] == "dnlr")
    last_first = [none["model"] for none in reversed(silent) if none["missing"] or none["model"] == "dnlr"]
    again = ask(body, models=last_first)["not_applicable"]
    assert [none["model"] for none in again] == last_first


def test_the_example_gets_score_and_probability() -> None:
    score, response = of(ask(EXAMPLE), "loris-pan-cancer")
    assert score["value"] == pytest.approx(0.407, abs=5e-4)
    assert response["value"] == pytest.approx(0.2108, abs=5e-4)
    assert response["interval"]["lower"] < response["value"] < response["interval"]["upper"]
    assert response["applicability"] == {"status": "inside", "reasons": []}
    assert {share["input"] for share in response["contributions"]} >= {"patient.labs.albumin_g_per_l"}
    assert any("10.1038/s43018-024-00772-7" in line for line in response["references"])


def test_same_request_same_bytes() -> None:
    request = PredictionRequest.model_validate_json(orjson.dumps(EXAMPLE))
    assert orjson.dumps(compute(request).result) == orjson.dumps(compute(request).result)


def test_nothing_is_imputed() -> None:
    answer = ask(changed(patient__labs__albumin_g_per_l=None))
    assert of(answer, "loris-pan-cancer") == []
    none = next(none for none in answer["not_applicable"] if none["model"] == "loris-pan-cancer")
    assert none["missing"] == ["patient.labs.albumin_g_per_l"]


def test_every_missing_member_can_be_sent() -> None:
    assert set(GIVEN_BY) == {row[0] for row in PLAN_COVARIATES}
    missing = set(GIVEN_BY.values())
    for body in ({"patient": {}}, {"patient": {}, "plan": {}}):
        missing.update(member for none in ask(body)["not_applicable"] for member in none["missing"])
    assert "plan.radiotherapy[].organs[].dvh (organ heart)" in missing
    document = PredictionRequest.model_json_schema()
    for member in missing:
        node: Any = document
        for part in member.split(" ")[0].split("."):
            node = _resolved(node, document)
            node = node.get("items", node)
            node = _resolved(node, document)["properties"][part.removesuffix("[]")]


def _resolved(node: Any, document: Any) -> Any:
    while "$ref" in node or "anyOf" in node:
        if "anyOf" in node:
            node = next(choice for choice in node["anyOf"] if choice.get("type") != "null")
        else:
            node = document["$defs"][node["$ref"].rsplit("/", 1)[1]]
    return node


def test_outside_the_derivation_range_is_answered_with_a_warning() -> None:
    answer = ask(changed(patient__labs__albumin_g_per_l=55.0))
    read = of(answer, "loris-pan-cancer")[0]
    assert read["applicability"]["status"] == "outside"
    assert "16 to 49 g/L" in read["applicability"]["reasons"][0]
    warning = next(w for w in answer["warnings"] if w["pointer"] == "/patient/labs/albumin_g_per_l")
    assert warning["code"] == "outside-derivation-range"
    assert "loris-pan-cancer" in warning["message"]
    assert "55" not in warning["message"]


def test_a_ratio_outside_the_cohort_is_told_although_each_count_is_usual() -> None:
    answer = ask(changed(patient__labs__neutrophils_1e9_per_l=18.0, patient__labs__lymphocytes_1e9_per_l=0.2))
    read = of(answer, "loris-pan-cancer")[0]
    assert read["applicability"]["status"] == "outside"
    assert "neutrophil-lymphocyte ratio" in read["applicability"]["reasons"][0]


def test_a_cancer_type_outside_the_list_is_an_extrapolation() -> None:
    read = of(ask(changed(patient__cancer_type="prostate")), "loris-pan-cancer")[0]
    assert read["applicability"]["status"] == "outside"
    listed = of(ask(changed(patient__cancer_type="sclc")), "loris-pan-cancer")[0]
    assert listed["applicability"]["status"] == "inside"
    assert read["value"] == pytest.approx(listed["value"], abs=0.001)


def test_a_model_of_one_disease_does_not_answer_for_another() -> None:
    answer = ask(changed(patient__cancer_type="melanoma"))
    assert of(answer, "loris-nsclc") == []
    with pytest.raises(InvalidInput) as refused:
        ask(changed(patient__cancer_type="melanoma"), ["loris-nsclc"])
    assert refused.value.errors[0]["pointer"] == "/patient/cancer_type"


def test_without_a_plan_the_answer_says_what_was_not_checked() -> None:
    read = of(ask(changed(plan=None)), "loris-pan-cancer")[0]
    assert read["applicability"]["status"] == "unknown"
    assert "plan.checkpoint_class" in read["applicability"]["reasons"][0]


def test_a_plan_without_immunotherapy_is_outside() -> None:
    read = of(ask(changed(plan__drugs=[])), "loris-pan-cancer")[0]
    assert read["applicability"]["status"] == "outside"


def test_models_by_name_keep_their_order_and_answer_once() -> None:
    answer = ask(EXAMPLE, ["nlr", "loris-pan-cancer-no-tmb", "nlr"])
    assert [read["model"] for read in answer["predictions"]] == ["nlr", "loris-pan-cancer-no-tmb"]
    assert answer["not_applicable"] == []
    assert "not-validated-on-patients" in {warning["code"] for warning in answer["warnings"]}


def test_an_unknown_model_is_refused_with_its_place() -> None:
    with pytest.raises(InvalidInput) as refused:
        ask(EXAMPLE, ["nlr", "no-such-model"])
    assert refused.value.errors[0]["pointer"] == "/models/1"
    assert "no-such-model" not in refused.value.errors[0]["message"]


@pytest.mark.parametrize("bad", [{"models": []}, {"models": ["UPPER"]}, {"patient": None}, {"other": 1}])
def test_bad_requests_are_refused(bad: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        PredictionRequest.model_validate_json(orjson.dumps({**EXAMPLE, **bad}))


def test_a_negative_trial_says_that_there_was_no_gain() -> None:
    body = changed(patient__cancer_type="head_and_neck")
    body["plan"]["drugs"][0]["agent"] = "nivolumab"
    reads = of(ask(body), "radiotherapy-mcbride")
    difference = next(read for read in reads if read["outcome"] == "out_of_field_response_difference")
    assert difference["interval"]["lower"] < 0 < difference["interval"]["upper"]
    assert "No gain" in difference["note"]


def test_covariates_of_the_plan() -> None:
    body = changed()
    body["plan"]["radiotherapy"] = [
        {
            "id": "a",
            "start_day": 0,
            "dose_per_fraction_gy": 2.0,
            "fraction_count": 30,
            "organs": [
                {"organ": "lung", "mean_dose_gy": 12.0},
                {
                    "organ": "heart",
                    "dvh": {
                        "kind": "differential",
                        "dose_gy": [0.0, 20.0],
                        "volume": [50.0, 50.0],
                        "volume_unit": "percent",
                    },
                },
            ],
        }
    ]
    body["plan"]["drugs"] = [
        {"agent": "nivolumab", "dose_mg": 240, "start_day": 50, "interval_days": 14, "dose_count": 2},
        {"agent": "ipilimumab", "dose_mg": 68, "start_day": 60, "dose_count": 1},
    ]
    request = PredictionRequest.model_validate_json(orjson.dumps(body))
    found = flatten(request.patient, request.plan)
    expected = {
        "plan.fraction_count": 30,
        "plan.dose_per_fraction_gy": 2.0,
        "plan.total_dose_gy": 60.0,
        "plan.mean_lung_dose_gy": 12.0,
        "plan.mean_heart_dose_gy": 10.0,
        "plan.mean_heart_eqd2_gy": pytest.approx(0.5 * 20 * (20 / 30 + 3) / 5),
        "plan.heart_d10_percent_gy": 20.0,
        "plan.drug_start_after_radiotherapy_days": 50.0 - 39.0,
        "plan.agents": "ipilimumab+nivolumab",
        "plan.checkpoint_class": "pd1_ctla4",
        "plan.drug_start_after_first_fraction_days": 50.0,
        "plan.ipilimumab_dose_mg_per_kg": 1.0,
        "plan.ipilimumab_dose_mg": 68,
        "plan.ipilimumab_dose_count": 1,
        "plan.with_chemotherapy": False,
    }
    assert {name: found[name] for name in expected} == expected
    assert "plan.mean_lung_eqd2_gy" not in found
    assert "plan.mean_body_dose_gy" not in found
    assert "plan.ipilimumab_interval_days" not in found


@pytest.mark.parametrize(
    ("drugs", "weight_kg", "expected"),
    [
        (
            [{"agent": "ipilimumab", "dose_mg": 100, "interval_days": 84, "dose_count": 4}],
            None,
            {"ipilimumab_dose_mg": 100, "ipilimumab_interval_days": 84, "ipilimumab_dose_count": 4},
        ),
        (
            [{"regimen": "ipilimumab-10-adjuvant"}],
            None,
            {"ipilimumab_dose_mg_per_kg": 10, "ipilimumab_interval_days": 21, "ipilimumab_dose_count": 16},
        ),
        (
            [{"regimen": "nivolumab-360-q3w-ipilimumab-1-q6w", "dose_count": 3}],
            70.0,
            {
                "ipilimumab_dose_mg": 70,
                "ipilimumab_dose_mg_per_kg": 1,
                "ipilimumab_interval_days": 42,
                "ipilimumab_dose_count": 2,
            },
        ),
        (
            [
                {"agent": "ipilimumab", "dose_mg": 100, "interval_days": 21, "dose_count": 2},
                {"agent": "ipilimumab", "dose_mg_per_kg": 3, "start_day": 31, "dose_count": 1},
            ],
            None,
            {"ipilimumab_interval_days": 10, "ipilimumab_dose_count": 3},
        ),
        (
            [{"regimen": "tremelimumab-300-durvalumab-1500-q4w"}],
            50.0,
            {"tremelimumab_dose_mg": 300, "tremelimumab_dose_mg_per_kg": 6, "tremelimumab_dose_count": 1},
        ),
        ([{"regimen": "pembrolizumab-200-q3w"}], 70.0, {}),
    ],
)
def test_what_a_plan_says_of_its_ctla4_antibodies(
    drugs: list[dict[str, Any]], weight_kg: float | None, expected: dict[str, float]
) -> None:
    found = plan_covariates(Plan.model_validate({"drugs": drugs}), weight_kg)
    given = {name: value for name, value in found.items() if "ipilimumab_" in name or "tremelimumab_" in name}
    assert given == {f"plan.{name}": value for name, value in expected.items()}


def test_an_organ_that_one_course_leaves_out_has_no_mean() -> None:
    body = changed()
    course = body["plan"]["radiotherapy"][0]
    body["plan"]["radiotherapy"].append({**course, "id": "second", "organs": []})
    request = PredictionRequest.model_validate_json(orjson.dumps(body))
    found = flatten(request.patient, request.plan)
    assert "plan.mean_lung_dose_gy" not in found
    assert found["plan.fraction_count"] == 6


def test_an_organ_given_twice_is_refused() -> None:
    body = changed()
    body["plan"]["radiotherapy"][0]["organs"] *= 2
    with pytest.raises(InvalidInput) as refused:
        ask(body)
    assert refused.value.errors[0]["pointer"] == "/plan/radiotherapy/0/organs/4/organ"


def test_an_unknown_regimen_is_refused() -> None:
    body = changed(plan__drugs=[{"regimen": "no-such-regimen"}])
    with pytest.raises(InvalidInput) as refused:
        ask(body)
    assert refused.value.errors[0]["pointer"] == "/plan/drugs/0/regimen"


def test_every_flat_name_is_in_the_vocabulary() -> None:
    request = PredictionRequest.model_validate_json(orjson.dumps(EXAMPLE))
    assert set(flatten(request.patient, request.plan)) <= set(COVARIATES)


@pytest.mark.parametrize("name", list(KIND.figures))
def test_pictures_are_svg_with_title_and_do_not_change(name: str) -> None:
    result = ask(EXAMPLE)
    drawn = KIND.figures[name](EXAMPLE, result)
    assert drawn == KIND.figures[name](EXAMPLE, result)
    root = ElementTree.fromstring(drawn)
    assert root.find("{http://www.w3.org/2000/svg}title") is not None
    empty = {"predictions": [], "not_applicable": []}
    assert ElementTree.fromstring(KIND.figures[name](EXAMPLE, empty)) is not None


def test_table_has_one_line_per_answer() -> None:
    result = ask(EXAMPLE)
    assert KIND.series is not None
    lines = KIND.series(EXAMPLE, result).splitlines()
    assert len(lines) == 1 + len(result["predictions"])
    assert lines[0].startswith("model,outcome,")


def test_examples_of_the_kind_are_valid() -> None:
    for body in KIND.examples.values():
        assert ask(dict(body))["predictions"]
