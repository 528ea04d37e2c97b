"""Times as the store writes them."""

from datetime import UTC, datetime, timedelta


def timestamp(moment: datetime) -> str:
    """RFC 3339 in UTC with six decimals, so that text order is time order."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


def utc_now() -> str:
    """Return the present as a stored time."""
    return timestamp(datetime.now(UTC))


def utc_after(seconds: float) -> str:
    """Return the present plus ``seconds`` as a stored time."""
    return timestamp(datetime.now(UTC) + timedelta(seconds=seconds))
