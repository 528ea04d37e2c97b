"""The OpenAPI document says what every member is, in which unit, and how every route fails."""

import re
from collections.abc import Iterator

import pytest

from api.app import create_app
from api.problems import MEDIA_TYPE
from service.settings import Settings

UNITS = {
    "_1e9_per_l": "1e9/L",
    "_bytes": "B",
    "_cells": "cells",
    "_cm3": "cm3",
    "_copies_day_per_ug": "copies d/ug",
    "copies_per_ug": "copies/ug",
    "_days": "d",
    "_g_per_l": "g/L",
    "_gy": "Gy",
    "_gy_per_day": "Gy/d",
    "_hours": "h",
    "_kg": "kg",
    "_kev_per_um": "keV/um",
    "_l_per_day": "L/d",
    "_l_per_min": "L/min",
    "_mg": "mg",
    "_mg_day_per_l": "mg d/L",
    "_mg_per_day": "mg/d",
    "_mg_per_kg": "mg/kg",
    "_mg_per_l": "mg/L",
    "_minutes": "min",
    "_mm": "mm",
    "_per_gy": "1/Gy",
    "_percent": "%",
    "_per_mb": "1/Mb",
    "_pg_per_ml": "pg/mL",
    "_seconds": "s",
    "_u_per_l": "U/L",
    "age_years": "a",
}
QUANTITY = re.compile(r"_(gy|mg|kg|mm|cm|cm3|l|days?|hours?|minutes|seconds|years|percent|bytes|per_[a-z0-9]+)$")


@pytest.fixture(scope="module")
def document():
    return create_app(Settings()).openapi()


def members(node: object, path: str = "") -> Iterator[tuple[str, str, dict]]:
    if isinstance(node, dict):
        properties = node.get("properties")
        if isinstance(properties, dict) and all(isinstance(found, dict) for found in properties.values()):
            for name, found in properties.items():
                yield f"{path}/{name}", name, found
        for key, below in node.items():
            if key not in ("example", "examples", "default"):
                yield from members(below, f"{path}/{key}")
    elif isinstance(node, list):
        for below in node:
            yield from members(below, path)


def test_every_property_has_a_description(document):
    found = list(members(document))
    assert len(found) > 1000
    assert [path for path, _, schema in found if not schema.get("description", "").strip()] == []


def test_every_quantity_names_its_unit(document):
    found = [(path, name, schema["description"]) for path, name, schema in members(document) if QUANTITY.search(name)]
    assert len(found) > 200
    assert [path for path, _, text in found if not re.search(r"Unit: \S+", text)] == []


def test_the_unit_is_that_of_the_name(document):
    for path, name, schema in members(document):
        end = max((end for end in UNITS if name.endswith(end)), key=len, default=None)
        if end is not None:
            assert f"Unit: {UNITS[end]}." in schema["description"], path


def test_a_rate_has_no_unit_of_an_amount(document):
    rates = [(path, schema) for path, name, schema in members(document) if re.search(r"_per_[a-z0-9]+$", name)]
    assert len(rates) > 20
    assert [path for path, schema in rates if not re.search(r"Unit: [^.]*/", schema["description"])] == []


def test_no_description_names_two_units(document):
    assert [path for path, _, schema in members(document) if schema["description"].count("Unit: ") > 1] == []


def test_every_route_documents_the_unexpected_failure(document):
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            assert MEDIA_TYPE in operation["responses"]["500"]["content"], f"{method} {path}"


def test_every_computing_route_documents_202_and_201(document):
    computing = [
        operations["post"]
        for operations in document["paths"].values()
        if any(one.get("name") == "Prefer" for one in operations.get("post", {}).get("parameters", []))
    ]
    assert len(computing) > 10
    assert [one["operationId"] for one in computing if not {"201", "202"} <= set(one["responses"])] == []


def test_every_parameter_says_what_it_is(document):
    silent = [
        (path, parameter["name"])
        for path, operations in document["paths"].items()
        for operation in operations.values()
        for parameter in operation.get("parameters", [])
        if not parameter.get("description")
    ]
    assert silent == []


def test_the_metrics_are_documented_as_text(document):
    assert list(document["paths"]["/metrics"]["get"]["responses"]["200"]["content"]) == ["text/plain"]
