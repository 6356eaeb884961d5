"""Publishing: a track from the request, over its media section in an offer, to its end."""

import logging
from collections.abc import Callable
from dataclasses import replace

from sfu.facade import MediaEngine
from sfu.values import PublicationBound, PublicationEnded, PublicationMuted, PublicationStarted
from signaling.errors import (
    DuplicateTrackError,
    LimitError,
    NotAllowedError,
    NotFoundError,
    UnsupportedError,
)
from signaling.ids import ParticipantSid, TrackSid
from signaling.logs import about
from signaling.rooms.events import (
    EventHub,
    ParticipantChanged,
    ParticipantLeft,
    PermissionsChanged,
    RoomEvent,
    TrackMuted,
    TrackPublished,
    TrackUnpublished,
)
from signaling.rooms.media import MediaEvents
from signaling.rooms.model import Participant, Track, TrackSpec
from signaling.rooms.rooms import Rooms, forget_subscription
from signaling.rooms.sids import SidMaker, track_prefix
from signaling.timers import Timers

log = logging.getLogger(__name__)

# LiveKit's limit on requested tracks without media.
MAX_PENDING_TRACKS = 20

# A client offers within a second of the reply; one that unpublishes before its offer does not notify the server.
PENDING_TIMEOUT_S = 60.0


class Publishing:
    """Keeps participants' tracks and the engine's publications consistent."""

    def __init__(
        self, rooms: Rooms, media: MediaEngine, hub: EventHub, timers: Timers, new_sid: SidMaker
    ) -> None:
        """Listen on the hub for withdrawn permissions."""
        self._rooms = rooms
        self._media = media
        self._hub = hub
        self._timers = timers
        self._new_sid = new_sid
        self._waiting: dict[ParticipantSid, list[tuple[str, Callable[[], None]]]] = {}
        hub.rule(self._on_event)

    def listen(self, media_events: MediaEvents) -> None:
        """Listen to the engine for media that starts or ends."""
        media_events.on(PublicationBound, self.bound)
        media_events.on(PublicationStarted, self.started)
        media_events.on(PublicationEnded, self.ended)
        media_events.on(PublicationMuted, self.flooded)

    def publish(self, person: Participant, spec: TrackSpec) -> Track:
        """Prepare to receive a track; others are notified once its media is negotiated.

        A requested track of the same name is replaced: its publisher changed the request before it offered.
        NotAllowedError, LimitError, DuplicateTrackError.
        """
        if not person.permissions.may_publish(spec.source):
            raise NotAllowedError(f"the token does not allow publishing {spec.source.value}")
        if any(track.spec.client_id == spec.client_id for track in person.tracks.values()):
            raise DuplicateTrackError("this track is already published")
        replaced = [sid for sid, track in person.pending.items() if track.spec.client_id == spec.client_id]
        if len(person.pending) - len(replaced) >= MAX_PENDING_TRACKS:
            raise LimitError(f"{MAX_PENDING_TRACKS} tracks are already waiting for their media")
        for track_sid in replaced:
            self._drop_pending(person, track_sid)
        sid = TrackSid(self._new_sid(track_prefix(spec.kind, spec.source)))
        track = Track.from_spec(sid, person.sid, spec)
        person.pending[sid] = track
        self._timers.set(
            person.sid, f"media {sid}", PENDING_TIMEOUT_S, lambda: self._drop_pending(person, sid)
        )
        self._media.publish(person.sid, spec.publication(sid, leading=bool(person.permissions.admin)))
        return track

    def publish_backup(self, person: Participant, track_sid: TrackSid, spec: TrackSpec) -> Track:
        """Prepare to receive a track in its backup codec too. NotFoundError, UnsupportedError."""
        track = self.own_track(person, track_sid)
        codec = track.spec.backup_codec
        if not codec:
            raise UnsupportedError("no backup codec was announced for this track")
        if track.backup_sid is not None:
            self._media.unpublish(person.sid, track.backup_sid)
        # `spec` describes the encodings but names the first codec
        backup = replace(spec, kind="video", source=track.spec.source, codec=codec, codec_only=True)
        backup_sid = TrackSid(f"{track_sid}~{codec}")
        track = replace(track, backup_sid=backup_sid)
        self._media.publish(
            person.sid,
            backup.publication(backup_sid, leading=bool(person.permissions.admin), backup_of=track_sid),
        )
        self.change(person, track)
        return track

    def bound(self, event: PublicationBound) -> None:
        """Show a track to the others, since its media has been negotiated."""
        self._media_seen(event.peer_id, event.publication_id, event.codec, event.mid)

    def started(self, event: PublicationStarted) -> None:
        """Record the codec that the publisher actually sends."""
        self._media_seen(event.peer_id, event.publication_id, event.codec, "")

    def ended(self, event: PublicationEnded) -> None:
        """End a track: LiveKit's clients end one by a media section without media, and in no other way."""
        person = self._rooms.participant(event.peer_id)
        if person is None:
            return
        if event.publication_id in {**person.tracks, **person.pending}:
            self.unpublish(person, event.publication_id)
        for track in own_tracks(person):
            if track.backup_sid == event.publication_id:
                self.change(person, replace(track, backup_sid=None))

    def when_ended(self, person: Participant, client_id: str, action: Callable[[], None]) -> None:
        """Call `action` once the participant's track of this name has ended. LimitError."""
        waiting = self._waiting.setdefault(person.sid, [])
        if len(waiting) >= MAX_PENDING_TRACKS:
            raise LimitError(f"{MAX_PENDING_TRACKS} tracks are already waiting for the end of others")
        waiting.append((client_id, action))

    def unpublish(self, person: Participant, track_sid: TrackSid, *, by_server: bool = False) -> None:
        """End a track. NotFoundError."""
        track = self.own_track(person, track_sid)
        if track_sid in person.pending:
            self._drop_pending(person, track_sid)
        else:
            self._media.unpublish(person.sid, track_sid)
            if track.backup_sid:
                self._media.unpublish(person.sid, track.backup_sid)
            del person.tracks[track_sid]
            for other in person.room.participants.values():
                forget_subscription(other, track_sid)
            person.version += 1
            self._hub.emit(ParticipantChanged(person, to_self=False))
        self._hub.emit(TrackUnpublished(person, track, by_server))
        self._run_waiting(person, track.spec.client_id)

    def set_muted(
        self, person: Participant, track_sid: TrackSid, muted: bool, *, by_server: bool = False
    ) -> None:
        """Mute or unmute a track for all subscribers. NotFoundError."""
        track = self.own_track(person, track_sid)
        self._media.set_muted(track_sid, muted)
        if track.backup_sid:
            self._media.set_muted(track.backup_sid, muted)
        self.change(person, replace(track, muted=muted))
        if by_server:
            self._hub.emit(TrackMuted(person, replace(track, muted=muted)))

    def flooded(self, event: PublicationMuted) -> None:
        """Show a track as muted after the engine muted it for exceeding a participant's limits."""
        person = self._rooms.participant(event.peer_id)
        tracks = {} if person is None else person.tracks | person.pending
        for track in tracks.values():
            if person is not None and event.publication_id in {track.sid, track.backup_sid}:
                log.warning("%s is muted: its media exceeds the limits", track.sid, extra=about(person))
                self.set_muted(person, track.sid, True, by_server=True)
                return

    def own_track(self, person: Participant, track_sid: TrackSid) -> Track:
        """Return a participant's track, announced or not. NotFoundError."""
        track = person.tracks.get(track_sid) or person.pending.get(track_sid)
        if track is None:
            raise NotFoundError(f"no such track: {track_sid[:64]}")
        return track

    def change(self, person: Participant, track: Track) -> None:
        """Replace a track by its changed version, and notify the others if they can see it."""
        if track.sid in person.pending:
            person.pending[track.sid] = track
        elif person.tracks.get(track.sid) not in (None, track):
            person.tracks[track.sid] = track
            person.version += 1
            self._hub.emit(ParticipantChanged(person, to_self=False))

    def _drop_pending(self, person: Participant, track_sid: TrackSid) -> None:
        if person.pending.pop(track_sid, None) is not None:
            self._timers.cancel(person.sid, f"media {track_sid}")
            self._media.unpublish(person.sid, track_sid)

    def _media_seen(self, participant_sid: ParticipantSid, track_sid: TrackSid, codec: str, mid: str) -> None:
        person = self._rooms.participant(participant_sid)
        if person is None:
            return
        pending = person.pending.pop(track_sid, None)
        if pending is not None:
            self._timers.cancel(person.sid, f"media {track_sid}")
            track = replace(pending, codec=codec or pending.codec, mid=mid or pending.mid)
            person.tracks[track_sid] = track
            person.version += 1
            # The order matters: a subscriber must know the track before its media section appears.
            self._hub.emit(ParticipantChanged(person, to_self=False))
            self._hub.emit(TrackPublished(person, track))
            return
        known = person.tracks.get(track_sid)
        if known is not None:
            self.change(person, replace(known, codec=codec or known.codec, mid=mid or known.mid))

    def _run_waiting(self, person: Participant, client_id: str) -> None:
        waiting = self._waiting.pop(person.sid, [])
        kept = [entry for entry in waiting if entry[0] != client_id]
        if kept:
            self._waiting[person.sid] = kept
        for name, action in waiting:
            if name == client_id:
                action()

    def _on_event(self, event: RoomEvent) -> None:
        if isinstance(event, ParticipantLeft):
            self._waiting.pop(event.participant.sid, None)
        elif isinstance(event, PermissionsChanged):
            person = event.participant
            for track in own_tracks(person):
                if not person.permissions.may_publish(track.spec.source):
                    self.unpublish(person, track.sid, by_server=True)


def own_tracks(person: Participant) -> tuple[Track, ...]:
    """Return a participant's tracks, announced or not."""
    return (*person.tracks.values(), *person.pending.values())
