"""Model cards, as JSON and as pages."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request
from starlette.responses import HTMLResponse

from api import problems
from api.context import allowed
from schemas.models import ModelCardRead, ModelList
from service import cards
from service.access import Caller
from service.errors import NotFound

router = APIRouter(prefix="/models", tags=["Models"])
ModelId = Annotated[str, Path(pattern=r"^[a-z0-9][a-z0-9._-]{0,95}$")]
Reader = Annotated[Caller, Depends(allowed("models:read"))]
_PAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; frame-ancestors 'none'"


@router.get(
    "",
    operation_id="list_models",
    summary="Every model of this service",
    response_model=ModelList,
    responses=problems.documented(),
)
async def list_models(caller: Reader) -> Any:
    """One line about every model; each has a card."""
    return cards.list_cards()


@router.get(
    "/{model_id}",
    operation_id="get_model",
    summary="The card of one model",
    response_model=ModelCardRead,
    responses={
        **problems.documented(NotFound),
        200: {
            "description": "The card; as a readable page with Accept text/html.",
            "content": {"text/html": {"schema": {"type": "string"}}},
        },
    },
)
async def get_model(request: Request, model_id: ModelId, caller: Reader) -> Any:
    """Purpose, population, inputs, equations, sources, performance, known failures and limits."""
    if "text/html" in request.headers.get("accept", ""):
        return HTMLResponse(cards.page(model_id), headers={"content-security-policy": _PAGE_POLICY})
    return cards.read_card(model_id)
