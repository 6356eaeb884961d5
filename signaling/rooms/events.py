"""The events of rooms, and the hub that delivers them to the domain's rules and to its observers."""

import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from signaling.ids import Identity, ParticipantSid, TrackSid
from signaling.rooms.model import LeaveReason, Participant, Room, Track, Visitor
from signaling.rooms.permissions import Permissions

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RoomStarted:
    """A room was created."""

    room: Room


@dataclass(frozen=True, slots=True)
class RoomFinished:
    """A room has ended."""

    room: Room
    reason: LeaveReason = LeaveReason.ROOM_CLOSED
    "Why, as reported to the participants who were in it."


@dataclass(frozen=True, slots=True)
class RoomChanged:
    """A room's metadata changed, or its recording began or ended."""

    room: Room


@dataclass(frozen=True, slots=True)
class RoomOccupied:
    """The first participant who counts towards occupancy is about to join."""

    room: Room


@dataclass(frozen=True, slots=True)
class ParticipantJoined:
    """A participant has joined and can be sent messages; media is not connected yet."""

    participant: Participant


@dataclass(frozen=True, slots=True)
class ParticipantActive:
    """A participant's media connection is established."""

    participant: Participant


@dataclass(frozen=True, slots=True)
class ParticipantChanged:
    """Something that others see has changed: name, metadata, attributes, permissions or tracks."""

    participant: Participant
    to_self: bool
    "Whether the participant has to be notified too."


@dataclass(frozen=True, slots=True)
class PermissionsChanged:
    """A participant's permissions have changed."""

    participant: Participant
    before: Permissions


@dataclass(frozen=True, slots=True)
class ParticipantMoved:
    """A participant is in another room now, with the same tracks, and receives nothing of the old room any more."""

    participant: Participant
    origin: Room


@dataclass(frozen=True, slots=True)
class ParticipantLeft:
    """A participant has left; the last event about the participant."""

    participant: Participant
    reason: LeaveReason
    was_publisher: bool
    "Others could see a track of the participant."


@dataclass(frozen=True, slots=True)
class SignalLost:
    """A participant's signalling was lost; media may still flow, and the client may reconnect."""

    participant: Participant


@dataclass(frozen=True, slots=True)
class SignalRestored:
    """Somebody's signalling is back."""

    participant: Participant


@dataclass(frozen=True, slots=True)
class VisitorArrived:
    """A visitor waits to be admitted to a room that has participants."""

    room: Room
    visitor: Visitor


@dataclass(frozen=True, slots=True)
class VisitorLeft:
    """A visitor no longer waits: the visitor was answered or gave up."""

    room: Room
    visitor: Visitor


@dataclass(frozen=True, slots=True)
class TrackPublished:
    """A track can be subscribed to; follows the `ParticipantChanged` that shows the track."""

    participant: Participant
    track: Track


@dataclass(frozen=True, slots=True)
class TrackMuted:
    """A track was muted or unmuted, but not by its publisher."""

    participant: Participant
    track: Track


@dataclass(frozen=True, slots=True)
class TrackUnpublished:
    """A track has ended."""

    participant: Participant
    track: Track
    by_server: bool
    "The server ended the track; the publisher has not been notified yet."


@dataclass(frozen=True, slots=True)
class TrackSubscribed:
    """The first subscriber of a track receives the track."""

    publisher: Participant
    track: Track


@dataclass(frozen=True, slots=True)
class SubscriptionChanged:
    """A participant began or ceased to receive a track that continues; `TrackUnpublished` reports its end."""

    subscriber: Participant
    publisher: Participant
    track: Track


@dataclass(frozen=True, slots=True)
class SubscriberRequestChanged:
    """A participant started or stopped receiving a track, or requests another quality of it."""

    track_sid: TrackSid


@dataclass(frozen=True, slots=True)
class DemandChanged:
    """The demand for a video track: all that its subscribers request together."""

    publisher: Participant
    track: Track
    spatial: int
    "Highest spatial layer requested; -1: none."
    backup: int = -1
    "Highest spatial layer requested of the backup codec."
    layers: frozenset[int] | None = None
    "For a screen whose layers differ in rate alone: the layers sent to any subscriber; None: all up to `spatial`."


@dataclass(frozen=True, slots=True)
class DataTracksReceived:
    """The data tracks that a participant receives have changed, or the participant asked for the list."""

    participant: Participant


@dataclass(frozen=True, slots=True)
class SubscriptionPermissionChanged:
    """A publisher has started or stopped allowing a participant to receive a track that the participant requests."""

    subscriber: Participant
    track: Track
    allowed: bool


class SubscriptionProblem(Enum):
    """Why a subscription failed."""

    TRACK_NOT_FOUND = "track not found"
    CODEC_UNSUPPORTED = "codec unsupported"


@dataclass(frozen=True, slots=True)
class SubscriptionFailed:
    """A requested track did not appear."""

    subscriber: Participant
    track_sid: TrackSid
    reason: SubscriptionProblem


@dataclass(frozen=True, slots=True)
class Message:
    """Data from an application, not from a participant."""

    payload: bytes
    "Set by the application."
    topic: str | None = None
    "Set by the application."
    identities: tuple[Identity, ...] = ()
    "Identities of recipients."
    sids: tuple[ParticipantSid, ...] = ()
    "Sids of further recipients; with neither list, all participants of the room receive the message."
    reliable: bool = True
    "Retransmitted until it arrives."
    nonce: bytes = b""
    "Lets clients recognise a message that they have already received."


@dataclass(frozen=True, slots=True)
class DataSent:
    """An application sends data; each front end delivers it to the recipients that the front end serves."""

    room: Room
    message: Message
    recipients: tuple[Participant, ...]


@dataclass(frozen=True, slots=True)
class Captioned:
    """A part of what a participant says, as text, for the participants who asked for captions."""

    speaker: Participant
    track_sid: TrackSid
    line: int
    "Number of the caption line; a later event of the same number replaces this one."
    text: str
    final: bool
    "The text will not change."
    recipients: tuple[Participant, ...]


@dataclass(frozen=True, slots=True)
class SessionDataChanged:
    """The data that an application stores with a room has changed."""

    room: Room


RoomEvent = (
    RoomStarted
    | RoomFinished
    | RoomChanged
    | RoomOccupied
    | ParticipantJoined
    | ParticipantActive
    | ParticipantChanged
    | PermissionsChanged
    | ParticipantMoved
    | ParticipantLeft
    | SignalLost
    | SignalRestored
    | VisitorArrived
    | VisitorLeft
    | TrackPublished
    | TrackMuted
    | TrackUnpublished
    | TrackSubscribed
    | SubscriptionChanged
    | SubscriberRequestChanged
    | DemandChanged
    | DataTracksReceived
    | SubscriptionPermissionChanged
    | SubscriptionFailed
    | DataSent
    | Captioned
    | SessionDataChanged
)


class EventHub:
    """Delivers each event to every listener, in one order that all listeners see.

    Delivery is first in, first out: an event that a listener emits waits until every listener has had the present
    one. The *rules* of the domain (publishing, subscribing, forwarding, demand) receive each event first, in the order
    of their registration; then the *observers* (front ends, journal, metrics), which change nothing in the domain.
    """

    def __init__(self) -> None:
        self._rules: list[Callable[[RoomEvent], None]] = []
        self._observers: list[Callable[[RoomEvent], None]] = []
        self._queue: deque[RoomEvent] = deque()
        self._delivering = False

    def rule(self, listener: Callable[[RoomEvent], None]) -> None:
        """Call `listener` with every event from now on, before all observers; it may change the domain and emit."""
        self._rules.append(listener)

    def observe(self, listener: Callable[[RoomEvent], None]) -> None:
        """Call `listener` with every event from now on, after all rules."""
        self._observers.append(listener)

    def emit(self, event: RoomEvent) -> None:
        """Deliver an event; if a listener raises, the error is logged, and the other listeners and the caller continue.

        When this returns, every listener has had the event, unless the caller is a listener itself.
        """
        self._queue.append(event)
        if self._delivering:
            return
        self._delivering = True
        try:
            while self._queue:
                self._deliver(self._queue.popleft())
        finally:
            self._delivering = False

    def _deliver(self, event: RoomEvent) -> None:
        for listener in (*self._rules, *self._observers):
            try:
                listener(event)
            except Exception:
                log.exception("a listener failed on the event %s", type(event).__name__)
