"""A report rests by itself, and a channel that fails says why."""

import sqlalchemy as sa
from alembic import op

from tutela.storage.schema import Moment

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    """Widen the reports; what a channel says has one name."""
    op.add_column("reports", sa.Column("rest_until", Moment()))
    op.alter_column("report_channels", "stopped_why", new_column_name="why")
