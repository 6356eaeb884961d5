"""Paths of a recording's files, and its small JSON files. No file name comes from a user."""

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import msgspec

from sfu.values import RecordedTrackId, RecordingId

FORMAT = 1
ENCRYPTED_FORMAT = 2
"Of recordings whose media files are encrypted; otherwise the same."
RECORDING_FILE, LOCK_FILE, TRACKS_FOLDER = "recording.json", "lock", "tracks"
TRACK_FILE, SEGMENTS_FILE, GAPS_FILE = "track.json", "segments.idx", "gaps.idx"
# Its own JSON files are below a kilobyte, but for labels; a larger one is not ours.
MAX_JSON_OCTETS = 64 << 10
MAX_TEXT = 1024

_RECORDING_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_NUMBER = re.compile(r"[0-9]{4,9}")

_T = TypeVar("_T", bound=msgspec.Struct)


class LayoutError(Exception):
    """Files that are not a recording, or are damaged."""


class DamagedError(LayoutError):
    """A part of a file, such as a segment, is damaged; others can still be read."""


class RecordingInfo(msgspec.Struct, frozen=True):
    """`recording.json`."""

    format: int
    recording_id: RecordingId
    started_unix_ns: int
    boot_id: str
    "Of the machine when it was last written: CLOCK_MONOTONIC counts from its boot."
    epoch_ns: int
    "CLOCK_MONOTONIC at the time 0 of the recording, during that boot; negative when the machine booted since."
    key_check: str = ""
    "`encryption.key_check` of the recording's key; empty if the recording is not encrypted."


class TrackInfo(msgspec.Struct, frozen=True):
    """`track.json`."""

    track_id: RecordedTrackId
    kind: str
    label: str


class PartInfo(msgspec.Struct, frozen=True):
    """`NNNN.json` beside a part."""

    suffix: str
    mime_type: str
    "With `codecs`: for MediaSource.isTypeSupported."
    codec: str
    width: int
    height: int
    start_ns: int
    init_octets: int
    salt: str = ""
    "Of the file's encryption (`encryption.FileCipher`); empty if the file is not encrypted."


class FilmInfo(msgspec.Struct, frozen=True):
    """`film.json` beside an encrypted film."""

    salt: str
    "As in `PartInfo`."


def recording_path(root: Path, recording_id: RecordingId) -> Path:
    """The folder of a recording. LayoutError unless the id is one."""
    if _RECORDING_ID.fullmatch(recording_id) is None:
        raise LayoutError(f"not the id of a recording: {recording_id[:80]!r}")
    return root / recording_id


def numbered(folder: Path) -> dict[int, Path]:
    """The entries whose names are numbers, by number; others are ignored."""
    if not folder.is_dir():
        return {}
    return {int(path.name): path for path in folder.iterdir() if _NUMBER.fullmatch(path.name)}


def part_numbers(folder: Path) -> list[int]:
    """The numbers of a track's parts, ascending."""
    found = (path for path in folder.iterdir() if path.suffix == ".json" and _NUMBER.fullmatch(path.stem))
    return sorted(int(path.stem) for path in found)


def part_path(folder: Path, number: int, suffix: str) -> Path:
    """Return the path of a part; with the suffix `json`, the path of the description of the part."""
    return folder / f"{number:04}.{suffix}"


def read_json(path: Path, kind: type[_T]) -> _T:
    """A JSON file as a value. LayoutError."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_JSON_OCTETS + 1)
        if len(data) > MAX_JSON_OCTETS:
            raise LayoutError(f"{path.name} is too long")
        return msgspec.json.decode(data, type=kind)
    except (OSError, ValueError, msgspec.MsgspecError) as error:  # ValueError: it is not UTF-8
        raise LayoutError(f"{path.name} cannot be read: {error}") from error


def write_json(path: Path, value: msgspec.Struct, sync: Callable[[int], None] = os.fsync) -> None:
    """Replace a JSON file as a whole; `sync` is called with its descriptor. OSError."""
    temporary = path.with_suffix(".new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o640)
    try:
        write_all(descriptor, msgspec.json.encode(value), 0)
        sync(descriptor)
    finally:
        os.close(descriptor)
    temporary.replace(path)


def write_all(descriptor: int, data: bytes | bytearray, offset: int) -> None:
    """Write at an offset, repeatedly if the file system writes only a part. OSError."""
    view = memoryview(data)
    while view:
        written = os.pwrite(descriptor, view, offset)
        view, offset = view[written:], offset + written
