"""Sealed evidence: its keys, its blobs, its items."""

import sqlalchemy as sa
from alembic import op

from tutela.storage.schema import Moment, RowId

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "vault_keys",
        sa.Column("id", sa.String(length=2100), nullable=False),
        sa.Column("first_used_at", Moment(), nullable=False),
        sa.Column("retired_at", Moment(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vault_keys")),
    )
    op.create_table(
        "blobs",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("sha256", sa.LargeBinary(length=32), nullable=False),
        sa.Column("size", RowId, nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("sealed_at", Moment(), nullable=False),
        sa.Column("doomed_at", Moment(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_blobs")),
    )
    op.create_index(
        "ix_blobs_live_sha256",
        "blobs",
        ["sha256"],
        unique=True,
        sqlite_where=sa.text("state = 'live'"),
        postgresql_where=sa.text("state = 'live'"),
    )
    op.create_table(
        "evidence_items",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("case_id", sa.String(length=20), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("sealed_at", Moment(), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("blob_id", sa.String(length=26), nullable=True),
        sa.Column("wrapped_key", sa.LargeBinary(), nullable=True),
        sa.Column("key_id", sa.String(length=2100), nullable=True),
        sa.ForeignKeyConstraint(
            ["blob_id"], ["blobs.id"], name=op.f("fk_evidence_items_blob_id_blobs")
        ),
        sa.ForeignKeyConstraint(
            ["case_id"], ["cases.id"], name=op.f("fk_evidence_items_case_id_cases")
        ),
        sa.ForeignKeyConstraint(
            ["key_id"], ["vault_keys.id"], name=op.f("fk_evidence_items_key_id_vault_keys")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_evidence_items")),
    )
    for column in ("blob_id", "case_id", "key_id", "sealed_at"):
        op.create_index(op.f(f"ix_evidence_items_{column}"), "evidence_items", [column])
