"""What a kind of run is: its request, its computation, its pictures."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from schemas.base import ComputeRequest, Schema
from schemas.run import ModelRef, RunWarning


@dataclass(frozen=True, slots=True, kw_only=True)
class Computation:
    """The answer of one computation, before it becomes a run.

    ``result`` is an instance of the kind's result schema, or plain JSON data of that shape.
    """

    result: Schema | Mapping[str, Any]
    models: tuple[ModelRef, ...]
    warnings: tuple[RunWarning, ...] = ()


Figure = Callable[[Mapping[str, Any], Mapping[str, Any]], bytes]
"""Input and result of a stored run in, SVG bytes out; nothing else may matter."""

Series = Callable[[Mapping[str, Any], Mapping[str, Any]], str]
"""Input and result of a stored run in, CSV text out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of run; ``compute`` must be a pure function of the request.

    ``blocking`` sends the computation to a thread, ``posted`` False leaves the JSON route out
    (the kind has a route of its own that prepares the request).
    """

    name: str
    path: str
    summary: str
    description: str
    request: type[ComputeRequest]
    result: type[Schema]
    compute: Callable[[Any], Computation]
    examples: Mapping[str, Mapping[str, Any]]
    blocking: bool = False
    posted: bool = True
    figures: Mapping[str, Figure] = field(default_factory=dict)
    series: Series | None = None
