"""Transcribes recordings of sessions after their end, one at a time, by a child process at the lowest priority."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from recording.files.layout import LayoutError
from recording.speech.values import VERSION, Line, SpeechJob, SpeechReport, Transcript
from sfu.values import RecordingId
from signaling.errors import StoreError
from signaling.recordings.children import Child
from signaling.recordings.files import FilesError
from signaling.recordings.keys import KeyOf, no_key
from signaling.recordings.output_state import OutputKind, output_of
from signaling.recordings.recordings import Recordings
from signaling.recordings.speech.transcripts import Transcripts
from signaling.recordings.statuses import ACTIVE, DELETED, FAILED, FINISHED
from signaling.recordings.steps import LEASE_S, Step, Steps
from signaling.recordings.storage.address import StorageError
from signaling.recordings.storage.archive import Archive, local
from signaling.store import Store
from signaling.store.records import Recording

log = logging.getLogger(__name__)

_MODULE: Final = "recording.speech.process"
# Between looks for steps that are due again.
_LOOK_S: Final = 30.0
_MOST: Final = 1000
# A child without output for this long is stuck: a minute of sound is transcribed between two lines of output.
_SILENCE_S: Final = 900.0


@dataclass(frozen=True, slots=True)
class SpeechSettings:
    """The operator's choice."""

    model: Path | None
    "Folder of a CTranslate2 Whisper model; None: nothing is transcribed."
    language: str = ""
    "ISO 639-1; empty: detected."


class StepError(Exception):
    """A step has failed."""


class Transcribing:
    """Finds recordings without a transcript, and makes it."""

    def __init__(  # noqa: PLR0913, PLR0917 - the parts of the server that transcripts use
        self,
        recordings: Recordings,
        store: Store,
        folder: Path,
        settings: SpeechSettings,
        wall_clock: Callable[[], float],
        archive: Archive | None = None,
        key_of: KeyOf = no_key,
    ) -> None:
        """`folder` is the folder of the recordings."""
        self._key_of = key_of
        self._archive = archive
        self._store = store
        self._recordings = recordings
        self._folder = folder
        self._settings = settings
        self._wall_clock = wall_clock
        self.transcripts = Transcripts(folder, key_of)
        self.steps = Steps(store, "transcript", VERSION, wall_clock)
        self.progress: dict[RecordingId, float] = {}
        "From 0 to 1, of the recordings that are being transcribed."
        self._listeners: list[Callable[[], None]] = []
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        recordings.observe(lambda _row: self._news.set())

    @property
    def is_on(self) -> bool:
        """Whether recordings are transcribed."""
        return self._settings.model is not None

    def observe(self, listener: Callable[[], None]) -> None:
        """Call a function whenever a transcript has been made."""
        self._listeners.append(listener)

    def start(self) -> None:
        """Begin to look for recordings."""
        if self.is_on:
            self._task = asyncio.get_running_loop().create_task(self._run())

    async def close(self) -> None:
        """Stop; the next server begins an unfinished transcript again."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _run(self) -> None:
        while True:
            self._news.clear()
            try:
                await self._recordings.changes.written()
                for row in reversed(await self._store.recordings.find(limit=_MOST)):
                    if has_speech(row):
                        await self._attempt(row.id)
            except StoreError as error:
                log.warning("transcripts are waiting for the database: %s", error)
            try:
                async with asyncio.timeout(_LOOK_S):
                    await self._news.wait()
            except TimeoutError:
                continue

    async def is_needed(self, recording_id: RecordingId) -> bool:
        """Whether a recording is going to be transcribed. StoreError."""
        if self._settings.model is None:
            return False
        row = await self._store.recordings.get(recording_id)
        if row is None or not has_speech(row):
            return False
        step = await self.steps.get(recording_id)
        return not self.steps.is_done(step) and not self.steps.is_given_up(step)

    async def _attempt(self, recording_id: RecordingId) -> None:
        """Make a transcript if that is due. StoreError."""
        step = await self.steps.claim(recording_id)
        if step is None:
            return
        self.progress[recording_id] = 0.0
        try:
            async with local(self._archive, recording_id):
                lines = await self._lines(recording_id, step)
            await asyncio.to_thread(self._store_lines, recording_id, lines)
        except (StepError, FilesError, StorageError, OSError, TimeoutError, ValueError) as error:
            why = str(error) or "the process does not answer"
            after = await self.steps.failed(recording_id, step, why)
            log.warning("the transcript of recording %s, attempt %d: %s", recording_id, after.attempts, why)
        except asyncio.CancelledError:
            await self.steps.released(recording_id, step)
            raise
        else:
            await self.steps.done(recording_id)
            for listener in self._listeners:
                listener()
        finally:
            self.progress.pop(recording_id, None)

    async def _lines(self, recording_id: RecordingId, step: Step) -> list[Line]:
        """Run the child; return the lines in the order of time. StepError, OSError, TimeoutError, ValueError."""
        try:
            key = self._key_of(recording_id)
        except LayoutError as error:
            raise StepError(str(error)) from error
        job = SpeechJob(
            str(self._folder), recording_id, str(self._settings.model), self._settings.language, key=key
        )
        lines: list[Line] = []
        renewed_at, done = self._wall_clock(), False
        async with Child(_MODULE, msgspec.json.encode(job), _SILENCE_S) as child:
            async for output in child:
                report = msgspec.json.decode(output, type=SpeechReport)
                if report.error:
                    raise StepError(report.error)
                if report.line is not None:
                    lines.append(report.line)
                else:
                    self.progress[recording_id] = report.progress
                done = done or report.done
                if self._wall_clock() - renewed_at > LEASE_S / 2:
                    step, renewed_at = await self.steps.renew(recording_id, step), self._wall_clock()
            status = await child.status()
        if not done:
            raise StepError(f"the process ended with status {status}")
        return sorted(lines, key=lambda line: line.start_s)

    def _store_lines(self, recording_id: RecordingId, lines: list[Line]) -> None:
        assert self._settings.model is not None
        self.transcripts.write(recording_id, Transcript(VERSION, self._settings.model.name, lines))


def has_speech(row: Recording) -> bool:
    """Return whether a recording is transcribed; one that an application's API has started has files of its own."""
    if row.status in ACTIVE or row.status == DELETED or row.ended_at is None:
        return False
    return row.status in {FINISHED, FAILED} and output_of(row).kind is OutputKind.NONE
