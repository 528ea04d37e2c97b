"""The writer under kill -9, and under a PostgreSQL that stops and starts."""

import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Engine, select

from db.engine import migrate, open_engine, snapshot
from db.errors import DatabaseUnavailable
from db.tables import idempotency_keys, runs
from db.writer import GroupWriter
from db.writes import Receipt
from service.audit import verify_database
from service.signing import Signer, new_signing_key
from tests.support.databases import own_server
from tests.support.rows import new_run

ROOT = Path(__file__).parents[2]
KILLS = int(os.environ.get("TEST_KILLS", "4"))
SECONDS = 60

Acknowledged = dict[str, tuple[str, int]]


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.01)


def read(acknowledgements: Path) -> Acknowledged:
    """What was answered; every answer under one key must have been the same."""
    found: Acknowledged = {}
    for line in acknowledgements.read_text().splitlines() if acknowledgements.exists() else []:
        key, run_id, leaf_index = line.split()
        assert found.setdefault(key, (run_id, int(leaf_index))) == (run_id, int(leaf_index))
    return found


def check(engine: Engine, signer: Signer, acknowledged: Acknowledged) -> None:
    with snapshot(engine) as connection:
        verification = verify_database(connection, [signer.verifier])
        stored = dict(tuple(row) for row in connection.execute(select(runs.c.id, runs.c.leaf_index)))
        keys = connection.execute(select(idempotency_keys.c.key, idempotency_keys.c.run_id)).all()
    assert verification.problems == ()
    assert verification.size == len(stored) == len(keys) == len({key for key, _ in keys})
    assert {run_id for _, run_id in keys} == stored.keys()
    by_key = {key: (run_id, stored[run_id]) for key, run_id in keys}
    assert acknowledged.items() <= by_key.items()


def test_what_was_acknowledged_survives_kill_nine(engine: Engine, tmp_path: Path) -> None:
    key, acknowledgements = tmp_path / "key.pem", tmp_path / "acknowledged"
    key.write_bytes(new_signing_key())
    signer = Signer(key.read_bytes())
    url = engine.url.render_as_string(hide_password=False)
    for round_ in range(KILLS):
        before = len(read(acknowledgements))
        command = [sys.executable, "-m", "tests.live.writer_process", url, str(key), str(acknowledgements), str(round_)]
        process = subprocess.Popen(command, cwd=ROOT)
        try:
            wait_until(lambda before=before: len(read(acknowledgements)) > before + 100)  # type: ignore[misc]
            time.sleep(random.uniform(0, 0.1))
        finally:
            process.kill()
            process.wait()
        check(engine, signer, read(acknowledgements))
    assert len(read(acknowledgements)) > KILLS * 100


def test_a_postgresql_that_restarts_under_load_is_only_a_pause() -> None:
    signer = Signer(new_signing_key())
    with own_server() as server:
        engine = open_engine(server.get_uri())
        migrate(engine)
        writer = GroupWriter(engine, signer.sign)
        writer.start()
        acknowledged: Acknowledged = {}
        refused = 0
        stop = threading.Event()

        def client(number: int) -> None:
            nonlocal refused
            for i in range(1_000_000):
                if stop.is_set():
                    return
                key = f"{number}-{i}"
                error: BaseException | None = DatabaseUnavailable()
                while error is not None and not stop.is_set():
                    future = writer.submit(new_run(idempotency_key=key, request_sha256="a" * 64))
                    error = future.exception(SECONDS)
                    assert error is None or isinstance(error, DatabaseUnavailable)
                    refused += error is not None
                if error is None:
                    receipt: Receipt = future.result()
                    acknowledged[key] = (receipt.existing_id or "", receipt.leaf_index)
                else:
                    time.sleep(0.01)

        threads = [threading.Thread(target=client, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        try:
            for _ in range(2):
                count = len(acknowledged)
                wait_until(lambda count=count: len(acknowledged) > count + 100)  # type: ignore[misc]
                server.stop()
                refusals = refused
                wait_until(lambda refusals=refusals: refused > refusals + 8)  # type: ignore[misc]
                server.start()
            count = len(acknowledged)
            wait_until(lambda: len(acknowledged) > count + 100)
        finally:
            stop.set()
            for thread in threads:
                thread.join()
        assert writer.drain(SECONDS)
        with engine.connect() as connection:
            query = select(idempotency_keys.c.key, runs.c.leaf_index).join_from(idempotency_keys, runs)
            leaf_of = dict(tuple(row) for row in connection.execute(query))
        assert {key: leaf for key, (_, leaf) in acknowledged.items()}.items() <= leaf_of.items()
        check(engine, signer, {})
        engine.dispose()
