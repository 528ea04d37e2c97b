"""The life of a run over HTTP: stored, read, listed, replayed, cancelled, proved."""

import base64
import gzip
import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from db.merkle import leaf_hash, verify_consistency, verify_inclusion
from service.catalog import KINDS
from service.signing import Verifier
from tests.support.app_client import AppClient

FRACTIONATION = {
    "phases": [{"dose_per_fraction_gy": 2.0, "fraction_count": 30}],
    "tissues": [{"id": "tumor", "role": "tumor", "alpha_beta_gy": 10.0}],
}
ROUTE = "/v1/doses/fractionation"
EXAMPLES = [
    pytest.param(kind.name, name, id=f"{kind.name}-{name}") for kind in KINDS.values() for name in kind.examples
]


def created(client: AppClient, **headers: str) -> Any:
    answer = client.post(ROUTE, json=FRACTIONATION, headers=headers)
    assert answer.status_code == 201
    return answer


@pytest.mark.parametrize(("kind", "example"), EXAMPLES)
def test_every_example_becomes_a_run_that_replays(client: AppClient, kind: str, example: str) -> None:
    declared = KINDS[kind]
    if not declared.posted:
        pytest.skip("has an upload route of its own")
    answer = client.post(f"/v1{declared.path}", json=declared.examples[example])
    assert answer.status_code == 201, answer.text
    run = answer.json()
    assert run["status"] == "succeeded"
    assert run["models"]
    declared.result.model_validate_json(orjson.dumps(run["result"]))
    replay = client.post(f"/v1/runs/{run['id']}/replay").json()
    assert replay["identical"] is True
    assert replay["same_models"] is True
    for name in declared.figures:
        picture = client.get(f"/v1/runs/{run['id']}?figure={name}")
        assert picture.status_code == 200, picture.text
        assert picture.headers["content-type"] == "image/svg+xml"
        assert b"<title" in picture.content
        assert b"<desc" in picture.content
        assert picture.content == client.get(f"/v1/runs/{run['id']}?figure={name}").content
    if declared.series is not None:
        table = client.get(f"/v1/runs/{run['id']}", headers={"accept": "text/csv"})
        assert table.status_code == 200
        assert "," in table.text.splitlines()[0]


def test_a_run_reads_back_byte_for_byte(client: AppClient) -> None:
    answer = created(client)
    again = client.get(answer.headers["location"])
    assert again.content == answer.content
    assert again.headers["etag"] == answer.headers["etag"]
    assert client.get(answer.headers["location"], headers={"if-none-match": answer.headers["etag"]}).status_code == 304
    digest = hashlib.sha256(orjson.dumps(answer.json()["result"])).hexdigest()
    assert answer.json()["digests"]["result_sha256"] == digest


def test_the_same_key_answers_the_same_run(client: AppClient) -> None:
    first = created(client, **{"Idempotency-Key": "same-1"})
    second = created(client, **{"Idempotency-Key": '"same-1"'})
    assert second.content == first.content
    assert second.headers["idempotency-replayed"] == "true"
    other = client.post(ROUTE, json={**FRACTIONATION, "seed": 5}, headers={"Idempotency-Key": "same-1"})
    assert other.status_code == 422
    assert other.json()["type"] == "/problems/idempotency-mismatch"


def test_concurrent_requests_with_one_key_store_one_run(client: AppClient) -> None:
    calls = [("POST", ROUTE, {"json": FRACTIONATION, "headers": {"Idempotency-Key": "racing"}}) for _ in range(20)]
    answers = client.gather(calls)
    ids = {answer.json()["id"] for answer in answers if answer.status_code == 201}
    assert len(ids) == 1
    assert {answer.status_code for answer in answers} <= {201, 409}


@pytest.mark.parametrize("key", ["", "with space", "x" * 129, "ä"])
def test_bad_idempotency_keys(client: AppClient, key: str) -> None:
    answer = client.post(ROUTE, json=FRACTIONATION, headers={"Idempotency-Key": key.encode()})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "#/header/idempotency-key"


def test_pages_list_every_run_once_and_filter(client: AppClient) -> None:
    mark = f"patient-{datetime.now(UTC).timestamp():.6f}"
    body = {"patient": {"reference": mark, "age_years": 60}}
    ids = [client.post("/v1/predictions", json=body).json()["id"] for _ in range(7)]
    seen: list[str] = []
    url: str | None = f"/v1/runs?patient_reference={mark}&kind=predictions&limit=3"
    while url is not None:
        page = client.get(url)
        assert page.status_code == 200
        seen += [run["id"] for run in page.json()["runs"]]
        created(client)
        url = page.headers["link"].split(">")[0].lstrip("<") if "link" in page.headers else None
    assert sorted(seen) == sorted(ids)
    assert client.get(f"/v1/runs?patient_reference={mark}&kind=fractionation").json()["runs"] == []
    assert client.get(f"/v1/runs?patient_reference={mark}&status=failed").json()["runs"] == []
    later = (datetime.now(UTC) + timedelta(hours=1)).isoformat().replace("+00:00", "Z")
    assert client.get(f"/v1/runs?patient_reference={mark}&created_after={later}").json()["runs"] == []
    assert len(client.get(f"/v1/runs?patient_reference={mark}&created_before={later}").json()["runs"]) == 7
    assert client.get("/v1/runs?model=no-such-model").json()["runs"] == []


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("cursor=%00", "#/query/cursor"),
        ("cursor=abc", "#/query/cursor"),
        ("limit=0", "#/query/limit"),
        ("limit=x", "#/query/limit"),
        ("created_after=yesterday", "#/query/created_after"),
        ("created_before=2026-01-01", "#/query/created_before"),
        ("status=done", "#/query/status"),
        ("kind=zzz", "#/query/kind"),
        ("model=%00", "#/query/model"),
        ("model=LORIS", "#/query/model"),
        ("patient_reference=a%20b", "#/query/patient_reference"),
        ("created_after=0001-01-01T00:00:00%2B23:00", "#/query/created_after"),
        ("created_before=9999-12-31T23:59:59-23:00", "#/query/created_before"),
        ("patient=a", "#/query"),
    ],
)
def test_bad_list_parameters(client: AppClient, query: str, pointer: str) -> None:
    answer = client.get(f"/v1/runs?{query}")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == pointer


@pytest.mark.parametrize("tag", ["{etag}", "W/{etag}", '"other", {etag}', "*"])
def test_a_run_that_the_caller_has_is_not_sent_again(client: AppClient, tag: str) -> None:
    answer = created(client)
    again = client.get(
        f"/v1/runs/{answer.json()['id']}", headers={"if-none-match": tag.format(etag=answer.headers["etag"])}
    )
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("", "application/json"),
        ("*/*", "application/json"),
        ("application/json, text/csv;q=0.5", "application/json"),
        ("application/json;q=0.2, text/csv", "text/csv"),
        ("text/csv;q=high", "application/json"),
        ("text/*", "text/csv"),
        ("text/*;q=0.4, application/*;q=0.3", "text/csv"),
        ("TEXT/CSV ; q=1.0, application/json;q=0.9", "text/csv"),
        ("text/csv, */*", "text/csv"),
        ("image/svg+xml, */*;q=0.1", "application/json"),
        ("text/html, image/gif, *; q=.2, */*; q=.2", "application/json"),
        ("text/csv;q=0, */*", "application/json"),
        ("application/json;q=0, */*", "text/csv"),
    ],
)
def test_accept_chooses_and_caches_are_told(client: AppClient, accept: str, media_type: str) -> None:
    answer = client.get(f"/v1/runs/{created(client).json()['id']}", headers={"accept": accept})
    assert answer.headers["content-type"].startswith(media_type)
    assert answer.headers["vary"] == "Accept, Authorization, X-API-Key"


@pytest.mark.parametrize(
    "accept",
    [
        "image/svg+xml",
        "image/*",
        "image/png",
        "application/pdf",
        "application/xml",
        "text/html",
        "application/json;q=0",
        "text/csv;q=0",
        "*/*;q=0",
        "text/*, text/csv;q=0",
    ],
)
def test_what_is_not_offered_is_not_acceptable(client: AppClient, accept: str) -> None:
    answer = client.get(f"/v1/runs/{created(client).json()['id']}", headers={"accept": accept})
    assert (answer.status_code, answer.json()["type"]) == (406, "/problems/not-acceptable")
    assert "text/csv" in answer.json()["detail"]


@pytest.mark.parametrize("accept", ["image/svg+xml", "image/*", "image/png, image/svg+xml;q=0.1"])
def test_a_kind_with_pictures_draws_for_every_range_that_covers_them(client: AppClient, accept: str) -> None:
    run = client.post("/v1/responses", json=next(iter(KINDS["responses"].examples.values()))).json()
    answer = client.get(f"/v1/runs/{run['id']}", headers={"accept": accept})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/svg+xml")


@pytest.mark.parametrize("path", ["/livez", "/docs", "/v1/runs", "/v1/models"])
def test_head_is_get_without_the_body(client: AppClient, path: str) -> None:
    head, get = client.request("HEAD", path), client.get(path)
    assert (head.status_code, head.content) == (get.status_code, b"")
    assert head.headers["content-type"] == get.headers["content-type"]
    assert client.request("HEAD", ROUTE).status_code == 405
    assert client.request("PATCH", path).headers["allow"] == "GET, HEAD"


@pytest.mark.parametrize("path", [ROUTE, "/v1/predictions:batch"])
@pytest.mark.parametrize("encoding", ["gzip", "br", "identity, gzip"])
def test_a_compressed_body_is_refused_by_its_encoding(client: AppClient, path: str, encoding: str) -> None:
    headers = {"content-encoding": encoding, "content-type": "application/json"}
    answer = client.post(path, content=gzip.compress(orjson.dumps(FRACTIONATION)), headers=headers)
    assert (answer.status_code, answer.json()["type"]) == (415, "/problems/unsupported-media-type")
    assert "Content-Encoding" in answer.json()["detail"]
    assert client.post(ROUTE, json=FRACTIONATION, headers={"content-encoding": "identity"}).status_code == 201


def test_a_refused_body_counts_on_its_route(client: AppClient) -> None:
    def count(status: int) -> float:
        labels = f'abscope_request_seconds_count{{method="POST",route="{ROUTE}",status="{status}"}} '
        lines = client.get("/metrics").text.splitlines()
        return sum(float(line.removeprefix(labels)) for line in lines if line.startswith(labels))

    before = count(413), count(415)
    client.post(ROUTE, content=b" " * 9_000_000, headers={"content-type": "application/json"})
    client.post(ROUTE, json=FRACTIONATION, headers={"content-encoding": "gzip"})
    assert (count(413), count(415)) == (before[0] + 1, before[1] + 1)


def test_unknown_and_malformed_ids(client: AppClient) -> None:
    assert client.get("/v1/runs/01JD0000000000000000000000").status_code == 404
    assert client.get("/v1/runs/short").status_code == 422
    assert client.post("/v1/runs/01JD0000000000000000000000/replay").status_code == 404
    assert client.request("DELETE", "/v1/runs/01JD0000000000000000000000").status_code == 404


def test_a_run_that_ended_cannot_be_cancelled(client: AppClient) -> None:
    run = created(client).json()
    answer = client.request("DELETE", f"/v1/runs/{run['id']}")
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/final-state")
    assert "retry-after" not in answer.headers


def test_respond_async_is_accepted_and_ends(client: AppClient) -> None:
    answer = client.post(ROUTE, json=FRACTIONATION, headers={"Prefer": "respond-async"})
    assert answer.status_code == 202
    assert answer.headers["preference-applied"] == "respond-async"
    assert answer.json()["result"] is None
    for _ in range(200):
        run = client.get(answer.headers["location"]).json()
        if run["status"] == "succeeded":
            break
    assert run["status"] == "succeeded"
    assert run["result"] == created(client).json()["result"]


@pytest.mark.parametrize(
    ("lines", "waits"),
    [
        (["Respond-Async"], True),
        (["return=minimal", "respond-async"], True),
        (['foo="a, b"; bar, respond-async; wait=5'], True),
        (["respond-asynchronously"], False),
        (['foo="respond-async"'], False),
        (['foo="a, respond-async"'], False),
        (["foo; respond-async"], False),
        (['foo="respond-async'], False),
    ],
)
def test_preferences_are_read_as_tokens(client: AppClient, lines: list[str], waits: bool) -> None:
    answer = client.post(ROUTE, json=FRACTIONATION, headers=[("Prefer", line) for line in lines])
    assert answer.status_code == (202 if waits else 201)


def test_a_queued_run_whose_input_does_not_compute_fails_with_its_pointer(client: AppClient) -> None:
    body = {"patient": {"age_years": 60}, "models": ["no-such-model"]}
    answer = client.post("/v1/predictions", json=body, headers={"Prefer": "respond-async"})
    assert answer.status_code == 202
    for _ in range(200):
        run = client.get(answer.headers["location"]).json()
        if run["status"] == "failed":
            break
    assert run["status"] == "failed"
    assert run["warnings"][0]["pointer"] == "/models/0"


def test_the_inclusion_proof_holds_and_the_log_only_grows(client: AppClient) -> None:
    run = created(client).json()
    older = client.get("/v1/audit/checkpoint").json()
    proof = client.get(f"/v1/audit/proofs/{run['id']}").json()
    checkpoint = proof["checkpoint"]
    verifier = Verifier.parse(checkpoint["verifier_key"])
    root = bytes.fromhex(checkpoint["root"])
    assert verifier.check(checkpoint["size"], root, base64.b64decode(checkpoint["signature"]))
    assert verifier.read_note(checkpoint["note"]).size == checkpoint["size"]
    record = orjson.dumps(proof["record"], option=orjson.OPT_SORT_KEYS)
    assert leaf_hash(record).hex() == proof["leaf_hash"]
    assert proof["record"]["subject"] == run["id"]
    path = [bytes.fromhex(value) for value in proof["hashes"]]
    assert verify_inclusion(proof["leaf_index"], checkpoint["size"], leaf_hash(record), path, root)
    created(client)
    newer = client.get("/v1/audit/checkpoint").json()
    grown = client.get(f"/v1/audit/consistency?first={older['size']}&second={newer['size']}").json()
    roots = [bytes.fromhex(checkpoint["root"]) for checkpoint in (older, newer)]
    assert verify_consistency(
        older["size"], newer["size"], roots[0], roots[1], [bytes.fromhex(value) for value in grown["hashes"]]
    )
    assert client.get(f"/v1/audit/consistency?first=1&second={newer['size'] + 1000}").status_code == 422


def test_pictures_that_do_not_exist(client: AppClient) -> None:
    run = created(client).json()
    assert client.get(f"/v1/runs/{run['id']}?figure=nothing").status_code in (404, 422)
    assert client.get(f"/v1/runs/{run['id']}?figure=../etc").status_code == 422
