"""SIGTERM ends the process also while a computation goes on that will not end by itself."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests.support.live_server import environment_of, free_port

DRAIN_SECONDS = 2.0
HUNG = """
import dataclasses, threading
from pathlib import Path
from service import catalog, cli

def hang(request):
    Path({mark!r}).touch()
    threading.Event().wait()

kind = catalog.KINDS["cells"]
catalog.KINDS["cells"] = dataclasses.replace(kind, compute=hang)
cli.app(["serve"])
"""


@pytest.mark.parametrize(("stop", "background"), [(signal.SIGTERM, False), (signal.SIGINT, True)])
def test_the_process_ends_within_the_drain_time(tmp_path: Path, stop: signal.Signals, background: bool) -> None:
    port, mark = free_port(), tmp_path / "hangs"
    environment = environment_of(tmp_path / "data", port, {"drain_seconds": str(DRAIN_SECONDS), "log_level": "ERROR"})
    environment["PYTHONPATH"] = os.fspath(Path(__file__).parents[2])
    process = subprocess.Popen([sys.executable, "-c", HUNG.format(mark=os.fspath(mark))], env=environment)
    try:
        _until(lambda: process.poll() is not None or _sent(port, background))
        _until(lambda: process.poll() is not None or mark.exists())
        process.send_signal(stop)
        started = time.monotonic()
        assert process.wait(30) in (0, -15)
        assert time.monotonic() - started < 2 * DRAIN_SECONDS + 3
    finally:
        process.kill()
        process.wait()


def _sent(port: int, background: bool) -> bool:
    try:
        httpx.post(
            f"http://127.0.0.1:{port}/v1/doses/cells",
            json={"product": "tisagenlecleucel"},
            headers={"Prefer": "respond-async"} if background else {},
            timeout=2,
        )
    except httpx.ReadTimeout:
        return True
    except httpx.TransportError:
        return False
    return True


def _until(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.1)
