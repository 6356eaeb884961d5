"""Transcripts of recordings, captions, and the search in everything that the caller may watch."""

import asyncio
from enum import StrEnum
from typing import Annotated, Final

import msgspec

from classroom.errors import Refused
from classroom.features.people import Person
from classroom.ids import PersonId, SessionId
from classroom.state import Classroom
from signaling.http.api import ApiError, Document, Route
from signaling.recordings.files import FilesError
from signaling.recordings.insights.captions import cues, web_vtt
from signaling.recordings.rules import parse_track_id
from signaling.recordings.speech.transcribing import Transcribing
from signaling.recordings.speech.transcripts import Found, Line
from signaling.recordings.statuses import ACTIVE, DELETED
from signaling.sessions_api.callers import Caller
from signaling.sessions_api.desk import Desk
from signaling.sessions_api.path_ids import RecordingPath
from signaling.sessions_api.recordings.recording_calls import is_of
from signaling.sessions_api.recordings.replay_calls import ReplayCalls
from signaling.sessions_api.recordings.replay_rules import may_watch_track
from signaling.store import Store
from signaling.store.classroom.records import SessionQuery
from signaling.store.records import Recording
from signaling.teaching.names import room_name, session_of

_MAX_SESSIONS: Final = 200
"Sessions that are searched, the newest first."
# Of the lines found, some may be in sessions that the caller may not watch.
_MAX_FOUND: Final = 1000
_VTT: Final = "text/vtt; charset=utf-8"


class TranscriptStatus(StrEnum):
    """The state of a transcript."""

    NONE = "none"
    "This server does not transcribe."
    WAITING = "waiting"
    TRANSCRIBING = "transcribing"
    FINISHED = "finished"
    FAILED = "failed"


class TranscriptLine(msgspec.Struct, frozen=True):
    """What one person said in a row; times are seconds of the recording."""

    person: str
    start_s: float
    end_s: float
    text: str
    words: list[tuple[float, float, str]]
    "(start, end, word)"


class TranscriptAnswer(msgspec.Struct, frozen=True):
    """A transcript."""

    status: TranscriptStatus
    progress: float
    "From 0 to 1."
    error: str
    "Of the last attempt."
    model: str
    version: int
    lines: list[TranscriptLine]


class SearchQuery(msgspec.Struct, frozen=True, kw_only=True):
    """What to search for."""

    q: Annotated[str, msgspec.Meta(min_length=2, max_length=200)]
    "Words that a line contains, in any case and order."
    limit: Annotated[int, msgspec.Meta(ge=1, le=200)] = 50


class SearchHit(msgspec.Struct, frozen=True):
    """A line that was found."""

    session: str
    title: str
    recording: str
    person: str
    at_s: float
    text: str


class SearchAnswer(msgspec.Struct, frozen=True):
    """Lines, those of the newest recordings first."""

    data: list[SearchHit]


class TranscriptCalls:
    """The handlers of transcripts."""

    def __init__(
        self, desk: Desk, replay: ReplayCalls, store: Store, transcribing: Transcribing | None
    ) -> None:
        """`transcribing` is None on a server without recordings."""
        self._desk = desk
        self._replay = replay
        self._store = store
        self._transcribing = transcribing

    def routes(self) -> list[Route]:
        """Return the routes."""
        absent = {404: "there is no such recording"}
        return [
            Route("GET", "/transcripts", self.search),
            Route("GET", "/recordings/{recording}/transcript", self.transcript, absent),
            Route("GET", "/recordings/{recording}/captions", self.captions, absent),
        ]

    async def transcript(self, caller: Caller, recording: RecordingPath) -> TranscriptAnswer:
        """Return what was said in a recording, to those who may watch it."""
        row, _, _ = await self._replay.watched(caller, recording, lambda _room, _person: None)
        status, progress, error = await self._state(row)
        lines, model, version = await self._read(row, caller)
        shown = [_shown(line) for line in lines]
        return TranscriptAnswer(status, progress, error, model, version, shown)

    async def captions(self, caller: Caller, recording: RecordingPath) -> Document:
        """Return the transcript as captions (WebVTT)."""
        row, _, names = await self._replay.watched(caller, recording, _names)
        lines, _, _ = await self._read(row, caller)
        text = web_vtt(lines, lambda track_id: names.get(PersonId(parse_track_id(track_id)[0]), ""))
        return Document(text.encode(), _VTT)

    async def search(self, caller: Caller, query: SearchQuery) -> SearchAnswer:
        """Search the transcripts of the newest sessions that the caller may watch."""
        if self._transcribing is None:
            return SearchAnswer([])
        rows = await self._candidates(caller)
        found = await asyncio.to_thread(
            self._transcribing.transcripts.search, [row.id for row in rows], query.q, _MAX_FOUND
        )
        by_recording: dict[str, list[Found]] = {}
        for each in found:
            by_recording.setdefault(each.recording, []).append(each)
        hits: list[SearchHit] = []
        for row in rows:
            if len(hits) >= query.limit:
                break
            if row.id in by_recording:
                hits += await self._hits(caller, row, by_recording[row.id])
        return SearchAnswer(hits[: query.limit])

    # --- for other calls ---------------------------------------------------------------------------

    async def lines(self, row: Recording, caller: Caller) -> list[Line]:
        """Return the lines of a transcript that the caller may see; none if there is no transcript."""
        return (await self._read(row, caller))[0]

    async def sees_all(self, row: Recording, caller: Caller) -> bool:
        """Return whether the caller may see all of a transcript."""
        if self._transcribing is None:
            return True
        shown = await self.lines(row, caller)
        whole = await asyncio.to_thread(self._transcribing.transcripts.read, row.id)
        return whole is None or len(shown) == len(whole.lines)

    async def captions_of(self, row: Recording, caller: Caller) -> list[tuple[float, float, str]]:
        """Return (start in s, end in s, text with the speaker's name) of the captions that the caller may see."""
        lines = await self.lines(row, caller)
        if not lines:
            return []
        _, _, names = await self._replay.watched(caller, row.id, _names)
        found: list[tuple[float, float, str]] = []
        for start_s, end_s, track_id, text in cues(lines):
            name = names.get(PersonId(parse_track_id(track_id)[0]), "")
            found.append((start_s, end_s, f"{name}: {text}" if name else text))
        return found

    # --- parts -------------------------------------------------------------------------------------

    async def _read(self, row: Recording, caller: Caller) -> tuple[list[Line], str, int]:
        """Return the lines that the caller may see, the name of the model, and the version."""
        if self._transcribing is None:
            return [], "", 0
        try:
            found = await asyncio.to_thread(self._transcribing.transcripts.read, row.id)
        except FilesError as error:
            raise ApiError(404, "no_files", f"{error}.") from error
        if found is None:
            return [], "", 0
        _, _, lines = await self._replay.watched(
            caller,
            row.id,
            lambda room, person: [line for line in found.lines if _may_see(room, person, line)],
        )
        return lines, found.model, found.version

    async def _state(self, row: Recording) -> tuple[TranscriptStatus, float, str]:
        if self._transcribing is None or not self._transcribing.is_on:
            return TranscriptStatus.NONE, 0.0, ""
        step = await self._transcribing.steps.get(row.id)
        if self._transcribing.steps.is_done(step):
            return TranscriptStatus.FINISHED, 1.0, ""
        if row.id in self._transcribing.progress:
            return TranscriptStatus.TRANSCRIBING, self._transcribing.progress[row.id], step.error
        if self._transcribing.steps.is_given_up(step):
            return TranscriptStatus.FAILED, 0.0, step.error
        return TranscriptStatus.WAITING, 0.0, step.error

    async def _candidates(self, caller: Caller) -> list[Recording]:
        """Return the recordings of the caller's sessions, newest first; does not check who may watch them."""
        if caller.session:
            sessions = [caller.session]
        else:
            wanted = SessionQuery(person=None if caller.manages else caller.person)
            found = await self._store.classroom.of(caller.tenant).sessions(wanted, _MAX_SESSIONS)
            sessions = [each.id for each in found]
        rows = await self._store.recordings.of_rooms([room_name(each) for each in sessions])
        ended = (row for row in rows if row.status not in ACTIVE and row.status != DELETED)
        return sorted(
            (row for row in ended if is_of(row, caller)),
            key=lambda row: (row.started_at, row.id),
            reverse=True,
        )

    async def _hits(self, caller: Caller, row: Recording, found: list[Found]) -> list[SearchHit]:
        def look(room: Classroom, person: Person) -> tuple[str, list[Found]]:
            return room.session.title, [each for each in found if _may_see(room, person, each)]

        try:
            _, _, (title, seen) = await self._replay.watched(caller, row.id, look)
        except (Refused, ApiError):
            return []
        session = session_of(row.room) or SessionId("")
        return [
            SearchHit(session, title, row.id, parse_track_id(each.track_id)[0], each.start_s, each.text)
            for each in seen
        ]


def _may_see(room: Classroom, person: Person, line: Line | Found) -> bool:
    return may_watch_track(room, person, *parse_track_id(line.track_id))


def _names(room: Classroom, _person: Person) -> dict[PersonId, str]:
    return {person.id: person.name for person in room.people.everyone.values()}


def _shown(line: Line) -> TranscriptLine:
    words = [(word.start_s, word.end_s, word.text) for word in line.words]
    return TranscriptLine(parse_track_id(line.track_id)[0], line.start_s, line.end_s, line.text, words)
