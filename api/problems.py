"""RFC 9457 answers: the one table from error to status, and the handlers that use it."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import orjson
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import compile_path

from service import errors, parsing

MEDIA_TYPE: Final = "application/problem+json"


class Kind(NamedTuple):
    """One kind of problem."""

    status: int
    slug: str
    title: str
    advice: str


class BodyTooLarge(errors.AbscopeError):
    """The body is larger than this route takes."""


class HeadersTooLarge(errors.AbscopeError):
    """Request line, headers or trailers are larger than the service takes."""


class MalformedHttp(errors.AbscopeError):
    """What came is no HTTP request."""


class Stopping(errors.AbscopeError):
    """The process ends before the request did."""


class MalformedMultipart(errors.AbscopeError):
    """The body is not well-formed multipart."""


class UnsupportedMediaType(errors.AbscopeError):
    """The body has a media type that this route does not read."""


class NotAcceptable(errors.AbscopeError):
    """The resource has no representation of the asked kind."""


PROBLEMS: Final[dict[type[Exception], Kind]] = {
    parsing.MalformedJson: Kind(400, "malformed-json", "The body is not JSON", "Send UTF-8 JSON."),
    parsing.InvalidBody: Kind(
        422, "invalid-input", "The input does not fit the schema", "Mend the members that errors points to."
    ),
    errors.InvalidInput: Kind(
        422, "invalid-input", "The input does not fit the schema", "Mend the members that errors points to."
    ),
    errors.IdempotencyMismatch: Kind(
        422, "idempotency-mismatch", "The idempotency key belongs to another request", "Use a new Idempotency-Key."
    ),
    errors.Unauthorized: Kind(401, "unauthorized", "No valid credentials", "Send a valid API key or bearer token."),
    errors.Forbidden: Kind(403, "forbidden", "The credentials lack a scope", "Ask the operator for the scope."),
    errors.ForeignRequest: Kind(
        403, "foreign-request", "Not asked from this computer", "Ask for localhost, or set ABSCOPE_AUTH=keys."
    ),
    errors.NotFound: Kind(404, "not-found", "Nothing here", "Check the address and the id."),
    errors.Conflict: Kind(409, "conflict", "The request collides with another one", "Wait, then try again."),
    errors.FinalState: Kind(409, "final-state", "What is stored is final", "Do not repeat the request; see detail."),
    errors.Overloaded: Kind(
        503, "overloaded", "Too much work at once", "Nothing was stored: wait for Retry-After, then try again."
    ),
    errors.StoreUnavailable: Kind(
        503,
        "store-unavailable",
        "The database cannot be reached",
        "It may have been stored: repeat with the same Idempotency-Key.",
    ),
    errors.KeySetUnavailable: Kind(
        503, "key-set-unavailable", "The token issuer's keys cannot be reached", "Try again later, or use an API key."
    ),
    MalformedMultipart: Kind(
        400, "malformed-multipart", "The body is not well-formed multipart", "Send multipart/form-data as documented."
    ),
    Stopping: Kind(
        503, "stopping", "The process is stopping", "It may have been stored: repeat with the same Idempotency-Key."
    ),
    MalformedHttp: Kind(400, "malformed-http", "This is not HTTP", "Send HTTP/1.1."),
    HeadersTooLarge: Kind(431, "headers-too-large", "The headers are too large", "Send shorter headers."),
    BodyTooLarge: Kind(413, "body-too-large", "The body is too large", "Send less at once."),
    UnsupportedMediaType: Kind(415, "unsupported-media-type", "The body has the wrong type", "See the documentation."),
    NotAcceptable: Kind(406, "not-acceptable", "No such representation", "See the documentation."),
}
_INTERNAL: Final = Kind(
    500,
    "internal-error",
    "The service failed",
    "Report the request_id to the operator; what was sent may have been stored.",
)
_BY_STATUS: Final = {
    404: PROBLEMS[errors.NotFound],
    405: Kind(405, "method-not-allowed", "The method is not offered here", "See the Allow header."),
    413: PROBLEMS[BodyTooLarge],
}
PAGES: Final = {kind.slug: kind for kind in (*PROBLEMS.values(), *_BY_STATUS.values(), _INTERNAL)}
RETRY_AFTER_SECONDS: Final = "2"
_CONTENT: Final = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
FAILURE: Final[dict[int | str, dict[str, Any]]] = {
    _INTERNAL.status: {"description": _INTERNAL.title, "content": _CONTENT}
}
"""What every route documents: the error that nobody expected."""


def documented(*expected: type[Exception]) -> dict[int | str, dict[str, Any]]:
    """Return the ``responses=`` of a route that can answer these problems."""
    every = (*expected, errors.InvalidInput, errors.Unauthorized, errors.Forbidden, errors.StoreUnavailable)
    titles: dict[int | str, dict[str, None]] = {}
    for error in every:
        titles.setdefault(PROBLEMS[error].status, {})[PROBLEMS[error].title] = None
    refusals = {status: {"description": "; or: ".join(titles[status]), "content": _CONTENT} for status in titles}
    return refusals | FAILURE


def render(request: Request, error: Exception) -> Response:
    """Answer a problem for an expected error."""
    kind = next(PROBLEMS[base] for base in type(error).__mro__ if base in PROBLEMS)
    detail = error.detail if isinstance(error, errors.AbscopeError) else kind.advice
    return _answer(request.scope, kind, detail, getattr(error, "errors", None))


def render_for(request_id: str, error: Exception) -> Response:
    """Answer a problem where no request has begun."""
    return render(Request({"type": "http", "state": {"request_id": request_id}}), error)


def internal(scope: Mapping[str, Any]) -> Response:
    """Answer a problem for an error nobody expected; it says nothing about the cause."""
    return _answer(scope, _INTERNAL, _INTERNAL.advice, None)


def _answer(
    scope: Mapping[str, Any],
    kind: Kind,
    detail: str,
    members: list[dict[str, str]] | None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    body: dict[str, Any] = {
        "type": f"/problems/{kind.slug}",
        "title": kind.title,
        "status": kind.status,
        "detail": detail,
        "instance": f"urn:abscope:request:{scope['state']['request_id']}",
        "request_id": scope["state"]["request_id"],
    }
    if members is not None:
        body["errors"] = members
    extra = dict(headers or {})
    if kind.status == 503 or kind is PROBLEMS[errors.Conflict]:
        extra["Retry-After"] = RETRY_AFTER_SECONDS
    if kind.status == 401:
        extra["WWW-Authenticate"] = 'Bearer realm="abscope"'
    return Response(orjson.dumps(body), status_code=kind.status, media_type=MEDIA_TYPE, headers=extra)


async def _expected(request: Request, error: Exception) -> Response:
    return render(request, error)


async def _parameters(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    members = [{"pointer": _parameter_pointer(item["loc"]), "message": str(item["msg"])} for item in error.errors()]
    return _answer(request.scope, PROBLEMS[errors.InvalidInput], "parameters are wrong; see errors", members)


def _parameter_pointer(location: tuple[int | str, ...]) -> str:
    """Name a query, path or header parameter as ``#/query/limit``."""
    return "#/" + "/".join(str(part) for part in location)


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    kind = _BY_STATUS.get(error.status_code)
    if kind is None:
        kind = Kind(error.status_code, "http-error", "The request was refused", "See the documentation.")
    headers = {"Allow": _offered(request)} if error.status_code == 405 else error.headers
    return _answer(request.scope, kind, kind.advice, None, headers)


def _offered(request: Request) -> str:
    """List every method of the path; the router itself knows those of one route only."""
    methods = {
        method.upper()
        for path, operations in request.app.openapi()["paths"].items()
        if compile_path(path)[0].match(request.url.path)
        for method in operations
    }
    return ", ".join(sorted(methods | ({"HEAD"} if "GET" in methods else set()))) or "GET, HEAD"


def install(app: FastAPI) -> None:
    """Register the handlers on the application."""
    app.add_exception_handler(errors.AbscopeError, _expected)
    app.add_exception_handler(RequestValidationError, _parameters)
    app.add_exception_handler(HTTPException, _http)
