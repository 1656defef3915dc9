"""Tables of this room. Rows of all but the reasons are only ever added; the head alone changes."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    Table,
    Text,
    text,
)

from tutela.storage.schema import Moment, RowId, metadata

# One row: whoever appends locks it, so that entries are numbered without gaps.
ledger_head = Table(
    "ledger_head",
    metadata,
    Column("id", Integer, primary_key=True),
    # The ledger's name, drawn by lot, and no host's.
    Column("origin", String(60), nullable=False),
    Column("size", RowId, nullable=False),
    # ``merkle.Frontier`` as bytes.
    Column("frontier", LargeBinary(2048), nullable=False),
)

ledger_entries = Table(
    "ledger_entries",
    metadata,
    Column("number", RowId, primary_key=True, autoincrement=False),
    # Microseconds since 1970: the same number in both databases and in the entry's bytes.
    Column("at", BigInteger, nullable=False),
    Column("actor", String(100), nullable=False),
    Column("role", String(30), nullable=False),
    Column("face", String(30), nullable=False),
    Column("act", String(60), nullable=False),
    Column("case_id", String(20)),
    Column("item", String(64)),
    Column("thing", String(200)),
    Column("reason", LargeBinary(32)),
    # The hash of the columns before it, so that a changed one is found where it is.
    Column("leaf", LargeBinary(32), nullable=False),
    # With the number behind it, so that PostgreSQL never walks the whole ledger backwards instead.
    Index(
        "ix_ledger_entries_case_id",
        "case_id",
        "number",
        sqlite_where=text("case_id IS NOT NULL"),
        postgresql_where=text("case_id IS NOT NULL"),
    ),
    Index("ix_ledger_entries_actor", "actor", "number"),
    Index("ix_ledger_entries_act", "act", "number"),
)

# Hashes of whole subtrees of 256 leaves (level 1), of 256 of those (level 2), and so on.
ledger_tiles = Table(
    "ledger_tiles",
    metadata,
    Column("level", SmallInteger, primary_key=True, autoincrement=False),
    Column("number", RowId, primary_key=True, autoincrement=False),
    Column("hash", LargeBinary(32), nullable=False),
)

# The public halves of the keys that sign: so that a lost one is never replaced unnoticed.
ledger_keys = Table(
    "ledger_keys",
    metadata,
    Column("public", LargeBinary(32), primary_key=True),
    Column("first_used_at", Moment, nullable=False),
)

# The words that say why, which may be erased without touching an entry.
ledger_reasons = Table(
    "ledger_reasons",
    metadata,
    Column(
        "entry",
        RowId,
        ForeignKey("ledger_entries.number"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("salt", LargeBinary(32), nullable=False),
    Column("words", Text, nullable=False),
)

# Each time that somebody had the whole ledger verified, and what came of it.
ledger_verifications = Table(
    "ledger_verifications",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("asked_at", Moment, nullable=False),
    Column("asked_by", String(100), nullable=False),
    Column("ended_at", Moment),
    Column("entries", RowId),
    Column("checkpoints", Integer),
    # Entries below the newest sound checkpoint.
    Column("covered", RowId),
    Column("findings", Integer),
    # The first of them, each as trouble, first, last and what.
    Column("first_findings", JSON),
)
