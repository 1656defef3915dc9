"""What one person says that law enforcement wants destroyed, another one has to agree to."""

import sqlalchemy as sa
from alembic import op

from tutela.storage.schema import Moment

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    """Make the columns. What was recorded before goes on counting: nobody was asked then."""
    op.add_column("legal_events", sa.Column("asked_by", sa.String(length=100)))
    op.add_column("legal_events", sa.Column("agreed_at", Moment()))
    op.add_column("legal_events", sa.Column("agreed_by", sa.String(length=200)))
