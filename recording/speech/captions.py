"""The captioning process's job and its output."""

from typing import Final

import msgspec

from sfu.values import RecordedTrackId, RecordingId

MAX_SPEAKERS: Final = 3
"Captioned at once; what more people say at the same time is left out."


class CaptionJob(msgspec.Struct, frozen=True):
    """What the process is started with, as JSON on standard input."""

    folder: str
    "Of the recordings: the socket is there."
    model: str
    "Folder of a CTranslate2 Whisper model."
    language: str = ""
    "ISO 639-1; empty: detected for each speaker."
    cpu_share: float = 0.5
    "Most CPU seconds per second, in the long term."


class CaptionReport(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line of the process's output; a line without a recording says that the process is alive."""

    recording_id: RecordingId = RecordingId("")
    track_id: RecordedTrackId = RecordedTrackId("")
    "Empty: the report is about the recording as a whole."
    line: int = 0
    "Number of the caption line of this track; a report replaces earlier ones of the same number."
    text: str = ""
    "Words that will not change."
    tail: str = ""
    "Words that may change."
    final: bool = False
    "The line is complete."
    lag_s: float = 0.0
    "Time from the arrival of the last word to this report."
    behind: bool | None = None
    "Speech is left out, because there is not enough CPU time (true), or no longer (false)."
    error: str = ""
    "Why the process ends."
