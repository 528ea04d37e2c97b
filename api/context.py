"""What a route may ask of its request: the runtime and the caller."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from fastapi import Request
from starlette.types import Scope

from db.writes import Event
from service import telemetry
from service.access import Caller
from service.errors import AbscopeError, Forbidden, InvalidInput, Unauthorized
from service.runtime import Runtime

_DENIALS_IN_FLIGHT: Final = 64


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
    """Return the caller, or refuse; a refusal goes to the audit log."""
    runtime = runtime_of(request)
    caller: Caller | None = None
    try:
        caller = await runtime.gatekeeper.identify(
            header(request.scope, b"authorization"), header(request.scope, b"x-api-key")
        )
        caller.require(scope)
    except (Unauthorized, Forbidden):
        _record_denial(runtime, caller, scope)
        raise
    return caller


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


def _record_denial(runtime: Runtime, caller: Caller | None, scope: str) -> None:
    """Log the denial without waiting; a flood of denials must not fill the log or the queue."""
    if len(runtime.tasks) > _DENIALS_IN_FLIGHT:
        return
    event = Event(
        event="access.denied",
        subject=scope,
        tenant=caller.tenant if caller else "",
        actor=caller.actor if caller else "unknown",
    )

    async def store() -> None:
        try:
            await runtime.write(event)
        except AbscopeError as error:
            telemetry.log(logging.WARNING, event="denial-not-recorded", error=type(error).__name__)

    task = asyncio.create_task(store())
    runtime.tasks.add(task)
    task.add_done_callback(runtime.tasks.discard)
