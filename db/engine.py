"""Opening a database, and bringing it to this release's schema."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, event, make_url
from sqlalchemy.exc import DatabaseError, DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from db.bulk import STATEMENTS_KEPT, fetch_rows
from db.database_file import OPTION, DatabaseFile, file_of
from db.errors import DatabaseUnavailable, SchemaTooNew
from db.revisions import Fit, fit_of

MIGRATION_LOCK = 7_229_301_401
SQLITE_BUSY_SECONDS = 10
POSTGRESQL_CONNECT_SECONDS = 5
_NOT_WRITABLE = frozenset({"25006", "42501", "42703", "42P01"})
"""SQLSTATE of a read-only transaction, a missing right, column or table: no other row would fare better."""

_SQLITE_PRAGMAS = (
    "PRAGMA synchronous=FULL",
    f"PRAGMA busy_timeout={SQLITE_BUSY_SECONDS * 1000}",
    "PRAGMA cache_size=-32768",
    "PRAGMA temp_store=MEMORY",
)


def open_engine(url: str | URL, *, pool_size: int = 4, file: DatabaseFile | None = None) -> Engine:
    """Open a database: ``sqlite:///FILE`` or ``postgresql+psycopg://…`` (``postgresql://`` means the same).

    Nothing is connected yet. Error messages of the engine never carry parameters. ``file`` is that of
    another engine of the same URL.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        if parsed.database in (None, "", ":memory:"):
            raise ValueError("the database must be a file: sqlite:///path/to/abscope.db")
        file = file or DatabaseFile(parsed.database)
        return _open_sqlite(parsed, file, foreign_keys=True, pool_size=pool_size, max_overflow=2)
    if parsed.get_backend_name() == "postgresql":
        return _open_postgresql(parsed.set(drivername="postgresql+psycopg"), pool_size)
    raise ValueError("the database URL must begin with sqlite:/// or postgresql+psycopg://")


def _open_sqlite(url: URL, file: DatabaseFile | None, *, foreign_keys: bool, **pool: Any) -> Engine:
    engine = create_engine(
        url,
        hide_parameters=True,
        execution_options={OPTION: file},
        connect_args={
            "timeout": SQLITE_BUSY_SECONDS,
            "check_same_thread": False,
            "cached_statements": STATEMENTS_KEPT,
        },
        **pool,
    )

    @event.listens_for(engine, "do_connect")
    def find(*_: Any) -> None:
        if file is not None:
            file.require()  # SQLite would make a new file where the old one is gone

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _record: Any) -> None:
        if file is not None:
            file.opened()
        connection.isolation_level = None  # transactions begin below, not where the driver guesses
        _enter_wal(connection)
        for pragma in (*_SQLITE_PRAGMAS, f"PRAGMA foreign_keys={int(foreign_keys)}"):
            connection.execute(pragma).close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        statement = "BEGIN IMMEDIATE" if connection.get_execution_options().get("writes") else "BEGIN"
        fetch_rows(connection, statement)

    return engine


def _enter_wal(connection: sqlite3.Connection) -> None:
    """Switch to the write-ahead log; SQLite does not wait by itself when another process does so now."""
    deadline = time.monotonic() + SQLITE_BUSY_SECONDS
    connection.execute("PRAGMA page_size=8192").close()
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL").close()
            return
        except sqlite3.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)


def _open_postgresql(url: URL, pool_size: int) -> Engine:
    engine = create_engine(
        url,
        hide_parameters=True,
        pool_pre_ping=True,
        pool_size=pool_size,
        max_overflow=2,
        pool_timeout=POSTGRESQL_CONNECT_SECONDS,
        connect_args={
            "connect_timeout": POSTGRESQL_CONNECT_SECONDS,
            "application_name": "abscope",
            "keepalives_idle": 30,
            "keepalives_interval": 10,
            "keepalives_count": 3,
        },
    )

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _record: Any) -> None:
        """Refuse to acknowledge before the log is flushed, whatever the server's default."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('synchronous_commit')")
            if cursor.fetchone()[0] == "off":
                cursor.execute("SET synchronous_commit = on")
        connection.commit()

    return engine


def open_for_writing(engine: Engine) -> Connection:
    """Open a connection whose transactions take SQLite's write lock at once."""
    return engine.connect().execution_options(writes=True)


@contextmanager
def write_transaction(engine: Engine) -> Iterator[Connection]:
    """Run one transaction that writes."""
    with open_for_writing(engine) as connection, connection.begin():
        yield connection


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """Open a connection to read from; a database that is away becomes ``DatabaseUnavailable``."""
    with _guarded(), engine.connect() as connection:
        yield connection


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """Do as ``write_transaction``; a database that is away becomes ``DatabaseUnavailable``."""
    with _guarded(), write_transaction(engine) as connection:
        yield connection


@contextmanager
def snapshot(engine: Engine) -> Iterator[Connection]:
    """Open a connection that sees one state of the whole database for as long as it is open."""
    with _guarded(), engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            connection = connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        with connection.begin():
            yield connection


@contextmanager
def _guarded() -> Iterator[None]:
    try:
        yield
    except Exception as error:
        if is_unavailable(error):
            raise DatabaseUnavailable(failure_name(error)) from None
        raise


def accepts_writes(engine: Engine) -> bool:
    """Whether a new transaction may write: the file may be gone, PostgreSQL a standby or set to read-only."""
    if engine.dialect.name == "sqlite":
        file = file_of(engine)
        return file is None or file.in_place()
    with reading(engine) as connection:
        return bool(connection.exec_driver_sql("SHOW transaction_read_only").scalar() == "off")


def is_unavailable(error: Exception) -> bool:
    """Whether the database, not the rows, is to blame. SQLSTATE class 54 is a row that is too large."""
    if not isinstance(error, DBAPIError):
        return isinstance(error, PoolTimeout | DatabaseUnavailable)
    sqlstate = str(getattr(error.orig, "sqlstate", None) or "")
    if isinstance(error, OperationalError):
        return not sqlstate.startswith("54")
    return error.connection_invalidated or type(error) is DatabaseError or sqlstate in _NOT_WRITABLE


def failure_name(error: Exception) -> str:
    """Name of what the driver says went wrong; its message may quote values, the name does not."""
    origin = error.orig if isinstance(error, DBAPIError) else error
    return str(getattr(origin, "sqlite_errorname", None) or type(origin).__name__)


def _config() -> Config:
    config = Config()
    location = str(Path(__file__).parent / "migrations").replace("%", "%%")
    config.set_main_option("script_location", location)
    config.set_main_option("path_separator", "os")
    return config


def migrate(engine: Engine, revision: str = "head") -> None:
    """Bring the schema to a revision; several processes may try at once.

    A newer schema that leaves room for this release stays as it is.

    Raises
    ------
    SchemaTooNew
        A newer release made the schema, and this one cannot work with it.
    """
    with schema_transaction(engine) as connection:
        fit = fit_of(current_revision(connection), head_revision())
        if fit is Fit.TOO_NEW:
            raise SchemaTooNew("a newer release made the schema, and this one cannot work with it")
        if fit is Fit.BEHIND:
            upgrade(connection, revision)


@contextmanager
def schema_transaction(engine: Engine) -> Iterator[Connection]:
    """One transaction in which ``upgrade`` may be called; nobody else migrates meanwhile."""
    if engine.dialect.name == "sqlite":
        # A batch migration replaces tables, which foreign keys would forbid half-way.
        unchecked = _open_sqlite(engine.url, file_of(engine), foreign_keys=False, poolclass=NullPool)
        with write_transaction(unchecked) as connection:
            yield connection
            if connection.exec_driver_sql("PRAGMA foreign_key_check").first() is not None:
                raise RuntimeError("rows would be left without the rows they refer to")
    else:
        with write_transaction(engine) as connection:
            connection.exec_driver_sql("SET LOCAL lock_timeout = '10s'")
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})")
            yield connection


def upgrade(connection: Connection, revision: str) -> None:
    """Run the migrations up to a revision on a connection of ``schema_transaction``."""
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def head_revision() -> str:
    """Return the schema revision that this release was written for."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    if head is None:
        raise RuntimeError("the package has lost its migrations")
    return head


def current_revision(connection: Connection) -> str | None:
    """Return the schema revision of a database, None where nothing was migrated yet."""
    return MigrationContext.configure(connection).get_current_revision()


def schema_fit(engine: Engine) -> Fit:
    """Compare the schema of a database with this release."""
    with reading(engine) as connection:
        return fit_of(current_revision(connection), head_revision())


def schema_fits(engine: Engine) -> bool:
    """Whether this release can work with the schema as it is."""
    return schema_fit(engine) is Fit.FITS
