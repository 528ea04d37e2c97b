"""Time and identifiers: the only place that asks the machine for either."""

from datetime import UTC, datetime

from ulid import ULID


def now() -> datetime:
    """Return the current time, UTC."""
    return datetime.now(UTC)


def rfc3339(moment: datetime) -> str:
    """Return an RFC 3339 text with microseconds and Z; texts sort as the moments do."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def new_id() -> str:
    """Return a new ULID."""
    return str(ULID())
