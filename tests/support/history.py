"""A database in which everything that can happen has happened."""

from collections.abc import Iterable

from sqlalchemy import Engine

from db.clock import utc_after, utc_now
from db.engine import writing
from db.leases import claim_run
from db.writer import GroupWriter
from db.writes import CancelRun, Event, FinishRun, NewKey, NewOutcome, RevokeKey, Write
from tests.support.rows import new_run

EMPTY_SHA256 = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"


def live_through(engine: Engine, writer: GroupWriter) -> None:
    """Store finished, open, ended and cancelled runs, keys, outcomes and events, in several batches."""
    first, second = new_run(idempotency_key="k1", request_sha256="a" * 64), new_run(patient_reference=None)
    third = new_run(models=(("a", "1"), ("b", "2")), idempotency_key="k2", request_sha256="b" * 64)
    ended, failed, cancelled, working = (new_run(status="queued", result=None, models=()) for _ in range(4))
    _store(writer, [first, second, third, ended, failed, cancelled, working])
    with writing(engine) as connection:
        claim_run(connection, working.id, "worker", utc_now(), utc_after(60))

    def outcome(name: str, corrects: str | None, key: str | None = None) -> NewOutcome:
        return NewOutcome(
            id=name,
            run_id=first.id,
            tenant="default",
            recorded_at=utc_now(),
            kind="response",
            day=90.5,
            value='"partial_response"',
            corrects_id=corrects,
            actor="key:k",
            idempotency_key=key,
            request_sha256=key and "c" * 64,
        )

    def key(name: str) -> NewKey:
        return NewKey(
            id=name, tenant="t", digest=b"\x00\xff", scopes="a b", created_at=utc_now(), label="ward", actor="cli"
        )

    done = {"run_id": ended.id, "tenant": "default", "actor": "w", "warnings": b"[]", "models": (("m", "1"),)}
    _store(writer, [FinishRun(status="succeeded", result=b"{}", result_sha256=EMPTY_SHA256, **done)])
    done["run_id"] = failed.id
    _store(writer, [FinishRun(status="failed", result=None, result_sha256=None, **done), key("k1"), key("k2")])
    _store(writer, [CancelRun(run_id=cancelled.id, tenant="default", actor="key:k")])
    _store(writer, [outcome("o1", None, "k3"), outcome("o2", "o1"), RevokeKey(id="k1", tenant="t", actor="cli")])
    _store(writer, [Event(event="run.read", subject=first.id, tenant="default", actor="key:k", extra={"n": 1})])


def _store(writer: GroupWriter, writes: Iterable[Write]) -> None:
    for future in [writer.submit(write) for write in writes]:
        future.result(30)
