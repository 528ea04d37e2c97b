"""A real server process on a free port with a data folder of its own."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

START_SECONDS = 120.0
STOP_SECONDS = 60.0
ABSCOPE = Path(sys.executable).parent / "abscope"


@dataclass(frozen=True)
class LiveServer:
    """Where the process listens and keeps its data."""

    base_url: str
    data_dir: Path
    process: subprocess.Popen[bytes]
    log: Path
    environment: dict[str, str]

    def command(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run the `abscope` command with the settings of the server."""
        return subprocess.run(
            [ABSCOPE, *arguments], env=self.environment, capture_output=True, text=True, timeout=120, check=False
        )


def free_port() -> int:
    """Return a TCP port of the loopback interface that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def environment_of(data_dir: Path, port: int, settings: dict[str, str]) -> dict[str, str]:
    """Return the environment of a server: none of the caller's settings, only the given ones."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ABSCOPE_")}
    given = {f"ABSCOPE_{name.upper()}": value for name, value in {"warm_up": "false", **settings}.items()}
    return kept | {"ABSCOPE_PORT": str(port), "ABSCOPE_DATA_DIR": str(data_dir)} | given


@contextmanager
def serve(data_dir: Path, **settings: str) -> Iterator[LiveServer]:
    """Start `abscope serve`, wait until it is ready, stop it with SIGTERM at the end.

    A server that the test killed itself is left alone.
    """
    port = free_port()
    environment = environment_of(data_dir, port, settings)
    log = data_dir.with_name(f"{data_dir.name}-{port}.log")
    with log.open("wb") as out:
        process = subprocess.Popen([ABSCOPE, "serve"], env=environment, stdout=out, stderr=out)
    server = LiveServer(f"http://127.0.0.1:{port}", data_dir, process, log, environment)
    try:
        _wait_until_ready(server)
        yield server
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                raise


def _wait_until_ready(server: LiveServer) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if server.process.poll() is not None:
            break
        try:
            if httpx.get(f"{server.base_url}/readyz", timeout=5).status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise RuntimeError(f"the server did not become ready:\n{server.log.read_text(errors='replace')[-4000:]}")


@pytest.fixture(scope="module")
def live_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A server without authentication on an empty SQLite database."""
    with serve(tmp_path_factory.mktemp("live") / "data") as server:
        yield server
