"""Many rows at the cost of the driver, not of the statement compiler."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from itertools import chain
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.exc import DBAPIError

_MARKS = {"sqlite": "?", "postgresql": "%s"}
_ROWS_AT_ONCE = (256, 128, 64, *range(32, 0, -1))
STATEMENTS_KEPT = 512
"""Prepared statements that the driver must keep, so that every table has one for each of these numbers of rows."""


def column_names(table: Table) -> tuple[str, ...]:
    """Names of the columns in the order of the rows that ``insert_rows`` expects."""
    return tuple(table.c.keys())


def insert_rows(connection: Connection, table: str, columns: tuple[str, ...], rows: list[tuple[Any, ...]]) -> None:
    """Insert rows whose values are in the order of ``columns``; on PostgreSQL by COPY."""
    if not rows:
        return
    if connection.dialect.name == "postgresql":
        _copy(connection, table, columns, rows)
    else:
        _insert(connection, table, columns, rows)


def _copy(connection: Connection, table: str, columns: tuple[str, ...], rows: list[tuple[Any, ...]]) -> None:
    statement = f'COPY "{table}" ({_names(columns)}) FROM STDIN'
    with _driver_cursor(connection, statement) as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)


def _insert(connection: Connection, table: str, columns: tuple[str, ...], rows: list[tuple[Any, ...]]) -> None:
    """Insert many rows by one statement.

    The driver gives up the interpreter lock at every statement and must win it back from the event loop;
    a statement a row would spend most of the time of a busy server on that.
    """
    start = 0
    while start < len(rows):
        count = next(size for size in _ROWS_AT_ONCE if size <= len(rows) - start)
        statement = _insertion(table, columns, count)
        with _driver_cursor(connection, statement) as cursor:
            cursor.execute(statement, tuple(chain.from_iterable(rows[start : start + count])))
        start += count


def fetch_rows(connection: Connection, statement: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    """Rows of a fixed statement."""
    with _driver_cursor(connection, statement) as cursor:
        cursor.execute(statement, values)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows


def marks(connection: Connection, count: int) -> str:
    """Return the places of ``count`` values in a statement for ``fetch_rows``."""
    return ", ".join([_MARKS[connection.dialect.name]] * count)


@cache
def _insertion(table: str, columns: tuple[str, ...], count: int) -> str:
    row = f"({', '.join('?' * len(columns))})"
    return f'INSERT INTO "{table}" ({_names(columns)}) VALUES {", ".join([row] * count)}'  # noqa: S608


def _names(columns: tuple[str, ...]) -> str:
    return ", ".join(f'"{name}"' for name in columns)


@contextmanager
def _driver_cursor(connection: Connection, statement: str) -> Iterator[Any]:
    """Open the driver's cursor; its errors arrive as SQLAlchemy's, without parameters."""
    dialect = connection.dialect
    driver = connection.connection
    cursor = driver.cursor()
    try:
        yield cursor
    except dialect.loaded_dbapi.Error as error:
        gone = dialect.is_disconnect(error, driver, cursor)
        if gone:
            connection.invalidate()
        raise DBAPIError.instance(
            statement,
            None,
            error,
            dialect.loaded_dbapi.Error,
            hide_parameters=True,
            connection_invalidated=gone,
            dialect=dialect,
        ) from None
    finally:
        cursor.close()
