"""Tables of this room."""

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    Table,
)

from tutela.storage.schema import Moment, RowId, metadata

webhook_endpoints = Table(
    "webhook_endpoints",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("name", String(100), nullable=False),
    Column("url", String(2000), nullable=False),
    # The kinds of events that it is told of, with a space between.
    Column("events", String(500), nullable=False),
    Column("is_on", Boolean, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("created_by", String(100), nullable=False),
    Column("removed_at", Moment),
    # How often in a row it has failed, since when, and until when it is left alone.
    Column("failures", Integer, nullable=False),
    Column("failing_since", Moment),
    Column("rest_until", Moment),
    Column("alerted_at", Moment),
)

webhook_secrets = Table(
    "webhook_secrets",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("endpoint_id", RowId, ForeignKey("webhook_endpoints.id"), nullable=False, index=True),
    # Under the key in the folder of keys, see ``storage.kept_secrets``.
    Column("sealed", LargeBinary, nullable=False),
    Column("made_at", Moment, nullable=False),
    # Until when it signs beside a newer one; the newest has no end.
    Column("ends_at", Moment),
)

# What happened, as the receivers are told of it.
webhook_events = Table(
    "webhook_events",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("message", String(40), nullable=False, unique=True),
    Column("kind", String(40), nullable=False),
    Column("case_id", String(20), index=True),
    Column("cause", String(60), nullable=False, index=True),
    Column("happened_at", Moment, nullable=False, index=True),
    Column("data", JSON, nullable=False),
    # Receivers order by it, so a number is never given twice.
    sqlite_autoincrement=True,
)

webhook_deliveries = Table(
    "webhook_deliveries",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("event_id", RowId, ForeignKey("webhook_events.id"), nullable=False, index=True),
    Column("endpoint_id", RowId, ForeignKey("webhook_endpoints.id"), nullable=False),
    Column("state", String(12), nullable=False),
    Column("due_at", Moment, nullable=False),
    Column("ended_at", Moment),
    Index("ix_webhook_deliveries_endpoint_id", "endpoint_id", "id"),
    Index("ix_webhook_deliveries_state", "state", "id"),
    # A job names it by its number.
    sqlite_autoincrement=True,
)

webhook_attempts = Table(
    "webhook_attempts",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("delivery_id", RowId, ForeignKey("webhook_deliveries.id"), nullable=False, index=True),
    Column("at", Moment, nullable=False),
    Column("milliseconds", Integer, nullable=False),
    Column("status", SmallInteger),
    Column("failure", String(200)),
    Column("answer", String(200)),
)
