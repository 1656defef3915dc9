"""Of how much of a stream only key frames were looked at, and how often it was told of."""

import sqlalchemy as sa
from alembic import op

from tutela.storage.schema import Moment, RowId

revision = "0034"
down_revision = "0033"


def upgrade() -> None:
    """Add four columns to streams."""
    op.add_column(
        "streams",
        sa.Column("key_frames_seconds", sa.Float(), nullable=False, server_default="0"),
    )
    op.add_column("streams", sa.Column("told_since", Moment()))
    for name in ("told", "held_back"):
        op.add_column("streams", sa.Column(name, RowId, nullable=False, server_default="0"))
