"""The audit log: entries, signed checkpoint, inclusion and consistency proofs."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request

from api import problems
from api.context import allowed, runtime_of
from api.parameters import RunId
from schemas.audit import Checkpoint, ConsistencyProof, EntryPage, InclusionProof
from service import trail
from service.access import Caller
from service.errors import InvalidInput, NotFound

router = APIRouter(prefix="/audit", tags=["Audit"])
Auditor = Annotated[Caller, Depends(allowed("audit:read"))]
Size = Annotated[int, Query(ge=0, le=2**53 - 1, description="Number of leaves.")]


@router.get(
    "/checkpoint",
    operation_id="get_audit_checkpoint",
    summary="Signed size and root of the log",
    response_model=Checkpoint,
    responses=problems.documented(),
)
async def get_checkpoint(request: Request, caller: Auditor) -> Any:
    """Keep it: a later log must be consistent with it."""
    return await trail.checkpoint(runtime_of(request))


@router.get(
    "/entries",
    operation_id="list_audit_entries",
    summary="Entries of the log that belong to the caller's tenant",
    response_model=EntryPage,
    responses=problems.documented(InvalidInput),
)
async def list_entries(
    request: Request,
    caller: Auditor,
    start: Annotated[int, Query(ge=0, le=2**53 - 1, description="First leaf index.")] = 0,
    limit: Annotated[int, Query(ge=1, le=1000, description="Most entries of a page.")] = 100,
) -> Any:
    """In the order of the log; ``next_start`` is null at its end."""
    return await trail.entries(runtime_of(request), caller, start=start, limit=limit)


@router.get(
    "/proofs/{run_id}",
    operation_id="get_inclusion_proof",
    summary="Proof that a run stands in the log",
    response_model=InclusionProof,
    responses=problems.documented(NotFound),
)
async def get_inclusion_proof(
    request: Request,
    caller: Auditor,
    run_id: RunId,
) -> Any:
    """RFC 9162 inclusion proof of the run's leaf in the current signed tree.

    ``row`` ties a run that was received to the leaf: its digests are of the text of the run's members as they were
    answered, and ``row_sha256`` in the leaf's record is the SHA-256 of ``row`` as canonical JSON.
    """
    return await trail.inclusion(runtime_of(request), caller, run_id)


@router.get(
    "/consistency",
    operation_id="get_consistency_proof",
    summary="Proof that an older log is a prefix of a newer one",
    response_model=ConsistencyProof,
    responses=problems.documented(InvalidInput),
)
async def get_consistency_proof(request: Request, caller: Auditor, first: Size, second: Size) -> Any:
    """RFC 9162 consistency proof between two tree sizes."""
    return await trail.consistency(runtime_of(request), first, second)
