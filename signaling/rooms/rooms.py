"""Rooms and their participants: joining, leaving, profiles, permissions and timeouts."""

import logging
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from sfu.facade import MediaEngine
from sfu.values import COMMON_TRAITS, Channel, ReceiverTraits
from signaling.errors import BannedError, LimitError, NotAllowedError, OutsideHoursError, RoomFullError
from signaling.ids import Identity, ParticipantSid, RoomName, RoomSid, TrackSid, UserId
from signaling.logs import about
from signaling.rooms.events import (
    EventHub,
    ParticipantActive,
    ParticipantChanged,
    ParticipantJoined,
    ParticipantLeft,
    ParticipantMoved,
    PermissionsChanged,
    RoomChanged,
    RoomFinished,
    RoomOccupied,
    RoomStarted,
    SignalLost,
    SignalRestored,
    TrackUnpublished,
)
from signaling.rooms.memory import MAX_CLOCK_LEAD_S, Memory
from signaling.rooms.model import (
    RESERVED_PREFIX,
    USER_ID,
    LeaveReason,
    Participant,
    ParticipantState,
    Room,
    RoomConfig,
    Subscriptions,
)
from signaling.rooms.permissions import Permissions, SubscriptionRules
from signaling.rooms.sids import PARTICIPANT_PREFIX, ROOM_PREFIX, SidMaker
from signaling.timers import Timers

log = logging.getLogger(__name__)

# LiveKit's limits; clients and applications rely on them.
MAX_NAME_CHARS = 256
MAX_METADATA_BYTES = 512 * 1024
MAX_ATTRIBUTES_BYTES = 64 * 1024

# Length of the detail in a line of the log: some of it comes from clients.
MAX_DETAIL_CHARS = 300

# LiveKit's value: a participant whose media does not connect within a minute is removed.
JOIN_TIMEOUT_S = 60.0


@dataclass(frozen=True, slots=True)
class JoinSpec:
    """An authorised participant who is about to join."""

    room_name: RoomName
    "The room is created if needed."
    identity: Identity
    "An existing participant with this identity is disconnected."
    name: str = ""
    "Display name."
    metadata: str = ""
    "Set by the application."
    attributes: Mapping[str, str] = field(default_factory=dict)
    "Set by the application."
    permissions: Permissions = field(default_factory=Permissions)
    "Permissions that the token grants."
    kind: str = "standard"
    "See `Participant.kind`."
    kind_details: tuple[str, ...] = ()
    "Details of `kind`."
    auto_subscribe: bool = False
    "Whether to receive every track without requesting it."
    auto_subscribe_data: bool = False
    "Receive every data track without asking."
    room_config: RoomConfig | None = None
    "For a room that this join creates."
    receiver: ReceiverTraits = COMMON_TRAITS
    "How the client's WebRTC stack receives."
    receiving_channels: tuple[Channel, ...] | None = None
    "Data channels of a second, downstream connection; None: one connection serves both directions."
    granted_at: float = math.inf
    "When `permissions` were granted, in seconds since 1970; changes made in the room since then override them."
    leaves_at: float | None = None
    "When the attendance ends, in seconds since 1970; None: the room's limits apply."
    frontend_info: object = None
    "See `Participant.frontend_info`."


def check_profile(name: str, metadata: str, attributes: Mapping[str, str]) -> None:
    """Raise LimitError if a profile is larger than allowed."""
    if len(name) > MAX_NAME_CHARS:
        raise LimitError(f"the name is longer than {MAX_NAME_CHARS} characters")
    if len(metadata.encode()) > MAX_METADATA_BYTES:
        raise LimitError(f"the metadata is larger than {MAX_METADATA_BYTES} bytes")
    if (
        sum(len(key.encode()) + len(value.encode()) for key, value in attributes.items())
        > MAX_ATTRIBUTES_BYTES
    ):
        raise LimitError(f"the attributes are larger than {MAX_ATTRIBUTES_BYTES} bytes")


def _user_id(attributes: Mapping[str, str], identity: Identity) -> UserId:
    return UserId(attributes.get(USER_ID, identity))


def _replaced(room: Room, identity: Identity, user_id: UserId) -> list[Participant]:
    return [
        person
        for person in room.participants.values()
        if person.identity == identity or (room.config.unique_users and person.user_id == user_id)
    ]


def _current_permissions(room: Room, spec: JoinSpec) -> Permissions:
    changed_at, permissions = room.changed_permissions.get(spec.identity, (-math.inf, spec.permissions))
    return permissions if spec.granted_at < changed_at else spec.permissions


def check_own_attributes(attributes: Iterable[str]) -> None:
    """Raise NotAllowedError if an attribute that a participant sets is reserved for the server."""
    if any(name.startswith(RESERVED_PREFIX) for name in attributes):
        raise NotAllowedError(f"attributes that begin with {RESERVED_PREFIX} are reserved for the server")


@dataclass(frozen=True, slots=True)
class _Demotions:
    """The part of a closed room that outlives it: see `Room` for both fields."""

    revoked: dict[Identity, float]
    changed_permissions: dict[Identity, tuple[float, Permissions]]


class Rooms:
    """All rooms of this process, by name; the only code that adds participants to rooms and removes them."""

    def __init__(
        self,
        media: MediaEngine,
        hub: EventHub,
        timers: Timers,
        wall_clock: Callable[[], float],
        new_sid: SidMaker,
    ) -> None:
        """`wall_clock` returns seconds since 1970, for times that people see; deadlines use the timers."""
        self._media = media
        self._hub = hub
        self._timers = timers
        self._wall_clock = wall_clock
        self._new_sid = new_sid
        self._rooms: dict[RoomName, Room] = {}
        self._people: dict[ParticipantSid, Participant] = {}
        self._sent_out: Memory[str, None] = Memory()
        self._fast_clocks: Memory[str, None] = Memory()
        self._closed: Memory[str, _Demotions] = Memory()

    @property
    def rooms(self) -> tuple[Room, ...]:
        """All open rooms."""
        return tuple(self._rooms.values())

    def room(self, name: RoomName) -> Room | None:
        """Return an open room by name, None if there is none."""
        return self._rooms.get(name)

    def room_by_sid(self, sid: RoomSid) -> Room | None:
        """Return an open room by sid, None if there is none."""
        return next((room for room in self._rooms.values() if room.sid == sid), None)

    def participant(self, sid: ParticipantSid) -> Participant | None:
        """Return a participant of any open room, None if there is none."""
        return self._people.get(sid)

    def check_entry(self, room_name: RoomName, identity: Identity, attributes: Mapping[str, str]) -> None:
        """Raise when a join with this identity and these attributes would be refused.

        RoomFullError, BannedError, OutsideHoursError.
        """
        room = self._rooms.get(room_name)
        if room is None:
            self._check_not_sent_out(identity)
            return
        self.check_admission(room, identity, _user_id(attributes, identity))
        if not room.config.max_participants:
            return
        taken = self.taken(room_name, identity, _user_id(attributes, identity))
        if taken >= room.config.max_participants:
            raise RoomFullError(f"the room is full: it has {taken} participants")

    def check_admission(self, room: Room, identity: Identity, user_id: UserId) -> None:
        """Raise BannedError or OutsideHoursError when somebody may not enter this room, even if there is a place."""
        self._check_not_sent_out(identity)
        if not room.banned.isdisjoint({identity, user_id}):
            raise BannedError("you were removed from this room")
        self.check_hours(room.config)

    def check_hours(self, config: RoomConfig) -> None:
        """Raise OutsideHoursError when nobody may enter a room that behaves like this now."""
        now = self._wall_clock()
        if config.opens_at is not None and now < config.opens_at:
            raise OutsideHoursError("this room is not open yet")
        if config.closes_at is not None and now >= config.closes_at:
            raise OutsideHoursError("this room is not open any more")

    def _check_not_sent_out(self, identity: Identity) -> None:
        if self._sent_out.has(identity, self._wall_clock()):
            raise BannedError("you were removed from this room")

    def refuse_again(self, identity: Identity) -> None:
        """Refuse every further join with this identity: it names one attendance, whose tokens become invalid."""
        self._sent_out.put(identity, None, self._wall_clock())

    def note_token(self, issuer: str, valid_from: float) -> None:
        """Note when a token of an API key says that it was made, in seconds since 1970; see `granted_at`."""
        now = self._wall_clock()
        if valid_from > now:
            self._fast_clocks.put(issuer, None, now)

    def granted_at(self, issuer: str, valid_from: float) -> float:
        """Return when a token was made at the earliest, in seconds since 1970.

        An application's clock may be ahead, and then a token seems to be newer than what took a right from its bearer.
        If any token of the same API key was from the future within the last hour, each of them may be as much older as
        a clock may be ahead.
        """
        self.note_token(issuer, valid_from)
        is_fast = self._fast_clocks.has(issuer, self._wall_clock())
        return valid_from - MAX_CLOCK_LEAD_S if is_fast else valid_from

    def revoked_at(self, room_name: RoomName, identity: Identity) -> float:
        """Return the time before which issued tokens do not admit this identity, in seconds since 1970; 0: none."""
        room = self._rooms.get(room_name)
        if room is not None:
            return room.revoked.get(identity, 0.0)
        before = self._closed.get(room_name, self._wall_clock())
        return 0.0 if before is None else before.revoked.get(identity, 0.0)

    def taken(self, room_name: RoomName, identity: Identity, user_id: UserId) -> int:
        """Return how many places of a room other participants would take if this user joined."""
        room = self._rooms.get(room_name)
        if room is None:
            return 0
        replaced = _replaced(room, identity, user_id)
        return sum(
            not person.is_dependent and person not in replaced for person in room.participants.values()
        )

    def open_room(self, name: RoomName, config: RoomConfig | None = None) -> Room:
        """Return the room of this name, created with `config` if needed. LimitError."""
        room = self._rooms.get(name)
        if room is None:
            config = config or RoomConfig()
            check_profile("", config.metadata, {})
            room = Room(
                RoomSid(self._new_sid(ROOM_PREFIX)),
                name,
                config,
                self._wall_clock(),
                metadata=config.metadata,
            )
            before = self._closed.get(name, self._wall_clock())
            if before is not None:
                # The room may have been empty for a moment; that does not make older tokens grant more.
                room.revoked, room.changed_permissions = before.revoked, before.changed_permissions
            self._rooms[name] = room
            self._watch(room)
            self._hub.emit(RoomStarted(room))
        return room

    def join(self, spec: JoinSpec) -> Participant:
        """Put somebody into a room, which ends an older session of the same identity.

        RoomFullError, BannedError, OutsideHoursError.

        The front end has to reply to the participant and then start its subscriptions.
        """
        self.check_entry(spec.room_name, spec.identity, spec.attributes)
        if spec.room_config is not None and spec.room_name not in self._rooms:
            self.check_hours(spec.room_config)
        room = self.open_room(spec.room_name, spec.room_config)
        for older in _replaced(room, spec.identity, _user_id(spec.attributes, spec.identity)):
            self.leave(older, LeaveReason.DUPLICATE_IDENTITY, f"{spec.identity} joined")
        now = self._wall_clock()
        person = Participant(
            sid=ParticipantSid(self._new_sid(PARTICIPANT_PREFIX)),
            identity=spec.identity,
            room=room,
            name=spec.name,
            metadata=spec.metadata,
            attributes=dict(spec.attributes),
            permissions=_current_permissions(room, spec),
            joined_at=now,
            kind=spec.kind,
            kind_details=spec.kind_details,
            has_own_limit=spec.leaves_at is not None,
            frontend_info=spec.frontend_info,
            state=ParticipantState.JOINED,
        )
        person.subscriptions.automatic = spec.auto_subscribe
        person.subscriptions.data_automatic = spec.auto_subscribe_data
        room.enter(person)
        self._note_visit(person)
        self._people[person.sid] = person
        self._media.open_peer(
            person.sid,
            room.sid,
            dual=spec.receiving_channels is not None,
            channels=spec.receiving_channels or (),
            traits=spec.receiver,
        )
        self._watch(room)
        self._timers.set(
            person.sid, "join", JOIN_TIMEOUT_S, lambda: self.leave(person, LeaveReason.JOIN_TIMEOUT)
        )
        self._limit_attendance(
            person, room.config.leaves_at(now) if spec.leaves_at is None else spec.leaves_at
        )
        log.info("joined", extra=about(person))
        self._hub.emit(ParticipantJoined(person))
        return person

    def mirror(self, source: Participant, room: Room) -> Participant:
        """Represent a participant in another room, without tracks at first; see `signaling.rooms.forwarding`."""
        now = self._wall_clock()
        person = Participant(
            sid=ParticipantSid(self._new_sid(PARTICIPANT_PREFIX)),
            identity=source.identity,
            room=room,
            name=source.name,
            metadata=source.metadata,
            attributes=dict(source.attributes),
            permissions=source.permissions,
            joined_at=now,
            connected_at=now,
            kind=source.kind,
            kind_details=("forwarded",),
            frontend_info=source.frontend_info,
            state=ParticipantState.ACTIVE,
            source=source,
        )
        source.mirrors.append(person)
        room.enter(person)
        self._people[person.sid] = person
        self._limit_attendance(person, room.config.leaves_at(now))
        self._hub.emit(ParticipantJoined(person))
        self._hub.emit(ParticipantActive(person))
        return person

    def connected(self, participant_sid: ParticipantSid) -> None:
        """Record that a participant's media connection is established."""
        person = self._people.get(participant_sid)
        if person is None or person.state is not ParticipantState.JOINED:
            return
        self._timers.cancel(person.sid, "join")
        person.state = ParticipantState.ACTIVE
        person.connected_at = self._wall_clock()
        person.version += 1
        self._hub.emit(ParticipantActive(person))

    def move(self, person: Participant, destination: Room) -> None:
        """Take somebody with their tracks to another open room, by its rules.

        RoomFullError, BannedError, OutsideHoursError. Wishes for tracks stay behind; what arrives there by
        itself depends on how the participant joined.
        """
        self.check_entry(destination.name, person.identity, person.attributes)
        origin = person.room
        if destination is origin:
            return
        for older in _replaced(destination, person.identity, person.user_id):
            self.leave(older, LeaveReason.DUPLICATE_IDENTITY)
        del origin.participants[person.identity]
        for other in origin.participants.values():
            for track_sid in person.tracks:
                forget_subscription(other, track_sid)
        before = person.subscriptions
        person.subscriptions = Subscriptions(automatic=before.automatic, data_automatic=before.data_automatic)
        person.rules = SubscriptionRules()
        person.room = destination
        person.version += 1
        destination.enter(person)
        self._note_visit(person)
        self._media.move_peer(person.sid, destination.sid)
        if not person.has_own_limit:
            self._limit_attendance(person, destination.config.leaves_at(self._wall_clock()))
        self._hub.emit(ParticipantMoved(person, origin))
        self._take_permissions_along(person, origin)
        self._watch(origin)
        self._watch(destination)

    def _take_permissions_along(self, person: Participant, origin: Room) -> None:
        """Apply what was changed last of somebody's permissions, here or in the room that they came from."""
        never = (-math.inf, person.permissions)
        brought = origin.changed_permissions.get(person.identity, never)
        here = person.room.changed_permissions.get(person.identity, never)
        if here[0] > brought[0]:
            self.set_permissions(person, here[1])
        elif brought is not never:
            person.room.changed_permissions[person.identity] = brought

    def _limit_attendance(self, person: Participant, leaves_at: float | None) -> None:
        person.leaves_at = leaves_at
        self._timers.cancel(person.sid, "attendance")
        if leaves_at is not None:
            attendance_s = max(leaves_at - self._wall_clock(), 0.0)
            self._timers.set(
                person.sid, "attendance", attendance_s, lambda: self.leave(person, LeaveReason.TIME_UP)
            )

    def leave(self, person: Participant, reason: LeaveReason, detail: str = "") -> None:
        """Remove a participant from its room; a repeated call has no effect.

        `detail` is for the log, where one line must explain the removal: who asked for it, or what was wrong.
        """
        if person.has_left:
            return
        log.info(
            "left: %s%s",
            reason.value,
            f" ({detail[:MAX_DETAIL_CHARS]})" if detail else "",
            extra=about(person),
        )
        room = person.room
        tracks = tuple(person.tracks.values())
        person.state = ParticipantState.DISCONNECTED
        person.version += 1
        person.tracks.clear()
        person.pending.clear()
        if room.participants.get(person.identity) is person:
            del room.participants[person.identity]
        self._people.pop(person.sid, None)
        self._timers.cancel_owner(person.sid)
        for other in room.participants.values():
            for track in tracks:
                forget_subscription(other, track.sid)
        if person.source is None:
            self._media.close_peer(person.sid)
        for track in tracks:
            self._hub.emit(TrackUnpublished(person, track, by_server=False))
        self._hub.emit(ParticipantLeft(person, reason, was_publisher=bool(tracks)))
        self._watch(room)

    def signal_changed(self, person: Participant, *, up: bool) -> None:
        """Report that somebody's signalling was cut, or is back."""
        if not person.has_left:
            self._hub.emit(SignalRestored(person) if up else SignalLost(person))

    def close_room(self, room: Room, reason: LeaveReason = LeaveReason.ROOM_CLOSED, detail: str = "") -> None:
        """End a room and remove its participants; `detail` as in `leave`."""
        if self._rooms.get(room.name) is not room:
            return
        for person in tuple(room.participants.values()):
            self.leave(person, reason, detail)
        del self._rooms[room.name]
        if room.revoked or room.changed_permissions:
            self._closed.put(
                room.name, _Demotions(room.revoked, room.changed_permissions), self._wall_clock()
            )
        self._timers.cancel_owner(room.sid)
        self._hub.emit(RoomFinished(room, reason))

    def update_profile(
        self,
        person: Participant,
        *,
        name: str | None = None,
        metadata: str | None = None,
        attributes: Mapping[str, str] | None = None,
    ) -> None:
        """Change the given fields; an attribute with an empty value is deleted. On LimitError nothing changes."""
        new_name = person.name if name is None else name
        new_metadata = person.metadata if metadata is None else metadata
        new_attributes = {
            key: value for key, value in {**person.attributes, **(attributes or {})}.items() if value
        }
        check_profile(new_name, new_metadata, new_attributes)
        if (new_name, new_metadata, new_attributes) == (person.name, person.metadata, person.attributes):
            return
        person.name, person.metadata, person.attributes = new_name, new_metadata, new_attributes
        person.version += 1
        self._hub.emit(ParticipantChanged(person, to_self=True))

    def configure(self, room: Room, config: RoomConfig) -> None:
        """Change the settings of an open room; the timeout of an empty room starts again."""
        room.config = config
        self._timers.cancel(room.sid, "empty")
        self._watch(room)

    def update_metadata(self, room: Room, metadata: str) -> None:
        """Change a room's metadata. LimitError."""
        check_profile("", metadata, {})
        if metadata != room.metadata:
            room.metadata = metadata
            self._hub.emit(RoomChanged(room))

    def show_recording(self, room: Room, *, recorded: bool) -> None:
        """Show to everybody in a room whether it is being recorded."""
        if room.recorded != recorded:
            room.recorded = recorded
            self._hub.emit(RoomChanged(room))

    def set_permissions(self, person: Participant, permissions: Permissions) -> None:
        """Change a participant's permissions; listeners of `PermissionsChanged` end what is no longer allowed."""
        if permissions == person.permissions:
            return
        person.room.changed_permissions[person.identity] = (self._wall_clock(), permissions)
        before, person.permissions = person.permissions, permissions
        person.version += 1
        self._hub.emit(PermissionsChanged(person, before))
        self._hub.emit(ParticipantChanged(person, to_self=True))

    def shut_down(self) -> None:
        """End every room because the server stops."""
        for room in self.rooms:
            self.close_room(room, LeaveReason.SERVER_SHUTDOWN)

    def _note_visit(self, person: Participant) -> None:
        room = person.room
        if room.visited_at is None and not person.is_dependent:
            room.visited_at = self._wall_clock()
            self._hub.emit(RoomOccupied(room))

    def _watch(self, room: Room) -> None:
        """Close a room after its timeout if only dependent participants, or none, are in it."""
        if any(not person.is_dependent for person in room.participants.values()):
            self._timers.cancel(room.sid, "empty")
        elif self._rooms.get(room.name) is room and not self._timers.is_set(room.sid, "empty"):
            config = room.config
            timeout_s = config.departure_timeout_s if room.visited_at is not None else config.empty_timeout_s
            self._timers.set(room.sid, "empty", timeout_s, lambda: self.close_room(room))


def forget_subscription(person: Participant, track_sid: TrackSid) -> None:
    """Delete all state of a subscription to a track that has ended, explicit requests too."""
    state = person.subscriptions
    state.subscribed.discard(track_sid)
    state.negotiated.discard(track_sid)
    state.codec_missing.discard(track_sid)
    state.refused.discard(track_sid)
    state.preferences.pop(track_sid, None)
    state.wanted.pop(track_sid, None)
