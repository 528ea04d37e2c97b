"""What the server does with connections before a request reaches the application, and how it ends."""

import contextlib
import json
import signal
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.live_server import LiveServer, serve

HEAD = b"GET /livez HTTP/1.1\r\nHost: localhost\r\n"
LIMIT = 65_536


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    with serve(tmp_path_factory.mktemp("connections") / "data", max_connections="20") as running:
        yield running


def opened(server: LiveServer) -> socket.socket:
    return socket.create_connection(("127.0.0.1", httpx.URL(server.base_url).port or 0), timeout=20)


def answer(connection: socket.socket) -> tuple[int, dict[str, object]]:
    received = b""
    while part := connection.recv(65536):
        received += part
    head, _, body = received.partition(b"\r\n\r\n")
    assert b"content-type: application/problem+json" in head
    return int(head.split()[1]), json.loads(body)


@pytest.mark.parametrize("ended", [True, False])
@pytest.mark.parametrize("parts", [1, 40])
def test_large_headers_are_refused(server: LiveServer, ended: bool, parts: int) -> None:
    pads = b"".join(b"X-Pad: " + b"a" * (LIMIT // parts) + b"\r\n" for _ in range(parts))
    with opened(server) as connection:
        connection.sendall(HEAD + pads + (b"\r\n" if ended else b""))
        status, problem = answer(connection)
    assert (status, problem["type"]) == (431, "/problems/headers-too-large")


def flood(server: LiveServer, start: bytes, part: bytes) -> int:
    """Return how many of these parts the server takes before it closes the connection."""
    taken = 0
    with opened(server) as connection, contextlib.suppress(ConnectionError):
        connection.sendall(start)
        while taken < 500:
            connection.sendall(part)
            taken += 1
    return taken


def test_headers_without_end_are_cut_off(server: LiveServer) -> None:
    assert flood(server, HEAD, b"X-Pad: " + b"a" * 100_000 + b"\r\n") < 100


def test_trailers_count_as_headers(server: LiveServer) -> None:
    chunked = b"POST /v1/predictions HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n"
    assert flood(server, chunked, b"X-Pad: " + b"a" * 100_000) < 100


def test_headers_below_the_limit_and_a_body_above_it_are_served(server: LiveServer) -> None:
    with httpx.Client(base_url=server.base_url) as client:
        for _ in range(2):
            assert client.get("/livez", headers={"X-Pad": "a" * 60_000}).status_code == 200
            long = client.post("/v1/predictions", content=b'{"x": "' + b"a" * 400_000 + b'"}')
            assert long.status_code == 422


def test_a_request_that_is_not_http_is_a_problem(server: LiveServer) -> None:
    with opened(server) as connection:
        connection.sendall(b"nonsense\r\n\r\n")
        status, problem = answer(connection)
    assert (status, problem["type"]) == (400, "/problems/malformed-http")


def test_connections_beyond_the_limit_are_refused(server: LiveServer) -> None:
    waiting = [opened(server) for _ in range(20)]
    try:
        with opened(server) as beyond:
            status, problem = answer(beyond)
        assert (status, problem["type"]) == (503, "/problems/overloaded")
        started = time.monotonic()
        waiting[0].sendall(HEAD)
        assert all(connection.recv(100) == b"" for connection in waiting)
        assert 5 < time.monotonic() - started < 20
    finally:
        for connection in waiting:
            connection.close()
    assert httpx.get(f"{server.base_url}/livez").status_code == 200


def test_a_stop_is_noticed_then_cuts_off_with_a_problem_and_logs_json(tmp_path: Path) -> None:
    with serve(tmp_path / "data", drain_seconds="1", drain_notice_seconds="1") as server:
        cut: list[tuple[int, dict[str, object]]] = []
        with opened(server) as slow:
            slow.sendall(
                b"POST /v1/predictions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                b"Content-Length: 1000\r\n\r\n{"
            )
            reader = threading.Thread(target=lambda: cut.append(answer(slow)))
            reader.start()
            time.sleep(0.2)
            server.process.send_signal(signal.SIGTERM)
            time.sleep(0.3)
            ready = httpx.get(f"{server.base_url}/readyz")
            assert (ready.status_code, ready.json()["checks"]["accepting"]) == (503, False)
            reader.join(20)
        server.process.wait(20)
        assert [(status, problem["type"]) for status, problem in cut] == [(503, "/problems/stopping")]
        lines = server.log.read_text().splitlines()
    greeting = next(number for number, line in enumerate(lines) if line.startswith("{"))
    assert all(isinstance(json.loads(line), dict) for line in lines[greeting:])
    assert "server" in [json.loads(line)["event"] for line in lines[greeting:]]


def test_a_client_that_leaves_is_no_error(server: LiveServer) -> None:
    with opened(server) as leaving:
        leaving.sendall(
            b"POST /v1/predictions HTTP/1.1\r\nHost: localhost\r\nX-Request-ID: left-early\r\n"
            b"Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"
        )
        time.sleep(0.2)
    time.sleep(0.5)
    lines = [json.loads(line) for line in server.log.read_text().splitlines() if '"left-early"' in line]
    assert [(line["level"], line["status"]) for line in lines] == [("INFO", 499)]
