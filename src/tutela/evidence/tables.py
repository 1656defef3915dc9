"""Tables of this room."""

from sqlalchemy import Column, ForeignKey, Index, LargeBinary, String, Table, text

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
