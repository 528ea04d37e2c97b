"""Every table of the store.

Times are RFC 3339 UTC with six decimals and a ``Z``, so that text order is time order.
Text is compared byte by byte on both databases, which keeps the order of lists the same.
"""

from typing import Any, TypeAlias

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Row,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)

String = Text().with_variant(Text(collation="C"), "postgresql")
Position = BigInteger().with_variant(Integer(), "sqlite")

AnyRow: TypeAlias = Row[*tuple[Any, ...]]

OPEN_STATUSES = ("queued", "running")
STATUSES = (*OPEN_STATUSES, "succeeded", "failed", "cancelled")

runs = Table(
    "runs",
    metadata,
    Column("id", String, primary_key=True),
    Column("tenant", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("status", String, nullable=False),
    Column("created_at", String, nullable=False),
    Column("patient_reference", String),
    Column("input", LargeBinary, nullable=False),
    Column("result", LargeBinary),
    Column("warnings", LargeBinary, nullable=False),
    Column("models", LargeBinary, nullable=False),
    Column("models_sha256", String, nullable=False),
    Column("seed", BigInteger, nullable=False),
    Column("input_sha256", String, nullable=False),
    Column("result_sha256", String),
    Column("software_version", String, nullable=False),
    Column("request_id", String, nullable=False),
    Column("leaf_index", Position, nullable=False, unique=True),
    Column("lease_owner", String),
    Column("lease_expires_at", String),
    CheckConstraint(f"status IN {STATUSES}", name="status"),
    CheckConstraint("(result IS NULL) = (result_sha256 IS NULL)", name="result_with_digest"),
)
Index("ix_runs_models", runs.c.models_sha256, runs.c.tenant)
Index("ix_runs_newest", runs.c.tenant, runs.c.created_at, runs.c.id)
Index("ix_runs_kind", runs.c.tenant, runs.c.kind, runs.c.created_at, runs.c.id)
Index(
    "ix_runs_patient",
    runs.c.tenant,
    runs.c.patient_reference,
    runs.c.created_at,
    runs.c.id,
    sqlite_where=runs.c.patient_reference.is_not(None),
    postgresql_where=runs.c.patient_reference.is_not(None),
)
Index(
    "ix_runs_open",
    runs.c.created_at,
    runs.c.id,
    sqlite_where=runs.c.status.in_(OPEN_STATUSES),
    postgresql_where=runs.c.status.in_(OPEN_STATUSES),
)

model_lists = Table(
    "model_lists",
    metadata,
    Column("models_sha256", String, primary_key=True),
    Column("model_id", String, primary_key=True),
    Column("version", String, primary_key=True),
    Index("ix_model_lists_model", "model_id", "models_sha256"),
    sqlite_with_rowid=False,
)
"""Index of the ``models`` column: most runs share a few lists, so one row a list and model is enough."""

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("tenant", String, primary_key=True),
    Column("key", String, primary_key=True),
    Column("request_sha256", String, nullable=False),
    Column("run_id", String, ForeignKey(runs.c.id), nullable=False),
    Column("created_at", String, nullable=False),
    Column("outcome_id", String, ForeignKey("outcomes.id")),
    sqlite_with_rowid=False,
)
"""A key stands for its run, or for an outcome of that run."""

audit_entries = Table(
    "audit_entries",
    metadata,
    Column("leaf_index", Position, primary_key=True, autoincrement=False),
    Column("created_at", String, nullable=False),
    Column("event", String, nullable=False),
    Column("subject", String, nullable=False),
    Column("tenant", String, nullable=False),
    Column("actor", String, nullable=False),
    Column("record", LargeBinary, nullable=False),
    Column("leaf_hash", LargeBinary, nullable=False),
)

audit_nodes = Table(
    "audit_nodes",
    metadata,
    Column("level", Integer, primary_key=True, autoincrement=False),
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("hash", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)

audit_checkpoints = Table(
    "audit_checkpoints",
    metadata,
    Column("size", Position, primary_key=True, autoincrement=False),
    Column("root", LargeBinary, nullable=False),
    Column("signature", LargeBinary, nullable=False),
    Column("created_at", String, nullable=False),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", String, primary_key=True),
    Column("tenant", String, nullable=False, index=True),
    Column("digest", LargeBinary, nullable=False),
    Column("scopes", String, nullable=False),
    Column("created_at", String, nullable=False),
    Column("revoked_at", String),
    Column("label", String, nullable=False),
)

outcomes = Table(
    "outcomes",
    metadata,
    Column("id", String, primary_key=True),
    Column("run_id", String, ForeignKey(runs.c.id), nullable=False),
    Column("tenant", String, nullable=False),
    Column("recorded_at", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("day", Double, nullable=False),
    Column("value", String, nullable=False),
    Column("corrects_id", String, ForeignKey("outcomes.id")),
    Index("ix_outcomes_run", "run_id", "recorded_at", "id"),
    Index("ix_outcomes_tenant", "tenant", "kind"),
    UniqueConstraint("corrects_id"),
)

TABLES = (runs, model_lists, audit_entries, audit_nodes, audit_checkpoints, api_keys, outcomes, idempotency_keys)
"""In an order that satisfies the foreign keys."""
