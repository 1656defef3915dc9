"""Tables of this room.

What is written in a report rests here sealed (``content.py``), and only until it is sent or
discarded.
"""

from sqlalchemy import (
    JSON,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    text,
)

from tutela.storage.schema import Moment, RowId, metadata

# What was only rehearsed is no report that the authority has.
_FIRST_OF_ITS_CASE = text(
    "corrects IS NULL AND state <> 'discarded' AND (state <> 'sent' OR environment = 'live')"
)

_IS_DOUBTED = text("doubted_since IS NOT NULL")

reports = Table(
    "reports",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("case_id", String(20), ForeignKey("cases.id"), nullable=False, index=True),
    # The authority's id in the directory, such as ``us-ncmec``.
    Column("authority", String(60), nullable=False),
    # ``model.ChannelKind``.
    Column("channel", String(20), nullable=False),
    # ``model.Environment`` of the channel when it was signed, and then when it was queued.
    Column("environment", String(10)),
    Column("state", String(12), nullable=False),
    # The content model's JSON, sealed; erased once it is sent or discarded.
    Column("content", LargeBinary),
    # The same as it was filled in by itself, and what it said of files, sealed and erased alike:
    # whatever differs from it was written by a person.
    Column("filled", LargeBinary),
    # The earlier report that it corrects or adds to.
    Column("corrects", RowId, ForeignKey("reports.id")),
    # Who, as the ledger calls them.
    Column("made_at", Moment, nullable=False),
    Column("made_by", String(100), nullable=False),
    Column("signed_at", Moment),
    Column("signed_by", String(100)),
    Column("approved_at", Moment),
    Column("approved_by", String(100)),
    Column("queued_at", Moment),
    # It has failed by itself, and is not tried again before, however well others get through.
    Column("rest_until", Moment),
    Column("sent_at", Moment),
    # What the authority calls it.
    Column("remote_id", String(200)),
    # Exactly what was sent, as a piece of evidence.
    Column("receipt_item", String(26), ForeignKey("evidence_items.id")),
    # Why it was stopped, for people: no personal data.
    Column("trouble", String(1000)),
    # The moment of the backup from which the house was restored: since then it may have been sent.
    Column("doubted_since", Moment),
    # An authority is told of a case once; what comes later corrects what it has.
    Index(
        "ix_reports_one_a_case",
        "case_id",
        "authority",
        unique=True,
        sqlite_where=_FIRST_OF_ITS_CASE,
        postgresql_where=_FIRST_OF_ITS_CASE,
    ),
    Index("ix_reports_state", "state", "queued_at"),
    # An authority names a report by its number there.
    Index("ix_reports_remote_id", "remote_id"),
    Index("ix_reports_sent_at", "sent_at"),
    Index("ix_reports_doubted", "id", sqlite_where=_IS_DOUBTED, postgresql_where=_IS_DOUBTED),
    # A job and the ledger name it by its number.
    sqlite_autoincrement=True,
)

report_files = Table(
    "report_files",
    metadata,
    Column("report_id", RowId, ForeignKey("reports.id"), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("item_id", RowId, ForeignKey("case_items.id"), nullable=False),
    Column("evidence_id", String(26), ForeignKey("evidence_items.id"), nullable=False, index=True),
    # What is said of the file, sealed; erased with the report's content.
    Column("details", LargeBinary),
)

IS_REHEARSAL = (reports.c.state == "sent") & (reports.c.environment != "live")
"""That a report was sent, and the authority itself does not have it."""

# To which moments the house was restored: what was sent since is not known here.
house_restorations = Table(
    "house_restorations",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("backup_at", Moment, nullable=False),
)

# Each time that somebody began to send a report.
delivery_attempts = Table(
    "delivery_attempts",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("report_id", RowId, ForeignKey("reports.id"), nullable=False, index=True),
    # The how many'th of this report, from 1.
    Column("number", Integer, nullable=False),
    Column("begun_at", Moment, nullable=False),
    # ``model.Environment`` of where it was sent.
    Column("environment", String(10), nullable=False, server_default="sandbox"),
    # Of the first of its documents.
    Column("document_sha256", LargeBinary(32)),
    # What the authority calls it; there from before the next call is made.
    Column("remote_id", String(200)),
    # ``channel.Step``: how far it came for certain.
    Column("step", String(20), nullable=False),
    # Evidence id to what the authority answered of the file.
    Column("files", JSON, nullable=False),
    # When the authority last answered.
    Column("heard_at", Moment),
    Column("ended_at", Moment),
    # ``channel.Outcome``; ``None`` while nobody knows it.
    Column("outcome", String(20)),
    Index("ix_delivery_attempts_number", "report_id", "number", unique=True),
    Index("ix_delivery_attempts_begun_at", "begun_at"),
    Index("ix_delivery_attempts_remote_id", "remote_id"),
    sqlite_autoincrement=True,
)

# What was heard of a letter after it was sent.
delivery_notices = Table(
    "delivery_notices",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("report_id", RowId, ForeignKey("reports.id"), nullable=False, index=True),
    Column("at", Moment, nullable=False),
    # Who entered it, as the ledger calls them.
    Column("by", String(100), nullable=False),
    # ``bounces.Fate``.
    Column("fate", String(20), nullable=False),
    # RFC 3463, such as 5.1.1.
    Column("code", String(15), nullable=False),
    Column("words", String(300), nullable=False),
    # What the authority calls the report.
    Column("number", String(300), nullable=False),
)

# Exactly what an attempt sent, sealed; it goes into the receipt, and is erased with the attempt.
delivery_documents = Table(
    "delivery_documents",
    metadata,
    Column("attempt_id", RowId, ForeignKey("delivery_attempts.id"), primary_key=True),
    Column("name", String(100), primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
)

# How each way to each authority is.
report_channels = Table(
    "report_channels",
    metadata,
    # ``model.ChannelKind``.
    Column("channel", String(20), primary_key=True),
    Column("authority", String(60), primary_key=True),
    # How often in a row it has failed, since when, and until when it is left alone.
    Column("failures", Integer, nullable=False),
    Column("failing_since", Moment),
    Column("rest_until", Moment),
    # When people were told, since it last went well.
    Column("alerted_at", Moment),
    # Since when nothing is sent until its operator acts.
    Column("stopped_at", Moment),
    # What is the matter: no personal data.
    Column("why", String(300)),
    # The end of the line of those that wait for their turn.
    Column("line_at", Moment),
    # Who said that reports are meant for the authority itself, and when.
    Column("live_at", Moment),
    Column("live_by", String(100)),
)

# What a platform supplied of those whom a confirmed case concerns, sealed (``supplying.py``).
supplied_data = Table(
    "supplied_data",
    metadata,
    Column("case_id", String(20), ForeignKey("cases.id"), primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
    Column("supplied_at", Moment, nullable=False),
    # Who, as the ledger calls them.
    Column("supplied_by", String(100), nullable=False),
)
