import threading

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine, inspect

from db.engine import migrate, open_engine, schema_fits
from db.errors import DatabaseUnavailable
from db.tables import metadata


def test_migrations_build_exactly_the_declared_tables(engine: Engine) -> None:
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
        declared = {c["name"] for t in metadata.tables for c in inspect(connection).get_check_constraints(t)}
    assert declared == {"ck_runs_status", "ck_runs_result_with_digest"}


def test_an_empty_database_does_not_fit_until_migrated(database_url: str) -> None:
    engine = open_engine(database_url)
    assert not schema_fits(engine)
    migrate(engine)
    assert schema_fits(engine)
    migrate(engine)
    engine.dispose()


def test_processes_that_migrate_at_once_do_not_collide(database_url: str) -> None:
    engines = [open_engine(database_url) for _ in range(4)]
    errors: list[Exception] = []

    def run(engine: Engine) -> None:
        try:
            migrate(engine)
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(engine,)) for engine in engines]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert schema_fits(engines[0])
    for engine in engines:
        engine.dispose()


def test_sqlite_is_durable_and_checks_foreign_keys(engine: Engine) -> None:
    if engine.dialect.name != "sqlite":
        pytest.skip("pragmas are SQLite's")
    with engine.connect() as connection:
        values = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    assert values == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 10_000}


def test_postgresql_commits_synchronously(engine: Engine) -> None:
    if engine.dialect.name != "postgresql":
        pytest.skip("a setting of PostgreSQL")
    with engine.begin() as connection:
        connection.exec_driver_sql("ALTER ROLE CURRENT_USER SET synchronous_commit = off")
    other = open_engine(engine.url)
    try:
        with other.connect() as connection:
            assert connection.exec_driver_sql("SHOW synchronous_commit").scalar() == "on"
    finally:
        other.dispose()
        with engine.begin() as connection:
            connection.exec_driver_sql("ALTER ROLE CURRENT_USER RESET synchronous_commit")


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "mysql://root@localhost/x"])
def test_other_databases_are_refused_with_advice(url: str) -> None:
    with pytest.raises(ValueError, match="sqlite:///"):
        open_engine(url)


def test_a_database_that_cannot_be_reached_says_so() -> None:
    engine = open_engine("postgresql://nobody@127.0.0.1:1/none")
    with pytest.raises(DatabaseUnavailable):
        schema_fits(engine)
