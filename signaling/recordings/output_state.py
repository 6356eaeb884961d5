"""The files that are requested together with a recording and made after its end, as its row describes them."""

import time
from enum import StrEnum
from typing import Final

import msgspec

from signaling.store.records import Recording

OUTPUT: Final = "output"
UPLOAD: Final = "upload"
FILE_NAME: Final = "file_name"
"Keys of the details of a recording's row."


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
    location: str = ""
    "URL of the copy in the bucket that the request names."


class Output(msgspec.Struct, frozen=True):
    """An output and its state."""

    kind: OutputKind
    settled: bool = False
    "The files exist, or `error` says why they cannot be made."
    error: str = ""
    files: list[OutputFile] = []


class Upload(msgspec.Struct, frozen=True):
    """A bucket that an output is copied to."""

    endpoint: str
    region: str
    bucket: str
    sealed: str = ""
    "The access key, encrypted by the vault for `purpose`; empty once the output has settled."

    @property
    def purpose(self) -> str:
        """The purpose under which the access key is sealed."""
        return f"upload to {self.bucket}"


def upload_of(row: Recording) -> Upload | None:
    """Return where the output of a recording is copied to; None: it stays on this server."""
    found = row.details.get(UPLOAD)
    return None if found is None else msgspec.convert(found, Upload)


def file_name(row: Recording, suffix: str, number: int = 0) -> str:
    """Return the requested name of the file of an output, which names no file on this server's disk.

    `number` distinguishes the files of an output, from 0. A request without a name, or with that of a folder, gets one.
    """
    template = str(row.details.get(FILE_NAME, ""))
    if not template or template.endswith("/"):
        template += "{room_name}-{time}"
    stamp = time.strftime("%Y-%m-%dT%H%M%S", time.gmtime(row.started_at))
    values = {"{room_name}": row.room, "{room_id}": row.session_sid, "{time}": stamp}
    for name, value in values.items():
        template = template.replace(name, value)
    return template.removesuffix(suffix) + (f"-{number + 1}" if number else "") + suffix


def output_of(row: Recording) -> Output:
    """Return the output that was requested with a recording."""
    return msgspec.convert(row.details.get(OUTPUT, {"kind": ""}), Output)
