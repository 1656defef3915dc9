"""Tables of this room.

Tables whose rows let somebody in, or say who tried, are of no backup: ``NOT_BACKED_UP``.
"""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    UniqueConstraint,
    text,
)

from tutela.storage.schema import Moment, RowId, metadata

people = Table(
    "people",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("name", String(200), nullable=False),
    # In small letters; erased when the account is closed.
    Column("email", String(320), unique=True),
    Column("roles", String(200), nullable=False),
    Column("language", String(20)),
    Column("added_at", Moment, nullable=False),
    Column("added_by", String(100), nullable=False),
    Column("closed_at", Moment),
    Column("closed_by", String(100)),
)

# Apart from the people, so that who reads those never has these.
passwords = Table(
    "passwords",
    metadata,
    Column("person", RowId, ForeignKey("people.id"), primary_key=True, autoincrement=False),
    # As argon2id writes them, with their own parameters and salt.
    Column("hash", String(300), nullable=False),
    Column("set_at", Moment, nullable=False),
)

sessions = Table(
    "sessions",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("token_sha256", LargeBinary(32), nullable=False, unique=True),
    Column("person", RowId, ForeignKey("people.id"), nullable=False, index=True),
    Column("began_at", Moment, nullable=False),
    Column("seen_at", Moment, nullable=False, index=True),
    # When the person last showed that it is them.
    Column("proved_at", Moment),
    # ``sessions.Awaits``: what is still due before it counts as signed in.
    Column("awaits", String(20)),
    # By what the person knows it again, such as "Firefox on Linux".
    Column("device", String(100), nullable=False, server_default=""),
)

invitations = Table(
    "invitations",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("token_sha256", LargeBinary(32), nullable=False, unique=True),
    Column("name", String(200), nullable=False),
    Column("email", String(320)),
    Column("roles", String(200), nullable=False),
    # Somebody who is there already, and is to set up anew how they sign in.
    Column("person", RowId, ForeignKey("people.id"), index=True),
    Column("invited_at", Moment, nullable=False),
    Column("invited_by", String(100), nullable=False),
    Column("expires_at", Moment, nullable=False),
)

# How often somebody failed to sign in lately: by an account's name, or from an address.
sign_in_failures = Table(
    "sign_in_failures",
    metadata,
    # Who or whence, hashed: what strangers type is nobody's business.
    Column("subject_sha256", LargeBinary(32), primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("last_at", Moment, nullable=False, index=True),
    Column("locked_until", Moment),
)

# What one person asked for and another has to agree to.
agreements = Table(
    "agreements",
    metadata,
    Column("id", RowId, primary_key=True),
    # ``agreeing.Matter``.
    Column("matter", String(30), nullable=False),
    Column("person", RowId, ForeignKey("people.id"), index=True),
    # What is to be done, as the matter has it.
    Column("details", String(2000), nullable=False),
    Column("reason", String(1000), nullable=False),
    Column("asked_at", Moment, nullable=False),
    Column("asked_by", RowId, ForeignKey("people.id"), nullable=False),
    Column("decided_at", Moment),
    Column("decided_by", RowId, ForeignKey("people.id")),
    # ``agreed`` or ``refused``.
    Column("outcome", String(20)),
    Index(
        "ix_agreements_open",
        "asked_at",
        sqlite_where=text("decided_at IS NULL"),
        postgresql_where=text("decided_at IS NULL"),
    ),
)

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
    # The person it belongs to. No foreign key: SQLite can give none to a table that is there.
    Column("owner", RowId, index=True),
    Index(
        "ix_api_keys_name_in_use",
        "name",
        unique=True,
        sqlite_where=text("revoked_at IS NULL"),
        postgresql_where=text("revoked_at IS NULL"),
    ),
)

authenticator_apps = Table(
    "authenticator_apps",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("person", RowId, ForeignKey("people.id"), nullable=False, index=True),
    Column("secret_sealed", LargeBinary(200), nullable=False),
    Column("begun_at", Moment, nullable=False),
    Column("confirmed_at", Moment),
    # The number of the thirty seconds whose code was taken last: no code is taken twice.
    Column("last_step", BigInteger, nullable=False),
    Column("used_at", Moment),
)

passkeys = Table(
    "passkeys",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("person", RowId, ForeignKey("people.id"), nullable=False, index=True),
    # Random, the same for all passkeys of a person: what their devices know them by.
    Column("handle", LargeBinary(64), nullable=False),
    Column("name", String(100), nullable=False),
    Column("credential_id", LargeBinary(1023), nullable=False, unique=True),
    Column("public_key", LargeBinary(2000), nullable=False),
    Column("sign_count", BigInteger, nullable=False),
    Column("synced", Boolean, nullable=False),
    Column("made_at", Moment, nullable=False),
    Column("used_at", Moment),
)

recovery_codes = Table(
    "recovery_codes",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("person", RowId, ForeignKey("people.id"), nullable=False, index=True),
    Column("code_sha256", LargeBinary(32), nullable=False),
    Column("made_at", Moment, nullable=False),
    Column("used_at", Moment),
)

outside_identities = Table(
    "outside_identities",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("person", RowId, ForeignKey("people.id"), nullable=False),
    Column("issuer", String(500), nullable=False),
    Column("subject", String(255), nullable=False),
    Column("bound_at", Moment, nullable=False),
    UniqueConstraint("issuer", "subject"),
    # One person is one person there: an address that is given to somebody else there opens nothing.
    UniqueConstraint("person", "issuer"),
)

sign_in_ceremonies = Table(
    "sign_in_ceremonies",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("browser_sha256", LargeBinary(32), nullable=False),
    Column("ceremony", String(30), nullable=False),
    Column("person", RowId),
    Column("challenge", LargeBinary(32), nullable=False),
    Column("words", JSON, nullable=False),
    Column("begun_at", Moment, nullable=False, index=True),
    UniqueConstraint("browser_sha256", "ceremony"),
)

NOT_BACKED_UP = frozenset({"sessions", "invitations", "sign_in_failures", "sign_in_ceremonies"})
"""Whoever steals a backup must not walk in by it, and who restores one lets nobody back in."""
