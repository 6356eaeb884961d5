"""Data tracks: streams of frames that participants publish and subscribe to like media, without an engine's help.

Publishers and subscribers each number the tracks that they send and receive; a frame names its track by that number,
the handle, so it is rewritten for each subscriber.
"""

from collections.abc import Iterator

from signaling.errors import (
    DuplicateHandleError,
    DuplicateNameError,
    InvalidHandleError,
    InvalidNameError,
    LimitError,
    NotAllowedError,
    NotFoundError,
)
from signaling.rooms.events import (
    DataTracksReceived,
    EventHub,
    ParticipantChanged,
    ParticipantLeft,
    ParticipantMoved,
    PermissionsChanged,
    RoomEvent,
)
from signaling.rooms.ids import DATA_TRACK_PREFIX, SidMaker
from signaling.rooms.model import DataTrack, Participant, Room

# 16 bits in a frame's header, of which 0 is none; names as LiveKit bounds them.
MAX_HANDLE = 0xFFFF
MAX_NAME_LENGTH = 256
# To bound memory; a robot has a few dozen sensors.
MAX_TRACKS = 1000


class DataTracks:
    """Who publishes which, and who receives it under which handle."""

    def __init__(self, hub: EventHub, new_sid: SidMaker) -> None:
        """Listen on the hub for those who leave and for permissions."""
        self._hub = hub
        self._new_sid = new_sid
        hub.rule(self._on_event)

    def publish(self, person: Participant, handle: int, name: str, skin_info: object) -> DataTrack:
        """Announce a track to the room.

        NotAllowedError, LimitError, InvalidHandleError, InvalidNameError, DuplicateHandleError, DuplicateNameError.
        """
        if not person.permissions.can_publish_data:
            raise NotAllowedError("the token does not allow to publish data")
        if not 0 < handle <= MAX_HANDLE:
            raise InvalidHandleError(f"a handle is 1 to {MAX_HANDLE}")
        if not 0 < len(name) <= MAX_NAME_LENGTH:
            raise InvalidNameError(f"a name has 1 to {MAX_NAME_LENGTH} characters")
        if handle in person.data_tracks:
            raise DuplicateHandleError("this handle is in use")
        if any(track.name == name for track in person.data_tracks.values()):
            raise DuplicateNameError("this name is in use")
        if len(person.data_tracks) >= MAX_TRACKS:
            raise LimitError(f"{MAX_TRACKS} data tracks are published already")
        track = DataTrack(self._new_sid(DATA_TRACK_PREFIX), handle, name, skin_info)
        person.data_tracks[handle] = track
        self._changed(person)
        return track

    def unpublish(self, person: Participant, handle: int) -> DataTrack:
        """End a track. NotFoundError."""
        track = person.data_tracks.pop(handle, None)
        if track is None:
            raise NotFoundError("no such data track")
        self._drop(person.room, {track.sid})
        self._changed(person)
        return track

    def subscribe(self, person: Participant, wanted: dict[str, bool]) -> None:
        """Begin or cease to receive tracks, by sid; what is not there, or not for this participant, is left out."""
        received = person.subscriptions.data
        for sid, begin in wanted.items():
            if not begin:
                received.pop(sid, None)
            elif sid not in received and len(received) < MAX_TRACKS and _find(person, sid) is not None:
                taken = set(received.values())
                received[sid] = next(handle for handle in range(1, MAX_HANDLE) if handle not in taken)
        self._hub.emit(DataTracksReceived(person))

    def recipients(self, sender: Participant, handle: int) -> dict[int, list[str]]:
        """Who gets a frame of the sender's track, as sids by the handle that they know it under."""
        track = sender.data_tracks.get(handle)
        found: dict[int, list[str]] = {}
        if track is not None:
            for person in sender.room.participants.values():
                known = person.subscriptions.data.get(track.sid)
                if known is not None:
                    found.setdefault(known, []).append(person.sid)
        return found

    def _changed(self, person: Participant) -> None:
        person.version += 1
        self._hub.emit(ParticipantChanged(person, to_self=False))

    def _drop(self, room: Room, sids: set[str]) -> None:
        """Let nobody in the room receive these tracks any longer."""
        for person in tuple(room.participants.values()):
            gone = sids & person.subscriptions.data.keys()
            for sid in gone:
                del person.subscriptions.data[sid]
            if gone:
                self._hub.emit(DataTracksReceived(person))

    def _on_event(self, event: RoomEvent) -> None:
        if isinstance(event, ParticipantLeft | ParticipantMoved):
            person = event.participant
            room = event.origin if isinstance(event, ParticipantMoved) else person.room
            self._drop(room, {track.sid for track in person.data_tracks.values()})
        if isinstance(event, ParticipantMoved | PermissionsChanged):
            received = event.participant.subscriptions.data
            gone = [sid for sid in received if _find(event.participant, sid) is None]
            for sid in gone:
                del received[sid]
            if gone:
                self._hub.emit(DataTracksReceived(event.participant))


def received_tracks(person: Participant) -> Iterator[tuple[int, Participant, DataTrack]]:
    """(handle, publisher, track) of what a participant receives."""
    for sid, handle in person.subscriptions.data.items():
        found = _find(person, sid)
        if found is not None:
            yield handle, *found


def _find(person: Participant, sid: str) -> tuple[Participant, DataTrack] | None:
    """(publisher, track) of a track that a participant may receive."""
    if not person.permissions.can_subscribe:
        return None
    return next(
        (
            (publisher, track)
            for publisher in person.room.participants.values()
            if publisher is not person and not publisher.permissions.hidden
            for track in publisher.data_tracks.values()
            if track.sid == sid
        ),
        None,
    )
