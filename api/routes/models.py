"""Model cards, as JSON and as pages."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from api import caching, problems
from api.context import allowed
from api.negotiation import HTML, JSON, preferred
from api.parameters import ModelId
from schemas.models import ModelCardRead, ModelList
from service import cards
from service.access import Caller
from service.errors import NotFound

router = APIRouter(prefix="/models", tags=["Models"])
Reader = Annotated[Caller, Depends(allowed("models:read"))]
_PAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; frame-ancestors 'none'"


@router.get(
    "",
    operation_id="list_models",
    summary="Every model of this service",
    response_model=ModelList,
    responses={**problems.documented(), **caching.NOT_MODIFIED},
)
async def list_models(request: Request, caller: Reader) -> Response:
    """One line about every model; each has a card."""
    return caching.revalidated(request, cards.list_cards().model_dump_json().encode(), JSON)


@router.get(
    "/{model_id}",
    operation_id="get_model",
    summary="The card of one model",
    response_model=ModelCardRead,
    responses={
        **problems.documented(NotFound, problems.NotAcceptable),
        **caching.NOT_MODIFIED,
        200: {
            "description": "The card; as a readable page with Accept text/html.",
            "content": {HTML: {"schema": {"type": "string"}}},
        },
    },
)
async def get_model(request: Request, model_id: ModelId, caller: Reader) -> Response:
    """Purpose, population, inputs, equations, sources, performance, known failures and limits."""
    if preferred(request, (JSON, HTML)) == HTML:
        policy = {"content-security-policy": _PAGE_POLICY}
        return caching.revalidated(request, cards.page(model_id).encode(), HTML, policy)
    return caching.revalidated(request, cards.read_card(model_id).model_dump_json().encode(), JSON)
