"""Deletion of a recording: its files, its film and its key are deleted; a row with the status `deleted` remains."""

import asyncio

from sfu.values import RecordingId
from signaling.recordings.changes import Changes
from signaling.recordings.files import FilesError, RecordingFiles
from signaling.recordings.keys import RecordingKeys
from signaling.recordings.outputs.films import Films
from signaling.recordings.statuses import DELETED
from signaling.recordings.storage.address import StorageError
from signaling.recordings.storage.archive import Archive
from signaling.store.records import Recording, RecordingChange

# Of the details of its row, a deleted recording keeps these.
_KEPT = ("tenant", "by")


class Deletion:
    """Deletes recordings that have ended."""

    def __init__(
        self, changes: Changes, keys: RecordingKeys, files: RecordingFiles | None, films: Films | None
    ) -> None:
        """`files` and `films` are None where nothing is recorded."""
        self._keys = keys
        self._changes = changes
        self._files = files
        self._films = films

    async def delete(self, row: Recording, by: str, now: float) -> Recording:
        """Delete a recording for somebody, and return what is left of its row. FilesError, StoreError."""
        if self._files is not None:
            if self._films is not None:
                await self._films.remove(row.id)
                if self._films.archive is not None:
                    await _delete_stored(self._films.archive, row.id)
            await asyncio.to_thread(self._files.delete, row.id)
        await self._keys.delete(row.id)
        details = {key: row.details[key] for key in _KEPT if key in row.details}
        details |= {"deleted_by": by, "deleted_at": now}
        gone = Recording(row.id, row.room, row.session_sid, DELETED, row.started_at, row.ended_at, details)
        await self._changes.replace(gone, RecordingChange.DELETED)
        return gone


async def _delete_stored(archive: Archive, recording_id: RecordingId) -> None:
    try:
        await archive.delete(recording_id)
    except StorageError as error:
        raise FilesError(str(error)) from error
