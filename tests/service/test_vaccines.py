"""Vaccines: research dynamics, hazard ratio, schedules."""

import json
from typing import Any
from xml.etree import ElementTree

import pytest

from schemas.vaccines import VaccinesRequest, VaccinesResult
from service import vaccines
from service.errors import InvalidInput
from service.parsing import InvalidBody, parse


def run(**body: Any) -> tuple[dict[str, Any], set[str]]:
    done = vaccines.compute(VaccinesRequest.model_validate(body))
    assert isinstance(done.result, VaccinesResult)
    return done.result.model_dump(mode="json"), {warning.code for warning in done.warnings}


@pytest.mark.parametrize("body", [*vaccines.KIND.examples.values(), {"product": "sipuleucel-t"}])
def test_examples_answer_draw_and_list(body: dict[str, Any]) -> None:
    result, _ = run(**body)
    svg = vaccines.KIND.figures["effect"](body, result)
    assert ElementTree.fromstring(svg).tag.endswith("svg")
    assert b"mathdefault" not in svg
    assert len(vaccines.series(body, result).splitlines()) > 2


def test_the_whole_cell_model_is_labelled_as_research() -> None:
    result, warnings = run(product="whole-cell-prostate-kronik2010", days=[0.0, 14.0], horizon_days=60.0)
    assert warnings == {"research-model"}
    dynamics = result["dynamics"]
    assert dynamics["tumor_cells"][-1] < dynamics["tumor_cells_without_vaccine"][-1]
    assert max(dynamics["cytotoxic_t_cells"]) > 1000.0
    spared, _ = run(
        product="whole-cell-prostate-kronik2010", days=[0.0], horizon_days=60.0, dynamics={"killing_per_cell_hour": 0.0}
    )
    assert spared["dynamics"]["tumor_cells"] == pytest.approx(spared["dynamics"]["tumor_cells_without_vaccine"])


def test_the_mrna_vaccine_is_a_hazard_ratio_on_a_curve() -> None:
    result, warnings = run(product="mrna-4157")
    point = result["hazard_ratio"]["curve"][0]
    assert point["survival"] == pytest.approx(0.7648, abs=1e-4)
    assert point["interval"]["lower"] < point["comparator_survival"] < point["survival"] < point["interval"]["upper"]
    assert "hazard-ratio-only" in warnings
    assert result["dose_days"][:2] == [0.0, 21.0]


def test_schedules_alone_are_data() -> None:
    result, warnings = run(product="talimogene-laherparepvec")
    assert result["dynamics"] is None
    assert result["hazard_ratio"] is None
    assert warnings == {"schedule-only", "unverified-values"}


def test_wrong_requests_are_named() -> None:
    for body, pointer in (
        ({"product": "nothing"}, "/product"),
        ({"product": "whole-cell-prostate-kronik2010"}, "/days"),
    ):
        with pytest.raises(InvalidInput) as wrong:
            run(**body)
        assert wrong.value.errors[0]["pointer"] == pointer
    rising = [{"day": 1.0, "survival": 0.5}, {"day": 2.0, "survival": 0.6}]
    for member, value in (("days", [5.0, 5.0]), ("comparator_curve", rising)):
        with pytest.raises(InvalidBody) as refused:
            parse(VaccinesRequest, json.dumps({"product": "mrna-4157", member: value}).encode())
        assert [error["pointer"] for error in refused.value.errors] == [f"/{member}"]


def test_a_model_that_cannot_be_followed_is_refused() -> None:
    growing = {"dynamics": {"tumor_growth_per_hour": 0.1}, "horizon_days": 3650.0}
    with pytest.raises(InvalidInput) as refused:
        run(product="whole-cell-prostate-kronik2010", days=[0.0], **growing)
    assert refused.value.errors[0]["pointer"] == "/dynamics"
