"""Films of recordings: composed one at a time by a child process that reports its progress; the files are stored."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

import msgspec

from recording.compose.plan import Caption, Chapter, Cue, Job
from recording.files.layout import LayoutError, recording_path
from recording.files.media_file import film_cipher, film_description
from sfu.values import RecordingId
from signaling.recordings.children import Child
from signaling.recordings.files import FilesError, file_at
from signaling.recordings.keys import KeyOf, no_key
from signaling.recordings.storage.address import StorageError
from signaling.recordings.storage.archive import Archive, local
from signaling.recordings.storage.content import PartFile
from signaling.recordings.storage.stored import FILM_FILE

log = logging.getLogger(__name__)

_MODULE: Final = "recording.compose.process"
_MOST_WAITING: Final = 20
# A child without output for this long is stuck: a second of film takes a few seconds on a busy machine.
_SILENCE_S: Final = 300.0


class FilmStatus(StrEnum):
    """The state of a film."""

    NONE = "none"
    WAITING = "waiting"
    COMPOSING = "composing"
    FINISHED = "finished"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class FilmState:
    """State and progress of a film."""

    status: FilmStatus
    progress: float = 0.0
    "From 0 to 1."
    error: str = ""
    octets: int = 0


class TooManyFilmsError(Exception):
    """Too many films are waiting to be composed."""


class _Report(msgspec.Struct, frozen=True):
    """One line of the child's output."""

    progress: float = 0.0
    error: str = ""


@dataclass(slots=True)
class _Work:
    """A film that is waiting, in progress, or failed."""

    state: FilmState
    task: "asyncio.Task[None] | None" = None


class Films:
    """The films of all recordings in a folder."""

    def __init__(self, folder: Path, archive: Archive | None = None, key_of: KeyOf = no_key) -> None:
        """`folder` is the folder of the recordings; a film is stored beside its recording's files."""
        self.archive = archive
        self._key_of = key_of
        self._folder = folder
        self._works: dict[str, _Work] = {}
        self._turn = asyncio.Semaphore(1)

    def state(self, recording_id: RecordingId) -> FilmState:
        """Return the state of a recording's film."""
        work = self._works.get(recording_id)
        if work is not None:
            return work.state
        try:
            file = self._file(recording_id)
            octets = file.octets()
        except (FilesError, OSError):
            return FilmState(FilmStatus.NONE)
        return FilmState(FilmStatus.FINISHED, 1.0, "", octets)

    def start(
        self,
        recording_id: RecordingId,
        owner: str,
        cues: Sequence[tuple[float, str, str]],
        chapters: Sequence[tuple[float, str]],
        captions: Sequence[tuple[float, float, str]] = (),
    ) -> FilmState:
        """Compose a film, unless it exists or is in progress. FilesError, TooManyFilmsError.

        `owner` is shown while nobody speaks; `cues` are (time in s, kind, person), `chapters` are (time in s, title),
        `captions` are (start in s, end in s, text).
        """
        before = self.state(recording_id)
        if before.status not in {FilmStatus.NONE, FilmStatus.FAILED}:
            return before
        if sum(work.task is not None for work in self._works.values()) >= _MOST_WAITING:
            raise TooManyFilmsError("too many films wait to be composed")
        try:
            key = self._key_of(recording_id)
        except LayoutError as error:
            raise FilesError(str(error)) from error
        job = Job(
            str(self._folder),
            recording_id,
            str(self._path(recording_id)),
            owner,
            [Cue(*cue) for cue in cues],
            [Chapter(*chapter) for chapter in chapters],
            [Caption(*caption) for caption in captions],
            key,
        )
        work = self._works[recording_id] = _Work(FilmState(FilmStatus.WAITING))
        work.task = asyncio.get_running_loop().create_task(self._compose(job, work))
        return work.state

    async def composed(self, recording_id: RecordingId) -> FilmState:
        """Return the state of a film once it is neither waiting nor in progress."""
        work = self._works.get(recording_id)
        if work is not None and work.task is not None:
            await asyncio.wait([work.task])
        return self.state(recording_id)

    async def remove(self, recording_id: RecordingId) -> None:
        """Cancel a film, or delete it. FilesError."""
        work = self._works.pop(recording_id, None)
        if work is not None and work.task is not None:
            work.task.cancel()
            await asyncio.wait([work.task])
        path = self._path(recording_id)
        try:
            if self.archive is not None:
                await self.archive.delete_file(recording_id, FILM_FILE)
            path.unlink(missing_ok=True)
            film_description(path).unlink(missing_ok=True)
            path.with_suffix(".part").unlink(missing_ok=True)
        except (OSError, StorageError) as error:
            raise FilesError(f"the film cannot be deleted: {error}") from error

    def file(self, recording_id: RecordingId) -> PartFile:
        """Return the file of a film. FilesError."""
        if self.state(recording_id).status is not FilmStatus.FINISHED:
            raise FilesError("there is no film of this recording")
        return self._file(recording_id)

    def is_needed(self, recording_id: RecordingId) -> bool:
        """Whether a film of a recording is waiting or in progress."""
        work = self._works.get(recording_id)
        return work is not None and work.task is not None

    async def close(self) -> None:
        """Cancel all films in progress."""
        tasks = [work.task for work in self._works.values() if work.task is not None]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    def _path(self, recording_id: RecordingId) -> Path:
        try:
            return recording_path(self._folder, recording_id) / FILM_FILE
        except LayoutError as error:
            raise FilesError(str(error)) from error

    def _file(self, recording_id: RecordingId) -> PartFile:
        path = self._path(recording_id)
        try:
            cipher = film_cipher(path, self._key_of(recording_id))
        except LayoutError as error:
            raise FilesError(str(error)) from error
        return file_at(path, path.parent, "video/mp4", cipher)

    async def _compose(self, job: Job, work: _Work) -> None:
        async with self._turn:
            try:
                async with local(self.archive, RecordingId(job.recording)):
                    error = await self._run(job, work)
            except (OSError, ValueError, TimeoutError, StorageError) as failure:
                error = str(failure) or "the process does not answer"
        if error:
            log.error("the film of recording %s has failed: %s", job.recording, error)
            work.state, work.task = FilmState(FilmStatus.FAILED, error=error), None
        elif self._works.get(job.recording) is work:
            del self._works[job.recording]

    @staticmethod
    async def _run(job: Job, work: _Work) -> str:
        """Run the child; return the reason of its failure, or an empty string."""
        error = ""
        async with Child(_MODULE, msgspec.json.encode(job), _SILENCE_S) as child:
            work.state = FilmState(FilmStatus.COMPOSING)
            async for line in child:
                report = msgspec.json.decode(line, type=_Report)
                error = report.error or error
                work.state = FilmState(FilmStatus.COMPOSING, report.progress)
            status = await child.status()
        return error or (f"the process ended with status {status}" if status else "")
