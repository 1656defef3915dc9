"""Requests to disclose a case, and what two people said to them."""

import sqlalchemy as sa
from alembic import op

from tutela.storage.schema import Moment, RowId

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "disclosures",
        sa.Column("id", RowId, nullable=False),
        sa.Column("case_id", sa.String(length=20), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("authority", sa.String(length=300), nullable=False),
        sa.Column("legal_basis", sa.String(length=3000), nullable=False),
        sa.Column("reference", sa.String(length=300), nullable=False),
        sa.Column("recipients", sa.Text(), nullable=False),
        sa.Column("contents", sa.Text(), nullable=False),
        sa.Column("asked_at", Moment(), nullable=False),
        sa.Column("asked_by", RowId, nullable=False),
        sa.Column("decided_at", Moment(), nullable=True),
        sa.Column("decided_by", RowId, nullable=True),
        sa.Column("refused_because", sa.String(length=1000), nullable=True),
        sa.Column("made_at", Moment(), nullable=True),
        sa.Column("package_sha256", sa.LargeBinary(length=32), nullable=True),
        sa.Column("package_size", RowId, nullable=True),
        sa.ForeignKeyConstraint(
            ["case_id"], ["cases.id"], name=op.f("fk_disclosures_case_id_cases")
        ),
        sa.ForeignKeyConstraint(
            ["asked_by"], ["api_keys.id"], name=op.f("fk_disclosures_asked_by_api_keys")
        ),
        sa.ForeignKeyConstraint(
            ["decided_by"], ["api_keys.id"], name=op.f("fk_disclosures_decided_by_api_keys")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_disclosures")),
    )
    op.create_index(op.f("ix_disclosures_case_id"), "disclosures", ["case_id"], unique=False)
