"""Who calls: API keys, JWT bearers, scopes and tenants."""

import asyncio
import hashlib
import hmac
import secrets
import time
from dataclasses import dataclass
from typing import Any, Final

import jwt
from sqlalchemy import Engine

from db import queries
from db.engine import reading
from db.errors import DatabaseUnavailable
from service.errors import Forbidden, StoreUnavailable, Unauthorized
from service.settings import Settings

SCOPES: Final = {
    "runs:write": "compute and store runs",
    "runs:read": "read, list and replay runs",
    "models:read": "read model cards and regimens",
    "outcomes:write": "record what happened to a patient",
    "audit:read": "read the audit log and its proofs",
}
ALGORITHMS: Final = (
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA",
)  # fmt: skip
KEY_PREFIX: Final = "absk_"
_KEY_CACHE_SECONDS: Final = 2.0
_JWKS_REFRESH_SECONDS: Final = 60.0
_LEEWAY_SECONDS: Final = 60


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


def new_key(pepper: bytes) -> tuple[str, str, bytes]:
    """Return (id, the key to show once, its digest to store)."""
    key_id = secrets.token_hex(8)
    secret = secrets.token_urlsafe(32)
    return key_id, f"{KEY_PREFIX}{key_id}.{secret}", key_digest(pepper, secret)


def key_digest(pepper: bytes, secret: str) -> bytes:
    """HMAC-SHA-256 of a key's secret part."""
    return hmac.new(pepper, secret.encode(), hashlib.sha256).digest()


class Gatekeeper:
    """Turns credentials into a caller."""

    def __init__(self, settings: Settings, engine: Engine, pepper: bytes) -> None:
        self._auth = settings.auth
        self._engine = engine
        self._pepper = pepper
        self._known: dict[str, tuple[float, Any]] = {}
        self._tokens = _Tokens(settings) if settings.auth == "oidc" else None

    async def identify(self, authorization: str | None, api_key: str | None) -> Caller:
        """Return the caller of a request.

        Raises
        ------
        Unauthorized
            No credentials, or credentials that are not valid here.
        """
        if self._auth == "none":
            return LOCAL
        token = api_key
        if token is None and authorization is not None:
            scheme, _, token = authorization.partition(" ")
            if scheme.lower() != "bearer":
                raise Unauthorized("use 'Authorization: Bearer …' or 'X-API-Key'")
        if not token:
            raise Unauthorized("send an API key or a bearer token")
        token = token.strip()
        if token.startswith(KEY_PREFIX):
            return await self._by_key(token)
        if self._tokens is None:
            raise Unauthorized("the key is not valid")
        return await self._tokens.caller(token)

    async def _by_key(self, token: str) -> Caller:
        key_id, _, secret = token.removeprefix(KEY_PREFIX).partition(".")
        row = await self._row(key_id)
        offered = key_digest(self._pepper, secret)
        if row is None or not hmac.compare_digest(offered, row.digest) or row.revoked_at is not None:
            raise Unauthorized("the key is not valid")
        return Caller(row.tenant, f"key:{key_id}", frozenset(row.scopes.split()))

    async def _row(self, key_id: str) -> Any:
        cached = self._known.get(key_id)
        if cached is not None and time.monotonic() - cached[0] < _KEY_CACHE_SECONDS:
            return cached[1]
        row = await asyncio.to_thread(self._load, key_id)
        if len(self._known) > 10_000:
            self._known.clear()
        self._known[key_id] = (time.monotonic(), row)
        return row

    def _load(self, key_id: str) -> Any:
        try:
            with reading(self._engine) as connection:
                return queries.get_key(connection, key_id)
        except DatabaseUnavailable:
            raise StoreUnavailable("the database cannot be reached; the key cannot be checked") from None


class _Tokens:
    """OAuth2 bearers signed by the configured issuer."""

    def __init__(self, settings: Settings) -> None:
        self._issuer = settings.oidc_issuer
        self._audience = settings.oidc_audience
        self._tenant_claim = settings.oidc_tenant_claim
        self._keys = jwt.PyJWKClient(str(settings.oidc_jwks_url), cache_keys=True, lifespan=3600, timeout=5)
        self._missed_at = -_JWKS_REFRESH_SECONDS

    async def caller(self, token: str) -> Caller:
        try:
            header = jwt.get_unverified_header(token)
            if header.get("alg") not in ALGORITHMS:
                raise Unauthorized("the token's algorithm is not accepted")
            key = await asyncio.to_thread(self._signing_key, str(header.get("kid")))
            claims = jwt.decode(
                token,
                key=key,
                algorithms=list(ALGORITHMS),
                audience=self._audience,
                issuer=self._issuer,
                leeway=_LEEWAY_SECONDS,
                options={"require": ["exp", "iss", "aud"]},
            )
        except jwt.PyJWTError:
            raise Unauthorized("the token is not valid here") from None
        tenant = claims.get(self._tenant_claim)
        if not isinstance(tenant, str) or not tenant:
            raise Unauthorized(f"the token lacks the claim {self._tenant_claim}")
        granted = claims.get("scope", claims.get("scp", ""))
        scopes = granted.split() if isinstance(granted, str) else [str(item) for item in granted]
        actor = hashlib.sha256(str(claims.get("sub", "")).encode()).hexdigest()[:16]
        return Caller(tenant, f"jwt:{actor}", frozenset(scopes))

    def _signing_key(self, key_id: str) -> Any:
        known = {key.key_id: key for key in self._keys.get_signing_keys()}
        if key_id not in known and time.monotonic() - self._missed_at >= _JWKS_REFRESH_SECONDS:
            self._missed_at = time.monotonic()
            known = {key.key_id: key for key in self._keys.get_signing_keys(refresh=True)}
        if key_id not in known:
            raise Unauthorized("the token is signed by an unknown key")
        return known[key_id].key
