"""How long evidence is kept: rules, events in law, holds, destructions."""

import sqlalchemy as sa
from alembic import op

from tutela.storage.schema import Moment, RowId

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "item_rules",
        sa.Column("item_id", sa.String(length=26), nullable=False),
        sa.Column("rule_id", sa.String(length=50), nullable=False),
        sa.Column("rule_version", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("assigned_at", Moment(), nullable=False),
        sa.Column("assigned_by", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(
            ["item_id"], ["evidence_items.id"], name=op.f("fk_item_rules_item_id_evidence_items")
        ),
        sa.PrimaryKeyConstraint("item_id", name=op.f("pk_item_rules")),
    )
    op.create_table(
        "confirmed_rules",
        sa.Column("id", RowId, nullable=False),
        sa.Column("rule_id", sa.String(length=50), nullable=False),
        sa.Column("rule_version", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("confirmed_at", Moment(), nullable=False),
        sa.Column("confirmed_by", sa.String(length=200), nullable=False),
        sa.Column("reason", sa.String(length=1000), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_confirmed_rules")),
        sa.UniqueConstraint("digest", name=op.f("uq_confirmed_rules_digest")),
    )
    op.create_table(
        "legal_events",
        sa.Column("id", RowId, nullable=False),
        sa.Column("case_id", sa.String(length=20), nullable=False),
        sa.Column("item_id", sa.String(length=26), nullable=True),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("reference", sa.String(length=200), nullable=False),
        sa.Column("until", sa.Date(), nullable=True),
        sa.Column("period", sa.String(length=20), nullable=True),
        sa.Column("reason", sa.String(length=1000), nullable=False),
        sa.Column("recorded_at", Moment(), nullable=False),
        sa.Column("recorded_by", sa.String(length=200), nullable=False),
        sa.Column("withdrawn_at", Moment(), nullable=True),
        sa.Column("withdrawn_by", sa.String(length=200), nullable=True),
        sa.Column("withdrawn_reason", sa.String(length=1000), nullable=True),
        sa.ForeignKeyConstraint(
            ["case_id"], ["cases.id"], name=op.f("fk_legal_events_case_id_cases")
        ),
        sa.ForeignKeyConstraint(
            ["item_id"], ["evidence_items.id"], name=op.f("fk_legal_events_item_id_evidence_items")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_legal_events")),
    )
    op.create_index(op.f("ix_legal_events_case_id"), "legal_events", ["case_id"], unique=False)
    op.create_table(
        "legal_holds",
        sa.Column("id", RowId, nullable=False),
        sa.Column("case_id", sa.String(length=20), nullable=False),
        sa.Column("item_id", sa.String(length=26), nullable=True),
        sa.Column("reference", sa.String(length=200), nullable=False),
        sa.Column("reason", sa.String(length=1000), nullable=False),
        sa.Column("held_at", Moment(), nullable=False),
        sa.Column("held_by", sa.String(length=200), nullable=False),
        sa.Column("released_at", Moment(), nullable=True),
        sa.Column("released_by", sa.String(length=200), nullable=True),
        sa.Column("released_reason", sa.String(length=1000), nullable=True),
        sa.ForeignKeyConstraint(
            ["case_id"], ["cases.id"], name=op.f("fk_legal_holds_case_id_cases")
        ),
        sa.ForeignKeyConstraint(
            ["item_id"], ["evidence_items.id"], name=op.f("fk_legal_holds_item_id_evidence_items")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_legal_holds")),
    )
    op.create_index(op.f("ix_legal_holds_case_id"), "legal_holds", ["case_id"], unique=False)
    op.create_table(
        "destructions",
        sa.Column("item_id", sa.String(length=26), nullable=False),
        sa.Column("begun_at", Moment(), nullable=False),
        sa.Column("begun_entry", RowId, nullable=False),
        sa.Column("ordered_by", sa.String(length=200), nullable=True),
        sa.Column("actor_id", sa.String(length=100), nullable=False),
        sa.Column("actor_role", sa.String(length=30), nullable=False),
        sa.Column("actor_face", sa.String(length=30), nullable=False),
        sa.Column("destroyed_at", Moment(), nullable=True),
        sa.Column("destroyed_entry", RowId, nullable=True),
        sa.Column("proof", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["item_id"], ["evidence_items.id"], name=op.f("fk_destructions_item_id_evidence_items")
        ),
        sa.PrimaryKeyConstraint("item_id", name=op.f("pk_destructions")),
    )
    op.create_table(
        "destruction_watch",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("looked_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_destruction_watch")),
    )
