"""Turns a batch of writes into rows, leaves and one signed checkpoint, inside one transaction."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Table, exists, select, update

from db.bulk import column_names, fetch_rows, insert_rows, marks
from db.clock import utc_now
from db.digests import (
    KEY_CREATED,
    KEY_REVOKED,
    OUTCOME_RECORDED,
    RUN_CREATED,
    hex_sha256,
    idempotency_digest,
    key_digest,
    leaf_record,
    models_json,
    outcome_digest,
    run_digest,
)
from db.errors import DeathRecorded, IdempotencyMismatch, OutcomeCorrected, RunClosed, StoreError, UnknownRow
from db.merkle import Frontier, leaf_hash
from db.tables import (
    OPEN_STATUSES,
    TABLES,
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
from db.writes import CancelRun, Event, FinishRun, NewKey, NewOutcome, NewRun, Receipt, RevokeKey, Write

Sign = Callable[[int, bytes], bytes]
"""Signature over the size and root of the log."""

_STORED_KEYS = """
SELECT k.tenant, k.key, k.request_sha256, COALESCE(k.outcome_id, k.run_id), r.leaf_index
FROM idempotency_keys k JOIN runs r ON r.id = k.run_id
WHERE k.tenant IN ({tenants}) AND k.key IN ({keys})
"""
_COLUMNS = {table: column_names(table) for table in TABLES}


class Batch:
    """The writes of one transaction; ``frontier`` is advanced by them."""

    def __init__(self, connection: Connection, frontier: Frontier, listed: frozenset[str] = frozenset()) -> None:
        self._connection = connection
        self._listed = listed
        self._time = utc_now()
        self._first_leaf = frontier.size
        self._leaves: list[bytes] = []
        self._rows: dict[Table, list[tuple[Any, ...]]] = defaultdict(list)
        self._keyed: dict[tuple[str, str], tuple[str, str, int]] = {}
        self._handlers: dict[type, Callable[[Any], tuple[int, str | None]]] = {
            NewRun: self._new_run,
            FinishRun: self._finish_run,
            CancelRun: self._cancel_run,
            Event: self._event,
            NewKey: self._new_key,
            RevokeKey: self._revoke_key,
            NewOutcome: self._new_outcome,
        }
        self.frontier = frontier
        self.newly_listed: set[str] = set()

    def store(self, writes: Sequence[Write], sign: Sign) -> list[Receipt | StoreError]:
        """Store every write; one that contradicts the stored state gets its error, the others stand."""
        self._keyed = self._stored_keys(writes)
        placed: list[tuple[int, str | None] | StoreError] = []
        for write in writes:
            try:
                placed.append(self._handlers[type(write)](write))
            except StoreError as error:
                placed.append(error)
        self._flush()
        if self._leaves:
            self._append(sign)
        size = self.frontier.size
        return [place if isinstance(place, StoreError) else Receipt(place[0], size, place[1]) for place in placed]

    def _append(self, sign: Sign) -> None:
        nodes = self.frontier.extend(self._leaves)
        root = self.frontier.root()
        size = self.frontier.size
        insert_rows(self._connection, audit_nodes.name, _COLUMNS[audit_nodes], nodes)
        checkpoint = (size, root, sign(size, root), self._time)
        insert_rows(self._connection, audit_checkpoints.name, _COLUMNS[audit_checkpoints], [checkpoint])

    def _flush(self) -> None:
        for table in TABLES:
            rows = self._rows.pop(table, None)
            if rows:
                insert_rows(self._connection, table.name, _COLUMNS[table], rows)

    def _log(self, event: str, subject: str, tenant: str, actor: str, **details: Any) -> int:
        index = self._first_leaf + len(self._leaves)
        record = leaf_record(event=event, subject=subject, tenant=tenant, actor=actor, time=self._time, **details)
        leaf = leaf_hash(record)
        self._leaves.append(leaf)
        self._rows[audit_entries].append((index, self._time, event, subject, tenant, actor, record, leaf))
        return index

    def _stored_keys(self, writes: Sequence[Write]) -> dict[tuple[str, str], tuple[str, str, int]]:
        keyed = [w for w in writes if isinstance(w, NewRun | NewOutcome) and w.idempotency_key is not None]
        keys = [(w.tenant, w.idempotency_key) for w in keyed]
        if not keys:
            return {}
        tenants, names = map(set, zip(*keys, strict=True))
        wanted = _STORED_KEYS.format(
            tenants=marks(self._connection, len(tenants)), keys=marks(self._connection, len(names))
        )
        rows = fetch_rows(self._connection, wanted, (*tenants, *names))
        return {(tenant, key): (request, known_id, leaf) for tenant, key, request, known_id, leaf in rows}

    def _new_run(self, run: NewRun) -> tuple[int, str | None]:
        key = None if run.idempotency_key is None else (run.tenant, run.idempotency_key)
        if key is not None and key in self._keyed:
            return self._known(key, run.request_sha256)
        models = models_json(run.models)
        row = {
            "id": run.id,
            "tenant": run.tenant,
            "kind": run.kind,
            "status": run.status,
            "created_at": run.created_at,
            "patient_reference": run.patient_reference,
            "input": run.input,
            "result": run.result,
            "warnings": run.warnings,
            "models": models,
            "models_sha256": self._list_models(models, run.models),
            "seed": run.seed,
            "input_sha256": run.input_sha256,
            "result_sha256": run.result_sha256,
            "software_version": run.software_version,
            "request_id": run.request_id,
        }
        details = {"row_sha256": run_digest(row, input_sha256=run.input_sha256, result_sha256=run.result_sha256)}
        if key is not None:
            keyed = (*key, run.request_sha256, run.id, run.created_at, None)
            details["idempotency_sha256"] = self._add_key(keyed)
        index = self._log(RUN_CREATED, run.id, run.tenant, run.actor, **details)
        self._rows[runs].append((*row.values(), index, run.lease_owner, run.lease_expires_at))
        if key is not None and run.request_sha256 is not None:
            self._keyed[key] = (run.request_sha256, run.id, index)
        return index, None

    def _known(self, key: tuple[str, str], request_sha256: str | None) -> tuple[int, str]:
        """Return the leaf and id that a key stands for, if it was sent with this request."""
        known_sha256, known_id, leaf_index = self._keyed[key]
        if known_sha256 != request_sha256:
            raise IdempotencyMismatch("the idempotency key belongs to another request")
        return leaf_index, known_id

    def _add_key(self, row: tuple[str | None, ...]) -> str:
        """Store what a key stands for; return the digest that the leaf must carry."""
        self._rows[idempotency_keys].append(row)
        return idempotency_digest(dict(zip(_COLUMNS[idempotency_keys], row, strict=True)))

    def _list_models(self, models: bytes, pairs: Sequence[tuple[str, str]]) -> str:
        """Index a list of models once, however many runs share it; return its digest."""
        digest = hex_sha256(models)
        if digest not in self._listed and digest not in self.newly_listed:
            self.newly_listed.add(digest)
            stored = select(model_lists.c.model_id).where(model_lists.c.models_sha256 == digest).limit(1)
            if self._connection.execute(stored).first() is None:
                self._rows[model_lists].extend((digest, *pair) for pair in dict.fromkeys(pairs))
        return digest

    def _open_run(self, run_id: str, tenant: str) -> AnyRow:
        self._flush()
        query = select(runs).where(runs.c.id == run_id, runs.c.tenant == tenant).with_for_update()
        row = self._connection.execute(query).one_or_none()
        if row is None:
            raise UnknownRow("no run has this id")
        if row.status not in OPEN_STATUSES:
            raise RunClosed("the run has already ended")
        return row

    def _close_run(self, stored: AnyRow, actor: str, changes: Mapping[str, Any]) -> int:
        closed = {**stored._mapping, **changes, "lease_owner": None, "lease_expires_at": None}
        self._connection.execute(update(runs).where(runs.c.id == stored.id).values(closed))
        digest = run_digest(closed, input_sha256=stored.input_sha256, result_sha256=closed["result_sha256"])
        return self._log(f"run.{closed['status']}", stored.id, stored.tenant, actor, row_sha256=digest)

    def _finish_run(self, end: FinishRun) -> tuple[int, None]:
        stored = self._open_run(end.run_id, end.tenant)
        if end.lease_owner is not None and stored.lease_owner != end.lease_owner:
            raise RunClosed("another worker holds the lease of this run")
        models = models_json(end.models)
        changes = {
            "status": end.status,
            "result": end.result,
            "result_sha256": end.result_sha256,
            "warnings": end.warnings,
            "models": models,
            "models_sha256": self._list_models(models, end.models),
        }
        return self._close_run(stored, end.actor, changes), None

    def _cancel_run(self, end: CancelRun) -> tuple[int, None]:
        stored = self._open_run(end.run_id, end.tenant)
        return self._close_run(stored, end.actor, {"status": "cancelled"}), None

    def _event(self, event: Event) -> tuple[int, None]:
        details = {"extra": dict(event.extra)} if event.extra else {}
        return self._log(event.event, event.subject, event.tenant, event.actor, **details), None

    def _new_key(self, key: NewKey) -> tuple[int, None]:
        row = {
            "id": key.id,
            "tenant": key.tenant,
            "digest": key.digest,
            "scopes": key.scopes,
            "created_at": key.created_at,
            "revoked_at": None,
            "label": key.label,
        }
        self._rows[api_keys].append(tuple(row.values()))
        return self._log(KEY_CREATED, key.id, key.tenant, key.actor, row_sha256=key_digest(row)), None

    def _revoke_key(self, key: RevokeKey) -> tuple[int, None]:
        self._flush()
        found = api_keys.c.id == key.id, api_keys.c.tenant == key.tenant, api_keys.c.revoked_at.is_(None)
        row = self._connection.execute(select(api_keys).where(*found)).one_or_none()
        if row is None:
            raise UnknownRow("no access key in use has this id")
        self._connection.execute(update(api_keys).where(*found).values(revoked_at=self._time))
        digest = key_digest({**row._mapping, "revoked_at": self._time})
        return self._log(KEY_REVOKED, key.id, key.tenant, key.actor, row_sha256=digest), None

    def _new_outcome(self, outcome: NewOutcome) -> tuple[int, str | None]:
        key = None if outcome.idempotency_key is None else (outcome.tenant, outcome.idempotency_key)
        if key is not None and key in self._keyed:
            return self._known(key, outcome.request_sha256)
        self._flush()
        query = select(runs.c.leaf_index).where(runs.c.id == outcome.run_id, runs.c.tenant == outcome.tenant)
        of_run = self._connection.execute(query).first()
        if of_run is None:
            raise UnknownRow("no run has this id")
        if outcome.corrects_id is not None:
            self._require_correctable(outcome)
        if outcome.kind == "death":
            self._require_first_death(outcome)
        row = {name: getattr(outcome, name) for name in _COLUMNS[outcomes]}
        row["day"] = float(outcome.day)
        self._rows[outcomes].append(tuple(row.values()))
        details = {"row_sha256": outcome_digest(row)}
        if key is not None and outcome.request_sha256 is not None:
            keyed = (*key, outcome.request_sha256, outcome.run_id, outcome.recorded_at, outcome.id)
            details["idempotency_sha256"] = self._add_key(keyed)
            self._keyed[key] = (outcome.request_sha256, outcome.id, of_run.leaf_index)
        return self._log(OUTCOME_RECORDED, outcome.id, outcome.tenant, outcome.actor, **details), None

    def _require_correctable(self, outcome: NewOutcome) -> None:
        old = outcomes.c.id == outcome.corrects_id, outcomes.c.run_id == outcome.run_id
        if self._connection.execute(select(outcomes.c.id).where(*old)).first() is None:
            raise UnknownRow("the run has no outcome with the id that is to be corrected")
        corrections = select(outcomes.c.id).where(outcomes.c.corrects_id == outcome.corrects_id)
        if self._connection.execute(corrections).first() is not None:
            raise OutcomeCorrected("the outcome has been corrected already")

    def _require_first_death(self, outcome: NewOutcome) -> None:
        """Refuse a death beside one that is neither corrected nor corrected by this one."""
        correction = outcomes.alias("correction")
        stands = ~exists().where(correction.c.corrects_id == outcomes.c.id)
        deaths = select(outcomes.c.id).where(outcomes.c.run_id == outcome.run_id, outcomes.c.kind == "death", stands)
        if any(death != outcome.corrects_id for (death,) in self._connection.execute(deaths)):
            raise DeathRecorded("the run has a death already")
