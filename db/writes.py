"""What can be submitted to the writer, and what it answers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

FinalStatus = Literal["succeeded", "failed", "cancelled"]
Detail: TypeAlias = "str | int | float | bool | None"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRun:
    """A run, finished (``succeeded``, ``failed``) or open (``queued``, ``running``).

    With ``idempotency_key`` goes ``request_sha256``, the digest of the request it stands for.
    ``actor`` is the id of the access key or subject of the token that asked.
    """

    id: str
    tenant: str
    kind: str
    status: Literal["queued", "running", "succeeded", "failed"]
    created_at: str
    patient_reference: str | None
    input: bytes
    input_sha256: str
    result: bytes | None
    result_sha256: str | None
    warnings: bytes
    models: tuple[tuple[str, str], ...]
    seed: int
    software_version: str
    request_id: str
    actor: str
    idempotency_key: str | None = None
    request_sha256: str | None = None
    lease_owner: str | None = None
    lease_expires_at: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishRun:
    """The end of an open run. With ``lease_owner`` it counts only while that worker holds the lease."""

    run_id: str
    tenant: str
    status: Literal["succeeded", "failed"]
    result: bytes | None
    result_sha256: str | None
    warnings: bytes
    models: tuple[tuple[str, str], ...]
    actor: str
    lease_owner: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelRun:
    """The end of an open run at the caller's wish."""

    run_id: str
    tenant: str
    actor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened and leaves no row: ``run.read``, ``access.denied``.

    ``extra`` holds identifiers and digests, never submitted values.
    """

    event: str
    subject: str
    tenant: str
    actor: str
    extra: Mapping[str, Detail] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewKey:
    """An access key; ``digest`` is the keyed hash of its secret, ``scopes`` are separated by blanks."""

    id: str
    tenant: str
    digest: bytes
    scopes: str
    created_at: str
    label: str
    actor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokeKey:
    """The end of an access key."""

    id: str
    tenant: str
    actor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewOutcome:
    """What happened to the patient of a run; ``value`` is the text of a JSON scalar.

    A correction names the outcome that it replaces, which must be of the same run and is
    corrected at most once. With ``idempotency_key`` goes ``request_sha256``, as for a run.
    """

    id: str
    run_id: str
    tenant: str
    recorded_at: str
    kind: str
    day: float
    value: str
    corrects_id: str | None
    actor: str
    idempotency_key: str | None = None
    request_sha256: str | None = None


Write: TypeAlias = NewRun | FinishRun | CancelRun | Event | NewKey | RevokeKey | NewOutcome


@dataclass(frozen=True, slots=True)
class Receipt:
    """Proof that a write is committed: its leaf, and the signed size of the log that contains it.

    ``existing_id`` is set when the idempotency key already stood for that run or outcome; then
    nothing was stored and ``leaf_index`` is the leaf of the run.
    """

    leaf_index: int
    tree_size: int
    existing_id: str | None = None
