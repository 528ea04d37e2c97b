"""Identifiers of runs, requests and processes."""

import os
import time
from collections import deque
from typing import Final

from ulid import ULID

_TIME_BYTES: Final = 6
_RANDOM_BYTES: Final = 10
_RANDOM_AT_ONCE: Final = 256
_randomness: Final[deque[bytes]] = deque()


def new_id() -> str:
    """Return a new ULID.

    Its random part is drawn ahead: every call to the system's generator gives up the interpreter lock, and a
    busy server waits for it longer than for all the rest of the ULID.
    """
    try:
        random = _randomness.popleft()
    except IndexError:
        drawn = os.urandom(_RANDOM_BYTES * _RANDOM_AT_ONCE)
        _randomness.extend(drawn[i : i + _RANDOM_BYTES] for i in range(_RANDOM_BYTES, len(drawn), _RANDOM_BYTES))
        random = drawn[:_RANDOM_BYTES]
    milliseconds = time.time_ns() // 1_000_000
    return str(ULID(milliseconds.to_bytes(_TIME_BYTES) + random))
