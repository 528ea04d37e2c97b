"""What a route may ask of its request: the runtime and the caller."""

from collections.abc import Awaitable, Callable

from fastapi import Request
from starlette.types import Scope

from service.access import LOCAL, Caller
from service.errors import Forbidden, ForeignRequest, InvalidInput, Unauthorized
from service.loopback import require_loopback
from service.runtime import Runtime


def header(scope: Scope, name: bytes) -> str | None:
    """Return the first header of this lower-case name."""
    for given, value in scope["headers"]:
        if given == name:
            text: str = value.decode("latin-1")
            return text
    return None


def runtime_of(request: Request) -> Runtime:
    """Return the open resources of this process."""
    runtime: Runtime = request.app.state.runtime
    return runtime


async def authorize(request: Request, scope: str) -> Caller:
    """Return the caller, or refuse; a refusal is counted in the audit log."""
    runtime = runtime_of(request)
    caller: Caller | None = None
    try:
        caller = await _identify(runtime, request.scope)
        caller.require(scope)
    except (Unauthorized, Forbidden, ForeignRequest):
        runtime.denials.add(runtime.write, caller, scope)
        raise
    return caller


async def _identify(runtime: Runtime, scope: Scope) -> Caller:
    if runtime.gatekeeper.open:
        require_loopback(header(scope, b"host"), header(scope, b"origin"))
        return LOCAL
    return await runtime.gatekeeper.identify(header(scope, b"authorization"), header(scope, b"x-api-key"))


def allowed(scope: str) -> Callable[[Request], Awaitable[Caller]]:
    """Return the dependency of a route that needs this scope."""

    async def dependency(request: Request) -> Caller:
        caller = await authorize(request, scope)
        _refuse_unknown_query(request)
        return caller

    return dependency


def _refuse_unknown_query(request: Request) -> None:
    """Refuse a misspelled filter, which would otherwise answer everything."""
    known = [parameter.alias for parameter in request.scope["route"].dependant.query_params]
    if not set(request.query_params) <= set(known):
        raise InvalidInput("#/query", f"takes {', '.join(known)}" if known else "takes no parameters")
