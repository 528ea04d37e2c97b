"""Complications of a plan, and the harm of one plan against another, as callers see them."""

from collections.abc import Sequence
from typing import Any

import orjson
import pytest

from schemas.dvh import DvhRequest
from schemas.simulations import ComparisonRequest, ComparisonResult, PlanComparisonRead, SimulationRequest
from service import comparisons, dvh, simulations
from service.harms import Harms, dominance
from service.kinds import Computation

LUNG = {
    "kind": "differential", "volume_unit": "percent", "total_volume_cm3": 1000,
    "dose_gy": [5, 10, 20, 30, 40, 50, 60, 66], "volume": [30, 20, 15, 10, 10, 8, 5, 2],
}  # fmt: skip
PATIENT: dict[str, Any] = {
    "cancer_type": "nsclc",
    "age_years": 70,
    "smoking_status": "current",
    "labs": {"lymphocytes_1e9_per_l": 1.6},
    "lesions": [{"id": "p", "organ": "lung", "longest_diameter_mm": 40}],
}
DURVALUMAB = {"agent": "durvalumab", "dose_mg": 1500, "start_day": 60, "interval_days": 28, "dose_count": 6}
COMPOSED = "appelt-immunotherapy-pneumonitis"
TOGETHER = "pneumonitis of radiotherapy and antibody together"


def course(dose_gy: float, count: int, organs: Sequence[Any] = ("lung",), **changes: Any) -> dict[str, Any]:
    return {
        "id": "rt",
        "lesion_ids": ["p"],
        "start_day": 0,
        "dose_per_fraction_gy": dose_gy,
        "fraction_count": count,
        "fractions_per_week": 5,
        "organs": [organ if isinstance(organ, dict) else {"organ": organ, "dvh": LUNG} for organ in organs],
    } | changes


CONVENTIONAL = {"radiotherapy": [course(2, 33)]}
STEREOTACTIC = {"radiotherapy": [course(18, 3)]}


def simulate(plan: dict[str, Any], **patient: Any) -> Computation:
    body = {"patient": PATIENT | patient, "plan": plan, "patients": 8, "horizon_days": 63}
    return simulations.compute(SimulationRequest.model_validate_json(orjson.dumps(body)))


def probabilities(plan: dict[str, Any], **patient: Any) -> dict[str, float]:
    return {row.model: row.probability.value for row in simulate(plan, **patient).result.complications}  # type: ignore[union-attr]


def compare(
    base: dict[str, Any], other: dict[str, Any], patients: int = 50, **patient: Any
) -> tuple[PlanComparisonRead, Computation]:
    body = {
        "patient": PATIENT | patient,
        "plans": [{"id": "a", "plan": base}, {"id": "b", "plan": other}],
        "patients": patients,
        "horizon_days": 189,
    }
    found = comparisons.compute(ComparisonRequest.model_validate_json(orjson.dumps(body)))
    assert isinstance(found.result, ComparisonResult)
    return found.result.comparisons[0], found


@pytest.mark.parametrize("fractions", [(2.0, 33), (18.0, 3)], ids=["conventional", "stereotactic"])
def test_only_models_of_the_fraction_size_answer(fractions: tuple[float, int]) -> None:
    dose_gy, count = fractions
    body = {
        "fraction_count": count, "prescribed_dose_gy": dose_gy * count, "factors": {"age_years": 70},
        "structures": [{"id": "l", "organ": "lung", "dvh": LUNG}],
    }  # fmt: skip
    judged = dvh.compute(DvhRequest.model_validate_json(orjson.dumps(body))).result
    answers = [*judged.structures[0].complications, *judged.clinical_models]  # type: ignore[union-attr]
    outside = {one.model for one in answers if one.applicability == "outside"}
    found = simulate({"radiotherapy": [course(dose_gy, count)]})
    answered = {row.model for row in found.result.complications}  # type: ignore[union-attr]
    assert answered
    assert outside
    assert not answered & outside
    assert answered | {COMPOSED} == {one.model for one in answers} - outside | {COMPOSED}
    (warning,) = [one for one in found.warnings if "fitted to other fraction sizes" in one.message]
    assert (warning.code, warning.pointer) == ("outside-derivation-range", "/plan/radiotherapy/0")
    assert all(name in warning.message for name in outside - {COMPOSED})
    assert not {model.id for model in found.models} & outside


def test_large_fractions_are_warned_about() -> None:
    assert "lq-beyond-validity" in {one.code for one in simulate(STEREOTACTIC).warnings}


def test_a_long_course_is_judged_by_its_fractions() -> None:
    assert "seppenwoolde-pneumonitis" in probabilities({"radiotherapy": [course(2, 150)]})


def test_conditions_of_the_patient_enter_the_models() -> None:
    plain = probabilities(CONVENTIONAL)["appelt-pneumonitis"]
    conditions = {"pulmonary_comorbidity": True, "tumor_in_mid_or_lower_lobe": True}
    loaded = probabilities(CONVENTIONAL, conditions=conditions)["appelt-pneumonitis"]
    assert plain == pytest.approx(0.1575, abs=1e-4)
    assert loaded == pytest.approx(0.442, abs=1e-3)
    assert loaded / (1 - loaded) == pytest.approx(2.27 * 1.87 * plain / (1 - plain))


@pytest.mark.parametrize(
    ("patient", "plan", "model", "ratio"),
    [
        ({}, {"chemotherapy_with_radiotherapy": "sequential"}, "appelt-pneumonitis", 1.60),
        ({}, {"chemotherapy_with_radiotherapy": "concurrent"}, "huang-esophagitis", 4.4817),
        ({"clinical_t_stage": "T4"}, {}, "wijsman-esophagitis", 2.7020),
        ({"sex": "female"}, {}, "wijsman-esophagitis", 3.3334),
    ],
)
def test_factors_of_plan_and_patient_multiply_the_odds(
    patient: dict[str, Any], plan: dict[str, Any], model: str, ratio: float
) -> None:
    both = {"radiotherapy": [course(2, 33, ("lung", "esophagus"))]}
    before, after = probabilities(both)[model], probabilities(both | plan, **patient)[model]
    assert after / (1 - after) == pytest.approx(ratio * before / (1 - before), rel=1e-3)


def test_factors_that_were_left_out_are_named() -> None:
    found = simulate(CONVENTIONAL)
    appelt = next(row for row in found.result.complications if row.model == "appelt-pneumonitis")  # type: ignore[union-attr]
    assert appelt.assumed == ["pulmonary_comorbidity", "middle_or_lower_lobe", "sequential_chemotherapy"]
    assert ("assumed-factor", "/patient") in {(one.code, one.pointer) for one in found.warnings}
    conditions = {"pulmonary_comorbidity": False, "tumor_in_mid_or_lower_lobe": False}
    full = simulate(CONVENTIONAL | {"chemotherapy_with_radiotherapy": "none"}, conditions=conditions)
    assert "assumed-factor" not in {one.code for one in full.warnings}


def test_the_composed_model_answers_only_with_an_antibody() -> None:
    assert COMPOSED not in probabilities(CONVENTIONAL)
    found = probabilities(CONVENTIONAL | {"drugs": [DURVALUMAB]})
    alone = found["appelt-pneumonitis"]
    assert found[COMPOSED] / (1 - found[COMPOSED]) == pytest.approx(2.43 * alone / (1 - alone))
    early = simulate(CONVENTIONAL | {"drugs": [DURVALUMAB | {"start_day": 0}]})
    assert COMPOSED not in {row.model for row in early.result.complications}  # type: ignore[union-attr]
    assert "antibody-left-out" in {one.code for one in early.warnings}


def test_the_pneumonitis_of_an_added_antibody_is_compared() -> None:
    both = CONVENTIONAL | {"drugs": [DURVALUMAB]}
    compared, found = compare(CONVENTIONAL, both)
    (row,) = [row for row in compared.harms if row.model == COMPOSED]
    assert row.reference.value == pytest.approx(0.1575, abs=1e-4)
    assert row.plan.value == pytest.approx(0.312, abs=1e-3)
    assert row.difference.value == pytest.approx(row.plan.value - row.reference.value, abs=1e-9)
    assert row.difference.interval is None
    assert any("Stoffers" in source for source in row.sources)
    assert any("evidence assumed" in note for note in row.notes)
    assert any("0.219 with the odds ratio 1.50 of PACIFIC" in note for note in row.notes)
    assert COMPOSED in {model.id for model in found.models}
    assert compared.harms_unknown == []
    turned, _ = compare(both, CONVENTIONAL)
    (back,) = [row for row in turned.harms if row.model == COMPOSED]
    assert back.difference.value == -row.difference.value
    assert {one.model for one in compared.harms} == {COMPOSED, "irae-incidence"}


def test_the_composed_harm_decides_dominance() -> None:
    compared, _ = compare(CONVENTIONAL, CONVENTIONAL | {"drugs": [DURVALUMAB]})
    pneumonitis = Harms(tuple(row for row in compared.harms if row.model == COMPOSED), ())
    dominates, note = dominance(True, False, pneumonitis, 1.0)
    assert dominates is False
    assert note is not None
    assert "pneumonitis" in note
    assert dominance(True, False, pneumonitis, -1.0) == (True, None)


@pytest.mark.parametrize(
    ("drug", "reason"),
    [
        ({"start_day": 600}, "1 to 42 d after the last fraction"),
        ({"start_day": 0}, "1 to 42 d after the last fraction"),
        ({"agent": "ipilimumab", "dose_mg": 240, "dose_count": 4}, "PD-1 or PD-L1 alone"),
    ],
)
def test_an_antibody_that_the_odds_do_not_cover_leaves_dominance_open(drug: dict[str, Any], reason: str) -> None:
    compared, _ = compare(CONVENTIONAL, CONVENTIONAL | {"drugs": [DURVALUMAB | drug]})
    assert COMPOSED not in {row.model for row in compared.harms}
    (unknown,) = [one for one in compared.harms_unknown if one.startswith(TOGETHER)]
    assert reason in unknown
    harms = Harms((), tuple(compared.harms_unknown))
    assert dominance(True, False, harms, 1.0)[0] is None


@pytest.mark.parametrize(
    "radiotherapy",
    [
        [course(18, 3, start_day=30)],
        [course(2, 33, [])],
        [course(2, 33, [{"organ": "lung", "mean_dose_gy": 15}])],
        [course(2, 33, ("esophagus",))],
        [course(2, 30), course(2, 3, id="boost", start_day=42)],
    ],
    ids=["stereotactic", "no organs", "mean dose", "without the lung", "two courses"],
)
def test_the_harm_of_both_together_is_known_or_named(radiotherapy: list[dict[str, Any]]) -> None:
    plan = {"radiotherapy": radiotherapy}
    compared, _ = compare(plan, plan | {"drugs": [DURVALUMAB]})
    assert COMPOSED not in {row.model for row in compared.harms}
    assert any(one.startswith(TOGETHER) for one in compared.harms_unknown)


def test_far_from_the_lung_and_for_the_same_antibody_there_is_nothing_to_name() -> None:
    away = {"lesions": [{"id": "p", "organ": "larynx", "longest_diameter_mm": 40}]}
    plan = {"radiotherapy": [course(2, 33, ("parotid",))]}
    compared, _ = compare(plan, plan | {"drugs": [DURVALUMAB]}, **away)
    assert compared.harms_unknown == []
    doubled = DURVALUMAB | {"dose_count": 12}
    compared, _ = compare(CONVENTIONAL | {"drugs": [DURVALUMAB]}, CONVENTIONAL | {"drugs": [doubled]})
    assert (compared.harms, compared.harms_unknown) == ([], [])


def test_a_pd_1_antibody_says_whose_odds_ratio_it_has() -> None:
    pembrolizumab = DURVALUMAB | {"agent": "pembrolizumab", "dose_mg": 200}
    compared, _ = compare(CONVENTIONAL, CONVENTIONAL | {"drugs": [pembrolizumab]})
    (row,) = [row for row in compared.harms if row.model == COMPOSED]
    assert any("that of durvalumab" in note for note in row.notes)


def test_fraction_sizes_without_a_common_model_are_not_compared() -> None:
    compared, _ = compare(STEREOTACTIC, CONVENTIONAL)
    assert compared.harms == []
    assert any("jackson-pneumonitis-g2-lung" in reason for reason in compared.harms_unknown)
    assert any("appelt-pneumonitis" in reason for reason in compared.harms_unknown)


def test_a_harm_whose_models_are_all_outside_is_named() -> None:
    plans = ({"radiotherapy": [course(dose_gy, 3, ("lung", "heart"))]} for dose_gy in (18, 16))
    compared, _ = compare(*plans)
    assert {reason.split(":")[0] for reason in compared.harms_unknown} == {
        "pericarditis (heart)", "late cardiac mortality (heart)",
    }  # fmt: skip
    assert {"pneumonitis" in row.harm for row in compared.harms} == {True}


def test_chemotherapy_in_one_plan_only_is_named() -> None:
    compared, _ = compare(CONVENTIONAL, CONVENTIONAL | {"chemotherapy_with_radiotherapy": "sequential"})
    assert {row.model for row in compared.harms} == {"appelt-pneumonitis"}
    assert any("chemotherapy" in reason for reason in compared.harms_unknown)


def test_every_organ_harm_has_its_source() -> None:
    compared, _ = compare({}, CONVENTIONAL)
    assert compared.harms
    assert all(row.sources for row in compared.harms)
