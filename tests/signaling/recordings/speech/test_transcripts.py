import pytest

from recording.files.encryption import new_key
from recording.files.layout import LayoutError
from recording.speech.values import Transcript
from signaling.recordings.files import FilesError
from signaling.recordings.speech.transcripts import Transcripts
from tests.signaling.recordings.insights.texts import line

LINES = [
    line(1, "Über Brüche reden wir", "tia/microphone"),
    line(5, "How do fractions work?", "sam/microphone"),
]


@pytest.fixture
def transcripts(tmp_path):
    (tmp_path / "rec_1").mkdir()
    made = Transcripts(tmp_path)
    made.write("rec_1", Transcript(1, "tiny", LINES))
    return made


def test_a_transcript_is_kept_beside_the_tracks(transcripts, tmp_path):
    assert transcripts.read("rec_1").lines == LINES
    assert transcripts.read("rec_2") is None
    with pytest.raises(FilesError):  # the recording has been deleted
        transcripts.write("rec_2", Transcript(1, "tiny", LINES))
    (tmp_path / "rec_1" / "transcript.json").write_text("{")
    with pytest.raises(FilesError, match="cannot be read"):
        transcripts.read("rec_1")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("FRACTIONS how", [5.0]),
        ("brüche", [1.0]),
        ("BRÜCHE", [1.0]),
        ("r", [1.0, 5.0]),
        ("fractions brüche", []),
        ("microphone", []),
    ],
)
def test_a_search_finds_lines_with_all_words(transcripts, query, found):
    ids = ["rec_0", "rec_1", "../etc"]
    assert [each.start_s for each in transcripts.search(ids, query, 10)] == found


def test_a_search_is_bounded(transcripts):
    assert len(transcripts.search(["rec_1", "rec_1"], "r", 3)) == 3


def test_what_a_person_said_can_be_removed(transcripts):
    assert transcripts.remove("rec_1", lambda each: each.track_id.startswith("sam/")) == 1
    assert transcripts.read("rec_1").lines == LINES[:1]
    assert transcripts.remove("rec_1", lambda each: each.track_id.startswith("sam/")) == 0
    assert transcripts.remove("rec_2", lambda _line: True) == 0


def test_the_transcript_of_an_encrypted_recording_is_encrypted(tmp_path):
    (tmp_path / "rec_1").mkdir()
    keys = {"rec_1": new_key()}
    made = Transcripts(tmp_path, lambda recording: keys[recording])
    made.write("rec_1", Transcript(1, "tiny", LINES))
    assert b"fractions" not in (tmp_path / "rec_1" / "transcript.json").read_bytes()
    assert made.read("rec_1").lines == LINES
    assert [each.start_s for each in made.search(["rec_1"], "fractions", 10)] == [5.0]
    assert made.remove("rec_1", lambda each: each.track_id.startswith("sam/")) == 1
    assert b"Br" not in (tmp_path / "rec_1" / "transcript.json").read_bytes()
    # Its key has been deleted, or another one is in force: it is not found, and the others are.
    keys["rec_1"] = new_key()
    with pytest.raises(FilesError, match="damaged"):
        made.read("rec_1")
    assert made.search(["rec_1"], "reden", 10) == []


def test_a_changed_master_key_is_told(tmp_path):
    (tmp_path / "rec_1").mkdir()

    def lost(_recording):
        raise LayoutError("the master key has changed")

    made = Transcripts(tmp_path, lost)
    with pytest.raises(FilesError, match="master key"):
        made.read("rec_1")
    with pytest.raises(FilesError, match="master key"):
        made.write("rec_1", Transcript(1, "tiny", LINES))
