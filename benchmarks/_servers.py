"""Server processes that benchmarks load, and what the system says of them."""

import os
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

SERVE = ("-m", "service", "serve")
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Server:
    """One server process and what was measured on it."""

    name: str
    process: subprocess.Popen[bytes]
    port: int
    rate: dict[int, list[float]] = field(default_factory=dict)
    cpu: dict[int, list[float]] = field(default_factory=dict)
    latency: dict[int, list[float]] = field(default_factory=dict)

    def cpu_seconds(self) -> float:
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def peak_megabytes(self) -> float:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def start(name: str, command: tuple[str, ...], extra: dict[str, str], folder: Path, database: str | None) -> Server:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {
        **os.environ,
        "ABSCOPE_PORT": str(port),
        "ABSCOPE_DATA_DIR": str(folder),
        "ABSCOPE_LOG_LEVEL": "WARNING",
        **extra,
    }
    if database is not None:
        environment["ABSCOPE_DATABASE_URL"] = database
    process = subprocess.Popen([sys.executable, "-P", *command], env=environment, stderr=subprocess.DEVNULL)
    for _ in range(600):
        if is_ready(port):
            return Server(name, process, port)
        time.sleep(0.1)
    raise SystemExit(f"the server for {name} did not start")


def is_ready(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            connection.sendall(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            return connection.recv(64).startswith(b"HTTP/1.1 200")
    except OSError:
        return False
