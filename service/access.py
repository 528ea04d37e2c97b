"""Who may do what: callers, scopes and tenants."""

from dataclasses import dataclass
from typing import Final

from service.errors import Forbidden

SCOPES: Final = {
    "runs:write": "compute and store runs",
    "runs:read": "read, list and replay runs",
    "models:read": "read model cards and regimens",
    "outcomes:write": "record what happened to a patient",
    "audit:read": "read the audit log and its proofs",
}
_LONGEST_NAME: Final = 128


@dataclass(frozen=True, slots=True)
class Caller:
    """An authenticated caller; sees only what belongs to its tenant."""

    tenant: str
    actor: str
    scopes: frozenset[str]

    def require(self, scope: str) -> None:
        """Raise :class:`Forbidden` without the scope."""
        if scope not in self.scopes:
            raise Forbidden(f"this needs the scope {scope}")


LOCAL: Final = Caller("local", "local", frozenset(SCOPES))
"""The caller of a service without authentication, which listens on loopback only."""


def is_name(text: str) -> bool:
    """Whether a text can name a tenant: 1 to 128 printable characters, no blank at either end.

    The empty tenant is that of denied callers whom nobody knows.
    """
    return 1 <= len(text) <= _LONGEST_NAME and text.isprintable() and text == text.strip()
