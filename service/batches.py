"""Many predictions in one request: a run each, all durable, answered line by line in their order."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from typing import Any, Final

import orjson

from service import predictions
from service.batch import Row, RowError, RowParser, row_parser
from service.errors import AbscopeError, InvalidInput
from service.runs import Origin, create
from service.runtime import Runtime

_IN_FLIGHT: Final = 512


async def answers(
    runtime: Runtime, origin: Origin, body: AsyncIterator[bytes], content_type: str
) -> AsyncIterator[bytes]:
    """Yield one JSON line per row, in the order of the rows, and a summary at the end.

    At most 512 rows are in flight, so memory does not grow with the batch. A line is sent only after the
    COMMIT of its run. A row that fails does not fail its neighbors.

    Raises
    ------
    UnsupportedContent
        Before the first line: the body is neither JSON lines, a JSON array nor CSV.
    """
    parser = row_parser(content_type)
    return _lines(runtime, origin, body, parser)


async def _lines(
    runtime: Runtime, origin: Origin, body: AsyncIterator[bytes], parser: RowParser
) -> AsyncIterator[bytes]:
    waiting: deque[asyncio.Task[dict[str, Any]]] = deque()
    counts = {"stored": 0, "failed": 0}

    def answered(line: dict[str, Any]) -> bytes:
        counts["stored" if "run" in line else "failed"] += 1
        return orjson.dumps(line) + b"\n"

    try:
        async for row in _rows(body, parser):
            waiting.append(asyncio.create_task(_one(runtime, origin, row)))
            while len(waiting) >= _IN_FLIGHT:
                yield answered(await waiting.popleft())
        while waiting:
            yield answered(await waiting.popleft())
    finally:
        for task in waiting:
            task.cancel()
    yield orjson.dumps({"summary": {"rows": counts["stored"] + counts["failed"], **counts}}) + b"\n"


async def _rows(body: AsyncIterator[bytes], parser: RowParser) -> AsyncIterator[Row | RowError]:
    """Yield the rows; a body that breaks off ends the batch with an error of its own."""
    number = line = 0
    try:
        async for chunk in body:
            for row in parser.feed(chunk):
                number, line = row.number, row.line
                yield row
    except AbscopeError as error:
        yield RowError(number + 1, line + 1, [{"pointer": "", "message": error.detail}])
        return
    for row in parser.finish():
        yield row


async def _one(runtime: Runtime, origin: Origin, row: Row | RowError) -> dict[str, Any]:
    place = {"row": row.number, "line": row.line}
    if isinstance(row, RowError):
        return {**place, "errors": row.errors}
    try:
        answer = await create(runtime, origin, predictions.KIND, row.request)
    except InvalidInput as error:
        return {**place, "errors": error.errors}
    except AbscopeError as error:
        return {**place, "errors": [{"pointer": "", "message": error.detail}]}
    return {**place, "run": orjson.Fragment(answer.body)}
