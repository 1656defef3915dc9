"""Tables of this room."""

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    text,
)

from tutela.storage.schema import Moment, RowId, metadata

_OPEN = text("is_task AND settled_at IS NULL")

# What authorities said of reports.
report_feedback = Table(
    "report_feedback",
    metadata,
    Column("id", RowId, primary_key=True),
    # The authority's id in the directory.
    Column("authority", String(60), nullable=False),
    # What the sender calls its message; NULL if a person entered it. It is taken once.
    Column("message", String(200)),
    # NULL while nobody knows which report is meant.
    Column("report_id", RowId, ForeignKey("reports.id"), index=True),
    # By which number the authority named the report.
    Column("named", String(200), nullable=False),
    # ``model.FeedbackKind``.
    Column("kind", String(30), nullable=False),
    Column("at", Moment, nullable=False),
    Column("reference", String(200), nullable=False),
    Column("number", String(200), nullable=False),
    Column("until", Date),
    Column("period", String(20), nullable=False),
    # Sealed; erased when the case's evidence is destroyed.
    Column("words", LargeBinary),
    # What was recorded of the evidence by it.
    Column("event_id", RowId, ForeignKey("legal_events.id")),
    Column("received_at", Moment, nullable=False),
    # Who, as the ledger calls them.
    Column("received_by", String(100), nullable=False),
    Column("is_task", Boolean, nullable=False),
    Column("settled_at", Moment),
    Column("settled_by", String(100)),
    Index("ix_report_feedback_message", "authority", "message", unique=True),
    Index("ix_report_feedback_open", "id", sqlite_where=_OPEN, postgresql_where=_OPEN),
    # The ledger names it by its number.
    sqlite_autoincrement=True,
)

# How long authorities waited, by the day on which they had the report. One row of each day has
# neither authority nor environment: it says that the day is counted.
report_days = Table(
    "report_days",
    metadata,
    Column("day", Date, primary_key=True),
    Column("authority", String(60), primary_key=True),
    # ``reporting.model.Environment``.
    Column("environment", String(10), primary_key=True),
    Column("sent", Integer, nullable=False),
    # How many waited for about how long, by the steps of ``levels``.
    Column("from_opened", JSON, nullable=False),
    Column("from_confirmed", JSON, nullable=False),
    Column("counted_at", Moment, nullable=False),
)

# What waited to be reported when it was last counted.
report_waits = Table(
    "report_waits",
    metadata,
    # Empty: of confirmed cases of which no report is begun.
    Column("authority", String(60), primary_key=True),
    Column("waiting", Integer, nullable=False),
    Column("oldest_at", Moment, nullable=False),
    Column("counted_at", Moment, nullable=False),
)
