"""The name of a banned person, so that a list of bans can be read by the tutor."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Add the column; bans of earlier releases have no name."""
    with op.batch_alter_table("classroom_bans") as table:
        table.add_column(sa.Column("name", sa.String(100), nullable=False, server_default=""))
