"""Keys, tokens, scopes and tenants."""

import asyncio
import json
import secrets
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service import upkeep
from service.access import SCOPES
from service.settings import Settings, UnsafeConfiguration
from tests.support.app_client import AppClient, open_client

BODY = {
    "phases": [{"dose_per_fraction_gy": 2.0, "fraction_count": 30}],
    "tissues": [{"id": "tumor", "role": "tumor", "alpha_beta_gy": 10.0}],
}
ROUTE = "/v1/doses/fractionation"
PROTECTED = [
    ("POST", ROUTE, "runs:write"),
    ("POST", "/v1/predictions", "runs:write"),
    ("GET", "/v1/runs", "runs:read"),
    ("GET", "/v1/runs/01JD0000000000000000000000", "runs:read"),
    ("POST", "/v1/runs/01JD0000000000000000000000/replay", "runs:read"),
    ("DELETE", "/v1/runs/01JD0000000000000000000000", "runs:write"),
    ("GET", "/v1/models", "models:read"),
    ("GET", "/v1/regimens", "models:read"),
    ("GET", "/v1/audit/checkpoint", "audit:read"),
    ("GET", "/v1/audit/entries", "audit:read"),
]


def key_for(where: Settings, tenant: str, *scopes: str) -> str:
    made: dict[str, Any] = asyncio.run(upkeep.create_key(where, tenant, list(scopes), "test"))
    return str(made["key"])


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[AppClient, Settings]]:
    where = Settings(data_dir=tmp_path_factory.mktemp("keys"), auth="keys", log_level="ERROR")
    with open_client(data_dir=where.data_dir, auth="keys", log_level="ERROR") as client:
        yield client, where


@pytest.mark.parametrize(("method", "path", "scope"), PROTECTED)
def test_every_route_needs_its_scope(guarded: tuple[AppClient, Settings], method: str, path: str, scope: str) -> None:
    client, where = guarded
    assert client.request(method, path).status_code == 401
    others = key_for(where, "a", *(set(SCOPES) - {scope}))
    refused = client.request(method, path, headers={"X-API-Key": others})
    assert refused.status_code == 403
    assert scope in refused.json()["detail"]
    own = key_for(where, "a", scope)
    assert client.request(method, path, headers={"Authorization": f"Bearer {own}"}).status_code not in (401, 403)


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/metrics", "/docs", "/openapi.json"])
def test_operations_are_open(guarded: tuple[AppClient, Settings], path: str) -> None:
    assert guarded[0].get(path).status_code == 200


@pytest.mark.parametrize(
    "token", ["absk_", "absk_x.y", "absk_0123456789abcdef.secret", "abc", "Bearer", "absk_" + "a" * 5000]
)
def test_wrong_keys(guarded: tuple[AppClient, Settings], token: str) -> None:
    answer = guarded[0].get("/v1/runs", headers={"X-API-Key": token})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert token not in answer.text or token == "Bearer"


def test_a_key_with_another_secret_is_refused(guarded: tuple[AppClient, Settings]) -> None:
    client, where = guarded
    key = key_for(where, "a", "runs:read")
    forged = key.partition(".")[0] + "." + secrets.token_urlsafe(32)
    assert client.get("/v1/runs", headers={"X-API-Key": key}).status_code == 200
    assert client.get("/v1/runs", headers={"X-API-Key": forged}).status_code == 401


def test_what_a_stranger_sends_is_not_kept(guarded: tuple[AppClient, Settings]) -> None:
    client, where = guarded
    key = key_for(where, "a", "runs:read")
    assert client.get("/v1/runs", headers={"X-API-Key": key}).status_code == 200
    known = client.runtime.gatekeeper._keys._known
    before = set(known)
    for number in range(20):
        for token in (f"absk_{number}", f"absk_{number:016x}.{secrets.token_urlsafe(32)}", f"{key}{number}" * 50):
            assert client.get("/v1/runs", headers={"X-API-Key": token}).status_code == 401
    assert set(known) == before


def test_the_keys_that_are_remembered_are_bounded(
    guarded: tuple[AppClient, Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    client, where = guarded
    monkeypatch.setattr("service.keys._CACHE_KEYS", 3)
    known = client.runtime.gatekeeper._keys._known
    known.clear()
    for _ in range(5):
        key = key_for(where, "a", "runs:read")
        assert client.get("/v1/runs", headers={"X-API-Key": key}).status_code == 200
        assert len(known) <= 3
    assert key.removeprefix("absk_").partition(".")[0] in known


def test_a_revoked_key_ends(tmp_path: Path) -> None:
    where = Settings(data_dir=tmp_path, auth="keys")
    key = key_for(where, "a", "runs:read")
    key_id = key.removeprefix("absk_").partition(".")[0]
    asyncio.run(upkeep.revoke_key(where, key_id))
    with open_client(data_dir=tmp_path, auth="keys", log_level="ERROR") as client:
        assert client.get("/v1/runs", headers={"X-API-Key": key}).status_code == 401


def denials(client: AppClient, reader: str, *, expected: int) -> list[dict[str, Any]]:
    """Every recorded denial of the reader's tenant, after waiting for that many."""
    found: list[dict[str, Any]] = []
    for _ in range(100):
        entries = client.get("/v1/audit/entries?limit=1000", headers={"X-API-Key": reader}).json()["entries"]
        found = [entry["record"] for entry in entries if entry["record"]["event"] == "access.denied"]
        if sum(record["extra"]["count"] for record in found) >= expected:
            break
        time.sleep(0.05)
    return found


def test_every_denial_is_in_a_count_of_the_log(guarded: tuple[AppClient, Settings]) -> None:
    client, where = guarded
    reader = key_for(where, "denied", "audit:read")
    before = client.runtime.writer.stats.stored
    for _ in range(200):
        assert client.get("/v1/runs", headers={"X-API-Key": "absk_"}).status_code == 401
    for _ in range(20):
        assert client.post(ROUTE, json=BODY, headers={"X-API-Key": reader}).status_code == 403
    found = denials(client, reader, expected=20)
    assert sum(record["extra"]["count"] for record in found) == 20
    assert {(record["tenant"], record["subject"]) for record in found} == {("denied", "runs:write")}
    assert client.runtime.writer.stats.stored - before < 20
    assert 'abscope_denials_total{caller="known"}' in client.get("/metrics").text


def test_denials_that_wait_are_stored_at_the_end(tmp_path: Path) -> None:
    where = Settings(data_dir=tmp_path, auth="keys", log_level="ERROR")
    reader = key_for(where, "denied", "audit:read")
    with open_client(data_dir=tmp_path, auth="keys", log_level="ERROR") as client:
        for _ in range(3):
            assert client.get("/v1/runs", headers={"X-API-Key": reader}).status_code == 403
    with open_client(data_dir=tmp_path, auth="keys", log_level="ERROR") as client:
        assert sum(record["extra"]["count"] for record in denials(client, reader, expected=3)) == 3


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(owner=st.sampled_from(["a", "b", "c"]), visitor=st.sampled_from(["a", "b", "c"]), keyed=st.booleans())
def test_a_tenant_sees_its_own_runs_only(
    guarded: tuple[AppClient, Settings], owner: str, visitor: str, keyed: bool
) -> None:
    client, where = guarded
    keys = _tenant_keys(where)
    headers = {"X-API-Key": keys[owner]} | ({"Idempotency-Key": "shared-key"} if keyed else {})
    run = client.post(ROUTE, json=BODY, headers=headers).json()
    visit = {"X-API-Key": keys[visitor]}
    expected = 200 if visitor == owner else 404
    assert client.get(f"/v1/runs/{run['id']}", headers=visit).status_code == expected
    assert client.post(f"/v1/runs/{run['id']}/replay", headers=visit).status_code == expected
    assert client.get(f"/v1/audit/proofs/{run['id']}", headers=visit).status_code == expected
    assert client.request("DELETE", f"/v1/runs/{run['id']}", headers=visit).status_code == (
        409 if visitor == owner else 404
    )
    listed = {row["id"] for row in client.get("/v1/runs?limit=200", headers=visit).json()["runs"]}
    assert (run["id"] in listed) == (visitor == owner)
    seen = client.get("/v1/audit/entries?limit=1000", headers=visit).json()["entries"]
    assert {entry["record"]["tenant"] for entry in seen} <= {visitor}


_KEYS: dict[Path, dict[str, str]] = {}


def _tenant_keys(where: Settings) -> dict[str, str]:
    if where.data_dir not in _KEYS:
        _KEYS[where.data_dir] = {tenant: key_for(where, tenant, *SCOPES) for tenant in ("a", "b", "c")}
    return _KEYS[where.data_dir]


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "example.org"])
def test_without_authentication_only_loopback(host: str) -> None:
    with pytest.raises(UnsafeConfiguration, match="ABSCOPE_AUTH=keys"):
        Settings(host=host).require_safe_listener()
    Settings(host=host, auth="keys").require_safe_listener()


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.8.8.8"])
def test_loopback_is_safe(host: str) -> None:
    Settings(host=host).require_safe_listener()


OWN_NAMES = ["localhost", "LOCALHOST:8000", "127.0.0.1", "127.0.0.1:8000", "127.9.9.9:1", "[::1]", "[::1]:8000"]
FOREIGN_NAMES = [
    "evil.example", "localhost.evil.example", "127.0.0.1.evil.example:8000", "192.168.1.5", "0.0.0.0", "[::2]:8000",
    "[::1", "[::1]evil.example", "::1", "", "a" * 70_000,
]  # fmt: skip


@pytest.mark.parametrize("host", OWN_NAMES)
def test_a_service_of_this_computer_answers_to_its_own_names(client: AppClient, host: str) -> None:
    for origin in ({}, {"Origin": f"http://{host}"}):
        assert client.post(ROUTE, json=BODY, headers={"Host": host, **origin}).status_code == 201


@pytest.mark.parametrize("host", FOREIGN_NAMES, ids=lambda host: host[:40])
def test_it_answers_to_no_name_that_another_can_give_it(client: AppClient, host: str) -> None:
    answer = client.get("/v1/runs", headers={"Host": host})
    assert (answer.status_code, answer.json()["type"]) == (403, "/problems/foreign-request")
    assert client.post(ROUTE, json=BODY, headers={"Host": host}).status_code == 403
    assert client.get("/livez", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:3000", "http://localhost", ""])
def test_it_answers_no_page_of_another_origin(client: AppClient, origin: str) -> None:
    headers = {"Origin": origin}
    assert client.post(ROUTE, content=json.dumps(BODY), headers=headers).status_code == 403
    assert client.get("/v1/runs", headers=headers).status_code == 403


def test_with_keys_any_name_will_do(guarded: tuple[AppClient, Settings]) -> None:
    client, where = guarded
    headers = {"X-API-Key": key_for(where, "a", "runs:read"), "Host": "abscope.clinic.example"}
    assert client.get("/v1/runs", headers=headers).status_code == 200
