"""Which media files of a recording are in the bucket: a JSON file beside its indexes. Blocking: for threads."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import msgspec

from recording.files.layout import TRACKS_FOLDER, LayoutError, write_json

FILM_FILE: Final = "film.mp4"
_STORED_FILE: Final = "stored.json"
_MEDIA: Final = frozenset({".webm", ".mp4"})


class Stored(msgspec.Struct, frozen=True):
    """`stored.json`."""

    files: Mapping[str, int]
    "Octets by path below the recording's folder."


def read_stored(recording: Path) -> Stored:
    """Return what is in the bucket of the recording in a folder. LayoutError."""
    try:
        return msgspec.json.decode((recording / _STORED_FILE).read_bytes(), type=Stored)
    except FileNotFoundError:
        return Stored({})
    except (OSError, msgspec.MsgspecError, ValueError) as error:
        raise LayoutError(f"{_STORED_FILE} cannot be read: {error}") from error


def write_stored(recording: Path, files: Mapping[str, int]) -> None:
    """Replace what is noted about a recording, unless the recording has been deleted. OSError."""
    if recording.is_dir():
        write_json(recording / _STORED_FILE, Stored(files))


def stored_octets(recording: Path, path: Path) -> int | None:
    """Return the length of a file that is in the bucket; None if it is not there. LayoutError."""
    return read_stored(recording).files.get(str(path.relative_to(recording)))


def media_files(recording: Path) -> Iterator[tuple[str, int]]:
    """Yield path and length of the media files in the folder of a recording. OSError."""
    film = recording / FILM_FILE
    parts = (
        Path(folder) / name
        for folder, _, names in os.walk(recording / TRACKS_FOLDER)
        if not Path(folder).name.startswith(".")  # of an interrupted deletion
        for name in sorted(names)
        if Path(name).suffix in _MEDIA
    )
    for each in (film, *parts):
        if each.is_file():
            yield str(each.relative_to(recording)), each.stat().st_size
