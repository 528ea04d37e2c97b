"""Pure ASGI layers around the application: identity, limits, headers, measurement."""

import asyncio
import re
import time
from collections.abc import Mapping
from typing import Final

from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import problems
from api.context import header
from service import telemetry
from service.ids import new_id

_REQUEST_ID: Final = re.compile(r"^[A-Za-z0-9._-]{8,64}$")
CLIENT_LEFT: Final = 499
_CUT_OFF: Final = "the process stopped first; the run may have been stored: repeat with the same Idempotency-Key"
_SECURITY_HEADERS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"geolocation=(), camera=(), microphone=()"),
)
_DEFAULT_HEADERS: Final = (
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'; base-uri 'none'"),
    (b"cache-control", b"no-store"),
)


class RequestContext:
    """Gives every request an id, security headers, a log line and its metrics; the last resort for errors.

    HEAD is answered as GET without the body, wherever GET is offered.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        offered = header(scope, b"x-request-id") or ""
        request_id = offered if _REQUEST_ID.match(offered) else new_id()
        scope.setdefault("state", {})["request_id"] = request_id
        started = time.perf_counter()
        status = 0

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                given = message.get("headers", ())
                names = {name for name, _ in given}
                defaults = (pair for pair in _DEFAULT_HEADERS if pair[0] not in names)
                message["headers"] = [*given, (b"x-request-id", request_id.encode()), *_SECURITY_HEADERS, *defaults]
            elif method == "HEAD":
                message = {**message, "body": b""}
            await send(message)

        method = scope["method"]
        if method == "HEAD":
            scope = {**scope, "method": "GET"}
        try:
            await self._app(scope, receive, answer)
        except asyncio.CancelledError:
            # the server ends and waits no longer; nobody else cancels a request
            if status:
                raise
            await problems.render(Request(scope), problems.Stopping(_CUT_OFF))(scope, receive, answer)
        except ClientDisconnect:
            status = status or CLIENT_LEFT
        except Exception as error:
            telemetry.log_failure(request_id, error)
            if status == 0:
                await problems.internal(scope)(scope, receive, answer)
        finally:
            route = getattr(scope.get("route"), "path", "unmatched")
            if scope["path"].startswith("/v1/") and route != "unmatched" and not route.startswith("/v1"):
                route = f"/v1{route}"
            telemetry.observe_request(method, route, status, time.perf_counter() - started, request_id)


class BodyLimit:
    """Refuses a body above the limit of its route while it is read, whatever Content-Length says.

    A compressed body is refused before it is read: nothing here unpacks, so its real size would be unknown. Every
    refusal comes when the route asks for the body, after it has checked the caller.
    """

    def __init__(self, app: ASGIApp, *, default: int, by_path: Mapping[str, int]) -> None:
        self._app = app
        self._default = default
        self._by_path = by_path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = self._by_path.get(scope["path"], self._default)
        error = problems.BodyTooLarge(f"the body is larger than {limit} bytes")
        declared = header(scope, b"content-length") or ""
        if (header(scope, b"content-encoding") or "identity").lower() != "identity":
            receive = _refused(problems.UnsupportedMediaType("send the body without Content-Encoding"))
        elif declared.isdigit() and int(declared) > limit:
            receive = _refused(error)
        else:
            receive = _counted(receive, limit, error)
        await self._app(scope, receive, send)


def _refused(error: Exception) -> Receive:
    async def refuse() -> Message:
        raise error

    return refuse


def _counted(receive: Receive, limit: int, error: Exception) -> Receive:
    received = 0

    async def limited() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > limit:
            raise error
        return message

    return limited
