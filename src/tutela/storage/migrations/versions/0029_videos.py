"""Lists of videos: the frames of a vPDQ hash, and how much of a video matched."""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"


def upgrade() -> None:
    """Make the table of frames, and add two columns to what matched."""
    op.create_table(
        "entry_frames",
        sa.Column(
            "entry_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("frames", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["entries.id"], name=op.f("fk_entry_frames_entry_id_entries")
        ),
        sa.PrimaryKeyConstraint("entry_id", name=op.f("pk_entry_frames")),
    )
    op.add_column("case_matches", sa.Column("query_percent", sa.SmallInteger()))
    op.add_column("case_matches", sa.Column("compared_percent", sa.SmallInteger()))
