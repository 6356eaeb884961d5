"""Fifty unchanged native clients in one teaching session: media, commands and attendance of all of them."""

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager

import aiohttp
import numpy as np
import pytest
from livekit import rtc

from tests.e2e.conftest import eventually
from tests.e2e.native import sound
from tests.signaling.school_client import School
from tests.signaling.school_client import eventually as eventually_true

STUDENTS = 49
# Native clients start threads of their own; all at once they would wait for each other longer than for the server.
AT_ONCE = 3
# A frame costs Python more than its decoding costs the client: with 50 clients, frames of 10 ms would keep a core busy.
FRAME_MS, RATE = 100, 8_000
LOUD = 2000
CONNECT_S = 30.0


class Listener:
    """Hears the tutor, and counts the people in the room."""

    def __init__(self, room):
        self.loudest = 0
        self.room = room
        self.tasks = []
        room.on("track_subscribed", self._subscribed)

    def _subscribed(self, track, _publication, _participant):
        if track.kind == rtc.TrackKind.KIND_AUDIO:
            self.tasks.append(asyncio.ensure_future(self._listen(track)))

    async def _listen(self, track):
        """Listen until the tutor was heard."""
        stream = rtc.AudioStream(track, sample_rate=RATE, frame_size_ms=FRAME_MS)
        try:
            async for event in stream:
                self.loudest = max(self.loudest, int(np.abs(np.frombuffer(event.frame.data, np.int16)).max()))
                if self.loudest > LOUD:
                    return
        finally:
            await stream.aclose()


async def enter(school, session, name, role="student"):
    """Join by the API, and then the room with the token that it gave."""
    joined = await school.person(name, role).post(f"/sessions/{session}/join")
    room = rtc.Room()
    listener = Listener(room)
    await room.connect(
        joined["credentials"]["ws_url"], joined["token"], rtc.RoomOptions(connect_timeout=CONNECT_S)
    )
    return listener


@asynccontextmanager
async def speaking(room):
    """A tone from the room's own participant until the end of the block."""
    microphone = rtc.AudioSource(48_000, 1)
    await room.local_participant.publish_track(
        rtc.LocalAudioTrack.create_audio_track("microphone", microphone),
        rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE),
    )
    playing = asyncio.ensure_future(sound(microphone))
    try:
        yield
    finally:
        playing.cancel()
        await asyncio.wait([playing])


@pytest.mark.long
@pytest.mark.timeout(400)
async def test_fifty_native_clients_are_one_lesson(server):
    async with aiohttp.ClientSession() as http, AsyncExitStack() as stack:
        school = School(http, server.page, tenant="full_class")
        session = await school.lesson()
        tutor = await enter(school, session, "tutor", "tutor")
        stack.push_async_callback(tutor.room.disconnect)
        # Sound alone: fifty decoders of video in this process would measure the machine.
        await stack.enter_async_context(speaking(tutor.room))
        names = [f"s{number}" for number in range(STUDENTS)]
        students = []
        for first in range(0, STUDENTS, AT_ONCE):
            some = names[first : first + AT_ONCE]
            students += await asyncio.gather(*(enter(school, session, name) for name in some))
        for student in students:
            stack.push_async_callback(student.room.disconnect)
        await eventually(
            lambda: all(len(each.room.remote_participants) == STUDENTS for each in (tutor, *students)),
            "everybody sees everybody",
        )
        await eventually(lambda: all(each.loudest > LOUD for each in students), "everybody hears the tutor")

        await asyncio.gather(
            *(school.person(name).post(f"/sessions/{session}/hands") for name in names),
            *(school.person(name).post(f"/sessions/{session}/chat", {"text": name}) for name in names),
        )
        teaching = school.person("tutor", "tutor")
        page = await teaching.get(f"/sessions/{session}/events?limit=1000")
        kinds = [each["event"]["type"] for each in page["events"]]
        assert (kinds.count("hands.raised"), kinds.count("chat.sent")) == (STUDENTS, STUDENTS)

        async def spoken():
            server_lines = (await teaching.get(f"/sessions/{session}/attendance"))["lines"]
            return next(line["talk_s"] for line in server_lines if line["person"] == "tutor") > 0

        await eventually_true(spoken, 45)
        await teaching.post(f"/sessions/{session}/end")
        for each in students:
            for task in each.tasks:
                task.cancel()
        await eventually(
            lambda: all(
                each.room.connection_state == rtc.ConnectionState.CONN_DISCONNECTED for each in students
            ),
            "the end of the lesson is the end of the call",
        )
        lines = (await teaching.get(f"/sessions/{session}/attendance"))["lines"]
        assert {line["person"] for line in lines} == {"tutor", *names}
        # The tutor's second visit replaced the one that began the lesson.
        visits = {line["person"]: line["visits"] for line in lines}
        assert visits == {"tutor": 2, **dict.fromkeys(names, 1)}
        assert all(line["total_s"] > 0 for line in lines)
        assert all(line["talk_s"] == 0 for line in lines if line["person"] != "tutor")
