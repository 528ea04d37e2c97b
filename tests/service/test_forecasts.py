"""The forecast computation: shape, sums, warnings, errors, picture, series."""

import csv
import io
import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from schemas.forecasts import ForecastRequest, ForecastResult
from service import forecasts
from service.errors import InvalidInput


def run(body: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    done = forecasts.compute(ForecastRequest.model_validate(body))
    assert isinstance(done.result, ForecastResult)
    assert [model.id for model in done.models] == ["lesion_size_forecast"]
    return done.result.model_dump(mode="json"), [warning.code for warning in done.warnings]


def scan(day: float, **sizes: float) -> dict[str, Any]:
    return {"day": day, "lesions": [{"id": name, "longest_diameter_mm": size} for name, size in sizes.items()]}


def test_one_lesion() -> None:
    result, warnings = run(dict(forecasts.KIND.examples["growing_lesion"]))
    lesion = result["lesions"][0]
    assert (lesion["scan_count"], lesion["last_mm"], lesion["nadir_mm"], lesion["last_day"]) == (3, 41.0, 34.0, 84.0)
    assert [point["days_ahead"] for point in lesion["points"]] == [42.0, 84.0, 126.0]
    for point in lesion["points"]:
        half, most = point["intervals_mm"]
        assert (half["level"], most["level"]) == (0.5, 0.9)
        assert most["lower"] <= half["lower"] <= point["median_mm"] <= half["upper"] <= most["upper"]
        assert 0.0 <= point["probability_target_progression"] <= 1.0
    assert result["sum_of_lesions"] is None
    assert [row["horizon"] for row in result["validation"]] == ["next", "second", "last"]
    assert warnings == ["close-to-last-value"]


def test_the_same_request_gives_the_same_answer() -> None:
    body = dict(forecasts.KIND.examples["two_lesions"])
    assert run(body) == run(body)


def test_the_sum_adds_lesions_that_move_together() -> None:
    result, warnings = run({"scans": [scan(0, a=40, b=40), scan(42, a=44, b=44)], "forecast_days": [84]})
    total, one = result["sum_of_lesions"]["points"][0], result["lesions"][0]["points"][0]
    assert total["median_mm"] == pytest.approx(2 * one["median_mm"], rel=0.01)
    for both, single in zip(total["intervals_mm"], one["intervals_mm"], strict=True):
        assert both["upper"] == pytest.approx(2 * single["upper"], rel=0.02)
    assert result["sum_of_lesions"]["nadir_mm"] == 80.0
    assert "lesions-move-together" in warnings


def test_no_sum_when_a_lesion_was_not_on_the_last_scan() -> None:
    result, _ = run({"scans": [scan(0, a=40, b=40), scan(42, a=44)], "forecast_days": [84]})
    assert result["sum_of_lesions"] is None
    assert [lesion["scan_count"] for lesion in result["lesions"]] == [2, 1]
    assert result["lesions"][1]["points"][0]["days_ahead"] == 84.0


def test_the_nadir_of_the_sum_uses_scans_with_every_lesion() -> None:
    body = {"scans": [scan(0, a=40, b=40), scan(42, a=10), scan(84, a=44, b=44)], "forecast_days": [126]}
    assert run(body)[0]["sum_of_lesions"]["nadir_mm"] == 80.0


def test_warnings() -> None:
    body = {"scans": [scan(0, total=900)], "forecast_days": [400], "quantity": "sum_of_diameters"}
    assert run(body)[1] == [
        "close-to-last-value", "sum-outside-derivation", "one-scan", "far-horizon", "outside-derivation-range",
    ]  # fmt: skip


def test_a_lesion_that_is_gone() -> None:
    point = run({"scans": [scan(0, a=40), scan(42, a=0), scan(84, a=0)], "forecast_days": [126]})[0]["lesions"][0]
    assert (point["last_mm"], point["points"][0]["median_mm"]) == (0.0, 2.0)
    assert point["points"][0]["probability_not_measurable"] > 0.5


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"scans": [scan(0)], "forecast_days": [9]}, "/scans"),
        ({"scans": [scan(0, a=9), scan(0, a=9)], "forecast_days": [9]}, "/scans/1/day"),
        ({"scans": [scan(5, a=9)], "forecast_days": [5]}, "/forecast_days/0"),
        ({"scans": [scan(5, a=9)], "forecast_days": [9, 8]}, "/forecast_days/1"),
        (
            {"scans": [{"day": 0, "lesions": scan(0, a=9)["lesions"] * 2}], "forecast_days": [9]},
            "/scans/0/lesions/1/id",
        ),
    ],
)
def test_what_is_wrong_is_pointed_at(body: dict[str, Any], pointer: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        run(body)
    assert caught.value.errors[0]["pointer"] == pointer


@pytest.mark.parametrize("last", [42.0, 0.1, 1000.3, -3.0])
def test_the_least_time_ahead_is_that_of_the_decimal_numbers(last: float) -> None:
    result, _ = run({"scans": [scan(last, a=40)], "forecast_days": [round(last + 0.01, 2)]})
    assert result["lesions"][0]["points"][0]["days_ahead"] == pytest.approx(0.01)
    with pytest.raises(InvalidInput):
        run({"scans": [scan(last, a=40)], "forecast_days": [round(last + 0.009, 3)]})


def test_picture_and_series() -> None:
    for body in forecasts.KIND.examples.values():
        result, _ = run(dict(body))
        drawn = forecasts.KIND.figures["fan"](body, result)
        assert drawn == forecasts.KIND.figures["fan"](body, result)
        ElementTree.fromstring(drawn)
        assert forecasts.KIND.series is not None
        rows = list(csv.DictReader(io.StringIO(forecasts.KIND.series(body, result))))
        expected = len(result["lesions"]) + (result["sum_of_lesions"] is not None)
        assert len(rows) == expected * len(body["forecast_days"])
        assert float(rows[0]["lower_90_mm"]) <= float(rows[0]["median_mm"]) <= float(rows[0]["upper_90_mm"])


def test_the_example_files_are_those_of_the_documentation() -> None:
    folder = Path(__file__).resolve().parents[2] / "examples"
    for name, body in forecasts.KIND.examples.items():
        assert json.loads((folder / f"forecasts_{name}.json").read_text(encoding="utf-8")) == body
