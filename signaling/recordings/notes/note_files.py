"""Notes by a model as files beside the tracks, encrypted like them. Blocking: for threads."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

from recording.files.layout import LayoutError, recording_path
from recording.files.text_file import read_text_file, write_text_file
from sfu.values import RecordingId
from signaling.recordings.files import FilesError
from signaling.recordings.keys import KeyOf, no_key
from signaling.recordings.notes.prompt import ModelNote

_FILE: Final = "notes.json"


class ModelNotes(msgspec.Struct, frozen=True):
    """The notes of a recording, in the order of time."""

    model: str
    "Its name, as the operator configured it."
    notes: list[ModelNote]


class NoteFiles:
    """The notes of all recordings in a folder."""

    def __init__(self, folder: Path, key_of: KeyOf = no_key) -> None:
        """`folder` is the folder of the recordings."""
        self._folder = folder
        self._key_of = key_of
        self._lock = threading.Lock()

    def read(self, recording_id: RecordingId) -> ModelNotes | None:
        """Return the notes of a recording; None if there are none. FilesError."""
        try:
            content = read_text_file(self._path(recording_id), self._key_of(recording_id))
            return msgspec.json.decode(content, type=ModelNotes)
        except FileNotFoundError:
            return None
        except (OSError, LayoutError, msgspec.MsgspecError) as error:
            raise FilesError(f"the notes of {recording_id} cannot be read: {error}") from error

    def write(self, recording_id: RecordingId, notes: ModelNotes, is_current: Callable[[], bool]) -> bool:
        """Store notes and return True, unless `is_current` says that the transcript has changed. FilesError.

        No deletion can come in between: whoever changes a transcript deletes the notes after that.
        """
        with self._lock:
            if not is_current():
                return False
            try:
                write_text_file(
                    self._path(recording_id), msgspec.json.encode(notes), self._key_of(recording_id)
                )
            except (OSError, LayoutError) as error:
                raise FilesError(f"the notes of {recording_id} cannot be written: {error}") from error
        return True

    def delete(self, recording_id: RecordingId) -> None:
        """Delete the notes of a recording, if there are any. FilesError."""
        with self._lock:
            try:
                self._path(recording_id).unlink(missing_ok=True)
            except OSError as error:
                raise FilesError(f"the notes of {recording_id} cannot be deleted: {error}") from error

    def _path(self, recording_id: RecordingId) -> Path:
        try:
            return recording_path(self._folder, recording_id) / _FILE
        except LayoutError as error:
            raise FilesError(str(error)) from error
