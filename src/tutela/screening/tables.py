"""Tables of this room."""

from sqlalchemy import Column, Date, String, Table

from tutela.storage.schema import RowId, metadata

# All that is ever kept of a file that matched nothing: one more in its day's count.
screening_counts = Table(
    "screening_counts",
    metadata,
    Column("day", Date, primary_key=True),
    Column("verdict", String(20), primary_key=True),
    # The list whose match is counted; 0 counts the files themselves.
    Column("list_id", RowId, primary_key=True, autoincrement=False),
    Column("files", RowId, nullable=False),
)
