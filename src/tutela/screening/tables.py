"""Tables of this room."""

from sqlalchemy import Column, Date, String, Table

from tutela.storage.schema import Moment, RowId, metadata

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

# Files that nothing is known of because they could not be looked at.
unreadable_counts = Table(
    "unreadable_counts",
    metadata,
    Column("day", Date, primary_key=True),
    # ``fingerprints.model.Unreadable``.
    Column("reason", String(20), primary_key=True),
    # A format that there is, or ``""``.
    Column("decoder", String(20), primary_key=True),
    # ``storage.settings.OnUnreadable``: what became of them.
    Column("answer", String(10), primary_key=True),
    Column("files", RowId, nullable=False),
)

# A few of the latest of these, without anything that is of one file alone: older ones are erased.
unreadable_samples = Table(
    "unreadable_samples",
    metadata,
    Column("id", RowId, primary_key=True),
    # When, to the hour.
    Column("hour", Moment, nullable=False),
    Column("reason", String(20), nullable=False),
    Column("decoder", String(20), nullable=False),
    Column("answer", String(10), nullable=False),
    # What its name ended in, if that is usual for a picture, a video or an archive; or ``""``.
    Column("named", String(10), nullable=False),
    # It had fewer bytes than this, ten times that of the next smaller class; ``None`` for not
    # known.
    Column("below", RowId),
)
