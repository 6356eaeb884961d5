"""Talk time: how long each person of a session spoke, from the levels that the engine measures.

Times are summed in memory and recorded in the session's log twice a minute and at its end; a killed server loses at
most half a minute of them.
"""

from dataclasses import dataclass, field
from typing import Final

from classroom.features import attendance, session
from classroom.ids import PersonId, SessionId
from sfu.values import SpeakersChanged
from signaling.ids import TrackSid
from signaling.rooms.events import ParticipantLeft, RoomEvent, TrackUnpublished
from signaling.rooms.model import Participant
from signaling.rooms.permissions import Source
from signaling.rooms.services import Services
from signaling.teaching.live import Committed, LiveSession, unawaited
from signaling.teaching.media import MediaBridge
from signaling.teaching.names import person_of
from signaling.teaching.running import Running

RECORD_S: Final = 30.0


@dataclass(slots=True)
class _Talk:
    """The talk of one session since its last record."""

    live: LiveSession
    spoken_s: dict[PersonId, float] = field(default_factory=dict)
    since: dict[TrackSid, tuple[PersonId, float]] = field(default_factory=dict)
    "Tracks that are loud now: whose they are, and since when they count."


class TalkTime:
    """Follows the speakers of all sessions' rooms."""

    def __init__(self, services: Services, media: MediaBridge) -> None:
        """Listen to the rooms at once."""
        self._rooms = services.rooms
        self._clock = services.wall_clock
        self._media = media
        self._sessions: dict[SessionId, _Talk] = {}
        services.media_events.on(SpeakersChanged, self._on_speakers)
        services.hub.observe(self._on_room_event)

    async def run(self, running: Running) -> None:
        """Record talk time until the server stops."""
        while running.goes_on:
            await running.pause(RECORD_S)
            self.record_all()

    def record_all(self) -> None:
        """Record what was spoken since the last record."""
        for session_id, talk in tuple(self._sessions.items()):
            self._record(talk)
            if not talk.since:
                del self._sessions[session_id]

    def on_commit(self, committed: Committed) -> None:
        """Record the last words of a session that ended."""
        if any(isinstance(event, session.Ended) for event in committed.events):
            talk = self._sessions.pop(committed.live.id, None)
            if talk is not None:
                self._record(talk)

    def _on_speakers(self, event: SpeakersChanged) -> None:
        room = self._rooms.room_by_sid(event.room_id)
        if room is None:
            return
        for speaker in event.speakers:
            track = room.find_track(speaker.publication_id)
            publisher = None if track is None else self._rooms.participant(track.publisher_sid)
            if track is not None and publisher is not None and track.spec.source is Source.MICROPHONE:
                self._on_level(publisher, track.sid, loud=speaker.active)

    def _on_level(self, publisher: Participant, sid: TrackSid, *, loud: bool) -> None:
        live = self._media.live(publisher)
        if live is None:
            return
        talk = self._sessions.get(live.id) or self._sessions.setdefault(live.id, _Talk(live))
        if loud:
            talk.since.setdefault(sid, (person_of(publisher), self._clock()))
        else:
            self._settle(talk, sid)

    def _on_room_event(self, event: RoomEvent) -> None:
        # The engine reports no silence of a track that is gone.
        if isinstance(event, (ParticipantLeft, TrackUnpublished)):
            participant = event.participant
            live = self._media.live(participant)
            talk = None if live is None else self._sessions.get(live.id)
            if talk is None:
                return
            person = person_of(participant)
            for sid in [sid for sid, (whose, _) in talk.since.items() if whose == person]:
                self._settle(talk, sid)

    def _settle(self, talk: _Talk, sid: TrackSid) -> None:
        person, since = talk.since.pop(sid, (PersonId(""), 0.0))
        if person:
            passed = max(self._clock() - since, 0.0)
            talk.spoken_s[person] = talk.spoken_s.get(person, 0.0) + passed

    def _record(self, talk: _Talk) -> None:
        loud = {sid: person for sid, (person, _since) in talk.since.items()}
        for sid, person in loud.items():
            self._settle(talk, sid)
            talk.since[sid] = person, self._clock()
        spoken, talk.spoken_s = talk.spoken_s, {}
        talks = tuple(attendance.Talk(person, round(spent, 1)) for person, spent in spoken.items())
        if talks:
            command = attendance.RecordTalk(talks=talks)
            talk.live.submit(lambda _room, _now: command).add_done_callback(unawaited)
