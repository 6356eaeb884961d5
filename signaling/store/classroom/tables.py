"""The tables of teaching sessions, as the newest migration leaves them; times are seconds since 1970.

Each row belongs to a tenant, and the tenant is the first column of each primary key.
"""

from sqlalchemy import BigInteger, Column, Double, Index, Integer, String, Table, Text

from signaling.store.tables import metadata

_TENANT = String(256)
_ID = String(128)

# One log for each session, and for each part of a school (`courses`, `office_hours/TUTOR`). The primary key refuses a
# second event with the same number: that is the optimistic lock of an append.
classroom_events = Table(
    "classroom_events",
    metadata,
    Column("tenant", _TENANT, primary_key=True),
    Column("log", String(160), primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("kind", String(64), nullable=False),
    Column("data", Text, nullable=False),
    Column("at", Double, nullable=False),
)

classroom_snapshots = Table(
    "classroom_snapshots",
    metadata,
    Column("tenant", _TENANT, primary_key=True),
    Column("log", String(160), primary_key=True),
    Column("seq", Integer, nullable=False),
    Column("data", Text, nullable=False),
)

# What can be asked about sessions without reading their logs; written in the transaction of the append.
classroom_sessions = Table(
    "classroom_sessions",
    metadata,
    Column("tenant", _TENANT, primary_key=True),
    Column("id", _ID, primary_key=True),
    Column("external_id", _ID, nullable=False),
    Column("owner", _ID, nullable=False),
    Column("title", String(200), nullable=False),
    Column("phase", String(16), nullable=False),
    # Null once the session is over: the code is free again.
    Column("code", String(16), unique=True),
    Column("seq", Integer, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("starts_at", Double),
    Column("started_at", Double),
    Column("ended_at", Double),
    # When the next deadline passes; null when there is none.
    Column("due_at", Double),
    # People in the session or its lobby.
    Column("present", Integer, nullable=False),
    Column("taught_s", Double, nullable=False),
    # Of all people together.
    Column("attended_s", Double, nullable=False, server_default="0"),
    Index("classroom_sessions_by_age", "tenant", "created_at", "id"),
    Index("classroom_sessions_by_owner", "tenant", "owner", "created_at", "id"),
    Index("classroom_sessions_by_external_id", "tenant", "external_id"),
    Index("classroom_sessions_by_deadline", "due_at"),
    # For usage by month.
    Index("classroom_sessions_by_end", "tenant", "ended_at"),
    Index("classroom_sessions_by_id", "id", unique=True),
)

classroom_people = Table(
    "classroom_people",
    metadata,
    Column("tenant", _TENANT, primary_key=True),
    Column("session", _ID, primary_key=True),
    Column("person", _ID, primary_key=True),
    Column("role", String(16), nullable=False),
    Index("classroom_people_by_person", "tenant", "person", "session"),
)

# Lasting bans: each excludes a person from all sessions of a tutor.
classroom_bans = Table(
    "classroom_bans",
    metadata,
    Column("tenant", _TENANT, primary_key=True),
    Column("owner", _ID, primary_key=True),
    Column("person", _ID, primary_key=True),
    # Where it happened.
    Column("session", _ID, nullable=False),
    Column("at", Double, nullable=False),
    # The person's name at that time.
    Column("name", String(100), nullable=False, server_default=""),
)

# The libraries of tutors: exercises, polls and sets of both.
classroom_library = Table(
    "classroom_library",
    metadata,
    Column("tenant", _TENANT, primary_key=True),
    Column("owner", _ID, primary_key=True),
    Column("id", _ID, primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("title", String(200), nullable=False),
    # Counts the changes, from 1.
    Column("version", Integer, nullable=False),
    Column("data", Text, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("changed_at", Double, nullable=False),
    Index("classroom_library_by_age", "tenant", "owner", "created_at", "id"),
)

classroom_library_files = Table(
    "classroom_library_files",
    metadata,
    Column("tenant", _TENANT, primary_key=True),
    Column("owner", _ID, primary_key=True),
    Column("id", _ID, primary_key=True),
    Column("name", String(200), nullable=False),
    Column("kind", String(100), nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("created_at", Double, nullable=False),
)

# When a part of a school next has something to do, such as a timetable with a reminder; see `due_at` of sessions.
classroom_timers = Table(
    "classroom_timers",
    metadata,
    Column("tenant", _TENANT, primary_key=True),
    Column("log", String(160), primary_key=True),
    Column("due_at", Double, nullable=False),
    Index("classroom_timers_by_time", "due_at"),
)

classroom_answers = Table(
    "classroom_answers",
    metadata,
    Column("tenant", _TENANT, primary_key=True),
    Column("caller", _ID, primary_key=True),
    Column("key", _TENANT, primary_key=True),
    # SHA-256 of method, path and body: the same key with another request is a fault of the caller.
    Column("fingerprint", String(64), nullable=False),
    Column("status", Integer, nullable=False),
    Column("headers", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("created_at", Double, nullable=False),
    Index("classroom_answers_by_age", "created_at"),
)
