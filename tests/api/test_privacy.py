"""Nothing submitted comes out where it does not belong: logs, metrics, errors, audit records."""

import logging
from pathlib import Path
from typing import Any

import orjson
import pytest

from service import predictions, telemetry
from service.catalog import KINDS
from tests.support.app_client import AppClient, open_client

MARK = "SENTINEL"


@pytest.fixture
def watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    lines: list[str] = []

    class Collect(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(handler.format(record))

    with open_client(data_dir=tmp_path, log_level="DEBUG") as client:
        logger = logging.getLogger("abscope")
        handler = logger.handlers[0]
        monkeypatch.setattr(logger, "handlers", [Collect()])
        yield client, lines


def bodies() -> list[bytes]:
    """Every member of every example, one after the other, replaced by the mark."""
    made: list[bytes] = []

    def plant(node: Any, path: tuple[Any, ...], root: Any) -> None:
        for key, value in node.items() if isinstance(node, dict) else enumerate(node):
            copy = orjson.loads(orjson.dumps(root))
            inner = copy
            for part in path:
                inner = inner[part]
            inner[key] = f"{MARK} John Doe 1957-04-01"
            made.append(orjson.dumps(copy))
            if isinstance(value, dict | list):
                plant(value, (*path, key), root)

    for name in ("predictions", "fractionation"):
        for example in KINDS[name].examples.values():
            plant(example, (), example)
    return made


def test_nothing_submitted_reaches_errors_logs_or_metrics(watched: tuple[AppClient, list[str]]) -> None:
    client, lines = watched
    routes = {"predictions": "/v1/predictions", "fractionation": "/v1/doses/fractionation"}
    for body in bodies():
        for route in routes.values():
            answer = client.post(route, content=body)
            assert answer.status_code == 422
            assert MARK not in answer.text
    client.post("/v1/predictions", content=f'{{"{MARK}'.encode())
    client.get(f"/v1/runs?patient_reference={MARK}%20x")
    client.get(f"/v1/runs/{MARK}")
    client.get(f"/v1/models/{MARK}")
    client.post("/v1/predictions", content=b"{}", headers={"Idempotency-Key": f"{MARK} x"})
    assert lines
    assert MARK not in "\n".join(lines)
    assert MARK not in client.get("/metrics").text


def test_an_unexpected_error_says_nothing(
    watched: tuple[AppClient, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    client, lines = watched

    def explode(_: Any) -> Any:
        raise RuntimeError(f"{MARK} in the message")

    kind = predictions.KIND
    monkeypatch.setattr("service.runs.compute", lambda *_: explode(kind))
    answer = client.post("/v1/predictions", json={"patient": {"age_years": 60}})
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert MARK not in answer.text
    failures = [orjson.loads(line) for line in lines if '"failure"' in line]
    assert failures[0]["error"] == "RuntimeError"
    assert failures[0]["request_id"] == answer.json()["request_id"]
    assert MARK not in "\n".join(lines)


def test_the_audit_log_holds_digests_only(watched: tuple[AppClient, list[str]]) -> None:
    client, _ = watched
    reference = f"{MARK}-1"
    client.post("/v1/predictions", json={"patient": {"reference": reference, "age_years": 61.25}})
    client.get(f"/v1/runs?patient_reference={reference}")
    entries = client.get("/v1/audit/entries?limit=1000").text
    assert "run.created" in entries
    assert MARK not in entries
    assert "61.25" not in entries


def test_a_field_outside_the_allowlist_does_not_get_out(watched: tuple[AppClient, list[str]]) -> None:
    _, lines = watched
    telemetry.log(logging.INFO, event="probe", secret=MARK)
    assert lines
    assert MARK not in lines[-1]
