"""Everything that is read. Functions take a connection first; a tenant sees its own rows only."""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from sqlalchemy import Connection, and_, exists, or_, select, tuple_

from db.digests import RUN_FINAL_EVENTS
from db.errors import LogInconsistent, UnknownRow
from db.merkle import NodeReader, consistency_proof, inclusion_proof, root_at
from db.tables import (
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

T = TypeVar("T")
_SUMMARY = tuple(column for column in runs.c if column.name not in ("input", "result"))


def get_run(connection: Connection, tenant: str, run_id: str) -> AnyRow | None:
    """Return every column of a run."""
    return connection.execute(select(runs).where(runs.c.id == run_id, runs.c.tenant == tenant)).one_or_none()


def list_runs(
    connection: Connection,
    tenant: str,
    *,
    kind: str | None = None,
    status: str | None = None,
    model: str | None = None,
    patient_reference: str | None = None,
    created_after: str | None = None,
    created_before: str | None = None,
    after_cursor: tuple[str, str] | None = None,
    limit: int = 50,
) -> Sequence[AnyRow]:
    """Newest runs first, without their input and result.

    ``created_after`` is inclusive, ``created_before`` exclusive. ``after_cursor`` is the
    ``(created_at, id)`` of the last run of the page before.
    """
    query = select(*_SUMMARY).where(runs.c.tenant == tenant)
    for column, value in ((runs.c.kind, kind), (runs.c.status, status), (runs.c.patient_reference, patient_reference)):
        if value is not None:
            query = query.where(column == value)
    if model is not None:
        naming = select(model_lists.c.models_sha256).where(model_lists.c.model_id == model)
        query = query.where(runs.c.models_sha256.in_(naming))
    if created_after is not None:
        query = query.where(runs.c.created_at >= created_after)
    if created_before is not None:
        query = query.where(runs.c.created_at < created_before)
    if after_cursor is not None:
        query = query.where(tuple_(runs.c.created_at, runs.c.id) < after_cursor)
    query = query.order_by(runs.c.created_at.desc(), runs.c.id.desc()).limit(limit)
    return connection.execute(query).all()


def get_idempotent(connection: Connection, tenant: str, key: str) -> AnyRow | None:
    """Return the ``request_sha256``, ``run_id`` and, for an outcome, ``outcome_id`` of an idempotency key."""
    query = select(idempotency_keys.c.request_sha256, idempotency_keys.c.run_id, idempotency_keys.c.outcome_id)
    found = query.where(idempotency_keys.c.tenant == tenant, idempotency_keys.c.key == key)
    return connection.execute(found).one_or_none()


def get_key(connection: Connection, key_id: str) -> AnyRow | None:
    """Return an access key, revoked or not."""
    return connection.execute(select(api_keys).where(api_keys.c.id == key_id)).one_or_none()


def list_keys(connection: Connection, tenant: str | None = None) -> Sequence[AnyRow]:
    """Access keys in the order of their making, of one tenant or of all."""
    query = select(api_keys).order_by(api_keys.c.created_at, api_keys.c.id)
    if tenant is not None:
        query = query.where(api_keys.c.tenant == tenant)
    return connection.execute(query).all()


def outcomes_of_run(connection: Connection, tenant: str, run_id: str) -> Sequence[AnyRow]:
    """Everything recorded about a run in the order of recording, corrected entries included."""
    query = select(outcomes).where(outcomes.c.run_id == run_id, outcomes.c.tenant == tenant)
    return connection.execute(query.order_by(outcomes.c.recorded_at, outcomes.c.id)).all()


def outcomes_of_model(connection: Connection, tenant: str, model: str) -> Iterator[AnyRow]:
    """Outcomes that nothing corrected, each with its run's ``created_at``, ``input``, ``result`` and model version.

    Rows are streamed in the order of the runs.
    """
    correction = outcomes.alias("correction")
    query = (
        select(
            outcomes,
            runs.c.created_at.label("run_created_at"),
            runs.c.kind.label("run_kind"),
            runs.c.input,
            runs.c.result,
            model_lists.c.version.label("model_version"),
        )
        .join_from(outcomes, runs)
        .join(model_lists, model_lists.c.models_sha256 == runs.c.models_sha256)
        .where(outcomes.c.tenant == tenant, runs.c.tenant == tenant, model_lists.c.model_id == model)
        .where(~exists().where(correction.c.corrects_id == outcomes.c.id))
        .order_by(runs.c.created_at, runs.c.id, outcomes.c.id)
    )
    yield from connection.execution_options(yield_per=500).execute(query)


def audit_head(connection: Connection) -> AnyRow | None:
    """Return the checkpoint of the present log, None while it is empty."""
    return connection.execute(
        select(audit_checkpoints).order_by(audit_checkpoints.c.size.desc()).limit(1)
    ).one_or_none()


def audit_checkpoint(connection: Connection, size: int) -> AnyRow | None:
    """Return the checkpoint that was signed at a size, if one was."""
    return connection.execute(select(audit_checkpoints).where(audit_checkpoints.c.size == size)).one_or_none()


def audit_entries_page(
    connection: Connection, start: int, limit: int, *, tenant: str | None = None
) -> Sequence[AnyRow]:
    """Entries from the leaf ``start`` on, in the order of the log."""
    query = select(audit_entries).where(audit_entries.c.leaf_index >= start)
    if tenant is not None:
        query = query.where(audit_entries.c.tenant == tenant)
    return connection.execute(query.order_by(audit_entries.c.leaf_index).limit(limit)).all()


def audit_end_of_run(connection: Connection, run: AnyRow) -> AnyRow | None:
    """Return the entry that ended a run which was stored before its computation."""
    entries = audit_entries.c
    later = select(audit_entries).where(entries.leaf_index > run.leaf_index, entries.subject == run.id)
    ending = later.where(entries.event.in_(RUN_FINAL_EVENTS)).order_by(entries.leaf_index).limit(1)
    return connection.execute(ending).one_or_none()


def audit_root(connection: Connection, size: int) -> bytes:
    """Root of the log when it had a size; ``UnknownRow`` when it never had it."""
    _check_sizes(connection, 0, size)
    return _from_nodes(connection, lambda node: root_at(size, node))


def audit_inclusion(connection: Connection, leaf_index: int, size: int) -> list[bytes]:
    """Proof that a leaf is in the log of a size; ``UnknownRow`` when the log never had them."""
    _check_sizes(connection, leaf_index + 1, size)
    return _from_nodes(connection, lambda node: inclusion_proof(leaf_index, size, node))


def audit_consistency(connection: Connection, first: int, second: int) -> list[bytes]:
    """Proof that the log only grew between two sizes; ``UnknownRow`` when it never had them."""
    _check_sizes(connection, first, second)
    return _from_nodes(connection, lambda node: consistency_proof(first, second, node))


def _check_sizes(connection: Connection, first: int, second: int) -> None:
    head = audit_head(connection)
    if not 0 <= first <= second <= (0 if head is None else head.size):
        raise UnknownRow("the log never had this size or leaf")


def _from_nodes(connection: Connection, compute: Callable[[NodeReader], T]) -> T:
    """Compute over the tree in two passes: the first only notes which nodes it needs, one query reads them."""
    wanted: set[tuple[int, int]] = set()
    compute(_recorder(wanted))
    return compute(_read_nodes(connection, wanted))


def _recorder(wanted: set[tuple[int, int]]) -> NodeReader:
    def note(level: int, position: int) -> bytes:
        wanted.add((level, position))
        return b""

    return note


def _read_nodes(connection: Connection, wanted: set[tuple[int, int]]) -> NodeReader:
    found: dict[tuple[int, int], bytes] = {}
    leaves = [position for level, position in wanted if level == 0]
    nodes = audit_nodes.c
    upper = [and_(nodes.level == level, nodes.position == position) for level, position in wanted if level > 0]
    if leaves:
        query = select(audit_entries.c.leaf_index, audit_entries.c.leaf_hash)
        for position, value in connection.execute(query.where(audit_entries.c.leaf_index.in_(leaves))):
            found[0, position] = bytes(value)
    if upper:
        for level, position, value in connection.execute(
            select(nodes.level, nodes.position, nodes.hash).where(or_(*upper))
        ):
            found[level, position] = bytes(value)
    if found.keys() != wanted:
        raise LogInconsistent("nodes of the log are missing")
    return lambda level, position: found[level, position]
