"""Erasure of a person from recordings: their tracks, what they said, and films with both are deleted."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from sfu.values import RecordingId
from signaling.errors import StoreError
from signaling.ids import Identity, RoomName
from signaling.recordings.changes import numbered
from signaling.recordings.files import FilesError, RecordingFiles
from signaling.recordings.notes.note_taking import NoteTaking
from signaling.recordings.outputs.films import Films
from signaling.recordings.recordings import Recordings
from signaling.recordings.rules import parse_track_id
from signaling.recordings.speech.transcripts import Transcripts
from signaling.recordings.statuses import ACTIVE, DELETED
from signaling.recordings.storage.address import StorageError
from signaling.store import Store
from signaling.store.records import Recording, RecordingChange

ERASED: Final = "erased"


class Erasure:
    """Erases people from the recordings of rooms."""

    def __init__(  # noqa: PLR0913, PLR0917 - the parts that keep something about people
        self,
        recordings: Recordings,
        store: Store,
        files: RecordingFiles,
        films: Films,
        transcripts: Transcripts,
        notes: NoteTaking,
    ) -> None:
        """Use the parts that keep files of recordings."""
        self._recordings = recordings
        self._store = store
        self._files = files
        self._films = films
        self._transcripts = transcripts
        self._notes = notes

    async def erase(self, tenant: str, rooms: Sequence[RoomName], person: str) -> int:
        """Erase a person from a tenant's recordings of rooms; return the number of tracks. FilesError, StoreError.

        A repetition after a failure continues where it stopped. StoreError if a recording is in progress.
        """
        tracks = 0
        for row in await self._store.recordings.of_rooms(rooms):
            if row.details.get("tenant") != tenant or row.status == DELETED:
                continue
            if row.status in ACTIVE:
                raise StoreError(f"recording {row.id} is in progress")
            tracks += await self._erase(row, person)
        for room in rooms:
            await self._recordings.forget_consent(room, Identity(person))
        return tracks

    async def _erase(self, row: Recording, person: str) -> int:
        def is_theirs(track_id: str) -> bool:
            return parse_track_id(track_id)[0] == person

        # A film shows everybody; it can be composed again.
        await self._films.remove(row.id)
        if self._films.archive is not None:
            try:
                await self._films.archive.delete_tracks(row.id, is_theirs)
            except StorageError as error:
                raise FilesError(str(error)) from error
        tracks = await asyncio.to_thread(self._erase_files, row.id, is_theirs)
        # The notes are about what everybody said; new notes are written about what remains.
        await self._notes.begin_again(row.id)
        changed = numbered(replace(row, details=_without(row.details, person)))
        await self._recordings.changes.replace(changed, RecordingChange.EDITED)
        return tracks

    def _erase_files(self, recording_id: RecordingId, is_theirs: Callable[[str], bool]) -> int:
        self._transcripts.remove(recording_id, lambda line: is_theirs(line.track_id))
        return self._files.delete_tracks(recording_id, is_theirs)


def _without(details: Mapping[str, Any], person: str) -> dict[str, Any]:
    """Return the details of a row without a person: their bookmarks keep the time."""
    found = dict(details)
    if found.get("by") == person:
        found["by"] = ERASED
    if "bookmarks" in found:
        found["bookmarks"] = [
            [at_s, "", ERASED] if by == person else [at_s, text, by] for at_s, text, by in found["bookmarks"]
        ]
    return found
