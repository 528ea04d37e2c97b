"""One POST route for every kind of run."""

import re
from typing import Any, ClassVar, Final

from fastapi import APIRouter, Request
from fastapi.routing import APIRoute
from pydantic import create_model
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from api import problems
from api.context import authorize, header, runtime_of
from schemas.run import Run
from service import runs
from service.access import Caller
from service.catalog import KINDS
from service.errors import Conflict, IdempotencyMismatch, InvalidInput, Overloaded
from service.kinds import Kind
from service.parsing import MalformedJson, parse

_PREFERENCES: Final = re.compile(r'(?:[^,"]|"(?:[^"\\]|\\.)*"?)+')
"""The members of a list whose quoted strings may have commas; an open quote goes to the end."""
_PREFERENCE_NAME: Final = re.compile("[=;]")
IDEMPOTENCY_KEY_SCHEMA: Any = {"type": "string", "pattern": runs.IDEMPOTENCY_KEY.pattern, "maxLength": 130}
PARAMETERS: Any = [
    {
        "name": "Idempotency-Key",
        "in": "header",
        "required": False,
        "description": "The same key and body answer the same run; nothing is computed or stored twice.",
        "schema": IDEMPOTENCY_KEY_SCHEMA,
    },
    {
        "name": "Prefer",
        "in": "header",
        "required": False,
        "description": "respond-async answers 202 at once; poll the run at Location.",
        "schema": {"type": "string", "examples": ["respond-async"]},
    },
]


class ComputeRoute(APIRoute):
    """Hands the body's bytes to the service; the OpenAPI still comes from the declared signature."""

    kind: ClassVar[Kind]

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.app = self._serve

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive, send)
        caller = await authorize(request, "runs:write")
        require_json(request)
        body = parse(self.kind.request, await request.body())
        answer = await runs.create(runtime_of(request), origin(request, caller), self.kind, body)
        await created(answer)(scope, receive, send)


def origin(request: Request, caller: Caller) -> runs.Origin:
    """Return who asks for a run, and how."""
    return runs.Origin(
        caller=caller,
        request_id=request.state.request_id,
        idempotency_key=header(request.scope, b"idempotency-key"),
        asynchronous=_prefers_async(request.scope),
    )


def _prefers_async(scope: Scope) -> bool:
    """Return whether a preference (RFC 7240) on any Prefer line is respond-async."""
    return any(
        _PREFERENCE_NAME.split(preference, 1)[0].strip().lower() == "respond-async"
        for name, line in scope["headers"]
        if name == b"prefer"
        for preference in _PREFERENCES.findall(line.decode("latin-1"))
    )


def require_json(request: Request) -> None:
    """Refuse a body that says it is not JSON; a silent client is believed."""
    media_type = (header(request.scope, b"content-type") or "application/json").partition(";")[0].strip().lower()
    if media_type != "application/json" and not media_type.endswith("+json"):
        raise problems.UnsupportedMediaType("send application/json")


def created(answer: runs.Answer) -> Response:
    """Answer a stored run: 201 when it ended, 202 while it waits."""
    headers = {"Location": f"/v1/runs/{answer.run_id}", "ETag": answer.etag}
    if answer.replayed:
        headers["Idempotency-Replayed"] = "true"
    if not answer.ended:
        headers["Preference-Applied"] = "respond-async"
        headers["Retry-After"] = problems.RETRY_AFTER_SECONDS
        del headers["ETag"]
    return Response(
        answer.body, status_code=201 if answer.ended else 202, media_type="application/json", headers=headers
    )


def run_model(kind: Kind) -> type[Run]:
    """Return the run schema of one kind, with its own input and result."""
    title = "".join(part.capitalize() for part in kind.name.split("_"))
    members: Any = {"input": (kind.request, ...), "result": (kind.result | None, ...)}
    return create_model(f"{title}Run", __base__=Run, __doc__=f"A stored run of kind {kind.name}.", **members)


def _declare(router: APIRouter, kind: Kind) -> None:
    async def endpoint(body: Any) -> Any:
        """Never called: the route's own handler answers."""

    endpoint.__annotations__ = {"body": kind.request}
    answer = run_model(kind)
    refusals = problems.documented(
        MalformedJson, InvalidInput, IdempotencyMismatch, Conflict, Overloaded, problems.BodyTooLarge,
        problems.UnsupportedMediaType,
    )  # fmt: skip
    router.add_api_route(
        f"/v1{kind.path}",
        endpoint,
        methods=["POST"],
        operation_id=f"create_{kind.name}",
        summary=kind.summary,
        description=kind.description,
        status_code=201,
        response_model=answer,
        responses={**refusals, 202: {"description": "Stored; the computation waits for its turn.", "model": Run}},
        tags=["Compute"],
        route_class_override=type(f"{kind.name.title()}Route", (ComputeRoute,), {"kind": kind}),
        openapi_extra={
            "parameters": PARAMETERS,
            "requestBody": {
                "content": {
                    "application/json": {
                        "examples": {name: {"value": dict(body)} for name, body in kind.examples.items()}
                    }
                }
            },
        },
    )


def declare(router: APIRouter) -> None:
    """Add the route of every kind.

    They go onto the application's own router: finding the way through an included one costs a tenth of a request.
    """
    for kind in KINDS.values():
        if kind.posted:
            _declare(router, kind)
