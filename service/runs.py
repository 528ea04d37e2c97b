"""The life of a run: parse, compute, store, answer, read, replay."""

import asyncio
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any, Final

import orjson
from pydantic_core import to_json

from db import queries
from db.clock import utc_now
from db.digests import models_json
from db.errors import RunClosed, UnknownRow
from db.writes import CancelRun, Event, NewRun, Receipt
from schemas.base import ComputeRequest, Schema
from schemas.run import Replay
from service import telemetry
from service.access import Caller
from service.catalog import KINDS
from service.errors import Conflict, FinalState, IdempotencyMismatch, InvalidInput, NotFound, Overloaded
from service.ids import new_id
from service.kinds import Computation, Kind
from service.parsing import parse
from service.runtime import Runtime

SOFTWARE_VERSION: Final = version("abscope")
IDEMPOTENCY_KEY: Final = re.compile(r'^"?[A-Za-z0-9._:-]{1,128}"?$')
_ENDED: Final = frozenset({"succeeded", "failed", "cancelled"})


@dataclass(frozen=True, slots=True)
class Answer:
    """A run as it goes over the wire."""

    run_id: str
    body: bytes
    etag: str
    ended: bool
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class Origin:
    """Who asks for a run, and how."""

    caller: Caller
    request_id: str
    idempotency_key: str | None = None
    asynchronous: bool = False


@dataclass(frozen=True, slots=True)
class Computed:
    """The bytes that a computation leaves behind."""

    result: bytes
    warnings: bytes
    models: tuple[tuple[str, str], ...]

    @property
    def result_sha256(self) -> str:
        """SHA-256 of the result's bytes."""
        return hashlib.sha256(self.result).hexdigest()


async def create(runtime: Runtime, origin: Origin, kind: Kind, request: ComputeRequest) -> Answer:
    """Compute and store one run; the answer exists only after its COMMIT.

    Raises
    ------
    InvalidInput
        The request fits the schema but not the computation.
    IdempotencyMismatch, Conflict
        The key belongs to another request, or its first request is still running.
    Overloaded
        Nothing was stored.
    StoreUnavailable
        The run may have been stored; the same Idempotency-Key tells.
    """
    data = canonical(request)
    key = idempotency_key(origin.idempotency_key)
    if key is None:
        return await _store(runtime, origin, kind, request, data, None)
    tenant = origin.caller.tenant
    known = await runtime.read(lambda connection: queries.get_idempotent(connection, tenant, key))
    if known is not None:
        if known.request_sha256 != _request_digest(kind, data):
            raise IdempotencyMismatch("the Idempotency-Key was used with another request")
        return await _again(runtime, tenant, origin.caller.actor, known.run_id)
    if (tenant, key) in runtime.in_flight:
        raise Conflict("a request with this Idempotency-Key is still running")
    runtime.in_flight.add((tenant, key))
    try:
        return await _store(runtime, origin, kind, request, data, key)
    finally:
        runtime.in_flight.discard((tenant, key))


async def read(runtime: Runtime, caller: Caller, run_id: str) -> Answer:
    """Return a stored run; the read becomes an event of the audit log first.

    Raises
    ------
    NotFound
        No such run belongs to the caller's tenant.
    """
    answer = await _stored(runtime, caller.tenant, run_id)
    await _event(runtime, caller, "run.read", run_id)
    return answer


async def replay(runtime: Runtime, caller: Caller, run_id: str) -> Replay:
    """Compute a stored run again and compare the bytes.

    Raises
    ------
    NotFound, Conflict, FinalState
        No such run, or it has no result, yet or for ever.
    """
    row = await _row(runtime, caller.tenant, run_id)
    if row.status != "succeeded":
        refusal = FinalState if row.status in _ENDED else Conflict
        raise refusal("only a run that succeeded can be replayed")
    kind = KINDS[row.kind]
    again = await _compute(runtime, kind, parse(kind.request, row.input))
    await _event(runtime, caller, "run.replayed", run_id)
    return Replay(
        run_id=run_id,
        identical=again.result == row.result and again.warnings == row.warnings,
        same_models=models_json(again.models) == row.models,
        stored_sha256=row.result_sha256,
        recomputed_sha256=again.result_sha256,
        stored_software_version=row.software_version,
        software_version=SOFTWARE_VERSION,
    )


async def cancel(runtime: Runtime, caller: Caller, run_id: str) -> Answer:
    """Cancel a run that has not ended.

    Raises
    ------
    NotFound, FinalState
        No such run, or it has ended.
    """
    try:
        await runtime.write(CancelRun(run_id=run_id, tenant=caller.tenant, actor=caller.actor))
    except UnknownRow:
        raise NotFound("no run has this id") from None
    except RunClosed:
        raise FinalState("the run has ended; ended runs are immutable") from None
    return await _stored(runtime, caller.tenant, run_id)


def canonical(request: ComputeRequest) -> bytes:
    """Return the stored form of a request: equal requests are equal bytes, whatever their spelling."""
    return request.__pydantic_serializer__.to_json(request, exclude_none=True)


def compute(kind: Kind, request: ComputeRequest) -> Computed:
    """Run the computation of a kind and serialize what it leaves behind."""
    computation = kind.compute(request)
    return Computed(
        result=_json(computation),
        warnings=to_json(computation.warnings) if computation.warnings else b"[]",
        models=tuple((model.id, model.version) for model in computation.models),
    )


def _json(computation: Computation) -> bytes:
    if isinstance(computation.result, Schema):
        return computation.result.__pydantic_serializer__.to_json(computation.result)
    return orjson.dumps(computation.result)


async def _compute(runtime: Runtime, kind: Kind, request: ComputeRequest) -> Computed:
    if not kind.blocking:
        return compute(kind, request)
    if runtime.waiting >= runtime.settings.compute_queue:
        raise Overloaded("too many computations are waiting")
    runtime.waiting += 1
    try:
        return await asyncio.get_running_loop().run_in_executor(runtime.pool, compute, kind, request)
    finally:
        runtime.waiting -= 1


async def _store(
    runtime: Runtime, origin: Origin, kind: Kind, request: ComputeRequest, data: bytes, key: str | None
) -> Answer:
    if origin.asynchronous:
        return await _enqueue(runtime, new_run(origin, kind, request, data, None, key))
    run = new_run(origin, kind, request, data, await _compute(runtime, kind, request), key)
    return await answer_of(runtime, run, await runtime.write(run))


async def _enqueue(runtime: Runtime, run: NewRun) -> Answer:
    """Store a run that waits, and let the background compute it; its place is taken before it is stored."""
    with runtime.place():
        answer = await answer_of(runtime, run, await runtime.write(run))
    if not answer.replayed:
        runtime.enqueue(run.tenant, run.id)
    return answer


def new_run(
    origin: Origin, kind: Kind, request: ComputeRequest, data: bytes, computed: Computed | None, key: str | None
) -> NewRun:
    """Return the run to be stored; without ``computed`` it waits for its computation."""
    patient = getattr(request, "patient", None)
    return NewRun(
        id=new_id(),
        tenant=origin.caller.tenant,
        kind=kind.name,
        status="succeeded" if computed else "queued",
        created_at=utc_now(),
        patient_reference=getattr(patient, "reference", None),
        input=data,
        input_sha256=hashlib.sha256(data).hexdigest(),
        result=computed.result if computed else None,
        result_sha256=computed.result_sha256 if computed else None,
        warnings=computed.warnings if computed else b"[]",
        models=computed.models if computed else (),
        seed=request.seed,
        software_version=SOFTWARE_VERSION,
        request_id=origin.request_id,
        actor=origin.caller.actor,
        idempotency_key=key,
        request_sha256=_request_digest(kind, data) if key else None,
    )


async def answer_of(runtime: Runtime, run: NewRun, receipt: Receipt) -> Answer:
    """Return the answer of a stored run, or of the run that its Idempotency-Key stands for."""
    if receipt.existing_id is not None:
        return await _again(runtime, run.tenant, run.actor, receipt.existing_id)
    telemetry.runs_of(run.kind, run.status).inc()
    return render(_plain(run), leaf_index=receipt.leaf_index)


def _plain(run: NewRun) -> Mapping[str, Any]:
    return {
        "id": run.id,
        "kind": run.kind,
        "status": run.status,
        "created_at": run.created_at,
        "input": run.input,
        "models": models_json(run.models),
        "seed": run.seed,
        "result": run.result,
        "warnings": run.warnings,
        "input_sha256": run.input_sha256,
        "result_sha256": run.result_sha256,
        "software_version": run.software_version,
    }


def render(row: Mapping[str, Any], *, leaf_index: int, replayed: bool = False) -> Answer:
    """Write the answer from the stored bytes, so that every reading of a run is the same bytes.

    The validator leaves out input and result themselves: their digests stand in the tail.
    """
    digest = f'"{row["result_sha256"]}"' if row["result_sha256"] else "null"
    head = (
        f'{{"id":"{row["id"]}","kind":"{row["kind"]}","status":"{row["status"]}",'
        f'"created_at":"{row["created_at"]}","input":'.encode()
    )
    seed = f',"seed":{row["seed"]},"result":'.encode()
    tail = (
        f',"digests":{{"input_sha256":"{row["input_sha256"]}","result_sha256":{digest}}},'
        f'"software_version":"{row["software_version"]}","audit":{{"leaf_index":{leaf_index}}}}}'.encode()
    )
    models, warnings = row["models"], row["warnings"]
    result = row["result"] if row["result"] is not None else b"null"
    body = b"".join((head, row["input"], b',"models":', models, seed, result, b',"warnings":', warnings, tail))
    validator = hashlib.sha256(b"".join((head, models, seed, warnings, tail))).hexdigest()
    return Answer(row["id"], body, f'"sha256-{validator}"', row["status"] in _ENDED, replayed)


async def _again(runtime: Runtime, tenant: str, actor: str, run_id: str) -> Answer:
    """Answer the run that an Idempotency-Key stands for, which is a read of it."""
    answer = await _stored(runtime, tenant, run_id, replayed=True)
    await runtime.write(Event(event="run.read", subject=run_id, tenant=tenant, actor=actor))
    return answer


async def _stored(runtime: Runtime, tenant: str, run_id: str, *, replayed: bool = False) -> Answer:
    row = await _row(runtime, tenant, run_id)
    return render(row._mapping, leaf_index=row.leaf_index, replayed=replayed)


async def _row(runtime: Runtime, tenant: str, run_id: str) -> Any:
    row = await runtime.read(lambda connection: queries.get_run(connection, tenant, run_id))
    if row is None:
        raise NotFound("no run has this id")
    return row


async def _event(runtime: Runtime, caller: Caller, event: str, subject: str) -> None:
    await runtime.write(Event(event=event, subject=subject, tenant=caller.tenant, actor=caller.actor))


def idempotency_key(offered: str | None) -> str | None:
    """Return the key without its optional quotes; refuse what is none."""
    if offered is None:
        return None
    if not IDEMPOTENCY_KEY.match(offered):
        raise InvalidInput("#/header/idempotency-key", "use 1 to 128 of the characters A-Z a-z 0-9 . _ : -")
    return offered.strip('"')


def _request_digest(kind: Kind, data: bytes) -> str:
    return hashlib.sha256(kind.name.encode() + b"\n" + data).hexdigest()
