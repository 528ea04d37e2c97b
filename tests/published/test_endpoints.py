"""Worked examples and published scenario tables of the response and survival endpoints."""

import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from simulation.outcome import irecist, recist, summaries, survival

EXAMPLES = json.loads((Path(__file__).parent / "data" / "endpoints.json").read_text())


def examples(predictor: str) -> list[Any]:
    chosen = [example for example in EXAMPLES if example["predictor"] == predictor]
    assert chosen
    return [pytest.param(e["inputs"], e["expected"], e["tolerance"], id=e["id"]) for e in chosen]


@pytest.mark.parametrize(("inputs", "expected", "tolerance"), examples("recist11_target_response"))
def test_target_response(inputs: Any, expected: Any, tolerance: float) -> None:
    sums = [inputs[name]["value"] for name in ("baseline_sum", "nadir_sum", "current_sum")]
    assert recist.target_response(*sums) == expected["response"]
    visits = [
        recist.Visit(day=42.0 * i, targets=(recist.Target(status="measured", diameter_mm=float(size)),))
        for i, size in enumerate(sums)
    ]
    assert recist.assess(visits)[-1].target == expected["response"]


@pytest.mark.parametrize(("inputs", "expected", "tolerance"), examples("irecist_target_sequence"))
def test_irecist_sequence(inputs: Any, expected: Any, tolerance: float) -> None:
    interval_days = 7.0 * inputs["interval"]["value"]
    visits = [
        recist.Visit(day=i * interval_days, targets=(recist.Target(status="measured", diameter_mm=float(size)),))
        for i, size in enumerate(inputs["sums"]["value"])
    ]
    assert ["baseline", *(a.overall for a in irecist.assess(visits))] == expected["responses"]


@pytest.mark.parametrize(("inputs", "expected", "tolerance"), examples("orr_dcr"))
def test_rates(inputs: Any, expected: Any, tolerance: float) -> None:
    codes = np.concatenate([np.full(inputs[name]["value"], code) for code, name in enumerate(summaries.CATEGORIES)])
    rates = summaries.response_rates(codes)
    assert rates.n == expected["N"]
    assert rates.objective_response == pytest.approx(expected["ORR"], abs=tolerance)
    assert rates.disease_control == pytest.approx(expected["DCR"], abs=tolerance)


@pytest.mark.parametrize(("inputs", "expected", "tolerance"), examples("kaplan_meier"))
def test_kaplan_meier(inputs: Any, expected: Any, tolerance: float) -> None:
    curve = survival.kaplan_meier(inputs["times"]["value"], inputs["events"]["value"])
    for time, value in expected["S_at"].items():
        assert curve.at([float(time)])[0] == pytest.approx(value, abs=tolerance)
    assert survival.median(curve)[0] == expected["median"]
    assert survival.restricted_mean(curve, inputs["tau"]["value"])[0] == pytest.approx(expected["rmst"], abs=tolerance)
    if "greenwood_variance_at_2" in expected:
        variance = curve.greenwood_variance[curve.time == 2.0][0]
        assert variance == pytest.approx(expected["greenwood_variance_at_2"], abs=tolerance)


# Seymour 2017, table 3: time point responses (alternatives separated by "|") and the best response.
SCENARIOS = [
    ("iCR; iCR|iPR|iUPD|NE; iCR|iPR|iUPD|NE; iUPD; iCPD", "iCR"),
    ("iUPD; iPR|iSD|NE; iCR; iCR|iUPD|NE; iCR|iPR|iSD|iUPD|iCPD|NE", "iCR"),
    ("iUPD; iPR; iPR|iSD|iUPD|NE; iPR|iSD|iUPD|NE|iCPD; iPR|iSD|iUPD|NE|iCPD", "iPR"),
    ("iUPD; iSD|NE; iPR; iPR|iSD|iUPD|NE; iPR|iSD|iUPD|iCPD|NE", "iPR"),
    ("iUPD; iSD; iSD|iUPD|NE; iSD|iUPD|iCPD|NE; iSD|iUPD|iCPD|NE", "iSD"),
    ("iUPD; iCPD", "iCPD"),
    ("iUPD; iUPD; iCPD", "iCPD"),
    ("iUPD; NE; NE; NE; NE", "iUPD"),
]


@pytest.mark.parametrize(("sequences", "best"), SCENARIOS)
def test_best_response_over_the_published_sequences(sequences: str, best: str) -> None:
    for sequence in itertools.product(*(visit.strip().split("|") for visit in sequences.split(";"))):
        assessments = [
            irecist.Assessment(
                day=56.0 * i, overall=overall, rule="", new_lesion_sum_mm=None, open_since=None, confirmation_due=None
            )  # type: ignore[arg-type]
            for i, overall in enumerate(sequence, start=1)
        ]
        assert irecist.best_response(assessments, start_day=0.0)[0] == best, sequence
