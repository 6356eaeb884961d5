"""What a killed server left open: its sessions, and those who were in them, are ended at the next start.

By entries of the event log, like everything else: so sessions, stays and webhooks follow from them.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from signaling.errors import StoreError, UnstorableError
from signaling.model import LeaveReason
from signaling.store import LogEntry, SessionFilter, Store

log = logging.getLogger(__name__)

# A server that runs says so this often; what it left open ended so much after it was killed at most.
ALIVE_S = 15.0

# More sessions than a server can have at a time.
_MOST = 100_000

_PAGE = 1000

Append = Callable[[Sequence[LogEntry]], Awaitable[None]]


async def beat(
    store: Store, wall_clock: Callable[[], float], pause: Callable[[float], Awaitable[None]] = asyncio.sleep
) -> None:
    """Note that the server lives, again and again, until cancelled."""
    while True:
        await pause(ALIVE_S)
        try:
            await store.documents.put("server", "alive_at", wall_clock())
        except StoreError as error:
            log.warning("the server's sign of life is not written: %s", error)


async def end_abandoned(store: Store, append: Append) -> None:
    """End the sessions that are open, which are nobody's; needs to be the only server. StoreError."""
    alive_at = float(await store.documents.get("server", "alive_at") or 0.0)
    for session in await store.sessions.find(SessionFilter(ongoing=True), _MOST):
        log.warning("session %s of room %s was left open; it is ended", session.sid, session.room)
        try:
            await append(ending(await _read(store, session.sid), alive_at))
        except UnstorableError as error:
            log.error("session %s stays open: %s", session.sid, error)  # noqa: TRY400 - says all there is


async def _read(store: Store, session_sid: str) -> list[LogEntry]:
    entries: list[LogEntry] = []
    while page := await store.events.read(session_sid, after=len(entries), limit=_PAGE):
        entries += page
    return entries


def ending(entries: Sequence[LogEntry], alive_at: float) -> list[LogEntry]:
    """Return the entries that end a session, whose log is given: tracks, then people, then the room."""
    room: dict[str, Any] = {}
    people: dict[str, Any] = {}
    tracks: dict[str, dict[str, Any]] = {}
    for entry in entries:
        data = entry.data
        match entry.kind:
            case "room_started" | "room_changed" | "room_visited":
                room = data["room"]
            case "participant_joined" | "participant_active" | "participant_moved_in":
                people[data["participant"]["sid"]] = data["participant"]
            case "participant_left" | "participant_moved_out":
                people.pop(data["participant"]["sid"], None)
            case "track_published":
                tracks[data["track"]["sid"]] = dict(data)
            case "track_unpublished":
                tracks.pop(data["track"]["sid"], None)
    reason = LeaveReason.SERVER_SHUTDOWN.name
    nobody = {**room, "participants": 0, "publishers": 0}
    ends: list[tuple[str, dict[str, Any]]] = [
        ("track_unpublished", data) for data in tracks.values() if data["participant"]["sid"] in people
    ]
    ends += [
        ("participant_left", {"room": nobody, "participant": person, "reason": reason})
        for person in people.values()
    ]
    ends.append(("room_finished", {"room": nobody, "reason": reason}))
    last = entries[-1]
    at = max(last.at, alive_at)
    return [
        LogEntry(last.session_sid, last.seq + number, kind, data, at)
        for number, (kind, data) in enumerate(ends, 1)
    ]
