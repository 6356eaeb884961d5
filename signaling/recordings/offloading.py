"""Moves the media files of finished recordings to the bucket, in the background, as long as nothing needs them here."""

import logging
from collections.abc import Awaitable, Callable
from typing import Final

from sfu.values import RecordingId
from signaling.recordings.output_state import FILE_NAME, OutputKind, output_of
from signaling.recordings.recordings import Recordings
from signaling.recordings.statuses import FAILED, FINISHED
from signaling.recordings.storage.address import StorageError
from signaling.recordings.storage.archive import Archive
from signaling.recurring import Recurring
from signaling.store import Store
from signaling.store.records import Recording

log = logging.getLogger(__name__)

_LOOK_S: Final = 60.0
_MOST: Final = 1000
"Recordings that are looked at, the newest."

IsNeeded = Callable[[RecordingId], Awaitable[bool]]
"Whether something is going to work on the files of a recording. StoreError."


class Offloading(Recurring):
    """Looks for recordings to move at the start of the server, when a recording ends, and every minute."""

    def __init__(self, recordings: Recordings, store: Store, archive: Archive, is_needed: IsNeeded) -> None:
        """Listen to ends of recordings."""
        super().__init__(_LOOK_S, "recordings stay in the folder")
        self._recordings = recordings
        self._store = store
        self._archive = archive
        self._is_needed = is_needed
        recordings.observe(lambda _row: self.hasten())

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


def _is_complete(row: Recording) -> bool:
    """Whether all files of a recording exist. Those of the Egress service stay where `location` says."""
    if row.status not in {FINISHED, FAILED} or FILE_NAME in row.details:
        return False
    output = output_of(row)
    return output.kind is OutputKind.NONE or output.settled or row.status == FAILED
