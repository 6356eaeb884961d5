from signaling.store.blobs import BlobFolder
from signaling.teaching.files.session_files import PERSON_UPLOADS, UPLOADS, SessionFiles
from signaling.teaching.registry import Registry


def test_uploads_at_the_same_time_are_few_for_each_person_and_for_all(tmp_path):
    """Bytes under way count against no quota yet. That removed files go from the disk is in test_file_calls."""
    files = SessionFiles(BlobFolder(tmp_path), Registry(None, lambda: 0.0))
    assert [files.begin_upload("t", "sam") for _ in range(PERSON_UPLOADS + 1)] == [True] * PERSON_UPLOADS + [
        False
    ]
    assert files.begin_upload("other", "sam")
    files.end_upload("t", "sam")
    assert files.begin_upload("t", "sam")
    for number in range(UPLOADS - PERSON_UPLOADS - 1):
        assert files.begin_upload("t", str(number))
    assert not files.begin_upload("t", "late")
