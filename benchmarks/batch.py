"""10,000 patients in one durable batch: CPU and memory of the server, against one POST a patient.

The patients differ in age, labs and drug. Both ways store every run before it is answered; the peer is the
same server asked patient by patient over 32 connections. They run interleaved, in rounds.

    python benchmarks/batch.py [--patients 10000] [--rounds 3]
"""

import argparse
import asyncio
import csv
import io
import json
import socket
import statistics
import sys
import tempfile
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parent.parent)  # not this folder, whose http.py hides the library's

from benchmarks._servers import SERVE, start  # noqa: E402

EXAMPLE = Path(__file__).resolve().parent.parent / "examples" / "batch.csv"
CONNECTIONS = 32


def patients(count: int) -> tuple[list[str], list[list[str]]]:
    """Header and rows: those of the example, each time a little different."""
    header, *rows = csv.reader(EXAMPLE.read_text().splitlines())
    found = []
    for number, row in zip(range(count), cycle(rows), strict=False):
        patient = dict(zip(header, row, strict=True))
        patient["patient.reference"] = f"p-{number}"
        patient["patient.age_years"] = str(35 + number % 50)
        patient["patient.labs.albumin_g_per_l"] = str(28 + number % 17)
        patient["patient.labs.neutrophils_1e9_per_l"] = str(2 + number % 97 / 10)
        found.append([patient[name] for name in header])
    return header, found


def as_csv(header: list[str], rows: list[list[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([header, *rows])
    return text.getvalue().encode()


def as_requests(header: list[str], rows: list[list[str]]) -> Iterator[bytes]:
    for row in rows:
        body: dict[str, object] = {}
        for name, cell in zip(header, row, strict=True):
            if cell:
                _put(body, name.split("."), cell)
        body["plan"]["drugs"] = [body["plan"]["drugs"]["0"]]  # type: ignore[index]
        yield json.dumps(body).encode()


def _put(body: dict, path: list[str], cell: str) -> None:
    for part in path[:-1]:
        body = body.setdefault(part, {})
    try:
        body[path[-1]] = json.loads(cell)
    except json.JSONDecodeError:
        body[path[-1]] = cell


def head(path: str, media_type: str, size: int) -> bytes:
    return (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {media_type}\r\nContent-Length: {size}\r\n\r\n"
    ).encode()


def send_batch(port: int, body: bytes) -> int:
    """Return the bytes of the answer; the last line must say that every row was stored."""
    size, tail = 0, b""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(head("/v1/predictions:batch", "text/csv", len(body)) + body)
        while not tail.endswith(b"0\r\n\r\n"):
            piece = connection.recv(1 << 20)
            size, tail = size + len(piece), (tail + piece)[-200:]
    if b'"failed":0' not in tail:
        raise SystemExit(f"not every row was stored: {tail!r}")
    return size


async def send_each(port: int, bodies: list[bytes]) -> None:
    waiting = iter(bodies)

    async def client() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for body in waiting:
            writer.write(head("/v1/predictions", "application/json", len(body)) + body)
            answer = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(int(answer.lower().split(b"content-length:")[1].split(b"\r\n")[0]))
            if not answer.startswith(b"HTTP/1.1 201"):
                raise SystemExit(f"unexpected answer: {answer[:40]!r}")
        writer.close()

    await asyncio.gather(*(client() for _ in range(CONNECTIONS)))


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--patients", type=int, default=10_000)
    options.add_argument("--rounds", type=int, default=3)
    chosen = options.parse_args()
    header, rows = patients(chosen.patients)
    body, bodies = as_csv(header, rows), list(as_requests(header, rows))
    batch, each = [], []
    with tempfile.TemporaryDirectory() as folder:
        servers = [
            start(name, SERVE, {"ABSCOPE_WARM_UP": "false"}, Path(folder) / name, None) for name in ("batch", "each")
        ]
        try:
            for _ in range(chosen.rounds):
                before = servers[0].cpu_seconds()
                size = send_batch(servers[0].port, body)
                batch.append(servers[0].cpu_seconds() - before)
                before = servers[1].cpu_seconds()
                asyncio.run(send_each(servers[1].port, bodies))
                each.append(servers[1].cpu_seconds() - before)
            memory = servers[0].peak_megabytes()
        finally:
            for server in servers:
                server.process.terminate()
                server.process.wait(30)
    print(f"{chosen.patients} patients, answers of {size / chosen.patients / 1000:.0f} kB, all durable")
    print(f"one batch: {statistics.median(batch):.2f} s CPU ({', '.join(f'{x:.2f}' for x in batch)}), {memory:.0f} MB")
    ratio = statistics.median(e / b for e, b in zip(each, batch, strict=True))
    print(f"one request each: {statistics.median(each):.2f} s CPU; {ratio:.1f} times the batch")


if __name__ == "__main__":
    main()
