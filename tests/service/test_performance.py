"""Local performance from stored runs and outcomes."""

import itertools
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from schemas.outcomes import OutcomeRequest
from schemas.performance import EndpointPerformance, ModelPerformance
from service.errors import NotFound
from service.performance import MINIMUM_EVENTS, MINIMUM_PATIENTS, assess
from service.performance_groups import shown_parts
from service.performance_pictures import draw
from service.performance_records import content_of, value_of


@dataclass(frozen=True)
class Stored:
    run_id: str
    kind: str
    day: float
    value: str
    run_created_at: str
    input: bytes
    result: bytes | None
    model_version: str = "1.0.0"


def stored(number: int, outcome: dict[str, Any], probability: float, **patient: Any) -> Stored:
    event = OutcomeRequest.model_validate(outcome)
    score = {"outcome": "loris_score", "unit": "score", "value": probability, "horizon_days": None}
    response = {"outcome": "objective_response", "unit": "probability", "value": probability, "horizon_days": None}
    other = {"model": "other", "outcome": "objective_response", "unit": "probability", "value": 0.5}
    predictions = [{"model": "m", **score}, {"model": "m", **response}, {**other, "horizon_days": None}]
    return Stored(
        run_id=f"run-{number}",
        kind=event.kind,
        day=event.day,
        value=value_of(event),
        run_created_at=f"2026-01-01T00:{number // 60:02d}:{number % 60:02d}.000000Z",
        input=orjson.dumps({"patient": {"reference": f"p-{number}", **patient}}),
        result=orjson.dumps({"predictions": predictions, "not_applicable": []}),
    )


def responses(count: int, seed: int = 1, truth: float = 0.0) -> list[Stored]:
    """Patients whose chance of response is the prediction, shifted by ``truth`` on the log-odds scale."""
    generator = np.random.Generator(np.random.Philox(seed))
    found = []
    for number in range(count):
        probability = float(generator.uniform(0.05, 0.95))
        chance = 1 / (1 + np.exp(-(np.log(probability / (1 - probability)) + truth)))
        response = "PR" if generator.uniform() < chance else "PD"
        outcome = {"kind": "response", "day": 60, "response": response}
        sex = "female" if number % 2 else "male"
        found.append(stored(number, outcome, probability, sex=sex, age_years=50 + number % 30))
    return found


def endpoint(rows: Iterable[Stored], name: str, predicted: str) -> EndpointPerformance:
    performance = assess(rows, "m")
    ModelPerformance.model_validate_json(performance.model_dump_json())
    return next(e for e in performance.endpoints if (e.endpoint, e.predicted) == (name, predicted))


def test_a_calibrated_model_looks_calibrated() -> None:
    found = endpoint(responses(600), "response", "objective_response")
    assert found.n == 600
    assert found.auc.value is not None
    assert 0.75 < found.auc.value < 0.9
    assert found.calibration is not None
    slope = found.calibration.slope
    assert slope.interval is not None
    assert slope.interval.lower < 1.0 < slope.interval.upper
    assert found.recalibration is not None
    assert found.recalibration.method == "unchanged"
    assert 7 <= len(found.calibration.points) <= 10
    for point in found.calibration.points:
        with_it = round(point.n * point.observed)
        assert point.n >= MINIMUM_PATIENTS
        assert min(with_it, point.n - with_it) >= MINIMUM_EVENTS
    assert sum(point.n for point in found.calibration.points) == 600
    assert found.net_benefit[0].model >= 0
    assert found.brier.value is not None
    assert found.scaled_brier.value is not None
    assert found.scaled_brier.value > 0


def test_a_model_that_promises_too_much_gets_a_proposal_and_no_change() -> None:
    found = endpoint(responses(600, truth=-1.0), "response", "objective_response")
    assert found.recalibration is not None
    assert found.recalibration.method == "intercept"
    assert found.recalibration.intercept == pytest.approx(-1.0, abs=0.35)
    assert found.calibration is not None
    assert found.calibration.in_the_large.value is not None
    assert found.calibration.in_the_large.value < 0
    assert found.mean_predicted.value is not None
    assert found.observed.value is not None
    assert found.mean_predicted.value > found.observed.value


def test_a_score_has_no_calibration() -> None:
    found = endpoint(responses(200), "response", "loris_score")
    assert found.auc.value is not None
    assert found.brier.value is None
    assert found.brier.reason == "the prediction is not a probability"
    assert found.calibration is None
    assert found.recalibration is None
    assert found.net_benefit == []


@pytest.mark.parametrize("count", [1, 5, MINIMUM_PATIENTS - 1])
def test_small_numbers_are_suppressed(count: int) -> None:
    whole = assess(responses(count), "m")
    assert (whole.patients, whole.first_run_at, whole.last_run_at) == (None, None, None)
    assert str(count) not in " ".join(whole.notes).replace(str(MINIMUM_PATIENTS), "")
    found = endpoint(responses(count), "response", "objective_response")
    for measure in (found.auc, found.brier, found.mean_predicted, found.observed, found.scaled_brier):
        assert measure.value is None
        assert measure.reason is not None
    assert found.events is None
    assert found.n is None
    assert found.subgroups == []
    assert found.windows == []


def test_few_events_are_suppressed_however_many_patients() -> None:
    rows = [row for row in responses(400) if row.value == '"PD"'] + [
        row for row in responses(400, seed=2) if row.value == '"PR"'
    ][: MINIMUM_EVENTS - 1]
    rows = [Stored(**{**row.__dict__, "run_id": f"r{i}", "input": b"{}"}) for i, row in enumerate(rows)]
    found = endpoint(rows, "response", "objective_response")
    assert found.auc.value is None
    assert found.events is None


def test_subgroups_and_windows() -> None:
    found = endpoint(responses(400), "response", "objective_response")
    by_sex = [group for group in found.subgroups if group.covariate == "sex"]
    assert [group.value for group in by_sex] == ["female", "male"]
    assert [group.n for group in by_sex] == [200, 200]
    assert {group.value for group in found.subgroups if group.covariate == "age_group"} == {
        "65 years or older",
        "younger than 65 years",
    }
    assert [window.n for window in found.windows] == [100] * 4
    starts = [window.first_run_at for window in found.windows]
    assert starts == sorted(starts)


def test_a_hidden_window_has_no_times() -> None:
    rows = sorted(responses(200), key=lambda row: row.value != '"PR"')
    rows = [Stored(**{**row.__dict__, "run_created_at": f"2026-01-01T{i:06d}Z"}) for i, row in enumerate(rows)]
    found = endpoint(rows, "response", "objective_response")
    assert len(found.windows) == 4
    for window in found.windows:
        assert window.n is None
        assert (window.first_run_at, window.last_run_at) == (None, None)


def test_windows_follow_time_and_not_the_order_of_the_rows() -> None:
    rows = responses(120)
    shuffled = [rows[i] for i in np.random.Generator(np.random.Philox(3)).permutation(len(rows))]
    assert assess(rows, "m") == assess(shuffled, "m")


def test_only_the_first_run_of_a_patient_counts() -> None:
    first = stored(1, {"kind": "response", "day": 60, "response": "CR"}, 0.4)
    second = Stored(**{**first.__dict__, "run_id": "run-again", "run_created_at": "2026-02-01T00:00:00.000000Z"})
    others = responses(60)[2:]
    found = assess([second, *others, first], "m")
    assert found.patients == 59
    assert found.first_run_at == first.run_created_at
    assert found.last_run_at == others[-1].run_created_at


def test_best_response_counts_and_several_outcomes_of_a_run_are_one_patient() -> None:
    rows = []
    for row in responses(100):
        rows.append(row)
        rows.append(Stored(**{**row.__dict__, "day": 30.0, "value": '"SD"'}))
    assert assess(rows, "m").patients == 100
    assert endpoint(rows, "response", "objective_response").n == 100


def test_concordance_with_survival() -> None:
    rows = followed(200)
    found = endpoint(rows, "death", "loris_score")
    assert found.concordance.value is not None
    assert 0.55 < found.concordance.value < 0.8
    assert found.concordance.interval is not None
    assert found.auc.value is None


def followed(count: int, seed: int = 5) -> list[Stored]:
    """Patients whose time to death grows with the score; followed for 700 days."""
    generator = np.random.Generator(np.random.Philox(seed))
    rows = []
    for number in range(count):
        score = float(generator.uniform())
        day = float(generator.exponential(200 + 800 * score)) + 1
        kind = "death" if day < 700 else "follow_up"
        rows.append(stored(number, {"kind": kind, "day": min(day, 700.0)}, score))
    return rows


HORIZON_DAYS = 1826


def at_horizon(number: int, kind: str, day: float, survival: float) -> Stored:
    """Return a patient whose survival at the horizon was predicted."""
    row = stored(number, {"kind": kind, "day": day}, 0.5)
    read = {"model": "m", "outcome": "overall_survival", "unit": "probability", "value": survival}
    return Stored(**{**row.__dict__, "result": orjson.dumps({"predictions": [{**read, "horizon_days": HORIZON_DAYS}]})})


def test_those_censored_before_the_horizon_are_not_dropped() -> None:
    kinds = [("death", 500.0)] * 20 + [("follow_up", 800.0)] * 20 + [("follow_up", 2000.0)] * 20
    rows = [at_horizon(i, kind, day, 0.5 + (i % 7) / 100) for i, (kind, day) in enumerate(kinds)]
    whole = assess(rows, "m")
    found = next(e for e in whole.endpoints if e.endpoint == "death")
    assert (found.n, found.events, found.censored_before_horizon) == (60, 20, 20)
    assert found.observed.value == pytest.approx(1 / 3)
    assert found.observed.interval is not None
    assert found.observed.interval.lower < 1 / 3 < found.observed.interval.upper < 0.5
    assert found.net_benefit[0].everyone == pytest.approx(1 / 3 - 0.05 / 0.95 * 2 / 3)
    assert found.calibration is not None
    assert [(point.n, point.observed) for point in found.calibration.points] == [(60, pytest.approx(1 / 3))]
    assert found.calibration.in_the_large.value is not None
    assert found.calibration.in_the_large.value < 0  # 0.47 was predicted
    assert found.concordance.value is None
    assert any("censor" in note for note in whole.notes)


def test_without_censoring_before_the_horizon_nothing_is_weighted() -> None:
    kinds = [("death", 500.0)] * 20 + [("follow_up", 1826.0)] * 40
    whole = assess([at_horizon(i, kind, day, 0.4 + (i * 7 % 40) / 100) for i, (kind, day) in enumerate(kinds)], "m")
    found = next(e for e in whole.endpoints if e.endpoint == "death")
    assert (found.n, found.events, found.censored_before_horizon) == (60, 20, 0)
    assert found.observed.value == 20 / 60
    assert not any("censor" in note for note in whole.notes)


def test_a_horizon_that_few_reached_is_not_judged() -> None:
    kinds = [("death", 500.0)] * 20 + [("follow_up", 800.0)] * 40 + [("follow_up", 2000.0)] * (MINIMUM_EVENTS - 1)
    whole = assess([at_horizon(i, kind, day, 0.5 + (i % 7) / 100) for i, (kind, day) in enumerate(kinds)], "m")
    found = next(e for e in whole.endpoints if e.endpoint == "death")
    assert (found.observed.value, found.brier.value, found.censored_before_horizon) == (None, None, None)


def test_survival_by_prediction_is_drawn_without_small_numbers() -> None:
    found = assess(followed(200), "m")
    curves = next(e for e in found.endpoints if e.endpoint == "death").survival
    assert [curve.group for curve in curves] == ["lower predicted risk", "higher predicted risk"]
    for curve in curves:
        assert curve.days[0] == 0.0
        assert curve.survival[0] == 1.0
        assert min(curve.at_risk) >= MINIMUM_EVENTS
        assert curve.survival == sorted(curve.survival, reverse=True)
        assert all(lo <= s <= up for lo, s, up in zip(curve.lower, curve.survival, curve.upper, strict=True))
    low_risk, high_risk = (dict(zip(curve.days, curve.survival, strict=True)) for curve in curves)
    assert low_risk[300.0] > high_risk[300.0]  # the score rises with survival: a high score is a low risk
    assert b"Number at risk" in draw(found, "survival")
    few = assess(followed(40), "m")
    assert next(e for e in few.endpoints if e.endpoint == "death").survival == []
    with pytest.raises(NotFound):
        draw(few, "survival")


def test_a_small_subgroup_does_not_follow_by_subtraction() -> None:
    rows = [
        Stored(**{**row.__dict__, "input": orjson.dumps({"patient": {"reference": f"p-{i}", "sex": sex}})})
        for i, row in enumerate(responses(200))
        for sex in ["male" if i < 5 else "female"]
    ]
    found = endpoint(rows, "response", "objective_response")
    assert found.n == 200
    groups = [group for group in found.subgroups if group.covariate == "sex"]
    assert [group.value for group in groups] == ["female", "male"]
    assert all(group.n is None and group.events is None and group.observed.value is None for group in groups)


@given(sizes=st.lists(st.integers(1, 60), min_size=2, max_size=6))
def test_what_is_left_by_the_shown_parts_is_nothing_or_large(sizes: list[int]) -> None:
    edges = np.cumsum([0, *sizes])
    parts = [np.arange(a, b) for a, b in itertools.pairwise(edges)]
    shown = shown_parts(parts, lambda rows: rows.size >= 30)
    rest = sum(size for size, visible in zip(sizes, shown, strict=True) if not visible)
    assert rest == 0 or rest >= 30 or not any(shown)
    assert all(size >= 30 for size, visible in zip(sizes, shown, strict=True) if visible)


def test_the_observed_rate_has_an_interval() -> None:
    observed = endpoint(responses(200), "response", "objective_response").observed
    assert observed.value is not None
    assert observed.interval is not None
    assert observed.interval.lower < observed.value < observed.interval.upper


def test_the_composed_pneumonitis_model_is_judged_by_pneumonitis() -> None:
    rows = []
    for number in range(80):
        event = {"kind": "toxicity", "day": 90, "toxicity": "pneumonitis", "grade": 2 if number % 4 == 0 else 0}
        row = stored(number, event, 0.2)
        read = {"model": "m", "outcome": "pneumonitis_with_checkpoint_inhibitor", "unit": "probability"}
        without = {**read, "outcome": "pneumonitis_without", "value": 0.1, "horizon_days": None}
        predictions = [{**read, "value": 0.1 + number / 400, "horizon_days": None}, without]
        rows.append(Stored(**{**row.__dict__, "result": orjson.dumps({"predictions": predictions})}))
    found = assess(rows, "m").endpoints
    judged = [(e.endpoint, e.predicted, e.events) for e in found]
    assert judged == [("pneumonitis_grade_2_or_higher", "pneumonitis_with_checkpoint_inhibitor", 20)]


def test_no_outcome_yet() -> None:
    performance = assess([], "m")
    assert performance.patients is None
    assert performance.endpoints == []
    assert performance.first_run_at is None
    assert performance.notes


@pytest.mark.parametrize(
    "outcome",
    [
        {"kind": "response", "day": 10},
        {"kind": "response", "day": 10, "response": "PR", "grade": 2},
        {"kind": "toxicity", "day": 10, "toxicity": "pneumonitis"},
        {"kind": "toxicity", "day": 10, "grade": 2},
        {"kind": "death", "day": 10, "response": "PD"},
        {"kind": "toxicity", "day": 10, "toxicity": "Pneumonitis!", "grade": 2},
        {"kind": "toxicity", "day": 10, "toxicity": "colitis", "grade": 6},
    ],
)
def test_an_outcome_has_the_members_of_its_kind(outcome: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        OutcomeRequest.model_validate(outcome)


@pytest.mark.parametrize(
    ("outcome", "content"),
    [
        ({"kind": "response", "day": 1, "response": "CR"}, {"response": "CR", "toxicity": None, "grade": None}),
        (
            {"kind": "toxicity", "day": 1, "toxicity": "colitis", "grade": 3},
            {"response": None, "toxicity": "colitis", "grade": 3},
        ),
        ({"kind": "death", "day": 1}, {"response": None, "toxicity": None, "grade": None}),
    ],
)
def test_content_survives_storage(outcome: dict[str, Any], content: dict[str, Any]) -> None:
    event = OutcomeRequest.model_validate(outcome)
    assert content_of(event.kind, value_of(event)) == content


def test_toxicity_is_judged_at_the_grade_that_was_predicted() -> None:
    generator = np.random.Generator(np.random.Philox(7))
    rows = []
    for number in range(150):
        probability = float(generator.uniform(0.05, 0.9))
        grade = 2 if generator.uniform() < probability else 0
        row = stored(number, {"kind": "toxicity", "day": 90, "toxicity": "pneumonitis", "grade": grade}, probability)
        read = {"model": "m", "outcome": "pneumonitis", "unit": "probability", "value": probability}
        result = {"predictions": [{**read, "horizon_days": None}], "not_applicable": []}
        rows.append(Stored(**{**row.__dict__, "result": orjson.dumps(result)}))
    found = endpoint(rows, "pneumonitis_grade_2_or_higher", "pneumonitis")
    assert found.n == 150
    assert found.auc.value is not None
    assert found.auc.value > 0.7
