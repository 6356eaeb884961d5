"""An API key's rooms are paged by age: a school has tens of thousands after a few years."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the index."""
    op.create_index("rooms_by_age", "rooms", ["kind", "made_by", "created_at", "name"])
