"""A session on a real server, recorded while the native client publishes stamped pictures and tones, and decoded."""

import asyncio
import io
import itertools
import os
import random
import signal
import sys
import time
import zipfile
from dataclasses import dataclass, field

import aiohttp
import av
import numpy as np
import psutil
import pytest
from livekit import rtc

from tests.e2e.conftest import NETWORK_SECRET, eventually, network_options, serving
from tests.e2e.netsim import missing, namespace
from tests.signaling.school_client import School

pytestmark = pytest.mark.timeout(150)

WIDTH, HEIGHT, FPS = 640, 384, 15
SQUARE = WIDTH // 10
PERIOD_S, BURST_S = 0.5, 0.1


def stamped(number):
    """A picture with its number as eight squares, the lowest bit first."""
    picture = np.full((HEIGHT, WIDTH, 4), 128, np.uint8)
    for bit in range(8):
        picture[:SQUARE, bit * SQUARE : (bit + 1) * SQUARE, :3] = 235 if number >> bit & 1 else 16
    return rtc.VideoFrame(WIDTH, HEIGHT, rtc.VideoBufferType.RGBA, picture.tobytes())


def read_stamp(frame):
    """The number of a decoded picture of any size; None for a black one, which the client sends as it mutes."""
    luma = frame.to_ndarray(format="gray")
    side = frame.width / 10
    if luma[frame.height // 2, frame.width // 2] < 64:
        return None
    return sum((luma[int(side / 2), int(side * (bit + 0.5))] > 128) << bit for bit in range(8))


@dataclass
class Publisher:
    """Pictures and tones that tell the time since `began`."""

    room: rtc.Room
    began: float
    tasks: list = field(default_factory=list)
    video: rtc.LocalTrackPublication | None = None
    audio: rtc.LocalTrackPublication | None = None

    async def publish(self, *, simulcast=False):
        camera = rtc.VideoSource(WIDTH, HEIGHT)
        microphone = rtc.AudioSource(48_000, 1, queue_size_ms=20)
        self.video = await self.room.local_participant.publish_track(
            rtc.LocalVideoTrack.create_video_track("camera", camera),
            rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_CAMERA, simulcast=simulcast),
        )
        self.audio = await self.room.local_participant.publish_track(
            rtc.LocalAudioTrack.create_audio_track("microphone", microphone),
            rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE, dtx=False),
        )
        self.tasks = [
            asyncio.ensure_future(self._paint(camera)),
            asyncio.ensure_future(self._sound(microphone)),
        ]

    async def unpublish(self):
        await self.stop()
        for publication in (self.video, self.audio):
            await self.room.local_participant.unpublish_track(publication.sid)

    async def stop(self):
        for task in self.tasks:
            task.cancel()
        if self.tasks:
            await asyncio.wait(self.tasks)
        self.tasks = []

    async def _paint(self, source):
        while True:
            now = time.monotonic() - self.began
            number = int(now * FPS) + 1
            await asyncio.sleep(number / FPS - now)  # the frame rate
            source.capture_frame(stamped(number % 256))

    async def _sound(self, source):
        while True:
            now = time.monotonic() - self.began
            number = int(now * 100) + 1
            await asyncio.sleep(number / 100 - now)  # frames of 10 ms
            times = np.arange(480) / 48_000 + number / 100
            wave = np.sin(2 * np.pi * 880 * times) * 12_000 * (times % PERIOD_S < BURST_S)
            await source.capture_frame(rtc.AudioFrame(wave.astype(np.int16).tobytes(), 48_000, 1, 480))


def decoded(archive, track):
    for part in track["parts"]:
        with av.open(io.BytesIO(archive.read(part["name"]))) as container:
            stream = container.streams[0]
            for frame in container.decode(stream):
                yield float(frame.pts * frame.time_base), frame


def pictures(archive, track):
    """(time in s, number) of each picture; numbers go on counting beyond 256."""
    found, number = [], None
    for at, frame in decoded(archive, track):
        stamp = read_stamp(frame)
        if stamp is None:
            continue
        # numbers of eight bits repeat each 17 s: the time tells which round it is
        expected = stamp if number is None else found[0][1] + round((at - found[0][0]) * FPS)
        number = stamp if number is None else stamp + 256 * round((expected - stamp) / 256)
        found.append((at, number))
    return found


def bursts(archive, track):
    """Times in s at which tones begin; one whose beginning is in a hole does not count."""
    found, quiet_from, end = [], 0.0, 0.0
    for at, frame in decoded(archive, track):
        wave = frame.to_ndarray().astype(float)
        wave = np.abs(wave if frame.format.is_planar else wave.reshape(-1, len(frame.layout.channels)).T)[0]
        loud = np.flatnonzero(wave > 0.1 * (1 if frame.format.name.startswith("flt") else 32768))
        hole, end = at > end + 0.025, at + frame.samples / frame.sample_rate
        if len(loud):
            begins = at + loud[0] / frame.sample_rate
            if begins > quiet_from and not hole:
                found.append(begins)
            quiet_from = at + frame.samples / frame.sample_rate + 0.15
    return np.array(found)


def in_step(shown, heard, interruptions=()):
    """Pictures tell one time of the publisher over all interruptions, and tones keep theirs between them, to 40 ms.

    Medians count: on a busy machine the client captures some pictures late, and says so in their timestamps. The client
    delays the sound of each source differently, so tests/sfu/shell compares sound with pictures, with another client.
    """
    edges = [shown[0][0], *interruptions, float("inf")]
    starts = []
    for begins, ends in itertools.pairwise(edges):
        section = np.array([at - number / FPS for at, number in shown if begins + 1.5 < at < ends])
        starts.append(np.median(section))
        assert np.mean(np.abs(section - starts[-1]) < 0.04) > 0.8, section
        beats = (np.array([at for at in heard if begins + 1.5 < at < ends]) - starts[-1]) % PERIOD_S
        assert len(beats) > 2
        assert np.mean(np.abs(beats - np.median(beats)) < 0.04) > 0.7, beats
    assert np.ptp(starts) < 0.04, starts


def children(server, module):
    found = psutil.Process(server.pid).children(recursive=True)
    return [each for each in found if each.status() != psutil.STATUS_ZOMBIE and module in each.cmdline()]


async def join(school, server, session, name, role):
    joined = await school.person(name, role).post(f"/sessions/{session}/join")
    room = rtc.Room()
    await room.connect(server.url, joined["credentials"]["token"])
    return room


@dataclass
class Lesson:
    """A live session with one publisher, and its recording."""

    http: aiohttp.ClientSession
    school: School
    session: str
    publisher: Publisher
    recording: str = ""

    @property
    def tutor(self):
        return self.school.person("tutor", "tutor")

    async def start(self, **options):
        made = await self.tutor.post(f"/sessions/{self.session}/recordings", options, 201)
        self.recording = made["id"]

    async def archive(self):
        """Stop; the ZIP, and its manifest."""
        await self.tutor.post(f"/recordings/{self.recording}/stop")

        async def is_over():
            found = await self.tutor.get(f"/recordings/{self.recording}")
            return found["status"] not in {"recording", "stopping"} and found

        ended = await eventually(is_over, "the recording has ended")
        assert (ended["status"], ended["reason"]) == ("finished", "")
        link = await self.tutor.post(f"/recordings/{self.recording}/links", {}, 201)
        async with self.http.get(link["url"]) as response:
            assert response.status == 200
            archive = zipfile.ZipFile(io.BytesIO(await response.read()))
        assert archive.testzip() is None
        tracks = (await self.tutor.get(f"/recordings/{self.recording}/manifest"))["tracks"]
        return archive, {track["id"]: track for track in tracks}


@pytest.fixture
async def server(tmp_path):
    async with serving(
        "--recordings", str(tmp_path), "--recordings-reserve-mb", "0", "--workers", "1"
    ) as running:
        yield running


@pytest.fixture
async def lesson(server):
    async with aiohttp.ClientSession() as http:
        school = School(http, server.page)
        session = await school.lesson()
        room = await join(school, server, session, "tutor", "tutor")
        publisher = Publisher(room, time.monotonic())
        yield Lesson(http, school, session, publisher)
        await publisher.stop()
        await room.disconnect()


CAMERA, MICROPHONE = "tutor/camera", "tutor/microphone"


async def test_a_session_is_recorded_over_mute_and_republish_and_can_be_downloaded(lesson, server, tmp_path):
    publisher = lesson.publisher
    await publisher.publish()
    sam = Publisher(await join(lesson.school, server, lesson.session, "sam", "student"), publisher.began)
    await sam.publish()
    await lesson.school.person("sam").call(
        "PUT", f"/sessions/{lesson.session}/recordings/consent", {"granted": False}
    )
    await asyncio.sleep(1)
    await lesson.start()
    await eventually(lambda: publisher.room.is_recording, "everybody sees that it is recorded")
    await asyncio.sleep(3)
    publisher.video.track.mute()
    await asyncio.sleep(1)
    publisher.video.track.unmute()
    await asyncio.sleep(2)
    await publisher.unpublish()
    republished = time.monotonic()
    await publisher.publish()
    await asyncio.sleep(3)
    archive, tracks = await lesson.archive()
    await sam.stop()
    await sam.room.disconnect()
    assert set(tracks) == {CAMERA, MICROPHONE}
    written = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert any(b"tutor" in data for data in written)
    assert not any(b"sam" in data for data in written)  # who declined
    # The media of both tracks, encrypted, are all media that were written.
    media = [path for path in tmp_path.rglob("*") if path.suffix in {".webm", ".mp4"}]
    assert {path.parent.name for path in media} == {f"{track['number']:04}" for track in tracks.values()}
    assert not any(path.read_bytes().startswith(bytes.fromhex("1A45DFA3")) for path in media)
    shown, heard = pictures(archive, tracks[CAMERA]), bursts(archive, tracks[MICROPHONE])
    numbers = [number for _, number in shown]
    assert numbers == sorted(numbers)
    start = np.median([at - number / FPS for at, number in shown])
    in_step(shown, heard, [republished - publisher.began + start])
    assert len(set(numbers)) > 6 * FPS
    assert "muted" in {gap["reason"] for gap in tracks[CAMERA]["gaps"]}
    wanted = {"track": tracks[MICROPHONE]["number"]}
    link = await lesson.tutor.post(f"/recordings/{lesson.recording}/links", wanted, 201)
    async with lesson.http.get(link["url"], headers={"Range": "bytes=10-29"}) as response:
        assert response.status == 206
        assert await response.read() == archive.read(tracks[MICROPHONE]["parts"][0]["name"])[10:30]
    async with lesson.http.get(link["url"][:-1]) as response:
        assert response.status == 403
    await lesson.tutor.call("DELETE", f"/recordings/{lesson.recording}")
    async with lesson.http.get(link["url"]) as response:
        assert response.status == 404


async def test_killed_recorders_and_workers_cost_less_than_a_second(lesson, server):
    publisher = lesson.publisher
    await publisher.publish(simulcast=True)
    await asyncio.sleep(1)
    await lesson.start(camera_layer=2)
    await asyncio.sleep(3)
    os.kill(children(server, "recording.recorder")[0].pid, signal.SIGKILL)
    first = time.monotonic() - publisher.began
    await asyncio.sleep(3)
    os.kill(children(server, "sfu.shell.worker")[0].pid, signal.SIGKILL)
    second = time.monotonic() - publisher.began
    reconnected = asyncio.Event()
    publisher.room.on("reconnected", reconnected.set)
    async with asyncio.timeout(30):
        await reconnected.wait()
    third = time.monotonic() - publisher.began
    await asyncio.sleep(4)
    archive, tracks = await lesson.archive()
    assert set(tracks) == {CAMERA, MICROPHONE}
    shown, heard = pictures(archive, tracks[CAMERA]), bursts(archive, tracks[MICROPHONE])
    times = np.array([number / FPS for _, number in shown])
    assert list(times) == sorted(times)
    start = np.median([at - number / FPS for at, number in shown])
    in_step(shown, heard, [start + third - 1])
    holes = [(a, b) for a, b in itertools.pairwise(times) if b - a > 0.3]
    around_first = [b - a for a, b in holes if a < first + 0.5 and b > first - 0.5]
    assert sum(around_first) < 1, holes
    last = max(at for at in times if at < second)
    assert second - last < 1, holes
    assert min(at for at in times if at > second) - third < 1, holes
    assert any(np.abs(heard - start - first) < PERIOD_S)


@pytest.mark.long
async def test_twenty_kills_at_random_moments_cost_less_than_a_second_each(lesson, server):
    """The recorder, killed again and again: each hole is short, and what is around it stays in order."""
    publisher, chance = lesson.publisher, random.Random(15)
    await publisher.publish()
    await asyncio.sleep(1)
    await lesson.start()
    await asyncio.sleep(3)
    kills = []
    for _ in range(20):
        await eventually(lambda: children(server, "recording.recorder"), "the recorder runs")
        os.kill(children(server, "recording.recorder")[0].pid, signal.SIGKILL)
        kills.append(time.monotonic() - publisher.began)
        await asyncio.sleep(chance.uniform(1.5, 3.5))
    archive, tracks = await lesson.archive()
    shown, heard = pictures(archive, tracks[CAMERA]), bursts(archive, tracks[MICROPHONE])
    times = np.array([number / FPS for _, number in shown])
    assert list(times) == sorted(times)
    holes = [(a, b) for a, b in itertools.pairwise(times) if b - a > 0.3]
    assert max(b - a for a, b in holes) < 1, holes
    assert len(holes) <= len(kills), holes
    in_step(shown, heard)


class FarSchool(School):
    """People of a server with a key that is not known to everybody."""

    def person(self, person, role="student", **claims):
        return super().person(person, role, secret=NETWORK_SECRET, **claims)


@pytest.mark.long
@pytest.mark.skipif(bool(missing()), reason=missing() or "nothing is missing")
async def test_with_a_tenth_of_a_publishers_packets_lost_pictures_are_in_order_and_in_step(tmp_path):
    """LiveKit's native client behind a link that loses a tenth of the packets in both directions."""
    with namespace() as network:
        async with (
            serving(
                *network_options(tmp_path, network.gateway),
                *("--recordings", str(tmp_path / "recordings"), "--recordings-reserve-mb", "0"),
            ) as started,
            aiohttp.ClientSession() as http,
        ):
            school = FarSchool(http, started.page)
            school.application.token = NETWORK_SECRET
            session = await school.lesson()
            joined = await school.person("tutor", "tutor").post(f"/sessions/{session}/join")
            lesson = Lesson(http, school, session, None)
            url, began = f"ws://{network.gateway}:{started.http_port}", time.monotonic()
            far = await asyncio.create_subprocess_exec(
                *("ip", "netns", "exec", network.name, sys.executable, "-m", "tests.e2e.far_publisher"),
                *(url, joined["credentials"]["token"], str(began)),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
            )
            async with asyncio.timeout(30):
                await far.stdout.readline()
            network.up.loss = network.down.loss = 0.1
            await asyncio.sleep(3)
            await lesson.start()
            await asyncio.sleep(20)  # what is recorded
            archive, tracks = await lesson.archive()
            far.stdin.close()
            await far.wait()
            assert network.up.lost > 100
    shown, heard = pictures(archive, tracks[CAMERA]), bursts(archive, tracks[MICROPHONE])
    numbers = [number for _, number in shown]
    assert numbers == sorted(set(numbers))
    in_step(shown, heard)
    marked = [(gap["start_s"], gap["end_s"]) for gap in tracks[CAMERA]["gaps"]]
    for (start_s, _), (end_s, _) in itertools.pairwise(shown):
        if end_s - start_s > 0.5:
            assert any(a < end_s and b > start_s for a, b in marked), (start_s, end_s, marked)
