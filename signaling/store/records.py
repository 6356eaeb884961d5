"""The store's rows as plain values. Times are seconds since 1970."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sfu.values import RecordingId
from signaling.ids import Identity, ParticipantSid, RoomName, RoomSid, UserId
from signaling.store.meetings.entries import Entry, kind_of

ALL_ROOMS = RoomName("")
"In place of a room's name, where a webhook endpoint receives the events of all rooms."


@dataclass(frozen=True, slots=True)
class DurableRoom:
    """A room that an application created through an API, open or not."""

    name: RoomName
    "Unique among the rooms of all APIs."
    kind: str
    "The API that created it: livekit or daily."
    made_by: str
    "Id of the API key that created it."
    created_at: float
    settings: Mapping[str, Any]
    "Settings in the API's own form, as JSON."


@dataclass(frozen=True, slots=True)
class LogEntry:
    """An entry of the event log, with its meeting, number and time."""

    session_sid: RoomSid
    "`RM_...`: the meeting."
    seq: int
    "1, 2, 3 ... in each meeting, without a gap."
    entry: Entry
    "What happened."
    at: float

    @property
    def kind(self) -> str:
        """The entry's kind, such as participant_joined."""
        return kind_of(self.entry)


@dataclass(frozen=True, slots=True)
class Meeting:
    """A meeting: one opening of a room."""

    sid: RoomSid
    room: RoomName
    started_at: float
    ended_at: float | None
    "None while the meeting lasts."


@dataclass(frozen=True, slots=True)
class Attendance:
    """An attendance: one participant's time in one meeting."""

    session_sid: RoomSid
    participant_sid: ParticipantSid
    identity: Identity
    name: str
    joined_at: float
    left_at: float | None
    "None while the participant is present."
    user_id: UserId | None = None
    "The application's user; None if the application named none."


@dataclass(frozen=True, slots=True)
class MeetingFilter:
    """Conditions on meetings; None imposes no condition."""

    room: RoomName | None = None
    "Name of the room."
    started_from: float | None = None
    "Started at this time or later."
    ended_until: float | None = None
    "Ended at this time or earlier."
    ongoing: bool | None = None
    "True: not ended yet; False: ended."
    sid: RoomSid | None = None
    "The meeting with this sid."
    attended: bool = False
    "Whether the meeting must have had a participant."
    visible_to: str | None = None
    "Id of an API key; meetings of its own rooms and of rooms without an owner."


@dataclass(frozen=True, slots=True)
class Recording:
    """A recording of a meeting, finished or in progress."""

    id: RecordingId
    "Unique id."
    room: RoomName
    "Name of the room."
    session_sid: RoomSid
    "The recorded meeting."
    status: str
    "Such as in-progress, finished, failed."
    started_at: float
    ended_at: float | None
    "None while the recording lasts."
    details: Mapping[str, Any]
    "Tracks, files, sizes, as JSON."


class RecordingChange(StrEnum):
    """A change of a recording that webhooks report."""

    STARTED = "started"
    PAUSED = "paused"
    RESUMED = "resumed"
    STOPPING = "stopping"
    "It has been stopped, and the recorder is writing the end."
    ENDED = "ended"
    "Nothing more is recorded; its status says whether it finished or failed."
    OUTPUT_SETTLED = "output_settled"
    "The files that were requested with it exist, or cannot be made."
    EDITED = "edited"
    "Something that no webhook reports."
    DELETED = "deleted"


@dataclass(frozen=True, slots=True)
class RecordingFilter:
    """Conditions on recordings; None imposes no condition."""

    tenant: str
    "Whose they are: the `tenant` of their details."
    made_by: str
    "The API that started them: a key of their details."
    without_status: str
    room: RoomName | None = None
    older_than: Recording | None = None
    "Started before this one."
    newer_than: Recording | None = None
    "Started after this one."


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key of the server's APIs."""

    key: str
    "Public id of the key."
    note: str
    "The operator's note."
    created_at: float
    revoked_at: float | None = None
    "None while it is in force."


@dataclass(frozen=True, slots=True)
class WebhookEndpoint:
    """A webhook endpoint: a URL that receives webhooks."""

    id: str
    "Unique among the endpoints of all APIs."
    kind: str
    "The API whose events and format it receives: livekit or daily."
    url: str
    "http or https."
    settings: Mapping[str, Any]
    "Settings in the API's own form, as JSON."
    created_at: float
    room: RoomName = ALL_ROOMS
    "Name of the only room whose events it receives."
    failures: int = 0
    "Failed attempts since the last success."
    paused: bool = False
    "Nothing is sent to it or stored for it until the application ends the pause."
    last_at: float | None = None
    "Time of the last success."
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    "Secrets that sign its webhooks; encrypted in the database."


@dataclass(frozen=True, slots=True)
class NewDelivery:
    """A webhook for one endpoint that is not stored yet."""

    endpoint_id: str
    resource: str
    "The participant, track or room that it is about. Deliveries about one resource keep their order."
    event_id: str
    "The same in each attempt, so that receivers recognise repetitions."
    event: str
    "Such as participant_joined."
    body: str
    "The exact request body."


@dataclass(frozen=True, slots=True)
class Delivery:
    """A stored webhook, waiting to be delivered or given up."""

    number: int
    "Order of the deliveries."
    content: NewDelivery
    created_at: float
    attempts: int
    "Number of attempts so far."


@dataclass(frozen=True, slots=True)
class SettledDelivery:
    """A delivery after an attempt."""

    delivery: Delivery
    delivered: bool
    "Whether the receiver accepted it."
    retry_at: float | None = None
    "If not delivered: time of the next attempt; None: the delivery is given up."
