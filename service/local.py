"""What the command line does, without HTTP: the same use cases on the same database."""

from collections.abc import Callable
from pathlib import Path
from textwrap import shorten
from typing import Any

import orjson
from sqlalchemy import Engine

from db import backup, queries, verify
from db.clock import utc_now
from db.engine import at_head, migrate, open_engine, snapshot
from db.errors import BackupInvalid, UnknownRow
from db.writes import NewKey, RevokeKey
from service import access, audit, listing, runs
from service import cards as card_views
from service.catalog import KINDS
from service.errors import AbscopeError, NotFound
from service.ids import new_id
from service.parsing import parse
from service.runtime import open_runtime
from service.settings import Settings
from service.signing import SIGNING_KEY_FILE, Verifier, load_pepper, load_signer
from simulation.registry import CARDS

_ACTOR = "cli"
_LONGEST_REASON = 500


class CheckFailed(AbscopeError):
    """Something on disk is not what it should be."""


class WrongUsage(AbscopeError):
    """The command was called with something that it does not know."""


def greeting(settings: Settings) -> str:
    """Return what ``abscope serve`` prints: where it listens and a request to paste."""
    base = f"http://{settings.host}:{settings.port}"
    key = "" if settings.auth == "none" else " -H 'X-API-Key: YOUR_KEY'"
    body = orjson.dumps(next(iter(KINDS["fractionation"].examples.values()))).decode()
    return (
        f"Abscope {runs.SOFTWARE_VERSION}, research use only. Listening on {base}, documentation at {base}/docs\n"
        f"Try:\n  curl -s {base}/v1/doses/fractionation{key} -H 'Content-Type: application/json' -d '{body}'\n"
    )


def migrate_database(settings: Settings) -> None:
    """Bring the configured database to this release's schema."""
    with _Database(settings) as engine:
        migrate(engine)


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
    caller = access.Caller(tenant, _ACTOR, frozenset(access.SCOPES))
    async with open_runtime(settings) as runtime:
        if run_id is not None:
            return orjson.loads((await runs.read(runtime, caller, run_id)).body)
        page = await listing.list_page(runtime, caller, listing.Filter(kind=kind), limit=limit, cursor=None)
        return orjson.loads(page.body)["runs"]


def _require_kind(name: str | None) -> None:
    if name is not None and name not in KINDS:
        raise WrongUsage(f"no kind of run has this name; choose from {', '.join(KINDS)}")


async def create_key(settings: Settings, tenant: str, scopes: list[str], label: str) -> Any:
    """Store a new key's digest and return the key, which cannot be shown again."""
    key_id, key, digest = access.new_key(load_pepper(settings))
    async with open_runtime(settings) as runtime:
        await runtime.write(
            NewKey(
                id=key_id,
                tenant=tenant,
                digest=digest,
                scopes=" ".join(scopes),
                created_at=utc_now(),
                label=label,
                actor=_ACTOR,
            )
        )
    return {"id": key_id, "key": key, "tenant": tenant, "scopes": scopes, "note": "shown once; store it now"}


def list_keys(settings: Settings, tenant: str | None) -> Any:
    """Return every key without its digest."""
    with _Database(settings) as engine, engine.connect() as connection:
        return [
            {
                "id": row.id,
                "tenant": row.tenant,
                "scopes": row.scopes.split(),
                "label": row.label,
                "created_at": row.created_at,
                "revoked_at": row.revoked_at,
            }
            for row in queries.list_keys(connection, tenant)
        ]


async def revoke_key(settings: Settings, tenant: str, key_id: str) -> None:
    """End a key.

    Raises
    ------
    NotFound
        The tenant has no such key.
    """
    async with open_runtime(settings) as runtime:
        try:
            await runtime.write(RevokeKey(id=key_id, tenant=tenant, actor=_ACTOR))
        except UnknownRow:
            raise NotFound("this tenant has no such key") from None


def export_audit(settings: Settings, file: Path) -> int:
    """Write the log with its signed checkpoints to a new file of JSON lines; return its size in leaves."""
    with _Database(settings) as engine, snapshot(engine) as connection:
        return verify.export_log(connection, file)


def verify_audit(settings: Settings, file: Path | None, verifier_key: str | None) -> dict[str, Any]:
    """Verify an exported log, or the configured database, and return a report.

    ``verifier_key`` is the signer's public key; without it, this installation's own key.
    """
    verifier = Verifier.parse(verifier_key) if verifier_key else load_signer(settings).verifier
    if file is not None:
        found = audit.verify_export(file, [verifier])
    else:
        with _Database(settings) as engine, snapshot(engine) as connection:
            found = audit.verify_database(connection, [verifier])
    return {
        "valid": found.ok,
        "size": found.size,
        "root": found.root.hex(),
        "runs": found.runs,
        "problems": list(found.problems),
    }


def back_up(settings: Settings, file: Path) -> str:
    """Write a consistent copy of the database while it serves; return the file's SHA-256."""
    with _Database(settings) as engine:
        return backup.backup(engine, file)


def restore(settings: Settings, file: Path) -> None:
    """Load a backup into the empty configured database; nothing is kept unless its audit log verifies.

    Raises
    ------
    CheckFailed
        The backup is damaged, the database is not empty, the log does not verify, or the key that signed
        it is not here.
    """
    if settings.signing_key is None and not (settings.data_dir / SIGNING_KEY_FILE).exists():
        raise CheckFailed(
            "not restored: the key that signed this log is not here; set ABSCOPE_SIGNING_KEY_FILE to it, or copy "
            f"{SIGNING_KEY_FILE} of the service into the data folder"
        )
    verifier = load_signer(settings).verifier
    try:
        with _Database(settings) as engine:
            backup.restore(engine, file, verifier.check)
    except BackupInvalid as error:
        raise CheckFailed(shorten(f"not restored: {error}", _LONGEST_REASON, placeholder=" …")) from None


def diagnose(settings: Settings) -> list[dict[str, Any]]:
    """Check what a start needs, one row a check."""

    def listener() -> str:
        settings.require_safe_listener()
        return f"{settings.host}:{settings.port}, authentication {settings.auth}"

    def database() -> str:
        with _Database(settings) as engine:
            if not at_head(engine):
                raise CheckFailed("reachable, but not migrated: run 'abscope migrate'")
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
        "database": database,
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


class _Database:
    """The configured engine for the length of a ``with``."""

    def __init__(self, settings: Settings) -> None:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        self._engine = open_engine(settings.database)

    def __enter__(self) -> Engine:
        return self._engine

    def __exit__(self, *_: object) -> None:
        self._engine.dispose()
