"""Makes the outputs of recordings that have ended, one after another, and again those that a stopped server left."""

import asyncio
import logging
from collections import deque
from dataclasses import replace
from pathlib import Path
from typing import Final

import msgspec

from recording.files.layout import LayoutError, recording_path
from signaling.errors import StoreError
from signaling.recordings.changes import numbered
from signaling.recordings.files import FilesError, RecordingFiles
from signaling.recordings.output_state import OUTPUT, Output, OutputFile, OutputKind, output_of
from signaling.recordings.outputs.films import Films, FilmStatus, TooManyFilmsError
from signaling.recordings.recordings import Recordings
from signaling.recordings.statuses import FINISHED
from signaling.store import Store
from signaling.store.records import Recording, RecordingChange

log = logging.getLogger(__name__)

_RETRY_S: Final = 5.0
_MAX_RESUMED: Final = 1000


class OutputMaker:
    """The only place that begins a film, or lists tracks, because a recording has ended."""

    def __init__(self, recordings: Recordings, store: Store, folder: Path, films: Films) -> None:
        """`folder` is the folder of the recordings."""
        self._recordings = recordings
        self._store = store
        self._folder = folder
        self._files = RecordingFiles(folder)
        self._films = films
        self._waiting: deque[Recording] = deque()
        self._making: asyncio.Task[None] | None = None
        recordings.observe(self._ended)

    async def load(self) -> None:
        """Begin the outputs that an earlier server did not make. StoreError."""
        for row in reversed(await self._store.recordings.find(limit=_MAX_RESUMED)):
            self._ended(row)

    async def close(self) -> None:
        """Stop; the next server makes what is left."""
        if self._making is not None:
            self._making.cancel()
            await asyncio.wait([self._making])

    def _ended(self, row: Recording) -> None:
        output = output_of(row)
        if row.status != FINISHED or output.kind is OutputKind.NONE or output.settled:
            return
        self._waiting.append(row)
        if self._making is None or self._making.done():
            self._making = asyncio.get_running_loop().create_task(self._make_all())

    async def _make_all(self) -> None:
        while self._waiting:
            try:
                await self._settle(self._waiting[0])
            except (StoreError, TooManyFilmsError) as error:
                log.warning("the output of recording %s is tried again: %s", self._waiting[0].id, error)
                await asyncio.sleep(_RETRY_S)
                continue
            self._waiting.popleft()

    async def _settle(self, row: Recording) -> None:
        """Make the output of a recording, and store its state. StoreError, TooManyFilmsError."""
        kind = output_of(row).kind
        try:
            files = await (self._film(row) if kind is OutputKind.FILM else self._tracks(row))
            output = Output(kind, settled=True, files=files, error="" if files else "the recording is empty")
        except (FilesError, LayoutError, OSError) as error:
            log.warning("the output of recording %s cannot be made: %s", row.id, error)
            output = Output(kind, settled=True, error=str(error))
        changed = replace(row, details={**row.details, OUTPUT: msgspec.to_builtins(output)})
        await self._recordings.changes.replace(numbered(changed), RecordingChange.OUTPUT_SETTLED)

    async def _film(self, row: Recording) -> list[OutputFile]:
        self._films.start(row.id, "", [], [])
        state = await self._films.composed(row.id)
        if state.status is not FilmStatus.FINISHED:
            raise FilesError(state.error or "there is no file")
        return [OutputFile(self._films.file(row.id).path.name, state.octets)]

    async def _tracks(self, row: Recording) -> list[OutputFile]:
        return await asyncio.to_thread(self._listed, row)

    def _listed(self, row: Recording) -> list[OutputFile]:
        folder = recording_path(self._folder, row.id)
        found: list[OutputFile] = []
        for track in self._files.manifest(row.id).tracks:
            for part in track.parts:
                path = self._files.part(row.id, track.number, part.number).path
                found.append(OutputFile(str(path.relative_to(folder)), part.octets, track.kind))
        return found
