"""Plans at the edge of what the schema allows get an answer or a refusal that points at the member."""

import math
from typing import Any
from xml.etree import ElementTree

import pytest
from pydantic_core import to_json

from service.catalog import KINDS
from service.errors import InvalidInput
from service.parsing import parse
from service.simulations_figures import waterfall
from service.simulations_outcomes import floats

PATIENT = {"cancer_type": "nsclc", "lesions": [{"id": "a", "organ": "lung", "longest_diameter_mm": 42}]}
DRUG = {"agent": "pembrolizumab", "dose_mg": 200}
LATE_COURSE = {
    "radiotherapy": [
        {"id": "s", "lesion_ids": ["a"], "start_day": 3650, "dose_per_fraction_gy": 2, "fraction_count": 30}
    ]
}


def compute(kind: str, **members: Any) -> Any:
    body = {"patient": PATIENT, "horizon_days": 182, "patients": 50} | members
    return KINDS[kind].compute(parse(KINDS[kind].request, to_json(body))).result


@pytest.mark.parametrize("value", [1e-290, 1e-300, 5e-324, -1e-308])
def test_numbers_too_small_to_be_scaled_are_shown_as_numbers(value: float) -> None:
    shown = floats([value, 1.23456789012])
    assert shown == [pytest.approx(value, abs=1e-289), 1.234567890]
    assert all(map(math.isfinite, shown))


def test_doses_after_the_horizon_are_not_among_those_of_the_answer() -> None:
    drugs = [
        DRUG | {"start_day": 0, "interval_days": 365, "dose_count": 200},
        DRUG | {"start_day": 182, "interval_days": 1, "dose_count": 2},
    ]
    assert compute("simulations", plan={"drugs": drugs}).doses == [0.0, 182.0]


@pytest.mark.parametrize(
    ("kind", "members", "pointer"),
    [
        ("simulations", {"plan": LATE_COURSE}, "/plan/radiotherapy/0/fraction_count"),
        (
            "comparisons",
            {"plans": [{"id": "none", "plan": {}}, {"id": "late", "plan": LATE_COURSE}]},
            "/plans/1/plan/radiotherapy/0/fraction_count",
        ),
    ],
)
def test_a_course_past_the_last_day_is_refused_where_it_stands(
    kind: str, members: dict[str, Any], pointer: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        compute(kind, **members)
    assert refused.value.errors[0]["pointer"] == pointer


@pytest.mark.parametrize("change", [[], [-0.5, 0.0, 0.3], [0.1], [0.5]])
def test_the_waterfall_says_what_its_colors_mean(change: list[float]) -> None:
    drawing = waterfall({}, {"simulations": [{"best_change_percentiles": change}]}).decode()
    texts = {element.text for element in ElementTree.fromstring(drawing).iter("{http://www.w3.org/2000/svg}text")}
    assert {"+20 % or more", "between", "−30 % or less"} <= texts
