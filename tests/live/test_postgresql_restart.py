"""PostgreSQL stops and comes back under load: 503 meanwhile, no wrong answer, recovery without a restart."""

import asyncio
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.databases import own_server
from tests.support.live_server import LiveServer, serve
from tests.support.load import Ledger, hammer, read_back, repeat

START_SECONDS = 60.0


async def _stop_and_start(server: LiveServer, database: Any, ledger: Ledger) -> list[int]:
    stop = asyncio.Event()
    load = asyncio.create_task(hammer(server.base_url, ledger, stop, prefix="restart"))
    try:
        await asyncio.sleep(1.0)
        await asyncio.to_thread(database.stop)
        await asyncio.sleep(1.0)
        before = len(ledger.statuses)
        await asyncio.sleep(1.0)
        meanwhile = ledger.statuses[before:]
        async with httpx.AsyncClient(base_url=server.base_url) as client:
            assert (await client.get("/readyz")).status_code == 503
            assert (await client.get("/livez")).status_code == 200
        await asyncio.to_thread(database.start)
        recovered = len(ledger.acknowledged)
        deadline = time.monotonic() + START_SECONDS
        while len(ledger.acknowledged) < recovered + 50:
            assert time.monotonic() < deadline, "no run was stored after the restart"
            await asyncio.sleep(0.1)
        stop.set()
        await load
        await repeat(server.base_url, ledger, sorted(ledger.sent)[::10][:400])
        await read_back(server.base_url, ledger, sorted(ledger.acknowledged)[:100])
    finally:
        stop.set()
    return meanwhile


@pytest.mark.live
def test_the_database_may_come_and_go(tmp_path: Path) -> None:
    ledger = Ledger()
    with own_server() as database:
        url = str(database.get_uri())
        with serve(tmp_path / "data", database_url=url, log_level="ERROR") as server:
            meanwhile = asyncio.run(_stop_and_start(server, database, ledger))
            assert server.process.poll() is None
            assert set(ledger.statuses) <= {201, 409, 503}
            assert meanwhile
            assert set(meanwhile) <= {503, 409}
            verified = server.command("audit", "verify")
            assert verified.returncode == 0, verified.stdout + verified.stderr
