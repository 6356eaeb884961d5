"""Connects sessions with their rooms: joins and departures in one direction, decisions about media in the other.

Joins, departures and lost signalling in the rooms become commands. Events of the session mute, change permissions, move
people between breakouts, remove them, and close the rooms.
"""

import asyncio
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from classroom.base import Command, Event
from classroom.errors import Refused
from classroom.features import breakouts, moderation, people, session, studio
from classroom.ids import PersonId, SessionId
from classroom.roles import Role, Standing
from classroom.state import Classroom
from signaling.errors import StoreError
from signaling.ids import Identity, TenantId
from signaling.rooms.events import ParticipantJoined, ParticipantLeft, RoomEvent, SignalLost, SignalRestored
from signaling.rooms.model import LeaveReason, Participant, Room
from signaling.rooms.permissions import Source
from signaling.rooms.services import Services
from signaling.teaching.grants import permissions_of
from signaling.teaching.live import Committed, LiveSession, unawaited
from signaling.teaching.names import person_of, room_name, session_of
from signaling.teaching.presence import Presence
from signaling.teaching.registry import Registry

log = logging.getLogger(__name__)

# The client left without notice: the connection is lost, and may be restored.
_LOST: Final = frozenset(
    {
        LeaveReason.SIGNAL_LOST,
        LeaveReason.MEDIA_LOST,
        LeaveReason.MEDIA_FAILED,
        LeaveReason.MEDIA_REFUSED,
        LeaveReason.JOIN_TIMEOUT,
        LeaveReason.STATE_MISMATCH,
        LeaveReason.PROTOCOL_ERROR,
        LeaveReason.FLOOD,
        LeaveReason.SIMULATED,
        # An old client reconnects by itself, in the other room.
        LeaveReason.MOVED,
    }
)
_SOURCES: Final[Mapping[moderation.Source, frozenset[Source]]] = {
    moderation.Source.MICROPHONE: frozenset({Source.MICROPHONE}),
    moderation.Source.CAMERA: frozenset({Source.CAMERA}),
    moderation.Source.SCREEN: frozenset({Source.SCREEN_SHARE, Source.SCREEN_SHARE_AUDIO}),
}

# Events that can change a person's permissions to send or receive.
_CHANGES_GRANTS: Final = (
    session.Updated,
    people.RoleChanged,
    people.Joined,
    moderation.Allowed,
    moderation.Spotlit,
    moderation.Pinned,
    moderation.Unpinned,
    studio.Switched,
)
_CHANGES_PLACES: Final = (
    breakouts.Opened,
    breakouts.Moved,
    breakouts.Shuffled,
    breakouts.Closed,
)
_OVER: Final = (session.Ended, session.Cancelled, session.Expired)
_CONCERNS_MEDIA: Final = (
    people.Left,
    people.Renamed,
    moderation.Muted,
    *_OVER,
    *_CHANGES_GRANTS,
    *_CHANGES_PLACES,
)


class MediaBridge:
    """Keeps the rooms of sessions and the sessions in step."""

    def __init__(self, services: Services, registry: Registry, presence: Presence) -> None:
        """Listen to both."""
        self._rooms = services.rooms
        self._publishing = services.publishing
        self._registry = registry
        self._presence = presence
        self._tenants: dict[SessionId, TenantId] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._reactions: dict[type, Callable[[Any], None]] = {
            ParticipantJoined: lambda event: self._on_joined(event.participant),
            ParticipantLeft: lambda event: self._on_left(event.participant, event.reason),
            SignalLost: lambda event: self._on_signal(event.participant, up=False),
            SignalRestored: lambda event: self._on_signal(event.participant, up=True),
        }
        services.hub.observe(self._on_room_event)
        registry.observe(self._on_commit)

    def admitted(self, live: LiveSession) -> None:
        """Record the tenant of a session: a token for its room was issued."""
        self._tenants[live.id] = live.tenant

    # --- from the rooms --------------------------------------------------------------------------

    def _on_room_event(self, event: RoomEvent) -> None:
        reaction = self._reactions.get(type(event))
        if reaction is not None:
            reaction(event)

    def live(self, participant: Participant) -> LiveSession | None:
        """Return the session of a participant of its rooms; None for others."""
        session_id = session_of(participant.room.name)
        if session_id is None or participant.is_dependent:
            return None
        tenant = self._tenants.get(session_id)
        return None if tenant is None else self._registry.session(tenant, session_id)

    def _on_joined(self, participant: Participant) -> None:
        session_id = session_of(participant.room.name)
        if session_id is None or participant.is_dependent:
            return
        live = self.live(participant)
        if live is not None:
            self._joined(live, participant)
            return
        # A client that reconnected after a restart, with its former token.
        task = asyncio.create_task(self._find(session_id, participant))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _find(self, session_id: SessionId, participant: Participant) -> None:
        try:
            tenant = await self._registry.store.tenant_of(session_id)
        except StoreError as error:
            log.error("session %s is not found, so nobody counts as present in it: %s", session_id, error)  # noqa: TRY400 - the cause is in the message
            return
        if participant.has_left:
            return
        if tenant is None:
            self._rooms.leave(participant, LeaveReason.REMOVED)
            return
        self._tenants[session_id] = tenant
        self._joined(self._registry.session(tenant, session_id), participant)

    def _joined(self, live: LiveSession, participant: Participant) -> None:
        person = person_of(participant)
        self._presence.linked(live, person, participant.sid)
        future = live.submit(
            lambda room, _now: _join(room, participant), lambda room, _events: _is_present(room, person)
        )
        future.add_done_callback(lambda done: self._after_join(live, participant, done))

    def _after_join(self, live: LiveSession, participant: Participant, done: Any) -> None:
        error = done.exception()
        if error is not None and not isinstance(error, Refused):
            log.error("somebody is in the room of session %s who is not in its log: %s", live.id, error)
            return
        if error is not None or not done.result():
            # Removed, banned, locked out, or put into the lobby since the token was issued.
            self._rooms.leave(participant, LeaveReason.REMOVED)
            return
        room = live.loaded
        if room is not None and not participant.has_left:
            self._rooms.set_permissions(participant, permissions_of(room, person_of(participant)))
            self._place(live, room, participant)

    def _on_left(self, participant: Participant, reason: LeaveReason) -> None:
        live = self.live(participant)
        if live is None:
            return
        person, sid = person_of(participant), participant.sid
        if reason is LeaveReason.SERVER_SHUTDOWN:
            return  # `recovery` reports it at the next start
        # A participant of the same identity replaces the other one: the person stays.
        if reason not in _LOST and reason is not LeaveReason.DUPLICATE_IDENTITY:
            live.submit(lambda room, _now: _leave(room, person)).add_done_callback(unawaited)
        self._presence.unlinked(live, person, sid)

    def _on_signal(self, participant: Participant, *, up: bool) -> None:
        live = self.live(participant)
        if live is not None:
            change = self._presence.linked if up else self._presence.unlinked
            change(live, person_of(participant), participant.sid)

    # --- from the session ------------------------------------------------------------------------

    def _on_commit(self, committed: Committed) -> None:
        live, room = committed.live, committed.live.loaded
        # Most commits are of chats, hands and the like, and need no search among the rooms.
        if room is None or not _has(committed.events, _CONCERNS_MEDIA):
            return
        for event in committed.events:
            self._carry_out(live, room, event)
        if _has(committed.events, _CHANGES_GRANTS):
            self._update_grants(live, room)
        if _has(committed.events, _CHANGES_PLACES):
            for participant in self._everybody(live):
                self._place(live, room, participant)

    def _carry_out(self, live: LiveSession, room: Classroom, event: Event) -> None:
        if isinstance(event, people.Left):
            self._take_out(live, event)
        elif isinstance(event, moderation.Muted):
            self._mute(live, room, event)
        elif isinstance(event, people.Renamed):
            for participant in self._named(live, event.person):
                self._rooms.update_profile(participant, name=event.name)
        elif isinstance(event, _OVER):
            for media_room in tuple(self._open_rooms(live)):
                self._rooms.close_room(media_room, LeaveReason.ROOM_DELETED)
            self._tenants.pop(live.id, None)

    def _take_out(self, live: LiveSession, event: people.Left) -> None:
        if event.reason is people.LeaveReason.REPLACED:
            return
        if event.reason in {people.LeaveReason.REMOVED, people.LeaveReason.BANNED}:
            for media_room in self._open_rooms(live):
                media_room.revoked[Identity(event.person)] = self._registry.wall_clock()
        lost = event.reason is people.LeaveReason.CONNECTION_LOST
        for participant in self._named(live, event.person):
            self._rooms.leave(participant, LeaveReason.SIGNAL_LOST if lost else LeaveReason.REMOVED)

    def _mute(self, live: LiveSession, room: Classroom, event: moderation.Muted) -> None:
        for participant in self._everybody(live):
            known = room.people.everyone.get(person_of(participant))
            meant = person_of(participant) == event.person or (
                not event.person and known is not None and known.role is Role.STUDENT
            )
            for track in tuple(participant.tracks.values()) if meant else ():
                if track.spec.source in _SOURCES[event.source] and not track.muted:
                    self._publishing.set_muted(participant, track.sid, True, by_server=True)

    def _update_grants(self, live: LiveSession, room: Classroom) -> None:
        for participant in self._everybody(live):
            self._rooms.set_permissions(participant, permissions_of(room, person_of(participant)))

    def _place(self, live: LiveSession, room: Classroom, participant: Participant) -> None:
        """Move a participant to the room that the session assigns."""
        wanted = room_name(live.id, breakouts.place(room, person_of(participant)))
        if participant.room.name != wanted and not participant.has_left:
            self._rooms.move(participant, self._rooms.open_room(wanted, participant.room.config))

    def _open_rooms(self, live: LiveSession) -> Iterator[Room]:
        return (room for room in self._rooms.rooms if session_of(room.name) == live.id)

    def _everybody(self, live: LiveSession) -> list[Participant]:
        return [
            participant
            for room in self._open_rooms(live)
            for participant in room.participants.values()
            if not participant.is_dependent
        ]

    def _named(self, live: LiveSession, person: PersonId) -> list[Participant]:
        return [participant for participant in self._everybody(live) if person_of(participant) == person]


def _has(events: Sequence[Event], kinds: tuple[type[Event], ...]) -> bool:
    return any(isinstance(event, kinds) for event in events)


def _join(room: Classroom, participant: Participant) -> Command | None:
    """Return the join of a person whose media connected before the session knew, or again later."""
    if _is_present(room, person_of(participant)):
        return None
    name = participant.name or participant.identity
    return people.Join(by=person_of(participant), name=name, visit=participant.sid, role=Role.STUDENT)


def _leave(room: Classroom, person: PersonId) -> Command | None:
    known = room.people.everyone.get(person)
    there = known is not None and known.standing in {Standing.PRESENT, Standing.WAITING}
    return people.Leave(by=person) if there else None


def _is_present(room: Classroom, person: PersonId) -> bool:
    known = room.people.everyone.get(person)
    return known is not None and known.standing is Standing.PRESENT
