"""Teaching sessions: event logs, snapshots, the index of sessions and of their people, answers of repeated calls."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

_TENANT = sa.String(256)
_ID = sa.String(128)


def upgrade() -> None:
    """Create the tables."""
    _logs()
    _index()


def _logs() -> None:
    op.create_table(
        "classroom_events",
        sa.Column("tenant", _TENANT, primary_key=True),
        sa.Column("log", sa.String(160), primary_key=True),
        sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("kind", sa.String(64), nullable=False),
        sa.Column("data", sa.Text, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
    )
    op.create_table(
        "classroom_snapshots",
        sa.Column("tenant", _TENANT, primary_key=True),
        sa.Column("log", sa.String(160), primary_key=True),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("data", sa.Text, nullable=False),
    )
    op.create_table(
        "classroom_answers",
        sa.Column("tenant", _TENANT, primary_key=True),
        sa.Column("caller", _ID, primary_key=True),
        sa.Column("key", _TENANT, primary_key=True),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("status", sa.Integer, nullable=False),
        sa.Column("headers", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
    )
    op.create_index("classroom_answers_by_age", "classroom_answers", ["created_at"])


def _index() -> None:
    op.create_table(
        "classroom_sessions",
        sa.Column("tenant", _TENANT, primary_key=True),
        sa.Column("id", _ID, primary_key=True),
        sa.Column("external_id", _ID, nullable=False),
        sa.Column("owner", _ID, nullable=False),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("phase", sa.String(16), nullable=False),
        sa.Column("code", sa.String(16), unique=True),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("starts_at", sa.Double),
        sa.Column("started_at", sa.Double),
        sa.Column("ended_at", sa.Double),
        sa.Column("due_at", sa.Double),
        sa.Column("present", sa.Integer, nullable=False),
        sa.Column("taught_s", sa.Double, nullable=False),
    )
    by_age = ["created_at", "id"]
    op.create_index("classroom_sessions_by_age", "classroom_sessions", ["tenant", *by_age])
    op.create_index("classroom_sessions_by_owner", "classroom_sessions", ["tenant", "owner", *by_age])
    op.create_index("classroom_sessions_by_external_id", "classroom_sessions", ["tenant", "external_id"])
    op.create_index("classroom_sessions_by_deadline", "classroom_sessions", ["due_at"])
    op.create_index("classroom_sessions_by_id", "classroom_sessions", ["id"], unique=True)
    op.create_table(
        "classroom_people",
        sa.Column("tenant", _TENANT, primary_key=True),
        sa.Column("session", _ID, primary_key=True),
        sa.Column("person", _ID, primary_key=True),
        sa.Column("role", sa.String(16), nullable=False),
    )
    op.create_index("classroom_people_by_person", "classroom_people", ["tenant", "person", "session"])
