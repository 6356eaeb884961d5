"""The unchanged native LiveKit client (PyPI `livekit`)."""

import asyncio

import numpy as np
import pytest
from livekit import rtc

from tests.e2e.conftest import eventually

pytestmark = pytest.mark.timeout(120)

WIDTH, HEIGHT = 640, 360
RED = (200, 30, 30)


async def joined(server, identity, **options):
    room = rtc.Room()
    await room.connect(server.url, server.token(identity), rtc.RoomOptions(**options))
    return room


async def paint(source, stop):
    """A red picture, 15 times a second."""
    picture = np.zeros((HEIGHT, WIDTH, 4), np.uint8)
    picture[..., :3] = RED
    picture[..., 3] = 255
    frame = rtc.VideoFrame(WIDTH, HEIGHT, rtc.VideoBufferType.RGBA, picture.tobytes())
    while not stop.is_set():
        source.capture_frame(frame)
        await asyncio.sleep(1 / 15)  # the frame rate


async def sound(source, stop):
    """A 440 Hz tone; `capture_frame` keeps the time."""
    at = 0
    while not stop.is_set():
        tone = np.sin(2 * np.pi * 440 * (np.arange(at, at + 480)) / 48_000) * 8000
        at += 480
        await source.capture_frame(rtc.AudioFrame(tone.astype(np.int16).tobytes(), 48_000, 1, 480))


class Viewer:
    """Counts what a room receives."""

    def __init__(self, room):
        self.frames = 0
        self.picture = None
        self.loudest = 0
        self.data = []
        self.tasks = []
        room.on("track_subscribed", self._subscribed)
        room.on("data_received", lambda packet: self.data.append(packet.data))

    def _subscribed(self, track, _publication, _participant):
        watch = self._watch if track.kind == rtc.TrackKind.KIND_VIDEO else self._listen
        self.tasks.append(asyncio.ensure_future(watch(track)))

    async def _watch(self, track):
        async for event in rtc.VideoStream(track, format=rtc.VideoBufferType.RGBA):
            self.frames += 1
            frame = event.frame
            self.picture = np.frombuffer(frame.data, np.uint8).reshape(frame.height, frame.width, 4)

    async def _listen(self, track):
        async for event in rtc.AudioStream(track):
            self.loudest = max(self.loudest, int(np.abs(np.frombuffer(event.frame.data, np.int16)).max()))


@pytest.mark.parametrize("single", [True, False], ids=["one connection", "two connections"])
async def test_video_audio_and_data_arrive(server, single):
    alice, bob = await joined(server, "alice", single_peer_connection=single), rtc.Room()
    viewer = Viewer(bob)
    await bob.connect(server.url, server.token("bob"), rtc.RoomOptions(single_peer_connection=single))
    stop = asyncio.Event()
    camera, microphone = rtc.VideoSource(WIDTH, HEIGHT), rtc.AudioSource(48_000, 1)
    await alice.local_participant.publish_track(
        rtc.LocalVideoTrack.create_video_track("camera", camera),
        rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_CAMERA, simulcast=False),
    )
    publication = await alice.local_participant.publish_track(
        rtc.LocalAudioTrack.create_audio_track("microphone", microphone),
        rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE),
    )
    playing = [asyncio.ensure_future(paint(camera, stop)), asyncio.ensure_future(sound(microphone, stop))]
    await eventually(lambda: viewer.frames >= 30, "30 frames decoded")
    assert viewer.picture.shape == (HEIGHT, WIDTH, 4)
    assert np.abs(viewer.picture[HEIGHT // 2, WIDTH // 2, :3].astype(int) - RED).max() < 30
    await eventually(lambda: viewer.loudest > 2000, "the tone is heard")

    await alice.local_participant.publish_data(b"reliable", reliable=True)
    await alice.local_participant.publish_data(b"lossy", reliable=False)
    await eventually(lambda: sorted(viewer.data) == [b"lossy", b"reliable"], "both messages")

    seen = bob.remote_participants["alice"]
    publication.track.mute()
    await eventually(lambda: seen.track_publications[publication.sid].muted, "the microphone is muted")

    await alice.local_participant.set_metadata("present")
    await eventually(lambda: seen.metadata == "present", "the metadata")

    stop.set()
    await asyncio.gather(*playing)
    await alice.disconnect()
    await eventually(lambda: not bob.remote_participants, "alice has left")
    await bob.disconnect()


async def test_a_second_session_of_one_identity_ends_the_first(server):
    first = await joined(server, "alice")
    reasons = []
    first.on("disconnected", reasons.append)
    second = await joined(server, "alice")
    await eventually(lambda: reasons == [rtc.DisconnectReason.DUPLICATE_IDENTITY], "the first session ended")
    assert second.isconnected()
    await second.disconnect()
