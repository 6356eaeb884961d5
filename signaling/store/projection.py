"""Sessions and stays as they follow from the event log: worked out first, then written in few statements."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import bindparam, insert, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from signaling.model import USER_ID
from signaling.store.records import LogEntry
from signaling.store.tables import sessions, stays

Key = tuple[str, str]
"Session and participant."


@dataclass(slots=True)
class Changes:
    """What a batch of entries comes to."""

    begun: dict[str, dict[str, Any]] = field(default_factory=dict)
    "Rows of new sessions, by id."
    ended: dict[str, float] = field(default_factory=dict)
    "When sessions of before ended."
    arrived: dict[Key, dict[str, Any]] = field(default_factory=dict)
    "Rows of those who joined, or came by a move: they may have been there before."
    left: dict[Key, float] = field(default_factory=dict)
    "When those left who arrived before."


def fold(entries: Iterable[LogEntry]) -> Changes:
    """Return what entries, in their order, mean for sessions and stays."""
    changes = Changes()
    for entry in entries:
        step = _STEPS.get(entry.kind)
        if step is not None:
            step(changes, entry)
    return changes


async def write(connection: AsyncConnection, changes: Changes) -> None:
    """Write it in the caller's transaction."""
    if changes.begun:
        await connection.execute(insert(sessions), list(changes.begun.values()))
    if changes.ended:
        rows = [{"of": sid, "at": at} for sid, at in changes.ended.items()]
        await connection.execute(_END_SESSION, rows)
    if changes.arrived:
        await _write_arrivals(connection, changes.arrived)
    if changes.left:
        await connection.execute(_SET_LEFT, [_left_row(key, at) for key, at in changes.left.items()])


async def _write_arrivals(connection: AsyncConnection, arrived: Mapping[Key, dict[str, Any]]) -> None:
    # Who comes back by a move has been here under the same id: the stay goes on.
    place = tuple_(stays.c.session_sid, stays.c.participant_sid)
    query = select(stays.c.session_sid, stays.c.participant_sid).where(place.in_(arrived.keys()))
    known = {(row[0], row[1]) for row in await connection.execute(query)}
    new = [row for key, row in arrived.items() if key not in known]
    if new:
        await connection.execute(insert(stays), new)
    if known:
        back = [_left_row(key, row["left_at"]) for key, row in arrived.items() if key in known]
        await connection.execute(_SET_LEFT, back)


_END_SESSION = update(sessions).where(sessions.c.sid == bindparam("of")).values(ended_at=bindparam("at"))

_SET_LEFT = (
    update(stays)
    .where(stays.c.session_sid == bindparam("of"), stays.c.participant_sid == bindparam("who"))
    .values(left_at=bindparam("at"))
)


def _left_row(key: Key, at: float | None) -> dict[str, Any]:
    return {"of": key[0], "who": key[1], "at": at}


def _begin_session(changes: Changes, entry: LogEntry) -> None:
    changes.begun[entry.session_sid] = {
        "sid": entry.session_sid,
        "room": _text(entry.data["room"]["name"]),
        "owner": _text(entry.data["room"].get("owner", "")),
        "started_at": entry.at,
        "ended_at": None,
    }


def _end_session(changes: Changes, entry: LogEntry) -> None:
    begun = changes.begun.get(entry.session_sid)
    if begun is None:
        changes.ended[entry.session_sid] = entry.at
    else:
        begun["ended_at"] = entry.at


def _arrive(changes: Changes, entry: LogEntry) -> None:
    person, key = entry.data["participant"], _key(entry)
    changes.left.pop(key, None)
    row = {
        "session_sid": entry.session_sid,
        "participant_sid": person["sid"],
        "identity": _text(person["identity"]),
        "name": _text(person["name"]),
        "joined_at": entry.at,
        "left_at": None,
        "user_id": _text(person.get("attributes", {}).get(USER_ID, "")),
    }
    changes.arrived.setdefault(key, row)["left_at"] = None


def _leave(changes: Changes, entry: LogEntry) -> None:
    key = _key(entry)
    arrived = changes.arrived.get(key)
    if arrived is None:
        changes.left[key] = entry.at
    else:
        arrived["left_at"] = entry.at


_STEPS: Mapping[str, Callable[[Changes, LogEntry], None]] = {
    "room_started": _begin_session,
    "room_finished": _end_session,
    "participant_joined": _arrive,
    "participant_moved_in": _arrive,
    "participant_moved_out": _leave,
    "participant_left": _leave,
}


def _key(entry: LogEntry) -> Key:
    return entry.session_sid, entry.data["participant"]["sid"]


def _text(value: str) -> str:
    # PostgreSQL has no place for the first in a text, and nothing has one for half a surrogate pair.
    return value.replace("\0", "").encode(errors="replace").decode()
