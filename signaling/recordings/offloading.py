"""Moves the media files of finished recordings to the bucket, in the background, as long as nothing needs them here."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from sfu.values import RecordingId
from signaling.errors import StoreError
from signaling.recordings.output_state import FILE_NAME, OutputKind, output_of
from signaling.recordings.recordings import Recordings
from signaling.recordings.statuses import FAILED, FINISHED
from signaling.recordings.storage.address import StorageError
from signaling.recordings.storage.archive import Archive
from signaling.store import Store
from signaling.store.records import Recording

log = logging.getLogger(__name__)

_LOOK_S: Final = 60.0
_MOST: Final = 1000
"Recordings that are looked at, the newest."

IsNeeded = Callable[[RecordingId], Awaitable[bool]]
"Whether something is going to work on the files of a recording. StoreError."


class Offloading:
    """Looks for recordings to move at the start of the server, when a recording ends, and every minute."""

    def __init__(self, recordings: Recordings, store: Store, archive: Archive, is_needed: IsNeeded) -> None:
        """Listen to ends of recordings."""
        self._recordings = recordings
        self._store = store
        self._archive = archive
        self._is_needed = is_needed
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        recordings.observe(lambda _row: self._news.set())

    def start(self) -> None:
        """Begin."""
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def close(self) -> None:
        """Stop; the next server continues."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def apply(self) -> int:
        """Move what can be moved; return the number of copied files. StoreError."""
        await self._recordings.changes.written()
        copied = 0
        for row in reversed(await self._store.recordings.find(limit=_MOST)):
            if not _is_complete(row) or await self._is_needed(row.id):
                continue
            try:
                copied += await self._archive.store(row.id)
            except StorageError as error:
                log.warning("recording %s stays in the folder: %s", row.id, error)
        return copied

    async def _run(self) -> None:
        while True:
            self._news.clear()
            try:
                await self.apply()
            except StoreError as error:
                log.warning("recordings stay in the folder: %s", error)
            try:
                async with asyncio.timeout(_LOOK_S):
                    await self._news.wait()
            except TimeoutError:
                continue


def _is_complete(row: Recording) -> bool:
    """Whether all files of a recording exist. Those of the Egress service stay where `location` says."""
    if row.status not in {FINISHED, FAILED} or FILE_NAME in row.details:
        return False
    output = output_of(row)
    return output.kind is OutputKind.NONE or output.settled or row.status == FAILED
