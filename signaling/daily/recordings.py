"""Recordings as Daily has them: their types, their state, and the file that is composed after the end.

`cloud` and `cloud-audio-only` become one MP4 file; `raw-tracks` stay as they were recorded, and are downloaded as a ZIP
archive. A recording counts as in progress until its file is there.
"""

from dataclasses import dataclass
from typing import Final, Literal

from signaling.errors import NotFoundError
from signaling.ids import RoomName
from signaling.recordings.files import RecordingFiles
from signaling.recordings.links import Links
from signaling.recordings.output_state import OutputKind, output_of
from signaling.recordings.outputs.films import Films
from signaling.recordings.recordings import Purpose, Recordings
from signaling.recordings.rules import Options
from signaling.recordings.statuses import ACTIVE, FINISHED
from signaling.store.records import Recording

Kind = Literal["cloud", "cloud-audio-only", "raw-tracks"]
Status = Literal["finished", "in-progress", "canceled"]

DETAIL: Final = "daily"
"Key of a row's details: Daily's API, or a page of its rooms, started the recording."
RAW: Final = "raw-tracks"
_BEST_LAYER: Final = 2


@dataclass(frozen=True, slots=True)
class RecordingParts:
    """The server's recordings, as far as Daily's API uses them."""

    recordings: Recordings
    files: RecordingFiles | None
    "None where nothing is recorded; `films` too."
    films: Films | None
    links: Links


class DailyRecordings:
    """Starts and stops recordings of rooms; `recordings.outputs.maker` makes their files."""

    def __init__(self, parts: RecordingParts) -> None:
        """Start and stop the server's recordings."""
        self._recordings = parts.recordings

    async def start(self, domain: str, room: RoomName, kind: Kind, instance_id: str = "") -> None:
        """Record an open room. NotFoundError, AlreadyRecordedError, UnsupportedError, StoreError."""
        options = Options(
            _BEST_LAYER if kind == RAW else Options().camera_layer, audio_only=kind == "cloud-audio-only"
        )
        output = OutputKind.TRACKS if kind == RAW else OutputKind.FILM
        purpose = Purpose(details={DETAIL: {"type": kind, "instance_id": instance_id}}, output=output)
        await self._recordings.start(domain, room, "", options, purpose)

    def stop(self, room: RoomName) -> None:
        """End the recording of a room. NotFoundError."""
        self.check_running(room)
        self._recordings.stop(room)

    def check_running(self, room: RoomName) -> None:
        """Raise NotFoundError if no recording of this API is running in a room."""
        active = self._recordings.active(room)
        if active is None or DETAIL not in active.row.details:
            raise NotFoundError(f"room {room} is not being recorded")


def kind_of(row: Recording) -> Kind:
    """Return the type of a recording of this API."""
    kind: Kind = row.details[DETAIL]["type"]
    return kind


def status_of(row: Recording) -> Status:
    """Return the state of a recording of this API and of its file."""
    if row.status in ACTIVE:
        return "in-progress"
    output = output_of(row)
    if row.status != FINISHED or output.error:
        return "canceled"
    return "finished" if output.settled else "in-progress"


def s3_key(domain: str, row: Recording) -> str:
    """Return the name that the file would have in Daily's bucket."""
    return f"{domain}/{row.room}/{int(row.started_at * 1000)}"
