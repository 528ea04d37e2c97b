"""Keys, tokens, scopes and tenants."""

import asyncio
import json
import secrets
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

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


def test_a_revoked_key_ends(tmp_path: Path) -> None:
    where = Settings(data_dir=tmp_path, auth="keys")
    key = key_for(where, "a", "runs:read")
    key_id = key.removeprefix("absk_").partition(".")[0]
    asyncio.run(upkeep.revoke_key(where, "a", key_id))
    with open_client(data_dir=tmp_path, auth="keys", log_level="ERROR") as client:
        assert client.get("/v1/runs", headers={"X-API-Key": key}).status_code == 401


def test_denials_reach_the_log(guarded: tuple[AppClient, Settings]) -> None:
    client, where = guarded
    reader = key_for(where, "denied", "audit:read")
    assert client.post(ROUTE, json=BODY, headers={"X-API-Key": reader}).status_code == 403
    for _ in range(100):
        entries = client.get("/v1/audit/entries?limit=1000", headers={"X-API-Key": reader}).json()["entries"]
        if "access.denied" in [entry["record"]["event"] for entry in entries]:
            return
        time.sleep(0.05)
    pytest.fail("no access.denied event")


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


class _Issuer:
    """A token issuer on loopback with one RSA and one EC key."""

    def __init__(self) -> None:
        self.rsa = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.ec = ec.generate_private_key(ec.SECP256R1())
        keys = [
            {**json.loads(RSAAlgorithm.to_jwk(self.rsa.public_key())), "kid": "r", "use": "sig", "alg": "RS256"},
            {**json.loads(ECAlgorithm.to_jwk(self.ec.public_key())), "kid": "e", "use": "sig", "alg": "ES256"},
        ]
        document = json.dumps({"keys": keys}).encode()

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("content-type", "application/json")
                self.end_headers()
                self.wfile.write(document)

            def log_message(self, *_: Any) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/jwks"

    def token(self, algorithm: str = "RS256", **changes: Any) -> str:
        claims = {
            "iss": "https://issuer.test",
            "aud": "abscope",
            "sub": "someone",
            "tenant": "clinic",
            "scope": "runs:read runs:write",
            "iat": 1_700_000_000,
            "exp": 4_000_000_000,
        } | changes
        claims = {name: value for name, value in claims.items() if value is not None}
        key, kid = (self.rsa, "r") if algorithm.startswith("RS") else (self.ec, "e")
        if algorithm == "HS256":
            return jwt.encode(claims, "x" * 32, algorithm="HS256", headers={"kid": "r"})
        return jwt.encode(claims, key, algorithm=algorithm, headers={"kid": kid})


@pytest.fixture(scope="module")
def issued(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[AppClient, _Issuer]]:
    issuer = _Issuer()
    with open_client(
        data_dir=tmp_path_factory.mktemp("oidc"),
        auth="oidc",
        oidc_issuer="https://issuer.test",
        oidc_audience="abscope",
        oidc_jwks_url=issuer.url,
        log_level="ERROR",
    ) as client:
        yield client, issuer
    issuer.server.shutdown()
    issuer.server.server_close()


@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
def test_a_signed_token_is_let_in(issued: tuple[AppClient, _Issuer], algorithm: str) -> None:
    client, issuer = issued
    headers = {"Authorization": f"Bearer {issuer.token(algorithm)}"}
    run = client.post(ROUTE, json=BODY, headers=headers)
    assert run.status_code == 201
    assert client.get(run.headers["location"], headers=headers).status_code == 200
    other = {"Authorization": f"Bearer {issuer.token(algorithm, tenant='elsewhere')}"}
    assert client.get(run.headers["location"], headers=other).status_code == 404


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://other.test"},
        {"aud": "other"},
        {"exp": 1_700_000_100},
        {"exp": None},
        {"tenant": None},
        {"tenant": 5},
        {"nbf": 3_900_000_000},
    ],
    ids=str,
)
def test_wrong_claims(issued: tuple[AppClient, _Issuer], changes: dict[str, Any]) -> None:
    client, issuer = issued
    headers = {"Authorization": f"Bearer {issuer.token(**changes)}"}
    assert client.get("/v1/runs", headers=headers).status_code == 401


def test_symmetric_and_unsigned_tokens_are_refused(issued: tuple[AppClient, _Issuer]) -> None:
    client, issuer = issued
    unsigned = jwt.encode({"tenant": "clinic", "exp": 4_000_000_000}, None, algorithm="none")
    for token in (issuer.token("HS256"), unsigned, issuer.token() + "x", "a.b.c"):
        assert client.get("/v1/runs", headers={"Authorization": f"Bearer {token}"}).status_code == 401


def test_a_token_without_the_scope_is_forbidden(issued: tuple[AppClient, _Issuer]) -> None:
    client, issuer = issued
    headers = {"Authorization": f"Bearer {issuer.token(scope='runs:read')}"}
    assert client.post(ROUTE, json=BODY, headers=headers).status_code == 403
