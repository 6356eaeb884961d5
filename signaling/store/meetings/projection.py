"""Projection: meetings and attendance, derived from entries in memory and then written in few statements."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import bindparam, insert, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from signaling.rooms.model import USER_ID
from signaling.store.meetings import entries
from signaling.store.records import LogEntry
from signaling.store.tables import sessions, stays

Key = tuple[str, str]
"Sids of a meeting and a participant."


@dataclass(slots=True)
class Changes:
    """The effect of a batch of entries."""

    begun: dict[str, dict[str, Any]] = field(default_factory=dict)
    "Rows of new meetings, by sid."
    ended: dict[str, float] = field(default_factory=dict)
    "End times of earlier meetings, by sid."
    arrived: dict[Key, dict[str, Any]] = field(default_factory=dict)
    "Rows of participants who joined or were moved here; they may have been here before."
    left: dict[Key, float] = field(default_factory=dict)
    "Leave times of participants who joined in an earlier batch."


def fold(log: Iterable[LogEntry]) -> Changes:
    """Return the effect of entries, in order, on meetings and attendance."""
    changes = Changes()
    for each in log:
        step = _STEPS.get(type(each.entry))
        if step is not None:
            step(each.entry, each, changes)
    return changes


async def write(connection: AsyncConnection, changes: Changes) -> None:
    """Write changes in the caller's transaction."""
    if changes.begun:
        await connection.execute(insert(sessions), list(changes.begun.values()))
    if changes.ended:
        rows = [{"of": sid, "at": at} for sid, at in changes.ended.items()]
        await connection.execute(_END_SESSION, rows)
    if changes.arrived:
        await _write_arrivals(connection, changes.arrived)
    if changes.left:
        await connection.execute(_SET_LEFT, [_left_row(key, at) for key, at in changes.left.items()])
    if changes.ended:
        await connection.execute(_END_STAYS, [{"of": sid, "at": at} for sid, at in changes.ended.items()])


async def _write_arrivals(connection: AsyncConnection, arrived: Mapping[Key, dict[str, Any]]) -> None:
    # A participant who is moved back keeps its sid, so the earlier attendance continues.
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

# No attendance outlasts its meeting, even if the entry about the departure was refused or cannot be read: otherwise
# Daily's API would report a duration that keeps growing.
_END_STAYS = (
    update(stays)
    .where(stays.c.session_sid == bindparam("of"), stays.c.left_at.is_(None))
    .values(left_at=bindparam("at"))
)


def _left_row(key: Key, at: float | None) -> dict[str, Any]:
    return {"of": key[0], "who": key[1], "at": at}


def _begin_session(entry: entries.RoomStarted, place: LogEntry, changes: Changes) -> None:
    changes.begun[place.session_sid] = {
        "sid": place.session_sid,
        "room": _text(entry.room.name),
        "owner": _text(entry.room.owner),
        "started_at": place.at,
        "ended_at": None,
    }


def _end_session(_entry: entries.RoomFinished, place: LogEntry, changes: Changes) -> None:
    begun = changes.begun.get(place.session_sid)
    if begun is None:
        changes.ended[place.session_sid] = place.at
    else:
        begun["ended_at"] = place.at
    for (session_sid, _), stay in changes.arrived.items():
        if session_sid == place.session_sid and stay["left_at"] is None:
            stay["left_at"] = place.at


def _arrive(
    entry: entries.ParticipantJoined | entries.ParticipantMovedIn, place: LogEntry, changes: Changes
) -> None:
    person, key = entry.participant, (place.session_sid, entry.participant.sid)
    changes.left.pop(key, None)
    row = {
        "session_sid": place.session_sid,
        "participant_sid": person.sid,
        "identity": _text(person.identity),
        "name": _text(person.name),
        "joined_at": place.at,
        "left_at": None,
        "user_id": _text(person.attributes.get(USER_ID, "")),
    }
    changes.arrived.setdefault(key, row)["left_at"] = None


def _leave(
    entry: entries.ParticipantLeft | entries.ParticipantMovedOut, place: LogEntry, changes: Changes
) -> None:
    key = (place.session_sid, entry.participant.sid)
    arrived = changes.arrived.get(key)
    if arrived is None:
        changes.left[key] = place.at
    else:
        arrived["left_at"] = place.at


_STEPS: Mapping[type, Callable[[Any, LogEntry, Changes], None]] = dict(
    [
        entries.row(entries.RoomStarted, _begin_session),
        entries.row(entries.RoomFinished, _end_session),
        entries.row(entries.ParticipantJoined, _arrive),
        entries.row(entries.ParticipantMovedIn, _arrive),
        entries.row(entries.ParticipantMovedOut, _leave),
        entries.row(entries.ParticipantLeft, _leave),
    ]
)

# These change neither meetings nor attendance.
_WITHOUT_EFFECT = frozenset(
    {
        entries.RoomChanged,
        entries.RoomOccupied,
        entries.ParticipantActive,
        entries.VisitorArrived,
        entries.VisitorLeft,
        entries.TrackPublished,
        entries.TrackUnpublished,
        entries.Unstorable,
        entries.Unknown,
    }
)


def _text(value: str) -> str:
    # PostgreSQL cannot store U+0000 in a text, and no database can store half of a surrogate pair.
    return value.replace("\0", "").encode(errors="replace").decode()
