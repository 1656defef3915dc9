"""Care for the people who look: what left the house, for how long, their breaks and wishes."""

import sqlalchemy as sa
from alembic import op

from tutela.storage.schema import Moment, RowId

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Widen the viewings; make the tables of breaks and wishes."""
    for added in (
        sa.Column("session", RowId),
        sa.Column("colour", sa.Boolean(), nullable=False, server_default=sa.text("false")),
        sa.Column("shown", sa.String(length=20)),
        sa.Column("heard_at", Moment()),
    ):
        op.add_column("viewings", added)
    op.create_index("ix_viewings_evidence_id", "viewings", ["evidence_id", "level"])
    op.create_index(
        "ix_viewings_in_sight",
        "viewings",
        ["heard_at"],
        sqlite_where=sa.text("seconds IS NULL"),
        postgresql_where=sa.text("seconds IS NULL"),
    )
    op.create_table(
        "pauses",
        sa.Column("id", RowId, nullable=False),
        sa.Column("person", RowId, nullable=False),
        sa.Column("began_at", Moment(), nullable=False),
        sa.Column("ended_at", Moment()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pauses")),
    )
    op.create_index("ix_pauses_person", "pauses", ["person", "began_at"])
    op.create_index(
        "ix_pauses_under_way",
        "pauses",
        ["person"],
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "comforts",
        sa.Column("person", RowId, autoincrement=False, nullable=False),
        sa.Column("veils", sa.Boolean(), nullable=False),
        sa.Column("grey", sa.Boolean(), nullable=False),
        sa.Column("size", sa.String(length=20), nullable=False),
        sa.Column("reveal", sa.String(length=20), nullable=False),
        sa.Column("longest_peek", sa.SmallInteger(), nullable=False),
        sa.Column("time_zone", sa.String(length=60), nullable=False),
        sa.PrimaryKeyConstraint("person", name=op.f("pk_comforts")),
    )
