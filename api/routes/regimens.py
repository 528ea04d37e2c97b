"""The regimen library."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends

from api import problems
from api.context import allowed
from schemas.regimens import RegimenList
from service import regimens
from service.access import Caller

router = APIRouter(prefix="/regimens", tags=["Models"])


@router.get(
    "",
    operation_id="list_regimens",
    summary="Approved drug regimens, usable by name in every plan",
    response_model=RegimenList,
    responses=problems.documented(),
)
async def list_regimens(caller: Annotated[Caller, Depends(allowed("models:read"))]) -> Any:
    """Each with agents, doses, interval, indication, source and date."""
    return regimens.list_regimens()
