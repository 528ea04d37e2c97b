"""Computes every example once after the start, so that no caller waits for code to be loaded."""

import logging
import time

from pydantic_core import to_json

from service import telemetry
from service.catalog import KINDS
from service.parsing import parse


def warm_up() -> None:
    """Compute the first example of every blocking kind and drop the answers."""
    began = time.perf_counter()
    for kind in KINDS.values():
        if kind.blocking:
            example = next(iter(kind.examples.values()))
            kind.compute(parse(kind.request, to_json(example)))
    telemetry.log(logging.INFO, event="warm", seconds=round(time.perf_counter() - began, 3))
