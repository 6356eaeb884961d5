import pytest

from recording.files.encryption import new_key
from signaling.recordings.files import FilesError
from signaling.recordings.notes.note_files import ModelNotes, NoteFiles
from signaling.recordings.notes.prompt import ModelNote

NOTES = ModelNotes("tiny", [ModelNote(1.5, "Fractions are added.")])


@pytest.fixture
def files(tmp_path):
    (tmp_path / "rec_1").mkdir()
    key = new_key()
    return NoteFiles(tmp_path, lambda _recording: key)


def test_notes_are_kept_beside_the_tracks_and_encrypted(files, tmp_path):
    assert files.read("rec_1") is None
    assert files.write("rec_1", NOTES, lambda: True)
    assert files.read("rec_1") == NOTES
    assert b"Fractions" not in (tmp_path / "rec_1" / "notes.json").read_bytes()
    files.delete("rec_1")
    files.delete("rec_1")
    assert list((tmp_path / "rec_1").iterdir()) == []


def test_notes_of_a_transcript_that_has_changed_are_not_stored(files):
    assert not files.write("rec_1", NOTES, lambda: False)
    assert files.read("rec_1") is None


def test_failures_are_told(files, tmp_path):
    with pytest.raises(FilesError):  # the recording has been deleted
        files.write("rec_2", NOTES, lambda: True)
    (tmp_path / "rec_1" / "notes.json").write_text("{")
    with pytest.raises(FilesError, match="cannot be read"):
        files.read("rec_1")
    with pytest.raises(FilesError):
        files.read("../rec_1")
