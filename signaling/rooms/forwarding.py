"""Forwarding: a participant's tracks appear in another room too, under the same identity (LiveKit: ForwardParticipant).

In the other room, a mirror represents the participant: it has no connection, copies the profile, permissions and
tracks of its source, and changes with them.
"""

from dataclasses import replace

from sfu.facade import MediaEngine
from signaling.errors import DuplicateIdentityError, UnsupportedError
from signaling.rooms.events import (
    EventHub,
    ParticipantChanged,
    ParticipantLeft,
    ParticipantMoved,
    RoomEvent,
    TrackPublished,
    TrackUnpublished,
)
from signaling.rooms.model import LeaveReason, Participant, Room, Track
from signaling.rooms.rooms import Rooms, forget_subscription


class Forwarding:
    """Creates mirrors and updates them when their sources change."""

    def __init__(self, rooms: Rooms, media: MediaEngine, hub: EventHub) -> None:
        """Listen for changes of sources and mirrors."""
        self._rooms = rooms
        self._media = media
        self._hub = hub
        hub.rule(self._on_event)

    def forward(self, person: Participant, room: Room) -> None:
        """Make a participant's tracks available in another room, created if needed; a repeated call has no effect.

        DuplicateIdentityError, UnsupportedError, BannedError, OutsideHoursError.
        """
        self._rooms.check_admission(room, person.identity, person.user_id)
        known = room.participants.get(person.identity)
        if known is not None and known.source is person:
            return
        if known is not None:
            raise DuplicateIdentityError("a participant with the same identity is in that room")
        if room.config.unique_users and any(
            other.user_id == person.user_id for other in room.participants.values()
        ):
            raise DuplicateIdentityError("a participant of the same user is in that room")
        if not self._media.forward_peer(person.sid, room.sid):
            raise UnsupportedError("the two rooms are on different media workers")
        self._follow(self._rooms.mirror(person, room))

    def _follow(self, mirror: Participant) -> None:
        """Copy the source's state to its mirror."""
        source = mirror.source
        assert source is not None
        before = mirror.tracks
        mirror.name, mirror.metadata = source.name, source.metadata
        mirror.attributes, mirror.permissions = dict(source.attributes), source.permissions
        mirror.tracks = {sid: _mirrored(track, mirror) for sid, track in source.tracks.items()}
        gone = [track for sid, track in before.items() if sid not in mirror.tracks]
        for track in gone:
            for other in mirror.room.participants.values():
                forget_subscription(other, track.sid)
        mirror.version += 1
        self._hub.emit(ParticipantChanged(mirror, to_self=False))
        for sid, track in mirror.tracks.items():
            if sid not in before:
                self._hub.emit(TrackPublished(mirror, track))
        for track in gone:
            self._hub.emit(TrackUnpublished(mirror, track, by_server=False))

    def _on_event(self, event: RoomEvent) -> None:
        if isinstance(event, ParticipantChanged):
            for mirror in tuple(event.participant.mirrors):
                self._follow(mirror)
        elif isinstance(event, ParticipantMoved):
            self._end(event.participant, LeaveReason.MOVED)
        elif isinstance(event, ParticipantLeft):
            self._end(event.participant, event.reason)
            source = event.participant.source
            if source is not None:
                source.mirrors.remove(event.participant)
                self._media.stop_forwarding(source.sid, event.participant.room.sid)

    def _end(self, source: Participant, reason: LeaveReason) -> None:
        for mirror in tuple(source.mirrors):
            self._rooms.leave(mirror, reason)


def _mirrored(track: Track, mirror: Participant) -> Track:
    return replace(track, publisher_sid=mirror.sid)
