"""The files in tutors' libraries."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

_ID = sa.String(128)


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "classroom_library_files",
        sa.Column("tenant", sa.String(256), primary_key=True),
        sa.Column("owner", _ID, primary_key=True),
        sa.Column("id", _ID, primary_key=True),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("kind", sa.String(100), nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
    )
