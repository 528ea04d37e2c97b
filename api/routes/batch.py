"""Predictions for many patients, streamed."""

from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from api import problems
from api.context import allowed, runtime_of
from api.routes.compute import IDEMPOTENCY_KEY_SCHEMA
from schemas.batch import BatchLine
from service import batch, batches
from service.access import Caller
from service.errors import InvalidInput
from service.runs import Origin

router = APIRouter(tags=["Compute"])
_BODY: Any = {
    "required": True,
    "content": {
        "application/x-ndjson": {"schema": {"type": "string", "description": "One prediction request a line."}},
        "application/json": {"schema": {"type": "array", "items": {"$ref": "#/components/schemas/PredictionRequest"}}},
        "text/csv": {"schema": {"type": "string", "description": "Header of dotted paths, one patient a row."}},
    },
}
_KEY: Any = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "Counts row by row: a row that was stored under this key is answered and not stored again, so a "
    "batch that broke off can be sent again; another patient in its place is an error of the row.",
    "schema": IDEMPOTENCY_KEY_SCHEMA,
}


class Lines(StreamingResponse):
    """Streams while the body is still read; the stock response would listen for a disconnect on the same channel."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send every line as it comes."""
        await self.stream_response(send)


@router.post(
    "/predictions:batch",
    operation_id="create_prediction_batch",
    summary="Predictions for up to 10,000 patients",
    responses={
        **problems.documented(problems.UnsupportedMediaType, problems.BodyTooLarge, InvalidInput),
        200: {
            "description": "JSON lines in the order of the rows: a stored run or the row's errors; then a summary.",
            "model": BatchLine,
            "content": {"application/x-ndjson": {"schema": {"$ref": "#/components/schemas/BatchLine"}}},
        },
    },
    openapi_extra={"parameters": [_KEY], "requestBody": _BODY},
    response_class=Lines,
)
async def create_prediction_batch(request: Request, caller: Annotated[Caller, Depends(allowed("runs:write"))]) -> Lines:
    """Every good row becomes a run of its own; bad rows are reported by line and fail alone."""
    origin = Origin(
        caller=caller,
        request_id=request.state.request_id,
        idempotency_key=request.headers.get("idempotency-key"),
    )
    content_type = request.headers.get("content-type", "")
    try:
        lines = await batches.answers(runtime_of(request), origin, _body(request), content_type)
    except batch.UnsupportedContent as error:
        raise problems.UnsupportedMediaType(error.detail) from None
    return Lines(lines, media_type="application/x-ndjson")


async def _body(request: Request) -> AsyncIterator[bytes]:
    async for chunk in request.stream():
        yield chunk
