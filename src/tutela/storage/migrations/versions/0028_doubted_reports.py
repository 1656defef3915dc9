"""After a restore it is known which reports may have been sent since the backup."""

import sqlalchemy as sa
from alembic import op

from tutela.storage.schema import Moment, RowId

revision = "0028"
down_revision = "0027"

_IS_DOUBTED = sa.text("doubted_since IS NOT NULL")


def upgrade() -> None:
    """Make the column, its index and the table."""
    op.create_table(
        "house_restorations",
        sa.Column("id", RowId, nullable=False),
        sa.Column("backup_at", Moment(), nullable=False),
        sa.Column("restored_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_house_restorations")),
    )
    op.add_column("reports", sa.Column("doubted_since", Moment()))
    op.create_index(
        "ix_reports_doubted",
        "reports",
        ["id"],
        sqlite_where=_IS_DOUBTED,
        postgresql_where=_IS_DOUBTED,
    )
