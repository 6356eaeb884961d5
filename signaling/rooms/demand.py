"""The demand for a track: all that its subscribers request, so that its publisher sends no more (LiveKit: dynacast).

The demand for a camera is the highest layer that any subscriber displays and all layers below it, which weaker paths
may need at once. The demand for a screen whose layers differ in rate alone is the layers that the engine sends to any
subscriber (`LayersWanted`).
"""

from collections.abc import Iterator
from dataclasses import dataclass

from sfu.values import LayersWanted
from signaling.ids import TrackSid
from signaling.rooms.events import (
    DemandChanged,
    EventHub,
    ParticipantLeft,
    ParticipantMoved,
    RoomEvent,
    SubscriberRequestChanged,
    TrackPublished,
    TrackUnpublished,
)
from signaling.rooms.media import MediaEvents
from signaling.rooms.model import Participant, Track
from signaling.timers import Timers

# LiveKit's values: a layout that changes back and forth should not switch encoders, and a track without subscribers is
# often new and about to be received.
LOWER_DELAY_S = 5.0
OFF_DELAY_S = 10.0

NOTHING = -1


def demanded(publisher: Participant, track: Track, *, backup: bool = False) -> int:
    """Return the highest spatial layer of a track that a subscriber requests; NOTHING if none is requested.

    `backup`: count the subscribers that cannot decode the track's codec instead of those that can.
    """
    top = max(len(track.spec.layers) - 1, 0)
    wanted = NOTHING
    for person in _audience(publisher):
        state = person.subscriptions
        if track.sid not in state.subscribed or (track.sid in state.codec_missing) != backup:
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
class _Announced:
    publisher: Participant
    spatial: int
    backup: int = NOTHING
    "Highest spatial layer requested of the backup codec."
    layers: frozenset[int] | None = None
    "The layers announced one by one; None: all up to `spatial`."
    sent: frozenset[int] | None = None
    "The layers that the engine sends to any subscriber; None: the engine has not reported them."
    event: DemandChanged | None = None
    "The last one that was emitted; None: the publisher sends every layer, as it began."


class Demand:
    """Notifies publishers of the demand for their video: an increase at once, a decrease after a delay."""

    def __init__(self, hub: EventHub, timers: Timers) -> None:
        """Listen for everything that changes the demand."""
        self._hub = hub
        self._timers = timers
        self._announced: dict[TrackSid, _Announced] = {}
        self._recorded: dict[TrackSid, int] = {}
        "Highest spatial layer that a recording takes, by track."
        hub.rule(self._on_event)

    def listen(self, media_events: MediaEvents) -> None:
        """Listen for the engine's reports of the screen layers that it sends to any subscriber."""
        media_events.on(LayersWanted, self.layers_wanted)

    def record(self, track_sid: TrackSid, spatial: int) -> None:
        """Count a recording as one more subscriber, of this layer and those below it; NOTHING: it has ended."""
        if spatial == NOTHING:
            self._recorded.pop(track_sid, None)
        else:
            self._recorded[track_sid] = spatial
        self._look(track_sid)

    def _demanded(self, announced: _Announced, track: Track, *, backup: bool) -> int:
        wanted = demanded(announced.publisher, track, backup=backup)
        return wanted if backup else max(wanted, self._recorded.get(track.sid, NOTHING))

    def current(self, track_sid: TrackSid) -> DemandChanged | None:
        """Return the last demand for a track; None if nothing was demanded yet, or there is no such video track."""
        announced = self._announced.get(track_sid)
        return None if announced is None else announced.event

    def layers_wanted(self, event: LayersWanted) -> None:
        """Announce missing layers at once, in one change with all decreases; otherwise announce decreases later.

        An encoder that gets another set of layers starts all of them with a keyframe, so one change is better.
        """
        announced = self._announced.get(event.publication_id)
        if announced is None:
            return
        track = announced.publisher.tracks[event.publication_id]
        announced.sent = frozenset(event.layers)
        before = announced.layers if announced.layers is not None else frozenset(range(announced.spatial + 1))
        reason = f"layers {track.sid}"
        if not announced.sent <= before:
            announced.layers = announced.sent
            self._emit(announced, track)
        if announced.sent == (announced.layers if announced.layers is not None else before):
            self._timers.cancel(announced.publisher.sid, reason)
        elif not self._timers.is_set(announced.publisher.sid, reason):
            self._timers.set(
                announced.publisher.sid, reason, LOWER_DELAY_S, lambda: self._lower_layers(track.sid)
            )

    def _lower_layers(self, track_sid: TrackSid) -> None:
        announced = self._announced[track_sid]
        if announced.sent != announced.layers:
            announced.layers = announced.sent
            self._emit(announced, announced.publisher.tracks[track_sid])

    def _emit(self, announced: _Announced, track: Track) -> None:
        layers = None if announced.spatial == NOTHING else announced.layers
        announced.event = DemandChanged(
            announced.publisher, track, announced.spatial, announced.backup, layers
        )
        self._hub.emit(announced.event)

    def _on_event(self, event: RoomEvent) -> None:
        if isinstance(event, TrackPublished | TrackUnpublished) and event.participant.source is not None:
            self._look(event.track.sid)  # the track of a mirror's source has gained or lost subscribers
        elif isinstance(event, TrackPublished):
            if event.track.spec.kind == "video":
                top = max(len(event.track.spec.layers) - 1, 0)
                self._announced[event.track.sid] = _Announced(event.participant, top)
                self._look(event.track.sid)
        elif isinstance(event, SubscriberRequestChanged):
            self._look(event.track_sid)
        elif isinstance(event, TrackUnpublished):
            self._forget(event.track.sid)
        elif isinstance(event, ParticipantLeft | ParticipantMoved):
            # participants who are gone request nothing here any more
            room = event.origin if isinstance(event, ParticipantMoved) else event.participant.room
            for person in (*room.participants.values(), event.participant):
                for track_sid in person.tracks:
                    self._look(track_sid)

    def _look(self, track_sid: TrackSid) -> None:
        announced = self._announced.get(track_sid)
        track = announced.publisher.tracks.get(track_sid) if announced is not None else None
        if announced is None or track is None:
            return
        self._compare(announced, track, backup=False)
        if track.spec.backup_codec:
            self._compare(announced, track, backup=True)

    def _compare(self, announced: _Announced, track: Track, *, backup: bool) -> None:
        owner, reason = announced.publisher.sid, f"demand {track.sid} {backup}"
        before = announced.backup if backup else announced.spatial
        wanted = self._demanded(announced, track, backup=backup)
        if wanted < before:
            if not self._timers.is_set(owner, reason):
                delay_s = OFF_DELAY_S if wanted == NOTHING else LOWER_DELAY_S
                self._timers.set(owner, reason, delay_s, lambda: self._tell(track.sid, backup=backup))
        else:
            self._timers.cancel(owner, reason)
            if wanted > before:
                self._tell(track.sid, backup=backup)

    def _tell(self, track_sid: TrackSid, *, backup: bool) -> None:
        announced = self._announced[track_sid]
        track = announced.publisher.tracks[track_sid]
        wanted = self._demanded(announced, track, backup=backup)
        if wanted != (announced.backup if backup else announced.spatial):
            if backup:
                announced.backup = wanted
            else:
                announced.spatial = wanted
            self._emit(announced, track)

    def _forget(self, track_sid: TrackSid) -> None:
        self._recorded.pop(track_sid, None)
        announced = self._announced.pop(track_sid, None)
        if announced is not None:
            for reason in (f"demand {track_sid} False", f"demand {track_sid} True", f"layers {track_sid}"):
                self._timers.cancel(announced.publisher.sid, reason)
