"""Many patients in one body: parsed as the bytes arrive, bad rows reported, good rows computed."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Protocol

from schemas.predictions import PredictionRequest
from service.batch_csv import CsvHeader, HeaderError
from service.errors import AbscopeError
from service.parsing import InvalidBody, MalformedJson, parse

MAX_ROWS: Final = 10_000
MAX_ROW_BYTES: Final = 1_000_000
JSON_LINES: Final = ("application/x-ndjson", "application/jsonl", "application/jsonlines", "application/json-lines")
JSON_ARRAY: Final = "application/json"
CSV: Final = "text/csv"
CONTENT_TYPES: Final = (*JSON_LINES, JSON_ARRAY, CSV)

_OPENING = (b"{", b"[")
_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+"|[{}\[\],]|"', re.DOTALL)
_INSIDE = re.compile(rb'(?:[^"{}\[\]]++|"(?:[^"\\]++|\\.)*+")*+', re.DOTALL)


class UnsupportedContent(AbscopeError):
    """The body of a batch is neither JSON lines, a JSON array nor CSV."""


@dataclass(frozen=True, slots=True)
class Row:
    """One request of a batch; ``number`` counts rows from 1, ``line`` is where it begins in the body."""

    number: int
    line: int
    request: PredictionRequest


@dataclass(frozen=True, slots=True)
class RowError:
    """One row that cannot be computed; ``errors`` lists pointers and messages without submitted values.

    ``is_last`` says that the body itself is wrong from here on, so that no row can follow.
    """

    number: int
    line: int
    errors: list[dict[str, str]]
    is_last: bool = False


class RowParser(Protocol):
    """Takes the body piece by piece; holds no more than one row."""

    def feed(self, chunk: bytes) -> Iterator[Row | RowError]:
        """Return the rows that this piece completes."""

    def finish(self) -> Iterator[Row | RowError]:
        """Return what is left when the body has ended."""


def row_parser(content_type: str) -> RowParser:
    """Return the parser of a media type.

    Raises
    ------
    UnsupportedContent
        The media type is none of :data:`CONTENT_TYPES`.
    """
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type in JSON_LINES:
        return _Lines()
    if media_type == JSON_ARRAY:
        return _Array()
    if media_type == CSV:
        return _Csv()
    raise UnsupportedContent(f"send {', '.join(CONTENT_TYPES)}")


class _Counter:
    """Numbers the rows and stops after the last one that is allowed."""

    def __init__(self) -> None:
        self.number = 0
        self.full = False

    def row(self, line: int, raw: bytes, *, distinct: bool = False) -> Row | RowError:
        """Return the request of one row, or what is wrong with it; ``distinct`` as in :func:`parse`."""
        refused = self.next(line)
        if refused is not None:
            return refused
        if len(raw) > MAX_ROW_BYTES:
            return self.error(line, f"a row has at most {MAX_ROW_BYTES} bytes")
        try:
            return Row(self.number, line, parse(PredictionRequest, raw, distinct=distinct))
        except MalformedJson as error:
            return self.error(line, error.detail)
        except InvalidBody as error:
            return RowError(self.number, line, error.errors)

    def next(self, line: int) -> RowError | None:
        """Count a row; return an error for the first one too many."""
        self.number += 1
        if self.number > MAX_ROWS:
            self.full = True
            return self.error(line, f"a batch has at most {MAX_ROWS} rows; the rest was not read")
        return None

    def error(self, line: int, message: str, *, is_last: bool = False) -> RowError:
        """Return an error of the present row."""
        return RowError(self.number, line, [{"pointer": "", "message": message}], is_last)


class _LineSplitter:
    """Cuts the body into lines; an endless line is cut off and marked."""

    def __init__(self) -> None:
        self.line = 0
        self._rest = bytearray()
        self._overlong = False

    def feed(self, chunk: bytes) -> Iterator[bytes | None]:
        """Return the lines that this piece completes, None for one that is too long."""
        start = 0
        while (end := chunk.find(b"\n", start)) >= 0:
            yield self._take(chunk[start:end])
            start = end + 1
        self._keep(chunk[start:])

    def finish(self) -> Iterator[bytes | None]:
        """Return the last line, which may lack its line break."""
        if self._rest or self._overlong:
            yield self._take(b"")

    def _keep(self, piece: bytes) -> None:
        if len(self._rest) + len(piece) > MAX_ROW_BYTES:
            self._overlong = True
            self._rest.clear()
        elif not self._overlong:
            self._rest += piece

    def _take(self, piece: bytes) -> bytes | None:
        self._keep(piece)
        self.line += 1
        line = None if self._overlong else bytes(self._rest)
        self._rest.clear()
        self._overlong = False
        return line


class _Lines:
    """JSON lines: one request a line; blank lines are skipped."""

    def __init__(self) -> None:
        self._lines = _LineSplitter()
        self._counter = _Counter()

    def feed(self, chunk: bytes) -> Iterator[Row | RowError]:
        return self._read(self._lines.feed(chunk))

    def finish(self) -> Iterator[Row | RowError]:
        return self._read(self._lines.finish())

    def _read(self, lines: Iterator[bytes | None]) -> Iterator[Row | RowError]:
        for raw in lines:
            if self._counter.full:
                return
            if raw is None:
                yield self._counter.next(self._lines.line) or self._counter.error(
                    self._lines.line, f"a row has at most {MAX_ROW_BYTES} bytes"
                )
            elif raw.strip():
                yield self._counter.row(self._lines.line, raw)


class _Csv:
    """CSV with a header of dotted paths into a request; an empty cell is a member left out."""

    def __init__(self) -> None:
        self._lines = _LineSplitter()
        self._counter = _Counter()
        self._header: CsvHeader | None = None

    def feed(self, chunk: bytes) -> Iterator[Row | RowError]:
        return self._read(self._lines.feed(chunk))

    def finish(self) -> Iterator[Row | RowError]:
        return self._read(self._lines.finish())

    def _read(self, lines: Iterator[bytes | None]) -> Iterator[Row | RowError]:
        for raw in lines:
            line = self._lines.line
            if self._counter.full:
                return
            if raw is not None and not raw.strip():
                continue
            if self._header is None:
                try:
                    self._header = CsvHeader.of(raw or b"")
                except HeaderError as error:
                    self._counter.full = True
                    yield self._counter.error(line, str(error), is_last=True)
                continue
            if raw is None:
                yield self._counter.next(line) or self._counter.error(line, f"a row has at most {MAX_ROW_BYTES} bytes")
                continue
            try:
                data = self._header.request(raw)
            except HeaderError as error:
                yield self._counter.next(line) or self._counter.error(line, str(error))
                continue
            yield self._counter.row(line, data, distinct=True)


class _Array:
    """A JSON array of requests, cut into its elements without parsing it as a whole.

    ``_start`` is where the present element begins, ``_boundary`` the end of the last one.
    """

    def __init__(self) -> None:
        self._counter = _Counter()
        self._buffer = bytearray()
        self._scanned = 0
        self._boundary = 0
        self._start: int | None = None
        self._element = False
        self._separated = False
        self._depth = 0
        self._ended = False
        self._lines_before = 0

    def feed(self, chunk: bytes) -> Iterator[Row | RowError]:
        self._buffer += chunk
        while not self._counter.full and (token := self._next()) is not None:
            yield from self._token(*token)
        if self._counter.full:
            self._buffer.clear()
            return
        self._forget()
        if len(self._buffer) > MAX_ROW_BYTES:
            yield self._stop(f"a row has at most {MAX_ROW_BYTES} bytes; the rest was not read", 0)

    def finish(self) -> Iterator[Row | RowError]:
        if self._counter.full:
            return
        rest = bytes(self._buffer[self._boundary :]).strip()
        if not self._ended or rest:
            yield self._stop("the body is not one complete JSON array of requests", self._boundary)

    def _next(self) -> tuple[bytes, int] | None:
        """Return the next token that matters: inside an element, only the bracket that ends it."""
        while self._depth > 1:
            position = _INSIDE.match(self._buffer, self._scanned).end()  # type: ignore[union-attr]
            self._scanned = position
            bracket = bytes(self._buffer[position : position + 1])
            if bracket in (b"", b'"'):
                return None
            self._scanned = position + 1
            if bracket in _OPENING:
                self._depth += 1
            elif self._depth == 2:
                return bracket, position
            else:
                self._depth -= 1
        found = _TOKEN.search(self._buffer, self._scanned)
        if found is None or found.group() == b'"':
            self._scanned = len(self._buffer) if found is None else found.start()
            return None
        self._scanned = found.end()
        return found.group(), found.start()

    def _token(self, token: bytes, position: int) -> Iterator[Row | RowError]:
        if self._ended or (self._depth == 0 and (token != b"[" or self._between(position))):
            yield self._stop("the body is not one JSON array of requests", position)
        elif token in (b"{", b"["):
            yield from self._open(position)
        elif token in (b"}", b"]"):
            yield from self._close(token, position)
        elif token == b"," and self._depth == 1:
            yield from self._separator(position)

    def _open(self, position: int) -> Iterator[Row | RowError]:
        if self._depth == 0:
            self._boundary = position + 1
        elif self._depth == 1:
            if self._element or self._between(position):
                yield self._stop("the elements of the array must be objects with commas between them", position)
                return
            self._start = position
        self._depth += 1

    def _close(self, token: bytes, position: int) -> Iterator[Row | RowError]:
        self._depth -= 1
        if self._depth == 1 and self._start is not None:
            yield self._counter.row(self._line(self._start), bytes(self._buffer[self._start : position + 1]))
            self._start, self._element, self._boundary = None, True, position + 1
        elif self._depth == 0:
            if token != b"]" or self._between(position) or (self._separated and not self._element):
                yield self._stop("the elements of the array must be objects", position)
            self._ended, self._boundary = True, position + 1

    def _separator(self, position: int) -> Iterator[Row | RowError]:
        if not self._element or self._between(position):
            refused = self._counter.next(self._line(position))
            yield refused or self._counter.error(self._line(position), "each element of the array must be an object")
        self._element, self._separated, self._boundary = False, True, position + 1

    def _between(self, position: int) -> bytes:
        return bytes(self._buffer[self._boundary : position]).strip()

    def _line(self, position: int) -> int:
        return 1 + self._lines_before + self._buffer.count(b"\n", 0, position)

    def _stop(self, message: str, position: int) -> RowError:
        line = self._line(position)
        self._counter.number += 1
        self._counter.full = True
        return self._counter.error(line, message, is_last=True)

    def _forget(self) -> None:
        done = self._boundary if self._start is None else self._start
        self._lines_before += self._buffer.count(b"\n", 0, done)
        del self._buffer[:done]
        self._scanned -= done
        self._boundary = max(0, self._boundary - done)
        if self._start is not None:
            self._start = 0
