"""Concurrent clients that remember which runs were acknowledged."""

import asyncio
import contextlib
import itertools
from dataclasses import dataclass, field
from typing import Any

import httpx

BODY = {
    "phases": [{"dose_per_fraction_gy": 2.0, "fraction_count": 30}],
    "tissues": [{"id": "tumor", "role": "tumor", "alpha_beta_gy": 10.0}],
}
ROUTE = "/v1/doses/fractionation"


@dataclass
class Ledger:
    """What the clients sent and what the server acknowledged."""

    sent: set[str] = field(default_factory=set)
    acknowledged: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    statuses: list[int] = field(default_factory=list)

    def note(self, key: str, answer: httpx.Response) -> None:
        self.statuses.append(answer.status_code)
        if answer.status_code == 201:
            run = (answer.json()["id"], answer.content)
            assert self.acknowledged.setdefault(key, run) == run, "one key, two runs"


def post(client: httpx.AsyncClient, key: str) -> Any:
    body = {**BODY, "seed": int(key.rpartition("-")[2])}
    return client.post(ROUTE, json=body, headers={"Idempotency-Key": key})


async def hammer(base_url: str, ledger: Ledger, stop: asyncio.Event, *, prefix: str, clients: int = 16) -> None:
    """Post new runs until told to stop; a broken connection ends that client's patience for one request only."""
    numbers = itertools.count()
    limits = httpx.Limits(max_connections=clients)

    async def one(client: httpx.AsyncClient) -> None:
        while not stop.is_set():
            key = f"{prefix}-{next(numbers)}"
            ledger.sent.add(key)
            with contextlib.suppress(httpx.TransportError):
                ledger.note(key, await post(client, key))

    async with httpx.AsyncClient(base_url=base_url, limits=limits, timeout=30) as client:
        await asyncio.gather(*(one(client) for _ in range(clients)))


async def repeat(base_url: str, ledger: Ledger, keys: list[str]) -> None:
    """Send every key once more; answers must agree with what was acknowledged before."""
    async with httpx.AsyncClient(base_url=base_url, timeout=30) as client:
        for start in range(0, len(keys), 16):
            chunk = keys[start : start + 16]
            for key, answer in zip(chunk, await asyncio.gather(*(post(client, key) for key in chunk)), strict=True):
                assert answer.status_code == 201, answer.text
                ledger.note(key, answer)


async def read_back(base_url: str, ledger: Ledger, keys: list[str]) -> None:
    """Every acknowledged run is there, byte for byte."""
    async with httpx.AsyncClient(base_url=base_url, timeout=30) as client:
        for key in keys:
            run_id, body = ledger.acknowledged[key]
            answer = await client.get(f"/v1/runs/{run_id}")
            assert answer.status_code == 200
            assert answer.content == body
