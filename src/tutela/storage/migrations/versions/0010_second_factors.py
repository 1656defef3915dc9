"""Second factors, and who people are elsewhere."""

import sqlalchemy as sa
from alembic import op

from tutela.storage.schema import Moment, RowId

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "authenticator_apps",
        sa.Column("id", RowId, nullable=False),
        sa.Column("person", RowId, nullable=False),
        sa.Column("secret_sealed", sa.LargeBinary(length=200), nullable=False),
        sa.Column("begun_at", Moment(), nullable=False),
        sa.Column("confirmed_at", Moment()),
        sa.Column("last_step", sa.BigInteger(), nullable=False),
        sa.Column("used_at", Moment()),
        _of_person("authenticator_apps"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_authenticator_apps")),
    )
    op.create_table(
        "passkeys",
        sa.Column("id", RowId, nullable=False),
        sa.Column("person", RowId, nullable=False),
        sa.Column("handle", sa.LargeBinary(length=64), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("credential_id", sa.LargeBinary(length=1023), nullable=False),
        sa.Column("public_key", sa.LargeBinary(length=2000), nullable=False),
        sa.Column("sign_count", sa.BigInteger(), nullable=False),
        sa.Column("synced", sa.Boolean(), nullable=False),
        sa.Column("made_at", Moment(), nullable=False),
        sa.Column("used_at", Moment()),
        _of_person("passkeys"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_passkeys")),
        sa.UniqueConstraint("credential_id", name=op.f("uq_passkeys_credential_id")),
    )
    op.create_table(
        "recovery_codes",
        sa.Column("id", RowId, nullable=False),
        sa.Column("person", RowId, nullable=False),
        sa.Column("code_sha256", sa.LargeBinary(length=32), nullable=False),
        sa.Column("made_at", Moment(), nullable=False),
        sa.Column("used_at", Moment()),
        _of_person("recovery_codes"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recovery_codes")),
    )
    op.create_table(
        "outside_identities",
        sa.Column("id", RowId, nullable=False),
        sa.Column("person", RowId, nullable=False),
        sa.Column("issuer", sa.String(length=500), nullable=False),
        sa.Column("subject", sa.String(length=255), nullable=False),
        sa.Column("bound_at", Moment(), nullable=False),
        _of_person("outside_identities"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outside_identities")),
        sa.UniqueConstraint("issuer", "subject", name=op.f("uq_outside_identities_issuer_subject")),
        sa.UniqueConstraint("person", "issuer", name=op.f("uq_outside_identities_person_issuer")),
    )
    op.create_table(
        "sign_in_ceremonies",
        sa.Column("id", RowId, nullable=False),
        sa.Column("browser_sha256", sa.LargeBinary(length=32), nullable=False),
        sa.Column("ceremony", sa.String(length=30), nullable=False),
        sa.Column("person", RowId),
        sa.Column("challenge", sa.LargeBinary(length=32), nullable=False),
        sa.Column("words", sa.JSON(), nullable=False),
        sa.Column("begun_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in_ceremonies")),
        sa.UniqueConstraint(
            "browser_sha256", "ceremony", name=op.f("uq_sign_in_ceremonies_browser_sha256_ceremony")
        ),
    )
    op.create_index(op.f("ix_sign_in_ceremonies_begun_at"), "sign_in_ceremonies", ["begun_at"])
    for table in ("authenticator_apps", "passkeys", "recovery_codes"):
        op.create_index(op.f(f"ix_{table}_person"), table, ["person"])


def _of_person(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["person"], ["people.id"], name=op.f(f"fk_{table}_person_people")
    )
