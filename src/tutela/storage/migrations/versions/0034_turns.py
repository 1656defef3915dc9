"""Of how much of a stream only key frames were looked at."""

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"


def upgrade() -> None:
    """Add a column to streams."""
    op.add_column(
        "streams",
        sa.Column("key_frames_seconds", sa.Float(), nullable=False, server_default="0"),
    )
