"""Who somebody was to the application."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the column."""
    op.add_column("stays", sa.Column("user_id", sa.String(256)))
