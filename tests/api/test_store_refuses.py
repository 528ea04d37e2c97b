"""A database that takes no writes: 503 everywhere, not ready, and ready again by itself."""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from db.engine import open_engine
from db.writes import Event
from tests.api.test_outcomes import predicted, report
from tests.db.test_database_file import move
from tests.support.app_client import AppClient, open_client
from tests.support.databases import fresh_postgresql, refuse_writes

ROOMY = 2**30


def readiness(client: AppClient) -> tuple[int, Any]:
    answer = client.get("/readyz")
    return answer.status_code, answer.json()["checks"]


def events(client: AppClient, name: str) -> int:
    with client.runtime.engine.connect() as connection:
        found = connection.exec_driver_sql(f"SELECT count(*) FROM audit_entries WHERE event = '{name}'")
        return int(found.scalar_one())


@pytest.fixture
def on_postgresql(postgresql_server: str, tmp_path: Path) -> Iterator[AppClient]:
    with (
        fresh_postgresql(postgresql_server) as url,
        open_client(data_dir=tmp_path, database_url=url, log_level="ERROR") as client,
    ):
        yield client


def test_a_read_only_postgresql_answers_503_and_is_not_ready(on_postgresql: AppClient) -> None:
    client = on_postgresql
    admin = open_engine(client.runtime.settings.database)
    run = predicted(client, "read-only", 10)
    first = report(client, run["id"], kind="response", day=63, response="PR").json()
    refuse_writes(admin, "on")
    assert readiness(client) == (503, {"database": False, "writer": True, "accepting": True})
    for _ in range(2):  # the first still finds its connection closed
        answers = [
            client.post("/v1/predictions", json={"patient": {"age_years": 60}}),
            client.get(f"/v1/runs/{run['id']}"),
            client.request("DELETE", f"/v1/runs/{run['id']}"),
            report(client, run["id"], kind="response", day=63, response="SD"),
            report(client, run["id"], kind="response", day=63, response="SD", corrects_id=first["id"]),
        ]
        assert [answer.status_code for answer in answers] == [503] * 5
        assert all("same Idempotency-Key" in answer.json()["detail"] for answer in answers)
    refuse_writes(admin, "off")
    admin.dispose()
    for _ in range(2):  # the first may still find connections closed
        status, _ = readiness(client)
    assert status == 200
    assert events(client, "store.recovered") == 1
    corrected = report(client, run["id"], kind="response", day=63, response="SD", corrects_id=first["id"])
    assert corrected.status_code == 201


def test_a_full_disk_is_not_ready_and_the_cause_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with open_client(data_dir=tmp_path, log_level="ERROR") as client:
        logging.getLogger("abscope").addHandler(caplog.handler)
        most_pages = 1

        def limit(connection: Any, *_: object) -> None:
            connection.execute(f"PRAGMA max_page_count={most_pages}")

        event.listen(client.runtime.writer._engine, "checkout", limit)
        body = {"patient": {"age_years": 60}}
        assert client.post("/v1/predictions", json=body).status_code == 503
        small = Event(event="e", subject="s", tenant="t", actor="a")
        while client.runtime.writer.submit(small).exception(30) is None:
            pass  # what is left of the last page of each table
        assert readiness(client) == (503, {"database": True, "writer": False, "accepting": True})
        assert "SQLITE_FULL" in {record.fields.get("error") for record in caplog.records}
        most_pages = ROOMY
        assert readiness(client) == (200, {"database": True, "writer": True, "accepting": True})
        assert client.post("/v1/predictions", json=body).status_code == 201
        logging.getLogger("abscope").removeHandler(caplog.handler)


def test_a_database_file_that_was_moved_takes_no_runs(tmp_path: Path) -> None:
    with open_client(data_dir=tmp_path / "data", log_level="ERROR") as client:
        predicted(client, "before", 10)
        move(tmp_path / "data", tmp_path / "gone")
        body = {"patient": {"age_years": 60}}
        assert client.post("/v1/predictions", json=body).status_code == 503
        assert readiness(client) == (503, {"database": False, "writer": False, "accepting": True})
        assert not list((tmp_path / "data").glob("abscope.db*"))
        move(tmp_path / "gone", tmp_path / "data")
        assert readiness(client)[0] == 200
        predicted(client, "after", 10)
