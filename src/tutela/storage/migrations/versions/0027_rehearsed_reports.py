"""What went to a sandbox or a test system is not the one report that an authority has of a case."""

from alembic import op
from sqlalchemy import text

revision = "0027"
down_revision = "0026"

_FIRST_OF_ITS_CASE = text(
    "corrects IS NULL AND state <> 'discarded' AND (state <> 'sent' OR environment = 'live')"
)


def upgrade() -> None:
    """Make the index anew."""
    op.drop_index("ix_reports_one_a_case", "reports")
    op.create_index(
        "ix_reports_one_a_case",
        "reports",
        ["case_id", "authority"],
        unique=True,
        sqlite_where=_FIRST_OF_ITS_CASE,
        postgresql_where=_FIRST_OF_ITS_CASE,
    )
