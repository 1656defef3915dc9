"""Ways to look through the ledger and the jobs, verifications of the ledger, and daily figures."""

import sqlalchemy as sa
from alembic import op

from tutela.storage.schema import Moment, RowId

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Make the indexes and the tables."""
    _ledger()
    _days()


def _ledger() -> None:
    with_case = sa.text("case_id IS NOT NULL")
    op.drop_index("ix_ledger_entries_case_id", "ledger_entries")
    op.create_index(
        "ix_ledger_entries_case_id",
        "ledger_entries",
        ["case_id", "number"],
        sqlite_where=with_case,
        postgresql_where=with_case,
    )
    op.create_index("ix_ledger_entries_actor", "ledger_entries", ["actor", "number"])
    op.create_index("ix_ledger_entries_act", "ledger_entries", ["act", "number"])
    op.create_table(
        "ledger_verifications",
        sa.Column("id", RowId, nullable=False),
        sa.Column("asked_at", Moment(), nullable=False),
        sa.Column("asked_by", sa.String(length=100), nullable=False),
        sa.Column("ended_at", Moment()),
        sa.Column("entries", RowId),
        sa.Column("checkpoints", sa.Integer()),
        sa.Column("covered", RowId),
        sa.Column("findings", sa.Integer()),
        sa.Column("first_findings", sa.JSON()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_verifications")),
    )
    op.create_index("ix_jobs_state_id", "jobs", ["state", "id"])


def _days() -> None:
    op.create_index("ix_cases_waiting", "cases", ["state", "opened_at"])
    op.create_table(
        "case_days",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("opened", sa.Integer(), nullable=False),
        sa.Column("confirmed", sa.Integer(), nullable=False),
        sa.Column("not_confirmed", sa.Integer(), nullable=False),
        sa.Column("not_sure", sa.Integer(), nullable=False),
        sa.Column("second_looks", sa.Integer(), nullable=False),
        sa.Column("agreed", sa.Integer(), nullable=False),
        sa.Column("median_seconds", sa.Integer()),
        sa.Column("slow_seconds", sa.Integer()),
        sa.Column("counted_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_case_days")),
    )
    op.create_table(
        "case_ages",
        sa.Column("age", sa.String(length=20), nullable=False),
        sa.Column("waiting", sa.Integer(), nullable=False),
        sa.Column("counted_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("age", name=op.f("pk_case_ages")),
    )
