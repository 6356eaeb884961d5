"""Transcription by Daily's calls, on a whole server whose captioning process is replaced by its reports."""

import asyncio
import json
from contextlib import asynccontextmanager

import aiohttp
import pytest
from livekit.protocol import models, rtc

from recording.speech.captions import CaptionReport
from sfu.values import PeerConnected
from signaling.app import Server
from signaling.config import DEV_KEYS, ServerConfig
from signaling.recordings.speech.caption_child import CaptionChild
from signaling.rooms.media import MediaEvents
from signaling.rooms.model import USER_ID
from signaling.store import Store
from signaling.store.store import MEMORY_URL
from tests.signaling.daily.conftest import Daily
from tests.signaling.fake_media import FakeMedia
from tests.signaling.livekit_client import World
from tests.signaling.receiver import receiving
from tests.signaling.school_client import School, eventually

START, STOP, UPDATE = (f"/rooms/lesson/transcription/{each}" for each in ("start", "stop", "update"))
NO_CALL = (404, "not-found", "room lesson does not seem to be hosting a call currently")


@asynccontextmanager
async def transcribing_server(tmp_path, **options):
    events = MediaEvents()
    media = FakeMedia(events.dispatch, asyncio.get_running_loop().call_soon)
    (tmp_path / "model.bin").touch()
    config = ServerConfig(dev=True, http_port=0, keys=dict(DEV_KEYS), data_dir=str(tmp_path), **options)
    store = await Store.open(MEMORY_URL)
    server = Server(config, media, events, store)
    await server.start()
    async with aiohttp.ClientSession() as http:
        world = World(server, media, http)
        try:
            yield Daily(world)
        finally:
            await server.stop()
            for client in world.clients:
                await client.ws.close()
    await store.close()


@pytest.fixture
async def call(tmp_path, monkeypatch):
    """A call in the room `lesson`, whose transcripts are stored, on a server with captions in English."""
    monkeypatch.setattr(CaptionChild, "need", lambda _self: None)
    monkeypatch.setattr(CaptionChild, "release", lambda _self: None)
    options = {"captions": True, "speech_model": str(tmp_path), "speech_language": "en"}
    async with transcribing_server(tmp_path, **options) as made:
        await made.post("/rooms", {"name": "lesson", "properties": {"enable_transcription_storage": True}})
        made.ada = await enter(made, "Ada")
        made.ben = await enter(made, "Ben")
        await publish(made.ada)
        yield made


async def enter(made, name):
    """Enter by Daily's door, as its page does."""
    body = {"user_name": name}
    async with made.world.http.post(f"{made.origin}/daily/rooms/lesson/enter", json=body) as answer:
        entrance = await answer.json()
    settings = rtc.ConnectionSettings(auto_subscribe=True)
    offer = rtc.SessionDescription(type="offer", sdp="a3 v3", id=1)
    join = rtc.JoinRequest(connection_settings=settings, publisher_offer=offer)
    client = await made.world.connect(entrance["token"], join)
    client.info = (await client.receive()).join
    client.identity = client.info.participant.identity
    return client


async def publish(client):
    await client.publish("mic", models.TrackType.AUDIO, source=models.TrackSource.MICROPHONE)
    await client.send(offer=rtc.SessionDescription(type="offer", sdp="mic=mid0 a3 v3", id=2))
    await client.until("answer")


def say(made, text, who=None, **fields):
    captions = made.server.recording.captions
    [start] = [each for each in made.world.media.commands if each[0] == "start_recording"][-1:]
    who = (who or made.ada).identity
    captions._on_report(
        CaptionReport(start[1], f"{who}/microphone", **{"line": 1, "text": text, "final": True, **fields})
    )


def heard(made, client, event):
    """Facts of the notifications of one kind that a page was sent."""
    sid = client.info.participant.sid
    found = []
    for sids, _label, data in made.world.media.sent:
        payload = models.DataPacket.FromString(data).user.payload
        if sid in sids and b'"transcription"' in payload:
            notice = json.loads(payload)
            found += [notice["facts"]] if notice["event"] == event else []
    return found


async def test_a_call_is_transcribed_stored_listed_and_deleted(call):
    assert await call.post(START, {"language": "en", "model": "nova-2", "instanceId": "i1"}) == {
        "sent": "true"
    }
    assert (await call.refused("POST", START, {}))[0] == 400
    [facts] = heard(call, call.ben, "started")
    assert (facts["instanceId"], facts["language"], facts["model"]) == ("i1", "en", "whisper")
    say(call, "We add", final=False)
    say(call, "We add <two> fractions.")
    [message] = heard(call, call.ben, "message")
    assert (message["participantId"], message["text"]) == (call.ada.identity, "We add <two> fractions.")
    assert "rawResponse" not in message

    page = await call.get("/transcript")
    [running] = page["data"]
    assert (page["total_count"], running["status"], running["isVttAvailable"]) == (1, "t_in_progress", False)
    path = f"/transcript/{running['transcriptId']}"
    assert (await call.refused("DELETE", path))[0] == 400
    assert (await call.refused("GET", f"{path}/access-link"))[0] == 404
    assert (await call.refused("POST", STOP, {"instanceId": "other"}))[0] == 404
    assert await call.post(STOP, {"instanceId": "i1"}) == {"sent": "true"}
    assert heard(call, call.ben, "stopped") == [{"instanceId": "i1", "updatedBy": ""}]
    assert (await call.refused("POST", STOP, {}))[0] == 404

    made = await call.get(path)
    assert (made["status"], made["isVttAvailable"]) == ("t_finished", True)
    room = await call.get("/rooms/lesson")
    assert made["roomId"] == room["id"]
    assert (await call.get(f"/transcript?roomId={room['id']}"))["total_count"] == 1
    assert (await call.get("/transcript?mtgSessionId=x"))["total_count"] == 0
    link = (await call.get(f"{path}/access-link"))["link"]
    async with call.world.http.get(link) as answer:
        assert answer.content_type == "text/vtt"
        text = await answer.text()
    assert text.startswith("WEBVTT\n\n00:00:00.")
    assert "<v Ada>We add &lt;two&gt; fractions." in text
    async with call.world.http.get(link[:-2]) as answer:
        assert answer.status == 403

    gone = await call.delete(path)
    assert gone["status"] == "t_deleted"
    assert (await call.refused("GET", path))[0] == 404
    assert (await call.get("/transcript"))["total_count"] == 0
    async with call.world.http.get(link) as answer:
        assert answer.status == 404


async def test_transcripts_are_paged(call):
    for number in range(3):
        await call.post(START, {"instanceId": f"i{number}"})
        await call.post(STOP, {})
    ids = [each["transcriptId"] for each in (await call.get("/transcript"))["data"]]
    assert len(set(ids)) == 3

    async def page(query):
        return [each["transcriptId"] for each in (await call.get(f"/transcript?{query}"))["data"]]

    assert await page("limit=2") == ids[:2]
    assert await page(f"limit=2&starting_after={ids[1]}") == ids[2:]
    assert await page(f"limit=1&ending_before={ids[2]}") == ids[1:2]
    assert (await call.refused("GET", "/transcript?starting_after=x"))[0] == 400
    assert (await call.refused("GET", "/transcript?limit=0"))[0] == 400


async def test_only_named_people_are_transcribed_and_raw_responses_come_if_asked_for(call):
    await publish(call.ben)
    await call.post(START, {"participants": [call.ada.identity], "includeRawResponse": True})
    say(call, "by Ada")
    say(call, "by Ben", call.ben)
    [message] = heard(call, call.ben, "message")
    assert (message["text"], message["rawResponse"]["is_final"]) == ("by Ada", True)
    assert await call.post(UPDATE, {"participants": [call.ben.identity]}) == {"sent": "true"}
    say(call, "by Ada again")
    say(call, "by Ben again", call.ben)
    assert [each["text"] for each in heard(call, call.ben, "message")] == ["by Ada", "by Ben again"]
    assert (await call.refused("POST", UPDATE, {}))[0] == 400


async def test_what_cannot_be_done_is_refused_plainly(call):
    for options, words in (
        ({"language": "fr"}, "in the language en only"),
        ({"redact": True}, "leaves no words out"),
        ({"redact": ["pci"]}, "leaves no words out"),
        ({"profanity_filter": True}, "leaves no words out"),
    ):
        status, code, text = await call.refused("POST", START, options)
        assert (status, code) == (403, "forbidden-error")
        assert words in text
    assert await call.post(START, {"language": "en-GB", "punctuate": True, "extra": {}}) == {"sent": "true"}


async def test_without_captions_or_a_call_nothing_is_transcribed(daily):
    for path in (START, STOP):
        assert await daily.refused("POST", path, {}) == (404, "not-found", "room lesson not found")
    await daily.post("/rooms", {"name": "lesson"})
    for path in (START, STOP):
        assert await daily.refused("POST", path, {}) == NO_CALL
        assert await daily.refused("POST", path) == NO_CALL
    assert (await daily.refused("POST", START, data=b"{"))[:2] == (400, "json-parsing-error")
    await daily.world.join("ada")
    refused = await daily.refused("POST", START, {})
    assert refused == (403, "forbidden-error", "this server does not transcribe")
    assert await daily.get("/transcript?limit=5") == {"total_count": 0, "data": []}
    for method, path in (("GET", "x"), ("DELETE", "x"), ("GET", "x/access-link")):
        assert await daily.refused(method, f"/transcript/{path}") == (404, "not-found", "x not found")


async def test_webhooks_report_start_and_file_and_a_meeting_that_ends_ends_its_transcript(call):
    async with receiving() as receiver:
        kinds = ["transcript.started", "transcript.ready-to-download", "transcript.error"]
        await call.post("/webhooks", {"url": receiver.url, "eventTypes": kinds})
        await call.post(START, {"instanceId": "i1"})
        say(call, "the last words")
        await call.delete("/rooms/lesson")

        async def finished():
            found = (await call.get("/transcript"))["data"]
            return [each for each in found if each["status"] == "t_finished"]

        [made] = await eventually(finished)

        # The first request is Daily's test of a new webhook.
        _test, started, ready = [json.loads(body) for _headers, body in await receiver.has(3)]
        assert (started["type"], ready["type"]) == tuple(kinds[:2])
        assert started["payload"]["id"] == ready["payload"]["id"] == made["transcriptId"]
        assert ready["payload"]["room_name"] == "lesson"
        assert ready["payload"]["info"]["instanceId"] == "i1"
        assert started["payload"]["status"] == "t_in_progress"


async def test_who_joins_later_learns_that_the_call_is_transcribed(call):
    await call.post(START, {"instanceId": "i1"})
    cem = await enter(call, "Cem")
    call.world.media.emit(PeerConnected(cem.info.participant.sid))
    assert [each["instanceId"] for each in heard(call, cem, "started")] == ["i1"]


async def test_what_a_killed_server_left_is_reported_as_failed(call):
    await call.post(START, {"instanceId": "i1"})
    transcription = call.server.daily.transcription
    transcription._running.clear()
    async with receiving() as receiver:
        await call.post("/webhooks", {"url": receiver.url, "eventTypes": ["transcript.error"]})
        await call.server.daily.start()
        _test, failed = [json.loads(body) for _headers, body in await receiver.has(2)]
        assert failed["payload"]["error"] == "the server was restarted"
    [made] = (await call.get("/transcript"))["data"]
    assert (made["status"], made["isVttAvailable"]) == ("t_error", False)


async def test_what_was_said_is_encrypted_in_the_database(call):
    await call.post(START, {})
    say(call, "Nobody else should read this.")
    await call.post(STOP, {})
    [made] = (await call.get("/transcript"))["data"]
    stored = await call.server.store.documents.get("daily transcript lines", made["transcriptId"])
    assert stored
    assert "Nobody" not in json.dumps(stored)


async def said(call, transcript_id):
    """The text of a transcript's file."""
    link = (await call.get(f"/transcript/{transcript_id}/access-link"))["link"]
    async with call.world.http.get(link) as answer:
        return await answer.text()


async def test_an_erased_person_is_in_no_transcript_also_not_in_one_that_goes_on(call):
    await publish(call.ben)
    await call.post(START, {})
    say(call, "first by Ada")
    say(call, "first by Ben", call.ben)
    await call.post(STOP, {})
    await call.post(START, {})
    say(call, "second by Ada")
    say(call, "second by Ben", call.ben)
    application = School(call.world.http, call.origin).application
    await application.post(f"/privacy/{call.ben.identity}/erase")
    say(call, "third by Ada")
    await call.post(STOP, {})
    found = [await said(call, each["transcriptId"]) for each in (await call.get("/transcript"))["data"]]
    assert [text.count("by Ada") for text in found] == [2, 1]
    assert [text.count("Ben") for text in found] == [0, 0]


async def test_a_person_is_also_erased_by_the_id_of_the_meeting_token(call):
    person = call.server.services.rooms.room("lesson").participants[call.ada.identity]
    person.attributes = {**person.attributes, USER_ID: "ada@school"}
    await call.post(START, {})
    say(call, "by Ada")
    await call.post(STOP, {})
    await School(call.world.http, call.origin).application.post("/privacy/ada@school/erase")
    [made] = (await call.get("/transcript"))["data"]
    assert "Ada" not in await said(call, made["transcriptId"])


@pytest.mark.parametrize(("operator", "tenant", "kept"), [(90, 0, 90), (90, 7, 7), (0, 7, 7), (0, 0, None)])
async def test_transcripts_are_deleted_when_they_expire(call, operator, tenant, kept):
    await call.post(START, {})
    say(call, "by Ada")
    await call.post(STOP, {})
    await call.post(START, {})
    [running, ended] = [each["transcriptId"] for each in (await call.get("/transcript"))["data"]]
    if tenant:
        application = School(call.world.http, call.origin).application
        await application.call("PATCH", "/tenants/current", {"retention_days": tenant})
    now = call.server.services.wall_clock()
    retention = call.server.daily._retention
    retention._days = operator
    retention._wall_clock = lambda: now + ((kept or 10_000) - 0.5) * 86_400
    assert await retention.apply() == 0
    retention._wall_clock = lambda: now + ((kept or 100_000) + 0.5) * 86_400
    assert await retention.apply() == (0 if kept is None else 1)
    listed = [each["transcriptId"] for each in (await call.get("/transcript"))["data"]]
    assert listed == ([running, ended] if kept is None else [running])
    lines = await call.server.store.documents.get("daily transcript lines", ended)
    assert (lines is None) == (kept is not None)
