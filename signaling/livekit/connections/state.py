"""What a client must know for as long as it holds: sent when it begins, changes or ends, and again after a resume.

Each kind is a `Fact`: a table of values by key, computed from the present state of the server. The connection keeps
what its client was sent last, so one rule serves every occasion: send the difference. A client that was away, came late
or joined again therefore ends with the same state as one that was there all the time.
"""

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Mapping
from typing import Any, ClassVar, Generic, TypeVar

from livekit.protocol import models, rtc

from signaling.ids import ParticipantSid, TrackSid
from signaling.livekit.connections.connection import Connection
from signaling.livekit.connections.speakers import Loudness
from signaling.livekit.connections.updates import MAX_ENDED
from signaling.livekit.messages import convert
from signaling.livekit.messages.wire import EncodedResponse
from signaling.rooms.data_tracks import received_tracks
from signaling.rooms.demand import Demand
from signaling.rooms.model import Participant, Track
from signaling.rooms.rooms import Rooms

K = TypeVar("K", bound=str)
"What a fact has a value for: a participant, a track."

# What a client was sent last of something that ended: the end is sent again after a resume.
_ENDED = object()


class Fact(ABC, Generic[K]):
    """One kind of state. `value` returns None for a key about which there is nothing to know."""

    kind: ClassVar[str]
    "The case of SignalResponse."

    @abstractmethod
    def keys(self, connection: Connection) -> Iterable[K]:
        """Return every key that may have a value."""

    @abstractmethod
    def value(self, connection: Connection, key: K) -> Any | None:
        """Return what the client must know about a key now."""

    def end(self, _connection: Connection, _key: K) -> Any | None:
        """Return what the client is sent when a value that it knows has ended; None: nothing."""
        return None

    @abstractmethod
    def messages(self, connection: Connection, values: Mapping[K, Any]) -> Iterable[rtc.SignalResponse]:
        """Return the messages with these values."""


class _Speaking(Fact[ParticipantSid]):
    """Who speaks, of those whom the client receives, and the client itself: level by participant sid."""

    kind = "speakers_changed"

    def __init__(self, rooms: Rooms, loudness: Loudness) -> None:
        self._rooms = rooms
        self._loudness = loudness

    def keys(self, connection: Connection) -> Iterable[ParticipantSid]:
        return self._loudness.speaking(connection.participant.room)

    def value(self, connection: Connection, key: ParticipantSid) -> float | None:
        speaker = self._rooms.participant(key)
        return None if not _is_received(connection, speaker) else self._loudness.level(key)

    def end(self, _connection: Connection, _key: ParticipantSid) -> float:
        return 0.0

    def messages(
        self, _connection: Connection, values: Mapping[ParticipantSid, float]
    ) -> Iterable[rtc.SignalResponse]:
        speakers = [
            models.SpeakerInfo(sid=sid, level=level, active=level > 0) for sid, level in values.items()
        ]
        yield rtc.SignalResponse(speakers_changed=rtc.SpeakersChanged(speakers=speakers))


class _ConnectionQualities(Fact[ParticipantSid]):
    """The connection quality of those whom the client receives, and of the client itself, by participant sid."""

    kind = "connection_quality"

    def __init__(self, rooms: Rooms, qualities: Mapping[ParticipantSid, models.ConnectionQuality]) -> None:
        self._rooms = rooms
        self._qualities = qualities

    def keys(self, connection: Connection) -> Iterable[ParticipantSid]:
        return [person.sid for person in connection.participant.room.participants.values()]

    def value(self, connection: Connection, key: ParticipantSid) -> models.ConnectionQuality | None:
        quality = self._qualities.get(key)
        return (
            quality
            if quality is not None and _is_received(connection, self._rooms.participant(key))
            else None
        )

    def messages(
        self, _connection: Connection, values: Mapping[ParticipantSid, models.ConnectionQuality]
    ) -> Iterable[rtc.SignalResponse]:
        infos = [
            rtc.ConnectionQualityInfo(participant_sid=sid, quality=level) for sid, level in values.items()
        ]
        yield rtc.SignalResponse(connection_quality=rtc.ConnectionQualityUpdate(updates=infos))


class _StreamStates(Fact[TrackSid]):
    """Which received tracks are paused for lack of bandwidth: whether paused, by track sid."""

    kind = "stream_state_update"

    def keys(self, connection: Connection) -> Iterable[TrackSid]:
        return tuple(connection.paused)

    def value(self, connection: Connection, key: TrackSid) -> bool | None:
        return True if key in connection.paused & connection.participant.subscriptions.subscribed else None

    def end(self, connection: Connection, key: TrackSid) -> bool | None:
        # Clients begin each subscription as active.
        return False if key in connection.participant.subscriptions.subscribed else None

    def messages(
        self, connection: Connection, values: Mapping[TrackSid, bool]
    ) -> Iterable[rtc.SignalResponse]:
        room = connection.participant.room
        states = [
            convert.stream_state(track, paused=paused)
            for sid, paused in values.items()
            if (track := room.find_track(sid)) is not None
        ]
        if states:
            yield rtc.SignalResponse(stream_state_update=rtc.StreamStateUpdate(stream_states=states))


class _SubscriptionPermissions(Fact[TrackSid]):
    """Which wanted tracks their publishers do not allow: whether allowed, by track sid."""

    kind = "subscription_permission_update"

    def keys(self, connection: Connection) -> Iterable[TrackSid]:
        return tuple(connection.participant.subscriptions.refused)

    def value(self, connection: Connection, key: TrackSid) -> bool | None:
        return False if key in connection.participant.subscriptions.refused else None

    def end(self, _connection: Connection, _key: TrackSid) -> bool:
        return True

    def messages(
        self, connection: Connection, values: Mapping[TrackSid, bool]
    ) -> Iterable[rtc.SignalResponse]:
        for sid, allowed in values.items():
            track = connection.participant.room.find_track(sid)
            if track is not None:
                message = rtc.SubscriptionPermissionUpdate(
                    participant_sid=track.publisher_sid, track_sid=sid, allowed=allowed
                )
                yield rtc.SignalResponse(subscription_permission_update=message)


class _WantedQualities(Fact[TrackSid]):
    """Which layers of the client's own video tracks anybody wants, by track sid."""

    kind = "subscribed_quality_update"

    def __init__(self, demand: Demand) -> None:
        self._demand = demand

    def keys(self, connection: Connection) -> Iterable[TrackSid]:
        return tuple(connection.participant.tracks)

    def value(self, connection: Connection, key: TrackSid) -> tuple[int, int, frozenset[int] | None] | None:
        demanded = self._demand.current(key)
        if demanded is None or key not in connection.participant.tracks:
            return None
        return demanded.spatial, demanded.backup, demanded.layers

    def messages(
        self, connection: Connection, values: Mapping[TrackSid, tuple[int, int, frozenset[int] | None]]
    ) -> Iterable[rtc.SignalResponse]:
        for sid, value in values.items():
            update = convert.quality_update(connection.participant.tracks[sid], *value)
            yield rtc.SignalResponse(subscribed_quality_update=update)


class _ServerMutes(Fact[TrackSid]):
    """Which of the client's tracks the server muted, or unmuted, since the client last did so: muted by track sid."""

    kind = "mute"

    def keys(self, connection: Connection) -> Iterable[TrackSid]:
        return tuple(connection.switched_by_server)

    def value(self, connection: Connection, key: TrackSid) -> bool | None:
        track = connection.participant.tracks.get(key)
        return None if track is None or key not in connection.switched_by_server else track.muted

    def messages(
        self, _connection: Connection, values: Mapping[TrackSid, bool]
    ) -> Iterable[rtc.SignalResponse]:
        for sid, muted in values.items():
            yield rtc.SignalResponse(mute=rtc.MuteTrackRequest(sid=sid, muted=muted))


class _TakenDown(Fact[TrackSid]):
    """Which of the client's tracks the server ended, until the client no longer lists them."""

    kind = "track_unpublished"

    def keys(self, connection: Connection) -> Iterable[TrackSid]:
        return tuple(connection.taken_down)

    def value(self, connection: Connection, key: TrackSid) -> bool | None:
        return True if key in connection.taken_down else None

    def messages(
        self, _connection: Connection, values: Mapping[TrackSid, bool]
    ) -> Iterable[rtc.SignalResponse]:
        for sid in values:
            message = rtc.TrackUnpublishedResponse(track_sid=sid)
            yield rtc.SignalResponse(track_unpublished=message)


class _SectionsRequired(Fact[str]):
    """How many media sections the client's next offer must add, until it offers: (audio, video)."""

    kind = "media_sections_requirement"

    def keys(self, _connection: Connection) -> Iterable[str]:
        return ("",)

    def value(self, connection: Connection, _key: str) -> tuple[int, int] | None:
        return connection.sections_required

    def messages(
        self, _connection: Connection, values: Mapping[str, tuple[int, int]]
    ) -> Iterable[rtc.SignalResponse]:
        for audio, video in values.values():
            requirement = rtc.MediaSectionsRequirement(num_audios=audio, num_videos=video)
            yield rtc.SignalResponse(media_sections_requirement=requirement)


class _DataHandles(Fact[str]):
    """Under which handles the client receives which data tracks."""

    kind = "data_track_subscriber_handles"

    def keys(self, _connection: Connection) -> Iterable[str]:
        return ("",)

    def value(self, connection: Connection, _key: str) -> tuple[tuple[int, str, str], ...] | None:
        received = received_tracks(connection.participant)
        return tuple((handle, publisher.sid, track.sid) for handle, publisher, track in received) or None

    def end(self, _connection: Connection, _key: str) -> tuple[()]:
        return ()

    def messages(self, connection: Connection, _values: Mapping[str, Any]) -> Iterable[rtc.SignalResponse]:
        handles = convert.subscriber_handles(connection.participant)
        yield rtc.SignalResponse(data_track_subscriber_handles=handles)


class _PendingTracks(Fact[TrackSid]):
    """The client's tracks that await their media: the answer to its request may have been lost with a WebSocket."""

    kind = "track_published"

    def keys(self, connection: Connection) -> Iterable[TrackSid]:
        return tuple(connection.answered)

    def value(self, connection: Connection, key: TrackSid) -> Track | None:
        return connection.participant.pending.get(key) if key in connection.answered else None

    def messages(
        self, _connection: Connection, values: Mapping[TrackSid, Track]
    ) -> Iterable[rtc.SignalResponse]:
        for track in values.values():
            info = convert.track_info(track)
            published = rtc.TrackPublishedResponse(cid=track.spec.client_id, track=info)
            yield rtc.SignalResponse(track_published=published)


class State:
    """All facts, and the one rule by which they are sent."""

    def __init__(self, rooms: Rooms, demand: Demand) -> None:
        """Start with nothing measured."""
        self.loudness = Loudness()
        self.measured_qualities: dict[ParticipantSid, models.ConnectionQuality] = {}
        "By participant sid, as far as the engine reported one."
        self.speaking = _Speaking(rooms, self.loudness)
        self.qualities = _ConnectionQualities(rooms, self.measured_qualities)
        self.stream_states = _StreamStates()
        self.permissions = _SubscriptionPermissions()
        self.wanted = _WantedQualities(demand)
        self.mutes = _ServerMutes()
        self.taken_down = _TakenDown()
        self.sections = _SectionsRequired()
        self.data_handles = _DataHandles()
        self.pending = _PendingTracks()
        self._after_participants: tuple[Fact[Any], ...] = (
            self.pending,
            self.permissions,
            self.stream_states,
            self.wanted,
            self.data_handles,
            self.speaking,
            self.qualities,
            self.sections,
        )

    def sync(self, connection: Connection, fact: Fact[K], keys: Iterable[K] | None = None) -> None:
        """Send what changed since the client was last sent this fact; `keys` limits the comparison."""
        self._send(connection, fact, _changes(connection, fact, keys))

    def sync_all(self, connections: Iterable[Connection], fact: Fact[K], keys: Collection[K]) -> None:
        """Do the same for many clients. `fact` is one whose messages depend on the values alone.

        Nearly all get the very same message: it is encoded once.
        """
        made: dict[tuple[tuple[K, Any], ...], list[EncodedResponse]] = {}
        for connection in connections:
            changes = _changes(connection, fact, keys)
            if changes:
                same = tuple(changes.items())
                if same not in made:
                    made[same] = [EncodedResponse(message) for message in fact.messages(connection, changes)]
                for outgoing in made[same]:
                    connection.deliver(outgoing)

    def repeat(self, connection: Connection, *facts: Fact[Any]) -> None:
        """Send all of these facts again: what was sent shortly before a WebSocket ended may be lost."""
        for fact in facts:
            self._send(connection, fact, _changes(connection, fact, None, repeated=True))

    def repeat_before_participants(self, connection: Connection) -> None:
        """Send what a resumed client must have before the update that shows the participants.

        A browser corrects the server when an update shows a track as muted that the browser did not mute, and it
        cannot remove a speaker from its list once it does not know the participant.
        """
        self.repeat(connection, self.mutes, self.taken_down)
        sent = connection.sent_facts.get(self.speaking.kind, {})
        silent = [sid for sid in sent if self.speaking.value(connection, sid) is None]
        self._send(connection, self.speaking, _changes(connection, self.speaking, silent, repeated=True))

    def repeat_after_participants(self, connection: Connection) -> None:
        """Send everything else to a resumed client, which knows all participants and tracks now."""
        self.repeat(connection, *self._after_participants)

    def answer(self, connection: Connection, fact: Fact[Any]) -> None:
        """Send a fact without keys even if the client knows it, since it asked."""
        if connection.outbox is not None:
            changes = _changes(connection, fact, None, repeated=True)
            self._send(connection, fact, changes or {"": fact.end(connection, "")})

    @staticmethod
    def _send(connection: Connection, fact: Fact[Any], changes: Mapping[Any, Any]) -> None:
        if changes:
            for message in fact.messages(connection, changes):
                connection.send(message)


def _changes(
    connection: Connection, fact: Fact[K], keys: Iterable[K] | None, *, repeated: bool = False
) -> dict[K, Any]:
    """Return what to send of a fact, and note it as sent: all that is known if `repeated`, else the differences."""
    if connection.outbox is None:
        return {}
    sent = connection.sent_facts.setdefault(fact.kind, {})
    changes: dict[K, Any] = {}
    for key in tuple(dict.fromkeys((*fact.keys(connection), *sent))) if keys is None else keys:
        value, known = fact.value(connection, key), sent.get(key)
        if value is not None:
            if repeated or known != value:
                changes[key] = sent[key] = value
        elif known is not None and (repeated or known is not _ENDED):
            del sent[key]
            end = fact.end(connection, key)
            if end is not None:
                changes[key], sent[key] = end, _ENDED
    _limit_ended(sent)
    if not sent:
        del connection.sent_facts[fact.kind]
    return changes


def _limit_ended(sent: dict[Any, Any]) -> None:
    if len(sent) > MAX_ENDED:
        for key in [key for key, value in sent.items() if value is _ENDED][:-MAX_ENDED]:
            del sent[key]


def _is_received(connection: Connection, publisher: Participant | None) -> bool:
    """Whether a client receives a track of somebody, or is that participant."""
    person = connection.participant
    if publisher is None or publisher.room is not person.room:
        return False
    return publisher is person or not person.subscriptions.subscribed.isdisjoint(publisher.tracks)
