"""The libraries of tutors."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

_ID = sa.String(128)


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "classroom_library",
        sa.Column("tenant", sa.String(256), primary_key=True),
        sa.Column("owner", _ID, primary_key=True),
        sa.Column("id", _ID, primary_key=True),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("data", sa.Text, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("changed_at", sa.Double, nullable=False),
    )
    op.create_index("classroom_library_by_age", "classroom_library", ["tenant", "owner", "created_at", "id"])
