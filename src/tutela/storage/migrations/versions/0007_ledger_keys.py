"""Which keys sign the ledger, so that a lost one is never replaced unnoticed."""

import sqlalchemy as sa
from alembic import op

from tutela.storage.schema import Moment

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Make the table. A key that signed before is entered when it is next used."""
    op.create_table(
        "ledger_keys",
        sa.Column("public", sa.LargeBinary(length=32), nullable=False),
        sa.Column("first_used_at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("public", name=op.f("pk_ledger_keys")),
    )
