"""What durability costs: POST /v1/predictions stored in groups, one commit a request, and not stored.

There are two peers with a commit per request: a transaction in the request's own thread, as services usually
do it (``http_peer.py``), and Abscope's own writer with groups of one. Four server processes run side by side
and are loaded in turn, round after round, so that noise of the machine hits all of them. Printed are requests
a second, p50 and p99, the server's CPU time a request, and the ratios of medians.

    python benchmarks/http.py [--rounds 5] [--seconds 3] [--database postgresql+psycopg://…]
"""

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parent.parent)  # not this folder, whose http.py hides the library's

from benchmarks._servers import SERVE, Server, start  # noqa: E402

BODY = (
    b'{"patient":{"age_years":66,"cancer_type":"nsclc","prior_systemic_therapy":false,'
    b'"labs":{"albumin_g_per_l":41.0,"neutrophils_1e9_per_l":5.6,"lymphocytes_1e9_per_l":1.6},'
    b'"biomarkers":{"pd_l1_tps_percent":60.0,"tmb_mutations_per_mb":8.0}}}'
)
MODES: dict[str, tuple[tuple[str, ...], dict[str, str]]] = {
    "group commit": (SERVE, {}),
    "commit in the request": ((str(Path(__file__).with_name("http_peer.py")),), {}),
    "commit in the writer": (SERVE, {"ABSCOPE_WRITER_BATCH": "1"}),
    "not stored": (SERVE, {"ABSCOPE_STORE_RUNS": "false"}),
}


async def load(port: int, connections: int, seconds: float) -> list[float]:
    """Return the latency of every answered request."""
    request = (
        b"POST /v1/predictions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        b"Content-Length: " + str(len(BODY)).encode() + b"\r\n\r\n" + BODY
    )
    latencies: list[float] = []
    end = time.perf_counter() + seconds

    async def client() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while (began := time.perf_counter()) < end:
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
            await reader.readexactly(length)
            if not head.startswith(b"HTTP/1.1 201"):
                raise SystemExit(f"unexpected answer: {head[:40]!r}")
            latencies.append(time.perf_counter() - began)
        writer.close()

    await asyncio.gather(*(client() for _ in range(connections)))
    return latencies


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--seconds", type=float, default=3.0)
    options.add_argument("--connections", type=int, nargs="+", default=[1, 32, 128])
    options.add_argument("--database", help="PostgreSQL URL; without it every server has its own SQLite file")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        servers = [
            start(name, command, extra, Path(folder) / name.replace(" ", "-"), chosen.database)
            for name, (command, extra) in MODES.items()
        ]
        try:
            for server in servers:
                asyncio.run(load(server.port, 8, 1.0))
            for _ in range(chosen.rounds):
                for connections in chosen.connections:
                    for server in servers:
                        before = server.cpu_seconds()
                        seen = asyncio.run(load(server.port, connections, chosen.seconds))
                        server.rate.setdefault(connections, []).append(len(seen) / chosen.seconds)
                        server.cpu.setdefault(connections, []).append((server.cpu_seconds() - before) / len(seen))
                        server.latency.setdefault(connections, []).extend(seen)
        finally:
            for server in servers:
                server.process.terminate()
                server.process.wait(30)
    report(servers, chosen.connections)


def report(servers: list[Server], counts: list[int]) -> None:
    print(f"{'server':20} {'conn':>5} {'req/s':>8} {'p50 ms':>8} {'p99 ms':>8} {'CPU us/req':>11}")
    for connections in counts:
        for server in servers:
            cuts = statistics.quantiles(server.latency[connections], n=100)
            print(
                f"{server.name:20} {connections:5d} {statistics.median(server.rate[connections]):8.0f} "
                f"{cuts[49] * 1e3:8.2f} {cuts[98] * 1e3:8.2f} {statistics.median(server.cpu[connections]) * 1e6:11.0f}"
            )
    grouped, in_request, in_writer, unstored = servers
    for connections in counts:
        kept = statistics.median(
            u / g for u, g in zip(unstored.cpu[connections], grouped.cpu[connections], strict=True)
        )
        print(
            f"{connections:4d} connections: keeps {kept:.0%} of the rate without storing (CPU); times the rate of a "
            f"commit per request: {gain(grouped, in_request, connections):.1f} in the request's own thread, "
            f"{gain(grouped, in_writer, connections):.1f} in the writer's"
        )


def gain(grouped: Server, peer: Server, connections: int) -> float:
    return statistics.median(g / p for g, p in zip(grouped.rate[connections], peer.rate[connections], strict=True))


if __name__ == "__main__":
    main()
