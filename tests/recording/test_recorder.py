"""The recorder in this process, and as one of its own that is killed."""

import json
import os
import random
import signal
import socket
import subprocess
import sys
import time

import pytest

from recording.files.folder import Moment
from recording.files.layout import DamagedError, LayoutError
from recording.files.reader import RecordingReader
from recording.media.codecs import opus
from recording.recorder import Connection, Recorder, RecorderSettings
from recording.values import GapReason
from sfu.wire import tap
from tests.recording.encoders import MS, Sender

S = 1_000_000_000
KEY = bytes(range(32))
# RFC 6716 section 3.1: one frame of 20 ms, and octets that can be found again.
PAYLOAD = b"\xfc" + b"octets of a packet that can be found on the disk"


class World:
    """A recorder with a clock that is moved by hand."""

    def __init__(self, root, **settings):
        self.now_ns, self.told = 1000 * S, []
        self.recorder = Recorder(
            RecorderSettings(str(root), **{"reserve_octets": 0, **settings}), self.moment, self.told.extend
        )

    def moment(self):
        return Moment(self.now_ns, 1_700_000_000 * S + self.now_ns, "boot")

    def start(self, recording_id="lesson", stream=1, track_id="mic", key=b""):
        at = self.now_ns
        for message in (
            tap.StartRecording(recording_id, at, key),
            tap.OpenTrack(recording_id, track_id, "audio", "", at),
            tap.OpenStream(stream, recording_id, track_id, "p", 48_000, at),
        ):
            self.recorder.handle(message)

    def speak(self, seconds, *streams, sequence=0, payload=opus.SILENCE):
        for i in range(round(seconds * 50)):
            for stream in streams:
                self.recorder.handle(
                    tap.Packet(stream, sequence + i, 960 * (sequence + i), True, "opus", payload, self.now_ns)
                )
            self.now_ns += 20 * MS
            if i % 5 == 0:
                self.recorder.tick()

    def of(self, kind):
        return [message for message in self.told if isinstance(message, kind)]


def records(root, recording_id="lesson", key=b""):
    (track,), problems = RecordingReader(root, recording_id, key).tracks()
    assert problems == []
    return list(track.segments(0, 1 << 60)), track


def test_a_recording_from_start_to_stop(tmp_path):
    world = World(tmp_path)
    world.start()
    world.start()  # once more is harmless, but for the stream
    assert world.of(tap.RecordingFailed)[0].reason == "invalid"
    world = World(tmp_path)
    world.start()
    world.speak(10, 1)
    world.recorder.handle(tap.Ping(4))
    world.recorder.handle(tap.StopRecording("lesson", world.now_ns))
    world.speak(1, 1)
    assert world.told[-1] == tap.RecordingEnded("lesson")
    assert world.of(tap.Pong) == [tap.Pong(4)]
    written = world.of(tap.SegmentWritten)
    found, _ = records(tmp_path)
    assert [(w.start_ns, w.end_ns, w.octets) for w in written] == [
        (r.start_ns, r.end_ns, r.length) for r in found
    ]
    assert found[-1].end_ns == pytest.approx(10 * S, abs=2 * MS)


def test_one_full_disk_or_contradiction_ends_one_recording(tmp_path, monkeypatch):
    world = World(tmp_path)
    world.start("one", 1)
    world.start("two", 2)
    world.speak(2, 1, 2)
    world.recorder.handle(tap.OpenStream(3, "two", "unknown", "p", 48_000, 0))
    assert [(failed.recording_id, failed.reason) for failed in world.of(tap.RecordingFailed)] == [
        ("two", "invalid")
    ]
    world.speak(2, 1, 2, sequence=100)
    assert records(tmp_path, "one")[0][-1].end_ns > 3 * S
    assert len(world.of(tap.RecordingFailed)) == 1


def test_a_full_disk_is_told_once_and_what_was_written_is_kept(tmp_path, monkeypatch):
    world = World(tmp_path)
    world.start()
    world.speak(6, 1)
    monkeypatch.setattr(world.recorder._running["lesson"].folder, "_reserve", 1 << 62)
    world.speak(6, 1, sequence=300)
    (failed,) = world.of(tap.RecordingFailed)
    assert (failed.recording_id, failed.reason) == ("lesson", "disk-full")
    assert records(tmp_path)[0][-1].end_ns > 5 * S
    # there is room again: it goes on, and the time between is a gap
    world.start(stream=2)
    world.speak(2, 2)
    world.recorder.handle(tap.StopRecording("lesson", world.now_ns))
    _, track = records(tmp_path)
    assert [gap.reason for gap in track.gaps(0, 1 << 60)] == [GapReason.INTERRUPTED]


def test_a_fault_of_the_recorder_itself_costs_one_recording(tmp_path, monkeypatch, caplog):
    world = World(tmp_path)
    world.start("one", 1)
    world.start("two", 2)
    monkeypatch.setattr(world.recorder._running["two"].state, "tick", lambda now_ns: 1 / 0)
    world.speak(1, 1, 2)
    assert [(failed.recording_id, failed.reason) for failed in world.of(tap.RecordingFailed)] == [
        ("two", "internal")
    ]
    assert "ZeroDivisionError" in caplog.text
    assert "one" in world.recorder._running


def test_hostile_ids_are_refused(tmp_path):
    world = World(tmp_path)
    world.start("../x")
    assert [failed.reason for failed in world.of(tap.RecordingFailed)] == ["invalid"]
    assert list(tmp_path.iterdir()) == []


def test_requests_are_dropped_while_the_tap_does_not_read(monkeypatch):
    ours, theirs = socket.socketpair()
    with ours, theirs:
        connection = Connection(theirs)
        for _ in range(20_000):
            connection.send([tap.RequestKeyframe(1), tap.Nack(1, tuple(range(50)))])
        assert len(connection._backlog) < 300_000
        connection.send([tap.RecordingEnded("r")])
        frames, found = tap.FrameBuffer(), []
        ours.setblocking(False)
        while not found or found[-1] != tap.RecordingEnded("r"):
            connection.flush()
            for body in frames.feed(ours.recv(1 << 20)):
                found += tap.read_from_recorder(body)
        assert len(found) < 20_000


class Child:
    """The recorder as a process."""

    def __init__(self, root):
        self.socket, theirs = socket.socketpair()
        settings = json.dumps({"folder": str(root), "reserve_octets": 0})
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "recording.recorder", str(theirs.fileno()), settings],
                pass_fds=(theirs.fileno(),),
            )
        self.frames = tap.FrameBuffer()

    def send(self, *messages):
        self.socket.sendall(tap.frame(messages))

    def until(self, message):
        self.socket.settimeout(20)
        while True:
            for body in self.frames.feed(self.socket.recv(1 << 16)):
                if message in tap.read_from_recorder(body):
                    return

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.end()

    def end(self):
        self.socket.close()
        return self.process.wait(20)


def test_an_encrypted_recording_shows_neither_packets_nor_its_container(tmp_path):
    for key in (b"", KEY):
        root = tmp_path / key.hex()[:4]
        world = World(root)
        world.start(key=key)
        world.speak(10, 1, payload=PAYLOAD)
        live, _ = records(root, key=key)
        assert live[-1].end_ns > 9 * S
        world.recorder.handle(tap.StopRecording("lesson", world.now_ns))
        found, track = records(root, key=key)
        assert [record.end_ns // S for record in found] == [4, 8, 10]
        assert sum(track.read(record).count(PAYLOAD) for record in found) == 500
        disk = b"".join(path.read_bytes() for path in root.rglob("*") if path.is_file())
        for plain in (
            PAYLOAD,
            b"OpusHead",
            bytes.fromhex("1A45DFA3"),
            b"webm\x42",
        ):  # RFC 8794: the EBML magic
            assert (plain in disk) == (key == b""), plain
        assert KEY not in disk


def test_a_flipped_octet_of_an_encrypted_recording_costs_one_segment(tmp_path):
    world = World(tmp_path)
    world.start(key=KEY)
    world.speak(10, 1, payload=PAYLOAD)
    world.recorder.handle(tap.StopRecording("lesson", world.now_ns))
    found, track = records(tmp_path, key=KEY)
    path = track.path / "0001.webm"
    octets = bytearray(path.read_bytes())
    octets[-10] ^= 1
    path.write_bytes(octets)
    assert all(track.read(record) for record in found[:-1])
    with pytest.raises(DamagedError, match=r"record \d+ of lesson/tracks/0001/0001\.webm is damaged"):
        track.read(found[-1])


def test_an_encrypted_recording_is_read_and_continued_with_its_own_key_only(tmp_path):
    world = World(tmp_path)
    world.start(key=KEY)
    world.speak(5, 1)
    world.recorder.handle(tap.StopRecording("lesson", world.now_ns))
    (track,), _ = RecordingReader(tmp_path, "lesson").tracks()
    assert len(track) == 2
    with pytest.raises(LayoutError, match="its key is missing"):
        track.read(track.record(0))
    with pytest.raises(LayoutError, match="another key"):
        RecordingReader(tmp_path, "lesson", bytes(32))
    for key in (b"", bytes(32)):
        world.start(stream=2, key=key)
        failed = world.of(tap.RecordingFailed)[-1]
        assert (failed.reason, failed.detail) == ("invalid", "the recording was begun with another key")
    assert repr(KEY) not in repr(tap.StartRecording("lesson", 0, KEY))
    world.start(stream=3, key=KEY)
    world.speak(2, 3)
    world.recorder.handle(tap.StopRecording("lesson", world.now_ns))
    found, track = records(tmp_path, key=KEY)
    assert {record.part for record in found} == {1, 2}
    assert all(track.read(record) for record in found)


@pytest.mark.parametrize("key", [b"", KEY], ids=["plain", "encrypted"])
def test_killed_at_random_moments_it_loses_less_than_a_second(tmp_path, key):
    """Twice: four recordings in one process, as its start is what takes time; each stopped at a moment of its own."""
    randomness = random.Random(7)
    begun = time.monotonic_ns()
    sent_ns = 0
    for round_number in range(2):
        child = Child(tmp_path)
        sender = Sender(1, "opus", rate=48_000)
        child.send(
            tap.StartRecording("lesson", begun, key),
            tap.OpenTrack("lesson", "mic", "audio", "", begun),
            tap.OpenStream(1, "lesson", "mic", "p", 48_000, begun),
        )
        # The packets say when they arrived, so the test need not wait.
        first_ns = sent_ns + 2 * S
        seconds = randomness.uniform(5, 9)
        for at in range(0, round(seconds * 1000), 20):
            sent_ns = first_ns + at * MS
            child.send(*sender.packets([opus.SILENCE], sent_ns, begun + sent_ns))
        child.send(tap.Ping(4))
        child.until(tap.Pong(4))
        child.kill()
        found, track = records(tmp_path, key=key)
        assert sent_ns - found[-1].end_ns < S
        assert all(track.read(record) for record in found)
        assert len({record.part for record in found}) == round_number + 1
    gaps = track.gaps(0, 1 << 60)
    assert [gap.reason for gap in gaps] == [GapReason.INTERRUPTED]


def test_it_writes_everything_and_ends_when_its_socket_ends(tmp_path):
    child = Child(tmp_path)
    begun = time.monotonic_ns()
    child.send(
        tap.StartRecording("lesson", begun),
        tap.OpenTrack("lesson", "mic", "audio", "", begun),
        tap.OpenStream(1, "lesson", "mic", "p", 48_000, begun),
        *(
            p
            for i in range(5)
            for p in Sender(1, "opus", rate=48_000, sequence=i).packets(
                [opus.SILENCE], i * 20 * MS, begun + i * 20 * MS
            )
        ),
    )
    child.send(tap.Ping(4))
    child.until(tap.Pong(4))
    os.kill(child.process.pid, signal.SIGTERM)  # which goes to the whole group
    assert child.end() == 0
    found, track = records(tmp_path)
    assert len(track) == 1
    assert found[0].end_ns == pytest.approx(100 * MS, abs=MS)
