"""Syncs in a thread: in order, once for each file of a batch, and errors where they belong."""

import os
import threading
import time
from pathlib import Path

import pytest

from recording.files import syncing
from recording.files.reader import RecordingReader
from recording.files.syncing import InlineSyncer, ThreadSyncer
from sfu.wire import tap
from tests.recording.test_recorder import World


class Disk:
    """Stands in for fdatasync: it waits until it is let go, and fails for the named files."""

    def __init__(self):
        self.go, self.began = threading.Event(), threading.Event()
        self.synced, self.failing = [], set()

    def sync(self, descriptor):
        self.began.set()
        assert self.go.wait(10)
        inode = os.fstat(descriptor).st_ino
        self.synced.append(inode)
        if inode in self.failing:
            raise OSError(28, "No space left on device")


@pytest.fixture
def disk(monkeypatch):
    made = Disk()
    monkeypatch.setattr(syncing.os, "fdatasync", made.sync)
    return made


@pytest.fixture
def files(tmp_path):
    opened = [os.open(tmp_path / name, os.O_CREAT | os.O_RDWR) for name in "ab"]
    yield opened
    for each in opened:
        os.close(each)


def inode(descriptor):
    return os.fstat(descriptor).st_ino


def test_a_slow_disk_delays_nobody_and_a_batch_syncs_each_file_once(disk, files):
    syncer, done = ThreadSyncer(), []
    syncer.put("x", files[0], lambda: done.append("first"))
    assert disk.began.wait(10)
    for number in range(3):
        syncer.put("x", files[0], lambda number=number: done.append(number))
        syncer.put("y", files[1], lambda: done.append("other"))
    assert done == []
    disk.go.set()
    syncer.wait("x")
    syncer.wait("y")
    assert [each for each in done if each != "other"] == ["first", 0, 1, 2]
    assert disk.synced == [inode(files[0]), inode(files[0]), inode(files[1])]


def test_nothing_follows_a_sync_that_has_failed_and_its_owner_is_told(disk, files):
    syncer, done = ThreadSyncer(), []
    disk.failing.add(inode(files[0]))
    syncer.put("x", files[0], lambda: done.append("x"))
    syncer.put("x", files[1], lambda: done.append("after it"))
    syncer.put("y", files[1], lambda: done.append("y"))
    disk.go.set()
    syncer.wait("y")
    with pytest.raises(OSError, match="No space"):
        syncer.put("x", files[1], lambda: done.append("later"))
    with pytest.raises(OSError, match="No space"):
        syncer.wait("x")
    assert done == ["y"]
    syncer.put("x", files[1], lambda: done.append("anew"))
    syncer.wait("x")
    assert done == ["y", "anew"]


def test_a_file_may_be_closed_before_it_is_synced(disk, tmp_path):
    syncer, done = ThreadSyncer(), []
    descriptor = os.open(tmp_path / "c", os.O_CREAT | os.O_RDWR)
    syncer.put("x", descriptor, lambda: done.append("x"))
    os.close(descriptor)
    disk.go.set()
    syncer.wait("x")
    assert done == ["x"]
    folder = Path("/proc/self/fd")
    assert str(tmp_path / "c") not in [str(each.readlink()) for each in folder.iterdir() if each.is_symlink()]


def test_without_a_thread_it_is_done_at_once(disk, files):
    disk.go.set()
    done = []
    InlineSyncer().put("x", files[0], lambda: done.append("x"))
    assert (done, disk.synced) == (["x"], [inode(files[0])])


def test_a_recorder_goes_on_while_the_disk_is_slow_and_its_index_follows(tmp_path, disk):
    world = World(tmp_path)
    world.recorder._syncer = ThreadSyncer()
    began = time.monotonic()
    world.start()
    world.speak(20, 1)
    assert time.monotonic() - began < 10
    track = RecordingReader(tmp_path, "lesson").track(1)
    assert len(track) == 0
    # Everything is in the file, and found there.
    assert track.tail(0)[-1].end_ns > 18_000_000_000
    disk.go.set()
    world.recorder.handle(tap.StopRecording("lesson", world.now_ns))
    assert len(track) >= 5
    assert not track.tail(len(track))


def test_a_disk_that_fails_at_the_very_end_fails_its_recording(tmp_path, disk):
    class Late(ThreadSyncer):
        """Lets the disk go when somebody waits for it."""

        def wait(self, owner):
            disk.go.set()
            super().wait(owner)

    world = World(tmp_path)
    world.recorder._syncer = Late()
    world.start()
    world.speak(5, 1)
    (part,) = tmp_path.rglob("0001.webm")
    disk.failing.add(part.stat().st_ino)
    world.recorder.handle(tap.StopRecording("lesson", world.now_ns))
    (failed,) = world.of(tap.RecordingFailed)
    assert failed.reason == "disk-full"
    assert not world.of(tap.RecordingEnded)
