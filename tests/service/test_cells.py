"""CAR-T cells: kinetics where published, summaries elsewhere, toxicity with its scale."""

from typing import Any
from xml.etree import ElementTree

import pytest

from schemas.cells import CellsRequest, CellsResult
from service import cells
from service.errors import InvalidInput


def run(**body: Any) -> tuple[dict[str, Any], set[str]]:
    done = cells.compute(CellsRequest.model_validate(body))
    assert isinstance(done.result, CellsResult)
    return done.result.model_dump(mode="json"), {warning.code for warning in done.warnings}


@pytest.mark.parametrize("name", list(cells.KIND.examples))
def test_examples_answer_draw_and_list(name: str) -> None:
    body = dict(cells.KIND.examples[name])
    result, _ = run(**body)
    svg = cells.KIND.figures["kinetics"](body, result)
    assert ElementTree.fromstring(svg).tag.endswith("svg")
    assert b"mathdefault" not in svg
    assert cells.series(body, result).startswith("time_days,")


def test_tisagenlecleucel_has_kinetics_and_says_what_is_open() -> None:
    result, warnings = run(product="tisagenlecleucel", dose_cells=1e8, patient_count=500)
    kinetics = result["kinetics"]
    assert kinetics["area_0_28_copies_day_per_ug"]["value"] == pytest.approx(171774.0, rel=1e-3)
    assert kinetics["maximum_copies_per_ug"]["interval"]["lower"] < 24000.0
    assert {"random-effects-ambiguous", "dose-without-effect", "unverified-values"} <= warnings
    double, _ = run(product="tisagenlecleucel", dose_cells=2e8, patient_count=500)
    assert double == result


def test_the_reading_of_the_random_effects_changes_the_bands_only() -> None:
    deviation, variance = (
        run(product="tisagenlecleucel", random_effects_read_as=reading, patient_count=2000)[0]["kinetics"]
        for reading in ("standard_deviation", "variance")
    )
    assert deviation["typical_copies_per_ug"] == variance["typical_copies_per_ug"]
    assert deviation["bands"] != variance["bands"]


def test_comedication_is_computed_and_flagged() -> None:
    plain, _ = run(product="tisagenlecleucel", patient_count=200)
    treated, warnings = run(product="tisagenlecleucel", patient_count=200, tocilizumab_day=5.0, corticosteroid_day=6.0)
    assert treated["kinetics"]["maximum_copies_per_ug"]["value"] > plain["kinetics"]["maximum_copies_per_ug"]["value"]
    assert "effect-not-shown" in warnings
    day = plain["kinetics"]["time_days"].index(5.0) + 1
    assert treated["kinetics"]["typical_copies_per_ug"][:day] == pytest.approx(
        plain["kinetics"]["typical_copies_per_ug"][:day]
    )
    assert treated["kinetics"]["doubling_days"] == plain["kinetics"]["doubling_days"]
    steroids, _ = run(product="tisagenlecleucel", patient_count=200, corticosteroid_day=6.0)
    assert steroids["kinetics"]["maximum_copies_per_ug"] == plain["kinetics"]["maximum_copies_per_ug"]


def test_products_without_a_model_have_summaries() -> None:
    result, warnings = run(product="axicabtagene-ciloleucel")
    assert result["kinetics"] is None
    assert result["printed_kinetics"][0]["unit"] == "cells/uL"
    assert "summary-only" in warnings
    label = [row for row in result["toxicity"] if row["setting"] == "LBCL, label" and row["event"] == "crs"]
    assert [row["probability"] for row in label] == [0.94, 0.13]
    assert {row["scale"] for row in label} == {"Lee 2014"}


def test_wrong_requests_are_named() -> None:
    with pytest.raises(InvalidInput) as wrong:
        run(product="nothing")
    assert wrong.value.errors[0]["pointer"] == "/product"
    with pytest.raises(InvalidInput) as wrong:
        run(product="tisagenlecleucel", horizon_days=3650.0, output_step_days=0.1)
    assert wrong.value.errors[0]["pointer"] == "/output_step_days"
