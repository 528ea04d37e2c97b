"""Who reads is on record, and nobody may read a kept answer again without asking."""

from tests.api.test_runs import created
from tests.support.app_client import AppClient


def events_after(client: AppClient, leaf_index: int) -> list[tuple[str, str]]:
    entries = client.get(f"/v1/audit/entries?start={leaf_index + 1}&limit=1000").json()["entries"]
    return [(entry["record"]["event"], entry["record"]["subject"]) for entry in entries]


def test_reads_are_events_of_the_log(client: AppClient) -> None:
    body, key = {"patient": {"reference": "read-1", "age_years": 60}}, {"Idempotency-Key": "read-twice"}
    run = client.post("/v1/predictions", json=body, headers=key).json()
    path = f"/v1/runs/{run['id']}"
    recorded = {"kind": "death", "day": 9}
    reads = [
        (lambda: client.get(path), "run.read", run["id"]),
        (lambda: client.get(path, headers={"If-None-Match": "*"}), "run.read", run["id"]),
        (lambda: client.post("/v1/predictions", json=body, headers=key), "run.read", run["id"]),
        (lambda: client.get(f"{path}/outcomes"), "outcomes.read", run["id"]),
        (lambda: client.get(f"/v1/audit/proofs/{run['id']}"), "proof.read", run["id"]),
        (lambda: client.get("/v1/models/loris-nsclc/performance"), "performance.read", "loris-nsclc"),
        (lambda: client.post(f"{path}/replay"), "run.replayed", run["id"]),
        (lambda: client.get("/v1/runs"), "run.list", ""),
    ]
    assert [read().status_code for read, _, _ in reads] == [200, 304, 201, 200, 200, 200, 200, 200]
    assert events_after(client, run["audit"]["leaf_index"]) == [(event, subject) for _, event, subject in reads]
    assert client.post(f"{path}/outcomes", json=recorded, headers=key).status_code == 422
    other = {"Idempotency-Key": "outcome-twice"}
    assert client.post(f"{path}/outcomes", json=recorded, headers=other).status_code == 201
    assert client.post(f"{path}/outcomes", json=recorded, headers=other).headers["idempotency-replayed"] == "true"
    assert events_after(client, run["audit"]["leaf_index"])[-1] == ("outcomes.read", run["id"])


def test_a_read_that_finds_nothing_is_no_event(client: AppClient) -> None:
    leaf_index = created(client).json()["audit"]["leaf_index"]
    nothing = "01JD0000000000000000000000"
    paths = (f"/v1/runs/{nothing}", f"/v1/runs/{nothing}/outcomes", f"/v1/audit/proofs/{nothing}")
    assert [client.get(path).status_code for path in paths] == [404] * 3
    assert events_after(client, leaf_index) == []


def test_nobody_may_use_a_kept_answer_without_asking(client: AppClient) -> None:
    run = created(client)
    paths = (run.headers["location"], "/v1/models", "/v1/models/loris-nsclc", "/v1/regimens")
    for path in paths:
        answer = client.get(path)
        same = client.get(path, headers={"If-None-Match": answer.headers["etag"]})
        assert (answer.status_code, same.status_code) == (200, 304)
        for one in (answer, same):
            assert one.headers["cache-control"] == "private, no-cache"
            assert one.headers["vary"] == "Accept, Authorization, X-API-Key"
    picture = client.get(run.headers["location"], headers={"Accept": "image/svg+xml"})
    assert picture.headers["cache-control"] == "no-store"
