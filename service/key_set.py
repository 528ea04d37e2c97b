"""The public keys of the token issuer: fetched by one thread at a time, kept while the issuer is away."""

import asyncio
import logging
import threading
import time
import urllib.request
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Final

import jwt
import orjson

from service import telemetry
from service.errors import KeySetUnavailable, Unauthorized

ALGORITHMS: Final = {
    ("RSA", None): ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    ("EC", "P-256"): ("ES256",),
    ("EC", "P-384"): ("ES384",),
    ("EC", "P-521"): ("ES512",),
    ("OKP", "Ed25519"): ("EdDSA",),
}
"""What a key of this type and curve can sign; symmetric algorithms are not among them."""
_FRESH_SECONDS: Final = 3600.0
_LONGEST_SECONDS: Final = 86_400.0
_PAUSE_SECONDS: Final = 60.0
_WAIT_SECONDS: Final = 5.0
_MOST_BYTES: Final = 1_048_576


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key of the issuer, and the algorithms that it may have signed with."""

    key: Any
    algorithms: tuple[str, ...]


class KeySet:
    """The issuer's keys by id.

    A set is looked up again after an hour, and for an unknown key once a minute; after failures the pauses grow from
    two seconds to a minute. A set that cannot be renewed serves for a day.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._keys: dict[str, PublicKey] = {}
        self._fetched_at = self._tried_at = float("-inf")
        self._failures = 0
        self._flight: Future[None] | None = None

    async def key(self, key_id: str) -> PublicKey:
        """Return the key of this id.

        Raises
        ------
        Unauthorized
            The issuer has no such key.
        KeySetUnavailable
            The issuer cannot be reached, so that nobody knows.
        """
        known = self._known(key_id, _FRESH_SECONDS)
        if known is not None:
            return known
        flight = self._fetch()
        if flight is not None:
            await asyncio.wait([asyncio.wrap_future(flight)], timeout=_WAIT_SECONDS)
        known = self._known(key_id, _LONGEST_SECONDS)
        if known is not None:
            return known
        if self._failures or self._flight is not None:
            raise KeySetUnavailable("the issuer's keys cannot be reached; the token cannot be checked")
        raise Unauthorized("the token is signed by an unknown key")

    def _known(self, key_id: str, age_seconds: float) -> PublicKey | None:
        return self._keys.get(key_id) if time.monotonic() - self._fetched_at < age_seconds else None

    def _fetch(self) -> "Future[None] | None":
        """Return the fetch under way, or start one where it is due."""
        flight = self._flight
        if flight is None:
            pause = min(2.0**self._failures, _PAUSE_SECONDS) if self._failures else _PAUSE_SECONDS
            if time.monotonic() - self._tried_at < pause:
                return None
            self._tried_at = time.monotonic()
            self._flight = flight = Future()
            flight.set_running_or_notify_cancel()
            threading.Thread(target=self._renew, args=(flight,), name="key-set", daemon=True).start()
        return flight

    def _renew(self, flight: "Future[None]") -> None:
        try:
            self._keys = download(self._url)
            self._fetched_at = time.monotonic()
            self._failures = 0
        except Exception as error:
            self._failures = min(self._failures + 1, 10)
            telemetry.log(logging.WARNING, event="key-set-unavailable", error=type(error).__name__)
        finally:
            self._tried_at = time.monotonic()
            self._flight = None
            flight.set_result(None)


def download(url: str) -> dict[str, PublicKey]:
    """Return the keys of a key set by id, those that can sign tokens here; any error says that there is none."""
    with urllib.request.urlopen(url, timeout=_WAIT_SECONDS) as answer:  # noqa: S310
        document = orjson.loads(answer.read(_MOST_BYTES))
    return {key["kid"]: read for key in document["keys"] if (read := _read(key)) is not None}


def _read(key: Any) -> PublicKey | None:
    """Return a signing key that can be used here."""
    allowed = ALGORITHMS.get((key.get("kty"), key.get("crv")), ())
    declared = key.get("alg")
    algorithms = tuple(name for name in allowed if declared in (None, name))
    if not algorithms or key.get("use", "sig") != "sig" or not isinstance(key.get("kid"), str):
        return None
    try:
        return PublicKey(jwt.PyJWK(key).key, algorithms)
    except jwt.PyJWTError:
        return None
