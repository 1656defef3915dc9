"""The ledger: its head, entries, subtrees' hashes and erasable reasons."""

import base64
import secrets

import sqlalchemy as sa
from alembic import op

from tutela.storage.schema import RowId

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the tables, and the head of an empty ledger under a name drawn by lot."""
    head = op.create_table(
        "ledger_head",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("origin", sa.String(length=60), nullable=False),
        sa.Column("size", RowId, nullable=False),
        sa.Column("frontier", sa.LargeBinary(length=2048), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_head")),
    )
    op.create_table(
        "ledger_entries",
        sa.Column("number", RowId, autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.String(length=100), nullable=False),
        sa.Column("role", sa.String(length=30), nullable=False),
        sa.Column("face", sa.String(length=30), nullable=False),
        sa.Column("act", sa.String(length=60), nullable=False),
        sa.Column("case_id", sa.String(length=20), nullable=True),
        sa.Column("item", sa.String(length=64), nullable=True),
        sa.Column("thing", sa.String(length=200), nullable=True),
        sa.Column("reason", sa.LargeBinary(length=32), nullable=True),
        sa.Column("leaf", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_ledger_entries")),
    )
    op.create_index(
        "ix_ledger_entries_case_id",
        "ledger_entries",
        ["case_id"],
        unique=False,
        sqlite_where=sa.text("case_id IS NOT NULL"),
        postgresql_where=sa.text("case_id IS NOT NULL"),
    )
    op.create_table(
        "ledger_tiles",
        sa.Column("level", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("number", RowId, autoincrement=False, nullable=False),
        sa.Column("hash", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("level", "number", name=op.f("pk_ledger_tiles")),
    )
    op.create_table(
        "ledger_reasons",
        sa.Column("entry", RowId, autoincrement=False, nullable=False),
        sa.Column("salt", sa.LargeBinary(length=32), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["entry"],
            ["ledger_entries.number"],
            name=op.f("fk_ledger_reasons_entry_ledger_entries"),
        ),
        sa.PrimaryKeyConstraint("entry", name=op.f("pk_ledger_reasons")),
    )
    name = base64.b32encode(secrets.token_bytes(15)).decode().lower()
    op.bulk_insert(head, [{"id": 1, "origin": f"tutela/{name}", "size": 0, "frontier": b""}])
