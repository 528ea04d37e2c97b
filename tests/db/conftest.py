"""A writer on a fresh database, and a signature that needs no key."""

from collections.abc import Iterator
from hashlib import sha256

import pytest
from sqlalchemy import Engine

from db.writer import GroupWriter


def sign(size: int, root: bytes) -> bytes:
    return sha256(b"test key" + size.to_bytes(8, "big") + root).digest()


@pytest.fixture
def writer(engine: Engine) -> Iterator[GroupWriter]:
    started = GroupWriter(engine, sign)
    started.start()
    yield started
    assert started.drain(30)
