"""What happened to the patients of this site, and how well a model did on them."""

import hashlib
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection

from db import queries
from db.clock import utc_now
from db.errors import DeathRecorded, OutcomeCorrected, UnknownRow
from db.writes import Event, NewOutcome
from schemas.outcomes import OutcomeList, OutcomeRead, OutcomeRequest
from schemas.performance import ModelPerformance
from service.access import Caller
from service.errors import FinalState, IdempotencyMismatch, InvalidInput, NotFound
from service.ids import new_id
from service.performance import assess
from service.performance_records import content_of, value_of
from service.runs import idempotency_key
from service.runtime import Runtime
from simulation.registry import CARDS

_CORRECTED: Final = "the outcome has been corrected already; correct the correction"


@dataclass(frozen=True, slots=True)
class Recorded:
    """A stored outcome; ``replayed`` where an earlier request of the same key had stored it."""

    outcome: OutcomeRead
    replayed: bool


async def record(
    runtime: Runtime, caller: Caller, run_id: str, outcome: OutcomeRequest, offered_key: str | None = None
) -> Recorded:
    """Append an outcome to a run; nothing is ever overwritten.

    Raises
    ------
    NotFound
        The tenant has no such run.
    InvalidInput
        ``corrects_id`` names no outcome of this run, or the Idempotency-Key is none.
    IdempotencyMismatch
        The key belongs to another request.
    FinalState
        That outcome has been corrected already, or the run has a death already.
    """
    key = idempotency_key(offered_key)
    request_sha256 = _request_digest(run_id, outcome) if key else None
    if key is not None and (known := await _known(runtime, caller, key, request_sha256)) is not None:
        return Recorded(known, replayed=True)
    stored = await runtime.read(lambda connection: _of_run(connection, caller.tenant, run_id))
    if outcome.corrects_id is not None:
        replaced = next((row for row in stored.outcomes if row.id == outcome.corrects_id), None)
        if replaced is None:
            raise InvalidInput("/corrects_id", "name an outcome of this run")
        if replaced.corrected and key is None:  # with a key, it may have been corrected by this very request
            raise FinalState(_CORRECTED)
    new = NewOutcome(
        id=new_id(),
        run_id=run_id,
        tenant=caller.tenant,
        recorded_at=utc_now(),
        kind=outcome.kind,
        day=outcome.day,
        value=value_of(outcome),
        corrects_id=outcome.corrects_id,
        actor=caller.actor,
        idempotency_key=key,
        request_sha256=request_sha256,
    )
    try:
        receipt = await runtime.write(new)
    except UnknownRow:
        raise NotFound("no run has this id") from None
    except OutcomeCorrected:
        raise FinalState(_CORRECTED) from None
    except DeathRecorded:
        raise FinalState("a death of this run is recorded already; correct it with corrects_id") from None
    if receipt.existing_id is not None:
        return Recorded(await _outcome(runtime, caller, run_id, receipt.existing_id), replayed=True)
    return Recorded(_read(new, corrected=False), replayed=False)


async def _known(runtime: Runtime, caller: Caller, key: str, request_sha256: str | None) -> OutcomeRead | None:
    """Return the outcome that an earlier request of this key stored."""
    row = await runtime.read(lambda connection: queries.get_idempotent(connection, caller.tenant, key))
    if row is None:
        return None
    if row.request_sha256 != request_sha256:
        raise IdempotencyMismatch("the Idempotency-Key was used with another request")
    return await _outcome(runtime, caller, row.run_id, row.outcome_id)


async def _outcome(runtime: Runtime, caller: Caller, run_id: str, outcome_id: str) -> OutcomeRead:
    found = await of_run(runtime, caller, run_id)
    return next(row for row in found.outcomes if row.id == outcome_id)


def _request_digest(run_id: str, outcome: OutcomeRequest) -> str:
    body = outcome.model_dump_json(exclude_none=True)
    return hashlib.sha256(f"outcome\n{run_id}\n{body}".encode()).hexdigest()


async def of_run(runtime: Runtime, caller: Caller, run_id: str) -> OutcomeList:
    """Return everything recorded about a run, corrected entries included; the read becomes an event first.

    Raises
    ------
    NotFound
        The tenant has no such run.
    """
    found = await runtime.read(lambda connection: _of_run(connection, caller.tenant, run_id))
    await runtime.write(Event(event="outcomes.read", subject=run_id, tenant=caller.tenant, actor=caller.actor))
    return found


async def performance(runtime: Runtime, caller: Caller, model_id: str) -> ModelPerformance:
    """Return how well a model did on the runs of the caller's tenant; the read becomes an event first.

    Raises
    ------
    NotFound
        No model has this id.
    """
    if model_id not in CARDS:
        raise NotFound("no model has this id; GET /v1/models lists them")

    def judge(connection: Connection) -> ModelPerformance:
        return assess(queries.outcomes_of_model(connection, caller.tenant, model_id), model_id)

    found = await runtime.read(judge)
    await runtime.write(Event(event="performance.read", subject=model_id, tenant=caller.tenant, actor=caller.actor))
    return found


def _of_run(connection: Connection, tenant: str, run_id: str) -> OutcomeList:
    if queries.get_run(connection, tenant, run_id) is None:
        raise NotFound("no run has this id")
    rows = queries.outcomes_of_run(connection, tenant, run_id)
    corrected = {row.corrects_id for row in rows}
    return OutcomeList(outcomes=[_read(row, corrected=row.id in corrected) for row in rows])


def _read(row: Any, *, corrected: bool) -> OutcomeRead:
    return OutcomeRead(
        id=row.id,
        run_id=row.run_id,
        recorded_at=row.recorded_at,
        kind=row.kind,
        day=row.day,
        corrects_id=row.corrects_id,
        corrected=corrected,
        **content_of(row.kind, row.value),
    )
