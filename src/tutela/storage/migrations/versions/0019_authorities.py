"""What this house wrote into the directory of authorities, what it stands for, and alerts."""

import sqlalchemy as sa
from alembic import op

from tutela.storage.schema import Moment, RowId

revision = "0019"
down_revision = "0018"

_STANDS = sa.text("withdrawn_at IS NULL")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "authority_rows",
        sa.Column("id", sa.String(length=100), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("terms", sa.JSON(), nullable=False),
        sa.Column("notes", sa.Text(), nullable=False),
        sa.Column("written_at", Moment(), nullable=False),
        sa.Column("written_by", sa.String(length=100), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_authority_rows")),
    )
    op.create_table(
        "authority_confirmations",
        sa.Column("id", RowId, nullable=False),
        sa.Column("row_id", sa.String(length=100), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("source", sa.String(length=1000), nullable=False),
        sa.Column("confirmed_at", Moment(), nullable=False),
        sa.Column("confirmed_by", sa.String(length=100), nullable=False),
        sa.Column("withdrawn_at", Moment()),
        sa.Column("withdrawn_by", sa.String(length=100)),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_authority_confirmations")),
    )
    op.create_index(
        "ix_authority_confirmations_standing",
        "authority_confirmations",
        ["row_id", "digest"],
        unique=True,
        sqlite_where=_STANDS,
        postgresql_where=_STANDS,
    )
    op.create_table(
        "clock_alerts",
        sa.Column("case_id", sa.String(length=20), nullable=False),
        sa.Column("confirmed_at", Moment(), nullable=False),
        sa.Column("due_at", Moment(), nullable=False),
        sa.Column("raised_at", Moment(), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_id"], ["cases.id"], name=op.f("fk_clock_alerts_case_id_cases")
        ),
        sa.PrimaryKeyConstraint("case_id", "confirmed_at", name=op.f("pk_clock_alerts")),
    )
