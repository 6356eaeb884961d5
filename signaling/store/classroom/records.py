"""What the tables of teaching sessions hold, as plain values. Times are seconds since 1970."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from classroom.ids import PersonId, SessionId
from signaling.ids import TenantId


@dataclass(frozen=True, slots=True)
class LoggedEvent:
    """One event of a log."""

    seq: int
    "1, 2, 3 ... in each log, without a gap."
    kind: str
    "Such as `session.started`."
    data: bytes
    "The event as JSON."
    at: float


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The state after the first `seq` events of a log."""

    seq: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Timer:
    """When a part of a school next has something to do."""

    due_at: float | None
    "None: not by itself."


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A session's row in the index."""

    tenant: TenantId
    id: SessionId
    external_id: str
    owner: PersonId
    "Id of the tutor."
    title: str
    phase: str
    code: str | None
    "Join code; None once the session is over."
    seq: int
    "Number of the last event of its log."
    created_at: float
    starts_at: float | None
    started_at: float | None
    ended_at: float | None
    due_at: float | None
    "When its next deadline passes."
    present: int
    "People in the session or its lobby."
    taught_s: float
    "Time of the lesson without pauses, up to the last event."
    attended_s: float = 0.0
    "Time that all people together were there, up to the last event."


@dataclass(frozen=True, slots=True)
class Usage:
    """The sessions of one tutor that ended within some time."""

    owner: PersonId
    sessions: int
    taught_s: float
    attended_s: float


@dataclass(frozen=True, slots=True)
class SessionQuery:
    """Which sessions are wanted; None matches everything."""

    person: PersonId | None = None
    "A person who belongs to the session."
    owner: PersonId | None = None
    phases: tuple[str, ...] | None = None
    external_id: str | None = None
    starts_from: float | None = None
    starts_until: float | None = None
    before: tuple[float, SessionId] | None = None
    "Only sessions after this one (creation time and id) in the list, which begins with the newest."


@dataclass(frozen=True, slots=True)
class SavedAnswer:
    """The answer to a call that was made with an idempotency key."""

    fingerprint: str
    status: int
    body: str
    headers: Mapping[str, str] = field(default_factory=dict)
