"""Tables of this room."""

from sqlalchemy import Column, ForeignKey, Index, LargeBinary, SmallInteger, String, Table

from tutela.storage.schema import Moment, RowId, metadata

cases = Table(
    "cases",
    metadata,
    Column("id", String(20), primary_key=True),
    Column("state", String(20), nullable=False),
    Column("opened_at", Moment, nullable=False, index=True),
)

case_items = Table(
    "case_items",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("case_id", String(20), ForeignKey("cases.id"), nullable=False, index=True),
    Column("name", String(4096), nullable=False),
    Column("origin", String(200), nullable=False),
    # Chosen by who sends the item, so that sending it twice opens one case.
    Column("request", String(64), unique=True),
    Column("received_at", Moment, nullable=False),
    Column("size", RowId),
    Column("md5", LargeBinary(16)),
    Column("sha1", LargeBinary(20)),
    Column("sha256", LargeBinary(32)),
    Column("pdq", LargeBinary(32)),
    Column("pdq_quality", SmallInteger),
)

case_matches = Table(
    "case_matches",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("item_id", RowId, ForeignKey("case_items.id"), nullable=False),
    Column("list_id", RowId, ForeignKey("hash_lists.id"), nullable=False),
    Column("entry_id", RowId, ForeignKey("entries.id"), nullable=False),
    Column("kind", String(10), nullable=False),
    Column("distance", SmallInteger, nullable=False),
    Index("ix_case_matches_item_id", "item_id"),
)
