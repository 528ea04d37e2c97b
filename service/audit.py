"""Verification of the audit log: in the database, or offline from an exported file."""

import base64
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from db import verify
from db.logwalk import Checkpoint, CheckSignature, LogWalk, Verification
from db.merkle import EMPTY_ROOT
from db.verify import EXPORT_FORMAT
from service.signing import Verifier


def verify_database(
    connection: Connection, verifiers: Sequence[Verifier], *, trusted: Sequence[Checkpoint] = ()
) -> Verification:
    """Verify the stored log and rows; a checkpoint may be signed by any of the keys."""
    return verify.verify_database(connection, any_of(verifiers), trusted=trusted)


def verify_export(path: Path, verifiers: Sequence[Verifier], *, trusted: Sequence[Checkpoint] = ()) -> Verification:
    """Verify an exported log; it needs neither server nor database.

    A file that was cut after a checkpoint is a valid shorter log: compare the reported size
    and root with a checkpoint from elsewhere, or give such ones as ``trusted``.
    """
    walk = LogWalk(any_of(verifiers), trusted)
    last_checkpoint = 0
    with path.open(encoding="utf-8", errors="replace") as file:
        if _read(file.readline(), walk).get("format") != EXPORT_FORMAT:
            return Verification(0, EMPTY_ROOT, 0, ("the file is not an exported audit log",))
        for text in file:
            content = _read(text, walk)
            try:
                if "record" in content:
                    walk.leaf(content["leaf_index"], content["record"].encode(), content.get("run_sha256"))
                elif content:
                    last_checkpoint = content["size"]
                    if last_checkpoint != walk.frontier.size:
                        walk.report(f"the checkpoint of size {last_checkpoint} is out of place")
                    walk.checkpoint(
                        last_checkpoint, base64.b64decode(content["root"]), base64.b64decode(content["signature"])
                    )
            except (KeyError, ValueError, TypeError, AttributeError):
                walk.report("a line of the file is neither leaf nor checkpoint")
            walk.completed.clear()
    return walk.finish(last_checkpoint)


def any_of(verifiers: Sequence[Verifier]) -> CheckSignature:
    """Accept what any of the keys signed."""

    def check(size: int, root: bytes, signature: bytes) -> bool:
        return any(verifier.check(size, root, signature) for verifier in verifiers)

    return check


def _read(text: str, walk: LogWalk) -> dict[str, Any]:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        content = None
    if isinstance(content, dict):
        return content
    walk.report("a line of the file is not a JSON object")
    return {}
