"""Tables of this room."""

from sqlalchemy import Boolean, Column, Float, ForeignKey, Index, LargeBinary, String, Table

from tutela.storage.schema import Moment, RowId, metadata

streams = Table(
    "streams",
    metadata,
    Column("id", RowId, primary_key=True),
    # Under the key in the folder of keys, see ``storage.kept_secrets``; gone once it is over.
    Column("source", LargeBinary),
    # These stay with a stream that has a case, and go with the others.
    Column("shown", String(300)),
    Column("subject", String(200)),
    Column("reference", String(200)),
    Column("sampling", String(20), nullable=False),
    Column("every_seconds", Float, nullable=False),
    Column("state", String(12), nullable=False),
    Column("reason", String(300)),
    Column("frames", RowId, nullable=False),
    Column("dropped", RowId, nullable=False),
    Column("skipped_seconds", Float, nullable=False),
    Column("matches", RowId, nullable=False),
    Column("lag_seconds", Float, nullable=False),
    Column("every_frame", Boolean, nullable=False),
    Column("key_frames_seconds", Float, nullable=False, server_default="0"),
    Column("begun_at", Moment, nullable=False),
    Column("begun_by", String(120), nullable=False),
    Column("seen_at", Moment),
    Column("ended_at", Moment),
    # The case that its frames are in.
    Column("case_id", String(20)),
    # How often it was told of since when, and how often it was not since it was told of last.
    Column("told_since", Moment),
    Column("told", RowId, nullable=False, server_default="0"),
    Column("held_back", RowId, nullable=False, server_default="0"),
    # Which process watches it, until when it is its own, and the how many'th time one does.
    Column("holder", String(300)),
    Column("held_until", Moment),
    Column("hold", RowId, nullable=False),
    Index("ix_streams_ended_at", "ended_at"),
    # The ledger names it by its number.
    sqlite_autoincrement=True,
)

# What a stream matched, and when it was told of: the same entry is told of once in a while.
stream_matches = Table(
    "stream_matches",
    metadata,
    Column("stream_id", RowId, ForeignKey("streams.id"), primary_key=True, autoincrement=False),
    Column("list_id", RowId, primary_key=True, autoincrement=False),
    Column("entry_id", RowId, primary_key=True, autoincrement=False),
    Column("told_at", Moment, nullable=False),
)
