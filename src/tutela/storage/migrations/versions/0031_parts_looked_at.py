"""Looking at a part of a file: which one, and which are before and after it."""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"


def upgrade() -> None:
    """Add three columns to what was looked at."""
    for name in ("place", "place_before", "place_after"):
        op.add_column("viewings", sa.Column(name, sa.String(4096)))
