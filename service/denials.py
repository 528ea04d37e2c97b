"""Denials of access on their way to the audit log, gathered so that a flood fills neither queue nor disk."""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final, TypeAlias

from db.writes import Event
from service import telemetry
from service.access import Caller

Store: TypeAlias = Callable[[Event], Awaitable[object]]
_GATHER_SECONDS: Final = 1.0
_MOST_GROUPS: Final = 256
_UNKNOWN: Final = ("", "unknown")


class Denials:
    """Counts denials and stores one leaf a second for each caller and scope; every denial is in some count.

    Callers whom nobody knows are one caller. When very many known callers are denied within a second, the rest of
    them shares a leaf of their tenant.
    """

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, str, str]] = Counter()
        self._closing = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def add(self, write: Store, caller: Caller | None, scope: str) -> None:
        """Count a denial; nobody waits for its leaf."""
        telemetry.DENIALS.labels("unknown" if caller is None else "known").inc()
        tenant, actor = _UNKNOWN if caller is None else (caller.tenant, caller.actor)
        group = (tenant, actor, scope)
        if group not in self._counts and len(self._counts) >= _MOST_GROUPS:
            group = (tenant, "others", scope)
        self._counts[group] += 1
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._gather(write))

    async def close(self) -> None:
        """Store at once what is still only counted."""
        self._closing.set()
        if self._task is not None:
            await self._task

    async def _gather(self, write: Store) -> None:
        while self._counts:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._closing.wait(), _GATHER_SECONDS)
            counts, self._counts = self._counts, Counter()
            events = [
                Event(event="access.denied", subject=scope, tenant=tenant, actor=actor, extra={"count": count})
                for (tenant, actor, scope), count in counts.items()
            ]
            stored = await asyncio.gather(*(write(event) for event in events), return_exceptions=True)
            for count, outcome in zip(counts.values(), stored, strict=True):
                if isinstance(outcome, BaseException):
                    error = type(outcome).__name__
                    telemetry.log(logging.WARNING, event="denials-not-recorded", error=error, count=count)
