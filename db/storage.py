"""Reads rows whatever somebody put into them, and names the values that no write of ours leaves.

SQLite keeps any type of value in any column. A verification must go on past such a value: here
every column is read as its declared type, and the row is named.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Double,
    Integer,
    LargeBinary,
    cast,
    func,
    literal,
    or_,
    select,
)

from db.tables import TABLES, idempotency_keys, model_lists, runs

_NAMED_BY: Final = {idempotency_keys: ("run_id",), model_lists: ("models_sha256",)}
"""What names a row where its primary key holds text that callers chose, or says too much."""


def readable(connection: Connection, columns: Iterable[Column[Any]]) -> list[ColumnElement[Any]]:
    """Columns as their declared types; bytes that are missing though they must not be are empty."""
    return [_as_declared(connection, column).label(column.name) for column in columns]


def misstored(connection: Connection, most: int) -> Iterator[str]:
    """Name at most ``most`` rows of each table that hold a value of another type than their column's."""
    if connection.dialect.name != "sqlite":
        return
    for table in TABLES:
        names = _NAMED_BY.get(table, tuple(column.name for column in table.primary_key.columns))
        naming = readable(connection, [table.c[name] for name in names])
        kinds = [func.typeof(column) for column in table.c]
        wrong = [kind.not_in(_expected(column)) for kind, column in zip(kinds, table.c, strict=True)]
        for row in connection.execute(select(*naming, *kinds).where(or_(*wrong)).limit(most)):
            key = " ".join(str(value) for value in row[: len(names)])
            found = zip(table.c, row[len(names) :], strict=True)
            columns = ", ".join(f"{column.name} as {kind}" for column, kind in found if kind not in _expected(column))
            subject = f"run {key}" if table is runs else f"row {key} of {table.name}"
            yield f"{subject} holds {columns}, which the service never writes"


@contextmanager
def tolerant_text(connection: Connection) -> Iterator[None]:
    """Read text that is not UTF-8 with a mark that no stored text has, instead of an error."""
    if connection.dialect.name != "sqlite":
        yield
        return
    driver: Any = connection.connection.driver_connection
    driver.text_factory = _decode
    try:
        yield
    finally:
        driver.text_factory = str


def _decode(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode(errors="replace") + "\x00"


def _as_declared(connection: Connection, column: Column[Any]) -> ColumnElement[Any]:
    value: ColumnElement[Any] = cast(column, column.type) if connection.dialect.name == "sqlite" else column
    if isinstance(column.type, LargeBinary) and not column.nullable:
        return func.coalesce(value, literal(b"", LargeBinary))
    return value


def _expected(column: Column[Any]) -> tuple[str, ...]:
    if isinstance(column.type, LargeBinary):
        kind = "blob"
    elif isinstance(column.type, Double):
        kind = "real"
    else:
        kind = "integer" if isinstance(column.type, Integer) else "text"
    return (kind, "null") if column.nullable else (kind,)
