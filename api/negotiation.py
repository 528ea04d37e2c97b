"""Which representation of a resource an Accept header asks for."""

import re
from collections.abc import Sequence
from typing import Final

from fastapi import Request

from api.problems import NotAcceptable

JSON: Final = "application/json"
SVG: Final = "image/svg+xml"
CSV: Final = "text/csv"
HTML: Final = "text/html"
_QUALITY: Final = re.compile(r"(?:0?\.\d{1,3}|[01]\.?|1\.0{1,3})")


def preferred(request: Request, offered: Sequence[str]) -> str:
    """Return the offered media type that the caller likes best; the first one where it does not say.

    The most specific range that names a media type decides about it (RFC 9110, 12.5.1). Of equal weights the one
    that is named more exactly wins, then the earlier offer.

    Raises
    ------
    NotAcceptable
        The header excludes everything that is offered.
    """
    ranges = _ranges(", ".join(request.headers.getlist("accept")))
    if not ranges:
        return offered[0]
    weights = [_weight(media_type, ranges) for media_type in offered]
    best = max(weights)
    if best[0] == 0.0:
        raise NotAcceptable(f"offered here: {', '.join(offered)}")
    return offered[weights.index(best)]


def _ranges(accept: str) -> dict[str, float]:
    """Read the ranges with their weights; a range with an unreadable weight is left out."""
    found: dict[str, float] = {}
    for offer in accept.lower().split(","):
        media_range, *parameters = (part.strip() for part in offer.split(";"))
        quality = next((part[2:].strip() for part in parameters if part.startswith("q=")), "1")
        if media_range and _QUALITY.fullmatch(quality):
            found["*/*" if media_range == "*" else media_range] = float(quality)
    return found


def _weight(media_type: str, ranges: dict[str, float]) -> tuple[float, int]:
    """Weight of a media type, and how exactly it was named."""
    kind = media_type.partition("/")[0]
    for exactness, media_range in ((2, media_type), (1, f"{kind}/*"), (0, "*/*")):
        if media_range in ranges:
            return ranges[media_range], exactness
    return 0.0, 0
