"""The audit log on the wire."""

from typing import Annotated, Any

from pydantic import Field

from schemas.base import Schema
from schemas.run import RunId

Hex = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Size = Annotated[int, Field(ge=0)]


class Checkpoint(Schema):
    """Size and root of the log with the service's Ed25519 signature."""

    size: Size
    """Number of leaves."""
    root: Hex
    """Root hash of the Merkle tree, SHA-256 in hexadecimal."""
    signature: Annotated[str, Field(description="Base64 Ed25519 signature of the note.")]
    note: Annotated[str, Field(description="The signed text as a C2SP checkpoint; keep it.")]
    verifier_key: Annotated[str, Field(description="Public key of the signer in the form of C2SP signed notes.")]
    created_at: str | None
    """When it was signed, RFC 3339, UTC; null for an empty log."""


class Entry(Schema):
    """One event of the log."""

    leaf_index: Size
    leaf_hash: Hex
    record: dict[str, Any]


class EntryPage(Schema):
    """Entries in the order of the log."""

    entries: list[Entry]
    """Entries of this page."""
    next_start: int | None
    """Leaf index to ask for next; null at the end of the log."""


class LeafProof(Entry):
    """A leaf, its record, and the hashes that lead to the signed root."""

    hashes: Annotated[list[Hex], Field(description="Inclusion proof of RFC 9162, from the leaf upward.")]


class RunRow(Schema):
    """The immutable columns of a run: ``row_sha256`` is the SHA-256 of this object as canonical JSON.

    Canonical JSON has its members sorted, no white space, and is UTF-8. The four digests are of the text of
    ``input``, ``models``, ``result`` and ``warnings`` in the run exactly as it was answered.
    """

    created_at: str
    """When the run was stored, RFC 3339, UTC."""
    id: RunId
    """ULID of the run."""
    input_sha256: Hex
    """Digest of the text of input."""
    kind: str
    """Kind of the run."""
    models_sha256: Hex
    """Digest of the text of models."""
    patient_reference: str | None
    """Pseudonym that the input gave."""
    request_id: str
    """X-Request-ID of the request that made the run."""
    result_sha256: Hex | None
    """Digest of the text of result; null where there is none."""
    seed: int
    """Seed of the random numbers."""
    software_version: str
    """Version that computed."""
    status: Annotated[str, Field(description="Status of the run; queued and running are both written as open.")]
    tenant: str
    """Tenant that the run belongs to."""
    warnings_sha256: Hex
    """Digest of the text of warnings."""


class InclusionProof(LeafProof):
    """The leaf of a run with its proof, and what ties the run as it was received to the leaf.

    A leaf hash is the SHA-256 of a zero byte and the record as canonical JSON. ``row_sha256`` in the record is the
    SHA-256 of ``row`` as canonical JSON; where ``end`` is not null it is the one in the record of ``end``.
    """

    row: RunRow
    """The run's columns that the leaf stands for."""
    end: Annotated[
        LeafProof | None,
        Field(
            description="The leaf that ended the run, where it was stored before its computation; it stands for row."
        ),
    ]
    checkpoint: Checkpoint
    """The signed checkpoint that the proof leads to."""


class ConsistencyProof(Schema):
    """The hashes that lead from the older root to the newer one."""

    first: Size
    """Size of the older tree, in leaves."""
    second: Size
    """Size of the newer tree, in leaves."""
    hashes: Annotated[list[Hex], Field(description="Consistency proof of RFC 9162.")]
