"""Tables of the directory: what this house wrote into it, and what it stands for."""

from sqlalchemy import JSON, Column, ForeignKey, Index, Integer, String, Table, Text, text

from tutela.storage.schema import Moment, RowId, metadata

_STANDS = text("withdrawn_at IS NULL")

# Rows of the house's own, which add to what is written in files or take its place.
house_rows = Table(
    "authority_rows",
    metadata,
    Column("id", String(100), primary_key=True),
    # ``house_rows.RowKind``.
    Column("kind", String(12), nullable=False),
    Column("version", Integer, nullable=False),
    # As in the file, without source and day: what it rests on is said by a confirmation.
    Column("terms", JSON, nullable=False),
    Column("notes", Text, nullable=False),
    Column("written_at", Moment, nullable=False),
    # As the ledger calls them.
    Column("written_by", String(100), nullable=False),
)

# That somebody stands for a row as it reads, also those that were withdrawn.
confirmed_rows = Table(
    "authority_confirmations",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("row_id", String(100), nullable=False),
    # Of the row's terms: when they change, it has to be confirmed again.
    Column("digest", String(64), nullable=False),
    Column("source", String(1000), nullable=False),
    Column("confirmed_at", Moment, nullable=False),
    Column("confirmed_by", String(100), nullable=False),
    Column("withdrawn_at", Moment),
    Column("withdrawn_by", String(100)),
    Index(
        "ix_authority_confirmations_standing",
        "row_id",
        "digest",
        unique=True,
        sqlite_where=_STANDS,
        postgresql_where=_STANDS,
    ),
)

# That people were told once that a case has to be reported soon.
clock_alerts = Table(
    "clock_alerts",
    metadata,
    Column("case_id", String(20), ForeignKey("cases.id"), primary_key=True),
    # When it was confirmed: a case that is opened and confirmed anew has another clock.
    Column("confirmed_at", Moment, primary_key=True),
    Column("due_at", Moment, nullable=False),
    Column("raised_at", Moment, nullable=False),
)
