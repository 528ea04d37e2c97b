"""One line of a batch's answer."""

from typing import Annotated

from pydantic import Field

from schemas.base import Schema
from schemas.problem import MemberError
from schemas.run import Run


class BatchSummary(Schema):
    """The last line: how many rows were stored and how many failed."""

    rows: int
    """Rows read."""
    stored: int
    """Rows whose run was stored."""
    failed: int
    """Rows that were refused or failed."""


class BatchLine(Schema):
    """The answer to one row (``run`` or ``errors``), or the summary at the end."""

    row: Annotated[int | None, Field(description="Number of the row, from 1.")] = None
    line: Annotated[int | None, Field(description="Line of the body on which the row begins, from 1.")] = None
    run: Run | None = None
    """The stored run of this row; null where it failed."""
    errors: list[MemberError] | None = None
    """What is wrong with this row; null where it was stored."""
    summary: BatchSummary | None = None
    """Totals; on the last line only."""
