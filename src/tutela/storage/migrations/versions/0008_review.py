"""Cases that people decide on: subjects, the queue, labels, notes, decisions, appeals, viewings."""

import sqlalchemy as sa
from alembic import op

from tutela.storage.schema import Moment, RowId

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Make the tables, and widen those that are there."""
    _widen()
    _people_and_words()
    _looks()


def _widen() -> None:
    op.create_table(
        "subjects",
        sa.Column("id", RowId, nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("first_seen_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subjects")),
        sa.UniqueConstraint("key", name=op.f("uq_subjects_key")),
    )
    # SQLite gives a column that is added no default that is not a constant, so the moment that
    # old cases are queued by is filled in below.
    long_ago = "1970-01-01 00:00:00.000000"
    sqlite = op.get_bind().dialect.name == "sqlite"
    for added in (
        sa.Column("subject_id", RowId),
        sa.Column("facts", sa.String(length=500), nullable=False, server_default=""),
        sa.Column(
            "rank_at",
            Moment(),
            nullable=False,
            server_default=long_ago if sqlite else f"{long_ago}+00",
        ),
        sa.Column("severe", sa.Boolean(), nullable=False, server_default=sa.text("false")),
        sa.Column("due_at", Moment()),
        sa.Column("assigned_to", RowId),
        sa.Column("held_by", RowId),
        sa.Column("held_until", Moment()),
        sa.Column("hold", RowId, nullable=False, server_default="0"),
        sa.Column("decided_at", Moment()),
        sa.Column("state_before", sa.String(length=20)),
    ):
        op.add_column("cases", added)
    op.execute("UPDATE cases SET rank_at = opened_at")
    op.create_index("ix_cases_queue", "cases", ["state", "rank_at"])
    op.create_index("ix_cases_calm_queue", "cases", ["state", "severe", "rank_at"])
    op.create_index("ix_cases_subject_id", "cases", ["subject_id", "opened_at"])
    op.create_index("ix_cases_assigned_to", "cases", ["assigned_to", "state", "rank_at"])
    op.create_index("ix_cases_decided_at", "cases", ["decided_at"])
    for column in ("held_until", "held_by"):
        op.create_index(
            f"ix_cases_{column}",
            "cases",
            [column],
            sqlite_where=sa.text(f"{column} IS NOT NULL"),
            postgresql_where=sa.text(f"{column} IS NOT NULL"),
        )
    for added in (
        sa.Column("kind", sa.String(length=20), nullable=False, server_default="file"),
        sa.Column("evidence_id", sa.String(length=26)),
        sa.Column("reference", sa.String(length=200)),
    ):
        op.add_column("case_items", added)
    # Until now a case had one item and at most one piece of evidence.
    op.execute(
        "UPDATE case_items SET evidence_id = (SELECT evidence_items.id FROM evidence_items "
        "WHERE evidence_items.case_id = case_items.case_id)"
    )
    op.execute("UPDATE case_items SET kind = 'picture' WHERE pdq IS NOT NULL")
    for column in ("evidence_id", "reference", "md5", "sha1", "sha256", "pdq"):
        op.create_index(op.f(f"ix_case_items_{column}"), "case_items", [column])


def _people_and_words() -> None:
    op.create_table(
        "case_labels",
        sa.Column("id", RowId, nullable=False),
        sa.Column("case_id", sa.String(length=20), nullable=False),
        sa.Column("item_id", RowId),
        sa.Column("scheme", sa.String(length=60), nullable=False),
        sa.Column("version", sa.String(length=20), nullable=False),
        sa.Column("label", sa.String(length=60), nullable=False),
        sa.Column("set_at", Moment(), nullable=False),
        sa.Column("set_by", sa.String(length=100), nullable=False),
        sa.Column("removed_at", Moment()),
        sa.Column("removed_by", sa.String(length=100)),
        _of_case("case_labels"),
        _of_item("case_labels"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_labels")),
    )
    op.create_table(
        "case_notes",
        sa.Column("id", RowId, nullable=False),
        sa.Column("case_id", sa.String(length=20), nullable=False),
        sa.Column("written_at", Moment(), nullable=False),
        sa.Column("written_by", sa.String(length=100), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        _of_case("case_notes"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_notes")),
    )
    op.create_table(
        "case_decisions",
        sa.Column("id", RowId, nullable=False),
        sa.Column("case_id", sa.String(length=20), nullable=False),
        sa.Column("stage", sa.String(length=20), nullable=False),
        sa.Column("decision", sa.String(length=20), nullable=False),
        sa.Column("basis", sa.String(length=20), nullable=False),
        sa.Column("decided_at", Moment(), nullable=False),
        sa.Column("decided_by", sa.String(length=100), nullable=False),
        sa.Column("person", RowId),
        sa.Column("state_before", sa.String(length=20), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("second_look", sa.String(length=20)),
        sa.Column("undone_at", Moment()),
        _of_case("case_decisions"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_decisions")),
    )
    op.create_index("ix_case_decisions_person", "case_decisions", ["person", "decided_at"])
    op.create_index(op.f("ix_case_decisions_decided_at"), "case_decisions", ["decided_at"])
    op.create_table(
        "appeals",
        sa.Column("id", RowId, nullable=False),
        sa.Column("case_id", sa.String(length=20), nullable=False),
        sa.Column("received_at", Moment(), nullable=False),
        sa.Column("received_by", sa.String(length=100), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("decided_at", Moment()),
        sa.Column("decided_by", sa.String(length=100)),
        sa.Column("outcome", sa.String(length=20)),
        sa.Column("reason", sa.Text()),
        _of_case("appeals"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_appeals")),
    )
    for table in ("case_labels", "case_notes", "case_decisions", "appeals"):
        op.create_index(op.f(f"ix_{table}_case_id"), table, ["case_id"])


def _looks() -> None:
    op.create_table(
        "viewings",
        sa.Column("id", RowId, nullable=False),
        sa.Column("case_id", sa.String(length=20), nullable=False),
        sa.Column("item_id", RowId, nullable=False),
        sa.Column("evidence_id", sa.String(length=26), nullable=False),
        sa.Column("person", RowId, nullable=False),
        sa.Column("level", sa.String(length=20), nullable=False),
        sa.Column("reason", sa.String(length=60), nullable=False),
        sa.Column("began_at", Moment(), nullable=False),
        sa.Column("seconds", sa.Float()),
        _of_case("viewings"),
        _of_item("viewings"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_viewings")),
    )
    op.create_index("ix_viewings_person", "viewings", ["person", "began_at"])
    for column in ("case_id", "item_id"):
        op.create_index(op.f(f"ix_viewings_{column}"), "viewings", [column])


def _of_case(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["case_id"], ["cases.id"], name=op.f(f"fk_{table}_case_id_cases")
    )


def _of_item(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["item_id"], ["case_items.id"], name=op.f(f"fk_{table}_item_id_case_items")
    )
