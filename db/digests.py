"""What a leaf of the audit log says about a row.

A leaf record is canonical JSON: members sorted, no white space, UTF-8. Where the event
concerns a row, ``row_sha256`` is the SHA-256 of the canonical JSON object of that row's
immutable columns, in which a binary column is represented by the hex SHA-256 of its bytes.
Anyone who can read a row can therefore recompute what the log must say about it.

Of a run everything is immutable except ``status`` while it is queued or running (both count
as ``open``) and the lease, which exists only while the run is open. ``leaf_index`` is proved
by the position of the leaf itself, ``models_sha256`` and ``model_lists`` by the ``models`` column.
"""

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from hashlib import sha256
from typing import Any

_encode = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode

Json = Mapping[str, "str | int | float | bool | None"]

RUN_CREATED = "run.created"
RUN_FINAL_EVENTS = ("run.succeeded", "run.failed", "run.cancelled")
KEY_CREATED = "key.created"
KEY_REVOKED = "key.revoked"
OUTCOME_RECORDED = "outcome.recorded"


def canonical_json(value: Any) -> bytes:
    """Encode JSON data so that equal data are equal bytes."""
    return _encode(value).encode()


def hex_sha256(data: bytes) -> str:
    """SHA-256 in lower-case hexadecimal digits."""
    return sha256(data).hexdigest()


@lru_cache(maxsize=256)
def _recurring_sha256(data: bytes) -> str:
    """Remember the digests of what most runs have in common."""
    return hex_sha256(data)


@lru_cache(maxsize=256)
def models_json(models: tuple[tuple[str, str], ...]) -> bytes:
    """Encode (id, version) pairs as the ``models`` column."""
    return canonical_json([{"id": model_id, "version": version} for model_id, version in models])


def run_digest(run: Mapping[str, Any], *, input_sha256: str, result_sha256: str | None) -> str:
    """Digest of a run's immutable columns, given the digests of its two large ones."""
    return hex_sha256(canonical_json(run_content(run, input_sha256=input_sha256, result_sha256=result_sha256)))


def run_content(run: Mapping[str, Any], *, input_sha256: str, result_sha256: str | None) -> dict[str, Any]:
    """Return the object that ``run_digest`` is the digest of."""
    status = run["status"]
    return {
        "created_at": run["created_at"],
        "id": run["id"],
        "input_sha256": input_sha256,
        "kind": run["kind"],
        "models_sha256": _recurring_sha256(run["models"]),
        "patient_reference": run["patient_reference"],
        "request_id": run["request_id"],
        "result_sha256": result_sha256,
        "seed": run["seed"],
        "software_version": run["software_version"],
        "status": "open" if status in ("queued", "running") else status,
        "tenant": run["tenant"],
        "warnings_sha256": _recurring_sha256(run["warnings"]),
    }


def key_digest(key: Mapping[str, Any]) -> str:
    """Digest of an access key's row."""
    return _row_digest(key, ("id", "tenant", "scopes", "created_at", "revoked_at", "label"), binary="digest")


def outcome_digest(outcome: Mapping[str, Any]) -> str:
    """Digest of a recorded outcome's row."""
    return _row_digest(outcome, ("id", "run_id", "tenant", "recorded_at", "kind", "day", "value", "corrects_id"))


def idempotency_digest(row: Mapping[str, Any]) -> str:
    """Digest of an idempotency key's row; the leaf of the run or outcome that it stands for carries it."""
    columns = ("tenant", "key", "request_sha256", "run_id", "created_at")
    return _row_digest(row, columns if row["outcome_id"] is None else (*columns, "outcome_id"))


def _row_digest(row: Mapping[str, Any], columns: Sequence[str], *, binary: str | None = None) -> str:
    content = {name: row[name] for name in columns}
    if binary is not None:
        content[f"{binary}_sha256"] = hex_sha256(row[binary])
    return hex_sha256(canonical_json(content))


def leaf_record(*, event: str, subject: str, tenant: str, actor: str, time: str, **details: Any) -> bytes:
    """Canonical bytes of one event; ``details`` hold identifiers and digests, never submitted values."""
    return canonical_json(
        {"actor": actor, "event": event, "subject": subject, "tenant": tenant, "time": time, **details}
    )
