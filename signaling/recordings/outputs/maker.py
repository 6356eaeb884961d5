"""Makes the outputs of recordings that have ended, one after another, and again those that a stopped server left."""

import asyncio
import logging
from collections import deque
from collections.abc import Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import msgspec

from recording.files.layout import LayoutError
from signaling.errors import StoreError
from signaling.recordings.changes import numbered
from signaling.recordings.files import FilesError, RecordingFiles
from signaling.recordings.output_state import (
    OUTPUT,
    UPLOAD,
    Output,
    OutputFile,
    OutputKind,
    Upload,
    output_of,
    upload_of,
)
from signaling.recordings.outputs.films import Films, FilmStatus, TooManyFilmsError
from signaling.recordings.outputs.uploads import open_upload, upload_files
from signaling.recordings.recordings import Recordings
from signaling.recordings.statuses import FAILED, FINISHED
from signaling.recordings.storage.address import StorageError
from signaling.recordings.storage.content import PartFile
from signaling.store import Store
from signaling.store.records import Recording, RecordingChange

log = logging.getLogger(__name__)

_RETRY_S: Final = 5.0
_CONCURRENT_UPLOADS: Final = 2
_MAX_UPLOADS: Final = 3
_UPLOAD_RETRY_S: Final = 60.0
_MAX_RESUMED: Final = 1000
# tracks/0001/0001.webm
_PART_DEPTH: Final = 3


class OutputMaker:
    """The only place that begins a film, or lists tracks, because a recording has ended."""

    def __init__(self, recordings: Recordings, store: Store, films: Films, files: RecordingFiles) -> None:
        """Use the films and the files of the recordings."""
        self._recordings = recordings
        self._store = store
        self._files = files
        self._films = films
        self._waiting: deque[Recording] = deque()
        self._making: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._turn = asyncio.Semaphore(_CONCURRENT_UPLOADS)
        recordings.observe(self._ended)

    async def load(self) -> None:
        """Begin the outputs that an earlier server did not make. StoreError."""
        for row in reversed(await self._store.recordings.find(limit=_MAX_RESUMED)):
            self._ended(row)

    async def close(self) -> None:
        """Stop; the next server makes what is left."""
        tasks = {*self._tasks, *([] if self._making is None else [self._making])}
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    def _ended(self, row: Recording) -> None:
        output, upload = output_of(row), upload_of(row)
        if row.status == FAILED and upload is not None and upload.sealed:
            self._spawn(self._forget_key(row, upload))
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
        """Make the output of a recording, and store its state unless it is uploaded. StoreError, TooManyFilmsError."""
        kind = output_of(row).kind
        try:
            files = await (self._film(row) if kind is OutputKind.FILM else self._tracks(row))
            output = Output(kind, settled=True, files=files, error="" if files else "the recording is empty")
        except (FilesError, LayoutError, OSError) as error:
            log.warning("the output of recording %s cannot be made: %s", row.id, error)
            output = Output(kind, settled=True, error=str(error))
        upload = upload_of(row)
        if upload is None or not output.files:
            await self._store_state(row, output)
            return
        # In a task of its own: a slow bucket delays no other recording.
        self._spawn(self._upload(row, upload, output))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _forget_key(self, row: Recording, upload: Upload) -> None:
        """Remove the access key of a recording of which nothing will be uploaded."""
        try:
            await self._recordings.edit(row, **{UPLOAD: msgspec.to_builtins(_without_key(upload))})
        except StoreError as error:
            log.warning("the access key of recording %s is removed later: %s", row.id, error)

    async def _store_state(self, row: Recording, output: Output) -> None:
        """Store the state of an output; its upload's access key is needed no longer. StoreError."""
        details = {**row.details, OUTPUT: msgspec.to_builtins(output)}
        upload = upload_of(row)
        if upload is not None:
            details[UPLOAD] = msgspec.to_builtins(_without_key(upload))
        changed = replace(row, details=details)
        await self._recordings.changes.replace(numbered(changed), RecordingChange.OUTPUT_SETTLED)

    async def _upload(self, row: Recording, upload: Upload, output: Output) -> None:
        """Copy an output to its bucket, and store its state."""
        async with self._turn:
            output = await self._uploaded(row, upload, output)
        while True:
            try:
                await self._store_state(row, output)
            except StoreError as error:
                log.warning("the output of recording %s is not stored yet: %s", row.id, error)
                await asyncio.sleep(_RETRY_S)
            else:
                return

    async def _uploaded(self, row: Recording, upload: Upload, output: Output) -> Output:
        error: Exception | None = None
        for attempt in range(_MAX_UPLOADS):
            # A request has been repeated for minutes already (`storage.bucket`): the bucket may be gone for longer.
            await asyncio.sleep(_UPLOAD_RETRY_S * attempt)
            try:
                bucket = open_upload(upload, self._store.vault)
                sources = [(file, await asyncio.to_thread(self._source, row, file)) for file in output.files]
                files = await upload_files(bucket, row, sources)
            except StorageError as failure:
                error = failure
                log.warning("recording %s is not uploaded: %s", row.id, failure)
            except (FilesError, LayoutError, ValueError) as failure:
                error = failure
                break
            else:
                return msgspec.structs.replace(output, files=files)
        return msgspec.structs.replace(output, error=f"the file is not uploaded: {error}")

    async def _film(self, row: Recording) -> list[OutputFile]:
        self._films.start(row.id, "", [], [])
        state = await self._films.composed(row.id)
        if state.status is not FilmStatus.FINISHED:
            raise FilesError(state.error or "there is no file")
        return [OutputFile(self._films.file(row.id).path.name, state.octets)]

    async def _tracks(self, row: Recording) -> list[OutputFile]:
        return await asyncio.to_thread(self._listed, row)

    def _listed(self, row: Recording) -> list[OutputFile]:
        found: list[OutputFile] = []
        for track in self._files.manifest(row.id).tracks:
            for part in track.parts:
                path = self._files.part(row.id, track.number, part.number).path
                found.append(OutputFile("/".join(path.parts[-_PART_DEPTH:]), part.octets, track.kind))
        return found

    def _source(self, row: Recording, file: OutputFile) -> PartFile:
        """Return the file of an output. FilesError."""
        if output_of(row).kind is OutputKind.FILM:
            return self._films.file(row.id)
        track, part = Path(file.path).parent.name, Path(file.path).stem
        return self._files.part(row.id, int(track), int(part))


def _without_key(upload: Upload) -> Upload:
    return msgspec.structs.replace(upload, sealed="")
