"""An idempotency key may also stand for an outcome of its run."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column in place, without a copy of the table; the release before goes on and leaves it out."""
    collation = ' COLLATE "C"' if op.get_bind().dialect.name == "postgresql" else ""
    op.execute(
        f"ALTER TABLE idempotency_keys ADD COLUMN outcome_id TEXT{collation} "
        "CONSTRAINT fk_idempotency_keys_outcome_id REFERENCES outcomes (id)"
    )
