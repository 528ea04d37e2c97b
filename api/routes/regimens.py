"""The regimen library."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from api import caching, problems
from api.context import allowed
from api.negotiation import JSON
from schemas.regimens import RegimenList
from service import regimens
from service.access import Caller

router = APIRouter(prefix="/regimens", tags=["Models"])


@router.get(
    "",
    operation_id="list_regimens",
    summary="Approved drug regimens, usable by name in every plan",
    response_model=RegimenList,
    responses={**problems.documented(), **caching.NOT_MODIFIED},
)
async def list_regimens(request: Request, caller: Annotated[Caller, Depends(allowed("models:read"))]) -> Response:
    """Each with agents, doses, interval, indication, source and date."""
    return caching.revalidated(request, regimens.list_regimens().model_dump_json().encode(), JSON)
