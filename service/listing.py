"""Pages of stored runs."""

import base64
import binascii
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

import orjson

from db import queries
from db.clock import timestamp
from db.writes import Event
from service.access import Caller
from service.catalog import KINDS
from service.errors import InvalidInput
from service.runtime import Runtime


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which runs to list; None does not restrict."""

    kind: str | None = None
    model: str | None = None
    patient_reference: str | None = None
    status: str | None = None
    created_after: str | None = None
    created_before: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """One page as JSON, and where the next one starts."""

    body: bytes
    next_cursor: str | None


async def list_page(runtime: Runtime, caller: Caller, wanted: Filter, *, limit: int, cursor: str | None) -> Page:
    """Return one page of the caller's runs, newest first.

    Raises
    ------
    InvalidInput
        There is no such kind of run, or the cursor or a time cannot be read.
    """
    if wanted.kind is not None and wanted.kind not in KINDS:
        raise InvalidInput("#/query/kind", f"choose from {', '.join(KINDS)}")
    after = _position(cursor)
    since = _time("created_after", wanted.created_after)
    before = _time("created_before", wanted.created_before)
    rows = await runtime.read(
        lambda connection: queries.list_runs(
            connection,
            caller.tenant,
            kind=wanted.kind,
            model=wanted.model,
            patient_reference=wanted.patient_reference,
            status=wanted.status,
            created_after=since,
            created_before=before,
            after_cursor=after,
            limit=limit + 1,
        )
    )
    await runtime.write(Event(event="run.list", subject="", tenant=caller.tenant, actor=caller.actor))
    more = len(rows) > limit
    rows = rows[:limit]
    next_cursor = _cursor(rows[-1].created_at, rows[-1].id) if more else None
    runs = [
        {
            "id": row.id,
            "kind": row.kind,
            "status": row.status,
            "created_at": row.created_at,
            "patient_reference": row.patient_reference,
            "models": orjson.Fragment(row.models),
            "digests": {"input_sha256": row.input_sha256, "result_sha256": row.result_sha256},
            "software_version": row.software_version,
        }
        for row in rows
    ]
    return Page(orjson.dumps({"runs": runs, "next_cursor": next_cursor}), next_cursor)


def _cursor(created_at: str, run_id: str) -> str:
    return base64.urlsafe_b64encode(f"{created_at}|{run_id}".encode()).decode().rstrip("=")


def _position(cursor: str | None) -> tuple[str, str] | None:
    if cursor is None:
        return None
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        created_at, _, run_id = base64.urlsafe_b64decode(padded.encode()).decode().partition("|")
    except (binascii.Error, ValueError):
        created_at = run_id = ""
    if not run_id or "\x00" in created_at + run_id:
        raise InvalidInput("#/query/cursor", "use next_cursor of the page before, unchanged")
    return created_at, run_id


def _time(name: str, text: str | None) -> str | None:
    if text is None:
        return None
    with suppress(ValueError, OverflowError):
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is not None:
            return timestamp(moment)
    raise InvalidInput(f"#/query/{name}", "give an RFC 3339 time with its offset, such as 2026-01-31T12:00:00Z")
