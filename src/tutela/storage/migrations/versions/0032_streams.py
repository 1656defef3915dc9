"""Live streams that are watched, and what they matched."""

import sqlalchemy as sa
from alembic import op

from tutela.storage.schema import Moment

revision = "0032"
down_revision = "0031"

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make both tables."""
    op.create_table(
        "streams",
        sa.Column("id", _NUMBER, nullable=False),
        sa.Column("source", sa.LargeBinary()),
        sa.Column("shown", sa.String(300)),
        sa.Column("subject", sa.String(200)),
        sa.Column("reference", sa.String(200)),
        sa.Column("sampling", sa.String(20), nullable=False),
        sa.Column("every_seconds", sa.Float(), nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("reason", sa.String(300)),
        sa.Column("frames", _NUMBER, nullable=False),
        sa.Column("dropped", _NUMBER, nullable=False),
        sa.Column("skipped_seconds", sa.Float(), nullable=False),
        sa.Column("matches", _NUMBER, nullable=False),
        sa.Column("lag_seconds", sa.Float(), nullable=False),
        sa.Column("every_frame", sa.Boolean(), nullable=False),
        sa.Column("begun_at", Moment(), nullable=False),
        sa.Column("begun_by", sa.String(120), nullable=False),
        sa.Column("seen_at", Moment()),
        sa.Column("ended_at", Moment()),
        sa.Column("case_id", sa.String(20)),
        sa.Column("holder", sa.String(300)),
        sa.Column("held_until", Moment()),
        sa.Column("hold", _NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_streams")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_streams_ended_at", "streams", ["ended_at"])
    op.create_table(
        "stream_matches",
        sa.Column("stream_id", _NUMBER, autoincrement=False, nullable=False),
        sa.Column("list_id", _NUMBER, autoincrement=False, nullable=False),
        sa.Column("entry_id", _NUMBER, autoincrement=False, nullable=False),
        sa.Column("told_at", Moment(), nullable=False),
        sa.ForeignKeyConstraint(
            ["stream_id"], ["streams.id"], name=op.f("fk_stream_matches_stream_id_streams")
        ),
        sa.PrimaryKeyConstraint("stream_id", "list_id", "entry_id", name=op.f("pk_stream_matches")),
    )
