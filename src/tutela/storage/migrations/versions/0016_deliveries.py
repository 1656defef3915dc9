"""How each way to an authority is, and where each attempt to send a report went."""

import sqlalchemy as sa
from alembic import op

from tutela.storage.schema import Moment

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Widen the attempts; make the table of channels."""
    op.add_column(
        "delivery_attempts",
        sa.Column("environment", sa.String(length=10), nullable=False, server_default="sandbox"),
    )
    op.add_column("delivery_attempts", sa.Column("document_sha256", sa.LargeBinary(length=32)))
    op.create_index("ix_delivery_attempts_begun_at", "delivery_attempts", ["begun_at"])
    op.create_table(
        "report_channels",
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.Column("authority", sa.String(length=60), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("failing_since", Moment()),
        sa.Column("rest_until", Moment()),
        sa.Column("alerted_at", Moment()),
        sa.Column("stopped_at", Moment()),
        sa.Column("stopped_why", sa.String(length=300)),
        sa.Column("line_at", Moment()),
        sa.Column("live_at", Moment()),
        sa.Column("live_by", sa.String(length=100)),
        sa.PrimaryKeyConstraint("channel", "authority", name=op.f("pk_report_channels")),
    )
