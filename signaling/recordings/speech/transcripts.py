"""Transcripts of recordings as files beside the tracks, so that they go with them. Blocking: for threads.

The file of an encrypted recording is encrypted with the recording's key.
"""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

import msgspec

from recording.files.layout import LayoutError, recording_path
from recording.files.text_file import read_text_file, write_text_file
from recording.speech.values import Line, Transcript
from sfu.values import RecordingId
from signaling.recordings.files import FilesError
from signaling.recordings.keys import KeyOf, no_key

__all__ = ["Found", "Line", "Transcripts"]

_FILE: Final = "transcript.json"


class Found(msgspec.Struct, frozen=True):
    """A line that contains the words that were searched for."""

    recording: RecordingId
    track_id: str
    start_s: float
    text: str


class _Text(msgspec.Struct, frozen=True):
    """Of a line, what a search needs: words are not decoded."""

    track_id: str
    start_s: float
    text: str


class _Texts(msgspec.Struct, frozen=True):
    lines: list[_Text]


class Transcripts:
    """The transcripts of all recordings in a folder."""

    def __init__(self, folder: Path, key_of: KeyOf = no_key) -> None:
        """`folder` is the folder of the recordings."""
        self._folder = folder
        self._key_of = key_of

    def read(self, recording_id: RecordingId) -> Transcript | None:
        """Return a transcript; None if there is none. FilesError."""
        try:
            return msgspec.json.decode(self._content(recording_id), type=Transcript)
        except FileNotFoundError:
            return None
        except (OSError, LayoutError, msgspec.MsgspecError) as error:
            raise FilesError(f"the transcript of {recording_id} cannot be read: {error}") from error

    def write(self, recording_id: RecordingId, transcript: Transcript) -> None:
        """Store a transcript instead of the one before. FilesError, also if the recording has been deleted."""
        try:
            write_text_file(
                self._path(recording_id), msgspec.json.encode(transcript), self._key_of(recording_id)
            )
        except (OSError, LayoutError) as error:
            raise FilesError(f"the transcript of {recording_id} cannot be written: {error}") from error

    def remove(self, recording_id: RecordingId, is_removed: Callable[[Line], bool]) -> int:
        """Remove lines from a transcript; return how many. FilesError."""
        found = self.read(recording_id)
        if found is None:
            return 0
        kept = [line for line in found.lines if not is_removed(line)]
        if len(kept) < len(found.lines):
            self.write(recording_id, msgspec.structs.replace(found, lines=kept))
        return len(found.lines) - len(kept)

    def search(
        self,
        recording_ids: Iterable[RecordingId],
        query: str,
        limit: int,
        may_see: Callable[[RecordingId, str], bool] = lambda _recording, _track: True,
    ) -> list[Found]:
        """Return the lines that contain all words of a query, in the order of recordings; `may_see` gets track ids."""
        words = query.casefold().split()
        found: list[Found] = []
        for recording_id in recording_ids:
            try:
                texts = msgspec.json.decode(self._content(recording_id), type=_Texts)
            except (OSError, FilesError, LayoutError, msgspec.MsgspecError):
                continue  # no transcript, or deleted meanwhile
            for line in texts.lines:
                text = line.text.casefold()
                if all(word in text for word in words) and may_see(recording_id, line.track_id):
                    found.append(Found(recording_id, line.track_id, line.start_s, line.text))
                    if len(found) == limit:
                        return found
        return found

    def _content(self, recording_id: RecordingId) -> bytes:
        """Return the content of a transcript's file. OSError, FilesError, LayoutError."""
        return read_text_file(self._path(recording_id), self._key_of(recording_id))

    def _path(self, recording_id: RecordingId) -> Path:
        try:
            return recording_path(self._folder, recording_id) / _FILE
        except LayoutError as error:
            raise FilesError(str(error)) from error
