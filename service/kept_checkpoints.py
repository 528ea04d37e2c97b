"""Signed checkpoints that are kept in the data folder, out of the database's reach.

Who rolls the database back to an earlier state, or empties it, leaves a log that is valid by itself.
It is shorter than, or differs from, what this file has seen. Lines are only ever appended.
"""

import asyncio
import json
import logging
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from sqlalchemy import Engine, make_url
from sqlalchemy.exc import SQLAlchemyError

from db.errors import StoreError
from db.logwalk import Checkpoint
from service import telemetry
from service.log_keys import newest_checkpoint
from service.settings import Settings
from service.signing import InvalidKey, Verifier

CHECKPOINTS_FILE: Final = "audit_checkpoints.jsonl"
KEEP_SECONDS: Final = 900.0
_TAIL_BYTES: Final = 4096


class CheckpointKeeper:
    """Appends the newest checkpoint of a database to the file of its data folder."""

    def __init__(self, settings: Settings, engine: Engine, verifier: Verifier) -> None:
        self._path = settings.data_dir / CHECKPOINTS_FILE
        self._database = _database_name(settings)
        self._engine = engine
        self._verifier = verifier

    def keep(self) -> None:
        """Append the newest checkpoint unless it stands there; a failure is logged and stops nothing."""
        try:
            head = newest_checkpoint(self._engine)
            if head is None or not self._verifier.check(head.size, bytes(head.root), bytes(head.signature)):
                return
            note = self._verifier.note(head.size, bytes(head.root), bytes(head.signature))
            _append(self._path, json.dumps({"database": self._database, "note": note}, ensure_ascii=False).encode())
        except (OSError, StoreError, SQLAlchemyError) as error:
            telemetry.log(logging.WARNING, event="checkpoint-not-kept", error=type(error).__name__)

    async def watch(self) -> None:
        """Keep a checkpoint now and then, for as long as the process serves."""
        while True:
            await asyncio.sleep(KEEP_SECONDS)
            await asyncio.to_thread(self.keep)


def kept_checkpoints(settings: Settings, verifiers: Sequence[Verifier]) -> tuple[list[Checkpoint], int]:
    """Read the kept checkpoints of the configured database; also count the lines that none of the keys signed."""
    path = settings.data_dir / CHECKPOINTS_FILE
    found: list[Checkpoint] = []
    unreadable = 0
    if not path.exists():
        return found, unreadable
    with path.open(encoding="utf-8", errors="replace") as file:
        for text in file:
            try:
                line = json.loads(text)
                if line["database"] == _database_name(settings):
                    found.append(read_note(line["note"], verifiers))
            except (ValueError, KeyError, TypeError, AttributeError, InvalidKey):
                unreadable += 1
    return found, unreadable


def read_note(text: str, verifiers: Sequence[Verifier]) -> Checkpoint:
    """Return the checkpoint of a note that one of the keys signed; an answer of the service holds it as ``note``.

    Raises
    ------
    InvalidKey
        None of the keys signed it.
    """
    note = text
    if text.lstrip().startswith("{"):
        try:
            note = str(json.loads(text)["note"])
        except (ValueError, KeyError):
            note = ""
    for verifier in verifiers:
        try:
            return verifier.read_note(note)
        except InvalidKey:
            continue
    raise InvalidKey("the checkpoint is not signed by a given key")


def _append(path: Path, line: bytes) -> None:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(descriptor, "r+b", buffering=0) as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - _TAIL_BYTES))
        if (file.read() or b"").splitlines()[-1:] != [line]:
            file.write(line + b"\n")
            os.fsync(file.fileno())


def _database_name(settings: Settings) -> str:
    """Name a database without its credentials; one in the data folder moves with it."""
    url = make_url(settings.database)
    if url.host is None and url.database is not None and Path(url.database).parent == settings.data_dir.resolve():
        return Path(url.database).name
    return f"{url.get_backend_name()}://{url.host or ''}:{url.port or ''}/{url.database}"
