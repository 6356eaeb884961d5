"""Recordings of a running engine: aiortc publishes stamped pictures and tones, and what was written is decoded."""

import asyncio
import contextlib
import io
import itertools
import os
import random
import re
import signal
import time
from fractions import Fraction

import av
import numpy as np
import psutil
import pytest
from aiortc import MediaStreamTrack, RTCPeerConnection, RTCSessionDescription

from recording.files.reader import RecordingReader
from recording.values import GapReason
from sfu.settings import MediaSettings
from sfu.shell.server import MediaServer
from sfu.shell.workers import MediaWorkers
from sfu.values import (
    PeerClosed,
    PublicationSpec,
    PublicationStarted,
    RecordedTrack,
    RecordingStopped,
)
from tests.recording.encoders import read_stamp, stamped

FPS, S = 25, 1_000_000_000
KEY = bytes(range(32))
CAMERA, MICROPHONE = RecordedTrack("ada camera"), RecordedTrack("ada microphone")


class Pictures(MediaStreamTrack):
    """Pictures with the number of the frame since `began`, modulo 256; `sent` gets the numbers."""

    kind = "video"

    def __init__(self, began, sent):
        super().__init__()
        self.sent = sent
        self.began = began
        self.number = int((time.monotonic() - began) * FPS)

    async def recv(self):
        # what was not asked for in time is left out, as a camera does
        self.number = max(self.number + 1, int((time.monotonic() - self.began) * FPS))
        await asyncio.sleep(self.began + self.number / FPS - time.monotonic())  # the frame rate
        self.sent.append(self.number)
        frame = stamped(self.number % 256)
        frame.pts, frame.time_base = self.number * 90_000 // FPS, Fraction(1, 90_000)
        return frame


class Tones(MediaStreamTrack):
    """A burst of tone of 0.1 s each half second since `began`."""

    kind = "audio"

    def __init__(self, began):
        super().__init__()
        self.began = began
        self.number = int((time.monotonic() - began) * 50)

    async def recv(self):
        self.number = max(self.number + 1, int((time.monotonic() - self.began) * 50))
        await asyncio.sleep(self.began + self.number / 50 - time.monotonic())  # a packet of 20 ms
        times = (np.arange(960) + self.number * 960) / 48_000
        wave = np.sin(2 * np.pi * 880 * times) * 12_000 * (times % 0.5 < 0.1)
        frame = av.AudioFrame.from_ndarray(wave.astype(np.int16).reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = 48_000, self.number * 960, Fraction(1, 48_000)
        return frame


class LossyRelay(asyncio.DatagramProtocol):
    """A UDP relay in front of the server that loses packets of one client, in both directions."""

    def __init__(self, server, loss):
        self.server, self.loss = server, loss
        self.client = None
        self.random = random.Random(10)
        self.carried = self.lost = 0

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, address):
        if address != self.server:
            self.client = address
        self.carried += 1
        if self.random.random() < self.loss:
            self.lost += 1
        else:
            self.transport.sendto(data, self.client if address == self.server else self.server)

    @classmethod
    async def start(cls, server, loss):
        loop = asyncio.get_running_loop()
        _, relay = await loop.create_datagram_endpoint(lambda: cls(server, loss), ("127.0.0.1", 0))
        return relay

    def redirected(self, sdp):
        """An answer whose candidates lead here instead."""
        port = self.transport.get_extra_info("sockname")[1]
        return re.sub(
            r"(a=candidate:\S+ \d udp \d+) \S+ \d+", rf"\1 127.0.0.1 {port}", sdp, flags=re.IGNORECASE
        )


class Lesson:
    """An engine with a publisher, and a recording of the room."""

    def __init__(self, folder, workers, **options):
        self.folder = folder
        self.events = asyncio.Queue()
        options = {"recordings_reserve_octets": 0, **options}
        settings = MediaSettings(udp_port=0, announce_loopback=True, recordings_folder=str(folder), **options)
        make = MediaWorkers if workers else MediaServer
        self.media = make(settings, *([workers] if workers else []), self.events.put_nowait)
        self.began = time.monotonic()
        self.count = 0
        self.sent = []
        self.peers = []
        self.relay = None

    async def event(self, kind):
        async with asyncio.timeout(20):
            while not isinstance(event := await self.events.get(), kind):
                pass
        return event

    async def publish(self, relay_for=None):
        """Join and publish a camera and a microphone, which are recorded; returns their ids.

        `relay_for` makes a relay in front of a server's address.
        """
        self.count += 1
        name, ids = f"ada {self.count}", (f"TR_V{self.count}", f"TR_A{self.count}")
        self.media.open_peer(name, "maths")
        peer = RTCPeerConnection()
        self.peers.append(peer)
        tracks = Pictures(self.began, self.sent), Tones(self.began)
        for track in tracks:
            peer.addTransceiver(track, direction="sendonly")
        await peer.setLocalDescription(await peer.createOffer())
        for publication_id, track in zip(ids, tracks, strict=True):
            self.media.publish(name, PublicationSpec(publication_id, track.kind, (track.id,), red=False))
        answer = await self.media.negotiate(name, peer.localDescription.sdp)
        sdp = answer.sdp
        if relay_for is not None:
            host, port = re.search(r"a=candidate:\S+ \d udp \d+ (127\.\S+) (\d+)", sdp).groups()
            self.relay = await relay_for((host, int(port)))
            sdp = self.relay.redirected(sdp)
        await peer.setRemoteDescription(RTCSessionDescription(sdp, "answer"))
        self.record(ids)
        await self.event(PublicationStarted)
        await self.event(PublicationStarted)
        return name, *ids

    def record(self, ids):
        for publication_id, track in zip(ids, (CAMERA, MICROPHONE), strict=True):
            self.media.record_track("lesson", publication_id, track)

    async def finish(self):
        """Stop the recording, and return its tracks."""
        self.media.stop_recording("lesson")
        stopped = await self.event(RecordingStopped)
        assert stopped == RecordingStopped("lesson")
        (camera, microphone), problems = RecordingReader(self.folder, "lesson", KEY).tracks()
        assert problems == []
        return camera, microphone, self.sent

    async def close(self):
        for peer in self.peers:
            await peer.close()
        if self.relay is not None:
            self.relay.transport.close()
        await self.media.stop()


@pytest.fixture
async def lesson(tmp_path, request):
    made = Lesson(tmp_path, getattr(request, "param", 0))
    await made.media.start()
    made.media.start_recording("lesson", "maths", KEY)
    yield made
    await made.close()


def recorders():
    """Recorder processes below this one."""
    found = []
    for child in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):  # it has just ended
            if child.status() != psutil.STATUS_ZOMBIE and "recording.recorder" in child.cmdline():
                found.append(child)
    return found


def decoded(track):
    """(time in s, frame) of all that was recorded of a track."""
    found = []
    for number in track.parts():
        records = [record for record in track.segments(0, 1 << 62) if record.part == number]
        data = track.init_segment(number) + b"".join(track.read(record) for record in records)
        with av.open(io.BytesIO(data)) as container:
            stream = container.streams[0]
            found += [(float(frame.pts * frame.time_base), frame) for frame in container.decode(stream)]
    return found


def stamps(camera):
    """(time in s, number) of each picture, with numbers that go on counting beyond 256."""
    found, before = [], 0
    for at, frame in decoded(camera):
        before += (read_stamp(frame) - before) % 256
        found.append((at, before))
    return found


def bursts(microphone):
    """The times in s at which bursts of tone begin; one whose beginning is in a hole does not count."""
    found, quiet_until, end = [], 0.0, 0.0
    for at, frame in decoded(microphone):
        wave = np.abs(frame.to_ndarray().astype(float)).reshape(-1)
        wave = wave / (32768 if frame.format.name.startswith("s16") else 1)
        channels = 2 if frame.format.is_planar is False else 1
        loud = np.flatnonzero(wave > 0.1)
        hole, end = at > end + 0.025, at + frame.samples / frame.sample_rate
        if not len(loud):
            continue
        begins = at + loud[0] / channels / frame.sample_rate
        if begins > quiet_until and not hole:
            found.append(begins)
        quiet_until = at + frame.samples / frame.sample_rate + 0.1
    return found


def settled(times, hole_s):
    """Which of these times are so long after the last hole that the first sender report has come."""
    since, found = times[0], []
    for at, before in zip(times, (times[0], *times[:-1]), strict=True):
        since = at if at - before > hole_s else since
        found.append(at - since > 1.2)
    return np.array(found)


def check(camera, microphone, sent, *, lost_s=0.0, hole_s=0.7):
    """Pictures are in order, nothing that was sent is missing for longer than that, and tones are in step with them.

    After a hole of `hole_s` there is another connection, whose clock is not known at once.
    """
    pictures = stamps(camera)
    numbers = [number for _, number in pictures]
    assert numbers == sorted(set(numbers))
    lost = [
        (after - before) / FPS
        for before, after in itertools.pairwise(numbers)
        if any(before < number < after for number in sent)
    ]
    assert max(lost, default=0) <= lost_s
    # a picture's number and a burst tell the publisher's time: what each says of the recording's start has to agree
    starts = np.array([at - number / FPS for at, number in pictures])
    starts = starts[settled([at for at, _ in pictures], hole_s)]
    assert np.ptp(starts) < 0.04, starts
    found = np.array(bursts(microphone))
    assert len(found) > 3
    beats = (found[settled(found, hole_s)] - np.median(starts)) % 0.5
    beats = np.where(beats > 0.25, beats - 0.5, beats)
    assert np.abs(beats).max() < 0.04, beats
    return numbers, found


async def test_a_lesson_is_recorded_completely_in_order_and_in_step(lesson):
    await lesson.publish()
    await asyncio.sleep(4)  # of the lesson
    numbers, found = check(*await lesson.finish())
    assert len(numbers) > 2 * FPS
    assert np.median(np.diff(found)) == pytest.approx(0.5, abs=0.02)
    assert lesson.media.metrics()["recordings"] == 0


async def test_with_a_tenth_of_the_packets_lost_it_is_in_order_in_step_and_gaps_are_marked(lesson):
    await lesson.publish(lambda server: LossyRelay.start(server, 0.1))
    await asyncio.sleep(6)
    camera, microphone, sent = await lesson.finish()
    relay = lesson.relay
    assert relay.carried > 500
    assert 0.07 < relay.lost / relay.carried < 0.13
    numbers, _ = check(camera, microphone, sent, lost_s=1.5)
    # Of what was sent after the first recorded picture, most has been asked for again and is there.
    wanted = {number for number in sent if numbers[0] <= number <= numbers[-1]}
    assert len(wanted & set(numbers)) > 0.8 * len(wanted)
    missing = [
        (before, after)
        for before, after in itertools.pairwise(stamps(camera))
        if any(before[1] < number < after[1] for number in sent)
    ]
    marked = [(gap.start_ns / S, gap.end_ns / S) for gap in camera.gaps(0, 1 << 62)]
    for (start_s, first), (end_s, last) in missing:
        if last - first > 3:
            assert any(a < end_s and b > start_s for a, b in marked), (start_s, end_s, marked)


async def test_nothing_of_a_mute_or_a_pause_is_recorded_and_what_follows_is_in_step(lesson):
    _, *ids = await lesson.publish()
    await asyncio.sleep(1.5)

    def mute(on):
        for publication_id in ids:
            lesson.media.set_muted(publication_id, on)

    for take in (mute, lambda on: lesson.media.pause_recording("lesson", on)):
        take(True)
        first = int((time.monotonic() - lesson.began) * FPS)
        await asyncio.sleep(0.8)
        last = int((time.monotonic() - lesson.began) * FPS)
        take(False)
        await asyncio.sleep(1.5)
    camera, microphone, sent = await lesson.finish()
    numbers, _ = check(camera, microphone, sent, lost_s=2, hole_s=10)
    assert not set(range(first + 3, last - 2)) & set(numbers)
    reasons = {gap.reason for gap in camera.gaps(0, 1 << 62)}
    assert {GapReason.MUTED, GapReason.ABSENT} <= reasons


async def test_a_republished_track_continues_the_recorded_one(lesson):
    name, *_ = await lesson.publish()
    await asyncio.sleep(1.5)
    lesson.media.close_peer(name)
    await lesson.publish()
    await asyncio.sleep(1.5)
    camera, microphone, sent = await lesson.finish()
    numbers, _ = check(camera, microphone, sent, lost_s=2)
    assert numbers[-1] - numbers[0] > 2 * FPS
    assert camera.info.track_id == CAMERA.id


async def test_a_killed_recorder_costs_less_than_a_second(lesson):
    await lesson.publish()
    await asyncio.sleep(1.5)
    (recorder,) = recorders()
    recorder.send_signal(signal.SIGKILL)
    await asyncio.sleep(2.5)
    camera, microphone, sent = await lesson.finish()
    check(camera, microphone, sent, lost_s=1)
    # of the sound, nothing is lost
    assert GapReason.INTERRUPTED not in {gap.reason for gap in microphone.gaps(0, 1 << 62)}
    assert lesson.media.metrics()["recorders_restarted"] == 1


@pytest.mark.parametrize("lesson", [1], indirect=True)
async def test_a_killed_worker_costs_less_than_a_second_beyond_the_reconnect(lesson):
    name, *_ = await lesson.publish()
    await asyncio.sleep(1.5)
    killed = int((time.monotonic() - lesson.began) * FPS)
    os.kill(lesson.media._by_peer[name].process.pid, signal.SIGKILL)
    await lesson.event(PeerClosed)
    async with asyncio.timeout(20):
        while not lesson.media.metrics()["workers"]:  # noqa: ASYNC110 - another process has no event here
            await asyncio.sleep(0.05)
    await lesson.publish()
    again = int((time.monotonic() - lesson.began) * FPS)
    await asyncio.sleep(2)
    camera, microphone, sent = await lesson.finish()
    numbers, _ = check(camera, microphone, sent, lost_s=10)
    before = [number for number in numbers if number <= killed]
    assert killed - before[-1] < FPS
    assert min(number for number in numbers if number > killed) - again < FPS
    assert lesson.folder.joinpath("lesson").is_dir()


async def test_without_a_folder_a_recording_is_refused(tmp_path):
    events = asyncio.Queue()
    media = MediaServer(MediaSettings(udp_port=0), events.put_nowait)
    await media.start()
    media.start_recording("lesson", "maths", KEY)
    media.record_track("lesson", "TR_1", CAMERA)
    assert (await events.get()).reason == "off"
    media.stop_recording("lesson")
    assert await events.get() == RecordingStopped("lesson")
    await media.stop()


async def test_a_recording_that_fails_ends_with_its_reason_and_the_recorder_with_the_last_one(lesson):
    lesson.media.start_recording("../x", "maths", KEY)
    failed = await lesson.event(RecordingStopped)
    assert (failed.recording_id, failed.reason) == ("../x", "invalid")
    assert len(recorders()) == 1
    lesson.media.stop_recording("lesson")
    assert await lesson.event(RecordingStopped) == RecordingStopped("lesson")
    async with asyncio.timeout(10):
        while recorders():  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def test_a_full_disk_ends_the_recording_with_its_reason_and_forwarding_goes_on(tmp_path):
    made = Lesson(tmp_path, 0, recordings_reserve_octets=1 << 60)
    await made.media.start()
    made.media.start_recording("lesson", "maths", KEY)
    await made.publish()
    stopped = await made.event(RecordingStopped)
    assert (stopped.recording_id, stopped.reason) == ("lesson", "disk-full")
    before = made.media.metrics()["packets_received"]
    await asyncio.sleep(0.5)
    assert made.media.metrics()["packets_received"] > before
    assert made.media.metrics()["recordings"] == 0
    await made.close()
