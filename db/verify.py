"""Finds every change, removal or reordering of a stored run or leaf.

The walk recomputes the whole tree from the records and compares the rows with what their
leaves say. It cannot see that a log was rolled back, rows and all, to one of its earlier
checkpoints; for that give it checkpoints that were kept elsewhere.
"""

import base64
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Table, func, not_, or_, select

from db.digests import (
    KEY_CREATED,
    KEY_REVOKED,
    OUTCOME_RECORDED,
    RUN_CREATED,
    hex_sha256,
    idempotency_digest,
    key_digest,
    outcome_digest,
)
from db.logwalk import (
    MOST_PROBLEMS,
    PAGE,
    Checkpoint,
    CheckSignature,
    LogWalk,
    Verification,
    log_pages,
    stored_run_digest,
)
from db.merkle import leaf_hash
from db.storage import misstored, readable, tolerant_text
from db.tables import (
    OPEN_STATUSES,
    AnyRow,
    api_keys,
    audit_checkpoints,
    audit_entries,
    audit_nodes,
    idempotency_keys,
    model_lists,
    outcomes,
    runs,
)

EXPORT_FORMAT: Final = "abscope-audit-log/1"


def verify_database(
    connection: Connection, check_signature: CheckSignature, *, trusted: Sequence[Checkpoint] = ()
) -> Verification:
    """Verify the log and every row that it speaks of; use a connection of ``db.engine.snapshot``."""
    with tolerant_text(connection):
        walk = LogWalk(check_signature, trusted)
        for problem in misstored(connection, MOST_PROBLEMS):
            walk.report(problem)
        return _walk(connection, walk)


def _walk(connection: Connection, walk: LogWalk) -> Verification:
    said_of_keys: dict[str, str] = {}
    said_of_outcomes: dict[str, str] = {}
    said_of_outcome_keys: dict[str, str] = {}
    keyed = 0
    nodes = 0
    for page in log_pages(connection):
        for entry, run, checkpoint in page:
            run_sha256 = None if run is None else stored_run_digest(run)
            content = walk.leaf(entry.leaf_index, bytes(entry.record), run_sha256)
            _check_entry(walk, entry, content)
            if run is not None:
                _check_run(walk, run, content)
            if content.get("event") in (KEY_CREATED, KEY_REVOKED):
                said_of_keys[content["subject"]] = content.get("row_sha256", "")
            elif content.get("event") == OUTCOME_RECORDED:
                said_of_outcomes[content["subject"]] = content.get("row_sha256", "")
                if "idempotency_sha256" in content:
                    said_of_outcome_keys[content["subject"]] = content["idempotency_sha256"]
            keyed += "idempotency_sha256" in content
            if checkpoint is not None:
                walk.checkpoint(checkpoint.size, bytes(checkpoint.root), bytes(checkpoint.signature))
                if checkpoint.created_at != entry.created_at:
                    walk.report(f"the checkpoint of size {checkpoint.size} has another time than its last leaf")
        nodes += len(walk.completed)
        _check_nodes(connection, walk)
        _check_models(connection, walk, page[0][0].leaf_index, page[-1][0].leaf_index)
    stored_nodes = connection.execute(select(func.count()).select_from(audit_nodes)).scalar_one()
    if stored_nodes != nodes:
        walk.report(f"the log has {nodes} complete subtrees, {stored_nodes} are stored")
    _check_strays(connection, walk)
    _check_idempotency(connection, walk, said_of_outcome_keys, keyed)
    _check_rows(connection, walk, api_keys, key_digest, said_of_keys)
    _check_rows(connection, walk, outcomes, outcome_digest, said_of_outcomes)
    last = connection.execute(select(func.max(audit_checkpoints.c.size))).scalar_one()
    return walk.finish(last or 0)


def export_log(connection: Connection, path: Path) -> int:
    """Write the whole log to a new file of JSON lines; return its size in leaves.

    The first line names the format. Each other one is a leaf, ``{"leaf_index", "record"}``,
    or a checkpoint, ``{"size", "root", "signature"}``, after the leaf that completed it. A leaf
    that created a run also has ``run_sha256``, the digest of the run's row as it is now.
    """
    size = 0
    with path.open("x", encoding="utf-8") as file, tolerant_text(connection):

        def line(content: dict[str, Any]) -> None:
            file.write(json.dumps(content, ensure_ascii=False) + "\n")

        line({"format": EXPORT_FORMAT})
        for page in log_pages(connection):
            for entry, run, checkpoint in page:
                leaf = {"leaf_index": entry.leaf_index, "record": bytes(entry.record).decode(errors="replace")}
                if entry.event == RUN_CREATED:
                    leaf["run_sha256"] = None if run is None else stored_run_digest(run)
                line(leaf)
                size += 1
                if checkpoint is not None:
                    signed = {"root": checkpoint.root, "signature": checkpoint.signature}
                    encoded = {name: base64.b64encode(bytes(value)).decode() for name, value in signed.items()}
                    line({"size": checkpoint.size, **encoded})
    return size


def _check_entry(walk: LogWalk, entry: AnyRow, content: dict[str, Any]) -> None:
    if bytes(entry.leaf_hash) != leaf_hash(bytes(entry.record)):
        walk.report(f"leaf {entry.leaf_index} has another hash than its record")
    columns = {"event": entry.event, "subject": entry.subject, "tenant": entry.tenant, "actor": entry.actor}
    if any(content.get(name) != value for name, value in {**columns, "time": entry.created_at}.items()):
        walk.report(f"leaf {entry.leaf_index} has other columns than its record")


def _check_run(walk: LogWalk, run: AnyRow, content: dict[str, Any]) -> None:
    if content.get("event") != RUN_CREATED or content.get("subject") != run.id:
        walk.report(f"run {run.id} is not the one of leaf {run.leaf_index}")
    result = None if run.result is None else hex_sha256(bytes(run.result))
    if run.input_sha256 != hex_sha256(bytes(run.input)) or run.result_sha256 != result:
        walk.report(f"run {run.id} has other digests than its input and result")
    if run.status not in OPEN_STATUSES and (run.lease_owner, run.lease_expires_at) != (None, None):
        walk.report(f"run {run.id} has ended and still has a lease")


def _check_nodes(connection: Connection, walk: LogWalk) -> None:
    """Compare the subtrees that a page completed; those of one level are neighbors."""
    by_level: dict[int, dict[int, bytes]] = {}
    for level, position, value in walk.completed:
        by_level.setdefault(level, {})[position] = value
    walk.completed.clear()
    for level, expected in by_level.items():
        here = audit_nodes.c.level == level, audit_nodes.c.position.between(min(expected), max(expected))
        stored = connection.execute(select(*readable(connection, audit_nodes.c)).where(*here))
        if {node.position: bytes(node.hash) for node in stored} != expected:
            walk.report(f"subtrees of level {level} differ from the leaves {min(expected) << level} and following")


def _check_models(connection: Connection, walk: LogWalk, first: int, last: int) -> None:
    in_page = runs.c.leaf_index.between(first, last)
    indexed: dict[str, set[tuple[str, str]]] = {}
    used = select(runs.c.models_sha256).where(in_page)
    for digest, model_id, version in connection.execute(
        select(*readable(connection, model_lists.c)).where(model_lists.c.models_sha256.in_(used))
    ):
        indexed.setdefault(digest, set()).add((model_id, version))
    naming = readable(connection, (runs.c.id, runs.c.models, runs.c.models_sha256))
    for run in connection.execute(select(*naming).where(in_page)):
        try:
            listed = {(model["id"], model["version"]) for model in json.loads(bytes(run.models))}
        except (ValueError, KeyError, TypeError, RecursionError):
            listed = {("", "")}
        if run.models_sha256 != hex_sha256(bytes(run.models)) or listed != indexed.get(run.models_sha256, set()):
            walk.report(f"run {run.id} is indexed under other models than it has")


def _check_strays(connection: Connection, walk: LogWalk) -> None:
    """Rows that no leaf of the log leads to."""
    leaves = select(audit_entries.c.leaf_index)
    for (run_id,) in connection.execute(select(runs.c.id).where(runs.c.leaf_index.not_in(leaves)).limit(MOST_PROBLEMS)):
        walk.report(f"run {run_id} has no leaf")
    known = select(runs.c.id)
    stray = select(idempotency_keys.c.run_id).where(idempotency_keys.c.run_id.not_in(known)).limit(MOST_PROBLEMS)
    for (run_id,) in connection.execute(stray):
        walk.report(f"an idempotency key refers to run {run_id}, which is missing")
    unused = model_lists.c.models_sha256.not_in(select(runs.c.models_sha256))
    for (digest,) in connection.execute(select(model_lists.c.models_sha256).where(unused).distinct()):
        walk.report(f"the model list {digest} belongs to no run")
    size = walk.frontier.size
    outside: ColumnElement[bool] = or_(audit_checkpoints.c.size < 1, audit_checkpoints.c.size > size)
    in_gap = not_(audit_checkpoints.c.size.in_(select(audit_entries.c.leaf_index + 1)))
    for (wrong,) in connection.execute(select(audit_checkpoints.c.size).where(or_(outside, in_gap))):
        walk.report(f"the checkpoint of size {wrong} belongs to no leaf")


def _check_idempotency(connection: Connection, walk: LogWalk, said: dict[str, str], keyed: int) -> None:
    """Compare every key with the leaf that carries its digest; where all agree, their number tells of missing ones."""
    of_runs = (
        select(*readable(connection, (*idempotency_keys.c, audit_entries.c.record)))
        .join_from(idempotency_keys, runs)
        .join(audit_entries, audit_entries.c.leaf_index == runs.c.leaf_index)
        .where(idempotency_keys.c.outcome_id.is_(None))
    )
    for row in connection.execution_options(yield_per=PAGE).execute(of_runs):
        digest = idempotency_digest(row._asdict())
        if digest.encode() not in bytes(row.record):
            walk.report(f"an idempotency key of run {row.run_id} differs from the run's leaf")
    of_outcomes = select(*readable(connection, idempotency_keys.c)).where(idempotency_keys.c.outcome_id.is_not(None))
    for row in connection.execution_options(yield_per=PAGE).execute(of_outcomes):
        if said.get(row.outcome_id) != idempotency_digest(row._asdict()):
            walk.report(f"the idempotency key of outcome {row.outcome_id} differs from the outcome's leaf")
    stored = connection.execute(select(func.count()).select_from(idempotency_keys)).scalar_one()
    if stored != keyed:
        walk.report(f"the log has {keyed} idempotency keys, {stored} are stored")


def _check_rows(
    connection: Connection,
    walk: LogWalk,
    table: Table,
    digest: Callable[[Any], str],
    said: dict[str, str],
) -> None:
    for row in connection.execution_options(yield_per=PAGE).execute(select(*readable(connection, table.c))):
        if said.pop(row.id, None) != _digest_of(digest, row):
            walk.report(f"row {row.id} of {table.name} differs from its leaf")
    for missing in said:
        walk.report(f"row {missing} of {table.name} is missing")


def _digest_of(digest: Callable[[Any], str], row: AnyRow) -> str:
    """Digest of a row; none where a number is not finite, which no row of ours is."""
    try:
        return digest(row._asdict())
    except ValueError:
        return ""
