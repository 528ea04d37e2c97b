"""The stored runs: list, read, draw, replay, cancel."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from api import caching, problems
from api.context import allowed, runtime_of
from api.negotiation import CSV, JSON, SVG, preferred
from api.parameters import MODEL_ID, RunId
from schemas.run import Replay, Run, RunList, RunStatus
from service import listing, pictures, runs
from service.access import Caller
from service.catalog import KINDS
from service.errors import Conflict, FinalState, InvalidInput, NotFound

router = APIRouter(prefix="/runs", tags=["Runs"])
Reader = Annotated[Caller, Depends(allowed("runs:read"))]


@router.get(
    "",
    operation_id="list_runs",
    summary="List stored runs",
    response_model=RunList,
    responses=problems.documented(InvalidInput),
)
async def list_runs(
    request: Request,
    caller: Reader,
    kind: Annotated[
        str | None, Query(max_length=64, description="Only runs of this kind.", json_schema_extra={"enum": [*KINDS]})
    ] = None,
    model: Annotated[str | None, Query(pattern=MODEL_ID, description="Only runs that this model took part in.")] = None,
    patient_reference: Annotated[
        str | None, Query(pattern=r"^[A-Za-z0-9._:-]{1,64}$", description="Only runs of this patient, as posted.")
    ] = None,
    status: Annotated[RunStatus | None, Query(description="Only runs that stand so.")] = None,
    created_after: Annotated[str | None, Query(max_length=40, description="RFC 3339; runs at or after it.")] = None,
    created_before: Annotated[str | None, Query(max_length=40, description="RFC 3339; runs before it.")] = None,
    limit: Annotated[int, Query(ge=1, le=200, description="Most runs of a page.")] = 50,
    cursor: Annotated[str | None, Query(max_length=200, description="next_cursor of the page before.")] = None,
) -> Response:
    """Newest first; ``next_cursor`` leads to the next page, and null ends the list."""
    wanted = listing.Filter(
        kind=kind,
        model=model,
        patient_reference=patient_reference,
        status=status,
        created_after=created_after,
        created_before=created_before,
    )
    page = await listing.list_page(runtime_of(request), caller, wanted, limit=limit, cursor=cursor)
    headers = {}
    if page.next_cursor is not None:
        headers["Link"] = f'<{request.url.include_query_params(cursor=page.next_cursor)}>; rel="next"'
    return Response(page.body, media_type="application/json", headers=headers)


@router.get(
    "/{run_id}",
    operation_id="get_run",
    summary="Read one run",
    response_model=Run,
    responses={
        **problems.documented(NotFound, problems.NotAcceptable, InvalidInput),
        200: {
            "description": "The run; where its kind has them, a picture with Accept image/svg+xml and its series with "
            "Accept text/csv.",
            "content": {SVG: {"schema": {"type": "string"}}, CSV: {"schema": {"type": "string"}}},
        },
        304: {"description": "The caller already has this run."},
    },
)
async def get_run(
    request: Request,
    run_id: RunId,
    caller: Reader,
    figure: Annotated[
        str | None, Query(pattern=r"^[a-z][a-z0-9_]{0,63}$", description="Name of a picture; answers SVG.")
    ] = None,
) -> Response:
    """Every read is an event of the audit log."""
    answer = await runs.read(runtime_of(request), caller, run_id)
    wanted = SVG if figure is not None else _wanted(request, answer)
    if wanted == SVG:
        picture = await pictures.draw(runtime_of(request), answer, figure)
        return Response(picture, media_type=SVG, headers={"Vary": caching.VARY})
    if wanted == CSV:
        table = await pictures.series(runtime_of(request), answer)
        return Response(table, media_type=CSV, headers={"Vary": caching.VARY})
    headers = {"ETag": answer.etag, "Cache-Control": caching.REVALIDATE, "Vary": caching.VARY}
    if answer.ended and caching.has(request, answer.etag):
        return Response(status_code=304, headers=headers)
    return Response(answer.body, media_type="application/json", headers=headers)


def _wanted(request: Request, answer: runs.Answer) -> str:
    """Return what the caller likes best of what this run has; most want JSON, and then the run need not be read."""
    if request.headers.get("accept", "*/*") in ("*/*", JSON):
        return JSON
    return preferred(request, (JSON, *pictures.media_types(answer)))


@router.post(
    "/{run_id}/replay",
    operation_id="replay_run",
    summary="Compute a run again and compare the bytes",
    response_model=Replay,
    responses=problems.documented(NotFound, Conflict, FinalState),
)
async def replay_run(request: Request, run_id: RunId, caller: Reader) -> Any:
    """Says whether input, models and seed give the stored bytes again."""
    return await runs.replay(runtime_of(request), caller, run_id)


@router.delete(
    "/{run_id}",
    operation_id="cancel_run",
    summary="Cancel a run that has not ended",
    response_model=Run,
    responses=problems.documented(NotFound, FinalState),
)
async def cancel_run(
    request: Request, run_id: RunId, caller: Annotated[Caller, Depends(allowed("runs:write"))]
) -> Response:
    """Refuse when the run has ended: then it is immutable."""
    answer = await runs.cancel(runtime_of(request), caller, run_id)
    return Response(answer.body, media_type="application/json")
