"""The stored run, as every computing route answers it."""

from typing import Annotated, Any, Literal

from pydantic import Field

from schemas.base import Schema

RunStatus = Literal["queued", "running", "succeeded", "failed", "cancelled"]
RunId = Annotated[str, Field(pattern=r"^[0-9A-HJKMNP-TV-Z]{26}$", examples=["01JD0000000000000000000000"])]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class ModelRef(Schema):
    """A model and the version that computed."""

    id: str
    """Id of the model; GET /v1/models/{id} is its card."""
    version: str


class RunWarning(Schema):
    """Something the reader of the result must know."""

    code: Annotated[str, Field(examples=["outside-derivation-range"])]
    """Code of the warning, for programs."""
    message: str
    """The warning in one sentence."""
    pointer: Annotated[str | None, Field(description="JSON pointer into the input.")] = None


class Digests(Schema):
    """SHA-256 of the stored bytes."""

    input_sha256: Sha256
    """SHA-256 of the stored input, in hexadecimal."""
    result_sha256: Sha256 | None
    """SHA-256 of the stored result, in hexadecimal; null until there is one."""


class AuditReceipt(Schema):
    """Where the run stands in the append-only log."""

    leaf_index: Annotated[int, Field(ge=0)]


class Run(Schema):
    """One stored computation."""

    id: RunId
    """ULID of the run."""
    kind: str
    """Kind of computation."""
    status: RunStatus
    created_at: Annotated[str, Field(description="RFC 3339, UTC.")]
    input: dict[str, Any]
    models: list[ModelRef]
    seed: int
    result: dict[str, Any] | None
    warnings: list[RunWarning]
    digests: Digests
    software_version: str
    audit: AuditReceipt


class RunSummary(Schema):
    """A run in a list, without its input and result."""

    id: RunId
    """ULID of the run."""
    kind: str
    """Kind of computation."""
    status: RunStatus
    created_at: str
    """RFC 3339, UTC."""
    patient_reference: str | None
    """Pseudonym of the patient as the request gave it; null without one."""
    models: list[ModelRef]
    digests: Digests
    software_version: str


class RunList(Schema):
    """One page of runs, newest first."""

    runs: list[RunSummary]
    """The page of runs."""
    next_cursor: str | None
    """Cursor of the next page; null on the last one."""


class Replay(Schema):
    """The outcome of computing a run again."""

    run_id: RunId
    identical: Annotated[bool, Field(description="The recomputed bytes are the stored bytes.")]
    same_models: Annotated[bool, Field(description="The model versions are those of the stored run.")]
    stored_sha256: Sha256
    """SHA-256 of the stored result, in hexadecimal."""
    recomputed_sha256: Sha256
    """SHA-256 of the recomputed result, in hexadecimal."""
    stored_software_version: str
    """Version of Abscope that computed the stored run."""
    software_version: str
