"""Files that could not be looked at: counts, a few samples without content, and cases of them."""

import sqlalchemy as sa
from alembic import op

from tutela.storage.schema import Moment, RowId

revision = "0033"
down_revision = "0032"


def upgrade() -> None:
    """Make two tables, and add two columns to the items of cases."""
    op.create_table(
        "unreadable_counts",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("reason", sa.String(20), nullable=False),
        sa.Column("decoder", sa.String(20), nullable=False),
        sa.Column("answer", sa.String(10), nullable=False),
        sa.Column("files", RowId, nullable=False),
        sa.PrimaryKeyConstraint(
            "day", "reason", "decoder", "answer", name=op.f("pk_unreadable_counts")
        ),
    )
    op.create_table(
        "unreadable_samples",
        sa.Column("id", RowId, nullable=False),
        sa.Column("hour", Moment(), nullable=False),
        sa.Column("reason", sa.String(20), nullable=False),
        sa.Column("decoder", sa.String(20), nullable=False),
        sa.Column("answer", sa.String(10), nullable=False),
        sa.Column("named", sa.String(10), nullable=False),
        sa.Column("below", RowId),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_unreadable_samples")),
    )
    op.add_column("case_items", sa.Column("unreadable", sa.String(20)))
    op.add_column("case_items", sa.Column("unreadable_at", sa.String(4096)))
