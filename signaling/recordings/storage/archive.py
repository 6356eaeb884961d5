"""The media files of finished recordings in a bucket. Indexes stay in the folder, so that replay finds its way there.

A file is noted in `stored.json` after the bucket has all of it, and only then removed from the folder. What needs files
in the folder (a film, a transcript, an archive to download) fetches and holds them.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from recording.files.layout import TRACKS_FOLDER, LayoutError, recording_path
from recording.files.reader import RecordingReader
from sfu.values import RecordingId
from signaling.recordings.keys import KeyOf, no_key
from signaling.recordings.storage.address import StorageError
from signaling.recordings.storage.stored import media_files, read_stored, write_stored

if TYPE_CHECKING:
    from signaling.recordings.storage.bucket import Bucket

_TYPES: Final = {".mp4": "video/mp4", ".webm": "video/webm"}


class Archive:
    """A bucket, and the folder of recordings in front of it."""

    def __init__(self, folder: Path, bucket: "Bucket", key_of: KeyOf = no_key) -> None:
        """`folder` is where the recorders write."""
        self._folder = folder
        self._key_of = key_of
        self._bucket = bucket
        self._held: Counter[RecordingId] = Counter()
        self._locks: dict[RecordingId, asyncio.Lock] = {}

    # --- there and back ----------------------------------------------------------------------------

    async def store(self, recording_id: RecordingId) -> int:
        """Move the media files of a recording that has ended; return how many were copied. StorageError.

        A repetition after a failure continues with the files that are missing.
        """
        path = self._path(recording_id)
        async with self._locked(recording_id):
            if await _in_thread(_has_tail, self._folder, recording_id, self._key_of(recording_id)):
                return 0  # Segments that no index lists are found in the file itself.
            files = dict(await _in_thread(_stored, path))
            copied = 0
            for name, octets in await _in_thread(lambda: list(media_files(path))):
                if files.get(name) != octets:
                    key = f"{recording_id}/{name}"
                    await self._bucket.put(key, path / name, _TYPES[Path(name).suffix])
                    if await self._bucket.size(key) != octets:
                        raise StorageError(f"{key} is not complete in the bucket")
                    files[name] = octets
                    await _in_thread(write_stored, path, files)
                    copied += 1
                if not self._held[recording_id]:
                    await _in_thread((path / name).unlink)
            return copied

    @asynccontextmanager
    async def local(self, recording_id: RecordingId) -> AsyncIterator[None]:
        """Have all media files of a recording in the folder, during the block. StorageError."""
        self._held[recording_id] += 1
        try:
            await self._fetch(recording_id)
            yield
        finally:
            self._held[recording_id] -= 1
            if not self._held[recording_id]:
                del self._held[recording_id]

    async def read(self, path: Path, start: int, end: int) -> AsyncIterator[bytes]:
        """Yield octets of a file that is in the bucket, given its path in the folder. StorageError."""
        async for piece in self._bucket.read(str(path.relative_to(self._folder)), start, end):
            yield piece

    # --- deletion ----------------------------------------------------------------------------------

    async def delete(self, recording_id: RecordingId) -> None:
        """Delete all of a recording in the bucket. StorageError."""
        async with self._locked(recording_id):
            await self._bucket.delete(recording_id)
            path = self._path(recording_id)
            if await _in_thread(_stored, path):
                await _in_thread(write_stored, path, {})

    async def delete_file(self, recording_id: RecordingId, name: str) -> None:
        """Delete a file in the bucket, if it is there. StorageError."""
        async with self._locked(recording_id):
            path = self._path(recording_id)
            files = dict(await _in_thread(_stored, path))
            if name in files:
                await self._bucket.delete(f"{recording_id}/{name}")
                del files[name]
                await _in_thread(write_stored, path, files)

    async def delete_tracks(self, recording_id: RecordingId, is_deleted: Callable[[str], bool]) -> None:
        """Delete the files of tracks whose ids meet a condition. StorageError."""
        async with self._locked(recording_id):
            path = self._path(recording_id)
            files = dict(await _in_thread(_stored, path))
            if not files:
                return
            for folder in await _in_thread(_track_folders, self._folder, recording_id, is_deleted):
                below = f"{TRACKS_FOLDER}/{folder}"
                await self._bucket.delete(f"{recording_id}/{below}")
                files = {name: size for name, size in files.items() if not name.startswith(f"{below}/")}
            await _in_thread(write_stored, path, files)

    # --- parts -------------------------------------------------------------------------------------

    async def _fetch(self, recording_id: RecordingId) -> None:
        path = self._path(recording_id)
        async with self._locked(recording_id):
            for name, octets in (await _in_thread(_stored, path)).items():
                target = path / name
                if await _in_thread(target.exists):
                    continue
                draft = target.with_suffix(".fetched")
                with await _in_thread(draft.open, "wb") as file:
                    async for piece in self._bucket.read(f"{recording_id}/{name}", 0, octets):
                        await _in_thread(file.write, piece)
                await _in_thread(draft.replace, target)

    @asynccontextmanager
    async def _locked(self, recording_id: RecordingId) -> AsyncIterator[None]:
        """Run blocks about one recording one after another, and let all their failures be StorageErrors."""
        lock = self._locks.setdefault(recording_id, asyncio.Lock())
        try:
            async with lock:
                yield
        except (LayoutError, OSError) as error:
            raise StorageError(f"the files of {recording_id}: {error}") from error
        finally:
            if not lock.locked():
                self._locks.pop(recording_id, None)

    def _path(self, recording_id: RecordingId) -> Path:
        try:
            return recording_path(self._folder, recording_id)
        except LayoutError as error:
            raise StorageError(str(error)) from error


_in_thread = asyncio.to_thread


@asynccontextmanager
async def local(archive: Archive | None, recording_id: RecordingId) -> AsyncIterator[None]:
    """Have all media files of a recording in the folder, where they always are without an archive. StorageError."""
    if archive is None:
        yield
        return
    async with archive.local(recording_id):
        yield


def _stored(path: Path) -> Mapping[str, int]:
    return read_stored(path).files


def _has_tail(folder: Path, recording_id: RecordingId, key: bytes) -> bool:
    tracks = RecordingReader(folder, recording_id, key).tracks()[0]
    return any(track.tail(len(track)) for track in tracks)


def _track_folders(folder: Path, recording_id: RecordingId, is_deleted: Callable[[str], bool]) -> list[str]:
    tracks = RecordingReader(folder, recording_id).tracks()[0]
    return [track.path.name for track in tracks if is_deleted(track.info.track_id)]
