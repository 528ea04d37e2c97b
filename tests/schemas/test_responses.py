"""What a response request may say about a lesion."""

from typing import Any

import pytest
from pydantic import ValidationError

from schemas.responses import NewLesionOnScan, ResponseRequest, TargetOnScan


@pytest.mark.parametrize(
    "lesion",
    [
        {"longest_diameter_mm": 12},
        {"longest_diameter_mm": 0},
        {"short_axis_mm": 12, "status": "measured"},
        {"status": "absent"},
        {"status": "absent", "longest_diameter_mm": 0},
        {"status": "too_small"},
    ],
)
def test_accepted(lesion: dict[str, Any]) -> None:
    TargetOnScan.model_validate({"id": "a", **lesion})


@pytest.mark.parametrize(
    ("lesion", "message"),
    [
        ({}, "give a size"),
        ({"status": "measured"}, "give a size"),
        ({"longest_diameter_mm": 3, "short_axis_mm": 3}, "not both"),
        ({"status": "absent", "longest_diameter_mm": 3}, "is measured"),
    ],
)
def test_refused(lesion: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        TargetOnScan.model_validate({"id": "a", **lesion})


def test_a_new_lesion_has_one_size() -> None:
    with pytest.raises(ValidationError, match="not both"):
        NewLesionOnScan.model_validate({"id": "a", "longest_diameter_mm": 3, "short_axis_mm": 3})


def test_a_request_needs_a_scan() -> None:
    with pytest.raises(ValidationError):
        ResponseRequest.model_validate({"scans": []})
