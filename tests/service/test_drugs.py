"""Antibody exposure: requests as users write them, warnings, errors, pictures, series."""

import csv
import io
import json
from typing import Any
from xml.etree import ElementTree

import pytest
from pydantic import ValidationError

from schemas.drugs import DrugsRequest, DrugsResult
from service import drugs
from service.errors import InvalidInput

NIVOLUMAB = {"agent": "nivolumab", "dose_mg": 480.0, "interval_days": 28.0, "dose_count": 3}


def run(**body: Any) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    done = drugs.compute(DrugsRequest.model_validate(body))
    assert isinstance(done.result, DrugsResult)
    result = done.result.model_dump(mode="json")
    DrugsResult.model_validate(result)
    return result, [warning.model_dump() for warning in done.warnings]


def agent(result: dict[str, Any], name: str) -> dict[str, Any]:
    return next(entry for entry in result["agents"] if entry["agent"] == name)


def table(record: dict[str, Any]) -> dict[str, Any]:
    return {"agent": "nivolumab", "records": [record]}


@pytest.mark.parametrize("name", list(drugs.KIND.examples))
def test_examples_answer_draw_and_list(name: str) -> None:
    body = dict(drugs.KIND.examples[name])
    result, _ = run(**body)
    picture = drugs.KIND.figures["concentration"](body, result)
    assert ElementTree.fromstring(picture).tag.endswith("svg")
    assert picture == drugs.KIND.figures["concentration"](body, json.loads(json.dumps(result)))
    assert drugs.KIND.series is not None
    rows = list(csv.reader(io.StringIO(drugs.KIND.series(body, result))))
    assert rows[0][:3] == ["agent", "time_days", "concentration_mg_per_l"]
    assert len(rows) > 5
    assert run(**body)[0] == result


def test_missing_covariates_stay_at_the_reference_with_a_warning() -> None:
    result, warnings = run(drugs=[NIVOLUMAB], patient={"weight_kg": 80.0})
    missing = {warning["pointer"] for warning in warnings if warning["code"] == "covariate-at-reference"}
    assert {"/patient/sex", "/patient/ecog", "/patient/labs/egfr_ml_per_min"} <= missing
    origins = {row["name"]: row["origin"] for row in agent(result, "nivolumab")["covariates"]}
    assert origins["weight_kg"] == "given"
    assert origins["egfr_ml_per_min"] == "reference"
    assert agent(result, "nivolumab")["parameters"]["cl_l_per_day"] == pytest.approx(0.2592)


def test_patient_covariates_reach_the_model() -> None:
    patient = {
        "weight_kg": 60.0,
        "height_cm": 160.0,
        "sex": "female",
        "ecog": 1,
        "cancer_type": "nsclc",
        "labs": {"albumin_g_per_l": 35.0, "egfr_ml_per_min": 70.0},
        "lesions": [{"id": "a", "organ": "lung", "longest_diameter_mm": 60.0}],
    }
    pembrolizumab = {"agent": "pembrolizumab", "dose_mg": 200.0, "dose_count": 1}
    result, _ = run(drugs=[pembrolizumab], patient=patient, covariates={"prior_ipilimumab": True})
    expected = 0.22 * (60 / 76.8) ** 0.595 * (35 / 39.6) ** -0.907 * (60 / 89.6) ** 0.0872 * (70 / 88.47) ** 0.135
    expected *= (1 - 0.152) * (1 + 0.145) * (1 - 0.0739) * (1 + 0.140)
    assert agent(result, "pembrolizumab")["parameters"]["cl_l_per_day"] == pytest.approx(expected)


def test_partners_in_the_plan_set_the_combination_terms() -> None:
    both = [{"regimen": "nivolumab-1-ipilimumab-3-then-480-q4w", "dose_count": 4}]
    result, _ = run(drugs=both, patient={"weight_kg": 80.0})
    nivolumab = {row["name"]: row["value"] for row in agent(result, "nivolumab")["covariates"]}
    assert nivolumab["with_ipilimumab_3_mg_per_kg_q3w"] == 1.0
    assert nivolumab["with_ipilimumab_1_mg_per_kg_q6w"] == 0.0
    assert agent(result, "ipilimumab")["parameters"]["emax"] == pytest.approx(-0.2664)
    stride, _ = run(drugs=[{"regimen": "tremelimumab-300-durvalumab-1500-q4w", "dose_count": 2}])
    assert agent(stride, "tremelimumab")["model"] == "pk-tremelimumab-hwang2022-durvalumab"
    alone, _ = run(drugs=[{"agent": "tremelimumab", "dose_mg": 300.0, "dose_count": 1}])
    assert agent(alone, "tremelimumab")["parameters"]["emax"] > 0
    chemo, _ = run(drugs=[{"regimen": "durvalumab-gemcitabine-cisplatin", "dose_count": 2}])
    assert {row["name"]: row["value"] for row in agent(chemo, "durvalumab")["covariates"]}["with_chemotherapy"] == 1.0


def test_missed_and_late_doses_lower_the_concentration_until_they_are_made_up() -> None:
    def last(days: list[float], until: float) -> float:
        records = [{"time_days": day, "amt_mg": 200.0, "rate_mg_per_day": 9600.0} for day in days]
        tables = [{"agent": "pembrolizumab", "records": records}]
        result, _ = run(event_tables=tables, horizon_days=until)
        return float(agent(result, "pembrolizumab")["profile"]["concentration_mg_per_l"][-1])

    regular, late, missed = [0.0, 21.0, 42.0, 63.0], [0.0, 21.0, 49.0, 63.0], [0.0, 21.0, 63.0]
    assert last(late, 49.0) == last(missed, 49.0) < last(regular, 49.0)
    assert last(missed, 84.0) < last(regular, 84.0) < last(late, 84.0)


def test_an_event_table_and_the_course_that_it_spells_out_agree() -> None:
    records = [{"time_days": 0.0, "amt_mg": 480.0, "rate_mg_per_day": 23040.0, "ii_days": 28.0, "addl": 2}]
    spelled_out, _ = run(event_tables=[{"agent": "nivolumab", "records": records}])
    course, _ = run(drugs=[NIVOLUMAB])
    for member in ("profile", "cycles", "steady_state"):
        assert agent(spelled_out, "nivolumab")[member] == agent(course, "nivolumab")[member]


@pytest.mark.parametrize("rate", [0.0, 3840.0])
@pytest.mark.parametrize("subject", ["typical", "population"])
def test_metrics_do_not_depend_on_the_step_of_the_output(rate: float, subject: str) -> None:
    record = {"time_days": 0.0, "amt_mg": 240.0, "rate_mg_per_day": rate, "ii_days": 21.0, "addl": 3}
    body = {
        "patient": {"weight_kg": 80.0},
        "event_tables": [{"agent": "ipilimumab", "records": [record]}],
        "targets": [{"agent": "ipilimumab", "concentration_mg_per_l": 40.0}],
        "subject": subject,
        "population": {"count": 50},
    }
    found = [agent(run(**body, output_step_days=step)[0], "ipilimumab") for step in (0.5, 1.0, 7.0, 21.0)]
    maxima = [[cycle["maximum_mg_per_l"]["value"] for cycle in one["cycles"]] for one in found]
    above = [one["target"]["days_above"]["value"] for one in found]
    assert all(one == pytest.approx(maxima[0], rel=1e-5) for one in maxima)
    assert above == pytest.approx([above[0]] * 4, rel=1e-5)
    if subject == "typical":
        assert above[0] == pytest.approx(14.86, abs=0.02)
        if rate == 0.0:
            assert maxima[0][0] == pytest.approx(240.0 / found[0]["parameters"]["vc_l"])


@pytest.mark.parametrize(
    ("drug", "start", "short", "length", "trough"),
    [
        ({"regimen": "dostarlimab-500-q3w-1000-q6w", "dose_count": 7}, 84.0, 100.0, 42.0, 70.34),
        ({"agent": "durvalumab", "dose_mg": 1500.0, "interval_days": 28.0, "dose_count": 6}, 0.0, 10.0, 28.0, 62.81),
    ],
)
def test_a_cycle_ends_with_the_next_planned_dose(
    drug: dict[str, Any], start: float, short: float, length: float, trough: float
) -> None:
    for horizon in (short, 130.0):
        result, _ = run(drugs=[drug], horizon_days=horizon)
        cycle = next(one for one in result["agents"][0]["cycles"] if one["start_day"] == start)
        assert cycle["length_days"] == length
        assert cycle["trough_mg_per_l"]["value"] == pytest.approx(trough, abs=0.01)
        assert result["agents"][0]["profile"]["time_days"][-1] == horizon


def test_observation_records_are_answered() -> None:
    records = [{"time_days": 0.0, "amt_mg": 480.0}, {"time_days": 3.21, "evid": 0}]
    result, _ = run(event_tables=[{"agent": "nivolumab", "records": records}], output_step_days=30.0)
    assert 3.21 in agent(result, "nivolumab")["profile"]["time_days"]


def test_steady_state_flag_is_for_constant_clearance_only() -> None:
    records = [{"time_days": 0.0, "amt_mg": 200.0, "ii_days": 21.0, "ss": 1}]
    result, _ = run(event_tables=[{"agent": "pembrolizumab", "records": records}], horizon_days=21.0)
    curve = agent(result, "pembrolizumab")["profile"]["concentration_mg_per_l"]
    assert curve[0] == pytest.approx(curve[-1], rel=1e-6)
    with pytest.raises(InvalidInput) as wrong:
        run(event_tables=[{"agent": "nivolumab", "records": records}])
    assert wrong.value.errors[0]["pointer"] == "/event_tables/0/records/0/ss"


def test_avelumab_says_that_it_misses_the_label() -> None:
    result, warnings = run(drugs=[{"regimen": "avelumab-800-q2w", "dose_count": 3}])
    assert "model-misses-label" in {warning["code"] for warning in warnings}
    assert any("misses the label" in note for note in agent(result, "avelumab")["notes"])
    half_life = agent(result, "avelumab")["parameters"]["terminal_half_life_days"]
    assert half_life == pytest.approx(4.34, abs=0.05)
    assert half_life < 0.8 * 6.1


def test_relatlimab_is_label_level_only() -> None:
    result, warnings = run(drugs=[{"regimen": "nivolumab-480-relatlimab-160-q4w", "dose_count": 3}])
    relatlimab = agent(result, "relatlimab")
    assert relatlimab["status"] == "label_level"
    assert relatlimab["profile"] is None
    assert relatlimab["steady_state"]["average_mg_per_l"]["value"] == pytest.approx(29.87, abs=0.01)
    assert "label-level-only" in {warning["code"] for warning in warnings}
    only, _ = run(drugs=[{"agent": "relatlimab", "dose_mg": 160.0, "dose_count": 1}])
    assert agent(only, "relatlimab")["steady_state"] is None
    picture = drugs.KIND.figures["concentration"]({}, only)
    assert b"label figures" in picture


def test_one_drawn_patient_depends_on_the_seed() -> None:
    first, _ = run(drugs=[NIVOLUMAB], subject="individual", seed=1)
    again, _ = run(drugs=[NIVOLUMAB], subject="individual", seed=1)
    other, _ = run(drugs=[NIVOLUMAB], subject="individual", seed=2)
    typical, _ = run(drugs=[NIVOLUMAB])
    assert first == again
    assert first["agents"][0]["profile"] != other["agents"][0]["profile"]
    assert first["agents"][0]["profile"] != typical["agents"][0]["profile"]


def test_population_bands_are_ordered_and_hold_the_typical_patient() -> None:
    body = {"drugs": [NIVOLUMAB], "output_step_days": 7.0}
    result, _ = run(**body, subject="population", population={"count": 800}, seed=3)
    typical, _ = run(**body)
    profile = agent(result, "nivolumab")["profile"]
    bands = {band["percent"]: band["concentration_mg_per_l"] for band in profile["bands"]}
    for low, high in ((5.0, 25.0), (25.0, 50.0), (50.0, 75.0), (75.0, 95.0)):
        assert all(a <= b for a, b in zip(bands[low], bands[high], strict=True))
    middle = agent(typical, "nivolumab")["profile"]["concentration_mg_per_l"]
    assert all(a <= b <= c for a, b, c in zip(bands[5.0], middle, bands[95.0], strict=True))
    cycle = agent(result, "nivolumab")["cycles"][0]
    assert cycle["trough_mg_per_l"]["interval"]["lower"] < cycle["trough_mg_per_l"]["value"]


def test_doses_by_weight_follow_the_drawn_weight() -> None:
    spread = {"covariate": "weight_kg", "distribution": "lognormal", "center": 80.0, "spread": 0.3, "low": 40.0}
    per_kg = {"agent": "ipilimumab", "dose_mg_per_kg": 3.0, "interval_days": 21.0, "dose_count": 4}
    population = {"count": 500, "covariates": [spread]}
    result, _ = run(drugs=[per_kg], subject="population", population=population, output_step_days=21.0)
    assert agent(result, "ipilimumab")["doses"][0]["amount_mg"] == 240.0
    assert {row["name"]: row["origin"] for row in agent(result, "ipilimumab")["covariates"]}["weight_kg"] == "drawn"
    assert agent(result, "ipilimumab")["steady_state"]["accumulation_ratio"]["interval"] is not None
    assert agent(result, "ipilimumab")["target"]["days_above"]["interval"] is not None


def test_the_spread_of_a_logarithm_is_bounded() -> None:
    """A deviation of a million, right for an amount, would overflow as one of a logarithm."""
    spread = {"covariate": "weight_kg", "distribution": "lognormal", "center": 80.0, "low": 40.0}
    drug = {"agent": "ipilimumab", "dose_mg": 200.0, "dose_count": 1}
    with pytest.raises(ValidationError, match="SD of the logarithm"):
        run(drugs=[drug], subject="population", population={"count": 20, "covariates": [{**spread, "spread": 3.1}]})
    result, _ = run(
        drugs=[drug], subject="population", population={"count": 20, "covariates": [{**spread, "spread": 3}]}
    )
    assert agent(result, "ipilimumab")["profile"]["bands"]


def test_saturable_models_answer_and_limit_the_population() -> None:
    body = {
        "drugs": [{"agent": "durvalumab", "dose_mg": 1500.0, "interval_days": 28.0, "dose_count": 3}],
        "models": [{"agent": "durvalumab", "model": "pk-durvalumab-baverel2018"}],
        "output_step_days": 14.0,
    }
    result, _ = run(**body)
    assert agent(result, "durvalumab")["steady_state"]["trough_mg_per_l"]["value"] > 50.0
    many, _ = run(**body, subject="population", population={"count": 20})
    assert agent(many, "durvalumab")["steady_state"] is None
    with pytest.raises(InvalidInput, match="saturable"):
        run(**body, subject="population", population={"count": 5000})


def test_target_and_occupancy() -> None:
    own = [{"agent": "nivolumab", "concentration_mg_per_l": 25.0}]
    result, _ = run(drugs=[NIVOLUMAB], targets=own)
    target = agent(result, "nivolumab")["target"]
    assert target["source"] == "request"
    assert 0.0 < target["share_above"] < 1.0
    pembrolizumab, _ = run(drugs=[{"regimen": "pembrolizumab-200-q3w", "dose_count": 3}])
    occupancy = agent(pembrolizumab, "pembrolizumab")["occupancy"]
    assert occupancy["half_maximal_mg_per_l"] == 0.535
    assert 0.9 < occupancy["at_last_trough"] <= 0.961
    assert agent(pembrolizumab, "pembrolizumab")["target"] is None


def test_models_without_variability_say_so() -> None:
    model = [{"agent": "atezolizumab", "model": "pk-atezolizumab-stroh2017"}]
    drug = {"agent": "atezolizumab", "dose_mg": 1200.0, "dose_count": 1}
    _, warnings = run(drugs=[drug], models=model, subject="individual")
    assert "no-variability" in {warning["code"] for warning in warnings}


def test_impossible_drawn_covariates_are_named() -> None:
    spread = {"covariate": "ldh_u_per_l", "distribution": "normal", "center": 0.5, "spread": 0.0, "low": 0.1}
    drug = {"agent": "ipilimumab", "dose_mg": 240.0, "dose_count": 1}
    with pytest.raises(InvalidInput) as wrong:
        run(drugs=[drug], subject="population", population={"count": 10, "covariates": [spread]})
    assert wrong.value.errors[0]["pointer"] == "/population/covariates"


def test_children_are_an_extrapolation() -> None:
    _, warnings = run(drugs=[NIVOLUMAB], patient={"age_years": 12.0})
    assert ("outside-derivation-range", "/patient/age_years") in {(w["code"], w["pointer"]) for w in warnings}
    _, warnings = run(drugs=[NIVOLUMAB], patient={"weight_kg": 25.0})
    assert ("outside-derivation-range", "/patient/weight_kg") in {(w["code"], w["pointer"]) for w in warnings}


@pytest.mark.parametrize(
    ("name", "value", "warned"),
    [
        ("albumin_g_per_l", 55.0, False),
        ("albumin_g_per_l", 55.1, True),
        ("albumin_g_per_l", 19.9, True),
        ("albumin_g_per_l", 40.0, False),
    ],
)
def test_values_that_trials_rarely_enroll_are_warned_about(name: str, value: float, warned: bool) -> None:
    body = {"drugs": [{"agent": "atezolizumab", "dose_mg": 1200.0, "dose_count": 1}]}
    _, warnings = run(**body, patient={"weight_kg": 75.0, "labs": {name: value}})
    assert (("outside-usual-range", f"/patient/labs/{name}") in {(w["code"], w["pointer"]) for w in warnings}) == warned


@pytest.mark.parametrize(("albumin", "held"), [(64.0, False), (66.0, True), (80.0, True)])
def test_a_linear_term_that_is_held_is_said(albumin: float, held: bool) -> None:
    _, warnings = run(
        drugs=[{"agent": "durvalumab", "dose_mg": 1500.0, "dose_count": 1}],
        models=[{"agent": "durvalumab", "model": "pk-durvalumab-baverel2018"}],
        patient={"labs": {"albumin_g_per_l": albumin}},
    )
    assert ("covariate-term-held" in {w["code"] for w in warnings}) == held


def test_parameters_that_were_not_read_in_the_paper_are_marked() -> None:
    result, _ = run(drugs=[NIVOLUMAB])
    assert agent(result, "nivolumab")["source"].endswith("(values not read in the paper itself)")
    assert "doi:10.1002/psp4.12476" in agent(result, "nivolumab")["source"]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        (
            {"drugs": [NIVOLUMAB], "patient": {"labs": {"ldh_u_per_l": 0.9}}},
            "/patient/labs/ldh_u_per_l",
        ),
        ({"drugs": [{"agent": "ipilimumab", "dose_mg_per_kg": 3.0, "dose_count": 1}]}, "/patient/weight_kg"),
        ({"drugs": [{"regimen": "ipilimumab-3-q3w"}]}, "/patient/weight_kg"),
        ({"drugs": [{"regimen": "nothing"}]}, "/drugs/0/regimen"),
        ({"drugs": [NIVOLUMAB], "models": [{"agent": "nivolumab", "model": "pk-x"}]}, "/models/0/model"),
        ({"drugs": [NIVOLUMAB], "horizon_days": 3650.0, "output_step_days": 0.05}, "/output_step_days"),
        ({"drugs": [{**NIVOLUMAB, "start_day": 90.0}], "horizon_days": 50.0}, "/horizon_days"),
        (
            {"drugs": [NIVOLUMAB], "event_tables": [table({"time_days": 0.0, "amt_mg": 9.0})]},
            "/event_tables/0/agent",
        ),
        ({"event_tables": [table({"time_days": 0.0, "evid": 0})]}, "/event_tables/0/records"),
        (
            {"event_tables": [table({"time_days": 0.0, "amt_mg": 9.0, "addl": 2})]},
            "/event_tables/0/records/0/ii_days",
        ),
        (
            {"drugs": [NIVOLUMAB], "subject": "population", "population": {"count": 100000}, "output_step_days": 0.1},
            "/output_step_days",
        ),
        (
            {
                "drugs": [{**NIVOLUMAB, "interval_days": 14.0, "dose_count": 85}],
                "targets": [{"agent": "nivolumab", "concentration_mg_per_l": 20.0}],
                "subject": "population",
                "population": {"count": 100000},
                "output_step_days": 90.0,
            },
            "/population/count",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_computed_is_named(body: dict[str, Any], pointer: str) -> None:
    with pytest.raises(InvalidInput) as wrong:
        run(**body)
    assert wrong.value.errors[0]["pointer"] == pointer


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"drugs": [NIVOLUMAB], "targets": [{"agent": "nivolumab", "concentration_mg_per_l": 1.0}] * 2},
        {
            "drugs": [NIVOLUMAB],
            "population": {"covariates": [{"covariate": "weight_kg", "distribution": "normal", "center": 70.0}]},
        },
        {
            "drugs": [NIVOLUMAB],
            "population": {"covariates": [{"covariate": "female", "distribution": "indicator", "center": 2.0}]},
        },
    ],
)
def test_requests_that_do_not_fit_are_refused(body: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        DrugsRequest.model_validate(body)


def test_answers_say_that_more_drug_is_not_a_better_outcome() -> None:
    result, _ = run(drugs=[NIVOLUMAB])
    assert any("not a better outcome" in note for note in result["notes"])
    ipilimumab, _ = run(drugs=[{"agent": "ipilimumab", "dose_mg": 240.0, "dose_count": 1}])
    assert not any("not a better outcome" in note for note in ipilimumab["notes"])
