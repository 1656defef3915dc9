"""What appeals need: entries in doubt, and the counts that the public sees."""

import sqlalchemy as sa
from alembic import op

from tutela.storage.schema import Moment, RowId

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Make the tables and indexes."""
    op.create_table(
        "case_counts",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("what", sa.String(length=20), nullable=False),
        sa.Column("technology", sa.String(length=10), nullable=False),
        sa.Column("cases", RowId, nullable=False),
        sa.PrimaryKeyConstraint("day", "what", "technology", name=op.f("pk_case_counts")),
    )
    op.create_table(
        "case_times",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("what", sa.String(length=20), nullable=False),
        sa.Column("band", sa.SmallInteger(), nullable=False, autoincrement=False),
        sa.Column("cases", RowId, nullable=False),
        sa.PrimaryKeyConstraint("day", "what", "band", name=op.f("pk_case_times")),
    )
    op.create_table(
        "entry_flags",
        sa.Column("id", RowId, nullable=False),
        sa.Column("entry_id", RowId, nullable=False),
        sa.Column("case_id", sa.String(length=20), nullable=False),
        sa.Column("raised_at", Moment(), nullable=False),
        sa.Column("raised_by", sa.String(length=100), nullable=False),
        sa.Column("settled_at", Moment()),
        sa.Column("settled_by", sa.String(length=100)),
        sa.Column("outcome", sa.String(length=12)),
        sa.Column("reason", sa.String(length=1000)),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["entries.id"], name=op.f("fk_entry_flags_entry_id_entries")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_entry_flags")),
    )
    for column in ("entry_id", "case_id"):
        op.create_index(op.f(f"ix_entry_flags_{column}"), "entry_flags", [column])
    op.create_index(
        "ix_entry_flags_waiting",
        "entry_flags",
        ["entry_id"],
        unique=True,
        sqlite_where=sa.text("settled_at IS NULL"),
        postgresql_where=sa.text("settled_at IS NULL"),
    )
    op.create_index(
        "ix_appeals_waiting",
        "appeals",
        ["id"],
        sqlite_where=sa.text("decided_at IS NULL"),
        postgresql_where=sa.text("decided_at IS NULL"),
    )
    op.create_index("ix_appeals_decided_at", "appeals", ["decided_at"])
