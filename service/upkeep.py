"""What keeps an installation: schema, keys, audit log, backups; without HTTP and without the models.

Nothing here imports the models, whose code takes seconds to load: these commands answer at once.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from textwrap import shorten
from typing import Any

from sqlalchemy import Engine

from db import backup, queries, verify
from db.clock import utc_now
from db.engine import at_head, migrate, open_engine, snapshot
from db.errors import BackupInvalid, UnknownRow
from db.writes import NewKey, RevokeKey
from service import access, audit
from service.errors import AbscopeError, NotFound
from service.runtime import open_runtime
from service.settings import Settings
from service.signing import SIGNING_KEY_FILE, Verifier, load_pepper, load_signer

ACTOR = "cli"
_LONGEST_REASON = 500


class CheckFailed(AbscopeError):
    """Something on disk is not what it should be."""


class WrongUsage(AbscopeError):
    """The command was called with something that it does not know."""


def reach_database(settings: Settings) -> None:
    """Connect once, so that a start without the database ends in one sentence."""
    with database(settings, migrated=False) as engine, engine.connect():
        pass


def migrate_database(settings: Settings) -> None:
    """Bring the configured database to this release's schema."""
    with database(settings, migrated=False) as engine:
        migrate(engine)


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
                actor=ACTOR,
            )
        )
    return {"id": key_id, "key": key, "tenant": tenant, "scopes": scopes, "note": "shown once; store it now"}


def list_keys(settings: Settings, tenant: str | None) -> Any:
    """Return every key without its digest."""
    with database(settings) as engine, engine.connect() as connection:
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
            await runtime.write(RevokeKey(id=key_id, tenant=tenant, actor=ACTOR))
        except UnknownRow:
            raise NotFound("this tenant has no such key") from None


def export_audit(settings: Settings, file: Path) -> int:
    """Write the log with its signed checkpoints to a new file of JSON lines; return its size in leaves."""
    with database(settings) as engine, snapshot(engine) as connection:
        return verify.export_log(connection, file)


def verify_audit(settings: Settings, file: Path | None, verifier_key: str | None) -> dict[str, Any]:
    """Verify an exported log, or the configured database, and return a report.

    ``verifier_key`` is the signer's public key; without it, this installation's own key.
    """
    verifier = Verifier.parse(verifier_key) if verifier_key else load_signer(settings).verifier
    if file is not None:
        found = audit.verify_export(file, [verifier])
    else:
        with database(settings) as engine, snapshot(engine) as connection:
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
    with database(settings) as engine:
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
        with database(settings, migrated=False) as engine:
            backup.restore(engine, file, verifier.check)
    except BackupInvalid as error:
        raise CheckFailed(shorten(f"not restored: {error}", _LONGEST_REASON, placeholder=" …")) from None


@contextmanager
def database(settings: Settings, *, migrated: bool = True) -> Iterator[Engine]:
    """Open the configured engine for the length of a ``with``.

    Raises
    ------
    CheckFailed
        Its schema must be this release's (``migrated``), and is not.
    """
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    engine = open_engine(settings.database)
    try:
        if migrated and not at_head(engine):
            raise CheckFailed("the database is not at this release's schema: run 'abscope migrate'")
        yield engine
    finally:
        engine.dispose()
