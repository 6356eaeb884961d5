"""What signs an endpoint's webhooks, sealed."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the column."""
    op.add_column("endpoints", sa.Column("sealed", sa.Text))
