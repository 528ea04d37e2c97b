"""Denials are gathered: few leaves, and every denial in one of their counts."""

import asyncio
from collections import Counter
from typing import Any

import pytest

from db.writes import Event
from service import denials, telemetry
from service.access import Caller
from service.denials import Denials
from service.errors import Overloaded


def caller(number: int) -> Caller:
    return Caller("clinic", f"key:{number}", frozenset())


def stored(callers: list[Caller | None]) -> list[Event]:
    """The events after these denials."""
    events: list[Event] = []

    async def write(event: Event) -> None:
        events.append(event)

    async def run() -> None:
        gathered = Denials()
        for one in callers:
            gathered.add(write, one, "runs:read")
        await gathered.close()

    asyncio.run(run())
    return events


def test_one_leaf_for_each_caller_and_one_for_the_unknown() -> None:
    events = stored([None] * 1000 + [caller(1)] * 5 + [caller(2)] + [None])
    counts = {(event.tenant, event.actor): event.extra["count"] for event in events}
    assert counts == {("", "unknown"): 1001, ("clinic", "key:1"): 5, ("clinic", "key:2"): 1}
    assert {(event.event, event.subject) for event in events} == {("access.denied", "runs:read")}


def test_very_many_callers_share_a_leaf_of_their_tenant(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(denials, "_MOST_GROUPS", 10)
    events = stored([caller(number) for number in range(100)])
    assert Counter(event.extra["count"] for event in events) == {1: 10, 90: 1}
    assert [event.tenant for event in events if event.actor == "others"] == ["clinic"]


def test_a_count_that_cannot_be_stored_is_logged(monkeypatch: pytest.MonkeyPatch) -> None:
    lines: list[dict[str, Any]] = []
    monkeypatch.setattr(telemetry, "log", lambda level, **fields: lines.append(fields))

    async def full(event: Event) -> None:
        raise Overloaded("the write queue is full")

    async def run() -> None:
        gathered = Denials()
        for _ in range(7):
            gathered.add(full, None, "runs:read")
        await gathered.close()

    asyncio.run(run())
    assert lines == [{"event": "denials-not-recorded", "error": "Overloaded", "count": 7}]
