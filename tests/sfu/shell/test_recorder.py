"""The recorder's process as the tap uses it: started again when it dies, and bounded when it does not keep up."""

import asyncio
import json
import signal
import time

import pytest

from recording.files.reader import RecordingReader
from recording.media.codecs import opus
from recording.values import GapReason
from sfu.shell import recorder
from sfu.shell.recorder import RecorderProcess
from sfu.wire import tap

S, MS = 1_000_000_000, 1_000_000


class Recording:
    """A recorder, and a lesson with one microphone."""

    def __init__(self, root):
        self.root = root
        self.told = asyncio.Queue()
        settings = json.dumps({"folder": str(root), "reserve_octets": 0})
        self.recorder = RecorderProcess(settings, self.told.put_nowait)
        self.begun = time.monotonic_ns()
        self.sequence = self.pings = 0

    async def heard(self, kind):
        async with asyncio.timeout(20):
            while not isinstance(message := await self.told.get(), kind):
                pass
        return message

    def send(self, *messages):
        self.recorder.send(messages, time.monotonic_ns())

    async def answer(self):
        """Everything before this has been handled, by a process that is running."""
        async with asyncio.timeout(20):
            while True:
                self.pings += 1
                self.send(tap.Ping(self.pings))
                try:
                    async with asyncio.timeout(0.2):  # one that a killed process took is not answered
                        while (await self.heard(tap.Pong)).number != self.pings:
                            pass
                except TimeoutError:
                    continue
                return

    def begin(self, recording_id="lesson"):
        self.send(
            tap.StartRecording(recording_id, self.begun),
            tap.OpenTrack(recording_id, "mic", "audio", "", self.begun),
            tap.OpenStream(1, recording_id, "mic", "p", 48_000, self.begun),
        )

    def speak(self, packets):
        self.send(*(self.packet() for _ in range(packets)))

    def packet(self):
        self.sequence += 1
        at_ns = self.begun + self.sequence * 20 * MS
        return tap.Packet(1, self.sequence, 960 * self.sequence, True, "opus", opus.SILENCE, at_ns)

    def track(self):
        (track,), problems = RecordingReader(self.root, "lesson").tracks()
        assert problems == []
        return track


@pytest.fixture
async def recording(tmp_path):
    made = Recording(tmp_path)
    made.recorder.start()
    yield made
    if made.recorder.process.returncode is None:
        await made.recorder.stop()
    assert made.recorder.process.returncode == 0


async def test_a_recording_from_start_to_stop(recording):
    recording.begin()
    await recording.answer()
    recording.speak(300)
    recording.send(tap.StopRecording("lesson", recording.begun + 6 * S))
    assert (await recording.heard(tap.SegmentWritten)).end_ns == 4 * S + 20 * MS
    assert await recording.heard(tap.RecordingEnded) == tap.RecordingEnded("lesson")
    assert list(recording.track().segments(0, 100 * S))[-1].end_ns == pytest.approx(6 * S, abs=30 * MS)


@pytest.mark.parametrize("retained_ns", [recorder.RETAINED_NS, 0], ids=["retained", "not retained"])
async def test_a_killed_recorder_is_started_again_and_goes_on_in_the_same_recording(
    recording, caplog, monkeypatch, retained_ns
):
    monkeypatch.setattr(recorder, "RETAINED_NS", retained_ns)
    recording.begin()
    await recording.answer()
    recording.speak(100)
    await recording.answer()
    recording.recorder.process.send_signal(signal.SIGKILL)
    await recording.recorder.process.wait()
    recording.speak(50)  # nobody is there to take them
    await recording.answer()
    recording.speak(100)
    await recording.answer()
    assert recording.recorder.restarts == 1
    recording.send(tap.StopRecording("lesson", recording.begun + 5 * S))
    await recording.heard(tap.RecordingEnded)
    track = recording.track()
    assert track.parts() == [1, 2]
    assert "started again" in caplog.text
    if (
        retained_ns
    ):  # what the killed process had in memory, and what came while there was none, is handed over again
        assert track.gaps(0, 100 * S) == []
        assert sum(each.end_ns - each.start_ns for each in track.segments(0, 100 * S)) == 5 * S
        return
    (gap,) = track.gaps(0, 100 * S)
    assert gap.reason is GapReason.INTERRUPTED
    assert 2 * S - gap.start_ns < S  # less than a second is lost of what was handed over
    assert gap.end_ns == pytest.approx(3020 * MS, abs=2 * MS)


async def test_what_is_retained_is_bounded_and_of_open_streams_alone(recording, monkeypatch):
    recording.begin()
    await recording.answer()
    monkeypatch.setattr(recorder, "MAX_RETAINED_OCTETS", 20 * len(opus.SILENCE))
    for _ in range(30):
        recording.speak(1)
    retained = [packet.sequence for packets in recording.recorder._retained() for packet in packets]
    assert retained == list(range(11, 31))
    recording.send(tap.CloseStream(1, recording.begun))
    assert list(recording.recorder._retained()) == []


async def test_while_the_recorder_does_not_keep_up_packets_are_dropped_and_marked(recording, monkeypatch):
    recording.begin()
    await recording.answer()
    recording.speak(20)
    await recording.answer()
    recording.recorder.process.send_signal(signal.SIGSTOP)
    monkeypatch.setattr(recorder, "MAX_QUEUE_OCTETS", 10_000)
    for _ in range(200):
        recording.speak(50)
    assert recording.recorder.dropped_packets > 1000
    assert recording.recorder._writer.transport.get_write_buffer_size() < 20_000
    recording.recorder.process.send_signal(signal.SIGCONT)
    await recording.answer()
    recording.speak(20)
    recording.send(tap.StopRecording("lesson", recording.begun + recording.sequence * 20 * MS))
    await recording.heard(tap.RecordingEnded)
    assert GapReason.DROPPED in {gap.reason for gap in recording.track().gaps(0, 1 << 60)}


async def test_stopping_ends_all_recordings_and_says_so(recording):
    recording.begin()
    await recording.answer()
    recording.speak(30)
    await recording.recorder.stop()
    assert recording.recorder.process.returncode == 0
    assert await recording.heard(tap.RecordingEnded) == tap.RecordingEnded("lesson")
    assert len(recording.track()) == 1


async def test_a_recorder_that_hangs_is_killed_when_it_should_stop(tmp_path, monkeypatch):
    monkeypatch.setattr(recorder, "STOP_TIMEOUT_S", 0.3)
    recording = Recording(tmp_path)
    recording.recorder.start()
    await recording.answer()
    recording.recorder.process.send_signal(signal.SIGSTOP)
    await recording.recorder.stop()
    assert recording.recorder.process.returncode == -signal.SIGKILL


async def test_what_failed_is_not_begun_again_by_a_new_process(recording):
    recording.begin("../x")
    failed = await recording.heard(tap.RecordingFailed)
    assert (failed.recording_id, failed.reason) == ("../x", "invalid")
    assert recording.recorder._open.messages() == []


def test_what_is_open_is_what_a_new_process_is_told():
    things = recorder._OpenThings()
    kept = [
        tap.StartRecording("r", 1),
        tap.OpenTrack("r", "a", "audio", "", 1),
        tap.MuteTrack("r", "a", True, 2),
        tap.OpenStream(1, "r", "a", "p", 48_000, 1),
        tap.SenderReport(1, 5, 6, 7),
    ]
    gone = [
        tap.OpenTrack("r", "b", "video", "", 1),
        tap.OpenStream(2, "r", "b", "p", 90_000, 1),
        tap.SenderReport(2, 5, 6, 7),
        tap.CloseTrack("r", "b", 3),
        tap.OpenStream(3, "r", "a", "p", 48_000, 1),
        tap.CloseStream(3, 3),
        tap.StartRecording("s", 1),
        tap.OpenTrack("s", "a", "audio", "", 1),
        tap.StopRecording("s", 2),
    ]
    for message in (*kept, *gone):
        things.record(message)
    assert things.messages() == kept


def test_a_new_process_is_told_the_last_reports_of_all_streams_in_the_order_in_which_they_came():
    things = recorder._OpenThings()
    for arrived in range(100):
        things.record(tap.SenderReport(arrived % 2, arrived, arrived, arrived))
    told = [report.arrived_ns for report in things.messages()]
    assert told == list(range(100 - 2 * recorder.RETAINED_REPORTS, 100))
