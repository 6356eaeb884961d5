"""Whose room a session was of: its meetings stay with that API key when the room is deleted, or made by another."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add the column; rooms that are there tell the owners of what was."""
    op.add_column("sessions", sa.Column("owner", sa.String(256), nullable=False, server_default=""))
    op.execute(
        "UPDATE sessions SET owner = COALESCE("
        "(SELECT made_by FROM rooms WHERE rooms.name = sessions.room AND rooms.kind = 'daily'), '')"
    )
