"""The first tables: API keys, lists and their entries, cases, counts."""

import sqlalchemy as sa
from alembic import op

from tutela.storage.schema import Moment, RowId

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "api_keys",
        sa.Column("id", RowId, nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("secret_sha256", sa.LargeBinary(length=32), nullable=False),
        sa.Column("scopes", sa.String(length=500), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("created_by", sa.String(length=200), nullable=False),
        sa.Column("revoked_at", Moment(), nullable=True),
        sa.Column("revoked_by", sa.String(length=200), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_keys")),
        sa.UniqueConstraint("secret_sha256", name=op.f("uq_api_keys_secret_sha256")),
    )
    op.create_index(
        "ix_api_keys_name_in_use",
        "api_keys",
        ["name"],
        unique=True,
        sqlite_where=sa.text("revoked_at IS NULL"),
        postgresql_where=sa.text("revoked_at IS NULL"),
    )
    op.create_table(
        "cases",
        sa.Column("id", sa.String(length=20), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("opened_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cases")),
    )
    op.create_index(op.f("ix_cases_opened_at"), "cases", ["opened_at"], unique=False)
    op.create_table(
        "hash_lists",
        sa.Column("id", RowId, nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("description", sa.String(length=1000), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("created_by", sa.String(length=200), nullable=False),
        sa.Column("removed_at", Moment(), nullable=True),
        sa.Column("removed_by", sa.String(length=200), nullable=True),
        sa.Column("removed_reason", sa.String(length=1000), nullable=True),
        sa.Column("removed_revision", RowId, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hash_lists")),
    )
    op.create_index(
        "ix_hash_lists_name_in_use",
        "hash_lists",
        ["name"],
        unique=True,
        sqlite_where=sa.text("removed_at IS NULL"),
        postgresql_where=sa.text("removed_at IS NULL"),
    )
    op.create_table(
        "list_changes",
        sa.Column("revision", RowId, autoincrement=False, nullable=False),
        sa.Column("token", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("revision", name=op.f("pk_list_changes")),
    )
    op.create_table(
        "list_revision",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("value", RowId, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_list_revision")),
    )
    op.create_table(
        "screening_counts",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("verdict", sa.String(length=20), nullable=False),
        sa.Column("list_id", RowId, autoincrement=False, nullable=False),
        sa.Column("files", RowId, nullable=False),
        sa.PrimaryKeyConstraint("day", "verdict", "list_id", name=op.f("pk_screening_counts")),
    )
    op.create_table(
        "case_items",
        sa.Column("id", RowId, nullable=False),
        sa.Column("case_id", sa.String(length=20), nullable=False),
        sa.Column("name", sa.String(length=4096), nullable=False),
        sa.Column("origin", sa.String(length=200), nullable=False),
        sa.Column("request", sa.String(length=64), nullable=True),
        sa.Column("received_at", Moment(), nullable=False),
        sa.Column("size", RowId, nullable=True),
        sa.Column("md5", sa.LargeBinary(length=16), nullable=True),
        sa.Column("sha1", sa.LargeBinary(length=20), nullable=True),
        sa.Column("sha256", sa.LargeBinary(length=32), nullable=True),
        sa.Column("pdq", sa.LargeBinary(length=32), nullable=True),
        sa.Column("pdq_quality", sa.SmallInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["case_id"], ["cases.id"], name=op.f("fk_case_items_case_id_cases")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_items")),
        sa.UniqueConstraint("request", name=op.f("uq_case_items_request")),
    )
    op.create_index(op.f("ix_case_items_case_id"), "case_items", ["case_id"], unique=False)
    op.create_table(
        "imports",
        sa.Column("id", RowId, nullable=False),
        sa.Column("list_id", RowId, nullable=False),
        sa.Column("source", sa.String(length=1000), nullable=False),
        sa.Column("label", sa.String(length=200), nullable=False),
        sa.Column("reason", sa.String(length=1000), nullable=False),
        sa.Column("imported_by", sa.String(length=200), nullable=False),
        sa.Column("started_at", Moment(), nullable=False),
        sa.Column("finished_at", Moment(), nullable=True),
        sa.Column("file_name", sa.String(length=1000), nullable=True),
        sa.Column("file_sha256", sa.LargeBinary(length=32), nullable=True),
        sa.Column("kind", sa.String(length=10), nullable=True),
        sa.Column("only_labels", sa.String(length=2000), nullable=True),
        sa.Column("rows_done", RowId, nullable=False),
        sa.Column("added", RowId, nullable=False),
        sa.Column("already", RowId, nullable=False),
        sa.Column("withdrawn", RowId, nullable=False),
        sa.Column("rejected", RowId, nullable=False),
        sa.ForeignKeyConstraint(
            ["list_id"], ["hash_lists.id"], name=op.f("fk_imports_list_id_hash_lists")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_imports")),
    )
    op.create_index(op.f("ix_imports_list_id"), "imports", ["list_id"], unique=False)
    op.create_table(
        "entries",
        sa.Column("id", RowId, nullable=False),
        sa.Column("list_id", RowId, nullable=False),
        sa.Column("kind", sa.SmallInteger(), nullable=False),
        sa.Column("value", sa.LargeBinary(length=32), nullable=False),
        sa.Column("quality", sa.SmallInteger(), nullable=True),
        sa.Column("label", sa.String(length=200), nullable=True),
        sa.Column("import_id", RowId, nullable=False),
        sa.Column("live", sa.Boolean(), nullable=False),
        sa.Column("revision", RowId, nullable=False),
        sa.ForeignKeyConstraint(
            ["import_id"], ["imports.id"], name=op.f("fk_entries_import_id_imports")
        ),
        sa.ForeignKeyConstraint(
            ["list_id"], ["hash_lists.id"], name=op.f("fk_entries_list_id_hash_lists")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_entries")),
        sa.UniqueConstraint("list_id", "kind", "value", name=op.f("uq_entries_list_id_kind_value")),
    )
    op.create_index(op.f("ix_entries_revision"), "entries", ["revision"], unique=False)
    op.create_index(
        "ix_entries_withdrawn",
        "entries",
        ["list_id", "kind", "value"],
        unique=False,
        sqlite_where=sa.text("live = 0"),
        postgresql_where=sa.text("NOT live"),
    )
    op.create_table(
        "case_matches",
        sa.Column("id", RowId, nullable=False),
        sa.Column("item_id", RowId, nullable=False),
        sa.Column("list_id", RowId, nullable=False),
        sa.Column("entry_id", RowId, nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("distance", sa.SmallInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["entries.id"], name=op.f("fk_case_matches_entry_id_entries")
        ),
        sa.ForeignKeyConstraint(
            ["item_id"], ["case_items.id"], name=op.f("fk_case_matches_item_id_case_items")
        ),
        sa.ForeignKeyConstraint(
            ["list_id"], ["hash_lists.id"], name=op.f("fk_case_matches_list_id_hash_lists")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_matches")),
    )
    op.create_index("ix_case_matches_item_id", "case_matches", ["item_id"], unique=False)
    op.create_table(
        "withdrawals",
        sa.Column("id", RowId, nullable=False),
        sa.Column("entry_id", RowId, nullable=False),
        sa.Column("withdrawn_at", Moment(), nullable=False),
        sa.Column("withdrawn_by", sa.String(length=200), nullable=False),
        sa.Column("reason", sa.String(length=1000), nullable=False),
        sa.Column("restored_at", Moment(), nullable=True),
        sa.Column("restored_by", sa.String(length=200), nullable=True),
        sa.Column("restored_reason", sa.String(length=1000), nullable=True),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["entries.id"], name=op.f("fk_withdrawals_entry_id_entries")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_withdrawals")),
    )
    op.create_index(op.f("ix_withdrawals_entry_id"), "withdrawals", ["entry_id"], unique=False)
    op.execute("INSERT INTO list_revision (id, value) VALUES (1, 0)")
