"""Backups while serving, and a restore that verifies before it reports success.

A backup of SQLite is a SQLite file. A backup of PostgreSQL is one gzip file of JSON lines: a
header, for each table a line with its columns and one line per row, and a last line with the
SHA-256 of everything before it. Either kind can be restored into either database. The keys in
the data directory are not part of a backup.
"""

import base64
import errno
import gzip
import json
import os
import sqlite3
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import IO, Any, Final

from sqlalchemy import Connection, Engine, LargeBinary, MetaData, Table, select
from sqlalchemy.exc import SQLAlchemyError

from db.bulk import column_names, insert_rows
from db.engine import current_revision, head_revision, schema_transaction, snapshot, upgrade
from db.errors import BackupInvalid
from db.logwalk import CheckSignature, Verification
from db.tables import TABLES, outcomes
from db.verify import verify_database

FORMAT: Final = "abscope-backup/1"
VERSION_TABLE: Final = "alembic_version"
_ROWS_AT_ONCE: Final = 200
_SQLITE_MAGIC: Final = b"SQLite format 3\x00"

Portion = tuple[str, tuple[str, ...], list[tuple[Any, ...]]]
"""Some rows of a table: its name, its columns, the values."""


def backup(engine: Engine, path: Path) -> str:
    """Write a consistent copy of the database to a new file; return the file's SHA-256.

    Readers and the writer go on meanwhile. The file appears when it is complete.
    """
    if path.exists():
        raise FileExistsError(errno.EEXIST, "the file exists, and a backup never overwrites", str(path))
    if not path.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, "the folder does not exist", str(path.parent))
    draft = path.with_name(f"{path.name}.partial")
    draft.unlink(missing_ok=True)
    if engine.dialect.name == "sqlite":
        try:
            _copy_sqlite(str(engine.url.database), draft)
        except sqlite3.Error as error:
            raise OSError(errno.EIO, f"the backup cannot be written ({type(error).__name__})", str(path)) from None
    else:
        with gzip.open(draft, "wb") as file, snapshot(engine) as connection:
            _dump(connection, file)
    with draft.open("rb+") as written:
        os.fsync(written.fileno())
        digest = _file_sha256(written)
    draft.rename(path)
    return digest


def restore(engine: Engine, path: Path, check_signature: CheckSignature) -> Verification:
    """Load a backup into an empty database, verify the audit log and every run, then commit.

    Raises
    ------
    BackupInvalid
        The file is damaged or of a newer release, the database is not empty, or the
        verification found something; then the database is left as it was.
    """
    revision, portions = _read_sqlite(path) if _is_sqlite(path) else _read_dump(path)
    try:
        with schema_transaction(engine) as connection:
            _require_empty(connection)
            try:
                upgrade(connection, revision)
            except Exception as error:
                raise BackupInvalid("the backup was made by a newer release") from error
            for table, columns, rows in portions:
                insert_rows(connection, table, columns, rows)
            upgrade(connection, "head")
            verification = verify_database(connection, check_signature)
            if not verification.ok:
                raise BackupInvalid("the backup does not verify: " + "; ".join(verification.problems))
    except (SQLAlchemyError, sqlite3.Error) as error:
        raise BackupInvalid(f"the backup does not fit the schema ({type(error).__name__})") from None
    return verification


def _copy_sqlite(source: str, target: Path) -> None:
    """Copy in one step, which sees one state and keeps no writer waiting."""
    with closing(sqlite3.connect(source)) as live, closing(sqlite3.connect(target)) as copy:
        live.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE").close()


def _dump(connection: Connection, file: gzip.GzipFile) -> None:
    digest = sha256()

    def line(content: Any) -> None:
        data = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
        digest.update(data)
        file.write(data)

    revision = current_revision(connection)
    line({"format": FORMAT, "revision": revision})
    for table in TABLES if revision == head_revision() else _stored_tables(connection):
        binary = [column.name for column in table.c if isinstance(column.type, LargeBinary)]
        line({"table": table.name, "columns": column_names(table), "binary": binary})
        query = select(table).order_by(*_order(table))
        for row in connection.execution_options(yield_per=_ROWS_AT_ONCE).execute(query):
            line([_encode(value) for value in row])
    file.write(json.dumps({"sha256": digest.hexdigest()}).encode() + b"\n")


def _encode(value: Any) -> Any:
    return base64.b64encode(value).decode() if isinstance(value, bytes | memoryview) else value


def _stored_tables(connection: Connection) -> Sequence[Table]:
    """Return the tables of a newer release with every column, in an order that satisfies the foreign keys."""
    stored = MetaData()
    stored.reflect(connection)
    return [table for table in stored.sorted_tables if table.name != VERSION_TABLE]


def _order(table: Table) -> Sequence[Any]:
    """Return an order in which a row never comes before the row that it refers to."""
    return (table.c.recorded_at, table.c.id) if table.name == outcomes.name else tuple(table.primary_key.columns)


def _read_sqlite(path: Path) -> tuple[str, Iterator[Portion]]:
    def portions() -> Iterator[Portion]:
        with closing(_open_copy(path)) as connection:
            for table in TABLES:
                order = ", ".join(column.name for column in _order(table))
                cursor = connection.execute(f"SELECT * FROM {table.name} ORDER BY {order}")  # noqa: S608
                columns = tuple(name for name, *_ in cursor.description)
                while rows := cursor.fetchmany(_ROWS_AT_ONCE):
                    yield table.name, columns, rows

    try:
        with closing(_open_copy(path)) as connection:
            if connection.execute("PRAGMA integrity_check").fetchall() != [("ok",)]:
                raise BackupInvalid("the backup is damaged")
            (revision,) = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except (sqlite3.Error, TypeError):
        raise BackupInvalid("the backup is damaged or no backup of Abscope") from None
    return revision, portions()


def _open_copy(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)


def _read_dump(path: Path) -> tuple[str, Iterator[Portion]]:
    """Check the digest of the whole file before a row of it is used."""
    try:
        with gzip.open(path, "rb") as file:
            first = file.readline()
            header = json.loads(first)
            digest, last = sha256(), first
            for line in file:
                digest.update(last)
                last = line
            intact = json.loads(last)["sha256"] == digest.hexdigest()
    except (OSError, EOFError, zlib.error, ValueError, KeyError, TypeError):
        intact = False
    if not intact or header.get("format") != FORMAT:
        raise BackupInvalid("the backup is damaged or no backup of Abscope")
    return header["revision"] or head_revision(), _dump_portions(path)


def _dump_portions(path: Path) -> Iterator[Portion]:
    with gzip.open(path, "rb") as file:
        table = ""
        columns: tuple[str, ...] = ()
        decoders: tuple[Callable[[Any], Any], ...] = ()
        rows: list[tuple[Any, ...]] = []
        for line in islice(file, 1, None):
            content = json.loads(line)
            if isinstance(content, dict) or len(rows) == _ROWS_AT_ONCE:
                if rows:
                    yield table, columns, rows
                rows = []
            if isinstance(content, dict):
                table, columns = content.get("table", ""), tuple(content.get("columns", ()))
                binary = set(content.get("binary", ()))
                decoders = tuple(_from_base64 if name in binary else _same for name in columns)
            else:
                rows.append(tuple(decode(value) for decode, value in zip(decoders, content, strict=True)))


def _from_base64(value: str | None) -> bytes | None:
    return None if value is None else base64.b64decode(value)


def _same(value: Any) -> Any:
    return value


def _require_empty(connection: Connection) -> None:
    if current_revision(connection) is None:
        return
    for table in TABLES:
        if connection.execute(select(table).limit(1)).first() is not None:
            raise BackupInvalid("the database to restore into is not empty")


def _is_sqlite(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(_SQLITE_MAGIC)) == _SQLITE_MAGIC


def _file_sha256(file: IO[bytes]) -> str:
    digest = sha256()
    while block := file.read(1 << 20):
        digest.update(block)
    return digest.hexdigest()
