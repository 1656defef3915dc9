"""Reports to authorities: what each says, its files, and each attempt to send it."""

import sqlalchemy as sa
from alembic import op

from tutela.storage.schema import Moment, RowId

revision = "0015"
down_revision = "0014"

_FIRST_OF_ITS_CASE = sa.text("corrects IS NULL AND state <> 'discarded'")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "reports",
        sa.Column("id", RowId, nullable=False),
        sa.Column("case_id", sa.String(length=20), nullable=False),
        sa.Column("authority", sa.String(length=60), nullable=False),
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.Column("environment", sa.String(length=10)),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("content", sa.LargeBinary()),
        sa.Column("corrects", RowId),
        sa.Column("made_at", Moment(), nullable=False),
        sa.Column("made_by", sa.String(length=100), nullable=False),
        sa.Column("signed_at", Moment()),
        sa.Column("signed_by", sa.String(length=100)),
        sa.Column("approved_at", Moment()),
        sa.Column("approved_by", sa.String(length=100)),
        sa.Column("queued_at", Moment()),
        sa.Column("sent_at", Moment()),
        sa.Column("remote_id", sa.String(length=200)),
        sa.Column("receipt_item", sa.String(length=26)),
        sa.Column("trouble", sa.String(length=1000)),
        _refers("reports", "case_id", "cases"),
        _refers("reports", "corrects", "reports"),
        _refers("reports", "receipt_item", "evidence_items"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reports")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "report_files",
        sa.Column("report_id", RowId, nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("item_id", RowId, nullable=False),
        sa.Column("evidence_id", sa.String(length=26), nullable=False),
        sa.Column("details", sa.LargeBinary()),
        _refers("report_files", "report_id", "reports"),
        _refers("report_files", "item_id", "case_items"),
        _refers("report_files", "evidence_id", "evidence_items"),
        sa.PrimaryKeyConstraint("report_id", "position", name=op.f("pk_report_files")),
    )
    op.create_table(
        "delivery_attempts",
        sa.Column("id", RowId, nullable=False),
        sa.Column("report_id", RowId, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("begun_at", Moment(), nullable=False),
        sa.Column("remote_id", sa.String(length=200)),
        sa.Column("step", sa.String(length=20), nullable=False),
        sa.Column("files", sa.JSON(), nullable=False),
        sa.Column("heard_at", Moment()),
        sa.Column("ended_at", Moment()),
        sa.Column("outcome", sa.String(length=20)),
        _refers("delivery_attempts", "report_id", "reports"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery_attempts")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "delivery_documents",
        sa.Column("attempt_id", RowId, nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        _refers("delivery_documents", "attempt_id", "delivery_attempts"),
        sa.PrimaryKeyConstraint("attempt_id", "name", name=op.f("pk_delivery_documents")),
    )
    for table, column in (
        ("reports", "case_id"),
        ("report_files", "evidence_id"),
        ("delivery_attempts", "report_id"),
    ):
        op.create_index(op.f(f"ix_{table}_{column}"), table, [column])
    op.create_index("ix_reports_state", "reports", ["state", "queued_at"])
    op.create_index(
        "ix_reports_one_a_case",
        "reports",
        ["case_id", "authority"],
        unique=True,
        sqlite_where=_FIRST_OF_ITS_CASE,
        postgresql_where=_FIRST_OF_ITS_CASE,
    )
    op.create_index(
        "ix_delivery_attempts_number", "delivery_attempts", ["report_id", "number"], unique=True
    )


def _refers(table: str, column: str, other: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        [column], [f"{other}.id"], name=op.f(f"fk_{table}_{column}_{other}")
    )
