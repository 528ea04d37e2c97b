"""RFC 9457 problem details."""

from typing import Annotated

from pydantic import Field

from schemas.base import Schema


class MemberError(Schema):
    """One wrong member."""

    pointer: Annotated[str, Field(description="JSON pointer of the member.", examples=["/patient/age_years"])]
    message: Annotated[str, Field(description="What is wrong; never the submitted value.")]


class Problem(Schema):
    """What went wrong, in a form that programs and people can read."""

    type: Annotated[str, Field(description="A page about this kind of problem.", examples=["/problems/invalid-input"])]
    title: str
    """The kind of problem, in a few words."""
    status: int
    """HTTP status of the answer."""
    detail: str
    """What went wrong here and how to mend it."""
    instance: str
    """URN of this request."""
    request_id: str
    """Id of the request, as in the X-Request-ID header and the logs."""
    errors: list[MemberError] = []
