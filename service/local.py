"""What the command line does with the models: the same use cases as over HTTP, on the same database."""

from typing import Any

import orjson

from service import access, listing, runs
from service import cards as card_views
from service.catalog import KINDS
from service.errors import NotFound
from service.ids import new_id
from service.parsing import parse
from service.runtime import open_runtime
from service.settings import Settings
from service.upkeep import ACTOR, WrongUsage
from simulation.registry import CARDS


def greeting(settings: Settings) -> str:
    """Return what ``abscope serve`` prints: where it listens and a request to paste."""
    base = f"http://{settings.address}"
    key = "" if settings.auth == "none" else " -H 'X-API-Key: YOUR_KEY'"
    body = orjson.dumps(next(iter(KINDS["fractionation"].examples.values()))).decode()
    return (
        f"Abscope {runs.SOFTWARE_VERSION}, research use only. Listening on {base}, documentation at {base}/docs\n"
        f"Try:\n  curl -s {base}/v1/doses/fractionation{key} -H 'Content-Type: application/json' -d '{body}'\n"
    )


def cards(model_id: str | None) -> Any:
    """Return one line about every model, or the card of one.

    Raises
    ------
    NotFound
        No model has this id.
    """
    if model_id is None:
        return card_views.list_cards().model_dump()["models"]
    if model_id not in CARDS:
        raise NotFound("no model has this id; 'abscope models' lists them")
    return card_views.read_card(model_id).model_dump()


async def compute_and_store(settings: Settings, kind_name: str, raw: bytes, tenant: str) -> bytes:
    """Compute a run of this kind from JSON bytes and store it; return the run as JSON.

    Raises
    ------
    WrongUsage
        No kind of run has this name.
    """
    _require_kind(kind_name)
    kind = KINDS[kind_name]
    request = parse(kind.request, raw)
    async with open_runtime(settings) as runtime:
        answer = await runs.create(runtime, runs.Origin(caller=_caller(tenant), request_id=new_id()), kind, request)
    return answer.body


async def stored_runs(settings: Settings, tenant: str, run_id: str | None, kind: str | None, limit: int) -> Any:
    """Return the newest runs of a tenant, or one run.

    Raises
    ------
    WrongUsage
        No kind of run has this name.
    """
    _require_kind(kind)
    caller = _caller(tenant)
    async with open_runtime(settings) as runtime:
        if run_id is not None:
            return orjson.loads((await runs.read(runtime, caller, run_id)).body)
        page = await listing.list_page(runtime, caller, listing.Filter(kind=kind), limit=limit, cursor=None)
        return orjson.loads(page.body)["runs"]


def _caller(tenant: str) -> access.Caller:
    return access.Caller(tenant, ACTOR, frozenset(access.SCOPES))


def _require_kind(name: str | None) -> None:
    if name is not None and name not in KINDS:
        raise WrongUsage(f"no kind of run has this name; choose from {', '.join(KINDS)}")
