"""What the command line does with the models: the same use cases as over HTTP, on the same database."""

from collections.abc import Callable
from typing import Any

import orjson

from service import access, listing, runs
from service import cards as card_views
from service.catalog import KINDS
from service.errors import AbscopeError, NotFound
from service.ids import new_id
from service.parsing import parse
from service.runtime import open_runtime
from service.settings import Settings
from service.signing import load_signer
from service.upkeep import ACTOR, WrongUsage, database
from simulation.registry import CARDS


def greeting(settings: Settings) -> str:
    """Return what ``abscope serve`` prints: where it listens and a request to paste."""
    base = f"http://{settings.host}:{settings.port}"
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


async def compute_and_store(settings: Settings, kind_name: str, raw: bytes) -> bytes:
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
        answer = await runs.create(runtime, runs.Origin(caller=access.LOCAL, request_id=new_id()), kind, request)
    return answer.body


async def stored_runs(settings: Settings, tenant: str, run_id: str | None, kind: str | None, limit: int) -> Any:
    """Return the newest runs of a tenant, or one run.

    Raises
    ------
    WrongUsage
        No kind of run has this name.
    """
    _require_kind(kind)
    caller = access.Caller(tenant, ACTOR, frozenset(access.SCOPES))
    async with open_runtime(settings) as runtime:
        if run_id is not None:
            return orjson.loads((await runs.read(runtime, caller, run_id)).body)
        page = await listing.list_page(runtime, caller, listing.Filter(kind=kind), limit=limit, cursor=None)
        return orjson.loads(page.body)["runs"]


def _require_kind(name: str | None) -> None:
    if name is not None and name not in KINDS:
        raise WrongUsage(f"no kind of run has this name; choose from {', '.join(KINDS)}")


def diagnose(settings: Settings) -> list[dict[str, Any]]:
    """Check what a start needs, one row a check."""

    def listener() -> str:
        settings.require_safe_listener()
        return f"{settings.host}:{settings.port}, authentication {settings.auth}"

    def schema() -> str:
        with database(settings) as engine:
            return engine.dialect.name

    def directory() -> str:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        probe = settings.data_dir / ".writable"
        probe.touch()
        probe.unlink()
        return str(settings.data_dir)

    checks: dict[str, Callable[[], str]] = {
        "listener": listener,
        "data directory": directory,
        "database": schema,
        "signing key": lambda: load_signer(settings).verifier.text,
        "models": lambda: f"{len(CARDS)} cards, {len(KINDS)} kinds of run",
    }
    return [_checked(name, check) for name, check in checks.items()]


def _checked(name: str, check: Callable[[], str]) -> dict[str, Any]:
    try:
        return {"check": name, "ok": True, "detail": check()}
    except AbscopeError as error:
        return {"check": name, "ok": False, "detail": error.detail}
    except Exception as error:
        return {"check": name, "ok": False, "detail": type(error).__name__}
