"""CSV rows as requests: the header names paths, the schema says what a cell means."""

import csv
import re
from collections.abc import Callable
from dataclasses import dataclass
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import orjson

from schemas.base import Schema
from schemas.predictions import PredictionRequest

MAX_COLUMNS = 500
MAX_INDEX = 50
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?")
_Cell = Callable[[str], Any]


class HeaderError(ValueError):
    """The header or a row cannot be read; the message repeats no submitted value."""


def _number(cell: str) -> Any:
    """Return the number, or the text itself, which the schema then refuses."""
    return orjson.loads(cell) if _NUMBER.fullmatch(cell) else cell


def _flag(cell: str) -> Any:
    return {"true": True, "false": False}.get(cell.lower(), cell)


def _text(cell: str) -> Any:
    return cell


@dataclass(frozen=True, slots=True)
class _Column:
    """Where a cell goes, and what it is."""

    path: tuple[str | int, ...]
    read: _Cell


@dataclass(frozen=True, slots=True)
class CsvHeader:
    """The columns of a CSV body."""

    columns: tuple[_Column, ...]
    delimiter: str

    @classmethod
    def of(cls, raw: bytes) -> "CsvHeader":
        """Read the header line.

        Raises
        ------
        HeaderError
            A column is not a path into a prediction request, or stands there twice.
        """
        line = _decode(raw).lstrip("\ufeff")
        delimiter = ";" if ";" in line and "," not in line else ","
        names = [name.strip() for name in _cells(line, delimiter)]
        if len(names) > MAX_COLUMNS:
            raise HeaderError(f"a header has at most {MAX_COLUMNS} columns")
        columns = []
        for position, name in enumerate(names, start=1):
            column = _column(name)
            if column is None:
                raise HeaderError(
                    f"column {position} of the header is no path into a prediction request, "
                    "such as patient.labs.albumin_g_per_l or plan.drugs.0.agent"
                )
            columns.append(column)
        if len({column.path for column in columns}) < len(columns):
            raise HeaderError("the header names a column twice")
        return cls(tuple(columns), delimiter)

    def request(self, raw: bytes) -> bytes:
        """Return the JSON request of one line.

        Raises
        ------
        HeaderError
            The line is not UTF-8, not CSV, or has another number of cells than the header.
        """
        cells = _cells(_decode(raw), self.delimiter)
        if len(cells) != len(self.columns):
            raise HeaderError("the row has another number of cells than the header")
        body: dict[str, Any] = {}
        for column, cell in zip(self.columns, cells, strict=True):
            text = cell.strip()
            if text:
                _put(body, column.path, column.read(text))
        return orjson.dumps(_closed(body), option=orjson.OPT_NON_STR_KEYS)


def _decode(raw: bytes) -> str:
    try:
        return raw.decode("utf-8").rstrip("\r")
    except UnicodeDecodeError:
        raise HeaderError("the line is not UTF-8") from None


def _cells(line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=delimiter, strict=True))
    except (csv.Error, StopIteration):
        raise HeaderError("the line is not CSV, or a quoted cell goes over several lines") from None


def _column(name: str) -> _Column | None:
    parts: list[str | int] = []
    kind: Any = PredictionRequest
    for part in name.split("."):
        found = _member(kind, part)
        if found is None:
            return None
        key, kind = found
        parts.append(key)
    read = _reader(kind)
    return None if read is None else _Column(tuple(parts), read)


def _member(kind: Any, part: str) -> tuple[str | int, Any] | None:
    """Return key and type of one step of a path."""
    for option in _options(kind):
        if isinstance(option, type) and issubclass(option, Schema) and part in option.model_fields:
            return part, option.model_fields[part].annotation
        if get_origin(option) is list and part.isdecimal() and int(part) < MAX_INDEX:
            return int(part), get_args(option)[0]
    return None


def _options(kind: Any) -> list[Any]:
    origin = get_origin(kind)
    if origin is Annotated:
        return _options(get_args(kind)[0])
    if origin in (Union, UnionType):
        return [option for member in get_args(kind) for option in _options(member)]
    return [] if kind is type(None) else [kind]


def _reader(kind: Any) -> _Cell | None:
    readers: dict[Any, _Cell] = {bool: _flag, float: _number, int: _number, str: _text}
    for option in _options(kind):
        if get_origin(option) is Literal:
            return _text
        if option in readers:
            return readers[option]
    return None


def _put(body: dict[Any, Any], path: tuple[str | int, ...], value: Any) -> None:
    for part in path[:-1]:
        body = body.setdefault(part, {})
    body[path[-1]] = value


def _closed(node: Any) -> Any:
    """Turn the dictionaries with number keys into lists, in the order of their numbers."""
    if not isinstance(node, dict):
        return node
    if node and all(isinstance(key, int) for key in node):
        return [_closed(node[key]) for key in sorted(node)]
    return {key: _closed(value) for key, value in node.items()}
