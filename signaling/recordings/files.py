"""The files of recordings: what there is, deleting all of it, and everything in one archive. Blocking: for threads."""

import shutil
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, cast

import msgspec

from recording.files.encryption import FileCipher
from recording.files.layout import TRACKS_FOLDER, DamagedError, LayoutError, part_path, recording_path
from recording.files.media_file import part_cipher
from recording.files.reader import RecordingReader, TrackReader
from recording.values import EVER_NS, NS_PER_S
from sfu.values import RecordingId
from signaling.recordings.keys import KeyOf, no_key
from signaling.recordings.storage.content import PIECE_OCTETS, PartFile, read_piece
from signaling.recordings.storage.stored import stored_octets


class FilesError(Exception):
    """A recording, or a file of it, is not there or cannot be read."""


class Part(msgspec.Struct, frozen=True):
    """A file of a track; another one begins with another codec or size, and after an interruption."""

    number: int
    name: str
    "In the archive."
    mime_type: str
    octets: int
    start_s: float
    "Since the start of the recording, as are all times; the timestamps in the file count from there, too."


class Gap(msgspec.Struct, frozen=True):
    """A time that is not in a track."""

    start_s: float
    end_s: float
    reason: str


class RecordedTrack(msgspec.Struct, frozen=True):
    """A track of a recording."""

    number: int
    id: str
    kind: str
    label: str
    duration_s: float
    "End of the last segment."
    parts: list[Part]
    gaps: list[Gap]


class Manifest(msgspec.Struct, frozen=True):
    """What is in a recording."""

    recording: RecordingId
    started_at: float
    "Seconds since 1970."
    tracks: list[RecordedTrack]
    problems: list[str]
    "Why tracks are missing in this list."


class RecordingFiles:
    """The files of all recordings."""

    def __init__(self, folder: Path, key_of: KeyOf = no_key) -> None:
        """`folder` is where the recorders write."""
        self._folder = folder
        self._key_of = key_of

    def manifest(self, recording_id: RecordingId) -> Manifest:
        """Return the content of a recording. FilesError."""
        return self._read(recording_id)[0]

    def part(self, recording_id: RecordingId, track: int, part: int) -> PartFile:
        """Return a file of a track; part 0 is the only one. FilesError."""
        found = next(
            (each for each in self._open(recording_id).tracks()[0] if each.number == track),
            None,
        )
        if found is None:
            raise FilesError("the recording has no such track")
        numbers = found.parts()
        if not part and len(numbers) == 1:
            part = numbers[0]
        if part not in numbers:
            raise FilesError(f"the track has the parts {numbers}")
        return part_file(found, part)

    def delete(self, recording_id: RecordingId) -> None:
        """Delete all files of a recording; nothing happens if there are none. FilesError."""
        try:
            path = recording_path(self._folder, recording_id)
            # Renamed first, so that an interrupted deletion leaves no recording.
            doomed = path.with_name(f".deleted {recording_id}")
            if path.exists():
                path.rename(doomed)
            if doomed.exists():
                shutil.rmtree(doomed)
        except (LayoutError, OSError) as error:
            raise FilesError(f"the files of {recording_id} cannot be deleted: {error}") from error

    def delete_tracks(self, recording_id: RecordingId, is_deleted: Callable[[str], bool]) -> int:
        """Delete the tracks whose ids meet a condition; return how many. FilesError."""
        try:
            path = recording_path(self._folder, recording_id)
            if not path.exists():
                return 0
            # Of an interrupted deletion.
            for left in (path / TRACKS_FOLDER).glob(".deleted *"):
                shutil.rmtree(left)
            doomed = [
                track.path
                for track in RecordingReader(self._folder, recording_id).tracks()[0]
                if is_deleted(track.info.track_id)
            ]
            for each in doomed:
                moved = each.with_name(f".deleted {each.name}")
                each.rename(moved)
                shutil.rmtree(moved)
        except (LayoutError, OSError) as error:
            raise FilesError(f"tracks of {recording_id} cannot be deleted: {error}") from error
        return len(doomed)

    def archive(self, recording_id: RecordingId) -> Iterator[bytes]:
        """Make a ZIP archive of a recording and its manifest, piece by piece. FilesError before the first piece."""
        manifest, tracks = self._read(recording_id)
        pieces = _Pieces()
        with zipfile.ZipFile(cast("IO[bytes]", pieces), "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
            for track in manifest.tracks:
                for part in track.parts:
                    source = part_file(tracks[track.number], part.number)
                    with archive.open(part.name, "w", force_zip64=True) as entry:
                        for data in _pieces(source, part, manifest.problems):
                            entry.write(data)
                            yield pieces.take()
            archive.writestr("manifest.json", msgspec.json.format(msgspec.json.encode(manifest)))
        yield pieces.take()

    def _open(self, recording_id: RecordingId) -> RecordingReader:
        return open_recording(self._folder, recording_id, self._key_of)

    def _read(self, recording_id: RecordingId) -> tuple[Manifest, dict[int, TrackReader]]:
        """Return the content of a recording, and its tracks by number."""
        reader = self._open(recording_id)
        found, problems = reader.tracks()
        tracks: list[RecordedTrack] = []
        for each in found:
            try:
                tracks.append(_track(each))
            except (LayoutError, OSError, FilesError) as error:
                problems.append(f"track {each.number}: {error}")
        manifest = Manifest(recording_id, reader.info.started_unix_ns / NS_PER_S, tracks, problems)
        return manifest, {each.number: each for each in found}


def open_recording(folder: Path, recording_id: RecordingId, key_of: KeyOf) -> RecordingReader:
    """Open a recording. FilesError."""
    try:
        return RecordingReader(folder, recording_id, key_of(recording_id))
    except LayoutError as error:
        raise FilesError(str(error)) from error


def part_file(track: TrackReader, number: int) -> PartFile:
    """Return the file of a part of a track. FilesError."""
    try:
        info = track.part(number)
        path = part_path(track.path, number, info.suffix)
        cipher = part_cipher(path, info, track.key)
    except LayoutError as error:
        raise FilesError(str(error)) from error
    return file_at(path, track.path.parent.parent, info.mime_type, cipher)


def file_at(path: Path, recording: Path, mime_type: str, cipher: FileCipher | None) -> PartFile:
    """Return a file of the recording in a folder; one that is nowhere is taken to be in the folder. FilesError."""
    try:
        return PartFile(path, mime_type, None if path.exists() else stored_octets(recording, path), cipher)
    except LayoutError as error:
        raise FilesError(str(error)) from error


def _track(track: TrackReader) -> RecordedTrack:
    number, info = track.number, track.info
    parts: list[Part] = []
    for each in track.parts():
        found = track.part(each)
        file = part_file(track, each)
        octets = file.octets()
        name = f"{number:04}-{info.kind}-{each:04}.{found.suffix}"
        parts.append(Part(each, name, found.mime_type, octets, found.start_ns / NS_PER_S))
    ends = [record.end_ns for record in track.segments(0, EVER_NS)]
    gaps = [
        Gap(gap.start_ns / NS_PER_S, gap.end_ns / NS_PER_S, gap.reason.name.lower())
        for gap in track.gaps(0, EVER_NS)
    ]
    duration_s = max(ends, default=0) / NS_PER_S
    return RecordedTrack(number, info.track_id, info.kind, info.label, duration_s, parts, gaps)


def _pieces(source: PartFile, part: Part, problems: list[str]) -> Iterator[bytes]:
    """Yield the content of a file; damaged records become zeros, and are added to `problems`."""
    start = 0
    while start < part.octets:
        end = min(start + PIECE_OCTETS, part.octets)
        try:
            data = read_piece(source, start, end)
        except DamagedError as error:
            problems.append(f"{part.name}: {error}; zeros stand for it")
            data = read_piece(source, start, end, zeros=True)
        yield data
        start = end


class _Pieces:
    """A file without seek, whose content is consumed as it is written."""

    def __init__(self) -> None:
        self._data = bytearray()

    def write(self, data: bytes, /) -> int:
        self._data += data
        return len(data)

    def flush(self) -> None:
        """Nothing waits elsewhere."""

    def take(self) -> bytes:
        data = bytes(self._data)
        self._data.clear()
        return data
