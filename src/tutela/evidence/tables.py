"""Tables of this room."""

from sqlalchemy import (
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    text,
)

from tutela.storage.schema import Moment, RowId, metadata

vault_keys = Table(
    "vault_keys",
    metadata,
    # As in WrappedKey. The ARN of a key of AWS KMS may have 2048 characters.
    Column("id", String(2100), primary_key=True),
    Column("first_used_at", Moment, nullable=False),
    # Nothing is wrapped by it any more, and nothing may be.
    Column("retired_at", Moment),
)

blobs = Table(
    "blobs",
    metadata,
    Column("id", String(26), primary_key=True),
    Column("sha256", LargeBinary(32), nullable=False),
    Column("size", RowId, nullable=False),
    Column("state", String(20), nullable=False),
    Column("sealed_at", Moment, nullable=False),
    Column("doomed_at", Moment),
    # One content is there once.
    Index(
        "ix_blobs_live_sha256",
        "sha256",
        unique=True,
        sqlite_where=text("state = 'live'"),
        postgresql_where=text("state = 'live'"),
    ),
)

evidence_items = Table(
    "evidence_items",
    metadata,
    Column("id", String(26), primary_key=True),
    Column("case_id", String(20), ForeignKey("cases.id"), nullable=False, index=True),
    Column("state", String(20), nullable=False),
    Column("sealed_at", Moment, nullable=False, index=True),
    Column("reason", String(200), nullable=False),
    Column("blob_id", String(26), ForeignKey("blobs.id"), index=True),
    # The blob's data key. Erasing it is what destroys the evidence.
    Column("wrapped_key", LargeBinary),
    Column("key_id", String(2100), ForeignKey("vault_keys.id"), index=True),
)

KEPT_FOR_GOOD = ""
"""In place of a rule's id: a person has decided that the item is kept, and under no rule."""

# The retention rule that an item is kept under. It stays so whatever the settings say later.
item_rules = Table(
    "item_rules",
    metadata,
    Column("item_id", String(26), ForeignKey("evidence_items.id"), primary_key=True),
    Column("rule_id", String(50), nullable=False),
    Column("rule_version", Integer, nullable=False),
    # Of the rule's terms when it was assigned, so that nobody changes them silently.
    Column("digest", String(64), nullable=False),
    Column("assigned_at", Moment, nullable=False),
    Column("assigned_by", String(200), nullable=False),
)

confirmed_rules = Table(
    "confirmed_rules",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("rule_id", String(50), nullable=False),
    Column("rule_version", Integer, nullable=False),
    Column("digest", String(64), nullable=False, unique=True),
    Column("confirmed_at", Moment, nullable=False),
    Column("confirmed_by", String(200), nullable=False),
    Column("reason", String(1000), nullable=False),
)

# What happened in law to an item, or, without one, to all of a case.
legal_events = Table(
    "legal_events",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("case_id", String(20), ForeignKey("cases.id"), nullable=False, index=True),
    Column("item_id", String(26), ForeignKey("evidence_items.id")),
    Column("kind", String(40), nullable=False),
    Column("at", Moment, nullable=False),
    Column("reference", String(200), nullable=False),
    Column("until", Date),
    # As people write it: 90d.
    Column("period", String(20)),
    Column("reason", String(1000), nullable=False),
    Column("recorded_at", Moment, nullable=False),
    Column("recorded_by", String(200), nullable=False),
    # It counts once another person than this one has agreed: who, as the ledger calls them.
    Column("asked_by", String(100)),
    Column("agreed_at", Moment),
    Column("agreed_by", String(200)),
    Column("withdrawn_at", Moment),
    Column("withdrawn_by", String(200)),
    Column("withdrawn_reason", String(1000)),
)

# Orders to keep an item, or, without one, all of a case, for as long as they stand.
legal_holds = Table(
    "legal_holds",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("case_id", String(20), ForeignKey("cases.id"), nullable=False, index=True),
    Column("item_id", String(26), ForeignKey("evidence_items.id")),
    Column("reference", String(200), nullable=False),
    Column("reason", String(1000), nullable=False),
    Column("held_at", Moment, nullable=False),
    Column("held_by", String(200), nullable=False),
    Column("released_at", Moment),
    Column("released_by", String(200)),
    Column("released_reason", String(1000)),
)

# One row for each item whose destruction has begun; at its end it is the tombstone.
destructions = Table(
    "destructions",
    metadata,
    Column("item_id", String(26), ForeignKey("evidence_items.id"), primary_key=True),
    Column("begun_at", Moment, nullable=False),
    # The ledger's entry that says so.
    Column("begun_entry", RowId, nullable=False),
    # Who ordered it, if it was not simply due.
    Column("ordered_by", String(200)),
    Column("actor_id", String(100), nullable=False),
    Column("actor_role", String(30), nullable=False),
    Column("actor_face", String(30), nullable=False),
    Column("destroyed_at", Moment),
    Column("destroyed_entry", RowId),
    # What is attested, as JSON; the ledger's second entry names its SHA-256.
    Column("proof", Text),
)

# One row: when what is due was last looked for, to notice a clock that jumps.
destruction_watch = Table(
    "destruction_watch",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("looked_at", Moment, nullable=False),
)
