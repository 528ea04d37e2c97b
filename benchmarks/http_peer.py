"""The peer of ``http.py`` that commits as services usually do: every request its own transaction, in its own thread.

It stores the same rows, leaves and signed checkpoints as Abscope, over a pool of connections. Only the
group-commit writer is missing.
"""

import asyncio
import sys
from pathlib import Path

from sqlalchemy import Engine

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from db.batch import Batch, Sign
from db.bulk import fetch_rows
from db.engine import open_engine, write_transaction
from db.errors import StoreError
from db.merkle import EMPTY_ROOT
from db.tables import audit_checkpoints
from db.writer import LOG_LOCK, GroupWriter, read_frontier
from db.writes import Receipt, Write
from service import runtime
from service.cli import app

_HEAD = f"SELECT size, root FROM {audit_checkpoints.name} ORDER BY size DESC LIMIT 1"
_LOCK_LOG = f"SELECT pg_advisory_xact_lock({LOG_LOCK})"


class TransactionPerRequest(GroupWriter):
    """Stores every write in a transaction of its own."""

    def __init__(self, engine: Engine, sign: Sign, **limits: int) -> None:
        super().__init__(engine, sign, **limits)
        self._pool = open_engine(engine.url, pool_size=16)
        self._sign_root = sign

    def submit_async(self, write: Write) -> "asyncio.Future[Receipt]":
        """Store in a thread of the default executor."""
        return asyncio.get_running_loop().run_in_executor(None, self._store_one, write)

    def _store_one(self, write: Write) -> Receipt:
        with write_transaction(self._pool) as connection:
            if connection.dialect.name == "postgresql":
                fetch_rows(connection, _LOCK_LOG)
            head = fetch_rows(connection, _HEAD)
            size, root = head[0] if head else (0, EMPTY_ROOT)
            receipt = Batch(connection, read_frontier(connection, size, root)).store([write], self._sign_root)[0]
        if isinstance(receipt, StoreError):
            raise receipt
        return receipt


if __name__ == "__main__":
    runtime.GroupWriter = TransactionPerRequest
    app(["serve"])
