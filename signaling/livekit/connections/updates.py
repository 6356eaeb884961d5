"""Participant updates: which are sent at once, which wait, and what each client has seen already.

A room of N people that all change once costs N * N messages, so changes of those who publish nothing are sent
at once only while they are few, and together after that. LiveKit batches them always, for three seconds.
"""

from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass, field

from livekit.protocol.models import ParticipantInfo

from signaling.ids import Identity
from signaling.rooms.model import LeaveReason, Participant

# LiveKit's batching interval.
WINDOW_S = 3.0

# Changes of non-publishers that go out at once per window: a class of ordinary size never waits.
IMMEDIATE_PER_WINDOW = 10

# Ends that are repeated after a resume.
MAX_ENDED = 200

# Larger updates are cut, as LiveKit does.
MAX_UPDATE_BYTES = 128 * 1024


@dataclass(slots=True)
class UpdateBatch:
    """The waiting changes of one room; the caller calls `flush` at the end of each window."""

    _sent: int = 0
    _waiting: dict[Identity, tuple[Participant, LeaveReason | None]] = field(default_factory=dict)

    def add(self, person: Participant, reason: LeaveReason | None, *, urgent: bool) -> bool:
        """Return whether to send this change now; else it waits for the end of the window.

        A waiting change is replaced by a newer one of the same identity, even of another connection: clients
        take the new connection of an identity as the end of the old one.
        """
        if not urgent and self._sent >= IMMEDIATE_PER_WINDOW:
            self._waiting.pop(person.identity, None)
            self._waiting[person.identity] = (person, reason)
            return False
        if not urgent:
            self._sent += 1
        self._waiting.pop(person.identity, None)
        return True

    @property
    def is_open(self) -> bool:
        """Whether a window is needed."""
        return self._sent > 0

    def flush(self) -> list[tuple[Participant, LeaveReason | None]]:
        """End the window and return what waited for it, oldest first."""
        waiting = list(self._waiting.values())
        self._waiting.clear()
        # What is sent here counts for the next window, so that a busy room keeps one batch per window.
        self._sent = IMMEDIATE_PER_WINDOW if waiting else 0
        return waiting


@dataclass(slots=True)
class SeenVersions:
    """The newest version of each participant that one client was sent."""

    _seen: dict[str, tuple[int, str]] = field(default_factory=dict)
    "Version and identity by sid."
    _ended: dict[str, tuple[int, str]] = field(default_factory=dict)
    "Version and sid by identity, of those whose end was sent last."
    _due: set[str] = field(default_factory=set)
    "Sids of those whose state waits for its turn (`Connection.send_state`)."
    _stale: dict[str, tuple[int, str]] = field(default_factory=dict)
    "Version and sid by identity, of those whom a resumed client may know from its former WebSocket."

    def news(self, info: ParticipantInfo) -> bool:
        """Return whether to send this, and remember it. The end of somebody unknown is no news.

        A change of somebody whose state waits for its turn is no news either: that state will include the change.
        """
        if info.state == ParticipantInfo.DISCONNECTED:
            was_due = info.sid in self._due
            self._due.discard(info.sid)
            may_know = was_due and self._stale.pop(info.identity, None) is not None
            if self._seen.pop(info.sid, None) is None and not may_know:
                return False
            self._ended[info.identity] = (info.version, info.sid)
            if len(self._ended) > MAX_ENDED:
                del self._ended[next(iter(self._ended))]
            return True
        if info.sid in self._due:
            return False
        version, _ = self._seen.get(info.sid, (0, ""))
        if info.version <= version:
            return False
        self._seen[info.sid] = (info.version, info.identity)
        self._ended.pop(info.identity, None)
        self._stale.pop(info.identity, None)
        return True

    def await_turn(self, sids: Iterable[str]) -> None:
        """Note that the state of these participants is sent when its turn comes."""
        self._due.update(sids)

    def take_turn(self, sid: str) -> bool:
        """Return whether the state of a participant is still to be sent, now that its turn has come."""
        was_due = sid in self._due
        self._due.discard(sid)
        return was_due

    def start_over(self, present: Container[str]) -> list[ParticipantInfo]:
        """Take everything for news again, and return the ends that the client may have missed.

        `present` holds the identities in the room. What was sent to a WebSocket shortly before its end may be
        lost, so ends are repeated; for a client that knows of them they mean nothing.
        """
        known = dict(self._stale)
        known.update((identity, (version, sid)) for sid, (version, identity) in self._seen.items())
        known.update(self._ended)
        self._seen.clear()
        self._ended.clear()
        self._due.clear()
        self._stale = {identity: entry for identity, entry in known.items() if identity in present}
        return [
            ParticipantInfo(
                sid=sid, identity=identity, version=version + 1, state=ParticipantInfo.DISCONNECTED
            )
            for identity, (version, sid) in known.items()
            if identity not in present
        ]


def chunks(infos: Iterable[ParticipantInfo]) -> Iterator[list[ParticipantInfo]]:
    """Cut a list so that each part has at most `MAX_UPDATE_BYTES`, or a single entry."""
    part: list[ParticipantInfo] = []
    size = 0
    for info in infos:
        info_bytes = info.ByteSize()
        if part and size + info_bytes > MAX_UPDATE_BYTES:
            yield part
            part, size = [], 0
        part.append(info)
        size += info_bytes
    if part:
        yield part
