"""When the house was restored is the ledger's to say: only the backup's moment is kept."""

from alembic import op

revision = "0030"
down_revision = "0029"


def upgrade() -> None:
    """Drop the column."""
    op.drop_column("house_restorations", "restored_at")
