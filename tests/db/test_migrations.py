"""A database of an earlier release, with rows in it, becomes one of this release."""

import pytest
from sqlalchemy import Engine, insert, select, text

from db.backup import backup, restore
from db.bulk import column_names, insert_rows
from db.clock import utc_now
from db.engine import at_head, migrate, open_engine, snapshot, write_transaction
from db.queries import get_idempotent
from db.tables import TABLES, idempotency_keys, outcomes
from db.verify import verify_database
from db.writer import GroupWriter
from db.writes import NewOutcome, NewRun, Receipt
from tests.db.conftest import sign
from tests.support.databases import KINDS, fresh_database, migrated
from tests.support.rows import new_run


def check(size: int, root: bytes, signature: bytes) -> bool:
    return sign(size, root) == signature


def death(run: NewRun, outcome_id: str, **changes: object) -> NewOutcome:
    content: dict[str, object] = {
        "id": outcome_id,
        "run_id": run.id,
        "tenant": run.tenant,
        "recorded_at": utc_now(),
        "kind": "death",
        "day": 300.0,
        "value": "null",
        "corrects_id": None,
        "actor": "a",
    }
    return NewOutcome(**content | changes)  # type: ignore[arg-type]


@pytest.fixture(params=KINDS)
def first_release(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory):
    """A database as the first schema held it, with a keyed run, a run without key and an outcome."""
    run = new_run(idempotency_key="k", request_sha256="a" * 64)
    with (
        fresh_database(request.param, request, tmp_path_factory.mktemp("now")) as now,
        fresh_database(request.param, request, tmp_path_factory.mktemp("then")) as then,
        migrated(now) as made,
    ):
        writer = GroupWriter(made, sign)
        writer.start()
        for write in (run, new_run(), death(run, "o1")):
            writer.submit(write).result(30)
        assert writer.drain(30)
        old = open_engine(then)
        migrate(old, "0001")
        with made.connect() as source, write_transaction(old) as target:
            for table in TABLES:
                columns = tuple(name for name in column_names(table) if name != "outcome_id")
                rows = source.execute(select(*(table.c[name] for name in columns))).all()
                insert_rows(target, table.name, columns, [tuple(row) for row in rows])
        yield old, run
        old.dispose()


def columns_of_keys(engine: Engine) -> set[str]:
    with engine.connect() as connection:
        return set(connection.execute(text("SELECT * FROM idempotency_keys")).keys())


def test_rows_of_the_first_schema_stay_and_verify_and_keys_of_outcomes_can_be_added(
    first_release: tuple[Engine, NewRun],
) -> None:
    engine, run = first_release
    assert "outcome_id" not in columns_of_keys(engine)
    assert not at_head(engine)
    migrate(engine)
    assert at_head(engine)
    with snapshot(engine) as connection:
        found = verify_database(connection, check)
        kept = get_idempotent(connection, run.tenant, "k")
    assert found.problems == ()
    assert (found.size, found.runs) == (3, 2)
    assert kept is not None
    assert tuple(kept) == ("a" * 64, run.id, None)
    writer = GroupWriter(engine, sign)
    writer.start()
    again = writer.submit(new_run(idempotency_key="k", request_sha256="a" * 64)).result(30)
    keyed = death(run, "o2", corrects_id="o1", idempotency_key="o", request_sha256="b" * 64)
    assert again == Receipt(0, 3, existing_id=run.id)
    assert writer.submit(keyed).result(30) == Receipt(3, 4)
    assert writer.drain(30)
    with snapshot(engine) as connection:
        assert verify_database(connection, check).ok


def test_the_release_before_can_still_write_to_the_new_schema(first_release: tuple[Engine, NewRun]) -> None:
    engine, run = first_release
    migrate(engine)
    names = tuple(name for name in column_names(idempotency_keys) if name != "outcome_id")
    with write_transaction(engine) as connection:
        insert_rows(connection, "idempotency_keys", names, [("t", "old", "c" * 64, run.id, utc_now())])
        stored = get_idempotent(connection, "t", "old")
    assert stored is not None
    assert stored.outcome_id is None


def test_a_key_cannot_stand_for_an_outcome_that_is_missing(first_release: tuple[Engine, NewRun]) -> None:
    engine, run = first_release
    migrate(engine)
    row = {"tenant": "t", "key": "x", "request_sha256": "c" * 64, "run_id": run.id, "created_at": utc_now()}
    with pytest.raises(Exception, match=r"(?i)foreign key"), write_transaction(engine) as connection:
        connection.execute(insert(idempotency_keys).values(**row, outcome_id="none"))


def test_a_backup_of_the_first_schema_is_restored_into_this_one(first_release: tuple[Engine, NewRun], tmp_path) -> None:
    engine, _ = first_release
    if engine.dialect.name != "sqlite":
        pytest.skip("a dump names the columns of the release that wrote it")
    backup(engine, tmp_path / "backup")
    (tmp_path / "target").mkdir()
    target = open_engine(f"sqlite:///{tmp_path / 'target' / 'abscope.db'}")
    assert restore(target, tmp_path / "backup", check).ok
    with target.connect() as connection:
        assert [row.id for row in connection.execute(select(outcomes))] == ["o1"]
    target.dispose()
