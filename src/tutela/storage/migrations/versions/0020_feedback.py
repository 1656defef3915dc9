"""What authorities say of reports."""

import sqlalchemy as sa
from alembic import op

from tutela.storage.schema import Moment, RowId

revision = "0020"
down_revision = "0019"

_OPEN = sa.text("is_task AND settled_at IS NULL")


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "report_feedback",
        sa.Column("id", RowId, nullable=False),
        sa.Column("authority", sa.String(length=60), nullable=False),
        sa.Column("message", sa.String(length=200)),
        sa.Column("report_id", RowId),
        sa.Column("named", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=30), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("reference", sa.String(length=200), nullable=False),
        sa.Column("number", sa.String(length=200), nullable=False),
        sa.Column("until", sa.Date()),
        sa.Column("period", sa.String(length=20), nullable=False),
        sa.Column("words", sa.LargeBinary()),
        sa.Column("event_id", RowId),
        sa.Column("received_at", Moment(), nullable=False),
        sa.Column("received_by", sa.String(length=100), nullable=False),
        sa.Column("is_task", sa.Boolean(), nullable=False),
        sa.Column("settled_at", Moment()),
        sa.Column("settled_by", sa.String(length=100)),
        sa.ForeignKeyConstraint(
            ["report_id"], ["reports.id"], name=op.f("fk_report_feedback_report_id_reports")
        ),
        sa.ForeignKeyConstraint(
            ["event_id"], ["legal_events.id"], name=op.f("fk_report_feedback_event_id_legal_events")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_report_feedback")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        op.f("ix_report_feedback_report_id"), "report_feedback", ["report_id"], unique=False
    )
    op.create_index(
        "ix_report_feedback_message", "report_feedback", ["authority", "message"], unique=True
    )
    op.create_index(
        "ix_report_feedback_open",
        "report_feedback",
        ["id"],
        unique=False,
        sqlite_where=_OPEN,
        postgresql_where=_OPEN,
    )
    op.create_index("ix_reports_remote_id", "reports", ["remote_id"], unique=False)
    op.create_index("ix_delivery_attempts_remote_id", "delivery_attempts", ["remote_id"])
