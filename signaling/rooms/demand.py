"""What subscribers together want of a track, so that its publisher need not send more (LiveKit: dynacast).

Of a camera that is the highest layer that anybody displays, and all below it, which weaker links may need at once. Of a
screen whose layers differ in rate alone it is what the engine sends to somebody (`LayersWanted`).
"""

from collections.abc import Iterator
from dataclasses import dataclass

from sfu.values import LayersWanted
from signaling.rooms.events import (
    DemandChanged,
    EventHub,
    ParticipantLeft,
    ParticipantMoved,
    RoomEvent,
    TrackDemanded,
    TrackPublished,
    TrackUnpublished,
)
from signaling.rooms.media import MediaEvents
from signaling.rooms.model import Participant, Track
from signaling.timers import Timers

# LiveKit's: a layout that changes back and forth should not switch encoders, and a track that nobody receives yet is
# about to be received.
LOWER_DELAY_S = 5.0
OFF_DELAY_S = 10.0

NOTHING = -1


def demanded(publisher: Participant, track: Track, *, backup: bool = False) -> int:
    """The highest spatial layer that anybody wants of a track, as far as it has layers; NOTHING if nobody does.

    `backup`: of those who cannot take its codec, else of those who can.
    """
    top = max(len(track.spec.layers) - 1, 0)
    wanted = NOTHING
    for person in _audience(publisher):
        state = person.subscriptions
        if track.sid not in state.active or (track.sid in state.lacking) != backup:
            continue
        preferences = state.preferences.get(track.sid)
        if preferences is None:
            return top
        if preferences.enabled:
            wanted = max(wanted, min(max(preferences.max_spatial, 0), top))
    return wanted


def _audience(publisher: Participant) -> Iterator[Participant]:
    for each in (publisher, *publisher.mirrors):
        yield from each.room.participants.values()


@dataclass(slots=True)
class _Told:
    publisher: Participant
    spatial: int
    backup: int = NOTHING
    "The same of the backup codec."
    layers: frozenset[int] | None = None
    "Those that were told one by one; None: all up to `spatial`."
    sent: frozenset[int] | None = None
    "Those that the engine sends to somebody; None: it does not say."


class Demand:
    """Tells publishers what is wanted of their video: more at once, less after a while."""

    def __init__(self, hub: EventHub, timers: Timers) -> None:
        """Listen to what changes the demand."""
        self._hub = hub
        self._timers = timers
        self._told: dict[str, _Told] = {}
        hub.rule(self._on_event)

    def listen(self, media_events: MediaEvents) -> None:
        """Hear from the engine which layers of screens it sends to anybody."""
        media_events.on(LayersWanted, self.layers_wanted)

    def layers_wanted(self, event: LayersWanted) -> None:
        """Ask for layers that are missing at once, and for no others; without missing ones less is told after a while.

        An encoder that is given another set of layers begins all of them with a keyframe, so one change is better.
        """
        told = self._told.get(event.publication_id)
        if told is None:
            return
        track = told.publisher.tracks[event.publication_id]
        told.sent = frozenset(event.layers)
        before = told.layers if told.layers is not None else frozenset(range(told.spatial + 1))
        reason = f"layers {track.sid}"
        if not told.sent <= before:
            told.layers = told.sent
            self._emit(told, track)
        if told.sent == (told.layers if told.layers is not None else before):
            self._timers.cancel(told.publisher.sid, reason)
        elif not self._timers.is_set(told.publisher.sid, reason):
            self._timers.set(told.publisher.sid, reason, LOWER_DELAY_S, lambda: self._lower_layers(track.sid))

    def _lower_layers(self, track_sid: str) -> None:
        told = self._told[track_sid]
        if told.sent != told.layers:
            told.layers = told.sent
            self._emit(told, told.publisher.tracks[track_sid])

    def _emit(self, told: _Told, track: Track) -> None:
        layers = None if told.spatial == NOTHING else told.layers
        self._hub.emit(TrackDemanded(told.publisher, track, told.spatial, told.backup, layers))

    def _on_event(self, event: RoomEvent) -> None:
        if isinstance(event, TrackPublished | TrackUnpublished) and event.participant.source is not None:
            self._look(event.track.sid)  # of a mirror: its source's track has more viewers, or fewer
        elif isinstance(event, TrackPublished):
            if event.track.spec.kind == "video":
                top = max(len(event.track.spec.layers) - 1, 0)
                self._told[event.track.sid] = _Told(event.participant, top)
                self._look(event.track.sid)
        elif isinstance(event, DemandChanged):
            self._look(event.track_sid)
        elif isinstance(event, TrackUnpublished):
            self._forget(event.track.sid)
        elif isinstance(event, ParticipantLeft | ParticipantMoved):
            # whoever is gone wants nothing here any more
            room = event.origin if isinstance(event, ParticipantMoved) else event.participant.room
            for person in (*room.participants.values(), event.participant):
                for track_sid in person.tracks:
                    self._look(track_sid)

    def _look(self, track_sid: str) -> None:
        told = self._told.get(track_sid)
        track = told.publisher.tracks.get(track_sid) if told is not None else None
        if told is None or track is None:
            return
        self._compare(told, track, backup=False)
        if track.spec.backup_codec:
            self._compare(told, track, backup=True)

    def _compare(self, told: _Told, track: Track, *, backup: bool) -> None:
        owner, reason = told.publisher.sid, f"demand {track.sid} {backup}"
        before = told.backup if backup else told.spatial
        wanted = demanded(told.publisher, track, backup=backup)
        if wanted < before:
            if not self._timers.is_set(owner, reason):
                delay_s = OFF_DELAY_S if wanted == NOTHING else LOWER_DELAY_S
                self._timers.set(owner, reason, delay_s, lambda: self._tell(track.sid, backup=backup))
        else:
            self._timers.cancel(owner, reason)
            if wanted > before:
                self._tell(track.sid, backup=backup)

    def _tell(self, track_sid: str, *, backup: bool) -> None:
        told = self._told[track_sid]
        track = told.publisher.tracks[track_sid]
        wanted = demanded(told.publisher, track, backup=backup)
        if wanted != (told.backup if backup else told.spatial):
            if backup:
                told.backup = wanted
            else:
                told.spatial = wanted
            self._emit(told, track)

    def _forget(self, track_sid: str) -> None:
        told = self._told.pop(track_sid, None)
        if told is not None:
            for reason in (f"demand {track_sid} False", f"demand {track_sid} True", f"layers {track_sid}"):
                self._timers.cancel(told.publisher.sid, reason)
