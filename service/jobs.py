"""Runs that were asked for with respond-async: computed later, also after a crash.

A process that works on a run holds a lease and renews it while it lives; when the lease expires,
another process, or the next one after a restart, takes the run over. The computation is
deterministic, so it does not matter who ends it.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, Final

from pydantic_core import to_json
from sqlalchemy import Connection

from db import leases, queries
from db.clock import utc_now
from db.engine import writing
from db.errors import RunClosed
from db.writes import FinishRun
from schemas.run import RunWarning
from service import telemetry
from service.catalog import KINDS
from service.errors import AbscopeError, InvalidInput
from service.parsing import parse
from service.runs import compute
from service.runtime import LEASE_SECONDS, Runtime

_POLL_SECONDS: Final = LEASE_SECONDS / 4
_AT_ONCE: Final = 100


@asynccontextmanager
async def run_jobs(runtime: Runtime) -> AsyncIterator[None]:
    """Compute queued runs in the background for as long as the context is open."""
    background = [asyncio.create_task(_feed(runtime))]
    background += [asyncio.create_task(_work(runtime)) for _ in range(runtime.settings.compute_threads)]
    try:
        yield
    finally:
        for task in background:
            task.cancel()
        await asyncio.gather(*background, return_exceptions=True)


async def _feed(runtime: Runtime) -> None:
    """Keep the leases of the runs in hand, and pick up those that nobody works on."""
    while True:
        try:
            await asyncio.to_thread(_renew, runtime)
            waiting = await runtime.read(lambda connection: leases.waiting_runs(connection, utc_now(), _AT_ONCE))
            for row in waiting:
                runtime.enqueue(row.tenant, row.id)
        except Exception as error:
            telemetry.log_failure(None, error)
        await asyncio.sleep(_POLL_SECONDS)


def _renew(runtime: Runtime) -> None:
    with writing(runtime.engine) as connection:
        for run_id in list(runtime.in_hand):
            leases.renew_lease(connection, run_id, runtime.instance, runtime.lease_end())


def _claim(runtime: Runtime, run_id: str) -> bool:
    with writing(runtime.engine) as connection:
        return leases.claim_run(connection, run_id, runtime.instance, utc_now(), runtime.lease_end())


def _release(runtime: Runtime, run_id: str) -> None:
    with writing(runtime.engine) as connection:
        leases.release_run(connection, run_id, runtime.instance)


async def _work(runtime: Runtime) -> None:
    while True:
        tenant, run_id = await runtime.jobs.get()
        try:
            if await asyncio.to_thread(_claim, runtime, run_id):
                await _finish(runtime, await runtime.read(partial(_row, tenant=tenant, run_id=run_id)))
        except asyncio.CancelledError:
            await asyncio.to_thread(_release, runtime, run_id)
            raise
        except Exception as error:
            telemetry.log_failure(None, error)
        finally:
            runtime.in_hand.discard(run_id)


def _row(connection: Connection, tenant: str, run_id: str) -> Any:
    return queries.get_run(connection, tenant, run_id)


async def _finish(runtime: Runtime, row: Any) -> None:
    """Compute one queued run and store its end; a run cancelled meanwhile stays cancelled."""
    kind = KINDS[row.kind]
    loop = asyncio.get_running_loop()
    try:
        request = parse(kind.request, row.input)
        computed = await loop.run_in_executor(runtime.pool, compute, kind, request)
        end = FinishRun(
            run_id=row.id,
            tenant=row.tenant,
            status="succeeded",
            result=computed.result,
            result_sha256=computed.result_sha256,
            warnings=computed.warnings,
            models=computed.models,
            actor=f"process:{runtime.instance}",
            lease_owner=runtime.instance,
        )
    except Exception as error:
        if not isinstance(error, AbscopeError):
            telemetry.log_failure(row.request_id, error)
        end = FinishRun(
            run_id=row.id,
            tenant=row.tenant,
            status="failed",
            result=None,
            result_sha256=None,
            warnings=to_json(_reasons(error)),
            models=(),
            actor=f"process:{runtime.instance}",
            lease_owner=runtime.instance,
        )
    try:
        await runtime.write(end)
    except RunClosed:
        telemetry.log(logging.INFO, event="run-closed-elsewhere", kind=row.kind)
        return
    telemetry.runs_of(row.kind, end.status).inc()


def _reasons(error: Exception) -> list[RunWarning]:
    if isinstance(error, InvalidInput):
        return [RunWarning(code="invalid-input", message=e["message"], pointer=e["pointer"]) for e in error.errors]
    return [RunWarning(code="computation-failed", message="the computation failed; see the log", pointer=None)]
