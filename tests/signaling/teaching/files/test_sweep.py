import os
import time

from classroom.features import files, slides
from signaling.store.blobs import BlobFolder
from signaling.store.classroom.library_files import LibraryFile
from signaling.teaching.files.sweep import FILE_AGE_S, FOLDER_AGE_S, sweep
from tests.signaling.store.test_blobs import keep, keep_at
from tests.signaling.teaching.harness import ID, teaching


def aged(path, seconds):
    at = time.time() - seconds
    os.utime(path, (at, at))


async def test_what_no_session_has_goes_once_it_is_old(tmp_path):
    async with teaching(tmp_path) as world:
        blobs = BlobFolder(tmp_path / "files")
        await world.lesson()
        added = files.Add(
            by="tutor", file="f1", name="a.pdf", size=1, kind="application/pdf", digest="a" * 64
        )
        await world.do(added)
        await world.do(slides.AddDeck(by="tutor", deck="d1", title="Deck", pages=1, file="f1"))
        for name in ("f1", "d1", "lost", "new"):
            keep(blobs, "north", ID, name)
            aged(blobs.path("north", ID, name), FILE_AGE_S + 1)
        aged(blobs.path("north", ID, "new"), 10)
        assert await sweep(blobs, world.registry, world.store) == 1
        left = {name for name in ("f1", "d1", "lost", "new") if blobs.path("north", ID, name).exists()}
        assert left == {"f1", "d1", "new"}
        assert await sweep(blobs, world.registry, world.store) == 0


async def test_the_folder_of_a_session_that_is_not_there_goes_after_a_week(tmp_path):
    async with teaching(tmp_path) as world:
        blobs = BlobFolder(tmp_path / "files")
        assert await sweep(blobs, world.registry, world.store) == 0  # there is no folder at all
        for session, age_s in (("ses_new", 10), ("ses_old", FOLDER_AGE_S + 60)):
            keep(blobs, "north", session, "f1")
            aged(blobs.session_folder("north", session), age_s)
        assert await sweep(blobs, world.registry, world.store) == 1
        assert blobs.path("north", "ses_new", "f1").exists()
        assert not blobs.session_folder("north", "ses_old").exists()


async def test_what_no_library_has_goes_and_a_fresh_copy_in_a_session_stays(tmp_path):
    async with teaching(tmp_path) as world:
        blobs, files = BlobFolder(tmp_path / "files"), world.store.classroom.of("north").library_files
        await world.lesson()
        assert await sweep(blobs, world.registry, world.store) == 0  # there is no folder at all
        await files.add(LibraryFile("tutor", "lf_1", "a.pdf", "application/pdf", 1, "a" * 64, 5.0))
        for owner, name in (("tutor", "lf_1"), ("tutor", "lost"), ("gone", "lf_1")):
            keep_at(blobs, blobs.library_path("north", owner, name))
            aged(blobs.library_path("north", owner, name), FILE_AGE_S + 1)
        aged(blobs.library_folder("north", "gone"), FOLDER_AGE_S + 60)
        # Its event is not stored yet.
        blobs.copy_to_session(blobs.library_path("north", "tutor", "lf_1"), "north", ID, "f_copy")
        assert await sweep(blobs, world.registry, world.store) == 2
        assert blobs.path("north", ID, "f_copy").exists()
        assert blobs.library_path("north", "tutor", "lf_1").exists()
        assert not blobs.library_path("north", "tutor", "lost").exists()
        assert not blobs.library_folder("north", "gone").exists()


async def test_a_new_database_beside_old_files_deletes_none(tmp_path):
    async with teaching(tmp_path) as world:
        blobs = BlobFolder(tmp_path / "files")
        keep(blobs, "north", "ses_old", "f1")
        aged(blobs.session_folder("north", "ses_old"), 30 * 86_400)
        assert await sweep(blobs, world.registry, world.store) == 0
        assert await sweep(blobs, world.registry, world.store) == 0
        assert blobs.path("north", "ses_old", "f1").exists()
