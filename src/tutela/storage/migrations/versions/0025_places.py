"""A match says where in its item it was found."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    """Add the column; whatever matched before was the item itself."""
    op.add_column(
        "case_matches", sa.Column("place", sa.String(4096), nullable=False, server_default="")
    )
