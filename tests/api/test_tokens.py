"""Tokens of an issuer: signatures, claims, scopes, and an issuer that does not answer."""

import base64
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import jwt
import pytest
from pydantic import ValidationError

from service.key_set import KeySet
from service.settings import Settings
from tests.api.test_access import BODY, ROUTE, key_for
from tests.support.app_client import AppClient, open_client
from tests.support.issuer import ABSENT, Issuer


@pytest.fixture(scope="module")
def issued(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[AppClient, Issuer]]:
    issuer = Issuer()
    with open_client(data_dir=tmp_path_factory.mktemp("oidc"), log_level="ERROR", **issuer.settings()) as client:
        yield client, issuer
    issuer.close()


def status(client: AppClient, token: str) -> int:
    return client.get("/v1/runs", headers={"Authorization": f"Bearer {token}"}).status_code


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "EdDSA"])
def test_a_signed_token_is_let_in(issued: tuple[AppClient, Issuer], algorithm: str) -> None:
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
        {"aud": 5},
        {"exp": 1_700_000_100},
        {"exp": ABSENT},
        {"exp": float("inf")},
        {"tenant": ABSENT},
        {"tenant": 5},
        {"tenant": ""},
        {"tenant": "\ud800"},
        {"tenant": "a\nb"},
        {"tenant": "a" * 129},
        {"sub": "\ud800"},
        {"scope": None},
        {"scope": 5},
        {"scope": {"runs:read": True}},
        {"scope": ["runs:read", 5]},
        {"nbf": 3_900_000_000},
    ],
    ids=lambda changes: ascii({name: "absent" if value is ABSENT else value for name, value in changes.items()}),
)
def test_wrong_claims(issued: tuple[AppClient, Issuer], changes: dict[str, Any]) -> None:
    client, issuer = issued
    assert status(client, issuer.token(**changes)) == 401


def test_scopes_may_be_a_list(issued: tuple[AppClient, Issuer]) -> None:
    client, issuer = issued
    assert status(client, issuer.token(scope=ABSENT, scp=["runs:read"])) == 200


def test_symmetric_and_unsigned_tokens_are_refused(issued: tuple[AppClient, Issuer]) -> None:
    client, issuer = issued
    unsigned = jwt.encode({"tenant": "clinic", "exp": 4_000_000_000}, None, algorithm="none")
    symmetric = issuer.token("HS256", "s")
    for token in (issuer.token("HS256", "r"), symmetric, unsigned, issuer.token() + "x", "a.b.c"):
        assert status(client, token) == 401


@pytest.mark.parametrize(
    ("algorithm", "kid"),
    [("RS256", "e"), ("RS256", "o"), ("PS256", "e"), ("PS256", "o"), ("ES256", "r"), ("ES256", "o"), ("EdDSA", "r")],
)
def test_an_algorithm_that_is_not_the_keys(issued: tuple[AppClient, Issuer], algorithm: str, kid: str) -> None:
    client, issuer = issued
    signed = issuer.token(algorithm, kid)
    assert status(client, signed) == 401
    assert status(client, signed.rpartition(".")[0] + ".") == 401


def test_a_key_that_names_its_algorithm_has_signed_with_no_other(issued: tuple[AppClient, Issuer]) -> None:
    client, issuer = issued
    assert status(client, issuer.token("RS512")) == 401


@pytest.mark.parametrize(
    "header",
    [b"[" * 20_000, b'{"alg":["RS256"],"kid":"r"}', b'{"alg":"RS256","kid":5}', b'{"alg":"RS256"}', b"5", b"\xff"],
    ids=ascii,
)
def test_headers_that_are_none(issued: tuple[AppClient, Issuer], header: bytes) -> None:
    encoded = base64.urlsafe_b64encode(header).decode().rstrip("=")
    assert status(issued[0], f"{encoded}.e30.e30") == 401


def test_a_token_without_the_scope_is_forbidden(issued: tuple[AppClient, Issuer]) -> None:
    client, issuer = issued
    headers = {"Authorization": f"Bearer {issuer.token(scope='runs:read')}"}
    assert client.post(ROUTE, json=BODY, headers=headers).status_code == 403


@pytest.fixture
def alone() -> Iterator[Issuer]:
    issuer = Issuer()
    yield issuer
    issuer.close()


def test_junk_tokens_hold_up_nobody_while_the_issuer_hangs(
    alone: Issuer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.key_set._WAIT_SECONDS", 1.0)
    alone.delay_seconds = 2.0
    key = key_for(Settings(data_dir=tmp_path), "clinic", "runs:read")
    with open_client(data_dir=tmp_path, log_level="ERROR", **alone.settings()) as client:
        with ThreadPoolExecutor(40) as crowd:
            junk = [crowd.submit(status, client, alone.token(kid=f"junk-{number}")) for number in range(40)]
            while alone.fetches == 0:
                time.sleep(0.01)
            started = time.monotonic()
            assert client.get("/v1/runs", headers={"X-API-Key": key}).status_code == 200
            assert time.monotonic() - started < 0.7
            assert {one.result() for one in junk} == {503}
        assert alone.fetches == 1


def test_an_issuer_that_is_away_is_asked_seldom_and_its_last_keys_serve(
    alone: Issuer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_client(data_dir=tmp_path, log_level="ERROR", **alone.settings()) as client:
        alone.status = 500
        answer = client.get("/v1/runs", headers={"Authorization": f"Bearer {alone.token()}"})
        assert (answer.status_code, answer.json()["type"]) == (503, "/problems/key-set-unavailable")
        assert answer.headers["retry-after"]
        assert [status(client, alone.token()) for _ in range(5)] == [503] * 5
        assert alone.fetches == 1
        alone.status = 200
        keys: KeySet = client.runtime.gatekeeper._tokens._keys
        keys._tried_at = float("-inf")
        assert status(client, alone.token()) == 200
        alone.status = 500
        keys._tried_at = float("-inf")
        monkeypatch.setattr("service.key_set._FRESH_SECONDS", 0.0)
        assert status(client, alone.token()) == 200
        assert alone.fetches == 3
        monkeypatch.setattr("service.key_set._LONGEST_SECONDS", 0.0)
        assert status(client, alone.token()) == 503


def test_a_new_key_of_the_issuer_is_found_and_an_unknown_one_is_not_looked_up_again(
    alone: Issuer, tmp_path: Path
) -> None:
    added = alone.keys.pop(0)
    with open_client(data_dir=tmp_path, log_level="ERROR", **alone.settings()) as client:
        assert [status(client, alone.token()) for _ in range(3)] == [401] * 3
        assert alone.fetches == 1
        alone.keys.append(added)
        client.runtime.gatekeeper._tokens._keys._tried_at = float("-inf")
        assert status(client, alone.token()) == 200


def test_the_address_of_the_keys_is_one_of_the_web() -> None:
    given = {"auth": "oidc", "oidc_issuer": "a", "oidc_audience": "b"}
    for url in ("file:///etc/passwd", "ftp://issuer.test/jwks"):
        with pytest.raises(ValidationError, match="https://"):
            Settings(**given, oidc_jwks_url=url)
