"""Live captions of rooms: whose microphones are tapped, and what was said.

Nothing is tapped unless somebody asked for captions. End-to-end encrypted tracks are refused by the engine; hidden
participants and those who declined to be recorded are never captioned. Nothing is stored here.
"""

import itertools
import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from recording.speech.captions import CaptionReport
from sfu.values import RecordedTrackId, RecordingId, RecordingStopped
from signaling.ids import Identity, RoomName, TrackSid
from signaling.recordings.recordings import Recordings
from signaling.recordings.rules import Options, recorded_track
from signaling.rooms.events import (
    ParticipantMoved,
    PermissionsChanged,
    RoomEvent,
    RoomFinished,
    TrackPublished,
    TrackUnpublished,
)
from signaling.rooms.model import Participant, Room, Track
from signaling.rooms.permissions import Source
from signaling.rooms.services import Services

if TYPE_CHECKING:
    from signaling.recordings.speech.caption_child import CaptionChild

log = logging.getLogger(__name__)

# `recording.live.messages.PREFIX`, which signaling does not import.
PREFIX: Final = "live_"
_SOURCES: Final = frozenset({Source.MICROPHONE, Source.UNKNOWN})
_OPTIONS: Final = Options(audio_only=True)


@dataclass(frozen=True, slots=True)
class Spoken:
    """A caption line of a participant, which replaces earlier ones of the same number."""

    room: Room
    speaker: Participant
    track_sid: TrackSid
    "Of the publication with which the line began, which may have ended since."
    source: Source
    line: int
    "Each line of this server has a number of its own."
    text: str
    "Words that will not change."
    tail: str
    "Words that may change."
    final: bool


@dataclass(frozen=True, slots=True)
class Behind:
    """Speech in a room is left out, because there is not enough CPU time; or no longer."""

    room: Room
    behind: bool


CaptionEvent = Spoken | Behind


@dataclass(slots=True)
class _Captioned:
    """A room that is captioned."""

    id: RecordingId
    room: Room
    consents: dict[Identity, bool]
    wanted_by: set[str]
    tracks: dict[TrackSid, RecordedTrackId] = field(default_factory=dict)
    lines: dict[tuple[RecordedTrackId, int], Spoken] = field(default_factory=dict)
    "Lines that are not final, as they were told last; keys have the process's number, which it uses again."
    behind: bool = False
    failed: bool = False
    "The process has failed, and has transcribed nothing of this room since."

    def published(self, track_id: RecordedTrackId) -> tuple[Participant, Track] | None:
        """Return who publishes a tapped track now."""
        for sid, tapped in self.tracks.items():
            if tapped == track_id:
                for person in self.room.participants.values():
                    if sid in person.tracks:
                        return person, person.tracks[sid]
        return None


class Captions:
    """The captioned rooms."""

    def __init__(
        self,
        services: Services,
        recordings: Recordings,
        new_id: Callable[[str], str],
        make_child: "Callable[[Callable[[CaptionReport], None], Callable[[], None]], CaptionChild] | None",
    ) -> None:
        """Listen to rooms; without `make_child`, there are no captions."""
        self._services = services
        self._recordings = recordings
        self._new_id = new_id
        self._rooms: dict[RoomName, _Captioned] = {}
        self._numbers = itertools.count(1)
        self._listeners: list[Callable[[CaptionEvent], None]] = []
        self._child = None if make_child is None else make_child(self._on_report, self._on_failure)
        services.hub.observe(self._on_event)
        services.media_events.on(RecordingStopped, self._on_stopped)
        recordings.observe_consents(self._on_consent)

    @property
    def is_on(self) -> bool:
        """Whether this server captions."""
        return self._child is not None

    def observe(self, listener: Callable[[CaptionEvent], None]) -> None:
        """Call a function with everything that is said in captioned rooms."""
        self._listeners.append(listener)

    def is_captioned(self, room_name: RoomName) -> bool:
        """Whether a room is captioned now."""
        return room_name in self._rooms

    async def want(self, room: Room, by: str) -> None:
        """Caption an open room on behalf of `by`, a name chosen by the caller. StoreError."""
        consents = await self._recordings.consents(room.name)
        if self._child is None or self._services.rooms.room(room.name) is not room:
            return
        captioned = self._rooms.get(room.name)
        if captioned is not None:
            captioned.wanted_by.add(by)
            return
        captioned = _Captioned(RecordingId(self._new_id(PREFIX)), room, consents, {by})
        self._rooms[room.name] = captioned
        self._child.need()
        self._services.media.start_recording(captioned.id, room.sid, b"")
        for person in tuple(room.participants.values()):
            for track in tuple(person.tracks.values()):
                self._tap(captioned, person, track)

    def drop(self, room_name: RoomName, by: str) -> None:
        """Caption a room no longer on behalf of `by`."""
        captioned = self._rooms.get(room_name)
        if captioned is not None:
            captioned.wanted_by.discard(by)
            if not captioned.wanted_by:
                self._end(captioned)

    async def close(self) -> None:
        """Caption nothing any more."""
        for captioned in tuple(self._rooms.values()):
            self._end(captioned)
        if self._child is not None:
            await self._child.close()

    def _end(self, captioned: _Captioned) -> None:
        self._end_lines(captioned)
        del self._rooms[captioned.room.name]
        self._services.media.stop_recording(captioned.id)
        if not self._rooms and self._child is not None:
            self._child.release()

    # --- tracks ----------------------------------------------------------------------------------

    def _tap(self, captioned: _Captioned, person: Participant, track: Track) -> None:
        if track.sid in captioned.tracks or track.spec.source not in _SOURCES or track.spec.encrypted:
            return
        if person.permissions.hidden or person.source is not None:
            return
        if not captioned.consents.get(person.identity, True):
            return
        tapped = recorded_track(_OPTIONS, person, track, captioned.tracks.values())
        if tapped is not None:
            captioned.tracks[track.sid] = tapped.id
            self._services.media.record_track(captioned.id, track.sid, tapped)

    def _untap(self, captioned: _Captioned, track_sid: TrackSid) -> None:
        if captioned.tracks.pop(track_sid, None) is not None:
            self._services.media.stop_recording_track(captioned.id, track_sid)

    def _update(self, captioned: _Captioned, person: Participant) -> None:
        """Tap the tracks of a person, or do so no longer, as permissions and consent are now."""
        allowed = captioned.consents.get(person.identity, True) and not person.permissions.hidden
        for track in tuple(person.tracks.values()):
            if allowed:
                self._tap(captioned, person, track)
            else:
                self._untap(captioned, track.sid)
        if not allowed:
            self._end_lines(captioned, of=person)

    def _on_consent(self, room_name: RoomName, identity: Identity, granted: bool) -> None:
        captioned = self._rooms.get(room_name)
        if captioned is None:
            return
        captioned.consents[identity] = granted
        person = captioned.room.participants.get(identity)
        if person is not None:
            self._update(captioned, person)

    def _on_event(self, event: RoomEvent) -> None:
        if isinstance(event, RoomFinished):
            captioned = self._rooms.get(event.room.name)
            if captioned is not None:
                self._end(captioned)
        elif isinstance(event, ParticipantMoved):
            self._moved(event)
        elif isinstance(event, TrackPublished | TrackUnpublished | PermissionsChanged):
            captioned = self._rooms.get(event.participant.room.name)
            if captioned is None:
                return
            if isinstance(event, TrackPublished):
                self._tap(captioned, event.participant, event.track)
            elif isinstance(event, TrackUnpublished):
                captioned.tracks.pop(event.track.sid, None)
            else:
                self._update(captioned, event.participant)

    def _moved(self, event: ParticipantMoved) -> None:
        before = self._rooms.get(event.origin.name)
        after = self._rooms.get(event.participant.room.name)
        for track in tuple(event.participant.tracks.values()):
            if before is not None:
                self._untap(before, track.sid)
            if after is not None:
                self._tap(after, event.participant, track)

    # --- what was said ---------------------------------------------------------------------------

    def _by_id(self, recording_id: RecordingId) -> _Captioned | None:
        return next((each for each in self._rooms.values() if each.id == recording_id), None)

    def _on_stopped(self, event: RecordingStopped) -> None:
        captioned = self._by_id(event.recording_id)
        if captioned is not None:
            log.error("the room %s is no longer captioned: %s", captioned.room.name, event.reason)
            self._end(captioned)

    def _on_report(self, report: CaptionReport) -> None:
        captioned = self._by_id(report.recording_id)
        if captioned is None:
            return
        if report.behind is not None:
            self._set_behind(captioned, behind=report.behind)
            return
        key = report.track_id, report.line
        line = captioned.lines.pop(key, None) or self._new_line(captioned, report)
        if line is None:
            return
        if captioned.failed:
            captioned.failed = False
            self._set_behind(captioned, behind=False)
        line = replace(line, text=report.text, tail=report.tail, final=report.final)
        if not line.final:
            captioned.lines[key] = line
        self._tell(line)

    def _new_line(self, captioned: _Captioned, report: CaptionReport) -> Spoken | None:
        """Return an empty line; None if nobody is captioned by that track, or nothing was said."""
        published = captioned.published(report.track_id)
        if published is None or not (report.text or report.tail):
            return None
        person, track = published
        number = next(self._numbers)
        return Spoken(captioned.room, person, track.sid, track.spec.source, number, "", "", final=False)

    def _end_lines(self, captioned: _Captioned, *, of: Participant | None = None) -> None:
        """Make lines final as they were told last: all of a room, or those of one person."""
        for key, line in tuple(captioned.lines.items()):
            if of is None or line.speaker is of:
                del captioned.lines[key]
                self._tell(replace(line, text=f"{line.text} {line.tail}".strip(), tail="", final=True))

    def _on_failure(self) -> None:
        for captioned in self._rooms.values():
            captioned.failed = True
            self._end_lines(captioned)
            self._set_behind(captioned, behind=True)

    def _set_behind(self, captioned: _Captioned, *, behind: bool) -> None:
        if captioned.behind != behind:
            captioned.behind = behind
            self._tell(Behind(captioned.room, behind))

    def _tell(self, event: CaptionEvent) -> None:
        for listener in self._listeners:
            listener(event)


def may_read(reader: Participant, spoken: Spoken) -> bool:
    """Whether a participant may read what another one says: those who may hear it, and the speaker."""
    speaker = spoken.speaker
    if reader is speaker:
        return True
    return (
        reader.room is spoken.room
        and reader.permissions.may_receive(speaker.identity, speaker.user_id, spoken.source)
        and speaker.rules.allow(reader.sid, reader.identity, spoken.track_sid)
    )
