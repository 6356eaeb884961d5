"""Has a model write notes of recordings that have a transcript: one request at a time, repeated with growing waits."""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from recording.speech.values import VERSION as TRANSCRIPT_VERSION
from recording.speech.values import Transcript
from sfu.values import RecordingId
from signaling.errors import StoreError
from signaling.recordings.files import FilesError
from signaling.recordings.notes.chat_client import ChatClient, ChatError
from signaling.recordings.notes.note_files import ModelNotes, NoteFiles
from signaling.recordings.notes.prompt import AnswerError, ModelNote, excerpts, notes_of
from signaling.recordings.recordings import Recordings
from signaling.recordings.speech.transcribing import Transcribing, has_speech
from signaling.recordings.steps import LEASE_S, Step, Steps
from signaling.store import Store

log = logging.getLogger(__name__)

_VERSION: Final = 1
"Raised when notes written before should be written again."
# Between looks for steps that are due again.
_LOOK_S: Final = 30.0
_MOST: Final = 1000


class NoteTaking:
    """Finds recordings with a transcript and without notes, and has notes written."""

    def __init__(  # noqa: PLR0913, PLR0917 - the parts of the server that notes use
        self,
        recordings: Recordings,
        store: Store,
        files: NoteFiles,
        transcribing: Transcribing,
        client: ChatClient | None,
        wall_clock: Callable[[], float],
    ) -> None:
        """Without `client`, no notes are written."""
        self._recordings = recordings
        self._store = store
        self.files = files
        self._transcribing = transcribing
        self._client = client
        self._wall_clock = wall_clock
        # A newer transcript gets new notes.
        self.steps = Steps(store, "notes", _VERSION * 1000 + TRANSCRIPT_VERSION, wall_clock)
        self._done: set[RecordingId] = set()
        "Recordings that need not be looked at again."
        self._changed: set[RecordingId] = set()
        "Recordings whose transcript has changed since their notes were begun."
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        transcribing.observe(self._news.set)

    @property
    def is_on(self) -> bool:
        """Whether notes are written."""
        return self._client is not None

    def start(self) -> None:
        """Begin to look for recordings."""
        if self._client is not None:
            self._task = asyncio.get_running_loop().create_task(self._run(self._client))

    async def close(self) -> None:
        """Stop; the next server begins unfinished notes again."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        if self._client is not None:
            await self._client.close()

    async def begin_again(self, recording_id: RecordingId) -> None:
        """Delete notes whose transcript has changed, and have others written. StoreError, FilesError."""
        self._changed.add(recording_id)
        await asyncio.to_thread(self.files.delete, recording_id)
        await self.steps.forget(recording_id)
        self._done.discard(recording_id)
        self._news.set()

    async def _run(self, client: ChatClient) -> None:
        while True:
            self._news.clear()
            try:
                for row in reversed(await self._store.recordings.find(limit=_MOST)):
                    if row.id not in self._done and has_speech(row):
                        await self._attempt(client, row.id)
            except StoreError as error:
                log.warning("notes are waiting for the database: %s", error)
            try:
                async with asyncio.timeout(_LOOK_S):
                    await self._news.wait()
            except TimeoutError:
                continue

    async def _attempt(self, client: ChatClient, recording_id: RecordingId) -> None:
        """Have notes written if that is due. StoreError."""
        if self.steps.is_done(await self.steps.get(recording_id)):
            self._done.add(recording_id)
            return
        transcript_step = await self._transcribing.steps.get(recording_id)
        if not self._transcribing.steps.is_done(transcript_step):
            return
        step = await self.steps.claim(recording_id)
        if step is None:
            return
        self._changed.discard(recording_id)
        try:
            written = await self._write(client, recording_id, step)
        except (ChatError, AnswerError, FilesError) as error:
            after = await self.steps.failed(recording_id, step, str(error))
            log.warning("the notes of recording %s, attempt %d: %s", recording_id, after.attempts, error)
        except asyncio.CancelledError:
            await self.steps.released(recording_id, step)
            raise
        else:
            if written and recording_id not in self._changed:
                await self.steps.done(recording_id)
            else:
                await self.steps.forget(recording_id)
                self._news.set()

    async def _write(self, client: ChatClient, recording_id: RecordingId, step: Step) -> bool:
        """Return whether notes are stored. ChatError, AnswerError, FilesError, StoreError."""
        transcripts = self._transcribing.transcripts
        transcript = await asyncio.to_thread(transcripts.read, recording_id)
        if transcript is None:
            return True
        notes: list[ModelNote] = []
        renewed_at = self._wall_clock()
        for excerpt in excerpts(transcript.lines):
            notes += notes_of(await client.ask(excerpt.messages()), excerpt)
            if self._wall_clock() - renewed_at > LEASE_S / 3:
                step, renewed_at = await self.steps.renew(recording_id, step), self._wall_clock()
        found = ModelNotes(client.settings.model, notes)
        return await asyncio.to_thread(self._store_notes, recording_id, found, transcript)

    def _store_notes(self, recording_id: RecordingId, notes: ModelNotes, of: Transcript) -> bool:
        transcripts = self._transcribing.transcripts
        return self.files.write(recording_id, notes, lambda: transcripts.read(recording_id) == of)
