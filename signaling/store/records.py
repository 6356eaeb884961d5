"""What the store takes and gives: plain values. Times are seconds since 1970."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from signaling.store.entries import Entry, kind_of


@dataclass(frozen=True, slots=True)
class DurableRoom:
    """A room that an application made through an API, open or not."""

    name: str
    "Unique among all kinds."
    kind: str
    "The API that made it: livekit or daily."
    made_by: str
    "Id of the API key."
    created_at: float
    settings: Mapping[str, Any]
    "The API's own, as JSON."


@dataclass(frozen=True, slots=True)
class LogEntry:
    """An entry of the event log, with its place and its time."""

    session_sid: str
    "`RM_...`: one opening of a room."
    seq: int
    "1, 2, 3 ... in each session, without a gap."
    entry: Entry
    "What happened."
    at: float

    @property
    def kind(self) -> str:
        """Such as participant_joined."""
        return kind_of(self.entry)


@dataclass(frozen=True, slots=True)
class Session:
    """One opening of a room (Daily: a meeting)."""

    sid: str
    room: str
    started_at: float
    ended_at: float | None
    "None while it lasts."


@dataclass(frozen=True, slots=True)
class Stay:
    """Somebody's time in a session."""

    session_sid: str
    participant_sid: str
    identity: str
    name: str
    joined_at: float
    left_at: float | None
    "None while it lasts."
    user_id: str = ""
    "The application's user; empty when it named none."


@dataclass(frozen=True, slots=True)
class SessionFilter:
    """Which sessions are wanted; what is None matters not."""

    room: str | None = None
    "Name."
    started_from: float | None = None
    "Begun then or later."
    ended_until: float | None = None
    "Over by then."
    ongoing: bool | None = None
    "Not over yet; or over."
    sid: str | None = None
    "This very session."
    attended: bool = False
    "Somebody was there."
    visible_to: str | None = None
    "Of this API key's rooms, or of everybody's."


@dataclass(frozen=True, slots=True)
class Recording:
    """What was recorded of a session, or is being."""

    id: str
    "Unique."
    room: str
    "Name."
    session_sid: str
    "Whose."
    status: str
    "Such as in-progress, finished, failed."
    started_at: float
    ended_at: float | None
    "None while it goes on."
    details: Mapping[str, Any]
    "Tracks, files, sizes, as JSON."


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key of the server's APIs."""

    key: str
    "Its public name."
    note: str
    "What the operator calls it."
    created_at: float
    revoked_at: float | None = None
    "None while it is in force."


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where webhooks are sent to."""

    id: str
    "Unique among all kinds."
    kind: str
    "The API whose events it gets, and in whose form: livekit or daily."
    url: str
    "Of http or https."
    settings: Mapping[str, Any]
    "The API's own, as JSON."
    created_at: float
    room: str = ""
    "Name of the only room whose events it gets; empty: of all."
    failures: int = 0
    "Attempts without success since the last one with."
    paused: bool = False
    "Nothing is sent, or kept for it, until somebody ends this."
    last_at: float | None = None
    "The last success."
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    "What signs its webhooks; sealed in the database."


@dataclass(frozen=True, slots=True)
class NewDelivery:
    """A webhook for one endpoint, not stored yet."""

    endpoint_id: str
    resource: str
    "The participant, track or room it is about. Deliveries about one resource keep their order."
    event_id: str
    "The same in each attempt, so that receivers recognise a repetition."
    event: str
    "Such as participant_joined."
    body: str
    "As it is sent, to the byte."


@dataclass(frozen=True, slots=True)
class Delivery:
    """A stored webhook: delivered, or given up, some day."""

    number: int
    "Deliveries are in this order."
    content: NewDelivery
    created_at: float
    attempts: int
    "So far."


@dataclass(frozen=True, slots=True)
class SettledDelivery:
    """A delivery after an attempt."""

    delivery: Delivery
    delivered: bool
    "The receiver has it."
    retry_at: float | None = None
    "Else the time of the next attempt; None: the delivery is given up."
