"""Tables of this room.

Numbers of people have no foreign key: SQLite can give none to a table that is there already, and a
person's row is never removed.
"""

from sqlalchemy import (
    Boolean,
    Column,
    Date,
    Float,
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

# Whoever sent something, by what the platform calls them.
subjects = Table(
    "subjects",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("key", String(200), nullable=False, unique=True),
    Column("first_seen_at", Moment, nullable=False),
)

cases = Table(
    "cases",
    metadata,
    Column("id", String(20), primary_key=True),
    Column("state", String(20), nullable=False),
    Column("opened_at", Moment, nullable=False, index=True),
    Column("subject_id", RowId),
    # The names of ``facts.Fact`` that are true of it, with a space between.
    Column("facts", String(500), nullable=False, server_default=""),
    # The moment that it is queued by: when it was opened, put forward by its facts.
    Column("rank_at", Moment, nullable=False),
    Column("severe", Boolean, nullable=False, server_default=text("false")),
    # When the law or the operator wants it done, if they do.
    Column("due_at", Moment),
    # Whose it is, if it is not everybody's.
    Column("assigned_to", RowId),
    # Who is looking at it, until when, and the how many'th time somebody is.
    Column("held_by", RowId),
    Column("held_until", Moment),
    Column("hold", RowId, nullable=False, server_default="0"),
    Column("decided_at", Moment),
    # Where it stood when the person concerned appealed.
    Column("state_before", String(20)),
    Index("ix_cases_queue", "state", "rank_at"),
    Index("ix_cases_waiting", "state", "opened_at"),
    Index("ix_cases_calm_queue", "state", "severe", "rank_at"),
    Index("ix_cases_subject_id", "subject_id", "opened_at"),
    Index("ix_cases_assigned_to", "assigned_to", "state", "rank_at"),
    Index(
        "ix_cases_held_until",
        "held_until",
        sqlite_where=text("held_until IS NOT NULL"),
        postgresql_where=text("held_until IS NOT NULL"),
    ),
    Index(
        "ix_cases_held_by",
        "held_by",
        sqlite_where=text("held_by IS NOT NULL"),
        postgresql_where=text("held_by IS NOT NULL"),
    ),
    Index("ix_cases_decided_at", "decided_at"),
    # Those that are confirmed and not reported yet, as they came.
    Index("ix_cases_decided", "state", "decided_at"),
)

case_items = Table(
    "case_items",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("case_id", String(20), ForeignKey("cases.id"), nullable=False, index=True),
    Column("kind", String(20), nullable=False, server_default="file"),
    # What was sealed of it: the file, or its words, or its address.
    Column("evidence_id", String(26), index=True),
    Column("name", String(4096), nullable=False),
    Column("origin", String(200), nullable=False),
    # What the platform calls the upload, so that it knows what is blocked or let free.
    Column("reference", String(200), index=True),
    # Chosen by who sends the item, so that sending it twice opens one case.
    Column("request", String(64), unique=True),
    Column("received_at", Moment, nullable=False),
    Column("size", RowId),
    Column("md5", LargeBinary(16)),
    Column("sha1", LargeBinary(20)),
    Column("sha256", LargeBinary(32), index=True),
    Column("pdq", LargeBinary(32), index=True),
    Column("pdq_quality", SmallInteger),
    # Why it, or something in it, could not be looked at, and where that is.
    Column("unreadable", String(20)),
    Column("unreadable_at", String(4096)),
    # A weak digest says that two files are the same only where one has no SHA-256. Many share one
    # where a list names it: those are told apart without reading their rows.
    Index("ix_case_items_md5", "md5", "sha256"),
    Index("ix_case_items_sha1", "sha1", "sha256"),
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
    # Where in the item, for people; empty for the item itself.
    Column("place", String(4096), nullable=False, server_default=""),
    # Of a video by vPDQ, rounded down: how much of it is in the entry, and of the entry in it.
    Column("query_percent", SmallInteger),
    Column("compared_percent", SmallInteger),
    Index("ix_case_matches_item_id", "item_id"),
)

# What people say it is, by a scheme: of an item, or of the case as a whole.
case_labels = Table(
    "case_labels",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("case_id", String(20), ForeignKey("cases.id"), nullable=False, index=True),
    Column("item_id", RowId, ForeignKey("case_items.id")),
    Column("scheme", String(60), nullable=False),
    Column("version", String(20), nullable=False),
    Column("label", String(60), nullable=False),
    Column("set_at", Moment, nullable=False),
    Column("set_by", String(100), nullable=False),
    Column("removed_at", Moment),
    Column("removed_by", String(100)),
)

case_notes = Table(
    "case_notes",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("case_id", String(20), ForeignKey("cases.id"), nullable=False, index=True),
    Column("written_at", Moment, nullable=False),
    Column("written_by", String(100), nullable=False),
    Column("words", Text, nullable=False),
)

# Every decision that somebody took, also those that were undone.
case_decisions = Table(
    "case_decisions",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("case_id", String(20), ForeignKey("cases.id"), nullable=False, index=True),
    # ``deciding.Stage``: first look, second look, settled by a lead, or by an appeal.
    Column("stage", String(20), nullable=False),
    # ``deciding.Decision``: confirmed, not confirmed, not sure.
    Column("decision", String(20), nullable=False),
    # ``deciding.Basis``: what it rests on: seen, known by digest, confirmed elsewhere, read.
    Column("basis", String(20), nullable=False),
    Column("decided_at", Moment, nullable=False, index=True),
    # The actor's id in the ledger, and the person's number if it is one.
    Column("decided_by", String(100), nullable=False),
    Column("person", RowId),
    # Where the case stood, and whose it was, so that the decision can be undone.
    Column("state_before", String(20), nullable=False),
    Column("reason", Text, nullable=False),
    # Why a second person is to look, if one is: ``sample``, ``asked``, ``policy``.
    Column("second_look", String(20)),
    Column("undone_at", Moment),
    Index("ix_case_decisions_person", "person", "decided_at"),
)

appeals = Table(
    "appeals",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("case_id", String(20), ForeignKey("cases.id"), nullable=False, index=True),
    Column("received_at", Moment, nullable=False),
    Column("received_by", String(100), nullable=False),
    Column("words", Text, nullable=False),
    Column("decided_at", Moment),
    Column("decided_by", String(100)),
    # ``granted`` or ``upheld``.
    Column("outcome", String(20)),
    Column("reason", Text),
    Index(
        "ix_appeals_waiting",
        "id",
        sqlite_where=text("decided_at IS NULL"),
        postgresql_where=text("decided_at IS NULL"),
    ),
    Index("ix_appeals_decided_at", "decided_at"),
)

# How many cases of each technology had something happen to them on a day, see ``counting``.
case_counts = Table(
    "case_counts",
    metadata,
    Column("day", Date, primary_key=True),
    Column("what", String(20), primary_key=True),
    Column("technology", String(10), primary_key=True),
    Column("cases", RowId, nullable=False),
)

# How many cases waited how long for what happened on a day, in bands of time.
case_times = Table(
    "case_times",
    metadata,
    Column("day", Date, primary_key=True),
    Column("what", String(20), primary_key=True),
    Column("band", SmallInteger, primary_key=True, autoincrement=False),
    Column("cases", RowId, nullable=False),
)

# Who looked at what, how clearly and for how long: written before anything is shown.
viewings = Table(
    "viewings",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("case_id", String(20), ForeignKey("cases.id"), nullable=False, index=True),
    Column("item_id", RowId, ForeignKey("case_items.id"), nullable=False, index=True),
    Column("evidence_id", String(26), nullable=False),
    Column("person", RowId, nullable=False),
    # The session in which it is shown, and no other one.
    Column("session", RowId),
    # ``sandbox.model.Level``: a veil, a part, or the whole.
    Column("level", String(20), nullable=False),
    Column("colour", Boolean, nullable=False, server_default=text("false")),
    # ``viewing.Why``.
    Column("reason", String(60), nullable=False),
    Column("began_at", Moment, nullable=False),
    # ``sandbox.model.Shown``: what left the house; ``None`` until something does.
    Column("shown", String(20)),
    # When the page last said that it is in sight.
    Column("heard_at", Moment),
    # Seconds that it was in sight; ``None`` while it is.
    Column("seconds", Float),
    # Which part of the item, and which are before and after it; ``None`` is the item as a whole,
    # and no part.
    Column("place", String(4096)),
    Column("place_before", String(4096)),
    Column("place_after", String(4096)),
    Index("ix_viewings_person", "person", "began_at"),
    Index("ix_viewings_evidence_id", "evidence_id", "level"),
    Index(
        "ix_viewings_in_sight",
        "heard_at",
        sqlite_where=text("seconds IS NULL"),
        postgresql_where=text("seconds IS NULL"),
    ),
)

# Who takes a break, and since when.
pauses = Table(
    "pauses",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("person", RowId, nullable=False),
    Column("began_at", Moment, nullable=False),
    Column("ended_at", Moment),
    Index("ix_pauses_person", "person", "began_at"),
    # Nobody is on two breaks at once.
    Index(
        "ix_pauses_under_way",
        "person",
        unique=True,
        sqlite_where=text("ended_at IS NULL"),
        postgresql_where=text("ended_at IS NULL"),
    ),
)

# How each person wants to be shown things. Who has no row has ``comfort.GENTLE``.
comforts = Table(
    "comforts",
    metadata,
    Column("person", RowId, primary_key=True, autoincrement=False),
    Column("veils", Boolean, nullable=False),
    Column("grey", Boolean, nullable=False),
    # ``comfort.Size``.
    Column("size", String(20), nullable=False),
    # ``comfort.Reveal``.
    Column("reveal", String(20), nullable=False),
    Column("longest_peek", SmallInteger, nullable=False),
    Column("time_zone", String(60), nullable=False),
)

# Each day's figures, counted in the background, so that no page ever counts a million cases.
case_days = Table(
    "case_days",
    metadata,
    Column("day", Date, primary_key=True),
    Column("opened", Integer, nullable=False),
    Column("confirmed", Integer, nullable=False),
    Column("not_confirmed", Integer, nullable=False),
    Column("not_sure", Integer, nullable=False),
    Column("second_looks", Integer, nullable=False),
    # Of these, those that decided as the first one had.
    Column("agreed", Integer, nullable=False),
    # From the opening of a case to its first decision.
    Column("median_seconds", Integer),
    Column("slow_seconds", Integer),
    Column("counted_at", Moment, nullable=False),
)

# How many cases wait, by how long they do.
case_ages = Table(
    "case_ages",
    metadata,
    # ``counting_days.Age``.
    Column("age", String(20), primary_key=True),
    Column("waiting", Integer, nullable=False),
    Column("counted_at", Moment, nullable=False),
)
