"""Tables of this room."""

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    Table,
    UniqueConstraint,
    text,
)

from tutela.storage.schema import Moment, RowId, metadata

hash_lists = Table(
    "hash_lists",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("name", String(100), nullable=False),
    Column("description", String(1000), nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("created_by", String(200), nullable=False),
    Column("removed_at", Moment),
    Column("removed_by", String(200)),
    Column("removed_reason", String(1000)),
    # The list revision of the removal: tells the index to let go of the entries.
    Column("removed_revision", RowId),
    Index(
        "ix_hash_lists_name_in_use",
        "name",
        unique=True,
        sqlite_where=text("removed_at IS NULL"),
        postgresql_where=text("removed_at IS NULL"),
    ),
)

# One row for each time that entries came in, whether by file or by API.
imports = Table(
    "imports",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("list_id", RowId, ForeignKey("hash_lists.id"), nullable=False, index=True),
    Column("source", String(1000), nullable=False),
    Column("label", String(200), nullable=False),
    Column("reason", String(1000), nullable=False),
    Column("imported_by", String(200), nullable=False),
    Column("started_at", Moment, nullable=False),
    Column("finished_at", Moment),
    Column("file_name", String(1000)),
    # Tells an interrupted import of the same file from one of another file.
    Column("file_sha256", LargeBinary(32)),
    # The kind that the caller said the hashes are, in so far as they do not say it themselves.
    Column("kind", String(10)),
    # The labels whose rows were wanted, if not all: as JSON, in order.
    Column("only_labels", String(2000)),
    Column("rows_done", RowId, nullable=False),
    Column("added", RowId, nullable=False),
    Column("already", RowId, nullable=False),
    Column("withdrawn", RowId, nullable=False),
    Column("rejected", RowId, nullable=False),
)

entries = Table(
    "entries",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("list_id", RowId, ForeignKey("hash_lists.id"), nullable=False),
    # Position of the kind in ``tutela.hashlists.entries.KINDS``.
    Column("kind", SmallInteger, nullable=False),
    Column("value", LargeBinary(32), nullable=False),
    Column("quality", SmallInteger),
    Column("label", String(200)),
    Column("import_id", RowId, ForeignKey("imports.id"), nullable=False),
    Column("live", Boolean, nullable=False),
    # The list revision of the entry's last change: what the index reads to catch up.
    Column("revision", RowId, nullable=False, index=True),
    UniqueConstraint("list_id", "kind", "value"),
    # Few are withdrawn, and each import asks which.
    Index(
        "ix_entries_withdrawn",
        "list_id",
        "kind",
        "value",
        sqlite_where=text("live = 0"),
        postgresql_where=text("NOT live"),
    ),
)

# The frames of an entry of the kind vPDQ, as ``tutela.fingerprints.vpdq.pack`` has them.
entry_frames = Table(
    "entry_frames",
    metadata,
    Column("entry_id", RowId, ForeignKey("entries.id"), primary_key=True, autoincrement=False),
    Column("frames", LargeBinary, nullable=False),
)

withdrawals = Table(
    "withdrawals",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("entry_id", RowId, ForeignKey("entries.id"), nullable=False, index=True),
    Column("withdrawn_at", Moment, nullable=False),
    Column("withdrawn_by", String(200), nullable=False),
    Column("reason", String(1000), nullable=False),
    Column("restored_at", Moment),
    Column("restored_by", String(200)),
    Column("restored_reason", String(1000)),
)

# One row, one number: every change of any list counts it up while holding its lock, so that
# changes become visible in the order of their numbers, on both databases.
list_revision = Table(
    "list_revision",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("value", RowId, nullable=False),
)

# One row for each revision. The random token tells revision 7 of this database from revision 7 of
# another one, or of this one before a backup was restored: see ``tutela.hashlists.indexing``.
list_changes = Table(
    "list_changes",
    metadata,
    Column("revision", RowId, primary_key=True, autoincrement=False),
    Column("token", String(32), nullable=False),
)

# An entry that a case has put in doubt, until a person withdraws it or keeps it.
entry_flags = Table(
    "entry_flags",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("entry_id", RowId, ForeignKey("entries.id"), nullable=False, index=True),
    Column("case_id", String(20), nullable=False, index=True),
    Column("raised_at", Moment, nullable=False),
    Column("raised_by", String(100), nullable=False),
    Column("settled_at", Moment),
    Column("settled_by", String(100)),
    # ``withdrawn`` or ``kept``.
    Column("outcome", String(12)),
    Column("reason", String(1000)),
    Index(
        "ix_entry_flags_waiting",
        "entry_id",
        unique=True,
        sqlite_where=text("settled_at IS NULL"),
        postgresql_where=text("settled_at IS NULL"),
    ),
)
