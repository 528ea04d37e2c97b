from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from db.merkle import EMPTY_ROOT
from db.queries import (
    audit_checkpoint,
    audit_entries_page,
    audit_head,
    audit_root,
    get_idempotent,
    get_run,
    list_runs,
    outcomes_of_model,
)
from db.writer import GroupWriter
from db.writes import NewOutcome, NewRun
from tests.db.conftest import sign
from tests.support.databases import KINDS, fresh_database, migrated
from tests.support.rows import new_run

TENANTS = ("a", "b")
RUN_KINDS = ("predictions", "fractionation")
MODELS = (("m1", "1.0.0"), ("m1", "1.1.0"), ("m2", "1.0.0"))
PATIENTS = (None, "p1", "p2")


def made_runs() -> list[NewRun]:
    """Runs of every mixture, several of them at the same time."""
    return [
        new_run(
            tenant=TENANTS[i % 2],
            kind=RUN_KINDS[i // 2 % 2],
            models=MODELS[: i % 4],
            patient_reference=PATIENTS[i % 3],
            created_at=f"2026-11-24T05:{i // 4:02d}:00.000000Z",
            idempotency_key=f"k{i}",
            request_sha256="a" * 64,
        )
        for i in range(60)
    ]


@pytest.fixture(scope="module", params=KINDS)
def stored(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Engine, list[NewRun]]]:
    made = made_runs()
    with fresh_database(request.param, request, tmp_path_factory.mktemp("runs")) as url, migrated(url) as engine:
        writer = GroupWriter(engine, sign)
        writer.start()
        for future in [writer.submit(run) for run in made]:
            future.result(30)
        assert writer.drain(30)
        yield engine, made


times = st.sampled_from([None, *(f"2026-11-24T05:{minute:02d}:00.000000Z" for minute in range(16))])


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    tenant=st.sampled_from([*TENANTS, "c"]),
    kind=st.sampled_from([None, *RUN_KINDS, "none"]),
    model=st.sampled_from([None, "m1", "m2", "m3"]),
    patient=st.sampled_from([None, "p1", "p2", "p3"]),
    after=times,
    before=times,
    limit=st.integers(1, 13),
)
def test_pages_together_are_the_whole_list(
    stored: tuple[Engine, list[NewRun]],
    tenant: str,
    kind: str | None,
    model: str | None,
    patient: str | None,
    after: str | None,
    before: str | None,
    limit: int,
) -> None:
    engine, made = stored
    wanted = [
        run
        for run in made
        if run.tenant == tenant
        and kind in (None, run.kind)
        and (model is None or model in dict(run.models))
        and patient in (None, run.patient_reference)
        and (after is None or run.created_at >= after)
        and (before is None or run.created_at < before)
    ]
    wanted.sort(key=lambda run: (run.created_at, run.id), reverse=True)
    found: list[str] = []
    cursor: tuple[str, str] | None = None
    with engine.connect() as connection:
        while True:
            page = list_runs(
                connection,
                tenant,
                kind=kind,
                model=model,
                patient_reference=patient,
                created_after=after,
                created_before=before,
                after_cursor=cursor,
                limit=limit,
            )
            found += [row.id for row in page]
            if len(page) < limit:
                break
            cursor = page[-1].created_at, page[-1].id
    assert found == [run.id for run in wanted]


def test_a_tenant_reads_its_own_runs_only(stored: tuple[Engine, list[NewRun]]) -> None:
    engine, made = stored
    with engine.connect() as connection:
        for run in made:
            for tenant in (*TENANTS, "c", ""):
                assert (get_run(connection, tenant, run.id) is not None) == (tenant == run.tenant)
                assert run.idempotency_key is not None
                key = get_idempotent(connection, tenant, run.idempotency_key)
                assert (key is not None) == (tenant == run.tenant)
        assert {row.tenant for row in audit_entries_page(connection, 0, 100, tenant="a")} == {"a"}


def test_lists_leave_out_what_is_large(stored: tuple[Engine, list[NewRun]]) -> None:
    engine, _ = stored
    with engine.connect() as connection:
        columns = list_runs(connection, "a", limit=1)[0]._fields
    assert "input" not in columns
    assert "result" not in columns
    assert {"id", "kind", "status", "models", "warnings", "leaf_index"} <= set(columns)


def test_lists_use_an_index_from_end_to_end(stored: tuple[Engine, list[NewRun]]) -> None:
    engine, _ = stored
    if engine.dialect.name != "sqlite":
        pytest.skip("PostgreSQL reads small tables whole")
    plans: list[str] = []
    with engine.connect() as connection:
        raw: Any = connection.connection.driver_connection
        raw.set_trace_callback(plans.append)
        cursor = ("2026-11-24T05:10:00.000000Z", "x")
        list_runs(connection, "a", after_cursor=cursor)
        list_runs(connection, "a", kind="predictions", after_cursor=cursor)
        list_runs(connection, "a", patient_reference="p1", after_cursor=cursor)
        raw.set_trace_callback(None)
        statements = [plan for plan in plans if plan.startswith("SELECT")]
        assert len(statements) == 3
        for statement in statements:
            steps = " ".join(row[3] for row in raw.execute("EXPLAIN QUERY PLAN " + statement))
            assert "USING INDEX ix_runs_" in steps
            assert "TEMP B-TREE" not in steps


def test_outcomes_of_a_model_come_with_their_runs_but_not_corrected_ones(engine: Engine, writer: GroupWriter) -> None:
    first, second = new_run(models=MODELS[:2]), new_run(models=MODELS[2:], tenant="other")
    outcome = NewOutcome(
        id="o1",
        run_id=first.id,
        tenant="default",
        recorded_at="2026-11-24T06:00:00.000000Z",
        kind="response",
        day=30.5,
        value='"stable_disease"',
        corrects_id=None,
        actor="a",
    )
    corrected = replace(outcome, id="o2", corrects_id="o1", value='"partial_response"')
    foreign = replace(outcome, id="o3", run_id=second.id, tenant="other")
    for write in (first, second, outcome, corrected, foreign):
        writer.submit(write).result(30)
    with engine.connect() as connection:
        found = list(outcomes_of_model(connection, "default", "m1"))
        assert list(outcomes_of_model(connection, "default", "m2")) == []
        assert list(outcomes_of_model(connection, "other", "m1")) == []
    assert {(row.id, row.value, row.day, row.model_version) for row in found} == {
        ("o2", '"partial_response"', 30.5, "1.0.0"),
        ("o2", '"partial_response"', 30.5, "1.1.0"),
    }
    assert (bytes(found[0].input), bytes(found[0].result)) == (first.input, first.result)


def test_the_log_is_read_by_page_and_by_size(stored: tuple[Engine, list[NewRun]]) -> None:
    engine, made = stored
    with engine.connect() as connection:
        head = audit_head(connection)
        assert head is not None
        assert head.size == len(made)
        assert audit_root(connection, head.size) == bytes(head.root)
        assert audit_root(connection, 0) == EMPTY_ROOT
        assert audit_checkpoint(connection, head.size) is not None
        assert audit_checkpoint(connection, head.size + 1) is None
        assert [row.leaf_index for row in audit_entries_page(connection, 57, 10)] == [57, 58, 59]
        assert [row.subject for row in audit_entries_page(connection, 0, 2)] == [run.id for run in made[:2]]


def test_an_empty_log_has_no_head(engine: Engine) -> None:
    with engine.connect() as connection:
        assert audit_head(connection) is None
        assert audit_root(connection, 0) == EMPTY_ROOT
