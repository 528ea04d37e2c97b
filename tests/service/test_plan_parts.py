"""What a model cannot represent of a plan is named, and decides no comparison."""

from typing import Any

import orjson
import pytest

from schemas.simulations import ComparisonRequest, ComparisonResult, PlanComparisonRead, SimulationRequest
from service import comparisons, simulations
from service.errors import InvalidInput
from simulation.tumor.interface import MODELS

PATIENT: dict[str, Any] = {
    "cancer_type": "nsclc",
    "weight_kg": 70,
    "prior_immunotherapy": "none",
    "labs": {"lymphocytes_1e9_per_l": 1.6},
    "lesions": [
        {"id": "a", "organ": "lung", "longest_diameter_mm": 40},
        {"id": "b", "organ": "liver", "longest_diameter_mm": 25},
    ],
}
PEM: dict[str, Any] = {"agent": "pembrolizumab", "dose_mg": 200, "interval_days": 21, "dose_count": 9}
NIVOLUMAB: dict[str, Any] = {"agent": "nivolumab", "dose_mg": 360, "interval_days": 21, "dose_count": 9}
RT: dict[str, Any] = {"id": "rt", "lesion_ids": ["a"], "fractions": [{"day": day, "dose_gy": 8} for day in (0, 2, 4)]}
AXI_CEL = {"product": "axicabtagene-ciloleucel", "day": 0, "dose_cells": 2e8}
T_VEC = {"product": "talimogene-laherparepvec", "days": [0, 21, 35]}
GROWTH_MODELS = ("chatterjee-2016", "claret-2009", "stein-growth-decay", "struemper-2025")


def compare_all(first: dict[str, Any], second: dict[str, Any], **changes: Any) -> ComparisonResult:
    body = {
        "patient": PATIENT, "plans": [{"id": "first", "plan": first}, {"id": "second", "plan": second}],
        "patients": 400, "horizon_days": 189, "seed": 3,
    } | changes  # fmt: skip
    result = comparisons.compute(ComparisonRequest.model_validate_json(orjson.dumps(body))).result
    assert isinstance(result, ComparisonResult)
    return result


def compare(first: dict[str, Any], second: dict[str, Any], **changes: Any) -> PlanComparisonRead:
    (compared,) = compare_all(first, second, **changes).comparisons
    return compared


def ignored(plan: dict[str, Any], model: str, **patient: Any) -> str:
    body = {"patient": PATIENT | patient, "plan": plan, "patients": 8, "horizon_days": 63, "models": [model]}
    answer: Any = simulations.compute(SimulationRequest.model_validate_json(orjson.dumps(body))).result
    return "; ".join(answer.simulations[0].ignored)


@pytest.mark.parametrize(
    ("model", "first", "second", "part"),
    [
        *((name, {"drugs": [PEM]}, {"drugs": [PEM], "radiotherapy": [RT]}, "radiotherapy") for name in GROWTH_MODELS),
        ("mueller-schoell-2021", {"drugs": [PEM]}, {"drugs": [PEM], "radiotherapy": [RT]}, "radiotherapy"),
        (
            "multi-lesion",
            {"drugs": [NIVOLUMAB]},
            {"drugs": [NIVOLUMAB, {"agent": "relatlimab", "dose_mg": 160, "interval_days": 28, "dose_count": 6}]},
            "other antibody",
        ),
        (
            "claret-2009",
            {"drugs": [PEM]},
            {"drugs": [PEM, {"agent": "ipilimumab", "dose_mg": 210, "interval_days": 21, "dose_count": 4}]},
            "CTLA-4 antibody",
        ),
        (
            "multi-lesion",
            {"radiotherapy": [RT]},
            {"radiotherapy": [RT | {"modality": "carbon"}]},
            "kind of radiation",
        ),
        (
            "multi-lesion",
            {"radiotherapy": [RT]},
            {"radiotherapy": [RT], "chemotherapy_with_radiotherapy": "concurrent"},
            "chemotherapy",
        ),
        (
            "multi-lesion",
            {"drugs": [PEM]},
            {"drugs": [PEM | {"dose_count": 4}, NIVOLUMAB | {"start_day": 84, "dose_count": 5}]},
            "second PD-(L)1 antibody",
        ),
        ("chatterjee-2016", {"drugs": [PEM]}, {"drugs": [PEM | {"agent": "avelumab"}]}, "PD-(L)1 antibody"),
        (
            "kosinsky-2018",
            {"radiotherapy": [RT]},
            {"radiotherapy": [RT | {"field_exposure": 3.0}]},
            "dose to blood and lymph nodes",
        ),
    ],
)
def test_a_difference_in_what_the_model_ignores_is_undetermined(
    model: str, first: dict[str, Any], second: dict[str, Any], part: str
) -> None:
    compared = compare(first, second, model=model)
    assert compared.verdict == "undetermined"
    assert compared.verdict_note is not None
    assert part in compared.verdict_note
    assert (compared.dominates, compared.dominated) == (None, None)
    assert all(row.better is None and row.number_needed_to_treat is None for row in compared.differences)
    turned = compare(second, first, model=model)
    assert turned.verdict == "undetermined"


@pytest.mark.parametrize("model", GROWTH_MODELS)
def test_a_difference_in_what_the_model_represents_is_judged(model: str) -> None:
    compared = compare({}, {"drugs": [PEM]}, model=model)
    assert compared.verdict_note is None
    assert compared.verdict == "expected gain"
    kosinsky = compare({"drugs": [PEM]}, {"drugs": [PEM], "radiotherapy": [RT]}, model="kosinsky-2018")
    assert kosinsky.verdict_note is None


def test_what_both_plans_have_does_not_keep_from_a_verdict() -> None:
    both = {"chemotherapy_with_radiotherapy": "concurrent", "radiotherapy": [RT | {"modality": "proton"}]}
    compared = compare(both, both | {"drugs": [PEM]}, horizon_days=364)
    assert compared.verdict == "expected gain"
    late = {"agent": "relatlimab", "dose_mg": 160, "start_day": 190, "dose_count": 1}
    assert compare({"drugs": [PEM]}, {"drugs": [PEM, late]}).verdict == "no expected gain"


@pytest.mark.parametrize(
    ("plan", "cancer_type", "part", "said"),
    [
        ({"cells": [AXI_CEL]}, "other", "cell infusion", "no quantitative source"),
        ({"vaccines": [T_VEC]}, "melanoma", "vaccine", "speculative"),
    ],
)
def test_an_effect_of_assumed_size_is_no_verdict(plan: dict[str, Any], cancer_type: str, part: str, said: str) -> None:
    patient = PATIENT | {"cancer_type": cancer_type}
    result = compare_all({"drugs": [PEM]}, {"drugs": [PEM]} | plan, patient=patient)
    (compared,) = result.comparisons
    assert compared.verdict == "undetermined"
    assert compared.verdict_note is not None
    assert part in compared.verdict_note
    assert all(row.number_needed_to_treat is None for row in compared.differences)
    assert any(said in note for note in result.plans[1].notes)
    assert not any(said in note for note in result.plans[0].notes)


@pytest.mark.parametrize(
    ("plan", "pointer"),
    [
        ({"cells": [AXI_CEL]}, "/plans/1/plan/cells/0/product"),
        ({"cells": [AXI_CEL | {"product": "ciltacabtagene-autoleucel"}]}, "/plans/1/plan/cells/0/product"),
        ({"vaccines": [T_VEC | {"product": "sipuleucel-t"}]}, "/plans/1/plan/vaccines/0/product"),
        ({"drugs": [PEM, PEM | {"start_day": -6}]}, "/plans/1/plan/drugs/1/start_day"),
        ({"vaccines": [{"product": "mrna-4157", "days": [3, -1]}]}, "/plans/1/plan/vaccines/0/days/1"),
    ],
)
@pytest.mark.parametrize("model", ["multi-lesion", "chatterjee-2016"])
def test_products_without_a_target_and_days_before_the_start_are_refused(
    model: str, plan: dict[str, Any], pointer: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        compare({}, plan, model=model)
    assert refused.value.errors[0]["pointer"] == pointer


def test_a_cell_infusion_before_the_start_is_refused() -> None:
    with pytest.raises(InvalidInput) as refused:
        compare({}, {"cells": [AXI_CEL | {"day": -1}]}, patient=PATIENT | {"cancer_type": "other"})
    assert refused.value.errors[0]["pointer"] == "/plans/1/plan/cells/0/day"


@pytest.mark.parametrize("model", sorted(MODELS))
def test_every_model_names_what_it_leaves_out(model: str) -> None:
    plan = {
        "radiotherapy": [RT | {"modality": "carbon"}],
        "drugs": [{"regimen": "nivolumab-360-q3w-chemotherapy"}],
        "chemotherapy_with_radiotherapy": "concurrent",
    }
    said = ignored(plan, model, biomarkers={"egfr_mutant": True})
    assert "chemotherapy concurrent with radiotherapy" in said
    assert "chemotherapy of the regimen nivolumab-360-q3w-chemotherapy" in said
    assert "carbon" in said or "radiotherapy" in said.replace("with radiotherapy", "")
    assert ("EGFR mutation" in said) == (model != "chatterjee-2016")
    if model in GROWTH_MODELS:
        assert "nivolumab by itself: the curve is that of" in said
    assert "chemotherapy" not in ignored({"drugs": [PEM]}, model)


def test_carbon_is_named_where_photons_are_simulated() -> None:
    for model in ("multi-lesion", "friedrich-2022", "kosinsky-2018"):
        assert "carbon" in ignored({"radiotherapy": [RT | {"modality": "carbon"}]}, model)
        assert "act as photons" not in ignored({"radiotherapy": [RT | {"modality": "electron"}]}, model)
