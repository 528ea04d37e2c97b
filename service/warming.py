"""What a process does once, so that its requests need not: load code, set what lives forever apart."""

import gc
import logging
import time
from typing import Final

from pydantic_core import to_json

from service import telemetry
from service.catalog import KINDS
from service.parsing import parse

_ALLOCATIONS_BETWEEN_COLLECTIONS: Final = 20_000


def settle_memory() -> None:
    """Keep the garbage collector away from the modules, which outlive every request, and off every few requests."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_ALLOCATIONS_BETWEEN_COLLECTIONS)


def warm_up() -> None:
    """Compute the first example of every blocking kind and drop the answers."""
    began = time.perf_counter()
    for kind in KINDS.values():
        if kind.blocking:
            example = next(iter(kind.examples.values()))
            kind.compute(parse(kind.request, to_json(example)))
    telemetry.log(logging.INFO, event="warm", seconds=round(time.perf_counter() - began, 3))
