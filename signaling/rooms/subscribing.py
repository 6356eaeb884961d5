"""Subscribing: which participant receives which track, in which quality."""

from collections.abc import Mapping

from sfu.facade import MediaEngine
from sfu.values import CodecMissing, Mid, Preferences, PublicationId
from signaling.ids import TrackSid
from signaling.rooms.events import (
    EventHub,
    ParticipantMoved,
    PermissionsChanged,
    RoomEvent,
    SubscriberRequestChanged,
    SubscriptionChanged,
    SubscriptionFailed,
    SubscriptionPermissionChanged,
    SubscriptionProblem,
    TrackPublished,
    TrackSubscribed,
)
from signaling.rooms.media import MediaEvents
from signaling.rooms.model import Participant, Track
from signaling.rooms.permissions import SubscriptionRules
from signaling.rooms.rooms import Rooms
from signaling.timers import Timers

# How long a request for a track that does not exist is stored before the client is notified (LiveKit's value).
UNKNOWN_TRACK_TIMEOUT_S = 60.0

# Layout changes come in bursts, and each switch of layer costs a keyframe (LiveKit's value).
PREFERENCES_DELAY_S = 0.1

# Maximum number of requests of one participant; far above the needs of any room, to bound memory.
MAX_WISHES = 10_000


def is_wanted(subscriber: Participant, publisher: Participant, track: Track) -> bool:
    """Whether a participant requests a track and its own permissions allow receiving it."""
    state = subscriber.subscriptions
    return (
        subscriber is not publisher
        and subscriber.room is publisher.room
        and subscriber.permissions.may_receive(publisher.identity, publisher.user_id, track.spec.source)
        and not publisher.permissions.hidden
        and state.wanted.get(track.sid, state.automatic)
    )


class Subscribing:
    """Keeps participants' requests and the engine's subscriptions consistent."""

    def __init__(self, rooms: Rooms, media: MediaEngine, hub: EventHub, timers: Timers) -> None:
        """Listen on the hub for changes of tracks and permissions."""
        self._rooms = rooms
        self._media = media
        self._hub = hub
        self._timers = timers
        hub.rule(self._on_event)

    def listen(self, media_events: MediaEvents) -> None:
        """Listen to the engine for codecs that subscribers cannot decode."""
        media_events.on(CodecMissing, self.codec_missing)

    def codec_missing(self, event: CodecMissing) -> None:
        """Request the backup codec of a track that a participant cannot decode."""
        person = self._rooms.participant(event.peer_id)
        if person is not None and event.publication_id in person.subscriptions.subscribed:
            person.subscriptions.codec_missing.add(event.publication_id)
            self._hub.emit(SubscriberRequestChanged(event.publication_id))
            track = person.room.find_track(event.publication_id)
            if track is not None and not track.spec.backup_codec:
                self._hub.emit(SubscriptionFailed(person, track.sid, SubscriptionProblem.CODEC_UNSUPPORTED))

    def start(self, person: Participant) -> None:
        """Subscribe to the existing tracks; to be called once the participant knows of them."""
        for publisher in tuple(person.room.participants.values()):
            for track in tuple(publisher.tracks.values()):
                self._settle(person, publisher, track)

    def request(self, person: Participant, track_sid: TrackSid, wanted: bool) -> None:
        """Store whether a participant requests a track, which may not exist yet, and subscribe or unsubscribe."""
        state = person.subscriptions
        if len(state.wanted) >= MAX_WISHES and track_sid not in state.wanted:
            return
        state.wanted[track_sid] = wanted
        found = self._find(person, track_sid)
        if found is not None:
            self._settle(person, *found)
        elif wanted:
            self._timers.set(
                person.sid,
                f"request {track_sid}",
                UNKNOWN_TRACK_TIMEOUT_S,
                lambda: self._give_up(person, track_sid),
            )
        else:
            self._timers.cancel(person.sid, f"request {track_sid}")

    def set_rules(self, publisher: Participant, rules: SubscriptionRules) -> None:
        """Apply a publisher's decision on who may receive its tracks."""
        publisher.rules = rules.by_identity(publisher.room.identities)
        for each in (publisher, *publisher.mirrors):
            for track in tuple(each.tracks.values()):
                for other in tuple(each.room.participants.values()):
                    self._settle(other, each, track)

    def prefer(self, person: Participant, track_sid: TrackSid, preferences: Preferences) -> None:
        """Store the requested quality of a track. Enabling takes effect at once, other changes after a short delay."""
        state = person.subscriptions
        before = state.preferences.get(track_sid)
        if before is None and len(state.preferences) >= MAX_WISHES:
            return
        state.preferences[track_sid] = preferences
        if preferences.enabled and (before is None or not before.enabled):
            self._timers.cancel(person.sid, f"prefer {track_sid}")
            self._apply_preferences(person, track_sid)
        elif not self._timers.is_set(person.sid, f"prefer {track_sid}"):
            self._timers.set(
                person.sid,
                f"prefer {track_sid}",
                PREFERENCES_DELAY_S,
                lambda: self._apply_preferences(person, track_sid),
            )

    def negotiated(self, person: Participant, subscribed: Mapping[Mid, PublicationId]) -> None:
        """Store which subscriptions have a media section (mid -> track), and notify publishers of their first one."""
        state = person.subscriptions
        fresh = set(subscribed.values()) & state.subscribed - state.negotiated
        state.negotiated = set(subscribed.values()) & state.subscribed
        for track_sid in fresh:
            found = self._find(person, track_sid)
            if found is None:
                continue
            publisher, track = found
            if (
                sum(
                    track_sid in other.subscriptions.negotiated for other in person.room.participants.values()
                )
                == 1
            ):
                self._hub.emit(TrackSubscribed(publisher, track))

    def _settle(self, person: Participant, publisher: Participant, track: Track) -> None:
        state = person.subscriptions
        wanted = is_wanted(person, publisher, track)
        rules = (publisher.source or publisher).rules
        allowed = rules.allow(person.sid, person.identity, track.sid)
        if wanted and allowed:
            if track.sid not in state.subscribed:
                state.subscribed.add(track.sid)
                self._media.subscribe(person.sid, track.sid, f"{publisher.sid}|{track.sid}")
                if track.sid in state.preferences:
                    self._apply_preferences(person, track.sid)
                else:
                    self._hub.emit(SubscriberRequestChanged(track.sid))
                self._hub.emit(SubscriptionChanged(person, publisher, track))
        elif track.sid in state.subscribed:
            state.subscribed.discard(track.sid)
            state.negotiated.discard(track.sid)
            state.codec_missing.discard(track.sid)
            self._media.unsubscribe(person.sid, track.sid)
            self._hub.emit(SubscriberRequestChanged(track.sid))
            self._hub.emit(SubscriptionChanged(person, publisher, track))
        if wanted and allowed == (track.sid in state.refused):
            (state.refused.discard if allowed else state.refused.add)(track.sid)
            self._hub.emit(SubscriptionPermissionChanged(person, track, allowed))

    def _apply_preferences(self, person: Participant, track_sid: TrackSid) -> None:
        # A timer may run after the track has gone to another room and come back: its preferences are forgotten then.
        preferences = person.subscriptions.preferences.get(track_sid)
        if preferences is not None and track_sid in person.subscriptions.subscribed:
            self._media.set_preferences(person.sid, track_sid, preferences)
            self._hub.emit(SubscriberRequestChanged(track_sid))

    def _give_up(self, person: Participant, track_sid: TrackSid) -> None:
        # If the track appeared and ended in between, its request is gone already.
        if track_sid in person.subscriptions.wanted and self._find(person, track_sid) is None:
            del person.subscriptions.wanted[track_sid]
            self._hub.emit(SubscriptionFailed(person, track_sid, SubscriptionProblem.TRACK_NOT_FOUND))

    @staticmethod
    def _find(person: Participant, track_sid: TrackSid) -> tuple[Participant, Track] | None:
        for publisher in person.room.participants.values():
            track = publisher.tracks.get(track_sid)
            if track is not None:
                return publisher, track
        return None

    def _on_event(self, event: RoomEvent) -> None:
        if isinstance(event, TrackPublished):
            for other in tuple(event.participant.room.participants.values()):
                self._settle(other, event.participant, event.track)
        elif isinstance(event, PermissionsChanged | ParticipantMoved):
            self.start(event.participant)
            for track in tuple(event.participant.tracks.values()):
                for other in tuple(event.participant.room.participants.values()):
                    self._settle(other, event.participant, track)
