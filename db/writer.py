"""The group-commit writer: one thread, one transaction for everything that waits.

The commit that is running is the batching window; where the last transaction held several writes,
the next one also gathers for a moment, because a fast disk would close the window too soon. A lone
write waits for nobody. A future
resolves only after COMMIT. Cancelling a future does not cancel its write.
"""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeAlias

from sqlalchemy import Connection, Engine, and_, or_, select
from sqlalchemy.exc import DBAPIError

from db.batch import Batch, Sign
from db.bulk import fetch_rows
from db.database_file import file_of
from db.engine import failure_name, is_unavailable, open_engine, open_for_writing
from db.errors import DatabaseUnavailable, LogInconsistent, QueueFull, RowRejected, StoreError, WriterStopped
from db.logwalk import CheckSignature
from db.merkle import EMPTY_ROOT, Frontier, frontier_nodes
from db.tables import audit_checkpoints, audit_entries, audit_nodes
from db.writes import Receipt, Write

GATHER_SECONDS = 0.001
"""Where requests come side by side, wait this long for their neighbors; a lone write never waits."""
LOG_LOCK = 7_229_301_402
IDLE_SECONDS = 1.0
_LOCK_LOG = f"SELECT set_config('lock_timeout', '10s', true), pg_advisory_xact_lock({LOG_LOCK})"
_HEAD = f"SELECT size, root, signature FROM {audit_checkpoints.name} ORDER BY size DESC LIMIT 1"  # noqa: S608

Outcome: TypeAlias = Receipt | StoreError
Waiter: TypeAlias = "Future[Receipt] | asyncio.Future[Receipt]"


@dataclass(frozen=True, slots=True)
class WriterStats:
    """Counters since the start, the present queue, and why the last batch found the database unavailable."""

    queue_length: int
    batches: int
    stored: int
    refused: int
    failed_batches: int
    last_failure: str | None
    busy_seconds: float
    last_batch_sizes: tuple[int, ...]


class GroupWriter:
    """Stores writes in the order of their submission.

    Parameters
    ----------
    engine : Engine
        The database; the writer opens a connection of its own to it.
    sign : callable
        Signature over the size and the root of the log; part of every transaction.
    max_batch : int
        Most writes of one transaction.
    queue_limit : int
        Most writes that may wait; one more is refused with ``QueueFull``.
    on_failure : callable
        Told, in the writer's thread, the name of what the database failed at or refused a row for.
    check_signature : callable
        Judges the newest checkpoint before anything is appended to what another process wrote; where it
        is not genuine nothing is appended. None appends to any log.
    """

    def __init__(
        self,
        engine: Engine,
        sign: Sign,
        *,
        max_batch: int = 512,
        queue_limit: int = 4096,
        on_failure: Callable[[str], None] = lambda _name: None,
        check_signature: CheckSignature | None = None,
    ) -> None:
        self._file = file_of(engine)
        self._engine = open_engine(engine.url, pool_size=1, file=self._file)
        self._sign = sign
        self._max_batch = max_batch
        self._queue_limit = queue_limit
        self._on_failure = on_failure
        self._check_signature = check_signature
        self._last_failure: str | None = None
        self._waiting: deque[tuple[Write, Waiter]] = deque()
        self._changed = threading.Condition(threading.Lock())
        self._accepting = False
        self._thread = threading.Thread(target=self._run, name="abscope-writer", daemon=True)
        self._frontier = Frontier()
        self._listed: frozenset[str] = frozenset()
        self._connection: Connection | None = None
        self._used_at = 0.0
        self._batches = self._stored = self._refused = self._failed_batches = 0
        self._busy_seconds = 0.0
        self._sizes: deque[int] = deque(maxlen=64)

    def start(self) -> None:
        """Begin to accept writes."""
        self._accepting = True
        self._thread.start()

    def submit(self, write: Write) -> "Future[Receipt]":
        """Queue a write from any thread; the future carries the receipt or a ``StoreError``."""
        future: Future[Receipt] = Future()
        self._enqueue(write, future)
        return future

    def submit_async(self, write: Write) -> "asyncio.Future[Receipt]":
        """Queue a write from a running event loop; a whole batch wakes the loop once."""
        future: asyncio.Future[Receipt] = asyncio.get_running_loop().create_future()
        self._enqueue(write, future)
        return future

    def drain(self, timeout: float) -> bool:
        """Accept nothing more, store what waits, stop; False when that took longer than ``timeout`` seconds."""
        with self._changed:
            self._accepting = False
            self._changed.notify()
        if self._thread.ident is not None:
            self._thread.join(timeout)
        stopped = not self._thread.is_alive()
        if stopped:
            self._engine.dispose()
        return stopped

    @property
    def stats(self) -> WriterStats:
        """Figures for the metrics."""
        return WriterStats(
            queue_length=len(self._waiting),
            batches=self._batches,
            stored=self._stored,
            refused=self._refused,
            failed_batches=self._failed_batches,
            last_failure=self._last_failure,
            busy_seconds=self._busy_seconds,
            last_batch_sizes=tuple(self._sizes),
        )

    def _enqueue(self, write: Write, future: Waiter) -> None:
        with self._changed:
            if not self._accepting:
                raise WriterStopped("the writer accepts nothing now")
            if len(self._waiting) >= self._queue_limit:
                raise QueueFull("too many writes are waiting")
            self._waiting.append((write, future))
            self._changed.notify()

    def _next_batch(self) -> list[tuple[Write, Waiter]]:
        with self._changed:
            while not self._waiting and self._accepting:
                self._changed.wait()
        if self._accepting and self._sizes and self._sizes[-1] > 1:
            time.sleep(GATHER_SECONDS)
        with self._changed:
            count = min(len(self._waiting), self._max_batch)
            return [self._waiting.popleft() for _ in range(count)]

    def _run(self) -> None:
        while batch := self._next_batch():
            began = time.perf_counter()
            outcomes = self._store([write for write, _ in batch])
            self._batches += 1
            self._sizes.append(len(batch))
            refused = [outcome for outcome in outcomes if isinstance(outcome, StoreError)]
            self._refused += len(refused)
            self._stored += len(batch) - len(refused)
            self._note_failures(refused)
            self._busy_seconds += time.perf_counter() - began
            _deliver(zip((future for _, future in batch), outcomes, strict=True))
        self._disconnect()

    def _note_failures(self, refused: Sequence[StoreError]) -> None:
        """Remember whether the database failed this batch, and tell every cause once."""
        unavailable = dict.fromkeys(str(error) for error in refused if isinstance(error, DatabaseUnavailable))
        contradictions = dict.fromkeys(type(error).__name__ for error in refused if isinstance(error, LogInconsistent))
        rejected = dict.fromkeys(error.reason for error in refused if isinstance(error, RowRejected))
        self._last_failure = next(iter({**unavailable, **contradictions}), None)
        for cause in {**unavailable, **contradictions, **rejected}:
            self._on_failure(cause)

    def _store(self, writes: Sequence[Write]) -> list[Outcome]:
        """Store a batch; when the database refuses it, halve it until the bad row stands alone."""
        try:
            return self._transact(writes)
        except LogInconsistent as error:
            return [error] * len(writes)
        except Exception as error:  # whatever a driver or a value does, no future may be left hanging
            self._failed_batches += 1
            self._disconnect()
            if is_unavailable(error):
                return [DatabaseUnavailable(failure_name(error)) for _ in writes]
            if len(writes) == 1:
                return [RowRejected(failure_name(error))]
            middle = len(writes) // 2
            return self._store(writes[:middle]) + self._store(writes[middle:])

    def _transact(self, writes: Sequence[Write]) -> list[Outcome]:
        if self._file is not None:
            self._file.require()
        connection = self._ready_connection()
        with connection.begin():
            if connection.dialect.name == "postgresql":
                fetch_rows(connection, _LOCK_LOG)
            batch = Batch(connection, self._current_frontier(connection), self._listed)
            outcomes = batch.store(writes, self._sign)
        self._frontier = batch.frontier
        self._listed |= batch.newly_listed
        self._used_at = time.monotonic()
        return outcomes

    def _ready_connection(self) -> Connection:
        """Keep one connection while there is work; after a pause the pool checks that it is still alive."""
        if self._connection is not None and time.monotonic() - self._used_at < IDLE_SECONDS:
            return self._connection
        self._disconnect()
        self._connection = open_for_writing(self._engine)
        return self._connection

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(DBAPIError):  # it may be broken, and then there is nothing left to close
                connection.close()

    def _current_frontier(self, connection: Connection) -> Frontier:
        """Right edge of the stored tree; read only when another process has appended to what this one knows."""
        head = fetch_rows(connection, _HEAD)
        size, root, signature = head[0] if head else (0, EMPTY_ROOT, b"")
        known, known_root = self._frontier.size, self._frontier.root()
        if size != known or root != known_root:
            if size <= known:
                raise LogInconsistent("the stored log is shorter than, or differs from, what was committed before")
            if self._check_signature is not None and not self._check_signature(size, bytes(root), bytes(signature)):
                raise LogInconsistent("another key signed what another process appended")
            read_frontier(connection, known, known_root)
            self._frontier = read_frontier(connection, size, root)
        return self._frontier.copy()


def read_frontier(connection: Connection, size: int, root: bytes) -> Frontier:
    """Load the complete subtrees of the tree of ``size`` leaves and check them against its root."""
    wanted = frontier_nodes(size)
    nodes = audit_nodes.c
    found: dict[tuple[int, int], bytes] = {}
    if upper := [coordinates for coordinates in wanted if coordinates[0] > 0]:
        at_one = [and_(nodes.level == level, nodes.position == position) for level, position in upper]
        query = select(nodes.level, nodes.position, nodes.hash).where(or_(*at_one))
        found = {(level, position): bytes(value) for level, position, value in connection.execute(query)}
    if size & 1:
        last = select(audit_entries.c.leaf_hash).where(audit_entries.c.leaf_index == size - 1)
        found[0, size - 1] = bytes(connection.execute(last).scalar_one_or_none() or b"")
    frontier = Frontier(size, [found.get(coordinates, b"") for coordinates in wanted])
    if frontier.root() != root:
        raise LogInconsistent("the stored tree does not have the root of its last checkpoint")
    return frontier


def _deliver(results: Iterable[tuple[Waiter, Outcome]]) -> None:
    by_loop: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[Receipt], Outcome]]] = {}
    for future, outcome in results:
        if isinstance(future, Future):
            if future.set_running_or_notify_cancel():
                _settle(future, outcome)
        else:
            by_loop.setdefault(future.get_loop(), []).append((future, outcome))
    for loop, settled in by_loop.items():
        with suppress(RuntimeError):  # a loop that closed meanwhile has nobody left to tell
            loop.call_soon_threadsafe(_settle_all, settled)


def _settle_all(settled: Iterable[tuple["asyncio.Future[Receipt]", Outcome]]) -> None:
    for future, outcome in settled:
        if not future.done():
            _settle(future, outcome)


def _settle(future: Waiter, outcome: Outcome) -> None:
    if isinstance(outcome, StoreError):
        future.set_exception(outcome)
    else:
        future.set_result(outcome)
