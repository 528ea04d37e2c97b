"""What happened to the patients of this site, and how well a model did on them."""

from typing import Any

from sqlalchemy import Connection

from db import queries
from db.errors import RowRejected, UnknownRow
from db.writes import NewOutcome
from schemas.outcomes import OutcomeList, OutcomeRead, OutcomeRequest
from schemas.performance import ModelPerformance
from service.access import Caller
from service.clock import new_id, now, rfc3339
from service.errors import Conflict, InvalidInput, NotFound
from service.performance import assess
from service.performance_records import content_of, value_of
from service.runtime import Runtime
from simulation.registry import CARDS


async def record(runtime: Runtime, caller: Caller, run_id: str, outcome: OutcomeRequest) -> OutcomeRead:
    """Append an outcome to a run; nothing is ever overwritten.

    Raises
    ------
    NotFound
        The tenant has no such run.
    InvalidInput
        ``corrects_id`` names no outcome of this run.
    Conflict
        That outcome has been corrected already.
    """
    stored = await runtime.read(lambda connection: _of_run(connection, caller.tenant, run_id))
    if outcome.corrects_id is not None:
        replaced = next((row for row in stored.outcomes if row.id == outcome.corrects_id), None)
        if replaced is None:
            raise InvalidInput("/corrects_id", "name an outcome of this run")
        if replaced.corrected:
            raise Conflict("the outcome has been corrected already; correct the correction")
    new = NewOutcome(
        id=new_id(),
        run_id=run_id,
        tenant=caller.tenant,
        recorded_at=rfc3339(now()),
        kind=outcome.kind,
        day=outcome.day,
        value=value_of(outcome),
        corrects_id=outcome.corrects_id,
        actor=caller.actor,
    )
    try:
        await runtime.write(new)
    except UnknownRow:
        raise NotFound("no run has this id") from None
    except RowRejected:
        raise Conflict("the outcome has been corrected already; correct the correction") from None
    return _read(new, corrected=False)


async def of_run(runtime: Runtime, caller: Caller, run_id: str) -> OutcomeList:
    """Return everything recorded about a run, corrected entries included.

    Raises
    ------
    NotFound
        The tenant has no such run.
    """
    return await runtime.read(lambda connection: _of_run(connection, caller.tenant, run_id))


async def performance(runtime: Runtime, caller: Caller, model_id: str) -> ModelPerformance:
    """Return how well a model did on the runs of the caller's tenant.

    Raises
    ------
    NotFound
        No model has this id.
    """
    if model_id not in CARDS:
        raise NotFound("no model has this id; GET /v1/models lists them")

    def judge(connection: Connection) -> ModelPerformance:
        return assess(queries.outcomes_of_model(connection, caller.tenant, model_id), model_id)

    return await runtime.read(judge)


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
