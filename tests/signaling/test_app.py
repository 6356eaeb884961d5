import asyncio
import warnings

import aiohttp
import pytest
from jwt.warnings import InsecureKeyLengthWarning
from livekit import api

from signaling.app import Server, TimerPump, greeting, serve
from signaling.config import DEV_KEYS, ServerConfig
from signaling.errors import ConfigError, ListenError
from signaling.rooms.media import MediaEvents
from signaling.rooms.rooms import JoinSpec
from signaling.timers import Timers
from tests.signaling.fake_media import FakeMedia
from tests.signaling.receiver import receiving


async def test_the_pump_follows_the_timers():
    loop = asyncio.get_running_loop()
    timers = Timers(loop.time)
    pump = TimerPump(timers, loop)
    done = []
    late = asyncio.Event()
    timers.set("a", "late", 0.02, late.set)
    timers.set("a", "soon", 0.0, lambda: done.append("soon"))
    timers.set("a", "never", 60.0, lambda: done.append("never"))
    async with asyncio.timeout(5):
        await late.wait()
    assert done == ["soon"]
    pump.stop()
    timers.set("a", "stopped", 0.0, lambda: done.append("stopped"))
    await asyncio.sleep(0)
    assert done == ["soon"]


async def test_when_http_cannot_open_the_engine_is_closed_again(world, store):
    events = MediaEvents()
    media = FakeMedia(events.dispatch, asyncio.get_running_loop().call_soon)
    config = ServerConfig(dev=True, http_port=world.server.http_port, keys=dict(DEV_KEYS))
    server = Server(config, media, events, store)
    with pytest.raises(ListenError, match="address already in use"):
        await server.start()
    await server.stop()
    assert media.commands == [("start",), ("stop",)]


@pytest.mark.parametrize("path", ["/debug/media", "/metrics"])
async def test_figures_are_for_dev_mode_only(store, path):
    events = MediaEvents()
    config = ServerConfig(http_port=0, host="127.0.0.1", keys={"key": "s" * 32})
    media = FakeMedia(events.dispatch, asyncio.get_running_loop().call_soon)
    server = Server(config, media, events, store)
    await server.start()
    url = f"http://127.0.0.1:{server.http_port}{path}"
    async with aiohttp.ClientSession() as http, http.get(url) as response:
        assert response.status == 404
    await server.stop()


@pytest.mark.parametrize(
    ("config", "words", "hidden"),
    [
        (
            ServerConfig(dev=True, keys=dict(DEV_KEYS)),
            ["localhost:1", "TCP 127.0.0.1:1", "UDP this machine:2-5", "devkey", "secret"],
            [],
        ),
        (
            ServerConfig(keys={"k": "hush"}),
            ["localhost:1", "TCP *:1", "UDP *:2", "HTTPS", "--metrics-token"],
            ["hush", "development", "announced"],
        ),
        (ServerConfig(host="192.0.2.1", keys={"k": "hush"}), ["http://192.0.2.1:1"], ["hush"]),
        (
            ServerConfig(keys={"k": "hush"}, external_ip="203.0.113.7,eth0", metrics_token="m" * 32),
            ["announced         203.0.113.7, eth0 (media)"],
            ["hush", "mmm", "/metrics"],
        ),
        (
            ServerConfig(keys={"k": "hush"}, public_url="https://school.example/lectern"),
            ["https://school.example/lectern"],
            ["--public-url"],
        ),
    ],
)
def test_the_greeting_says_what_a_user_needs(config, words, hidden):
    text = greeting(config, 1, (2, 5) if config.dev else (2, 2))
    assert all(word in text for word in words)
    assert not any(word in text for word in hidden)


async def test_an_unusable_relay_is_refused_before_anything_is_opened():
    with pytest.raises(ConfigError):
        await serve(ServerConfig(dev=True, keys=dict(DEV_KEYS), turn_url="nonsense", turn_secret="x"))


async def test_what_happens_in_a_room_is_in_the_store_when_the_server_has_stopped(store):
    events = MediaEvents()
    media = FakeMedia(events.dispatch, asyncio.get_running_loop().call_soon)
    server = Server(ServerConfig(dev=True, http_port=0, keys=dict(DEV_KEYS)), media, events, store)
    await server.start()
    server.services.rooms.join(JoinSpec("algebra", "ada"))
    await server.stop()
    (session,) = await store.sessions.of_room("algebra")
    kinds = [entry.kind for entry in await store.events.read(session.sid)]
    assert kinds == [
        "room_started",
        "room_visited",
        "participant_joined",
        "participant_left",
        "room_finished",
    ]
    assert session.ended_at is not None


async def test_a_database_that_does_not_answer_delays_the_stop_and_no_more(store, monkeypatch, caplog):
    monkeypatch.setattr("signaling.history.background.LAST_ENTRIES_S", 0.01)
    events = MediaEvents()
    media = FakeMedia(events.dispatch, asyncio.get_running_loop().call_soon)
    server = Server(ServerConfig(dev=True, http_port=0, keys=dict(DEV_KEYS)), media, events, store)
    await server.start()

    async def never(_entries):
        await asyncio.Event().wait()

    monkeypatch.setattr(server.background.journal, "_append", never)
    server.services.rooms.join(JoinSpec("algebra", "ada"))
    await server.stop()
    assert "the event log is not complete" in caplog.text


async def test_applications_are_told_what_happens_until_the_server_has_stopped(store):
    events = MediaEvents()
    media = FakeMedia(events.dispatch, asyncio.get_running_loop().call_soon)
    async with receiving() as receiver:
        urls = f"{receiver.url},logic={receiver.url}/logic"
        config = ServerConfig(dev=True, http_port=0, keys=dict(DEV_KEYS), webhook_url=urls)
        server = Server(config, media, events, store)
        await server.start()
        rooms = server.services.rooms
        ada = rooms.join(JoinSpec("algebra", "ada"))
        rooms.connected(ada.sid)
        rooms.open_room("logic")
        await receiver.has(4)
        await server.stop()
    sdk = api.WebhookReceiver(api.TokenVerifier(*next(iter(DEV_KEYS.items()))))
    with warnings.catch_warnings(action="ignore", category=InsecureKeyLengthWarning):
        told = [sdk.receive(body, headers["Authorization"]) for headers, body in receiver.received]
    by_room = {
        name: [event.event for event in told if event.room.name == name] for name in ("algebra", "logic")
    }
    assert sorted(by_room["algebra"]) == [
        "participant_joined",
        "participant_left",
        "room_finished",
        "room_started",
    ]
    assert sorted(by_room["logic"]) == ["room_finished", "room_finished", "room_started", "room_started"]
    assert len({event.id for event in told}) == 6
    assert await store.outbox.count() == 0


async def test_webhooks_stay_off_the_own_network_unless_allowed(store):
    events = MediaEvents()
    media = FakeMedia(events.dispatch, asyncio.get_running_loop().call_soon)
    async with receiving() as receiver:
        config = ServerConfig(host="127.0.0.1", http_port=0, keys={"key": "s" * 32}, webhook_url=receiver.url)
        server = Server(config, media, events, store)
        await server.start()
        server.services.rooms.open_room("logic")
        await server.background.journal.committed()
        await server.stop()
        assert receiver.received == []
    assert await store.outbox.count() > 0


@pytest.mark.parametrize(
    ("changes", "words"), [({"keys": {}}, "lectern keys add"), ({"webhook_key": "other"}, "no API key other")]
)
async def test_without_a_key_that_it_needs_a_server_does_not_start(store, changes, words):
    events = MediaEvents()
    media = FakeMedia(events.dispatch, asyncio.get_running_loop().call_soon)
    config = ServerConfig(**{"host": "127.0.0.1", "http_port": 0, "keys": {"key": "s" * 32}, **changes})
    server = Server(config, media, events, store)
    with pytest.raises(ConfigError, match=words):
        await server.start()
    await server.stop()
