"""Rooms, sessions, the event log, documents, keys, recordings and webhooks."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_NAME = sa.String(256)
_SID = sa.String(64)


def upgrade() -> None:
    """Make all tables."""
    _rooms_and_sessions()
    _keys_and_webhooks()


def _rooms_and_sessions() -> None:
    op.create_table(
        "rooms",
        sa.Column("name", _NAME, primary_key=True),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("made_by", _NAME, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("settings", sa.JSON, nullable=False),
    )
    op.create_table(
        "sessions",
        sa.Column("sid", _SID, primary_key=True),
        sa.Column("room", _NAME, nullable=False),
        sa.Column("started_at", sa.Double, nullable=False),
        sa.Column("ended_at", sa.Double),
    )
    op.create_index("sessions_by_room", "sessions", ["room", "started_at"])
    op.create_index("sessions_by_start", "sessions", ["started_at"])
    op.create_table(
        "stays",
        sa.Column("session_sid", _SID, primary_key=True),
        sa.Column("participant_sid", _SID, primary_key=True),
        sa.Column("identity", _NAME, nullable=False),
        sa.Column("name", _NAME, nullable=False),
        sa.Column("joined_at", sa.Double, nullable=False),
        sa.Column("left_at", sa.Double),
    )
    op.create_table(
        "events",
        sa.Column("session_sid", _SID, primary_key=True),
        sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("kind", sa.String(64), nullable=False),
        sa.Column("data", sa.JSON, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
    )
    op.create_table(
        "recordings",
        sa.Column("id", _SID, primary_key=True),
        sa.Column("room", _NAME, nullable=False),
        sa.Column("session_sid", _SID, nullable=False),
        sa.Column("status", sa.String(32), nullable=False),
        sa.Column("started_at", sa.Double, nullable=False),
        sa.Column("ended_at", sa.Double),
        sa.Column("details", sa.JSON, nullable=False),
    )
    op.create_index("recordings_by_room", "recordings", ["room", "started_at"])
    op.create_table(
        "documents",
        sa.Column("namespace", _NAME, primary_key=True),
        sa.Column("key", _NAME, primary_key=True),
        sa.Column("value", sa.JSON, nullable=False),
    )


def _keys_and_webhooks() -> None:
    op.create_table(
        "api_keys",
        sa.Column("key", _NAME, primary_key=True),
        sa.Column("sealed_secret", sa.Text, nullable=False),
        sa.Column("note", _NAME, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("revoked_at", sa.Double),
    )
    op.create_table(
        "endpoints",
        sa.Column("id", _SID, primary_key=True),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("url", sa.String(2048), nullable=False),
        sa.Column("room", _NAME, nullable=False),
        sa.Column("settings", sa.JSON, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("paused", sa.Boolean, nullable=False),
        sa.Column("last_at", sa.Double),
    )
    op.create_table(
        "deliveries",
        sa.Column(
            "number",
            sa.BigInteger().with_variant(sa.Integer, "sqlite"),
            primary_key=True,
            autoincrement=True,
        ),
        sa.Column("endpoint_id", _SID, nullable=False),
        sa.Column("resource", sa.String(640), nullable=False),
        sa.Column("event_id", _SID, nullable=False),
        sa.Column("event", sa.String(64), nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("next_at", sa.Double, nullable=False),
    )
    op.create_index("deliveries_in_order", "deliveries", ["endpoint_id", "resource", "number"])
