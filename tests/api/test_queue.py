"""How many runs may wait for their computation."""

import time
from pathlib import Path
from typing import Any

from service import catalog
from tests.support.app_client import open_client

ROUTE = "/v1/simulations"
LIMIT = 3


def test_queued_runs_have_a_limit_and_places_come_free(tmp_path: Path) -> None:
    body = dict(next(iter(catalog.KINDS["simulations"].examples.values())))
    ask = {"headers": {"Prefer": "respond-async"}}
    with open_client(data_dir=tmp_path, compute_queue=LIMIT, compute_threads=1, log_level="ERROR") as client:
        calls: list[tuple[str, str, dict[str, Any]]] = [
            ("POST", ROUTE, {**ask, "json": {**body, "seed": seed}}) for seed in range(12)
        ]
        answers = client.gather(calls)
        accepted = [answer for answer in answers if answer.status_code == 202]
        refused = [answer for answer in answers if answer.status_code != 202]
        assert len(accepted) == LIMIT
        assert {(answer.status_code, answer.json()["type"]) for answer in refused} == {(503, "/problems/overloaded")}
        assert all("retry-after" in answer.headers for answer in refused)
        deadline = time.monotonic() + 60
        while client.runtime.in_hand:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        ended = {client.get(answer.headers["location"]).json()["status"] for answer in accepted}
        assert ended == {"succeeded"}
        assert client.request(*calls[0][:2], **calls[0][2]).status_code == 202


def test_a_repeated_request_is_answered_while_the_queue_is_full(tmp_path: Path) -> None:
    body = dict(next(iter(catalog.KINDS["simulations"].examples.values())))
    headers = {"Prefer": "respond-async", "Idempotency-Key": "again"}
    with open_client(data_dir=tmp_path, compute_queue=1, compute_threads=1, log_level="ERROR") as client:
        first = client.post(ROUTE, json=body, headers=headers)
        again = client.post(ROUTE, json=body, headers=headers)
        assert first.status_code == 202
        assert again.headers["idempotency-replayed"] == "true"
        assert again.headers["location"] == first.headers["location"]
