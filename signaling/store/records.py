"""What the store takes and gives: plain values. Times are seconds since 1970."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


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
    """One line of the event log."""

    session_sid: str
    "`RM_...`: one opening of a room."
    seq: int
    "1, 2, 3 ... in each session, without a gap."
    kind: str
    "Such as participant_joined."
    data: Mapping[str, Any]
    "What happened, as JSON."
    at: float


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
