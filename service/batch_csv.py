"""CSV rows as requests: the header names paths, the schema says what a cell means."""

import csv
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import itemgetter
from types import UnionType
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin

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
    return orjson.Fragment(cell) if _NUMBER.fullmatch(cell) else cell


def _flag(cell: str) -> Any:
    return {"true": True, "false": False}.get(cell.lower(), cell)


def _text(cell: str) -> Any:
    return cell


def _words(cell: str) -> Any:
    return cell.split()


@dataclass(frozen=True, slots=True)
class _Column:
    """Where a cell goes, and what it is."""

    path: tuple[str | int, ...]
    read: _Cell


class _Node(NamedTuple):
    """An object or list of the request; its members are columns by number, or nodes."""

    is_list: bool
    members: tuple[tuple[str | int, Any], ...]


@dataclass(frozen=True, slots=True)
class CsvHeader:
    """The columns of a CSV body."""

    columns: tuple[_Column, ...]
    delimiter: str
    shape: _Node

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
        return cls(tuple(columns), delimiter, _shape(columns))

    def request(self, raw: bytes) -> bytes:
        """Return the JSON request of one line; no object has two members of one name.

        Raises
        ------
        HeaderError
            The line is not UTF-8, not CSV, or has another number of cells than the header.
        """
        cells = _cells(_decode(raw), self.delimiter)
        if len(cells) != len(self.columns):
            raise HeaderError("the row has another number of cells than the header")
        values = [
            column.read(text) if (text := cell.strip()) else None
            for column, cell in zip(self.columns, cells, strict=True)
        ]
        return orjson.dumps(_filled(self.shape, values) or {})


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
        if get_origin(option) is list and _reader(get_args(option)[0]) is _text:
            return _words
        if option in readers:
            return readers[option]
    return None


def _shape(columns: Sequence[_Column]) -> _Node:
    """Return the nesting that the columns ask for; lists have their elements in the order of their numbers."""
    nested: dict[Any, Any] = {}
    for position, column in enumerate(columns):
        place = nested
        for part in column.path[:-1]:
            place = place.setdefault(part, {})
        place[column.path[-1]] = position
    return _frozen(nested)


def _frozen(nested: dict[Any, Any]) -> _Node:
    members = [(key, _frozen(inner) if isinstance(inner, dict) else inner) for key, inner in nested.items()]
    is_list = all(isinstance(key, int) for key in nested)
    return _Node(is_list, tuple(sorted(members, key=itemgetter(0)) if is_list else members))


def _filled(node: _Node, values: Sequence[Any]) -> Any:
    """Return the node with the values in their places; None where it has none."""
    found = []
    for key, inner in node.members:
        value = values[inner] if type(inner) is int else _filled(inner, values)
        if value is not None:
            found.append((key, value))
    if not found:
        return None
    return [value for _, value in found] if node.is_list else dict(found)
