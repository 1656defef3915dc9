"""Drafts of reports: what each was filled in with, and what platforms supply for them."""

import sqlalchemy as sa
from alembic import op

from tutela.storage.schema import Moment

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """Make the column and the table."""
    op.add_column("reports", sa.Column("filled", sa.LargeBinary()))
    op.create_table(
        "supplied_data",
        sa.Column("case_id", sa.String(length=20), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("supplied_at", Moment(), nullable=False),
        sa.Column("supplied_by", sa.String(length=100), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_id"], ["cases.id"], name=op.f("fk_supplied_data_case_id_cases")
        ),
        sa.PrimaryKeyConstraint("case_id", name=op.f("pk_supplied_data")),
    )
