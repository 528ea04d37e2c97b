"""Turns the credentials of a request into a caller."""

from sqlalchemy import Engine

from service.access import Caller
from service.errors import Unauthorized
from service.keys import KEY_PREFIX, KeyRing
from service.settings import Settings
from service.tokens import Tokens


class Gatekeeper:
    """Knows which credentials the settings admit."""

    def __init__(self, settings: Settings, engine: Engine, pepper: bytes) -> None:
        self.open = settings.auth == "none"
        self._keys = KeyRing(engine, pepper)
        self._tokens = Tokens(settings) if settings.auth == "oidc" else None

    async def identify(self, authorization: str | None, api_key: str | None) -> Caller:
        """Return the caller of a request.

        Raises
        ------
        Unauthorized
            No credentials, or credentials that are not valid here.
        StoreUnavailable, KeySetUnavailable
            What would tell cannot be reached.
        """
        token = api_key
        if token is None and authorization is not None:
            scheme, _, token = authorization.partition(" ")
            if scheme.lower() != "bearer":
                raise Unauthorized("use 'Authorization: Bearer …' or 'X-API-Key'")
        if not token:
            raise Unauthorized("send an API key or a bearer token")
        token = token.strip()
        if token.startswith(KEY_PREFIX):
            return await self._keys.caller(token)
        if self._tokens is None:
            raise Unauthorized("the key is not valid")
        return await self._tokens.caller(token)
