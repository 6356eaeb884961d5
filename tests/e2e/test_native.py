"""The unchanged native LiveKit client (PyPI `livekit`)."""

import asyncio
import time

import numpy as np
import psutil
import pytest
from livekit import rtc

from tests.e2e.conftest import cuttable, eventually, serving
from tests.e2e.native import HEIGHT, RED, WIDTH, Viewer, joined, publishing

pytestmark = pytest.mark.timeout(120)

CONNECTED = rtc.ConnectionState.CONN_CONNECTED


@pytest.mark.parametrize("single", [True, False], ids=["one connection", "two connections"])
async def test_video_audio_and_data_arrive(server, single):
    alice, bob = await joined(server, "alice", single_peer_connection=single), rtc.Room()
    viewer = Viewer(bob)
    await bob.connect(server.url, server.token("bob"), rtc.RoomOptions(single_peer_connection=single))
    async with publishing(alice) as (_, microphone):
        await eventually(lambda: viewer.frames >= 30, "30 frames decoded")
        assert viewer.picture.shape == (HEIGHT, WIDTH, 4)
        assert np.abs(viewer.picture[HEIGHT // 2, WIDTH // 2, :3].astype(int) - RED).max() < 30
        await eventually(lambda: viewer.loudest > 2000, "the tone is heard")

        await alice.local_participant.publish_data(b"reliable", reliable=True)
        await alice.local_participant.publish_data(b"lossy", reliable=False)
        await eventually(lambda: sorted(viewer.data) == [b"lossy", b"reliable"], "both messages")

        seen = bob.remote_participants["alice"]
        microphone.track.mute()
        await eventually(lambda: seen.track_publications[microphone.sid].muted, "the microphone is muted")

        await alice.local_participant.set_metadata("present")
        await eventually(lambda: seen.metadata == "present", "the metadata")

        await alice.disconnect()
        await eventually(lambda: not bob.remote_participants, "alice has left")
        await bob.disconnect()


@pytest.mark.parametrize("single", [True, False], ids=["one connection", "two connections"])
async def test_frames_of_a_data_track_reach_those_who_subscribe(server, single):
    alice = await joined(server, "alice", single_peer_connection=single)
    rooms = [await joined(server, name, single_peer_connection=single) for name in ("bob", "eve")]
    found = {room: asyncio.get_running_loop().create_future() for room in rooms}
    for room in rooms:
        room.on("data_track_published", found[room].set_result)
    # one that nobody receives, so that the handles of publisher and subscriber differ
    await alice.local_participant.publish_data_track(name="unheard")
    for room in rooms:
        await found[room]
        found[room] = asyncio.get_running_loop().create_future()
        room.on("data_track_published", found[room].set_result)
    sensor = await alice.local_participant.publish_data_track(name="sensor")
    streams = []
    for room in rooms:
        track = await found[room]
        assert (track.info.name, track.publisher_identity) == ("sensor", "alice")
        streams.append(track.subscribe())
    large = bytes(range(256)) * 300  # several packets

    async def first(stream):
        async for frame in stream:
            if frame.payload == large:
                return True
        return False

    reading = [asyncio.ensure_future(first(stream)) for stream in streams]

    async def arrived():
        sensor.try_push(rtc.DataTrackFrame(payload=large))  # those before a subscription is up reach nobody
        return all(task.done() for task in reading)

    await eventually(arrived, "a frame at both")
    assert [task.result() for task in reading] == [True, True]
    await sensor.unpublish()
    for stream in streams:
        stream.close()
    for room in (alice, *rooms):
        await room.disconnect()


async def test_a_second_session_of_one_identity_ends_the_first(server):
    first = await joined(server, "alice")
    reasons = []
    first.on("disconnected", reasons.append)
    second = await joined(server, "alice")
    await eventually(lambda: reasons == [rtc.DisconnectReason.DUPLICATE_IDENTITY], "the first session ended")
    assert second.isconnected()
    await second.disconnect()


@pytest.mark.parametrize("single", [True, False], ids=["one connection", "two connections"])
async def test_media_goes_on_when_signalling_is_lost_and_comes_back(server, single):
    async with cuttable(server.http_port) as (port, cut):
        alice, bob = rtc.Room(), rtc.Room()
        happened = []
        for name in ("reconnecting", "reconnected", "disconnected"):
            alice.on(name, lambda *_, name=name: happened.append(name))
        options = rtc.RoomOptions(single_peer_connection=single)
        viewer = Viewer(bob)
        await alice.connect(f"ws://127.0.0.1:{port}", server.token("alice"), options)
        await bob.connect(server.url, server.token("bob"), options)
        sid = alice.local_participant.sid
        async with publishing(alice):
            await eventually(lambda: viewer.frames >= 15, "frames decoded")
            cut()
            await eventually(lambda: happened == ["reconnecting", "reconnected"], "a resume")
            before = viewer.frames
            await eventually(lambda: viewer.frames >= before + 15, "frames go on")
            await alice.local_participant.publish_data(b"back", reliable=True)
            await eventually(lambda: viewer.data == [b"back"], "data goes on")
            assert alice.local_participant.sid == sid
            assert list(bob.remote_participants) == ["alice"]
        await alice.disconnect()
        await bob.disconnect()


async def test_a_killed_worker_costs_its_own_rooms_seconds_and_the_others_nothing():
    async with serving("--workers", "2") as server:
        people, viewers = {}, {}
        for name, room in (("ada", "one"), ("ben", "one"), ("eve", "two"), ("fay", "two")):
            people[name] = rtc.Room()
            viewers[name] = Viewer(people[name])
            await people[name].connect(server.url, server.token(name, room))
        lost = []
        for name in ("eve", "fay"):
            people[name].on("reconnecting", lambda name=name: lost.append(name))
        async with publishing(people["ada"]), publishing(people["eve"]):
            for name in ("ben", "fay"):
                await eventually(lambda name=name: viewers[name].frames >= 15, f"{name} sees somebody")
            # the first room is on the first worker, which has the first port
            (worker,) = (
                child
                for child in psutil.Process(server.pid).children()
                if server.udp_port in {entry.laddr.port for entry in child.net_connections("udp")}
            )
            before, unharmed = viewers["ben"].frames, viewers["fay"].frames
            worker.kill()
            killed_at = time.monotonic()
            await eventually(lambda: people["ben"].connection_state != CONNECTED, "ben notices")
            await eventually(lambda: viewers["ben"].frames >= before + 5, "ben sees ada again")
            back_s = time.monotonic() - killed_at
            await eventually(lambda: viewers["fay"].frames >= unharmed + 15, "fay sees eve all the time")
            assert not lost
            assert back_s < 3, f"back with media after {back_s:.1f} s"
        for room in people.values():
            await room.disconnect()
