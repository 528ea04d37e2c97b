"""Answers that a caller may keep: strong validators and 304."""

import hashlib
from collections.abc import Mapping
from typing import Any, Final

from fastapi import Request
from starlette.responses import Response

REVALIDATE: Final = "private, no-cache"
"""Kept by the caller alone, who asks each time whether it still holds."""
VARY: Final = "Accept, Authorization, X-API-Key"
"""A kept answer is for the same representation and the same credentials."""
NOT_MODIFIED: Final[dict[int | str, dict[str, Any]]] = {304: {"description": "The caller already has this."}}
"""Part of the ``responses=`` of a route that revalidates."""


def etag_of(body: bytes) -> str:
    """Return the strong validator of a body."""
    return f'"sha256-{hashlib.sha256(body).hexdigest()}"'


def revalidated(request: Request, body: bytes, media_type: str, headers: Mapping[str, str] | None = None) -> Response:
    """Answer a body with its validator, or 304 to a caller who has it."""
    known = {"ETag": etag_of(body), "Cache-Control": REVALIDATE, "Vary": VARY, **(headers or {})}
    if has(request, known["ETag"]):
        return Response(status_code=304, headers=known)
    return Response(body, media_type=media_type, headers=known)


def has(request: Request, etag: str) -> bool:
    """Compare If-None-Match weakly, as RFC 9110 says."""
    tags = [tag.strip() for tag in request.headers.get("if-none-match", "").split(",")]
    return "*" in tags or etag in (tag.removeprefix("W/") for tag in tags)
