import asyncio
import threading
from collections.abc import Sequence
from typing import Any, get_args
from unittest.mock import MagicMock

import pytest
from sqlalchemy import Engine, func, select

from db.batch import Batch
from db.clock import utc_after, utc_now
from db.engine import reading, writing
from db.errors import (
    DatabaseUnavailable,
    DeathRecorded,
    IdempotencyMismatch,
    LogInconsistent,
    OutcomeCorrected,
    QueueFull,
    RowRejected,
    RunClosed,
    StoreError,
    UnknownRow,
    WriterStopped,
)
from db.leases import claim_run, release_run, renew_lease, waiting_runs
from db.merkle import Frontier
from db.queries import audit_head, get_key, get_run, list_keys, outcomes_of_run
from db.tables import audit_checkpoints, audit_entries, idempotency_keys, model_lists, runs
from db.writer import GroupWriter
from db.writes import CancelRun, Event, FinishRun, NewKey, NewOutcome, NewRun, Receipt, RevokeKey, Write
from tests.db.conftest import sign
from tests.support.rows import new_id, new_run

SECONDS = 30


def count(engine: Engine, table: Any) -> int:
    with engine.connect() as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar_one()


def outcome_of(future: Any) -> Receipt | StoreError:
    error = future.exception(SECONDS)
    return future.result() if error is None else error


def in_one_batch(engine: Engine, writes: Sequence[Write], **options: Any) -> list[Receipt | StoreError]:
    """Submit before the thread starts, so that all wait together."""
    writer = GroupWriter(engine, sign, **options)
    writer._accepting = True
    futures = [writer.submit(write) for write in writes]
    writer.start()
    answers = [outcome_of(future) for future in futures]
    assert writer.drain(SECONDS)
    return answers


def test_a_committed_run_reads_back_byte_for_byte(engine: Engine, writer: GroupWriter) -> None:
    run = new_run(patient_reference=None, models=(("a", "1"), ("b", "2"), ("a", "1")), seed=2**53 - 1)
    receipt = writer.submit(run).result(SECONDS)
    assert receipt == Receipt(0, 1)
    with engine.connect() as connection:
        stored = get_run(connection, run.tenant, run.id)
        models = connection.execute(select(model_lists.c.model_id, model_lists.c.version)).all()
    assert stored is not None
    assert bytes(stored.input) == run.input
    assert bytes(stored.result) == run.result
    assert (stored.seed, stored.leaf_index, stored.patient_reference) == (2**53 - 1, 0, None)
    assert bytes(stored.models) == b'[{"id":"a","version":"1"},{"id":"b","version":"2"},{"id":"a","version":"1"}]'
    assert sorted(tuple(model) for model in models) == [("a", "1"), ("b", "2")]


def test_waiting_writes_share_one_transaction_and_one_checkpoint(engine: Engine) -> None:
    answers = in_one_batch(engine, [new_run() for _ in range(100)])
    assert answers == [Receipt(i, 100) for i in range(100)]
    assert count(engine, audit_checkpoints) == 1
    with engine.connect() as connection:
        head = audit_head(connection)
    assert head is not None
    assert bytes(head.signature) == sign(head.size, bytes(head.root))


def test_batches_are_bounded(engine: Engine) -> None:
    in_one_batch(engine, [new_run() for _ in range(100)], max_batch=30)
    assert count(engine, audit_checkpoints) == 4


def test_bad_rows_fail_alone(engine: Engine) -> None:
    good = [new_run() for _ in range(40)]
    bad = new_run(kind=None)
    twin = new_run(id=good[3].id)
    nonsense = new_run(seed=2**70)
    writes = [*good[:10], bad, *good[10:30], twin, nonsense, *good[30:]]
    answers = in_one_batch(engine, writes)
    refused = [writes[i] for i, answer in enumerate(answers) if isinstance(answer, RowRejected)]
    assert refused == [bad, twin, nonsense]
    receipts = [answer for answer in answers if isinstance(answer, Receipt)]
    assert [receipt.leaf_index for receipt in receipts] == list(range(40))
    assert count(engine, runs) == count(engine, audit_entries) == 40


def test_refusals_do_not_quote_values(engine: Engine, writer: GroupWriter) -> None:
    run = new_run(patient_reference="SENTINEL", tenant="SENTINEL", kind="SENTINEL", status="SENTINEL")
    error = writer.submit(run).exception(SECONDS)
    assert isinstance(error, RowRejected)
    assert "SENTINEL" not in repr(error) + str(error.__cause__) + str(error.__context__)


def test_a_key_names_one_run(engine: Engine, writer: GroupWriter) -> None:
    keyed: dict[str, Any] = {"idempotency_key": "k", "request_sha256": "a" * 64}
    first, second = new_run(**keyed), new_run(**keyed)
    assert writer.submit(first).result(SECONDS).existing_id is None
    again = writer.submit(second).result(SECONDS)
    assert (again.existing_id, again.leaf_index) == (first.id, 0)
    other = writer.submit(new_run(idempotency_key="k", request_sha256="b" * 64)).exception(SECONDS)
    assert isinstance(other, IdempotencyMismatch)
    elsewhere = writer.submit(new_run(tenant="another", **keyed)).result(SECONDS)
    assert elsewhere.existing_id is None
    assert count(engine, runs) == 2


def test_a_key_names_one_run_inside_a_batch(engine: Engine) -> None:
    def run(request: str, tenant: str = "default") -> NewRun:
        return new_run(idempotency_key="k", request_sha256=request * 64, tenant=tenant)

    writes = [run("a"), run("a"), run("b"), run("b", "another"), run("a", "another"), new_run()]
    answers = in_one_batch(engine, writes)
    assert answers[0] == Receipt(0, 3)
    assert answers[1] == Receipt(0, 3, existing_id=writes[0].id)
    assert isinstance(answers[2], IdempotencyMismatch)
    assert answers[3] == Receipt(1, 3)
    assert isinstance(answers[4], IdempotencyMismatch)
    assert answers[5] == Receipt(2, 3)
    assert count(engine, idempotency_keys) == 2


def test_writers_of_two_processes_share_one_log(engine: Engine) -> None:
    writers = [GroupWriter(engine, sign) for _ in range(3)]
    for each in writers:
        each.start()
    futures = [writers[i % 3].submit(new_run(idempotency_key=str(i // 6), request_sha256="a" * 64)) for i in range(120)]
    receipts = [future.result(SECONDS) for future in futures]
    assert all(each.drain(SECONDS) for each in writers)
    made = [receipt.leaf_index for receipt in receipts if receipt.existing_id is None]
    assert sorted(made) == list(range(20))
    assert count(engine, audit_entries) == 20


def test_a_full_queue_refuses_at_once(engine: Engine) -> None:
    writer = GroupWriter(engine, sign, queue_limit=2)
    writer._accepting = True
    futures = [writer.submit(new_run()), writer.submit(new_run())]
    with pytest.raises(QueueFull):
        writer.submit(new_run())
    assert writer.stats.queue_length == 2
    writer.start()
    assert [future.result(SECONDS).leaf_index for future in futures] == [0, 1]
    assert writer.drain(SECONDS)


def test_drain_stores_what_waits_and_refuses_the_rest(engine: Engine, writer: GroupWriter) -> None:
    futures = [writer.submit(new_run()) for _ in range(50)]
    assert writer.drain(SECONDS)
    assert all(future.done() and future.exception() is None for future in futures)
    with pytest.raises(WriterStopped):
        writer.submit(new_run())
    assert count(engine, runs) == 50
    assert writer.stats.stored == 50


def test_cancelling_the_caller_does_not_cancel_the_write(engine: Engine) -> None:
    writer = GroupWriter(engine, sign)
    writer._accepting = True
    gone, kept = writer.submit(new_run()), writer.submit(new_run())
    assert gone.cancel()
    writer.start()
    assert kept.result(SECONDS) == Receipt(1, 2)
    assert writer.drain(SECONDS)
    assert count(engine, runs) == 2


def test_event_loops_are_served(engine: Engine, writer: GroupWriter) -> None:
    async def use() -> tuple[list[Receipt], Receipt]:
        leaving = writer.submit_async(new_run())
        leaving.cancel()
        many = await asyncio.gather(*(writer.submit_async(new_run()) for _ in range(40)))
        with pytest.raises(IdempotencyMismatch):
            await asyncio.gather(
                *(writer.submit_async(new_run(idempotency_key="k", request_sha256=c * 64)) for c in "ab")
            )
        return many, await asyncio.wrap_future(writer.submit(new_run()))

    many, last = asyncio.run(use())
    assert sorted(receipt.leaf_index for receipt in many) == list(range(1, 41))
    assert last.leaf_index == 42


def test_an_event_loop_that_closed_meanwhile_harms_nobody(engine: Engine) -> None:
    writer = GroupWriter(engine, sign)
    writer._accepting = True

    async def leave() -> None:
        writer.submit_async(new_run())

    asyncio.run(leave())
    stays = writer.submit(new_run())
    writer.start()
    assert stays.result(SECONDS) == Receipt(1, 2)
    assert writer.drain(SECONDS)


def queued(**changes: Any) -> NewRun:
    return new_run(status="queued", result=None, models=(), **changes)


def finish(run: NewRun, **changes: Any) -> FinishRun:
    content: dict[str, Any] = {
        "run_id": run.id,
        "tenant": run.tenant,
        "status": "succeeded",
        "result": b"{}",
        "result_sha256": "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
        "warnings": b"[]",
        "models": (("m", "1"),),
        "actor": "worker",
    }
    return FinishRun(**{**content, **changes})


def test_a_long_run_ends_once(engine: Engine, writer: GroupWriter) -> None:
    run = queued()
    writer.submit(run)
    assert writer.submit(finish(run)).result(SECONDS).leaf_index == 1
    assert isinstance(writer.submit(finish(run)).exception(SECONDS), RunClosed)
    assert isinstance(
        writer.submit(CancelRun(run_id=run.id, tenant="default", actor="x")).exception(SECONDS), RunClosed
    )
    with engine.connect() as connection:
        stored = get_run(connection, "default", run.id)
    assert stored is not None
    assert (stored.status, bytes(stored.result), stored.leaf_index) == ("succeeded", b"{}", 0)
    assert count(engine, model_lists) == 1


def test_a_run_that_was_cancelled_cannot_be_finished(engine: Engine) -> None:
    run = queued()
    cancel = CancelRun(run_id=run.id, tenant=run.tenant, actor="x")
    answers = in_one_batch(engine, [run, cancel, finish(run), Event(event="e", subject="s", tenant="t", actor="a")])
    assert answers[:2] == [Receipt(0, 3), Receipt(1, 3)]
    assert isinstance(answers[2], RunClosed)
    assert answers[3] == Receipt(2, 3)


def test_runs_of_another_tenant_cannot_be_touched(engine: Engine, writer: GroupWriter) -> None:
    run = queued()
    writer.submit(run).result(SECONDS)
    outcome = NewOutcome(
        id="o1",
        run_id=run.id,
        tenant="other",
        recorded_at=utc_now(),
        kind="response",
        day=1,
        value='"x"',
        corrects_id=None,
        actor="a",
    )
    for write in (finish(run, tenant="other"), CancelRun(run_id=run.id, tenant="other", actor="x"), outcome):
        assert isinstance(writer.submit(write).exception(SECONDS), UnknownRow)


def test_an_expired_lease_lets_another_worker_in(engine: Engine, writer: GroupWriter) -> None:
    run = queued()
    writer.submit(run).result(SECONDS)
    with writing(engine) as connection:
        assert [row.id for row in waiting_runs(connection, utc_now())] == [run.id]
        assert claim_run(connection, run.id, "w1", utc_now(), utc_after(60))
        assert not claim_run(connection, run.id, "w2", utc_now(), utc_after(60))
        assert waiting_runs(connection, utc_now()) == []
        assert renew_lease(connection, run.id, "w1", utc_after(-1))
    with writing(engine) as connection:
        assert claim_run(connection, run.id, "w2", utc_now(), utc_after(60))
        assert not renew_lease(connection, run.id, "w1", utc_after(60))
        assert not release_run(connection, run.id, "w1")
    assert isinstance(writer.submit(finish(run, lease_owner="w1")).exception(SECONDS), RunClosed)
    with writing(engine) as connection:
        assert release_run(connection, run.id, "w2")
        assert claim_run(connection, run.id, "w3", utc_now(), utc_after(60))
    writer.submit(finish(run, lease_owner="w3")).result(SECONDS)
    with writing(engine) as connection:
        assert not renew_lease(connection, run.id, "w3", utc_after(60))
        assert not claim_run(connection, run.id, "w4", utc_now(), utc_after(60))
        stored = get_run(connection, "default", run.id)
    assert stored is not None
    assert (stored.lease_owner, stored.lease_expires_at) == (None, None)


def test_access_keys_are_made_and_revoked_once(engine: Engine, writer: GroupWriter) -> None:
    key = NewKey(
        id="k1",
        tenant="t",
        digest=b"\x00\xff",
        scopes="runs:read",
        created_at=utc_now(),
        label="ward",
        actor="cli",
    )
    revoke = RevokeKey(id="k1", tenant="t", actor="cli")
    writer.submit(key).result(SECONDS)
    assert isinstance(writer.submit(RevokeKey(id="k1", tenant="u", actor="cli")).exception(SECONDS), UnknownRow)
    assert writer.submit(revoke).result(SECONDS).leaf_index == 1
    assert isinstance(writer.submit(revoke).exception(SECONDS), UnknownRow)
    with reading(engine) as connection:
        stored = get_key(connection, "k1")
        assert [row.id for row in list_keys(connection)] == ["k1"] == [row.id for row in list_keys(connection, "t")]
        assert list_keys(connection, "u") == []
    assert stored is not None
    assert bytes(stored.digest) == b"\x00\xff"
    assert stored.revoked_at is not None


def test_outcomes_append_and_are_corrected_once(engine: Engine, writer: GroupWriter) -> None:
    run = new_run()
    writer.submit(run).result(SECONDS)

    def record(outcome_id: str, corrects: str | None = None) -> NewOutcome:
        return NewOutcome(
            id=outcome_id,
            run_id=run.id,
            tenant="default",
            recorded_at=utc_now(),
            kind="response",
            day=90,
            value='"partial_response"',
            corrects_id=corrects,
            actor="a",
        )

    writer.submit(record("o1")).result(SECONDS)
    writer.submit(record("o2", "o1")).result(SECONDS)
    assert isinstance(writer.submit(record("o3", "o1")).exception(SECONDS), OutcomeCorrected)
    assert isinstance(writer.submit(record("o4", "unknown")).exception(SECONDS), UnknownRow)
    with engine.connect() as connection:
        assert [row.id for row in outcomes_of_run(connection, "default", run.id)] == ["o1", "o2"]
        assert outcomes_of_run(connection, "other", run.id) == []


def outcome_for(run: NewRun, **changes: Any) -> NewOutcome:
    content: dict[str, Any] = {
        "id": new_id(),
        "run_id": run.id,
        "tenant": "default",
        "recorded_at": utc_now(),
        "kind": "progression",
        "day": 90,
        "value": "null",
        "corrects_id": None,
        "actor": "a",
    }
    return NewOutcome(**content | changes)


def test_a_key_names_one_outcome_across_batches(engine: Engine, writer: GroupWriter) -> None:
    run = new_run(idempotency_key="run-key", request_sha256="b" * 64)
    writer.submit(run).result(SECONDS)
    keyed: dict[str, Any] = {"idempotency_key": "k", "request_sha256": "a" * 64}
    first = outcome_for(run, **keyed)
    assert writer.submit(first).result(SECONDS) == Receipt(1, 2)
    assert writer.submit(outcome_for(run, **keyed)).result(SECONDS) == Receipt(0, 2, existing_id=first.id)
    for other in (
        outcome_for(run, **{**keyed, "request_sha256": "c" * 64}),
        outcome_for(run, **{**keyed, "idempotency_key": "run-key"}),
        new_run(idempotency_key="k", request_sha256="b" * 64),
    ):
        assert isinstance(writer.submit(other).exception(SECONDS), IdempotencyMismatch)
    with engine.connect() as connection:
        assert [row.id for row in outcomes_of_run(connection, "default", run.id)] == [first.id]


def test_a_key_names_one_outcome_inside_a_batch(engine: Engine) -> None:
    run = new_run()
    first, again = (outcome_for(run, idempotency_key="k", request_sha256="a" * 64) for _ in range(2))
    corrections = [
        outcome_for(run, corrects_id=first.id, idempotency_key="c", request_sha256="c" * 64) for _ in range(2)
    ]
    answers = in_one_batch(engine, [run, first, again, *corrections])
    assert answers == [
        Receipt(0, 3),
        Receipt(1, 3),
        Receipt(0, 3, existing_id=first.id),
        Receipt(2, 3),
        Receipt(0, 3, existing_id=corrections[0].id),
    ]


def test_a_run_has_one_death_that_stands(engine: Engine, writer: GroupWriter) -> None:
    run = new_run()
    writer.submit(run).result(SECONDS)
    first, second = (outcome_for(run, kind="death") for _ in range(2))
    progression = outcome_for(run)
    for write in (first, progression):
        writer.submit(write).result(SECONDS)
    assert isinstance(writer.submit(second).exception(SECONDS), DeathRecorded)
    instead = outcome_for(run, kind="death", corrects_id=progression.id)
    assert isinstance(writer.submit(instead).exception(SECONDS), DeathRecorded)
    corrected = outcome_for(run, kind="death", day=91, corrects_id=first.id)
    writer.submit(corrected).result(SECONDS)
    assert isinstance(writer.submit(second).exception(SECONDS), DeathRecorded)
    writer.submit(outcome_for(run, kind="follow_up", corrects_id=corrected.id)).result(SECONDS)
    writer.submit(second).result(SECONDS)


def test_nothing_is_appended_to_a_log_that_contradicts_itself(engine: Engine, writer: GroupWriter) -> None:
    writer.submit(new_run()).result(SECONDS)
    with engine.begin() as connection:
        connection.execute(audit_checkpoints.update().values(root=b"\x00" * 32))
    assert isinstance(writer.submit(new_run()).exception(SECONDS), LogInconsistent)
    assert count(engine, runs) == 1


def test_a_database_without_tables_fails_the_write_and_not_the_writer(database_url: str) -> None:
    from db.engine import migrate, open_engine

    engine = open_engine(database_url)
    writer = GroupWriter(engine, sign)
    writer.start()
    assert isinstance(writer.submit(new_run()).exception(SECONDS), StoreError)
    migrate(engine)
    assert writer.submit(new_run()).result(SECONDS) == Receipt(0, 1)
    assert writer.drain(SECONDS)
    engine.dispose()


def test_a_lock_held_too_long_is_the_database_being_away(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import db.engine as module

    monkeypatch.setattr(module, "SQLITE_BUSY_SECONDS", 0)
    monkeypatch.setattr(module, "_SQLITE_PRAGMAS", ())
    engine = module.open_engine(f"sqlite:///{tmp_path / 'a.db'}")
    module.migrate(engine)
    writer = GroupWriter(engine, sign)
    writer.start()
    with writing(engine):
        assert isinstance(writer.submit(new_run()).exception(SECONDS), DatabaseUnavailable)
    assert writer.submit(new_run()).result(SECONDS) == Receipt(0, 1)
    assert writer.drain(SECONDS)
    engine.dispose()


def test_a_lost_connection_fails_its_batch_and_the_next_is_stored(engine: Engine, writer: GroupWriter) -> None:
    if engine.dialect.name != "postgresql":
        pytest.skip("SQLite has no connection to lose")
    writer.submit(new_run()).result(SECONDS)
    stop = threading.Event()
    answers: list[Receipt | StoreError] = []

    def load() -> None:
        while not stop.is_set():
            answers.append(outcome_of(writer.submit(new_run())))

    thread = threading.Thread(target=load)
    thread.start()
    for _ in range(20):
        with engine.begin() as connection:
            connection.exec_driver_sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
    stop.set()
    thread.join()
    last = writer.submit(new_run()).result(SECONDS)
    assert all(isinstance(answer, Receipt | DatabaseUnavailable) for answer in answers)
    stored = [answer for answer in answers if isinstance(answer, Receipt)]
    assert last.leaf_index >= len(stored) + 1
    assert count(engine, runs) == last.tree_size


def test_every_kind_of_write_has_a_handler() -> None:
    assert set(get_args(Write)) == set(Batch(MagicMock(), Frontier())._handlers)


def test_ids_of_the_test_rows_sort_in_the_order_of_making() -> None:
    first, second = new_id(), new_id()
    assert len(first) == 26
    assert first < second
