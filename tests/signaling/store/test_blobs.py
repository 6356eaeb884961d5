import stat

import pytest

from signaling.store import blobs as module
from signaling.store.blobs import BlobFolder


@pytest.fixture
def blobs(tmp_path):
    return BlobFolder(tmp_path / "files")


def keep_at(blobs, path, content=b"x"):
    draft = blobs.draft()
    draft.write(content)
    draft.finish()
    draft.keep(path)
    draft.discard()


def keep(blobs, tenant, session, name, content=b"x"):
    keep_at(blobs, blobs.path(tenant, session, name), content)


def test_a_kept_file_has_its_bytes_and_its_digest(blobs):
    draft = blobs.draft()
    for chunk in (b"ab", b"c"):
        draft.write(chunk)
    draft.finish()
    assert (draft.size, draft.digest[:8]) == (3, "ba7816bf")
    path = blobs.path("t", "s", "f")
    draft.keep(path)
    draft.discard()
    assert path.read_bytes() == b"abc"
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_names_of_tenants_sessions_and_files_never_meet_or_leave_the_folder(blobs):
    paths = {
        blobs.path(*names)
        for names in (
            ("t", "s", "f"),
            ("t2", "s", "f"),
            ("t", "s2", "f"),
            ("t", "s", "../../f"),
            ("ts", "", "f"),
        )
    }
    assert len(paths) == 5
    assert all(path.resolve().is_relative_to(blobs.folder / "sessions") for path in paths)


def test_what_an_earlier_process_left_incomplete_is_deleted(blobs):
    keep(blobs, "t", "s", "f")
    half = blobs.draft()
    half.write(b"half")
    half.finish()
    blobs.draft_folder()
    blobs.prepare()
    assert [path.name for path in blobs.folder.iterdir()] == ["sessions"]
    assert blobs.path("t", "s", "f").exists()


def test_deleting_one_file_and_all_of_a_session(blobs):
    for name in "abc":
        keep(blobs, "t", "s", name)
    keep(blobs, "other", "s", "a")
    blobs.delete("t", "s", "a")
    blobs.delete("t", "s", "a")
    assert [blobs.path("t", "s", name).exists() for name in "abc"] == [False, True, True]
    blobs.delete_session("t", "s")
    assert not blobs.session_folder("t", "s").exists()
    assert blobs.path("other", "s", "a").exists()


def test_the_database_keeps_its_room_on_the_disk(blobs, monkeypatch):
    usage = type("Usage", (), {"free": module.RESERVE_BYTES + 100})
    monkeypatch.setattr(module.shutil, "disk_usage", lambda _path: usage)
    assert blobs.has_room(100)
    assert not blobs.has_room(101)


@pytest.mark.parametrize("links", [True, False], ids=["hard links", "no hard links"])
def test_a_library_file_becomes_a_file_of_a_session(blobs, monkeypatch, links):
    source = blobs.library_path("t", "tutor", "lf_1")
    keep_at(blobs, source, b"abc")
    if not links:

        def refuse(_target, _source):
            raise PermissionError("no hard links here")

        monkeypatch.setattr(module.Path, "hardlink_to", refuse)
    for _ in range(2):
        blobs.copy_to_session(source, "t", "s", "f_1")
    blobs.delete_library_file("t", "tutor", "lf_1")
    assert blobs.path("t", "s", "f_1").read_bytes() == b"abc"
    with pytest.raises(FileNotFoundError):
        blobs.copy_to_session(source, "t", "s", "f_2")
