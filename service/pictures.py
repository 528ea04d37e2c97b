"""A stored run as a picture or as its series."""

import asyncio
from collections.abc import Mapping
from typing import Any

import orjson

from service.catalog import KINDS
from service.errors import InvalidInput, NotFound
from service.kinds import Kind
from service.runs import Answer
from service.runtime import Runtime


def media_types(answer: Answer) -> tuple[str, ...]:
    """Return what a run can be had as besides JSON."""
    run = orjson.loads(answer.body)
    kind = KINDS[run["kind"]]
    drawn = ("image/svg+xml",) if kind.figures else ()
    listed = ("text/csv",) if kind.series is not None else ()
    return (*drawn, *listed) if run["result"] is not None else ()


async def draw(runtime: Runtime, answer: Answer, name: str | None) -> bytes:
    """Return the named picture of a run, or its first one, as SVG.

    Raises
    ------
    NotFound
        The run has no result or no picture.
    InvalidInput
        Its kind has no picture of this name.
    """
    kind, data, result = _parts(answer)
    if not kind.figures:
        raise NotFound("runs of this kind have no picture")
    if name is not None and name not in kind.figures:
        raise InvalidInput("#/query/figure", f"this kind of run has {', '.join(kind.figures)}")
    figure = kind.figures[name] if name is not None else next(iter(kind.figures.values()))
    return await asyncio.get_running_loop().run_in_executor(runtime.pool, figure, data, result)


async def series(runtime: Runtime, answer: Answer) -> str:
    """Return the series of a run as CSV.

    Raises
    ------
    NotFound
        The run has no result or no series.
    """
    kind, data, result = _parts(answer)
    if kind.series is None:
        raise NotFound("runs of this kind have no series")
    return await asyncio.get_running_loop().run_in_executor(runtime.pool, kind.series, data, result)


def _parts(answer: Answer) -> tuple[Kind, Mapping[str, Any], Mapping[str, Any]]:
    run = orjson.loads(answer.body)
    if run["result"] is None:
        raise NotFound("the run has no result")
    return KINDS[run["kind"]], run["input"], run["result"]
