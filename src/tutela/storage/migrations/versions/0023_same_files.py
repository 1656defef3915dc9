"""Items of a weak digest are told apart by their SHA-256 without reading their rows."""

from alembic import op

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    """Have the indexes hold both."""
    for weak in ("md5", "sha1"):
        op.drop_index(f"ix_case_items_{weak}", "case_items")
        op.create_index(f"ix_case_items_{weak}", "case_items", [weak, "sha256"])
