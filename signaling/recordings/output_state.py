"""The files that are requested together with a recording and made after its end, as its row describes them."""

from enum import StrEnum
from typing import Final

import msgspec

from signaling.store.records import Recording

OUTPUT: Final = "output"
"Key of the details of a recording's row."


class OutputKind(StrEnum):
    """What is made of a recording after its end."""

    NONE = ""
    FILM = "film"
    "One composed MP4 file."
    TRACKS = "tracks"
    "The recorded files as they are."


class OutputFile(msgspec.Struct, frozen=True):
    """A file of an output."""

    path: str
    "Relative to the recording's folder."
    octets: int
    kind: str = "video"
    "`audio` or `video`."


class Output(msgspec.Struct, frozen=True):
    """An output and its state."""

    kind: OutputKind
    settled: bool = False
    "The files exist, or `error` says why they cannot be made."
    error: str = ""
    files: list[OutputFile] = []


def output_of(row: Recording) -> Output:
    """Return the output that was requested with a recording."""
    return msgspec.convert(row.details.get(OUTPUT, {"kind": ""}), Output)
