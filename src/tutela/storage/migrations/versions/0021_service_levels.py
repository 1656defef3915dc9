"""How long authorities wait for reports, counted by days."""

import sqlalchemy as sa
from alembic import op

from tutela.storage.schema import Moment

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    """Make the tables, and the index that they are counted by."""
    op.create_table(
        "report_days",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("authority", sa.String(length=60), nullable=False),
        sa.Column("environment", sa.String(length=10), nullable=False),
        sa.Column("sent", sa.Integer(), nullable=False),
        sa.Column("from_opened", sa.JSON(), nullable=False),
        sa.Column("from_confirmed", sa.JSON(), nullable=False),
        sa.Column("counted_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("day", "authority", "environment", name=op.f("pk_report_days")),
    )
    op.create_table(
        "report_waits",
        sa.Column("authority", sa.String(length=60), nullable=False),
        sa.Column("waiting", sa.Integer(), nullable=False),
        sa.Column("oldest_at", Moment(), nullable=False),
        sa.Column("counted_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("authority", name=op.f("pk_report_waits")),
    )
    op.create_index("ix_reports_sent_at", "reports", ["sent_at"])
