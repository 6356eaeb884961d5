"""Data tracks: streams of frames that participants publish and subscribe to like media, without the media engine.

Publishers and subscribers each number the tracks that they send and receive. A frame names its track by that number,
the handle, which is therefore rewritten for each subscriber.
"""

from collections.abc import Iterable, Iterator

from signaling.errors import (
    DuplicateHandleError,
    DuplicateNameError,
    InvalidHandleError,
    InvalidNameError,
    LimitError,
    NotAllowedError,
    NotFoundError,
)
from signaling.ids import DataTrackSid, ParticipantSid
from signaling.rooms.events import (
    DataTracksReceived,
    EventHub,
    ParticipantChanged,
    ParticipantLeft,
    ParticipantMoved,
    PermissionsChanged,
    RoomEvent,
)
from signaling.rooms.model import DataTrack, Participant, Room
from signaling.rooms.sids import DATA_TRACK_PREFIX, SidMaker

# A frame's header has 16 bits for the handle, and 0 is reserved. Name lengths are limited as LiveKit limits them.
MAX_HANDLE = 0xFFFF
MAX_NAME_LENGTH = 256
# Bounds memory; a robot has a few dozen sensors.
MAX_TRACKS = 1000


class DataTracks:
    """The published data tracks, and the handles under which subscribers receive them."""

    def __init__(self, hub: EventHub, new_sid: SidMaker) -> None:
        """Listen on the hub for departures and for changed permissions."""
        self._hub = hub
        self._new_sid = new_sid
        hub.rule(self._on_event)

    def publish(self, person: Participant, handle: int, name: str, frontend_info: object) -> DataTrack:
        """Announce a track to the room.

        NotAllowedError, LimitError, InvalidHandleError, InvalidNameError, DuplicateHandleError, DuplicateNameError.
        """
        if not person.permissions.can_publish_data:
            raise NotAllowedError("the token does not allow publishing data")
        if not 0 < handle <= MAX_HANDLE:
            raise InvalidHandleError(f"a handle must be 1 to {MAX_HANDLE}")
        if not 0 < len(name) <= MAX_NAME_LENGTH:
            raise InvalidNameError(f"a name must have 1 to {MAX_NAME_LENGTH} characters")
        if handle in person.data_tracks:
            raise DuplicateHandleError("this handle is already in use")
        if any(track.name == name for track in person.data_tracks.values()):
            raise DuplicateNameError("this name is already in use")
        if len(person.data_tracks) >= MAX_TRACKS:
            raise LimitError(f"{MAX_TRACKS} data tracks are already published")
        track = DataTrack(DataTrackSid(self._new_sid(DATA_TRACK_PREFIX)), handle, name, frontend_info)
        person.data_tracks[handle] = track
        self._changed(person)
        for other in tuple(person.room.participants.values()):
            self._receive_automatically(other, [track.sid])
        return track

    def unpublish(self, person: Participant, handle: int) -> DataTrack:
        """End a track. NotFoundError."""
        track = person.data_tracks.pop(handle, None)
        if track is None:
            raise NotFoundError("no such data track")
        self._drop(person.room, {track.sid})
        self._changed(person)
        return track

    def subscribe(self, person: Participant, wanted: dict[DataTrackSid, bool]) -> None:
        """Start or stop receiving tracks, by sid; tracks that do not exist or are not allowed are ignored."""
        state = person.subscriptions
        for sid, begin in wanted.items():
            if begin:
                state.data_declined.discard(sid)
                _begin(person, sid)
            elif _find(person, sid) is not None:
                state.data_declined.add(sid)
                state.data.pop(sid, None)
        self._hub.emit(DataTracksReceived(person))

    def start(self, person: Participant) -> None:
        """Begin with the tracks that are there, if the participant wants every one; it knows of them by now."""
        self._receive_automatically(
            person,
            [
                track.sid
                for publisher in person.room.participants.values()
                for track in publisher.data_tracks.values()
            ],
        )

    def _receive_automatically(self, person: Participant, sids: Iterable[DataTrackSid]) -> None:
        state = person.subscriptions
        if state.data_automatic:
            begun = [sid for sid in sids if sid not in state.data_declined and _begin(person, sid)]
            if begun:
                self._hub.emit(DataTracksReceived(person))

    def recipients(self, sender: Participant, handle: int) -> dict[int, list[ParticipantSid]]:
        """Return the recipients of a frame of the sender's track: sids by the handle that each recipient uses."""
        track = sender.data_tracks.get(handle)
        found: dict[int, list[ParticipantSid]] = {}
        if track is not None:
            for person in sender.room.participants.values():
                known = person.subscriptions.data.get(track.sid)
                if known is not None:
                    found.setdefault(known, []).append(person.sid)
        return found

    def _changed(self, person: Participant) -> None:
        person.version += 1
        self._hub.emit(ParticipantChanged(person, to_self=False))

    def _drop(self, room: Room, sids: set[DataTrackSid]) -> None:
        """Stop all participants of the room from receiving these tracks."""
        for person in tuple(room.participants.values()):
            person.subscriptions.data_declined -= sids
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
            if event.participant.permissions.hidden:
                self._drop(
                    event.participant.room, {track.sid for track in event.participant.data_tracks.values()}
                )
            self.start(event.participant)
            for other in tuple(event.participant.room.participants.values()):
                self._receive_automatically(
                    other, [track.sid for track in event.participant.data_tracks.values()]
                )


def _begin(person: Participant, sid: DataTrackSid) -> bool:
    """Give a track the next free handle of a participant; False if it has one, or may not be received."""
    received = person.subscriptions.data
    if sid in received or len(received) >= MAX_TRACKS or _find(person, sid) is None:
        return False
    taken = set(received.values())
    received[sid] = next(handle for handle in range(1, MAX_HANDLE) if handle not in taken)
    return True


def received_tracks(person: Participant) -> Iterator[tuple[int, Participant, DataTrack]]:
    """Yield (handle, publisher, track) for each track that a participant receives."""
    for sid, handle in person.subscriptions.data.items():
        found = _find(person, sid)
        if found is not None:
            yield handle, *found


def _find(person: Participant, sid: DataTrackSid) -> tuple[Participant, DataTrack] | None:
    """Return (publisher, track) of a track that a participant may receive."""
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
