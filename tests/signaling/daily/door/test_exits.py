"""Sent out of a private room: every way back but the door is shut, whichever API did it."""

import aiohttp
import pytest
from livekit.protocol import models, rtc

from signaling.daily.door.exits import Exits
from signaling.daily.rooms import DailyRooms
from signaling.rooms.events import ParticipantJoined
from signaling.rooms.model import LeaveReason
from tests.signaling.daily.door.test_door import DOMAIN, Daily
from tests.signaling.livekit_client import make_token


@pytest.fixture
def daily(world):
    return Daily(world)


class Knocker:
    """Somebody without a token who was let into a private room by its owner."""

    def __init__(self, daily, owner, entrance, client, tokens):
        self.daily, self.owner, self.entrance, self.client, self.tokens = (
            daily,
            owner,
            entrance,
            client,
            tokens,
        )

    @property
    def session_id(self):
        return self.entrance["session_id"]

    async def may_come_back(self, *, room_is_open=True):
        """Whether any of the tokens opens the room."""
        rooms = self.daily.world.server.services.rooms
        if not room_is_open:
            for room in rooms.rooms:
                rooms.close_room(room)
        world = self.daily.world
        statuses = []
        for token in self.tokens:
            async with world.http.get(f"{world.url}/rtc/v1/validate?access_token={token}") as answer:
                statuses.append(answer.status)
        assert set(statuses) <= {200, 401, 403}
        return 200 in statuses


async def let_in(daily):
    await daily.room(enable_knocking=True)
    owner, _, _ = await daily.enter(is_owner=True)
    _, knock = await daily.ask("enter", {"user_name": "Ben"})
    _, listed = await daily.ask("waiting", access=owner["pass"])
    await daily.ask(f"waiting/{listed['waiting'][0]['id']}", {"grant": True}, owner["pass"])
    _, entrance = await daily.ask(f"knocks/{knock['id']}")
    # of a version that can be taken to another room
    join = rtc.JoinRequest(client_info=models.ClientInfo(protocol=16))
    client = await daily.world.connect(entrance["token"], join)
    refreshed = await client.until("refresh_token")
    return Knocker(daily, owner, entrance, client, [entrance["token"], refreshed])


async def by_page(knocker):
    path = f"participants/{knocker.session_id}"
    assert (await knocker.daily.ask(path, {"eject": True}, knocker.owner["pass"]))[0] == 200


async def by_rest(knocker):
    await call(knocker, "/v1/rooms/maths/eject", {"ids": [knocker.session_id]}, "secret")


async def by_livekit(knocker):
    admin = make_token("maths", "app", video={"roomAdmin": True})
    body = {"room": "maths", "identity": knocker.session_id}
    await call(knocker, "/twirp/livekit.RoomService/RemoveParticipant", body, admin)


async def by_livekit_elsewhere(knocker):
    admin = make_token("maths", "app", video={"roomAdmin": True, "destinationRoom": "group"})
    body = {"room": "maths", "identity": knocker.session_id, "destination_room": "group"}
    await call(knocker, "/twirp/livekit.RoomService/MoveParticipant", body, admin)
    knocker.tokens.append(await knocker.client.until("refresh_token"))
    admin = make_token("group", "app", video={"roomAdmin": True})
    body = {"room": "group", "identity": knocker.session_id}
    await call(knocker, "/twirp/livekit.RoomService/RemoveParticipant", body, admin)


async def by_deleting_the_room(knocker):
    rooms = DailyRooms(knocker.daily.world.server.store, knocker.daily.world.server.services.rooms)
    await rooms.delete(DOMAIN, "maths")
    await knocker.daily.room(enable_knocking=True)


async def by_the_end_of_the_stay(knocker):
    services = knocker.daily.world.server.services
    services.rooms.leave(knocker.daily.person(knocker.entrance), LeaveReason.TIME_UP)


async def call(knocker, path, body, bearer):
    headers = {"Authorization": f"Bearer {bearer}"}
    world = knocker.daily.world
    async with world.http.post(f"{world.url}{path}", json=body, headers=headers) as answer:
        assert answer.status == 200


WAYS = (by_page, by_rest, by_livekit, by_livekit_elsewhere, by_deleting_the_room, by_the_end_of_the_stay)


@pytest.mark.parametrize("send_out", WAYS)
@pytest.mark.parametrize("room_is_open", [True, False])
async def test_whoever_was_sent_out_has_to_knock_again(daily, send_out, room_is_open):
    knocker = await let_in(daily)
    await send_out(knocker)
    assert not await knocker.may_come_back(room_is_open=room_is_open)
    _, again = await daily.ask("enter", {"user_name": "Ben"})
    assert again["state"] == "waiting"


async def test_a_lost_connection_is_no_exit(daily):
    knocker = await let_in(daily)
    services = daily.world.server.services
    services.rooms.leave(daily.person(knocker.entrance), LeaveReason.SIGNAL_LOST)
    assert await knocker.may_come_back()


async def test_a_token_is_for_the_room_and_not_for_a_later_one_of_its_name(daily):
    await daily.room(enable_knocking=True)
    _, entrance = await daily.ask("enter", {"token": daily.token()})
    await daily.rooms.delete(DOMAIN, "maths")
    await daily.room(enable_knocking=True)
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await daily.world.connect(entrance["token"])
    assert refused.value.status == 401
    _, entrance = await daily.ask("enter", {"token": daily.token()})
    await daily.world.connect(entrance["token"])


async def test_a_yes_is_for_the_door_that_somebody_knocked_at(daily):
    await daily.room(enable_knocking=True)
    owner, _, _ = await daily.enter(is_owner=True)
    _, knock = await daily.ask("enter", {"user_name": "Ben"})
    _, listed = await daily.ask("waiting", access=owner["pass"])
    await daily.ask(f"waiting/{listed['waiting'][0]['id']}", {"grant": True}, owner["pass"])
    await daily.rooms.delete(DOMAIN, "maths")
    await daily.room(enable_knocking=True)
    status, refusal = await daily.ask(f"knocks/{knock['id']}")
    assert (status, refusal["type"]) == (404, "no-room")


async def test_what_was_taken_stays_taken_when_everybody_has_left_meanwhile(daily):
    knocker = await let_in(daily)
    path = f"participants/{knocker.session_id}"
    change = {"updatePermissions": {"canSend": False}}
    assert (await daily.ask(path, change, knocker.owner["pass"]))[0] == 200
    services = daily.world.server.services
    services.rooms.close_room(services.rooms.room("maths"))
    client = await daily.world.connect(knocker.entrance["token"])
    assert not (await client.until("join")).participant.permission.can_publish


async def test_the_page_of_development_mode_enters_no_private_room(daily):
    async def page_token():
        async with daily.world.http.post(f"{daily.world.url}/page/token", json={"room": "maths"}) as answer:
            return (await answer.json())["token"]

    early = await page_token()
    await daily.room("private")
    for token in (early, await page_token()):
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await daily.world.connect(token)
        assert refused.value.status == 401
    # nor while somebody is there
    await daily.enter()
    with pytest.raises(aiohttp.WSServerHandshakeError):
        await daily.world.connect(early)
    # an application's word is another thing
    await daily.world.connect(make_token("maths"))


async def test_the_page_of_development_mode_enters_public_rooms(daily):
    await daily.room("public")
    async with daily.world.http.post(f"{daily.world.url}/page/token", json={"room": "maths"}) as answer:
        token = (await answer.json())["token"]
    assert (await (await daily.world.connect(token)).until("join")).room.name == "maths"


def test_other_events_and_other_people_are_nobodys_exit(harness):
    exits = Exits(harness.rooms)
    person = harness.enter("ada")
    exits.on_event(ParticipantJoined(person.connection.participant))
    harness.hub.rule(exits.on_event)
    harness.rooms.leave(person.connection.participant, LeaveReason.REMOVED)
    harness.rooms.check_entry("lesson", "ada", {})
    assert person.last("leave").reason == models.DisconnectReason.PARTICIPANT_REMOVED
