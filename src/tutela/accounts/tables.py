"""Tables of this room."""

from sqlalchemy import Column, Index, LargeBinary, String, Table, text

from tutela.storage.schema import Moment, RowId, metadata

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("name", String(100), nullable=False),
    Column("secret_sha256", LargeBinary(32), nullable=False, unique=True),
    Column("scopes", String(500), nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("created_by", String(200), nullable=False),
    Column("revoked_at", Moment),
    Column("revoked_by", String(200)),
    Index(
        "ix_api_keys_name_in_use",
        "name",
        unique=True,
        sqlite_where=text("revoked_at IS NULL"),
        postgresql_where=text("revoked_at IS NULL"),
    ),
)
