"""Tables of this room."""

from sqlalchemy import Column, ForeignKey, LargeBinary, String, Table, Text

from tutela.storage.schema import Moment, RowId, metadata

disclosures = Table(
    "disclosures",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("case_id", String(20), ForeignKey("cases.id"), nullable=False, index=True),
    Column("state", String(20), nullable=False),
    Column("authority", String(300), nullable=False),
    Column("legal_basis", String(3000), nullable=False),
    Column("reference", String(300), nullable=False),
    # Public keys, one a line: what the second person agrees to is what is encrypted to.
    Column("recipients", Text, nullable=False),
    # Each item's id and standing: what the second person agrees to is what is handed over.
    Column("contents", Text, nullable=False),
    Column("asked_at", Moment, nullable=False),
    Column("asked_by", RowId, ForeignKey("api_keys.id"), nullable=False),
    Column("decided_at", Moment),
    Column("decided_by", RowId, ForeignKey("api_keys.id")),
    Column("refused_because", String(1000)),
    Column("made_at", Moment),
    Column("package_sha256", LargeBinary(32)),
    Column("package_size", RowId),
)
