"""A database of an earlier release, with rows in it, becomes one of this release."""

import gzip

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, insert, select, text

from db.backup import backup, restore
from db.bulk import column_names, insert_rows
from db.clock import utc_now
from db.engine import (
    _config,
    current_revision,
    migrate,
    open_engine,
    schema_fits,
    snapshot,
    write_transaction,
)
from db.errors import BackupInvalid, SchemaTooNew
from db.queries import get_idempotent
from db.revisions import Fit, _read, fit_of
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
    assert not schema_fits(engine)
    migrate(engine)
    assert schema_fits(engine)
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


@pytest.mark.parametrize(
    ("current", "head", "fit"),
    [
        (None, "0002", Fit.BEHIND),
        ("0001", "0002", Fit.BEHIND),
        ("0002", "0002", Fit.FITS),
        ("0003", "0002", Fit.FITS),
        ("0009_from_0002", "0002", Fit.FITS),
        ("0003_from_0003", "0002", Fit.TOO_NEW),
        ("0009_from_0003", "0002", Fit.TOO_NEW),
        ("0009_from_0003", "0003", Fit.FITS),
        ("0004_from_0003", "0005_from_0003", Fit.BEHIND),
        ("5a1c3e", "0002", Fit.TOO_NEW),
    ],
)
def test_the_name_of_a_revision_says_which_releases_can_work_with_it(current: str | None, head: str, fit: Fit) -> None:
    assert fit_of(current, head) is fit


def test_every_migration_counts_up_and_keeps_the_limit_of_the_one_before() -> None:
    revisions = [script.revision for script in reversed(list(ScriptDirectory.from_config(_config()).walk_revisions()))]
    numbers, limits = zip(*(_read(revision) for revision in revisions), strict=True)
    assert list(numbers) == list(range(1, len(revisions) + 1))
    assert list(limits) == sorted(limits)


def migrate_further(engine: Engine, revision: str) -> None:
    """Do what a migration of a newer release may: add a column and a table."""
    with write_transaction(engine) as connection:
        connection.exec_driver_sql("ALTER TABLE runs ADD COLUMN later TEXT")
        connection.exec_driver_sql("CREATE TABLE later_things (id INTEGER PRIMARY KEY, run TEXT REFERENCES runs (id))")
        connection.exec_driver_sql(f"UPDATE alembic_version SET version_num = '{revision}'")


def test_a_release_goes_on_with_the_schema_of_a_newer_one_that_leaves_room_for_it(
    engine: Engine, writer: GroupWriter
) -> None:
    writer.submit(new_run()).result(30)
    migrate_further(engine, "0003")
    assert schema_fits(engine)
    migrate(engine)
    assert writer.submit(new_run()).result(30) == Receipt(1, 2)
    with snapshot(engine) as connection:
        assert current_revision(connection) == "0003"
        assert verify_database(connection, check).ok


def test_a_release_refuses_the_schema_of_a_newer_one_that_leaves_it_no_room(engine: Engine) -> None:
    migrate_further(engine, "0004_from_0003")
    assert not schema_fits(engine)
    with pytest.raises(SchemaTooNew):
        migrate(engine)


def test_a_backup_leaves_out_nothing_of_a_newer_release(engine: Engine, writer: GroupWriter, tmp_path) -> None:
    run = new_run()
    writer.submit(run).result(30)
    migrate_further(engine, "0003")
    with write_transaction(engine) as connection:
        connection.exec_driver_sql("UPDATE runs SET later = 'kept-column'")
        connection.exec_driver_sql(f"INSERT INTO later_things VALUES (1, '{run.id}')")
    backup(engine, tmp_path / "backup")
    raw = (tmp_path / "backup").read_bytes()
    content = gzip.decompress(raw) if engine.dialect.name == "postgresql" else raw
    assert b"kept-column" in content
    assert b"later_things" in content
    (tmp_path / "target").mkdir()
    target = open_engine(f"sqlite:///{tmp_path / 'target' / 'abscope.db'}")
    with pytest.raises(BackupInvalid, match="newer release"):
        restore(target, tmp_path / "backup", check)
    target.dispose()
