"""The events of rooms, and the hub that delivers them to the rules of the domain and to its observers."""

import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from signaling.rooms.model import LeaveReason, Participant, Room, Track, Visitor
from signaling.rooms.permissions import Permissions

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RoomStarted:
    """A room was created."""

    room: Room


@dataclass(frozen=True, slots=True)
class RoomFinished:
    """A room is gone."""

    room: Room
    reason: LeaveReason = LeaveReason.ROOM_CLOSED
    "Why, as those who were in it are told."


@dataclass(frozen=True, slots=True)
class RoomChanged:
    """A room's metadata changed."""

    room: Room


@dataclass(frozen=True, slots=True)
class RoomVisited:
    """The first one comes for whom the room is; their own events follow."""

    room: Room


@dataclass(frozen=True, slots=True)
class ParticipantJoined:
    """Somebody is in the room and can be spoken to; media is not up yet."""

    participant: Participant


@dataclass(frozen=True, slots=True)
class ParticipantActive:
    """Somebody's media connection is up."""

    participant: Participant


@dataclass(frozen=True, slots=True)
class ParticipantChanged:
    """Something that others see changed: name, metadata, attributes, permissions, tracks."""

    participant: Participant
    to_self: bool
    "Whether the participant has to be told as well."


@dataclass(frozen=True, slots=True)
class PermissionsChanged:
    """Somebody may do more or less than before."""

    participant: Participant
    before: Permissions


@dataclass(frozen=True, slots=True)
class ParticipantMoved:
    """Somebody is in another room now, with the same tracks, and receives nothing of the old one any more."""

    participant: Participant
    origin: Room


@dataclass(frozen=True, slots=True)
class ParticipantLeft:
    """Somebody is gone; the last event about them."""

    participant: Participant
    reason: LeaveReason
    was_publisher: bool
    "Others could see a track of theirs."


@dataclass(frozen=True, slots=True)
class VisitorCame:
    """Somebody waits at the door of a room where people are."""

    room: Room
    visitor: Visitor


@dataclass(frozen=True, slots=True)
class VisitorGone:
    """Somebody does not wait any more: was answered, or went."""

    room: Room
    visitor: Visitor


@dataclass(frozen=True, slots=True)
class TrackPublished:
    """A track can be subscribed to; follows the `ParticipantChanged` that shows it."""

    participant: Participant
    track: Track


@dataclass(frozen=True, slots=True)
class TrackMuted:
    """Somebody else than its publisher muted a track, or unmuted it."""

    participant: Participant
    track: Track


@dataclass(frozen=True, slots=True)
class TrackUnpublished:
    """A track is gone."""

    participant: Participant
    track: Track
    by_server: bool
    "The server took it down; the publisher does not know yet."


@dataclass(frozen=True, slots=True)
class TrackSubscribed:
    """The first subscriber of a track receives it."""

    publisher: Participant
    track: Track


@dataclass(frozen=True, slots=True)
class DemandChanged:
    """Somebody began or ceased to receive a track, or wants another quality of it."""

    track_sid: str


@dataclass(frozen=True, slots=True)
class TrackDemanded:
    """All subscribers of a video track together want no more than this of it."""

    publisher: Participant
    track: Track
    spatial: int
    "Highest spatial layer; -1: nobody wants any."
    backup: int = -1
    "The same of the track in its backup codec."
    layers: frozenset[int] | None = None
    "Of a screen whose layers differ in rate alone: which of them anybody is sent; None: all up to `spatial`."


@dataclass(frozen=True, slots=True)
class DataTracksReceived:
    """A participant receives other data tracks than before, or asked which."""

    participant: Participant


@dataclass(frozen=True, slots=True)
class SubscriptionPermissionChanged:
    """A publisher began, or ceased, to allow somebody a track that they want."""

    subscriber: Participant
    track: Track
    allowed: bool


@dataclass(frozen=True, slots=True)
class SubscriptionFailed:
    """A wished track did not appear."""

    subscriber: Participant
    track_sid: str


@dataclass(frozen=True, slots=True)
class Message:
    """Data from an application, not from a participant."""

    payload: bytes
    "The application's."
    topic: str | None = None
    "The application's."
    identities: tuple[str, ...] = ()
    "For these participants;"
    sids: tuple[str, ...] = ()
    "and these; without either for everybody."
    reliable: bool = True
    "Repeated until it arrives."
    nonce: bytes = b""
    "By which clients recognise what they have had."


@dataclass(frozen=True, slots=True)
class DataSent:
    """An application sends data; skins bring it to those of the recipients whom they serve."""

    room: Room
    message: Message
    recipients: tuple[Participant, ...]


@dataclass(frozen=True, slots=True)
class SessionDataChanged:
    """What an application keeps with a room changed."""

    room: Room


RoomEvent = (
    RoomStarted
    | RoomFinished
    | RoomChanged
    | RoomVisited
    | ParticipantJoined
    | ParticipantActive
    | ParticipantChanged
    | PermissionsChanged
    | ParticipantMoved
    | ParticipantLeft
    | VisitorCame
    | VisitorGone
    | TrackPublished
    | TrackMuted
    | TrackUnpublished
    | TrackSubscribed
    | DemandChanged
    | TrackDemanded
    | DataTracksReceived
    | SubscriptionPermissionChanged
    | SubscriptionFailed
    | DataSent
    | SessionDataChanged
)


class EventHub:
    """Delivers each event to every listener, in one order that all listeners see.

    Delivery is first in, first out: an event that a listener emits waits until every listener has had the present
    one. The *rules* of the domain (publishing, subscribing, forwarding, demand) hear each event first, in the order of
    their registration; then the *observers* (front ends, journal, metrics), which change nothing in the domain.
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
        """Deliver an event; a listener that raises is logged, and neither the others nor the caller notice.

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
                log.exception("event %s was not handled", type(event).__name__)
