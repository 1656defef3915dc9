"""What was heard of reports that were sent as letters."""

import sqlalchemy as sa
from alembic import op

from tutela.storage.schema import Moment, RowId

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "delivery_notices",
        sa.Column("id", RowId, nullable=False),
        sa.Column("report_id", RowId, nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("by", sa.String(length=100), nullable=False),
        sa.Column("fate", sa.String(length=20), nullable=False),
        sa.Column("code", sa.String(length=15), nullable=False),
        sa.Column("words", sa.String(length=300), nullable=False),
        sa.Column("number", sa.String(length=300), nullable=False),
        sa.ForeignKeyConstraint(
            ["report_id"], ["reports.id"], name=op.f("fk_delivery_notices_report_id_reports")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery_notices")),
    )
    op.create_index(
        op.f("ix_delivery_notices_report_id"), "delivery_notices", ["report_id"], unique=False
    )
