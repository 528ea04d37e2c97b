"""Every blood-dose request that is accepted is answered soon; the others are refused by name."""

import time
from typing import Any

import numpy as np
import pytest
from pydantic_core import to_json

from service.blood import KIND
from service.blood_limits import MOST_FRACTIONS, MOST_SAMPLED_DOSES
from service.errors import InvalidInput
from service.parsing import parse

EXAMPLE = dict(KIND.examples["lung_60_in_30"])
ORGANS = EXAMPLE["plan"]["radiotherapy"][0]["organs"]
MOST_SECONDS = 2.0


def course(index: int, days: list[float]) -> dict[str, Any]:
    fractions = [{"day": day, "dose_gy": 0.1 + 39.0 * n / len(days)} for n, day in enumerate(days)]
    return {"id": f"c{index}", "fractions": fractions, "organs": ORGANS}


def body(courses: int, fractions: int, particles: int, beam_seconds: float) -> dict[str, Any]:
    days = np.linspace(-3650.0, 3650.0, fractions).tolist()
    beam = {"start_seconds": 0.0, "duration_seconds": beam_seconds}
    return EXAMPLE | {
        "plan": {"radiotherapy": [course(index, days) for index in range(courses)]},
        "deliveries": [{"course_id": f"c{index}", "beams": [beam]} for index in range(courses)],
        "particles": particles,
        "follow_days": 730.0,
    }


def seconds(request: dict[str, Any]) -> float:
    parsed = parse(KIND.request, to_json(request))
    started = time.thread_time()
    KIND.compute(parsed)
    return time.thread_time() - started


@pytest.mark.parametrize(
    ("courses", "fractions", "particles", "beam_seconds"),
    [
        (2, MOST_FRACTIONS // 2, MOST_SAMPLED_DOSES // MOST_FRACTIONS, 900.0),
        (20, MOST_FRACTIONS // 20, MOST_SAMPLED_DOSES // MOST_FRACTIONS, 90.0),
        (1, MOST_SAMPLED_DOSES // 200_000, 200_000, 110.0),
    ],
)
def test_the_slowest_accepted_requests_are_answered(
    courses: int, fractions: int, particles: int, beam_seconds: float
) -> None:
    seconds(EXAMPLE)
    assert seconds(body(courses, fractions, particles, beam_seconds)) < MOST_SECONDS


@pytest.mark.parametrize(
    ("request_body", "pointer"),
    [
        (body(3, 200, 1000, 60.0), "/plan/radiotherapy"),
        (body(2, 200, 20_000, 60.0), "/particles"),
        (body(1, 1, 200_000, 3600.0), "/particles"),
    ],
)
def test_more_work_is_refused(request_body: dict[str, Any], pointer: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        seconds(request_body)
    assert refused.value.errors[0]["pointer"] == pointer
