"""The audit log as callers see it: entries of their tenant, signed root, proofs."""

import base64
from typing import Any

import orjson
from sqlalchemy import Connection

from db import queries
from db.digests import canonical_json, hex_sha256, run_content
from db.errors import UnknownRow
from db.merkle import EMPTY_ROOT
from db.writes import Event
from schemas.audit import Checkpoint, ConsistencyProof, Entry, EntryPage, InclusionProof, LeafProof, RunRow
from service.access import Caller
from service.errors import InvalidInput, NotFound, StoreUnavailable
from service.runtime import Runtime


async def checkpoint(runtime: Runtime) -> Checkpoint:
    """Return the signed size and root of the present log."""
    return await runtime.read(lambda connection: _checkpoint(runtime, connection))


async def entries(runtime: Runtime, caller: Caller, *, start: int, limit: int) -> EntryPage:
    """Return entries of the caller's tenant from a leaf on."""
    rows = await runtime.read(
        lambda connection: queries.audit_entries_page(connection, start, limit + 1, tenant=caller.tenant)
    )
    next_start = rows[limit].leaf_index if len(rows) > limit else None
    return EntryPage(entries=[_entry(row) for row in rows[:limit]], next_start=next_start)


async def inclusion(runtime: Runtime, caller: Caller, run_id: str) -> InclusionProof:
    """Prove that a run of the caller stands in the present log; the proof shows the run's row, so it is an event.

    Raises
    ------
    NotFound
        The tenant has no such run.
    """

    def prove(connection: Connection) -> InclusionProof:
        run = queries.get_run(connection, caller.tenant, run_id)
        if run is None:
            raise NotFound("no run has this id")
        head = _checkpoint(runtime, connection)
        created = queries.audit_entries_page(connection, run.leaf_index, 1)[0]
        content = run_content(run._asdict(), input_sha256=run.input_sha256, result_sha256=run.result_sha256)
        end = None
        if orjson.loads(created.record)["row_sha256"] != hex_sha256(canonical_json(content)):
            end = queries.audit_end_of_run(connection, run)
        return InclusionProof(
            **_leaf(connection, created, head.size),
            row=RunRow(**content),
            end=None if end is None else LeafProof(**_leaf(connection, end, head.size)),
            checkpoint=head,
        )

    found = await runtime.read(prove)
    await runtime.write(Event(event="proof.read", subject=run_id, tenant=caller.tenant, actor=caller.actor))
    return found


def _leaf(connection: Connection, row: Any, size: int) -> dict[str, Any]:
    entry = _entry(row)
    hashes = queries.audit_inclusion(connection, entry.leaf_index, size)
    return {**dict(entry), "hashes": [value.hex() for value in hashes]}


async def consistency(runtime: Runtime, first: int, second: int) -> ConsistencyProof:
    """Prove that the log of the second size begins with that of the first.

    Raises
    ------
    InvalidInput
        The log never had these sizes.
    """

    def prove(connection: Connection) -> ConsistencyProof:
        hashes = queries.audit_consistency(connection, first, second)
        return ConsistencyProof(first=first, second=second, hashes=[value.hex() for value in hashes])

    try:
        return await runtime.read(prove)
    except UnknownRow:
        raise InvalidInput("#/query/second", "choose 0 ≤ first ≤ second ≤ size of the present checkpoint") from None


def _checkpoint(runtime: Runtime, connection: Connection) -> Checkpoint:
    head = queries.audit_head(connection)
    size, root = (0, EMPTY_ROOT) if head is None else (head.size, bytes(head.root))
    signature = runtime.signer.sign(size, root) if head is None else bytes(head.signature)
    if not runtime.signer.verifier.check(size, root, signature):
        raise StoreUnavailable(
            "the newest checkpoint of the log is signed by another key; the operator must look at it"
        )
    return Checkpoint(
        size=size,
        root=root.hex(),
        signature=base64.b64encode(signature).decode(),
        note=runtime.signer.verifier.note(size, root, signature),
        verifier_key=runtime.signer.verifier.text,
        created_at=None if head is None else head.created_at,
    )


def _entry(row: Any) -> Entry:
    return Entry(leaf_index=row.leaf_index, leaf_hash=bytes(row.leaf_hash).hex(), record=orjson.loads(row.record))
