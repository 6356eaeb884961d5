"""Writes a recording: the changes of its tracks as files. One process at a time has the folder."""

import errno
import fcntl
import os
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec

from recording.containers.cutter import Append, Change, CloseSegment, MarkGap, OpenPart, Patch
from recording.containers.index import (
    GAP_OCTETS,
    SEGMENT_OCTETS,
    SegmentRecord,
    pack_gap,
    pack_segment,
    unpack_segment,
)
from recording.containers.recovery import BY_SUFFIX, Place
from recording.files.encryption import key_check, new_salt
from recording.files.layout import (
    ENCRYPTED_FORMAT,
    FORMAT,
    GAPS_FILE,
    LOCK_FILE,
    MAX_TEXT,
    RECORDING_FILE,
    SEGMENTS_FILE,
    TRACK_FILE,
    TRACKS_FOLDER,
    LayoutError,
    PartInfo,
    RecordingInfo,
    TrackInfo,
    numbered,
    part_numbers,
    part_path,
    read_json,
    recording_path,
    write_all,
    write_json,
)
from recording.files.media_file import MediaWriter, part_cipher, recover_part, writer
from recording.files.syncing import InlineSyncer, Syncer
from recording.media.track import Resume
from sfu.values import RecordedTrackId, RecordingId
from sfu.wire.tap import OpenTrack

_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT})
# The free space is checked after this many octets, and once a second.
_CHECK_OCTETS = 4 << 20
LOCK_ATTEMPTS = 20
_LOCK_INTERVAL_S = 0.05


class FolderError(Exception):
    """A recording that cannot go on."""

    reason = "io-error"


class DiskFullError(FolderError):
    """The file system is full, except for the space reserved for the database."""

    reason = "disk-full"


class BusyError(FolderError):
    """Another process writes this recording."""

    reason = "busy"


def _to_folder_error(error: OSError) -> FolderError:
    return (DiskFullError if error.errno in _NO_ROOM else FolderError)(str(error))


def _open(path: Path, flags: int = 0) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | flags, 0o640)


class _AppendOnly:
    """An index file."""

    def __init__(self, path: Path, record_octets: int) -> None:
        self._file = _open(path)
        size = os.fstat(self._file).st_size
        self.size = size - size % record_octets  # a torn record is written over
        os.ftruncate(self._file, self.size)

    def append(self, record: bytes) -> None:
        write_all(self._file, record, self.size)
        self.size += len(record)

    def last(self, octets: int) -> bytes:
        return os.pread(self._file, octets, max(self.size - octets, 0))

    def close(self) -> None:
        os.close(self._file)


@dataclass(frozen=True, slots=True)
class Moment:
    """Now, by both clocks of the machine."""

    monotonic_ns: int
    unix_ns: int
    boot_id: str
    "CLOCK_MONOTONIC counts from this boot."


class TrackFolder:
    """The files of one track."""

    def __init__(self, path: Path, info: TrackInfo, syncer: Syncer, key: bytes = b"") -> None:
        """Make the folder, or repair what a killed process left in it; without a key, encrypt nothing. OSError."""
        self.path = path
        self._key = key
        self._syncer = syncer
        self._part = -1
        self._writer: MediaWriter | None = None
        path.mkdir(parents=True, exist_ok=True)
        if not (path / TRACK_FILE).exists():
            write_json(path / TRACK_FILE, info, self._sync_first)
        self._segments = _AppendOnly(path / SEGMENTS_FILE, SEGMENT_OCTETS)
        self._gaps = _AppendOnly(path / GAPS_FILE, GAP_OCTETS)
        self.resume = self._repair(audio=info.kind == "audio")

    def _repair(self, *, audio: bool) -> Resume:
        last: SegmentRecord | None = None
        while self._segments.size and last is None:
            last = unpack_segment(self._segments.last(SEGMENT_OCTETS))
            if last is None:  # a machine that lost its power: the media is synced, the index may not be
                self._segments.size -= SEGMENT_OCTETS
        parts = part_numbers(self.path)
        for number in parts:
            if last is None or number >= last.part:
                last = self._repair_part(number, last, audio=audio) or last
        records = self._segments.size // SEGMENT_OCTETS
        return Resume(max(parts, default=0) + 1, records, last.end_ns if last is not None else None)

    def _repair_part(self, number: int, last: SegmentRecord | None, *, audio: bool) -> SegmentRecord | None:
        try:
            info = read_json(part_path(self.path, number, "json"), PartInfo)
            container = BY_SUFFIX[info.suffix]
            path = part_path(self.path, number, info.suffix)
            cipher = part_cipher(path, info, self._key)
            file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except (LayoutError, KeyError, FileNotFoundError):
            return None
        try:
            records = self._segments.size // SEGMENT_OCTETS
            tail = recover_part(file, cipher, container, Place(number, last, records, audio))
            if tail is None:
                return None
            if not tail.damaged and cipher is None:  # nothing is appended to it, so the rest does no harm
                os.ftruncate(file, tail.end)
            os.fsync(file)
            for record in tail.records:
                self._segments.append(pack_segment(record))
            return tail.records[-1] if tail.records else None
        finally:
            os.close(file)

    def apply(self, change: Change) -> None:
        """Do one change. OSError."""
        if isinstance(change, Append):
            assert self._writer is not None
            self._writer.write(change.data, self._writer.size)
        elif isinstance(change, Patch):
            assert self._writer is not None
            self._writer.write(change.data, change.offset)
        elif isinstance(change, CloseSegment):
            record = pack_segment(change.record)
            self._syncer.put(self, self._part, lambda: self._segments.append(record))
        elif isinstance(change, MarkGap):
            self._gaps.append(pack_gap(change.gap))
        else:
            self._open_part(change)

    def _open_part(self, change: OpenPart) -> None:
        self._close_part()
        config = change.config
        media = "audio" if config.codec == "opus" else "video"
        info = PartInfo(
            change.suffix,
            f'{media}/{change.suffix}; codecs="{config.mime_codec}"',
            config.codec,
            config.width,
            config.height,
            change.start_ns,
            len(change.data),
            new_salt() if self._key else "",
        )
        write_json(part_path(self.path, change.number, "json"), info, self._sync_first)
        path = part_path(self.path, change.number, change.suffix)
        self._part = _open(path, os.O_TRUNC)
        self._writer = writer(self._part, part_cipher(path, info, self._key))
        self._writer.write(change.data, 0)

    def _sync_first(self, descriptor: int) -> None:
        """Sync a file before the index names what needs it."""
        self._syncer.put(self, descriptor, lambda: None)

    def flush(self) -> None:
        """Wait until the index names every closed segment. OSError."""
        self._syncer.wait(self)

    def _close_part(self) -> None:
        if self._part >= 0:
            os.close(self._part)
            self._part = -1

    def close(self) -> None:
        """Close all files. Errors of syncs that were in progress are left to `flush`."""
        with suppress(OSError):
            self.flush()
        self._close_part()
        self._segments.close()
        self._gaps.close()


class RecordingFolder:
    """The files of one recording, locked."""

    def __init__(  # noqa: PLR0913, PLR0917 - what a recording is begun with
        self,
        root: Path,
        recording_id: RecordingId,
        now: Moment,
        reserve_octets: int,
        syncer: Syncer | None = None,
        key: bytes = b"",
    ) -> None:
        """Begin a recording, or continue it; `reserve_octets` stay free. FolderError, LayoutError.

        `key` encrypts it; it continues as it was begun.
        """
        self._key = key
        self.path = recording_path(root, recording_id)
        self._reserve = reserve_octets
        self._syncer = syncer or InlineSyncer()
        self._until_check = 0
        self._tracks: dict[RecordedTrackId, TrackFolder] = {}
        self._lock = -1
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self._lock = _open(self.path / LOCK_FILE)
            self._take_lock()
            self.check_room()
            self.epoch_ns = self._begin(recording_id, now)
        except OSError as error:
            self.close()
            raise _to_folder_error(error) from error
        except (FolderError, LayoutError):
            self.close()
            raise

    def _take_lock(self) -> None:
        # A worker that died takes its recorder with it, which writes what it has before it releases the lock. Other
        # recordings wait here for a second at most; the queue of the tap holds their packets.
        for _ in range(LOCK_ATTEMPTS):
            with suppress(BlockingIOError):
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            time.sleep(_LOCK_INTERVAL_S)
        raise BusyError("another process writes this recording")

    def _begin(self, recording_id: RecordingId, now: Moment) -> int:
        """CLOCK_MONOTONIC at the time 0 of the recording."""
        path = self.path / RECORDING_FILE
        self._folders: dict[RecordedTrackId, Path] = {}
        self._next = 1
        if not path.exists():
            form, check = (ENCRYPTED_FORMAT, key_check(self._key)) if self._key else (FORMAT, "")
            write_json(
                path, RecordingInfo(form, recording_id, now.unix_ns, now.boot_id, now.monotonic_ns, check)
            )
            return now.monotonic_ns
        info = read_json(path, RecordingInfo)
        if info.format not in {FORMAT, ENCRYPTED_FORMAT}:
            raise LayoutError(f"a recording of format {info.format}")
        if info.key_check != (key_check(self._key) if self._key else ""):
            raise LayoutError("the recording was begun with another key")
        last_ns = 0
        for number, folder in numbered(self.path / TRACKS_FOLDER).items():
            self._next = max(self._next, number + 1)
            with suppress(LayoutError):  # a damaged one is left as it is
                track = read_json(folder / TRACK_FILE, TrackInfo)
                self._folders[track.track_id] = folder
                opened = TrackFolder(folder, track, self._syncer, self._key)
                last_ns = max(last_ns, opened.resume.end_ns or 0)
                opened.close()
        if info.boot_id == now.boot_id and info.epoch_ns <= now.monotonic_ns:
            return info.epoch_ns
        # Another boot: by the wall clock, which may have been set back.
        epoch_ns = now.monotonic_ns - max(now.unix_ns - info.started_unix_ns, last_ns)
        write_json(path, msgspec.structs.replace(info, boot_id=now.boot_id, epoch_ns=epoch_ns))
        return epoch_ns

    def open_track(self, message: OpenTrack) -> Resume:
        """Open the files of a track. FolderError."""
        if message.track_id in self._tracks:
            return self._tracks[message.track_id].resume
        folder = self._folders.get(message.track_id)
        if folder is None:
            folder = self.path / TRACKS_FOLDER / f"{self._next:04}"
            self._next += 1
            self._folders[message.track_id] = folder
        info = TrackInfo(RecordedTrackId(message.track_id[:MAX_TEXT]), message.kind, message.label[:MAX_TEXT])
        try:
            self._tracks[message.track_id] = TrackFolder(folder, info, self._syncer, self._key)
        except OSError as error:
            raise _to_folder_error(error) from error
        return self._tracks[message.track_id].resume

    def apply(self, track_id: RecordedTrackId, change: Change) -> None:
        """Do one change of a track. FolderError."""
        if isinstance(change, Append):
            self._until_check -= len(change.data)
            if self._until_check < 0:
                self.check_room()
        try:
            self._tracks[track_id].apply(change)
        except OSError as error:
            raise _to_folder_error(error) from error

    def check_room(self) -> None:
        """DiskFullError when less than the reserve is free."""
        self._until_check = _CHECK_OCTETS
        found = os.statvfs(self.path)
        free = found.f_bavail * found.f_frsize
        if free < self._reserve:
            raise DiskFullError(
                f"{free >> 20} MiB are free, {self._reserve >> 20} MiB are kept for the database"
            )

    def flush(self) -> None:
        """Wait until everything is on the disk. FolderError."""
        try:
            for track in self._tracks.values():
                track.flush()
        except OSError as error:
            raise _to_folder_error(error) from error

    def close(self) -> None:
        """Close all files and give up the lock."""
        for track in self._tracks.values():
            track.close()
        self._tracks.clear()
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1
