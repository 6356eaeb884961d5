"""Loading a Whisper model from a folder."""

from pathlib import Path
from typing import Any


class SpeechError(Exception):
    """The model cannot be used."""


def load(folder: Path, threads: int = 1) -> Any:
    """Return a `faster_whisper.WhisperModel`; nothing is fetched from elsewhere. SpeechError."""
    try:
        from faster_whisper import WhisperModel  # noqa: PLC0415 - an extra, `lectern[speech]`
    except ImportError as error:
        raise SpeechError(f"lectern[speech] is not installed: {error}") from error
    try:
        return WhisperModel(
            str(folder), device="cpu", compute_type="int8", cpu_threads=threads, local_files_only=True
        )
    except (RuntimeError, ValueError, OSError) as error:
        raise SpeechError(f"the speech model cannot be loaded: {error}") from error
