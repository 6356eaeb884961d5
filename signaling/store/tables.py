"""The tables. Times are seconds since 1970; names and ids are as long as LiveKit lets them be."""

from sqlalchemy import JSON, Column, Double, Index, Integer, MetaData, String, Table

metadata = MetaData()

_NAME = String(256)
_SID = String(64)

rooms = Table(
    "rooms",
    metadata,
    Column("name", _NAME, primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("made_by", _NAME, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("settings", JSON, nullable=False),
)

sessions = Table(
    "sessions",
    metadata,
    Column("sid", _SID, primary_key=True),
    Column("room", _NAME, nullable=False),
    Column("started_at", Double, nullable=False),
    Column("ended_at", Double),
    Index("sessions_by_room", "room", "started_at"),
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
)

# The primary key is what keeps the log without duplicates, whatever a writer does.
events = Table(
    "events",
    metadata,
    Column("session_sid", _SID, primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("kind", String(64), nullable=False),
    Column("data", JSON, nullable=False),
    Column("at", Double, nullable=False),
)

documents = Table(
    "documents",
    metadata,
    Column("namespace", _NAME, primary_key=True),
    Column("key", _NAME, primary_key=True),
    Column("value", JSON, nullable=False),
)
