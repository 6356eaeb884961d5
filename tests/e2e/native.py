"""The unchanged native LiveKit client (PyPI `livekit`) as the tests use it."""

import asyncio
from contextlib import asynccontextmanager

import numpy as np
from livekit import rtc

WIDTH, HEIGHT = 640, 360
RED = (200, 30, 30)


async def joined(server, identity, **options):
    room = rtc.Room()
    await room.connect(server.url, server.token(identity), rtc.RoomOptions(**options))
    return room


async def paint(source):
    """A red picture, 15 times a second."""
    picture = np.zeros((HEIGHT, WIDTH, 4), np.uint8)
    picture[..., :3] = RED
    picture[..., 3] = 255
    frame = rtc.VideoFrame(WIDTH, HEIGHT, rtc.VideoBufferType.RGBA, picture.tobytes())
    while True:
        source.capture_frame(frame)
        await asyncio.sleep(1 / 15)  # the frame rate


async def sound(source):
    """A 440 Hz tone; `capture_frame` keeps the time."""
    at = 0
    while True:
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


@asynccontextmanager
async def publishing(room):
    """A red picture and a tone from the room's own participant until the end of the block; gives both publications."""
    camera, microphone = rtc.VideoSource(WIDTH, HEIGHT), rtc.AudioSource(48_000, 1)
    video = await room.local_participant.publish_track(
        rtc.LocalVideoTrack.create_video_track("camera", camera),
        rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_CAMERA, simulcast=False),
    )
    audio = await room.local_participant.publish_track(
        rtc.LocalAudioTrack.create_audio_track("microphone", microphone),
        rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE),
    )
    playing = [asyncio.ensure_future(paint(camera)), asyncio.ensure_future(sound(microphone))]
    try:
        yield video, audio
    finally:
        # Of a room that has ended the client may never say that it took the last sound: not waited for.
        for task in playing:
            task.cancel()
        await asyncio.wait(playing)
