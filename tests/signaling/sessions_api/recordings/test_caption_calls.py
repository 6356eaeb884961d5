"""Captions by the real process: packets of spoken text as a recorder passes them on, and what the reader is sent."""

import time
from contextlib import closing

from recording.live.relay import LiveRelay
from sfu.wire import tap
from tests.recording.speech.spoken import model, needs_speech, speak
from tests.signaling.school_client import eventually

SAID = "Green plants use sunlight to make sugar."


@needs_speech
async def test_what_is_said_is_read_in_the_stream_of_events(servers, tmp_path):
    options = {"speech_model": str(model()), "speech_language": "en", "captions": True}
    relay = LiveRelay(tmp_path / "recordings", list, lambda _message: None)
    with closing(relay):
        async with servers(**options) as lesson:
            recording = await ask_for_captions(lesson)
            relay.handle(tap.StartRecording(recording, 0))
            relay.handle(tap.OpenStream(1, recording, "ada/microphone", "p", 48_000, 0))
            message = await read(lesson, relay)
    assert message["person"] == "ada"
    assert "use sunlight to make" in message["text"].lower()


async def ask_for_captions(lesson):
    """Ada speaks, Bob reads: the id under which the room is captioned."""
    ada = await lesson.join("ada")
    await lesson.join("bob")
    await lesson.publish(ada)
    await lesson.tutor.call("PATCH", f"/sessions/{lesson.session}", {"settings": {"captions": True}})
    await lesson.person("bob").call("PUT", f"/sessions/{lesson.session}/captions", {"on": True})

    async def started():
        return [each[1] for each in lesson.commands("start_recording")]

    [recording] = await eventually(started)
    return recording


async def read(lesson, relay):
    """Speak, and return the message with the complete line."""
    url = f"{lesson.world.url}/api/v1/sessions/{lesson.session}/events"
    query = {"access_token": lesson.person("bob").token}
    async with lesson.world.http.ws_connect(url, params=query) as ws:
        assert (await ws.receive_json())["type"] == "state"
        packets, sent = speak(SAID), 0

        async def is_heard():
            nonlocal sent
            relay.handle(packet(sent, packets[0]))
            sent += 1
            return relay.dropped < sent

        await eventually(is_heard, 60)
        for data in packets:
            relay.handle(packet(sent, data))
            sent += 1
        message = {}
        while not message.get("final"):
            message = await ws.receive_json(timeout=60)
        return message


def packet(number, data):
    return tap.Packet(1, number, number * 960, False, "opus", data, time.monotonic_ns())
