"""What keeps an installation: schema, keys, audit log, backups; without HTTP and without the models.

Nothing here imports the models, whose code takes seconds to load: these commands answer at once.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from textwrap import shorten
from typing import Any

from sqlalchemy import Engine

from db import backup, queries, verify
from db.clock import utc_now
from db.engine import migrate, schema_fit, snapshot
from db.errors import BackupInvalid, UnknownRow
from db.logwalk import Checkpoint
from db.revisions import Fit
from db.writer import GroupWriter
from db.writes import Event, NewKey, RevokeKey
from service import audit
from service.database import open_database
from service.errors import AbscopeError, NotFound
from service.kept_checkpoints import CHECKPOINTS_FILE, kept_checkpoints, read_note
from service.keys import new_key
from service.log_keys import KeyMissing, installed_signer, newest_checkpoint, pepper_of, signer_of
from service.runtime import open_runtime
from service.settings import Settings
from service.signing import Verifier, load_signer

ACTOR = "cli"
_LONGEST_REASON = 500
_WRITE_SECONDS = 30.0


class CheckFailed(AbscopeError):
    """Something on disk is not what it should be."""


class WrongUsage(AbscopeError):
    """The command was called with something that it does not know."""


def reach_database(settings: Settings) -> None:
    """Connect once, so that a start without the database or without its keys ends in one sentence."""
    with database(settings, migrated=False) as engine:
        signer_of(settings, engine)
        pepper_of(settings, engine)


def migrate_database(settings: Settings) -> None:
    """Bring the configured database to this release's schema."""
    with database(settings, migrated=False) as engine:
        migrate(engine)


async def create_key(settings: Settings, tenant: str, scopes: list[str], label: str) -> Any:
    """Store a new key's digest and return the key, which cannot be shown again."""
    async with open_runtime(settings) as runtime:
        key_id, key, digest = new_key(pepper_of(settings, runtime.engine))
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


async def revoke_key(settings: Settings, key_id: str, tenant: str | None = None) -> None:
    """End a key, of this tenant where one is named.

    Raises
    ------
    NotFound
        There is no such key in use.
    """
    async with open_runtime(settings) as runtime:
        row = await runtime.read(lambda connection: queries.get_key(connection, key_id))
        if row is None or tenant not in (None, row.tenant):
            raise NotFound("no key in use has this id; 'abscope keys list' shows them")
        try:
            await runtime.write(RevokeKey(id=key_id, tenant=row.tenant, actor=ACTOR))
        except UnknownRow:
            raise NotFound("the key is revoked already") from None


def export_audit(settings: Settings, file: Path) -> int:
    """Write the log with its signed checkpoints to a new file of JSON lines; return its size in leaves."""
    with database(settings) as engine, snapshot(engine) as connection:
        return verify.export_log(connection, file)


def verify_audit(
    settings: Settings, file: Path | None, verifier_keys: Sequence[str], notes: Sequence[Path]
) -> dict[str, Any]:
    """Verify an exported log, or the configured database, and return a report.

    ``verifier_keys`` are the public keys that may have signed it; without them, this installation's own.
    ``notes`` are files with checkpoints that were kept elsewhere. The database must also agree with
    the checkpoints that were kept in the data folder.
    """
    problems: list[str] = []
    if file is not None:
        verifiers = _verifiers(settings, verifier_keys)
        found = audit.verify_export(file, verifiers, trusted=_read_notes(notes, verifiers))
    else:
        with database(settings) as engine:
            verifiers = _verifiers(settings, verifier_keys)
            kept, unreadable = kept_checkpoints(settings, verifiers)
            if unreadable:
                problems.append(
                    f"lines of {CHECKPOINTS_FILE} without a checkpoint that a given key signed: {unreadable}"
                )
            with snapshot(engine) as connection:
                trusted = [*_read_notes(notes, verifiers), *kept]
                found = audit.verify_database(connection, verifiers, trusted=trusted)
    problems += found.problems
    return {
        "valid": not problems,
        "size": found.size,
        "root": found.root.hex(),
        "runs": found.runs,
        "problems": problems,
    }


def rekey(settings: Settings) -> str:
    """Go on with a log that another key signed, and record that; return the verifier key that signs from now on.

    Raises
    ------
    CheckFailed
        The key that is here signs this log already.
    """
    with database(settings) as engine:
        signer = load_signer(settings)
        head = newest_checkpoint(engine)
        if head is None or signer.verifier.check(head.size, bytes(head.root), bytes(head.signature)):
            raise CheckFailed("the signing key that is here is the one of this log; there is nothing to change")
        writer = GroupWriter(engine, signer.sign)
        writer.start()
        try:
            changed = Event(
                event="signer.changed",
                subject=signer.verifier.text,
                tenant="",
                actor=ACTOR,
                extra={"size": head.size, "root": bytes(head.root).hex()},
            )
            writer.submit(changed).result(_WRITE_SECONDS)
        finally:
            writer.drain(_WRITE_SECONDS)
    return signer.verifier.text


def _verifiers(settings: Settings, texts: Sequence[str]) -> list[Verifier]:
    if texts:
        return [Verifier.parse(text) for text in texts]
    try:
        return [installed_signer(settings).verifier]
    except KeyMissing as error:
        raise KeyMissing(f"{error.detail}; or give the public key of the service with --verifier-key") from None


def _read_notes(notes: Sequence[Path], verifiers: Sequence[Verifier]) -> list[Checkpoint]:
    return [read_note(note.read_text(encoding="utf-8", errors="replace"), verifiers) for note in notes]


def back_up(settings: Settings, file: Path) -> str:
    """Write a consistent copy of the database while it serves; return the file's SHA-256."""
    with database(settings) as engine:
        return backup.backup(engine, file)


def restore(settings: Settings, file: Path, verifier_keys: Sequence[str]) -> None:
    """Load a backup into the empty configured database; nothing is kept unless its audit log verifies.

    ``verifier_keys`` are the public keys that may have signed it; without them, this installation's own.

    Raises
    ------
    CheckFailed
        The backup is damaged, the database is not empty, or the log does not verify.
    KeyMissing
        No key is given, and none is here.
    """
    verifiers = _verifiers(settings, verifier_keys)
    try:
        with database(settings, migrated=False) as engine:
            backup.restore(engine, file, audit.any_of(verifiers))
    except BackupInvalid as error:
        raise CheckFailed(shorten(f"not restored: {error}", _LONGEST_REASON, placeholder=" …")) from None


@contextmanager
def database(settings: Settings, *, migrated: bool = True) -> Iterator[Engine]:
    """Open the configured engine for the length of a ``with``.

    Raises
    ------
    CheckFailed
        This release cannot work with its schema, or (``migrated``) not yet.
    """
    engine = open_database(settings)
    try:
        fit = schema_fit(engine)
        if fit is Fit.TOO_NEW:
            raise CheckFailed(
                "the schema of the database is of a newer release, and this release cannot work with it: "
                "use the newer release, or restore a backup from before its first start"
            )
        if migrated and fit is Fit.BEHIND:
            raise CheckFailed("the schema of the database is older than this release: run 'abscope migrate'")
        yield engine
    finally:
        engine.dispose()
