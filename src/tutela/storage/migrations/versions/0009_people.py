"""People: who they are, how they sign in, who is invited, and what needs two of them."""

import sqlalchemy as sa
from alembic import op

from tutela.storage.schema import Moment, RowId

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Make the tables; API keys get an owner."""
    op.create_table(
        "people",
        sa.Column("id", RowId, nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("email", sa.String(length=320)),
        sa.Column("roles", sa.String(length=200), nullable=False),
        sa.Column("language", sa.String(length=20)),
        sa.Column("added_at", Moment(), nullable=False),
        sa.Column("added_by", sa.String(length=100), nullable=False),
        sa.Column("closed_at", Moment()),
        sa.Column("closed_by", sa.String(length=100)),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_people")),
        sa.UniqueConstraint("email", name=op.f("uq_people_email")),
    )
    op.create_table(
        "passwords",
        sa.Column("person", RowId, autoincrement=False, nullable=False),
        sa.Column("hash", sa.String(length=300), nullable=False),
        sa.Column("set_at", Moment(), nullable=False),
        _of_person("passwords"),
        sa.PrimaryKeyConstraint("person", name=op.f("pk_passwords")),
    )
    op.create_table(
        "sessions",
        sa.Column("id", RowId, nullable=False),
        sa.Column("token_sha256", sa.LargeBinary(length=32), nullable=False),
        sa.Column("person", RowId, nullable=False),
        sa.Column("began_at", Moment(), nullable=False),
        sa.Column("seen_at", Moment(), nullable=False),
        sa.Column("proved_at", Moment()),
        sa.Column("awaits", sa.String(length=20)),
        sa.Column("device", sa.String(length=100), nullable=False, server_default=""),
        _of_person("sessions"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sessions")),
        sa.UniqueConstraint("token_sha256", name=op.f("uq_sessions_token_sha256")),
    )
    op.create_index(op.f("ix_sessions_seen_at"), "sessions", ["seen_at"])
    op.create_table(
        "invitations",
        sa.Column("id", RowId, nullable=False),
        sa.Column("token_sha256", sa.LargeBinary(length=32), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("email", sa.String(length=320)),
        sa.Column("roles", sa.String(length=200), nullable=False),
        sa.Column("person", RowId),
        sa.Column("invited_at", Moment(), nullable=False),
        sa.Column("invited_by", sa.String(length=100), nullable=False),
        sa.Column("expires_at", Moment(), nullable=False),
        _of_person("invitations"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invitations")),
        sa.UniqueConstraint("token_sha256", name=op.f("uq_invitations_token_sha256")),
    )
    op.create_table(
        "sign_in_failures",
        sa.Column("subject_sha256", sa.LargeBinary(length=32), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("last_at", Moment(), nullable=False),
        sa.Column("locked_until", Moment()),
        sa.PrimaryKeyConstraint("subject_sha256", name=op.f("pk_sign_in_failures")),
    )
    op.create_index(op.f("ix_sign_in_failures_last_at"), "sign_in_failures", ["last_at"])
    op.create_table(
        "agreements",
        sa.Column("id", RowId, nullable=False),
        sa.Column("matter", sa.String(length=30), nullable=False),
        sa.Column("person", RowId),
        sa.Column("details", sa.String(length=2000), nullable=False),
        sa.Column("reason", sa.String(length=1000), nullable=False),
        sa.Column("asked_at", Moment(), nullable=False),
        sa.Column("asked_by", RowId, nullable=False),
        sa.Column("decided_at", Moment()),
        sa.Column("decided_by", RowId),
        sa.Column("outcome", sa.String(length=20)),
        _of_person("agreements"),
        _of_person("agreements", "asked_by"),
        _of_person("agreements", "decided_by"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agreements")),
    )
    op.create_index(
        "ix_agreements_open",
        "agreements",
        ["asked_at"],
        sqlite_where=sa.text("decided_at IS NULL"),
        postgresql_where=sa.text("decided_at IS NULL"),
    )
    for table in ("sessions", "invitations", "agreements"):
        op.create_index(op.f(f"ix_{table}_person"), table, ["person"])
    op.add_column("api_keys", sa.Column("owner", RowId))
    op.create_index(op.f("ix_api_keys_owner"), "api_keys", ["owner"])


def _of_person(table: str, column: str = "person") -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        [column], ["people.id"], name=op.f(f"fk_{table}_{column}_people")
    )
