"""Every wrong input gets its status and the pointer of the wrong member, and no echo of its value."""

import copy
from typing import Any

import orjson
import pytest

from tests.api.bad_inputs import REMOVED, Bad, cases
from tests.support.app_client import AppClient

VALID: dict[str, tuple[str, dict[str, Any]]] = {
    "predictions": (
        "/v1/predictions",
        {
            "patient": {
                "age_years": 66,
                "labs": {"albumin_g_per_l": 41},
                "biomarkers": {"pd_l1_tps_percent": 60},
                "conditions": {},
                "lesions": [{"id": "l1", "organ": "lung", "longest_diameter_mm": 30}],
            },
            "plan": {
                "radiotherapy": [{"id": "rt", "start_day": 0, "dose_per_fraction_gy": 8, "fraction_count": 3}],
                "drugs": [{"agent": "pembrolizumab", "dose_mg": 200, "interval_days": 21, "dose_count": 4}],
            },
        },
    ),
    "fractionation": (
        "/v1/doses/fractionation",
        {
            "phases": [{"dose_per_fraction_gy": 2, "fraction_count": 30}],
            "tissues": [{"id": "t", "role": "tumor", "alpha_beta_gy": 10}],
        },
    ),
}


def changed(body: dict[str, Any], at: str, value: Any) -> dict[str, Any]:
    """Copy a body with one member replaced, added or removed."""
    result = copy.deepcopy(body)
    *path, last = at.strip("/").split("/")
    inner: Any = result
    for part in path:
        inner = inner[int(part)] if isinstance(inner, list) else inner[part]
    if value is REMOVED:
        del inner[last]
    else:
        inner[last] = value
    return result


def described(bad: Bad) -> str:
    shown = "removed" if bad.value is REMOVED else repr(bad.value)[:20]
    return f"{bad.route}{bad.at}={shown}"


TABLE = list(cases())


def test_the_table_is_large() -> None:
    assert len(TABLE) >= 500
    assert len(set(map(described, TABLE))) == len(TABLE)


@pytest.mark.parametrize("bad", TABLE, ids=described)
def test_bad_input(client: AppClient, bad: Bad) -> None:
    route, body = VALID[bad.route]
    answer = client.post(route, json=changed(body, bad.at, bad.value))
    problem = answer.json()
    assert answer.status_code == bad.status, problem
    assert answer.headers["content-type"] == "application/problem+json"
    assert bad.pointer in [error["pointer"] for error in problem["errors"]], problem
    assert all(error["message"] for error in problem["errors"])


@pytest.mark.parametrize("route", sorted(VALID))
def test_the_unchanged_body_is_accepted(client: AppClient, route: str) -> None:
    path, body = VALID[route]
    assert client.post(path, json=body).status_code == 201


@pytest.mark.parametrize(
    "raw",
    [b"", b"{", b"[1,", b"nul", b"'x'", b'{"a":1,}', b"\xff\xfe", b"{}{}", b'"', b"[" * 500, b'{"a":' * 300],
    ids=range(11),
)
def test_not_json(client: AppClient, raw: bytes) -> None:
    answer = client.post("/v1/predictions", content=raw)
    assert answer.status_code == 400
    assert answer.json()["type"] == "/problems/malformed-json"


@pytest.mark.parametrize("literal", [b"NaN", b"Infinity", b"-Infinity", b"1e999"])
def test_numbers_beyond_json(client: AppClient, literal: bytes) -> None:
    answer = client.post("/v1/predictions", content=b'{"patient":{"age_years":' + literal + b"}}")
    assert answer.status_code in (400, 422)
    if answer.status_code == 422:
        assert answer.json()["errors"][0]["pointer"] == "/patient/age_years"


@pytest.mark.parametrize("raw", [b"1", b"[]", b'"text"', b"null", b"true"])
def test_not_an_object(client: AppClient, raw: bytes) -> None:
    answer = client.post("/v1/predictions", content=raw)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == ""


@pytest.mark.parametrize(
    "twice",
    [
        b'{"phases":[{"dose_per_fraction_gy":2,"dose_per_fraction_gy":20,"fraction_count":30}],"tissues":',
        b'{"seed":1,"seed":1,"phases":[{"dose_per_fraction_gy":2,"fraction_count":30}],"tissues":',
    ],
)
def test_two_members_of_one_name(client: AppClient, twice: bytes) -> None:
    body = twice + b'[{"id":"t","role":"late","alpha_beta_gy":3}]}'
    answer = client.post("/v1/doses/fractionation", content=body)
    assert answer.status_code == 400
    assert "two members of one name" in answer.json()["detail"]


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
def test_wrong_method(client: AppClient, method: str) -> None:
    answer = client.request(method, "/v1/predictions")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "POST"
    assert answer.headers["content-type"] == "application/problem+json"


def test_unknown_path(client: AppClient) -> None:
    answer = client.get("/v1/nothing/here")
    assert answer.status_code == 404
    assert answer.json()["type"] == "/problems/not-found"


def test_wrong_media_type(client: AppClient) -> None:
    answer = client.post("/v1/predictions", content=b"a=1", headers={"content-type": "text/plain"})
    assert answer.status_code == 415


def test_body_too_large_by_declaration_and_by_stream(client: AppClient) -> None:
    assert client.post("/v1/predictions", content=b"x" * 8_400_000).status_code == 413

    async def chunks() -> Any:
        for _ in range(40):
            yield b" " * 262_144

    assert client.post("/v1/predictions", content=chunks()).status_code == 413


def test_no_submitted_value_comes_back(client: AppClient) -> None:
    marker = "SENTINELJaneDoe19570401"
    path, body = VALID["predictions"]
    for at in ("/patient/reference", "/patient/sex", "/patient/age_years", "/models", "/plan", "/patient/labs"):
        answer = client.post(path, content=orjson.dumps(changed(body, at, marker + " ")))
        assert answer.status_code == 422
        assert marker not in answer.text
