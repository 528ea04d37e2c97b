"""What one running process holds: database, writer, keys, threads; opened once, drained once."""

import asyncio
import logging
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Final, TypeVar

from sqlalchemy import Connection, Engine

from db.clock import utc_after
from db.engine import accepts_writes, migrate, reading, schema_fits
from db.errors import DatabaseUnavailable, LogInconsistent, QueueFull, RowRejected, WriterStopped
from db.errors import IdempotencyMismatch as StoredMismatch
from db.writer import GroupWriter
from db.writes import Event, Receipt, Write
from service import telemetry
from service.database import open_database
from service.denials import Denials
from service.errors import AbscopeError, IdempotencyMismatch, Overloaded, StoreUnavailable
from service.gatekeeper import Gatekeeper
from service.ids import new_id
from service.kept_checkpoints import CheckpointKeeper
from service.log_keys import pepper_of, signer_of
from service.settings import Settings
from service.signing import Signer

T = TypeVar("T")
LEASE_SECONDS: Final = 30.0
_COMPUTE: Final = "compute"
_ABANDON_SECONDS: Final = 1.0
_READY_SECONDS: Final = 5.0
_UNREACHABLE: Final = (
    "the database cannot be reached or takes no writes; it may have been stored: repeat with the same Idempotency-Key"
)


@dataclass(slots=True)
class Runtime:
    """The open resources of one process."""

    settings: Settings
    engine: Engine
    writer: GroupWriter
    signer: Signer
    gatekeeper: Gatekeeper
    pool: ThreadPoolExecutor
    instance: str
    draining: bool = False
    trying: bool = False
    waiting: int = 0
    arriving: int = 0
    in_flight: set[tuple[str, str]] = field(default_factory=set)
    in_hand: set[str] = field(default_factory=set)
    jobs: asyncio.Queue[tuple[str, str]] = field(default_factory=asyncio.Queue)
    tasks: set[asyncio.Task[None]] = field(default_factory=set)
    denials: Denials = field(default_factory=Denials)

    async def write(self, item: Write) -> Receipt:
        """Store one item; return after the COMMIT that contains it.

        A caller that goes away does not cancel the write.

        Raises
        ------
        Overloaded, StoreUnavailable, IdempotencyMismatch
        """
        return await self.stored(self.submit(item))

    def submit(self, item: Write) -> "asyncio.Future[Receipt]":
        """Queue one item for :meth:`stored`, which must be awaited.

        Raises
        ------
        Overloaded, StoreUnavailable
        """
        if not self.settings.store_runs:
            nothing: asyncio.Future[Receipt] = asyncio.get_running_loop().create_future()
            nothing.set_result(Receipt(0, 0, None))
            return nothing
        try:
            return self.writer.submit_async(item)
        except QueueFull:
            raise Overloaded("the write queue is full") from None
        except WriterStopped:
            raise StoreUnavailable(_UNREACHABLE) from None

    async def stored(self, queued: "asyncio.Future[Receipt]") -> Receipt:
        """Return after the COMMIT that contains a queued item.

        Raises
        ------
        StoreUnavailable, IdempotencyMismatch
        """
        try:
            return await queued
        except (DatabaseUnavailable, WriterStopped):
            raise StoreUnavailable(_UNREACHABLE) from None
        except LogInconsistent:
            raise StoreUnavailable("the audit log contradicts itself; the operator must look at it") from None
        except RowRejected:
            raise StoreUnavailable("the database refused to store this; the log of the service has the cause") from None
        except StoredMismatch:
            raise IdempotencyMismatch("the Idempotency-Key was used with another request") from None

    async def read(self, query: Callable[[Connection], T]) -> T:
        """Run one read-only query outside the event loop."""
        return await asyncio.to_thread(self._read, query)

    def _read(self, query: Callable[[Connection], T]) -> T:
        try:
            with reading(self.engine) as connection:
                return query(connection)
        except DatabaseUnavailable:
            raise StoreUnavailable("the database cannot be reached") from None

    def lease_end(self) -> str:
        """Return until when nobody else may compute a run that this process takes now."""
        return utc_after(LEASE_SECONDS)

    @contextmanager
    def place(self) -> Iterator[None]:
        """Hold a place among the queued runs of this process while the run is being stored.

        Raises
        ------
        Overloaded
        """
        if len(self.in_hand) + self.arriving >= self.settings.compute_queue:
            raise Overloaded("too many queued runs are waiting")
        self.arriving += 1
        try:
            yield
        finally:
            self.arriving -= 1

    def enqueue(self, tenant: str, run_id: str) -> None:
        """Let the background workers compute a queued run of which this process holds the lease."""
        if run_id not in self.in_hand:
            self.in_hand.add(run_id)
            self.jobs.put_nowait((tenant, run_id))

    def background(self, work: Callable[[], None]) -> None:
        """Do something in a compute thread that nobody waits for; its failure is logged."""

        async def run() -> None:
            try:
                await asyncio.get_running_loop().run_in_executor(self.pool, work)
            except Exception as error:
                telemetry.log_failure(None, error)

        task = asyncio.create_task(run())
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def ready(self) -> dict[str, bool]:
        """Return the state of everything that must work before traffic comes."""

        def check() -> bool:
            return schema_fits(self.engine) and accepts_writes(self.engine)

        try:
            database = await asyncio.wait_for(asyncio.to_thread(check), _READY_SECONDS)
        except Exception:
            database = False
        if database:
            await self._try_again()
        stats = self.writer.stats
        return {
            "database": database,
            "writer": stats.last_failure is None and stats.queue_length < self.settings.writer_queue,
            "accepting": not self.draining,
        }

    async def _try_again(self) -> None:
        """After a batch that the database failed, write one event: no traffic comes that would show the recovery."""
        failure = self.writer.stats.last_failure
        if failure is None or self.trying:
            return
        self.trying = True
        try:
            recovered = Event(
                event="store.recovered",
                subject=self.instance,
                tenant="",
                actor=f"process:{self.instance}",
                extra={"error": failure},
            )
            with suppress(AbscopeError, TimeoutError):
                await asyncio.wait_for(self.write(recovered), _READY_SECONDS)
        finally:
            self.trying = False

    def measure(self) -> None:
        """Bring the writer's figures into the metrics."""
        stats = self.writer.stats
        telemetry.WRITER_QUEUE.set(stats.queue_length)
        telemetry.WRITER_BATCHES.set(stats.batches)
        telemetry.WRITER_ROWS.set(stats.stored)
        telemetry.WRITER_LAST_BATCH.set(stats.last_batch_sizes[-1] if stats.last_batch_sizes else 0)


@asynccontextmanager
async def open_runtime(settings: Settings) -> AsyncIterator[Runtime]:
    """Open every resource, migrate the database, and drain it all at the end."""
    engine = open_database(settings)
    try:
        await asyncio.to_thread(migrate, engine)
        signer = await asyncio.to_thread(signer_of, settings, engine)
        pepper = await asyncio.to_thread(pepper_of, settings, engine)
    except BaseException:
        engine.dispose()
        raise
    writer = GroupWriter(
        engine,
        signer.sign,
        check_signature=signer.verifier.check,
        max_batch=settings.writer_batch,
        queue_limit=settings.writer_queue,
        on_failure=lambda cause: telemetry.log(logging.ERROR, event="write-failed", error=cause),
    )
    writer.start()
    instance = new_id()
    runtime = Runtime(
        settings=settings,
        engine=engine,
        writer=writer,
        signer=signer,
        gatekeeper=Gatekeeper(settings, engine, pepper),
        pool=ThreadPoolExecutor(settings.compute_threads, thread_name_prefix=f"{_COMPUTE}-{instance}"),
        instance=instance,
    )
    keeper = CheckpointKeeper(settings, engine, signer.verifier)
    await asyncio.to_thread(keeper.keep)
    runtime.tasks.add(asyncio.create_task(keeper.watch()))
    telemetry.log(logging.INFO, event="started")
    try:
        yield runtime
    finally:
        runtime.draining = True
        for task in list(runtime.tasks):
            task.cancel()
        await asyncio.gather(*runtime.tasks, return_exceptions=True)
        await runtime.denials.close()
        await _close_pool(runtime)
        await asyncio.to_thread(writer.drain, settings.drain_seconds)
        await asyncio.to_thread(keeper.keep)
        engine.dispose()
        telemetry.log(logging.INFO, event="stopped")


async def _close_pool(runtime: Runtime) -> None:
    """Let the compute threads end; one that goes on is left behind, as nobody waits for its answer any more."""
    runtime.pool.shutdown(wait=False, cancel_futures=True)
    deadline = time.monotonic() + _ABANDON_SECONDS
    while computing(runtime.instance):
        if time.monotonic() > deadline:
            telemetry.log(logging.WARNING, event="computation-abandoned")
            return
        await asyncio.sleep(0.01)


def computing(instance: str = "") -> bool:
    """Return whether a compute thread of a runtime, or of any, still lives."""
    return any(thread.name.startswith(f"{_COMPUTE}-{instance}") for thread in threading.enumerate())
