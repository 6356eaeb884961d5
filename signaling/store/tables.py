"""The tables after the newest migration; times are seconds since 1970, names have LiveKit's maximum length."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Double,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
)

metadata = MetaData()

_NAME = String(256)
_SID = String(64)
_URL = String(2048)

# SQLite increments automatically only columns of type INTEGER.
_NUMBER = BigInteger().with_variant(Integer, "sqlite")

rooms = Table(
    "rooms",
    metadata,
    Column("name", _NAME, primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("made_by", _NAME, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("settings", JSON, nullable=False),
    # For pages of an API key's rooms.
    Index("rooms_by_age", "kind", "made_by", "created_at", "name"),
)

sessions = Table(
    "sessions",
    metadata,
    Column("sid", _SID, primary_key=True),
    Column("room", _NAME, nullable=False),
    Column("started_at", Double, nullable=False),
    Column("ended_at", Double),
    # Id of the API key that created the room; empty: every key may see the meeting.
    Column("owner", _NAME, nullable=False, server_default=""),
    Index("sessions_by_room", "room", "started_at"),
    Index("sessions_by_start", "started_at"),
)

stays = Table(
    "stays",
    metadata,
    Column("session_sid", _SID, primary_key=True),
    Column("participant_sid", _SID, primary_key=True),
    Column("identity", _NAME, nullable=False),
    Column("name", _NAME, nullable=False),
    Column("joined_at", Double, nullable=False),
    Column("left_at", Double),
    Column("user_id", _NAME),
)

# The primary key prevents duplicate entries, whatever a writer does.
events = Table(
    "events",
    metadata,
    Column("session_sid", _SID, primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("kind", String(64), nullable=False),
    Column("data", JSON, nullable=False),
    Column("at", Double, nullable=False),
)

recordings = Table(
    "recordings",
    metadata,
    Column("id", _SID, primary_key=True),
    Column("room", _NAME, nullable=False),
    Column("session_sid", _SID, nullable=False),
    Column("status", String(32), nullable=False),
    Column("started_at", Double, nullable=False),
    Column("ended_at", Double),
    Column("details", JSON, nullable=False),
    Index("recordings_by_room", "room", "started_at"),
)

documents = Table(
    "documents",
    metadata,
    Column("namespace", _NAME, primary_key=True),
    Column("key", _NAME, primary_key=True),
    Column("value", JSON, nullable=False),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("key", _NAME, primary_key=True),
    Column("sealed_secret", Text, nullable=False),
    Column("note", _NAME, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("revoked_at", Double),
)

endpoints = Table(
    "endpoints",
    metadata,
    Column("id", _SID, primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("url", _URL, nullable=False),
    Column("room", _NAME, nullable=False),
    Column("settings", JSON, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("sealed", Text),
    Column("failures", Integer, nullable=False),
    Column("paused", Boolean, nullable=False),
    Column("last_at", Double),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("number", _NUMBER, primary_key=True, autoincrement=True),
    Column("endpoint_id", _SID, nullable=False),
    Column("resource", String(640), nullable=False),
    Column("event_id", _SID, nullable=False),
    Column("event", String(64), nullable=False),
    Column("body", Text, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_at", Double, nullable=False),
    # Finds the next delivery of each resource without reading the others.
    Index("deliveries_in_order", "endpoint_id", "resource", "number"),
)
