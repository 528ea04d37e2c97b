"""Runs, idempotency keys, the audit log, access keys and outcomes."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

STRING = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
POSITION = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _text(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, STRING, nullable=nullable)


def _bytes(name: str, *, nullable: bool = False) -> sa.Column[bytes]:
    return sa.Column(name, sa.LargeBinary(), nullable=nullable)


def upgrade() -> None:
    """Create every table of the first release."""
    _create_runs()
    _create_audit_log()
    _create_keys_and_outcomes()


def _create_runs() -> None:
    op.create_table(
        "runs",
        _text("id"),
        _text("tenant"),
        _text("kind"),
        _text("status"),
        _text("created_at"),
        _text("patient_reference", nullable=True),
        _bytes("input"),
        _bytes("result", nullable=True),
        _bytes("warnings"),
        _bytes("models"),
        _text("models_sha256"),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        _text("input_sha256"),
        _text("result_sha256", nullable=True),
        _text("software_version"),
        _text("request_id"),
        sa.Column("leaf_index", POSITION, nullable=False),
        _text("lease_owner", nullable=True),
        _text("lease_expires_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_runs"),
        sa.UniqueConstraint("leaf_index", name="uq_runs_leaf_index"),
        sa.CheckConstraint("status IN ('queued', 'running', 'succeeded', 'failed', 'cancelled')", name="status"),
        sa.CheckConstraint("(result IS NULL) = (result_sha256 IS NULL)", name="result_with_digest"),
    )
    op.create_index("ix_runs_newest", "runs", ["tenant", "created_at", "id"])
    op.create_index("ix_runs_kind", "runs", ["tenant", "kind", "created_at", "id"])
    with_patient = sa.text("patient_reference IS NOT NULL")
    op.create_index(
        "ix_runs_patient",
        "runs",
        ["tenant", "patient_reference", "created_at", "id"],
        sqlite_where=with_patient,
        postgresql_where=with_patient,
    )
    still_open = sa.text("status IN ('queued', 'running')")
    op.create_index("ix_runs_open", "runs", ["created_at", "id"], sqlite_where=still_open, postgresql_where=still_open)
    op.create_index("ix_runs_models", "runs", ["models_sha256", "tenant"])
    op.create_table(
        "model_lists",
        _text("models_sha256"),
        _text("model_id"),
        _text("version"),
        sa.PrimaryKeyConstraint("models_sha256", "model_id", "version", name="pk_model_lists"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_model_lists_model", "model_lists", ["model_id", "models_sha256"])
    op.create_table(
        "idempotency_keys",
        _text("tenant"),
        _text("key"),
        _text("request_sha256"),
        _text("run_id"),
        _text("created_at"),
        sa.PrimaryKeyConstraint("tenant", "key", name="pk_idempotency_keys"),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_idempotency_keys_run_id"),
        sqlite_with_rowid=False,
    )


def _create_audit_log() -> None:
    op.create_table(
        "audit_entries",
        sa.Column("leaf_index", POSITION, autoincrement=False, nullable=False),
        _text("created_at"),
        _text("event"),
        _text("subject"),
        _text("tenant"),
        _text("actor"),
        _bytes("record"),
        _bytes("leaf_hash"),
        sa.PrimaryKeyConstraint("leaf_index", name="pk_audit_entries"),
    )
    op.create_table(
        "audit_nodes",
        sa.Column("level", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False),
        _bytes("hash"),
        sa.PrimaryKeyConstraint("level", "position", name="pk_audit_nodes"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "audit_checkpoints",
        sa.Column("size", POSITION, autoincrement=False, nullable=False),
        _bytes("root"),
        _bytes("signature"),
        _text("created_at"),
        sa.PrimaryKeyConstraint("size", name="pk_audit_checkpoints"),
    )


def _create_keys_and_outcomes() -> None:
    op.create_table(
        "api_keys",
        _text("id"),
        _text("tenant"),
        _bytes("digest"),
        _text("scopes"),
        _text("created_at"),
        _text("revoked_at", nullable=True),
        _text("label"),
        sa.PrimaryKeyConstraint("id", name="pk_api_keys"),
    )
    op.create_index("ix_api_keys_tenant", "api_keys", ["tenant"])
    op.create_table(
        "outcomes",
        _text("id"),
        _text("run_id"),
        _text("tenant"),
        _text("recorded_at"),
        _text("kind"),
        sa.Column("day", sa.Double(), nullable=False),
        _text("value"),
        _text("corrects_id", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_outcomes"),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_outcomes_run_id"),
        sa.ForeignKeyConstraint(["corrects_id"], ["outcomes.id"], name="fk_outcomes_corrects_id"),
        sa.UniqueConstraint("corrects_id", name="uq_outcomes_corrects_id"),
    )
    op.create_index("ix_outcomes_run", "outcomes", ["run_id", "recorded_at", "id"])
    op.create_index("ix_outcomes_tenant", "outcomes", ["tenant", "kind"])
