"""What happened to the patient of a run, and how well a model did here."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request, Response

from api import caching, problems
from api.context import allowed, runtime_of
from api.negotiation import JSON, SVG, preferred
from api.parameters import ModelId, RunId
from api.routes.compute import IDEMPOTENCY_KEY_SCHEMA, require_json
from schemas.outcomes import OutcomeList, OutcomeRead, OutcomeRequest
from schemas.performance import ModelPerformance
from service import outcomes, performance_pictures
from service.access import Caller
from service.errors import FinalState, IdempotencyMismatch, NotFound
from service.parsing import MalformedJson, parse

router = APIRouter(tags=["Outcomes"])
_BODY: Any = {
    "required": True,
    "content": {
        "application/json": {
            "schema": {"$ref": "#/components/schemas/OutcomeRequest"},
            "examples": {"response": {"value": {"kind": "response", "day": 63, "response": "PR"}}},
        }
    },
}
_KEY: Any = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "The same key and body answer the same outcome, with Idempotency-Replayed; nothing is stored twice.",
    "schema": IDEMPOTENCY_KEY_SCHEMA,
}


@router.post(
    "/runs/{run_id}/outcomes",
    operation_id="record_outcome",
    summary="Record what happened to the patient of a run",
    status_code=201,
    response_model=OutcomeRead,
    responses=problems.documented(
        NotFound, FinalState, IdempotencyMismatch, MalformedJson, problems.BodyTooLarge, problems.UnsupportedMediaType
    ),
    openapi_extra={"parameters": [_KEY], "requestBody": _BODY},
)
async def record_outcome(
    request: Request,
    response: Response,
    run_id: RunId,
    caller: Annotated[Caller, Depends(allowed("outcomes:write"))],
) -> Any:
    """Response, progression, death, toxicity or follow-up; a correction appends and names what it replaces."""
    require_json(request)
    body = parse(OutcomeRequest, await request.body())
    key = request.headers.get("idempotency-key")
    recorded = await outcomes.record(runtime_of(request), caller, run_id, body, key)
    if recorded.replayed:
        response.headers["Idempotency-Replayed"] = "true"
    return recorded.outcome


@router.get(
    "/runs/{run_id}/outcomes",
    operation_id="list_outcomes",
    summary="Everything recorded about a run",
    response_model=OutcomeList,
    responses=problems.documented(NotFound),
)
async def list_outcomes(
    request: Request, run_id: RunId, caller: Annotated[Caller, Depends(allowed("runs:read"))]
) -> Any:
    """In the order of recording; corrected entries stay."""
    return await outcomes.of_run(runtime_of(request), caller, run_id)


@router.get(
    "/models/{model_id}/performance",
    operation_id="get_model_performance",
    summary="How well a model did on the runs of this site",
    response_model=ModelPerformance,
    responses={
        **problems.documented(NotFound, problems.NotAcceptable),
        200: {
            "description": "Figures per endpoint; as a picture with Accept image/svg+xml.",
            "content": {SVG: {"schema": {"type": "string"}}},
        },
    },
)
async def get_model_performance(
    request: Request,
    response: Response,
    model_id: ModelId,
    caller: Annotated[Caller, Depends(allowed("runs:read"))],
    figure: Annotated[
        Literal["calibration", "decision", "survival"], Query(description="Which picture, with Accept image/svg+xml.")
    ] = "calibration",
) -> Any:
    """Discrimination, calibration, Brier score, decision curve, subgroups and drift; small numbers are suppressed."""
    found = await outcomes.performance(runtime_of(request), caller, model_id)
    response.headers["Vary"] = caching.VARY
    if preferred(request, (JSON, SVG)) == SVG:
        return Response(performance_pictures.draw(found, figure), media_type=SVG, headers={"Vary": caching.VARY})
    return found
