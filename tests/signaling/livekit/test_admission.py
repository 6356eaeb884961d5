"""Who may come into which room, over real sockets: tokens, rules of rooms, exclusion."""

import base64
import time

import aiohttp
import pytest
from aiohttp import web
from livekit.protocol import models

from signaling.access import tokens
from signaling.errors import StoreError
from signaling.rooms.model import RoomConfig
from signaling.store.catalogue import Catalogue
from tests.signaling.livekit_client import make_token


async def test_attributes_in_the_query_need_the_grant(world):
    packed = base64.urlsafe_b64encode(b'{"a": "b"}').decode().rstrip("=")
    for allowed, status in ((True, 200), (False, 401)):
        token = make_token(video={"canUpdateOwnMetadata": allowed})
        query = {"access_token": token, "attributes": packed}
        async with world.http.get(f"{world.url}/rtc/validate", params=query) as response:
            assert response.status == status


async def test_nobody_brings_an_attribute_of_the_servers(world):
    packed = base64.urlsafe_b64encode(b'{"lectern.is_owner": "true"}').decode().rstrip("=")
    query = {"access_token": make_token(video={"canUpdateOwnMetadata": True}), "attributes": packed}
    async with world.http.get(f"{world.url}/rtc/validate", params=query) as response:
        assert response.status == 400


async def test_a_revoked_token_lets_nobody_in(world):
    await world.join("eve")
    room = world.server.services.rooms.room("lesson")
    room.revoked["ada"] = time.time() + 60
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await world.join("ada")
    assert refused.value.status == 401
    await world.join("bob")
    await world.join("ada", room="other")
    room.revoked["ada"] -= 120
    await world.join("ada")


async def test_a_token_that_was_kept_back_undoes_nothing_although_its_clock_was_ahead(world):
    await world.join("eve")
    kept = tokens.mint(
        {"sub": "ada", "video": {"room": "lesson", "roomJoin": True}},
        tokens.Signer("devkey", "secret"),
        time.time() + 40,
        600,
    )
    rooms = world.server.services.rooms
    rooms.room("lesson").revoked["ada"] = time.time()
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await world.connect(kept)
    assert refused.value.status == 401


async def test_a_room_whose_last_participant_leaves_during_the_upgrade_opens_by_its_rules(world, monkeypatch):
    eve, _ = await world.join("eve")
    rooms = world.server.services.rooms
    prepare = web.WebSocketResponse.prepare

    async def prepare_slowly(self, request):
        rooms.close_room(rooms.room("lesson"))
        return await prepare(self, request)

    async def config(_name):
        return RoomConfig(max_participants=7)

    await eve.quiet()
    monkeypatch.setattr(web.WebSocketResponse, "prepare", prepare_slowly)
    monkeypatch.setattr(Catalogue, "config", lambda _self, name: config(name))
    await world.join("ada")
    assert rooms.room("lesson").config.max_participants == 7


async def test_a_room_outside_its_hours_is_closed_to_every_token(world, monkeypatch):
    async def config(_name):
        return RoomConfig(closes_at=time.time() - 1)

    monkeypatch.setattr(Catalogue, "config", lambda _self, name: config(name))
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await world.connect(make_token())
    assert refused.value.status == 403


async def test_nobody_opens_a_room_while_its_rules_cannot_be_read(world, monkeypatch, caplog):
    async def config(_name):
        raise StoreError("the database does not respond")

    ada, _ = await world.join("ada")
    monkeypatch.setattr(Catalogue, "config", lambda _self, name: config(name))
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await world.connect(make_token(room="durable"))
    assert (refused.value.status, refused.value.headers["Retry-After"]) == (503, "5")
    assert "a join failed: the database does not respond" in caplog.text
    await world.join("bob")  # the room is open already
    assert not ada.ws.closed


async def test_who_was_sent_out_for_good_is_told(world):
    ada, _ = await world.join("ada")
    services = world.server.services
    services.moderation.eject(services.rooms.room("lesson"), ["ada"], [], ban=True)
    assert (await ada.until("leave")).reason == models.DisconnectReason.PARTICIPANT_REMOVED
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await world.connect(make_token(identity="ada"))
    assert refused.value.status == 403
    await world.join("bob")


async def test_a_full_room_has_no_place(world):
    config = {"roomConfig": {"maxParticipants": 1}}
    ada, _ = await world.join("ada", **config)
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await world.connect(make_token(identity="bob", **config))
    assert refused.value.status == 503
    assert not ada.ws.closed
