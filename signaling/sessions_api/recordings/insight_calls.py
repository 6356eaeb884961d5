"""Chapters, highlights and notes of a recording, and the bookmarks that tutors set in it."""

import asyncio
from enum import StrEnum
from typing import Annotated, Final

import msgspec

from classroom.features.people import Person
from classroom.ids import SessionId
from classroom.state import Classroom
from signaling.http.api import ApiError, Route
from signaling.recordings.files import FilesError
from signaling.recordings.insights.chapters import Change, Chapter, chapters
from signaling.recordings.insights.highlights import Highlight, bursts, ordered
from signaling.recordings.insights.topics import Topics
from signaling.recordings.notes.note_taking import NoteTaking
from signaling.recordings.notes.prompt import ModelNote
from signaling.recordings.recordings import Recordings
from signaling.recordings.rules import parse_track_id
from signaling.sessions_api.callers import Caller
from signaling.sessions_api.desk import Desk
from signaling.sessions_api.path_ids import RecordingPath
from signaling.sessions_api.recordings.marks import Mark, all_marks
from signaling.sessions_api.recordings.recording_calls import RecordingCalls
from signaling.sessions_api.recordings.replay_calls import ReplayCalls
from signaling.sessions_api.recordings.transcript_calls import TranscriptCalls
from signaling.store.records import Recording

_BOOKMARKS: Final = "bookmarks"
"Key of a row's details: [time in s, text, person] each."
_MAX_BOOKMARKS: Final = 500
_NOTES_OF_CHAPTER: Final = 3


class ChapterList(msgspec.Struct, frozen=True):
    """Chapters in the order of time, without holes."""

    data: list[Chapter]


class HighlightList(msgspec.Struct, frozen=True):
    """Highlights in the order of time."""

    data: list[Highlight]


class NoteOrigin(StrEnum):
    """Where a note comes from."""

    SAID = "said"
    "It is a sentence of the transcript."
    MODEL = "model"
    "A language model wrote it."


class Note(msgspec.Struct, frozen=True):
    """A note about a moment."""

    at_s: float
    person: str
    "Who said it; empty for a note by a model."
    text: str
    origin: NoteOrigin


class ChapterNotes(msgspec.Struct, frozen=True):
    """Notes of a chapter: those by a model in the order of time, then the most central sentences."""

    start_s: float
    title: str
    notes: list[Note]


class ModelStatus(StrEnum):
    """The state of the notes by a model."""

    NONE = "none"
    "This server has no model for notes, or the caller may not see everything that was said."
    WAITING = "waiting"
    FINISHED = "finished"
    FAILED = "failed"


class ModelState(msgspec.Struct, frozen=True):
    """The notes by a model."""

    status: ModelStatus
    name: str = ""
    "Of the model."
    error: str = ""
    "Of the last attempt."


class Notes(msgspec.Struct, frozen=True):
    """Notes, chapter by chapter."""

    data: list[ChapterNotes]
    model: ModelState


class NewBookmark(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A moment to find again."""

    at_s: Annotated[float, msgspec.Meta(ge=0, le=10_000_000)] | None = None
    "Seconds of the recording; absent: now."
    text: Annotated[str, msgspec.Meta(max_length=200)] = ""


class InsightCalls:
    """The handlers."""

    def __init__(  # noqa: PLR0913, PLR0917 - the parts of the server that insights use
        self,
        desk: Desk,
        recordings: Recordings,
        calls: RecordingCalls,
        replay: ReplayCalls,
        transcripts: TranscriptCalls,
        notes: NoteTaking | None,
    ) -> None:
        """Use the calls that decide who may watch a recording; `notes` is None on a server without recordings."""
        self._notes = notes
        self._desk = desk
        self._recordings = recordings
        self._calls = calls
        self._replay = replay
        self._transcripts = transcripts

    def routes(self) -> list[Route]:
        """Return the routes."""
        absent, one = {404: "there is no such recording"}, "/recordings/{recording}"
        full = {**absent, 409: "there are too many bookmarks"}
        return [
            Route("GET", f"{one}/chapters", self.chapters, absent),
            Route("GET", f"{one}/highlights", self.highlights, absent),
            Route("GET", f"{one}/notes", self.notes, absent),
            Route("POST", f"{one}/bookmarks", self.bookmark, full, status=201),
        ]

    async def chapters(self, caller: Caller, recording: RecordingPath) -> ChapterList:
        """Return chapters by slides, scenes, pages of the whiteboard and changes of topic."""
        return ChapterList((await self._divided(caller, recording))[0])

    async def highlights(self, caller: Caller, recording: RecordingPath) -> HighlightList:
        """Return questions, polls, bookmarks, and bursts of chat."""
        row, marks = await self._marks(caller, recording)
        length_s = _length_s(row)
        found = [
            Highlight(each.at_s, each.kind, each.text, each.by)
            for each in marks
            if each.kind in {"question", "poll"}
        ]
        found += [Highlight(at_s, "bookmark", text, by) for at_s, text, by in row.details.get(_BOOKMARKS, ())]
        found += bursts([each.at_s for each in marks if each.kind == "chat" and each.at_s >= 0], length_s)
        return HighlightList(ordered(found, length_s))

    async def notes(self, caller: Caller, recording: RecordingPath) -> Notes:
        """Return the most central sentences of each chapter, as they were said, and the notes by a model."""
        found, topics = await self._divided(caller, recording)
        state, by_model = await self._by_model(caller, recording)
        notes = [
            ChapterNotes(
                chapter.start_s,
                chapter.title,
                [
                    *(
                        Note(each.at_s, "", each.text, NoteOrigin.MODEL)
                        for each in by_model
                        if chapter.start_s <= each.at_s < chapter.end_s
                    ),
                    *(
                        Note(line.start_s, parse_track_id(line.track_id)[0], line.text, NoteOrigin.SAID)
                        for line in topics.central(chapter.start_s, chapter.end_s, _NOTES_OF_CHAPTER)
                    ),
                ],
            )
            for chapter in found
        ]
        return Notes([each for each in notes if each.notes], state)

    async def _by_model(self, caller: Caller, recording: RecordingPath) -> tuple[ModelState, list[ModelNote]]:
        """Return the notes by a model: they are about everything that was said, so only for those who may see that."""
        row, _, _ = await self._replay.watched(caller, recording, lambda _room, _person: None)
        if self._notes is None or not await self._transcripts.sees_all(row, caller):
            return ModelState(ModelStatus.NONE), []
        try:
            found = await asyncio.to_thread(self._notes.files.read, row.id)
        except FilesError as error:
            raise ApiError(404, "no_files", f"{error}.") from error
        if found is not None:
            return ModelState(ModelStatus.FINISHED, found.model), found.notes
        if not self._notes.is_on:
            return ModelState(ModelStatus.NONE), []
        step = await self._notes.steps.get(row.id)
        given_up = self._notes.steps.is_given_up(step)
        status = ModelStatus.FAILED if given_up else ModelStatus.WAITING
        return ModelState(status, error=step.error), []

    async def bookmark(self, caller: Caller, recording: RecordingPath, body: NewBookmark) -> Highlight:
        """Bookmark a moment of a recording, also while it is in progress; tutors only."""
        row = await self._calls.found(caller, recording, tutor=True)
        present = row.details.get(_BOOKMARKS, [])
        if len(present) >= _MAX_BOOKMARKS:
            raise ApiError(409, "too_many_bookmarks", f"A recording has {_MAX_BOOKMARKS} bookmarks at most.")
        at_s = body.at_s
        if at_s is None:
            at_s = max((row.ended_at or self._desk.now) - row.started_at, 0.0)
        made = Highlight(round(at_s, 3), "bookmark", body.text, caller.person)
        await self._recordings.edit(row, bookmarks=[*present, [made.at_s, made.text, made.by]])
        return made

    async def _divided(self, caller: Caller, recording: RecordingPath) -> tuple[list[Chapter], Topics]:
        row, marks = await self._marks(caller, recording)
        lines = await self._transcripts.lines(row, caller)
        topics = Topics(lines)
        changes = [change for each in marks if (change := _change(each)) is not None]
        length_s = max(_length_s(row), *(line.end_s for line in lines), 0.0)
        return chapters(changes, topics, length_s), topics

    async def _marks(self, caller: Caller, recording: RecordingPath) -> tuple[Recording, list[Mark]]:
        """Return a recording, and the marks of its session's log as the caller may see them."""

        def look(_room: Classroom, person: Person) -> Person:
            return person

        row, session, person = await self._replay.watched(caller, recording, look)
        live = self._desk.session(caller, SessionId(session))
        return self._recordings.latest(row), await all_marks(
            live, person.id, await self._replay.started_at(row)
        )


def _change(mark: Mark) -> Change | None:
    if mark.kind == "slide":
        return mark.at_s, "slide", "", mark.page
    if mark.kind == "scene":
        return mark.at_s, "scene", mark.text, 0
    if mark.kind == "board":
        return mark.at_s, "board", "", 0
    return None


def _length_s(row: Recording) -> float:
    return float(row.details.get("length_s", 0.0))
