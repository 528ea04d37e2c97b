"""The responses computation: vocabulary, results, warnings, errors, pictures, series."""

import csv
import io
import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from schemas.responses import ResponseRequest, ResponseResult
from service import responses
from service.errors import InvalidInput


def run(body: dict[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    done = responses.compute(ResponseRequest.model_validate(body))
    assert isinstance(done.result, ResponseResult)
    assert {model.id for model in done.models} == {"recist_1_1", "irecist"}
    return done.result.model_dump(mode="json"), [warning.model_dump() for warning in done.warnings]


def scan(day: float, size: float, **more: Any) -> dict[str, Any]:
    return {"day": day, "lesions": [{"id": "a", "longest_diameter_mm": size}], **more}


def test_the_examples_of_the_documentation() -> None:
    node, immune = (run(body)[0] for body in responses.KIND.examples.values())
    assert node["baseline"] == {"day": -7.0, "target_sum_mm": 60.0, "target_count": 2}
    assert [visit["recist"]["overall"] for visit in node["visits"]] == ["PR", "PR"]
    assert node["recist_best_response"]["category"] == "PR"
    assert node["recist_best_response"]["confirmed"] is True
    assert node["start_day"] == 0.0
    assert [visit["irecist"]["overall"] for visit in immune["visits"]] == ["iUPD", "iPR", "iUPD"]
    assert immune["recist_progression"]["time_days"] == 42.0
    assert immune["irecist_progression"]["time_days"] == 126.0
    assert immune["irecist_best_response"] == {"category": "iPR", "day": 84.0}


def test_the_vocabulary_of_the_patient_is_accepted() -> None:
    result, warnings = run({"scans": [scan(0, 50), scan(42, 40, new_lesions=True), scan(84, 40, new_lesions=True)]})
    assert [visit["recist"]["rule"] for visit in result["visits"]] == ["new-lesion", "new-lesion"]
    assert [visit["irecist"]["overall"] for visit in result["visits"]] == ["iUPD", "iUPD"]
    assert [warning["code"] for warning in warnings] == ["new-lesions-without-identity"]


def test_a_target_that_a_scan_does_not_list_was_not_evaluable() -> None:
    result, _ = run({"scans": [scan(0, 50), {"day": 42}]})
    visit = result["visits"][0]
    assert (visit["recist"]["overall"], visit["target_sum_mm"]) == ("NE", None)
    assert visit["lesions"] == [{"id": "a", "status": "not_evaluable", "size_mm": None, "change_from_baseline": None}]


def test_size_zero_is_absent_and_every_visit_explains_itself() -> None:
    result, _ = run({"scans": [scan(0, 50), scan(42, 0)]})
    visit = result["visits"][0]
    assert visit["recist"] == {
        "target": "CR",
        "overall": "CR",
        "rule": "targets-gone-and-nodes-normal",
        "explanation": "Every target lesion is gone and every target node is below 10 mm.",
    }
    assert visit["change_from_baseline"] == -1.0
    assert visit["change_from_nadir"] == -1.0


def test_a_vanishing_size_is_none() -> None:
    with pytest.raises(InvalidInput) as refused:
        run({"scans": [scan(0, 5e-324), scan(42, 30)]})
    assert refused.value.errors[0]["pointer"] == "/scans/0/lesions/0"
    result, _ = run({"scans": [scan(0, 30), scan(42, 5e-324), scan(84, 30)]})
    gone, back = result["visits"]
    assert (gone["lesions"][0]["status"], gone["recist"]["overall"]) == ("absent", "CR")
    assert (back["recist"]["overall"], back["change_from_nadir"]) == ("PD", None)


def test_a_node_that_creeps_back_is_progression_with_a_warning() -> None:
    def both(day: float, lesion: float, node: float) -> dict[str, Any]:
        lesions = [{"id": "a", "longest_diameter_mm": lesion}, {"id": "n", "short_axis_mm": node}]
        return {"day": day, "lesions": lesions}

    result, warnings = run({"scans": [both(0, 20, 18), both(42, 0, 9.9), both(84, 0, 10.0)]})
    assert [visit["recist"]["overall"] for visit in result["visits"]] == ["CR", "PD"]
    assert "imaged again" in result["visits"][1]["recist"]["explanation"]
    assert [(w["code"], w["pointer"]) for w in warnings] == [("node-reappearance-after-complete-response", "/scans/2")]
    assert run({"scans": [both(0, 20, 18), both(42, 0, 9.9), both(84, 3, 9.9)]})[1] == []


def test_non_target_disease_that_returns_has_a_warning() -> None:
    result, warnings = run(
        {"scans": [scan(0, 50, non_target="NON_CR_NON_PD")]
        + [scan(42 * i, 0, non_target=status) for i, status in enumerate(("CR", "NON_CR_NON_PD"), start=1)]}
    )  # fmt: skip
    assert [visit["recist"]["overall"] for visit in result["visits"]] == ["CR", "PR"]
    assert [w["code"] for w in warnings] == ["targets-gone-non-target-back-after-complete-response"]


@pytest.mark.parametrize(
    ("first", "later"),
    [
        ({}, {"longest_diameter_mm": 30}),
        ({"longest_diameter_mm": 6}, {"longest_diameter_mm": 9}),
        ({"short_axis_mm": 11}, {"short_axis_mm": 13}),
        ({}, {"grown": True}),
    ],
)
def test_growth_of_a_small_new_lesion_confirms(first: dict[str, Any], later: dict[str, Any]) -> None:
    scans = [scan(42 * (1 + i), 80, new_lesions=[{"id": "n", **seen}]) for i, seen in enumerate((first, later))]
    result, _ = run({"scans": [scan(0, 80), *scans]})
    assert [visit["irecist"]["overall"] for visit in result["visits"]] == ["iUPD", "iCPD"]
    assert result["irecist_progression"]["rule"] == "confirmed-progression"
    assert "unchanged" not in result["visits"][1]["irecist"]["explanation"]


def test_only_non_target_disease() -> None:
    result, _ = run({"scans": [{"day": 0, "non_target": "NON_CR_NON_PD"}, {"day": 60, "non_target": "NON_CR_NON_PD"}]})
    assert result["visits"][0]["recist"]["target"] is None
    assert result["recist_best_response"]["category"] == "NON_CR_NON_PD"
    assert result["baseline"]["target_sum_mm"] is None


def test_the_start_and_death_move_the_clock() -> None:
    result, _ = run({"scans": [scan(-20, 50), scan(42, 45)], "start_day": -1, "death_day": 100})
    assert result["recist_progression"]["time_days"] == 101.0
    assert result["irecist_progression"]["cause"] == "death"
    assert run({"scans": [scan(5, 50), scan(42, 45)]})[0]["start_day"] == 5.0


def test_warnings_on_the_choice_of_targets() -> None:
    small = {"id": "s", "organ": "lung", "longest_diameter_mm": 9}
    more = [{"id": f"l{i}", "organ": "liver", "longest_diameter_mm": 20} for i in range(3)]
    node = {"id": "n", "short_axis_mm": 12}
    _, warnings = run({"scans": [{"day": 0, "lesions": [small, *more, node]}]})
    assert [(w["code"], w["pointer"]) for w in warnings] == [
        ("more-targets-than-recist-allows", "/scans/0/lesions"),
        ("target-not-measurable-at-baseline", "/scans/0/lesions/0"),
        ("target-not-measurable-at-baseline", "/scans/0/lesions/4"),
    ]


NEW = [{"id": "n", "longest_diameter_mm": 12}]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"scans": [scan(0, 50), scan(0, 40)]}, "/scans/1/day"),
        ({"scans": [scan(0, 50, new_lesions=NEW)]}, "/scans/0/new_lesions"),
        ({"scans": [scan(0, 50, non_target="PD")]}, "/scans/0/non_target"),
        ({"scans": [scan(0, 0)]}, "/scans/0/lesions/0"),
        ({"scans": [{"day": 0, "lesions": [{"id": "a", "status": "not_evaluable"}]}]}, "/scans/0/lesions/0/status"),
        ({"scans": [scan(0, 50), {"day": 9, "lesions": [{"id": "b", "status": "absent"}]}]}, "/scans/1/lesions/0/id"),
        (
            {"scans": [scan(0, 50), {"day": 9, "lesions": [{"id": "a", "short_axis_mm": 9}]}]},
            "/scans/1/lesions/0/short_axis_mm",
        ),
        (
            {"scans": [{"day": 0, "lesions": [{"id": "a", "short_axis_mm": 19}]}, scan(9, 12)]},
            "/scans/1/lesions/0/longest_diameter_mm",
        ),
        ({"scans": [scan(0, 50), scan(42, 40, new_lesions=[{"id": "a"}])]}, "/scans/1/new_lesions/0/id"),
        ({"scans": [scan(0, 50), scan(42, 40, new_lesions=[*NEW, *NEW])]}, "/scans/1/new_lesions/1/id"),
        ({"scans": [{"day": 0, "lesions": [*scan(0, 5)["lesions"] * 2]}]}, "/scans/0/lesions/1/id"),
        ({"scans": [scan(0, 50), scan(42, 40)], "death_day": 41}, "/death_day"),
    ],
)
def test_what_is_wrong_is_pointed_at(body: dict[str, Any], pointer: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        run(body)
    assert caught.value.errors[0]["pointer"] == pointer


def test_pictures_and_series_come_from_the_stored_run_alone() -> None:
    for body in responses.KIND.examples.values():
        data = json.loads(json.dumps(body))
        result, _ = run(data)
        for figure in responses.KIND.figures.values():
            drawn = figure(data, result)
            assert drawn == figure(data, result)
            ElementTree.fromstring(drawn)
        assert responses.KIND.series is not None
        rows = list(csv.DictReader(io.StringIO(responses.KIND.series(data, result))))
        assert len(rows) == len(data["scans"])
        assert rows[0]["recist"] == "baseline"
    assert b"node-1" in responses.KIND.figures["spider"](
        responses.KIND.examples["partial_response_with_a_node"],
        run(dict(responses.KIND.examples["partial_response_with_a_node"]))[0],
    )


def test_pictures_without_targets_or_visits() -> None:
    for body in (
        {"scans": [{"day": 0, "non_target": "NON_CR_NON_PD"}, {"day": 60, "non_target": "PD"}]},
        {"scans": [scan(0, 50)]},
    ):
        result, _ = run(body)
        for figure in responses.KIND.figures.values():
            ElementTree.fromstring(figure(body, result))


def test_the_example_files_are_those_of_the_documentation() -> None:
    folder = Path(__file__).resolve().parents[2] / "examples"
    for name, body in responses.KIND.examples.items():
        assert json.loads((folder / f"responses_{name}.json").read_text(encoding="utf-8")) == body
