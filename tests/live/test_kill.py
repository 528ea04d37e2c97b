"""kill -9 under load: what was acknowledged is stored, once, and the log verifies."""

import asyncio
import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from sqlalchemy import func, select

from db.engine import open_engine
from db.tables import idempotency_keys, runs
from tests.support.live_server import serve
from tests.support.load import BODY, ROUTE, Ledger, hammer, read_back, repeat

KILLS = 5
SAMPLE = 60


@contextmanager
def _stop_soon(stop: asyncio.Event) -> Iterator[None]:
    try:
        yield
    finally:
        stop.set()


async def _load_then_kill(base_url: str, kill: object, ledger: Ledger, prefix: str, pause: float) -> None:
    stop = asyncio.Event()
    load = asyncio.create_task(hammer(base_url, ledger, stop, prefix=prefix))
    with _stop_soon(stop):
        await asyncio.sleep(pause)
        kill()  # type: ignore[operator]
    await load


def test_acknowledged_runs_survive_kill_nine(database_url: str, tmp_path: Path) -> None:
    generator = random.Random(7)
    ledger = Ledger()
    data = tmp_path / "data"
    for round_ in range(KILLS):
        with serve(data, database_url=database_url, log_level="ERROR") as server:
            unanswered = sorted(ledger.sent - ledger.acknowledged.keys())
            known = sorted(ledger.acknowledged)
            sample = generator.sample(known, min(SAMPLE, len(known)))
            asyncio.run(repeat(server.base_url, ledger, unanswered + sample))
            asyncio.run(read_back(server.base_url, ledger, sample))
            pause = generator.uniform(0.5, 1.2)
            asyncio.run(_load_then_kill(server.base_url, server.process.kill, ledger, f"round{round_}", pause))
            server.process.wait(30)
    assert len(ledger.acknowledged) > 10 * KILLS
    with serve(data, database_url=database_url, log_level="ERROR") as server:
        asyncio.run(repeat(server.base_url, ledger, sorted(ledger.sent - ledger.acknowledged.keys())))
        verified = server.command("audit", "verify")
        assert verified.returncode == 0, verified.stdout + verified.stderr
    _every_acknowledged_run_is_stored_once(database_url, ledger)


def _every_acknowledged_run_is_stored_once(database_url: str, ledger: Ledger) -> None:
    engine = open_engine(database_url)
    try:
        with engine.connect() as connection:
            stored = set(connection.scalars(select(runs.c.id)))
            pairs = connection.execute(select(idempotency_keys.c.key, idempotency_keys.c.run_id)).all()
            keyed = {row.key: row.run_id for row in pairs}
            count = connection.scalar(select(func.count()).select_from(runs))
    finally:
        engine.dispose()
    assert {run_id for run_id, _ in ledger.acknowledged.values()} <= stored
    assert {key: run_id for key, (run_id, _) in ledger.acknowledged.items()}.items() <= keyed.items()
    assert count == len(keyed), "a run without its key, or two runs for one key"


def test_sigterm_drains(tmp_path: Path) -> None:
    ledger = Ledger()
    with serve(tmp_path / "data", log_level="ERROR") as server:
        asyncio.run(_load_then_kill(server.base_url, server.process.terminate, ledger, "drain", 0.6))
        assert server.process.wait(30) in (0, -15)
    with serve(tmp_path / "data", log_level="ERROR") as server:
        asyncio.run(read_back(server.base_url, ledger, sorted(ledger.acknowledged)[:SAMPLE]))
        assert httpx.get(f"{server.base_url}/readyz").status_code == 200


def test_queued_runs_are_finished_after_a_kill(tmp_path: Path) -> None:
    with serve(tmp_path / "data", log_level="ERROR") as server:
        accepted = []
        for seed in range(20):
            answer = httpx.post(
                f"{server.base_url}{ROUTE}",
                json={**BODY, "seed": seed},
                headers={"Prefer": "respond-async"},
            )
            assert answer.status_code == 202
            accepted.append(answer.headers["location"])
        server.process.kill()
        server.process.wait(30)
    with serve(tmp_path / "data", log_level="ERROR") as server:
        for location in accepted:
            for _ in range(600):
                run = httpx.get(f"{server.base_url}{location}").json()
                if run["status"] == "succeeded":
                    break
                asyncio.run(asyncio.sleep(0.1))
            assert run["status"] == "succeeded"
            assert run["result"] is not None
