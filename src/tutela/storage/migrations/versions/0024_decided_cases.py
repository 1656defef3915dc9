"""Confirmed cases are found in the order in which they were decided."""

from alembic import op

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    """Make the index."""
    op.create_index("ix_cases_decided", "cases", ["state", "decided_at"])
