"""The door of a private room: a stranger's hundred knocks, and somebody who was sent out."""

import aiohttp
import pytest
import pytest_asyncio

from tests.hostile.client import SECRET

pytestmark = pytest.mark.asyncio(loop_scope="session")

ROOM = "maths"
KNOCKS = 150


class Door:
    """Daily's API of the application, and the door of one private room."""

    def __init__(self, url, http):
        self.url, self.http = url, http

    async def call(self, path, body, *, bearer="", address=""):
        headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
        if address:
            headers["X-Forwarded-For"] = address
        async with self.http.post(f"{self.url}{path}", json=body, headers=headers) as answer:
            return answer.status, await answer.json()

    async def open(self):
        status, answer = await self.call(
            "/v1/rooms",
            {"name": ROOM, "privacy": "private", "properties": {"enable_knocking": True}},
            bearer=SECRET,
        )
        assert status == 200, answer
        wanted = {"properties": {"room_name": ROOM, "is_owner": True, "user_name": "Teacher"}}
        status, answer = await self.call("/v1/meeting-tokens", wanted, bearer=SECRET)
        assert status == 200, answer
        return answer["token"]

    async def enter(self, name, token="", address="192.0.2.1"):
        body = {"user_name": name, "token": token}
        return await self.call(f"/daily/rooms/{ROOM}/enter", body, address=address)

    async def present(self, token):
        """Somebody who has come in with an entrance's token, until `ws` is closed."""
        headers = {"Authorization": f"Bearer {token}"}
        return await self.http.ws_connect(f"{self.url}/rtc", headers=headers, params={"auto_subscribe": "1"})


@pytest_asyncio.fixture(loop_scope="session")
async def door(server):
    # Behind a proxy on this machine, addresses are what it says they are: so one machine can be many strangers.
    await server.start("--trusted-proxy", "127.0.0.1")
    async with aiohttp.ClientSession() as http:
        yield Door(server.url, http)


async def test_a_strangers_knocks_leave_room_for_others(door):
    owner = await door.open()
    status, teacher = await door.enter("Teacher", owner)
    assert (status, teacher["state"]) == (200, "entered")
    async with await door.present(teacher["token"]):
        outcomes = [(await door.enter(f"Stranger {i}", address="203.0.113.7"))[0] for i in range(KNOCKS)]
        assert outcomes[0] == 200
        assert outcomes[-1] in {403, 429}
        for i in range(3):
            status, answer = await door.enter(f"Student {i}", address=f"198.51.100.{i + 1}")
            assert (status, answer.get("state")) == (200, "waiting"), answer


async def test_who_was_sent_out_knocks_again(door):
    owner = await door.open()
    _, teacher = await door.enter("Teacher", owner)
    async with await door.present(teacher["token"]):
        _, waiting = await door.enter("Stranger")
        assert waiting["state"] == "waiting"
        path = f"/daily/rooms/{ROOM}"
        _, at_door = await door.call(f"{path}/waiting", {}, bearer=teacher["token"])
        (knock,) = at_door["waiting"]
        status, _ = await door.call(f"{path}/waiting/{knock['id']}", {"grant": True}, bearer=teacher["token"])
        assert status == 200
        _, entered = await door.call(f"{path}/knocks/{waiting['id']}", {})
        assert entered["state"] == "entered", entered
        async with await door.present(entered["token"]):
            gone = f"{path}/participants/{entered['session_id']}"
            status, _ = await door.call(gone, {"eject": True}, bearer=teacher["token"])
            assert status == 200
        with pytest.raises(aiohttp.WSServerHandshakeError):
            async with await door.present(entered["token"]):
                pass
        # and knocking is what is left to them
        _, again = await door.enter("Stranger")
        assert again["state"] == "waiting"
