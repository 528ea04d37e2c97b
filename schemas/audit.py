"""The audit log on the wire."""

from typing import Annotated, Any

from pydantic import Field

from schemas.base import Schema

Hex = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Size = Annotated[int, Field(ge=0)]


class Checkpoint(Schema):
    """Size and root of the log with the service's Ed25519 signature."""

    size: Size
    root: Hex
    signature: Annotated[str, Field(description="Base64 Ed25519 signature of the note.")]
    note: Annotated[str, Field(description="The signed text as a C2SP checkpoint; keep it.")]
    verifier_key: Annotated[str, Field(description="Public key of the signer in the form of C2SP signed notes.")]
    created_at: str | None


class Entry(Schema):
    """One event of the log."""

    leaf_index: Size
    leaf_hash: Hex
    record: dict[str, Any]


class EntryPage(Schema):
    """Entries in the order of the log."""

    entries: list[Entry]
    next_start: int | None


class InclusionProof(Schema):
    """A leaf, its record, and the hashes that lead to the signed root."""

    leaf_index: Size
    leaf_hash: Hex
    record: dict[str, Any]
    hashes: list[Hex]
    checkpoint: Checkpoint


class ConsistencyProof(Schema):
    """The hashes that lead from the older root to the newer one."""

    first: Size
    second: Size
    hashes: list[Hex]
