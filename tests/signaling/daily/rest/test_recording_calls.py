"""Recordings by Daily's calls, on a whole server; the film is composed by the real child process."""

import asyncio
import io
import json
import zipfile
from contextlib import asynccontextmanager

import aiohttp
import av
import pytest

from sfu.values import RecordingStopped
from signaling.app import Server
from signaling.config import DEV_KEYS, ServerConfig
from signaling.rooms.media import MediaEvents
from signaling.store import Store
from signaling.store.store import MEMORY_URL
from signaling.store.vault import Vault
from tests.recording.compose import films
from tests.signaling.daily.conftest import Daily
from tests.signaling.fake_media import FakeMedia
from tests.signaling.livekit_client import World
from tests.signaling.receiver import receiving
from tests.signaling.school_client import eventually


@asynccontextmanager
async def recording_server(tmp_path, url=MEMORY_URL):
    """Daily's API of a server with a folder for recordings."""
    events = MediaEvents()
    media = FakeMedia(events.dispatch, asyncio.get_running_loop().call_soon)
    folder = tmp_path / "recordings"
    folder.mkdir(exist_ok=True)
    config = ServerConfig(
        dev=True, http_port=0, keys=dict(DEV_KEYS), data_dir=str(tmp_path), recordings=str(folder)
    )
    store = await Store.open(url, Vault("the master key of all servers in one test"))
    server = Server(config, media, events, store)
    await server.start()
    async with aiohttp.ClientSession() as http:
        world = World(server, media, http)
        made = Daily(world)
        made.folder = folder
        try:
            yield made
        finally:
            await server.stop()
            for client in world.clients:
                await client.ws.close()
    await store.close()


@pytest.fixture
async def recorder(tmp_path):
    """Daily's API of a server with a folder for recordings, and a call in the room `lesson`."""
    async with recording_server(tmp_path) as made:
        await made.post("/rooms", {"name": "lesson"})
        await made.world.join("ada")
        yield made


async def record(recorder, **options):
    """Start, write what a recorder would, and stop; return the recording's id."""
    assert await recorder.post("/rooms/lesson/recordings/start", options) == {"status": "sent"}
    made = (await recorder.get("/recordings"))["data"][0]
    assert (made["status"], made["room_name"], "duration" in made) == ("in-progress", "lesson", False)
    films.write(recorder.folder, made["id"], recorder.world.media.recording_keys[made["id"]])
    assert await recorder.post("/rooms/lesson/recordings/stop", {}) == {"status": "sent"}
    return made["id"]


async def until(recorder, recording, *statuses):
    async def reached():
        found = await recorder.get(f"/recordings/{recording}")
        return found if found["status"] in statuses else None

    return await eventually(reached, 30)


async def test_a_recording_becomes_one_file_with_a_link(recorder):
    recording = await record(recorder, type="cloud", layout={"preset": "default"})
    assert (await recorder.refused("GET", f"/recordings/{recording}/access-link"))[0] == 400
    done = await until(recorder, recording, "finished", "canceled")
    assert (done["status"], done["type"], done["max_participants"]) == ("finished", "cloud", 1)
    assert "tracks" not in done
    link = await recorder.get(f"/recordings/{recording}/access-link?valid_for_secs=60")
    async with recorder.world.http.get(link["download_link"]) as response:
        data = await response.read()
        assert (response.status, response.content_type) == (200, "video/mp4")
    with av.open(io.BytesIO(data)) as container:
        assert abs(container.duration / 1e6 - films.LENGTH_S) < 0.3
    answer = await recorder.delete(f"/recordings/{recording}")
    assert (answer["deleted"], answer["id"]) == (True, recording)
    assert not (recorder.folder / recording).exists()
    assert await recorder.refused("GET", f"/recordings/{recording}") == (
        404,
        "not-found",
        f"{recording} not found",
    )
    assert await recorder.get("/recordings") == {"total_count": 0, "data": []}


async def test_raw_tracks_stay_as_they_are(recorder):
    recording = await record(recorder, type="raw-tracks")
    done = await until(recorder, recording, "finished")
    assert {track["type"] for track in done["tracks"]} == {"audio", "video"}
    assert all(track["size"] > 0 and track["s3key"] == track["s3Key"] for track in done["tracks"])
    link = await recorder.get(f"/recordings/{recording}/access-link")
    async with recorder.world.http.get(link["download_link"]) as response:
        names = zipfile.ZipFile(io.BytesIO(await response.read())).namelist()
    assert any(name.endswith("manifest.json") for name in names)


async def test_webhooks_report_a_recording_from_its_start_to_its_file(recorder):
    async with receiving() as receiver:
        events = ["recording.started", "recording.ready-to-download", "recording.error"]
        await recorder.post("/webhooks", {"url": receiver.url, "eventTypes": events})
        tests = len(receiver.received)
        film = await record(recorder, type="cloud", instanceId="i1")
        await until(recorder, film, "finished", "canceled")
        raw = await record(recorder, type="raw-tracks")
        tracks = (await until(recorder, raw, "finished"))["tracks"]
        assert await recorder.post("/rooms/lesson/recordings/start", {}) == {"status": "sent"}
        empty = (await recorder.get("/recordings"))["data"][0]["id"]
        recorder.world.media.emit(RecordingStopped(empty, "disk-full", "for a test"))
        bodies = [json.loads(body) for _, body in await receiver.has(tests + 6)][tests:]
    told = [(each["type"], each["payload"].get("recording_id")) for each in bodies]
    started, ready = "recording.started", "recording.ready-to-download"
    assert [each for each in told if each[1] == film] == [(started, film), (ready, film)]
    assert [each for each in told if each[1] == raw] == [(started, raw), (ready, raw)]
    payloads = {each["type"]: each["payload"] for each in bodies if each["payload"].get("type") != "cloud"}
    assert payloads[ready]["type"] == "raw-tracks"
    listed = [(each["type"], each["s3_key"], each["size"]) for each in payloads[ready]["tracks"]]
    assert listed == [(each["type"], each["s3key"], each["size"]) for each in tracks]
    assert (payloads["recording.error"]["error_msg"], payloads["recording.error"]["room_name"]) == (
        "disk-full",
        "lesson",
    )
    [done] = [each["payload"] for each in bodies if each["payload"].get("type") == "cloud"]
    assert (done["status"], done["room_name"]) == ("finished", "lesson")
    assert done["s3_key"].startswith("devkey/lesson/")
    assert len({each["id"] for each in bodies}) == 6


async def test_a_film_that_a_stopped_server_left_is_composed_by_the_next(tmp_path):
    url = f"sqlite:///{tmp_path / 'store.db'}"
    async with recording_server(tmp_path, url) as first:
        await first.post("/rooms", {"name": "lesson"})
        await first.world.join("ada")
        recording = await record(first, type="cloud")

        async def composing():
            return first.server.recording.films.state(recording).status == "composing"

        await eventually(composing)
    assert not list(first.folder.glob("*/film.mp4"))
    async with recording_server(tmp_path, url) as second:
        done = await until(second, recording, "finished", "canceled")
        assert done["status"] == "finished"


async def test_recordings_are_listed_in_pages_newest_first(recorder):
    made = [await record(recorder, type="raw-tracks") for _ in range(3)][::-1]

    async def listed(query):
        page = await recorder.get(f"/recordings?{query}")
        return page["total_count"], [each["id"] for each in page["data"]]

    assert await listed("room_name=lesson") == (3, made)
    assert await listed("room_name=logic") == (0, [])
    assert await listed("limit=1") == (3, made[:1])
    assert await listed(f"limit=1&starting_after={made[0]}") == (3, made[1:2])
    assert await listed(f"limit=1&ending_before={made[2]}") == (3, made[1:2])
    assert await listed("limit=1&ending_before=OLDEST") == (3, made[2:])
    assert await recorder.refused("GET", "/recordings?starting_after=none") == (
        400,
        "invalid-request-error",
        "there is no recording with the id none",
    )


async def test_a_room_has_one_recording_which_a_call_ends(recorder):
    path = "/rooms/lesson/recordings"
    assert await recorder.refused("POST", f"{path}/stop", {}) == (
        404,
        "not-found",
        "room lesson is not being recorded",
    )
    await recorder.post(f"{path}/start")
    assert (await recorder.refused("POST", f"{path}/start", {}))[:2] == (400, "invalid-request-error")
    assert (await recorder.refused("POST", f"{path}/update", {}))[:2] == (403, "forbidden-error")
    [active] = (await recorder.get("/recordings"))["data"]
    assert (await recorder.refused("DELETE", f"/recordings/{active['id']}"))[0] == 400
    assert (await recorder.refused("POST", f"{path}/start", {"type": "film"}))[0] == 400


async def test_recordings_are_those_of_the_callers_domain(recorder):
    recording = await record(recorder, type="raw-tracks")
    await until(recorder, recording, "finished")
    row = await recorder.server.store.recordings.get(recording)
    for details in ({**row.details, "tenant": "other"}, {"tenant": row.details["tenant"]}):
        foreign = type(row)(
            row.id, row.room, row.session_sid, row.status, row.started_at, row.ended_at, details
        )
        await recorder.server.store.recordings.replace(foreign)
        assert (await recorder.refused("GET", f"/recordings/{recording}"))[0] == 404
        assert (await recorder.refused("DELETE", f"/recordings/{recording}"))[0] == 404
        assert await recorder.get("/recordings") == {"total_count": 0, "data": []}
    assert (recorder.folder / recording).exists()


@pytest.mark.parametrize("command", ["start", "update", "stop"])
async def test_without_a_call_or_a_folder_nothing_is_recorded(daily, command):
    path = f"/rooms/lesson/recordings/{command}"
    assert await daily.refused("POST", path, {}) == (404, "not-found", "room lesson not found")
    await daily.post("/rooms", {"name": "lesson"})
    no_call = (404, "not-found", "room lesson does not seem to be hosting a call currently")
    assert await daily.refused("POST", path) == no_call
    await daily.world.join("ada")
    status, code, _ = await daily.refused("POST", path, {})
    assert (status, code) == ((403, "forbidden-error") if command == "start" else (404, "not-found"))
