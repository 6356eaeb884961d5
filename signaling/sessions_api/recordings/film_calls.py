"""Films: one file of a recording to download, composed by a child process."""

import msgspec

from classroom.ids import PersonId, SessionId
from sfu.values import RecordingId
from signaling.http.api import Answer, ApiError, Route
from signaling.recordings.files import FilesError
from signaling.recordings.outputs.films import Films, FilmState, FilmStatus, TooManyFilmsError
from signaling.recordings.replay import ReplayFiles
from signaling.recordings.statuses import ACTIVE, DELETED
from signaling.sessions_api.callers import Caller
from signaling.sessions_api.desk import Desk
from signaling.sessions_api.path_ids import RecordingPath
from signaling.sessions_api.recordings.marks import Mark, all_marks
from signaling.sessions_api.recordings.recording_calls import RecordingCalls
from signaling.sessions_api.recordings.transcript_calls import TranscriptCalls
from signaling.store.records import Recording
from signaling.teaching.names import session_of


class FilmAnswer(msgspec.Struct, frozen=True):
    """State and progress of a film."""

    status: FilmStatus
    progress: float
    "From 0 to 1."
    error: str
    octets: int


class FilmCalls:
    """The handlers of films."""

    def __init__(
        self,
        desk: Desk,
        calls: RecordingCalls,
        films: Films | None,
        replay: ReplayFiles | None,
        transcripts: TranscriptCalls,
    ) -> None:
        """`films` and `replay` are None on a server without recordings."""
        self._transcripts = transcripts
        self._desk = desk
        self._calls = calls
        self._films = films
        self._replay = replay

    def routes(self) -> list[Route]:
        """Return the routes."""
        path = "/recordings/{recording}/film"
        absent = {404: "there is no such recording"}
        state = {**absent, 409: "the recording has not ended", 429: "too many films wait"}
        return [
            Route("POST", path, self.compose, state, status=202),
            Route("GET", path, self.get, absent),
            Route("DELETE", path, self.remove, absent),
        ]

    async def compose(self, caller: Caller, recording: RecordingPath) -> Answer[FilmAnswer]:
        """Compose an MP4 file of a recording, unless it exists. Films are composed one at a time."""
        row, films = await self._found(caller, recording)
        if row.status in ACTIVE:
            raise ApiError(409, "still_recording", "The recording has not ended.")
        assert self._replay is not None
        try:
            started_at = self._replay.started_at(row.id)
            owner, marks = await self._marks(caller, row, started_at)
            captions = await self._transcripts.captions_of(row, caller)
            state = films.start(row.id, owner, cues(marks), chapters(marks), captions)
        except FilesError as error:
            raise ApiError(409, "no_files", f"The recording cannot be read: {error}.") from error
        except TooManyFilmsError as error:
            raise ApiError(429, "too_many_films", "Too many films wait to be composed.") from error
        return Answer(_answer(state))

    async def get(self, caller: Caller, recording: RecordingPath) -> FilmAnswer:
        """Return the state of a recording's film."""
        row, films = await self._found(caller, recording)
        return _answer(films.state(row.id))

    async def remove(self, caller: Caller, recording: RecordingPath) -> FilmAnswer:
        """Cancel the film of a recording, or delete it."""
        row, films = await self._found(caller, recording)
        await films.remove(row.id)
        return _answer(films.state(row.id))

    async def _found(self, caller: Caller, recording: RecordingId) -> tuple[Recording, Films]:
        row = await self._calls.found(caller, recording)
        if row.status == DELETED or self._films is None:
            raise ApiError(404, "recording_deleted", "The recording has been deleted.")
        return row, self._films

    async def _marks(self, caller: Caller, row: Recording, started_at: float) -> tuple[PersonId, list[Mark]]:
        """Return the owner of a session, and the marks of its log as the owner sees them."""
        live = self._desk.session(caller, session_of(row.room) or SessionId(""))
        owner = await live.read(lambda room: room.session.owner)
        return owner, await all_marks(live, owner, started_at)


def cues(marks: list[Mark]) -> list[tuple[float, str, str]]:
    """Return the scenes of a film as (time in s, kind, person), in order."""
    found: list[tuple[float, str, str]] = []
    for each in marks:
        if each.kind == "scene":
            found.append((each.at_s, each.id, each.by))
        # A student's work is shown while the student is present.
        elif each.kind == "leave" and found and found[-1][1:] == ("student_work", each.by):
            found.append((each.at_s, "", ""))
    return found


def chapters(marks: list[Mark]) -> list[tuple[float, str]]:
    """Return the beginnings of chapters as (time in s, title): slides, scenes with a title, questions and polls."""
    found: list[tuple[float, str]] = []
    for each in marks:
        if each.kind == "slide":
            found.append((each.at_s, str(each.page)))
        elif each.kind in {"scene", "question", "poll"} and each.text:
            found.append((each.at_s, each.text))
    return found


def _answer(state: FilmState) -> FilmAnswer:
    return FilmAnswer(state.status, state.progress, state.error, state.octets)
