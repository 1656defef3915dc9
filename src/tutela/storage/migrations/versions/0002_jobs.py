"""The job table, and how far each schedule has been seen to."""

import sqlalchemy as sa
from alembic import op

from tutela.storage.schema import Moment, RowId

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "jobs",
        sa.Column("id", RowId, nullable=False),
        sa.Column("kind", sa.String(length=100), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column("dedupe", sa.String(length=200), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("token", RowId, nullable=False),
        sa.Column("due_at", Moment(), nullable=False),
        sa.Column("enqueued_at", Moment(), nullable=False),
        sa.Column("worker", sa.String(length=300), nullable=True),
        sa.Column("error", sa.String(length=1000), nullable=True),
        sa.Column("failed_at", Moment(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")),
        sa.UniqueConstraint("dedupe", name=op.f("uq_jobs_dedupe")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_jobs_kind_state_due_at_id", "jobs", ["kind", "state", "due_at", "id"], unique=False
    )
    op.create_table(
        "job_schedules",
        sa.Column("kind", sa.String(length=100), nullable=False),
        sa.Column("seen_to", Moment(), nullable=False),
        sa.Column("job_id", RowId, nullable=True),
        sa.PrimaryKeyConstraint("kind", name=op.f("pk_job_schedules")),
    )
