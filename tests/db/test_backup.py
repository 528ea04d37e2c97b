import gzip
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from db.backup import backup, restore
from db.engine import migrate, open_engine, schema_fits, snapshot
from db.errors import BackupInvalid
from db.tables import TABLES, runs
from db.verify import verify_database
from db.writer import GroupWriter
from db.writes import Receipt
from tests.db.conftest import sign
from tests.support.databases import KINDS, fresh_database
from tests.support.history import live_through
from tests.support.rows import new_run


def check(size: int, root: bytes, signature: bytes) -> bool:
    return sign(size, root) == signature


@pytest.fixture(params=KINDS)
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """An empty database of either kind to restore into."""
    folder = tmp_path / "target"
    folder.mkdir()
    with fresh_database(request.param, request, folder) as url:
        engine = open_engine(url)
        yield engine
        engine.dispose()


def content(engine: Engine) -> dict[str, list[tuple[object, ...]]]:
    with engine.connect() as connection:
        return {
            table.name: [tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key))]
            for table in TABLES
        }


def test_a_backup_restores_into_either_database(
    engine: Engine, writer: GroupWriter, target: Engine, tmp_path: Path
) -> None:
    live_through(engine, writer)
    assert len(backup(engine, tmp_path / "backup")) == 64
    found = restore(target, tmp_path / "backup", check)
    assert (found.ok, found.size, found.runs) == (True, 16, 7)
    assert content(target) == content(engine)
    assert schema_fits(target)
    successor = GroupWriter(target, sign)
    successor.start()
    assert successor.submit(new_run()).result(30) == Receipt(16, 17)
    assert successor.drain(30)


def test_an_empty_database_can_be_backed_up(engine: Engine, target: Engine, tmp_path: Path) -> None:
    backup(engine, tmp_path / "backup")
    assert restore(target, tmp_path / "backup", check).size == 0


def test_a_backup_under_load_is_one_consistent_state(engine: Engine, writer: GroupWriter, tmp_path: Path) -> None:
    stop = threading.Event()
    acknowledged = 0

    def load() -> None:
        nonlocal acknowledged
        while not stop.is_set():
            for future in [writer.submit(new_run()) for _ in range(20)]:
                future.result(30)
                acknowledged += 1

    thread = threading.Thread(target=load)
    thread.start()
    try:
        sizes = []
        for i in range(3):
            before = acknowledged
            backup(engine, tmp_path / f"backup{i}")
            restored = open_engine(f"sqlite:///{tmp_path / f'restored{i}.db'}")
            sizes.append(restore(restored, tmp_path / f"backup{i}", check).size)
            restored.dispose()
            assert sizes[-1] >= before
    finally:
        stop.set()
        thread.join()
    assert sizes == sorted(sizes)
    with snapshot(engine) as connection:
        assert verify_database(connection, check).size == acknowledged


def test_a_backup_never_overwrites(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "backup").write_text("precious")
    with pytest.raises(FileExistsError):
        backup(engine, tmp_path / "backup")
    assert (tmp_path / "backup").read_text() == "precious"


def test_a_folder_that_is_missing_is_named(engine: Engine, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="the folder does not exist"):
        backup(engine, tmp_path / "none" / "backup")


def test_any_name_of_a_file_backs_up_and_restores(
    engine: Engine, writer: GroupWriter, target: Engine, tmp_path: Path
) -> None:
    writer.submit(new_run()).result(30)
    path = tmp_path / "100% #1?mode=rwc&x" / "back up%20#2"
    path.parent.mkdir()
    backup(engine, path)
    assert restore(target, path, check).size == 1
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    assert not list(tmp_path.glob("100% "))


@pytest.mark.parametrize("value", ["CAST(X'ff' AS TEXT)", "CAST(input AS TEXT)"])
def test_values_of_another_type_do_not_restore(target: Engine, tmp_path: Path, value: str) -> None:
    source = open_engine(f"sqlite:///{tmp_path / 'source.db'}")
    migrate(source)
    writer = GroupWriter(source, sign)
    writer.start()
    writer.submit(new_run()).result(30)
    assert writer.drain(30)
    with source.begin() as connection:
        connection.exec_driver_sql(f"UPDATE runs SET input = {value}, kind = {value}")
    backup(source, tmp_path / "backup")
    source.dispose()
    with pytest.raises(BackupInvalid):
        restore(target, tmp_path / "backup", check)
    assert not schema_fits(target)


def test_only_an_empty_database_is_restored_into(engine: Engine, writer: GroupWriter, tmp_path: Path) -> None:
    writer.submit(new_run()).result(30)
    backup(engine, tmp_path / "backup")
    with pytest.raises(BackupInvalid, match="not empty"):
        restore(engine, tmp_path / "backup", check)


def test_a_tampered_database_backs_up_but_does_not_restore(
    engine: Engine, writer: GroupWriter, target: Engine, tmp_path: Path
) -> None:
    run = new_run()
    writer.submit(run).result(30)
    with engine.begin() as connection:
        connection.execute(runs.update().values(seed=8))
    backup(engine, tmp_path / "backup")
    with pytest.raises(BackupInvalid, match=run.id):
        restore(target, tmp_path / "backup", check)
    assert not schema_fits(target)


def test_a_damaged_file_is_refused(engine: Engine, writer: GroupWriter, tmp_path: Path) -> None:
    live_through(engine, writer)
    path = tmp_path / "backup"
    backup(engine, path)
    whole = path.read_bytes()
    damaged = [b"", b"nonsense", whole[: len(whole) // 2], whole[:-9]]
    if engine.dialect.name == "postgresql":
        lines = gzip.decompress(whole).splitlines(keepends=True)
        damaged += [gzip.compress(b"".join(part)) for part in (lines[:-1], lines[:-3] + lines[-1:], lines[1:])]
    else:
        with sqlite3.connect(tmp_path / "other.db") as other:
            other.execute("CREATE TABLE x (y)")
        other.close()
        damaged.append((tmp_path / "other.db").read_bytes())
    for i, data in enumerate(damaged):
        path.write_bytes(data)
        fresh = open_engine(f"sqlite:///{tmp_path / f'fresh{i}.db'}")
        with pytest.raises(BackupInvalid):
            restore(fresh, path, check)
        assert not schema_fits(fresh)
        fresh.dispose()


def test_a_backup_of_a_newer_release_is_refused(engine: Engine, tmp_path: Path) -> None:
    if engine.dialect.name != "sqlite":
        pytest.skip("the revision is read the same way")
    path = tmp_path / "backup"
    backup(engine, path)
    with sqlite3.connect(path) as newer:
        newer.execute("UPDATE alembic_version SET version_num = '9999'")
    newer.close()
    fresh = open_engine(f"sqlite:///{tmp_path / 'fresh.db'}")
    with pytest.raises(BackupInvalid, match="newer release"):
        restore(fresh, path, check)
    fresh.dispose()
