"""OAuth 2 bearers: JSON Web Tokens signed by the configured issuer."""

import hashlib
from typing import Any, Final

import jwt

from service.access import Caller, is_name
from service.errors import Unauthorized
from service.key_set import ALGORITHMS, KeySet
from service.settings import Settings

_ACCEPTED: Final = frozenset(name for names in ALGORITHMS.values() for name in names)
_LEEWAY_SECONDS: Final = 60
_UNREADABLE: Final = (jwt.PyJWTError, TypeError, ValueError, OverflowError, RecursionError)
"""What reading a text that a stranger made up can end in."""


class Tokens:
    """Checks tokens against the issuer's keys and the expected claims."""

    def __init__(self, settings: Settings) -> None:
        self._issuer = settings.oidc_issuer
        self._audience = settings.oidc_audience
        self._tenant_claim = settings.oidc_tenant_claim
        self._keys = KeySet(str(settings.oidc_jwks_url))

    async def caller(self, token: str) -> Caller:
        """Return whom the issuer speaks of.

        Raises
        ------
        Unauthorized
            The token is not valid here.
        KeySetUnavailable
            The issuer's keys cannot be reached.
        """
        try:
            header = jwt.get_unverified_header(token)
            algorithm, key_id = header.get("alg"), header.get("kid")
            if algorithm not in _ACCEPTED:
                raise Unauthorized("the token's algorithm is not accepted")
            if not isinstance(key_id, str):
                raise Unauthorized("the token names no key")
        except _UNREADABLE:
            raise Unauthorized("the token is not valid here") from None
        signer = await self._keys.key(key_id)
        try:
            claims = jwt.decode(
                token,
                key=signer.key,
                algorithms=list(signer.algorithms),
                audience=self._audience,
                issuer=self._issuer,
                leeway=_LEEWAY_SECONDS,
                options={"require": ["exp", "iss", "aud"]},
            )
            actor = hashlib.sha256(str(claims.get("sub", "")).encode()).hexdigest()[:16]
        except _UNREADABLE:
            raise Unauthorized("the token is not valid here") from None
        tenant = claims.get(self._tenant_claim)
        if not isinstance(tenant, str) or not is_name(tenant):
            raise Unauthorized(f"the token's claim {self._tenant_claim} must be 1 to 128 printable characters")
        return Caller(tenant, f"jwt:{actor}", _scopes(claims))


def _scopes(claims: dict[str, Any]) -> frozenset[str]:
    granted = claims.get("scope", claims.get("scp", ""))
    scopes = granted.split() if isinstance(granted, str) else granted
    if not isinstance(scopes, list) or not all(isinstance(scope, str) for scope in scopes):
        raise Unauthorized("the token's scopes must be a string or a list of strings")
    return frozenset(scopes)
