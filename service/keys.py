"""API keys: how they are made, digested and recognized."""

import asyncio
import hashlib
import hmac
import re
import secrets
import time
from typing import Any, Final

from sqlalchemy import Engine

from db import queries
from db.engine import reading
from db.errors import DatabaseUnavailable
from service.access import Caller
from service.errors import StoreUnavailable, Unauthorized

KEY_PREFIX: Final = "absk_"
_KEY: Final = re.compile(rf"{KEY_PREFIX}([0-9a-f]{{16}})\.([A-Za-z0-9_-]{{43}})")
_CACHE_SECONDS: Final = 2.0
_CACHE_KEYS: Final = 1024


def new_key(pepper: bytes) -> tuple[str, str, bytes]:
    """Return (id, the key to show once, its digest to store)."""
    key_id = secrets.token_hex(8)
    secret = secrets.token_urlsafe(32)
    return key_id, f"{KEY_PREFIX}{key_id}.{secret}", key_digest(pepper, secret)


def key_digest(pepper: bytes, secret: str) -> bytes:
    """HMAC-SHA-256 of a key's secret part."""
    return hmac.new(pepper, secret.encode(), hashlib.sha256).digest()


class KeyRing:
    """Recognizes API keys; remembers for seconds those that exist, and nothing else that a stranger sends."""

    def __init__(self, engine: Engine, pepper: bytes) -> None:
        self._engine = engine
        self._pepper = pepper
        self._known: dict[str, tuple[float, Any]] = {}

    async def caller(self, token: str) -> Caller:
        """Return whose key this is.

        Raises
        ------
        Unauthorized
            It is no key, or no key that is valid now.
        StoreUnavailable
            The database cannot say.
        """
        parts = _KEY.fullmatch(token)
        if parts is None:
            raise Unauthorized("the key is not valid")
        key_id, secret = parts.groups()
        row = await self._row(key_id)
        offered = key_digest(self._pepper, secret)
        if row is None or not hmac.compare_digest(offered, row.digest) or row.revoked_at is not None:
            raise Unauthorized("the key is not valid")
        return Caller(row.tenant, f"key:{key_id}", frozenset(row.scopes.split()))

    async def _row(self, key_id: str) -> Any:
        cached = self._known.get(key_id)
        if cached is not None and time.monotonic() - cached[0] < _CACHE_SECONDS:
            return cached[1]
        row = await asyncio.to_thread(self._load, key_id)
        self._known.pop(key_id, None)
        if row is not None:
            if len(self._known) >= _CACHE_KEYS:
                del self._known[next(iter(self._known))]
            self._known[key_id] = (time.monotonic(), row)
        return row

    def _load(self, key_id: str) -> Any:
        try:
            with reading(self._engine) as connection:
                return queries.get_key(connection, key_id)
        except DatabaseUnavailable:
            raise StoreUnavailable("the database cannot be reached; the key cannot be checked") from None
