"""Whatever is changed with SQL, the verification finds it."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Column, Connection, Engine, LargeBinary, Table, Text, cast, delete, insert, select, text, update

from db.digests import canonical_json, hex_sha256
from db.engine import open_engine, snapshot
from db.errors import UnknownRow
from db.logwalk import Checkpoint
from db.merkle import leaf_hash, verify_consistency, verify_inclusion
from db.queries import audit_consistency, audit_entries_page, audit_head, audit_inclusion, audit_root
from db.tables import (
    api_keys,
    audit_checkpoints,
    audit_entries,
    audit_nodes,
    idempotency_keys,
    model_lists,
    outcomes,
    runs,
)
from db.verify import export_log, verify_database
from db.writer import GroupWriter
from tests.db.conftest import sign
from tests.support.databases import KINDS, fresh_database, migrated
from tests.support.history import live_through
from tests.support.rows import new_run


def check(size: int, root: bytes, signature: bytes) -> bool:
    return sign(size, root) == signature


@pytest.fixture
def history(engine: Engine, writer: GroupWriter) -> Engine:
    live_through(engine, writer)
    return engine


@pytest.fixture(scope="module", params=KINDS)
def kept_history(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """A history for tests that undo what they did."""
    with fresh_database(request.param, request, tmp_path_factory.mktemp("kept")) as url, migrated(url) as engine:
        writer = GroupWriter(engine, sign)
        writer.start()
        live_through(engine, writer)
        assert writer.drain(30)
        yield engine


def problems(engine: Engine, *trusted: Checkpoint) -> tuple[str, ...]:
    with snapshot(engine) as connection:
        return verify_database(connection, check, trusted=trusted).problems


def unchecked(connection: Connection) -> None:
    """Tamper as somebody who owns the database would: no constraint stands in the way."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET session_replication_role = replica"))
        for table, name in (("runs", "ck_runs_status"), ("runs", "ck_runs_result_with_digest")):
            connection.execute(text(f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {name}"))
    else:
        connection.execute(text("PRAGMA ignore_check_constraints = ON"))


def other(column: Column[Any], value: Any) -> Any:
    """A value of the column's type that differs."""
    match value:
        case None if isinstance(column.type, LargeBinary):
            return b"x"
        case bytes() | memoryview():
            return bytes(value)[:-1] + bytes([bytes(value)[-1] ^ 1]) if value else b"x"
        case str():
            return "failed" if value == "succeeded" else value[:-1] + "~"
        case None:
            return "x"
        case _:
            return value + 1000


def tamper(engine: Engine, statement: Any) -> None:
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            connection.connection.driver_connection.execute("PRAGMA foreign_keys = OFF")  # type: ignore[union-attr]
        with connection.begin():
            unchecked(connection)
            connection.execute(statement)
        connection.invalidate()


def every_row(engine: Engine, table: Table) -> list[dict[str, Any]]:
    with engine.connect() as connection:
        return [row._asdict() for row in connection.execute(select(table))]


def at(table: Table, row: dict[str, Any]) -> Any:
    return [column == row[column.name] for column in table.primary_key.columns]


LEASE = ("lease_owner", "lease_expires_at")
COLUMNS = [
    (table, column.name)
    for table in (
        runs,
        model_lists,
        idempotency_keys,
        audit_entries,
        audit_nodes,
        audit_checkpoints,
        api_keys,
        outcomes,
    )
    for column in table.c
]


def test_an_untouched_history_verifies(history: Engine) -> None:
    with snapshot(history) as connection:
        found = verify_database(connection, check)
    assert found.ok
    assert found.problems == ()
    assert (found.size, found.runs) == (16, 7)


def test_an_empty_database_verifies(engine: Engine) -> None:
    assert problems(engine) == ()


@pytest.mark.parametrize(("table", "column"), COLUMNS, ids=[f"{table.name}.{column}" for table, column in COLUMNS])
def test_changing_any_column_is_found(kept_history: Engine, table: Table, column: str) -> None:
    rows = every_row(kept_history, table)
    if column in LEASE:
        rows = [row for row in rows if row["status"] not in ("queued", "running")]
    for row in {0: rows[0], 1: rows[-1]}.values():
        tamper(kept_history, update(table).where(*at(table, row)).values({column: other(table.c[column], row[column])}))
        assert problems(kept_history), f"{table.name}.{column}"
        changed = {**row, column: other(table.c[column], row[column])}
        tamper(kept_history, update(table).where(*at(table, changed)).values({column: row[column]}))
        assert problems(kept_history) == ()


ALIENS = ["CAST(X'ff00' AS TEXT)", "X'ff00'", "12345678901", "'x'", "9e999"]


@pytest.mark.parametrize("alien", ALIENS)
def test_a_value_of_another_type_is_a_problem_of_its_row(kept_history: Engine, tmp_path: Path, alien: str) -> None:
    if kept_history.dialect.name != "sqlite":
        pytest.skip("PostgreSQL keeps no value of another type")
    path = str(kept_history.url.database)
    for number, (table, column) in enumerate(COLUMNS):
        copy = tmp_path / f"{number}.db"
        with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(copy)) as target:
            source.backup(target)
            target.execute("PRAGMA ignore_check_constraints = ON")
            name = f"{table.name} WHERE {column} = (SELECT max({column}) FROM {table.name})"
            before = target.execute(f"SELECT {column} FROM {name}").fetchall()
            try:
                target.execute(f"UPDATE {name.replace(' WHERE', f' SET {column} = {alien} WHERE')}")
            except sqlite3.IntegrityError:  # the number of a row is an integer or refused
                continue
            target.commit()
        if not before or column in LEASE:
            continue
        engine = open_engine(f"sqlite:///{copy}")
        assert problems(engine), f"{table.name}.{column}"
        with snapshot(engine) as connection:
            export_log(connection, tmp_path / f"{number}.log")
        engine.dispose()


def test_bytes_kept_as_text_name_the_run(kept_history: Engine, tmp_path: Path) -> None:
    if kept_history.dialect.name != "sqlite":
        pytest.skip("PostgreSQL keeps no value of another type")
    run = every_row(kept_history, runs)[0]
    same = update(runs).where(runs.c.id == run["id"]).values(input=cast(runs.c.input, Text))
    tamper(kept_history, same)
    assert problems(kept_history) == (f"run {run['id']} holds input as text, which the service never writes",)
    tamper(kept_history, update(runs).where(runs.c.id == run["id"]).values(input=run["input"]))
    assert problems(kept_history) == ()


@pytest.mark.parametrize("day", ["Infinity", "NaN"])
def test_a_number_that_is_not_finite_is_found(kept_history: Engine, day: str) -> None:
    first = every_row(kept_history, outcomes)[0]
    if kept_history.dialect.name == "sqlite":
        day = "9e999"
    tamper(kept_history, text(f"UPDATE outcomes SET day = '{day}' WHERE id = '{first['id']}'"))
    assert any("outcomes differs" in problem for problem in problems(kept_history))
    tamper(kept_history, update(outcomes).where(outcomes.c.id == first["id"]).values(day=first["day"]))


@pytest.mark.parametrize(
    "column", ["result", "result_sha256", "patient_reference", "revoked_at", "corrects_id", "outcome_id"]
)
def test_removing_a_value_is_found(kept_history: Engine, column: str) -> None:
    table = next(table for table in (runs, api_keys, outcomes, idempotency_keys) if column in table.c)
    for row in every_row(kept_history, table):
        if row[column] is not None:
            tamper(kept_history, update(table).where(*at(table, row)).values({column: None}))
            assert problems(kept_history)
            tamper(kept_history, update(table).where(*at(table, row)).values({column: row[column]}))
    assert problems(kept_history) == ()


@pytest.mark.parametrize(
    "table",
    [runs, model_lists, idempotency_keys, audit_entries, audit_nodes, api_keys, outcomes],
    ids=lambda table: table.name,
)
def test_deleting_any_row_is_found(kept_history: Engine, table: Table) -> None:
    for row in every_row(kept_history, table):
        tamper(kept_history, delete(table).where(*at(table, row)))
        assert problems(kept_history), row
        tamper(kept_history, insert(table).values(row))
    assert problems(kept_history) == ()


def test_deleting_the_last_checkpoint_is_found(history: Engine) -> None:
    tamper(history, delete(audit_checkpoints).where(audit_checkpoints.c.size == 16))
    assert problems(history)


@pytest.mark.parametrize("table", [runs, audit_entries], ids=lambda table: table.name)
def test_exchanging_two_rows_is_found(history: Engine, table: Table) -> None:
    first, second = every_row(history, table)[:2]
    for row, place in ((first, 900), (second, first["leaf_index"]), (first, second["leaf_index"])):
        key = [column for column in table.primary_key.columns if column.name == "id"]
        where = [key[0] == row["id"]] if key else [table.c.record == row["record"]]
        tamper(history, update(table).where(*where).values(leaf_index=place))
        assert problems(history)


@pytest.mark.parametrize(
    "table",
    [runs, model_lists, idempotency_keys, audit_nodes, audit_checkpoints, api_keys, outcomes],
    ids=lambda table: table.name,
)
def test_a_smuggled_row_is_found(history: Engine, table: Table) -> None:
    row = every_row(history, table)[-1]
    name = list(table.primary_key.columns)[-1].name
    smuggled = {**row, name: other(table.c[name], row[name])}
    if table is runs:
        smuggled["leaf_index"] = 900
    if table is outcomes:
        smuggled["corrects_id"] = None
    tamper(history, insert(table).values(smuggled))
    assert problems(history)


def test_a_log_cut_to_an_earlier_checkpoint_is_found_while_rows_or_a_kept_checkpoint_remain(history: Engine) -> None:
    with history.connect() as connection:
        head = audit_head(connection)
    assert head is not None
    kept = Checkpoint(head.size, bytes(head.root))
    assert problems(history, kept) == ()
    assert problems(history, Checkpoint(kept.size, bytes(32)))
    tamper(history, delete(audit_entries).where(audit_entries.c.leaf_index >= 15))
    assert problems(history)
    tamper(history, delete(audit_checkpoints).where(audit_checkpoints.c.size > 15))
    if problems(history):
        tamper(history, delete(audit_nodes).where(text("(position + 1) * power(2, level) > 15")))
    assert problems(history, kept)


def test_a_run_set_back_to_open_is_found(history: Engine) -> None:
    ended = next(row for row in every_row(history, runs) if bytes(row["result"] or b"") == b"{}")
    empty = {"models": b"[]", "models_sha256": hex_sha256(b"[]")}
    back = {"status": "queued", "result": None, "result_sha256": None, **empty}
    tamper(history, update(runs).where(runs.c.id == ended["id"]).values(back))
    tamper(history, delete(model_lists).where(model_lists.c.models_sha256.not_in(select(runs.c.models_sha256))))
    assert any("which ended it" in problem for problem in problems(history))


def test_a_forged_leaf_with_its_hash_is_found(history: Engine) -> None:
    entry = every_row(history, audit_entries)[3]
    record = json.loads(bytes(entry["record"]))
    record["actor"] = "nobody"
    forged = canonical_json(record)
    values = {"record": forged, "leaf_hash": leaf_hash(forged), "actor": "nobody"}
    tamper(history, update(audit_entries).where(audit_entries.c.leaf_index == 3).values(values))
    assert any("another root" in problem for problem in problems(history))


def test_a_record_that_is_no_json_is_a_problem_and_not_a_crash(history: Engine) -> None:
    tamper(history, update(audit_entries).where(audit_entries.c.leaf_index == 3).values(record=b"\xff"))
    tamper(history, update(runs).values(models=b"{"))
    assert problems(history)
    for record in (b'{"event": "run.created", "subject": []}', b'{"event": [], "subject": "x"}', b"[" * 100_000):
        tamper(history, update(audit_entries).where(audit_entries.c.leaf_index == 3).values(record=record))
        assert any("leaf 3 is not a record" in problem for problem in problems(history))


def test_problems_never_quote_content(history: Engine) -> None:
    tamper(history, update(runs).values(patient_reference="SENTINEL", input=b"SENTINEL", kind="SENTINEL"))
    assert "SENTINEL" not in " ".join(problems(history))


@pytest.fixture
def large(engine: Engine, writer: GroupWriter) -> Engine:
    for _ in range(13):
        for future in [writer.submit(new_run()) for _ in range(100)]:
            future.result(30)
    return engine


def test_a_log_of_many_pages_verifies_and_proves(large: Engine, tmp_path: Path) -> None:
    with snapshot(large) as connection:
        assert verify_database(connection, check).ok
        assert export_log(connection, tmp_path / "log") == 1300
        head = audit_head(connection)
        assert head is not None
        root = bytes(head.root)
        for index in (0, 1, 511, 1024, 1299):
            entry = audit_entries_page(connection, index, 1)[0]
            path = audit_inclusion(connection, index, 1300)
            assert verify_inclusion(index, 1300, bytes(entry.leaf_hash), path, root)
        for size in (0, 1, 100, 1024, 1300):
            path = audit_consistency(connection, size, 1300)
            assert verify_consistency(size, 1300, audit_root(connection, size), root, path)
        for wrong in (lambda: audit_root(connection, 1301), lambda: audit_inclusion(connection, 5, 5)):
            with pytest.raises(UnknownRow):
                wrong()
        with pytest.raises(UnknownRow):
            audit_consistency(connection, 3, 2)
    tamper(large, update(audit_nodes).where(audit_nodes.c.level == 10).values(hash=bytes(32)))
    assert problems(large)
