"""A job of the transcribing process, its output, and the transcript."""

from typing import Final

import msgspec

VERSION: Final = 1
"Raised when transcripts made before should be made again."


class SpeechJob(msgspec.Struct, frozen=True):
    """What to transcribe."""

    root: str
    "Folder of the recordings."
    recording: str
    model: str
    "Folder of a CTranslate2 Whisper model."
    language: str = ""
    "ISO 639-1; empty: detected for each track."
    sources: tuple[str, ...] = ("microphone",)
    "Sources of the audio tracks, the second part of a track's id."
    key: bytes = b""
    "Of the recording, if it is encrypted."


class Word(msgspec.Struct, frozen=True, array_like=True):
    """A word and its time in seconds of the recording; in JSON an array."""

    start_s: float
    end_s: float
    text: str


class Line(msgspec.Struct, frozen=True):
    """What one person said in a row; times are seconds of the recording."""

    track_id: str
    "`person/source`"
    start_s: float
    end_s: float
    text: str
    words: list[Word]


class Transcript(msgspec.Struct, frozen=True):
    """What was said in a recording, in the order of time."""

    version: int
    model: str
    "Name of the model's folder."
    lines: list[Line]


class SpeechReport(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line of the process's output."""

    progress: float = 0.0
    "From 0 to 1."
    line: Line | None = None
    error: str = ""
    done: bool = False
