"""Many predictions in one request: a run each, all durable, answered line by line in their order."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Final

import orjson

from db.writes import NewRun, Receipt
from service import predictions
from service.batch import Row, RowError, RowParser, row_parser
from service.errors import AbscopeError, InvalidInput
from service.runs import Origin, answer_of, canonical, compute, idempotency_key, new_run
from service.runtime import Runtime

_IN_FLIGHT: Final = 128  # more of them fall out of the processor's caches
_LINES_AT_ONCE: Final = 32  # sent by one system call
_ROWS_AT_ONCE: Final = 8  # computed before other requests have their turn


@dataclass(frozen=True, slots=True)
class _Queued:
    """A row whose run waits for its COMMIT."""

    row: Row
    run: NewRun
    receipt: "asyncio.Future[Receipt]"


async def answers(
    runtime: Runtime, origin: Origin, body: AsyncIterator[bytes], content_type: str
) -> AsyncIterator[bytes]:
    """Yield one JSON line per row, in the order of the rows, and a summary at the end.

    Few rows are in flight, so memory does not grow with the batch. A line is sent only after the
    COMMIT of its run. A row that fails does not fail its neighbors. With an Idempotency-Key, a row that
    was stored by an earlier request of this key is answered and not stored again.

    Raises
    ------
    UnsupportedContent, InvalidInput
        Before the first line: the body is neither JSON lines, a JSON array nor CSV, has no rows or no
        readable header, or the key is none.
    """
    rows = _rows(body, row_parser(content_type))
    origin = replace(origin, idempotency_key=idempotency_key(origin.idempotency_key))
    first = await anext(rows, None)
    if first is None:
        raise InvalidInput("", "the body has no rows")
    if isinstance(first, RowError) and first.is_last:
        raise InvalidInput("", first.errors[0]["message"])
    return _lines(runtime, origin, first, rows)


async def _lines(
    runtime: Runtime, origin: Origin, first: Row | RowError, rows: AsyncIterator[Row | RowError]
) -> AsyncIterator[bytes]:
    waiting: deque[_Queued | RowError] = deque()
    stored = failed = 0

    async def answered(most_waiting: int) -> bytes:
        """Answer rows from the front until so many wait, and those behind them that are stored already."""
        nonlocal stored, failed
        block: list[_Queued | RowError] = []
        while waiting and (len(waiting) > most_waiting or (len(block) < _LINES_AT_ONCE and _is_ready(waiting[0]))):
            front = waiting.popleft()
            if isinstance(front, _Queued) and not front.receipt.done():
                await asyncio.wait([front.receipt])
            block.append(front)
        replays = [row for row in block if isinstance(row, _Queued) and _is_replay(row)]
        read = dict(zip(map(id, replays), await asyncio.gather(*(_line(runtime, row) for row in replays)), strict=True))
        lines: list[bytes] = []
        for row in block:
            line = read.get(id(row)) or await _line(runtime, row)
            if isinstance(line, RowError):
                failed += 1
                line = orjson.dumps({"row": line.number, "line": line.line, "errors": line.errors}) + b"\n"
            else:
                stored += 1
            lines.append(line)
        return b"".join(lines)

    waiting.append(_queue(runtime, origin, first))
    async for row in rows:
        waiting.append(_queue(runtime, origin, row))
        if len(waiting) == _IN_FLIGHT:
            yield await answered(_IN_FLIGHT - 1)
        if row.number % _ROWS_AT_ONCE == 0:
            await asyncio.sleep(0)
    while waiting:
        yield await answered(len(waiting) - 1)
    yield orjson.dumps({"summary": {"rows": stored + failed, "stored": stored, "failed": failed}}) + b"\n"


async def _rows(body: AsyncIterator[bytes], parser: RowParser) -> AsyncIterator[Row | RowError]:
    """Yield the rows; a body that breaks off after the first ends the batch with an error of its own."""
    number = line = 0
    try:
        async for chunk in body:
            for row in parser.feed(chunk):
                number, line = row.number, row.line
                yield row
    except AbscopeError as error:
        if number == 0:
            raise
        yield RowError(number + 1, line + 1, [{"pointer": "", "message": error.detail}])
        return
    for row in parser.finish():
        yield row


def _queue(runtime: Runtime, origin: Origin, row: Row | RowError) -> _Queued | RowError:
    """Compute a row and queue its run."""
    if isinstance(row, RowError):
        return row
    key = origin.idempotency_key and f"{origin.idempotency_key}:{row.number}"
    try:
        computed = compute(predictions.KIND, row.request)
        run = new_run(origin, predictions.KIND, row.request, canonical(row.request), computed, key)
        return _Queued(row, run, runtime.submit(run))
    except AbscopeError as error:
        return _failed(row, error)


def _is_ready(row: _Queued | RowError) -> bool:
    return isinstance(row, RowError) or row.receipt.done()


def _is_replay(row: _Queued) -> bool:
    """Whether the run must be read, which is an event with a COMMIT of its own: those of a block share one."""
    return row.receipt.exception() is None and row.receipt.result().existing_id is not None


async def _line(runtime: Runtime, row: _Queued | RowError) -> bytes | RowError:
    """Return the line of a stored run, after its COMMIT."""
    if isinstance(row, RowError):
        return row
    try:
        answer = await answer_of(runtime, row.run, await runtime.stored(row.receipt))
    except AbscopeError as error:
        return _failed(row.row, error)
    return b'{"row":%d,"line":%d,"run":%b}\n' % (row.row.number, row.row.line, answer.body)


def _failed(row: Row, error: AbscopeError) -> RowError:
    errors = error.errors if isinstance(error, InvalidInput) else [{"pointer": "", "message": error.detail}]
    return RowError(row.number, row.line, errors)
