"""The wire of LiveKit's server API: forms, errors, access."""

import asyncio
import io
import json
from unittest.mock import Mock

import aiohttp
import pytest
from livekit.protocol import models, room

from signaling.access import tokens
from signaling.errors import StoreError, UnstorableError
from signaling.limits import Rate
from signaling.livekit.server_api.room_service import methods
from tests.signaling.livekit_client import make_token

LIST = "/twirp/livekit.RoomService/ListRooms"
CREATE = "/twirp/livekit.RoomService/CreateRoom"
ADMIN = {"video": {"roomList": True, "roomCreate": True}}
JSON = {"Content-Type": "application/json"}


def bearer(**claims):
    return {"Authorization": f"Bearer {make_token(**(claims or ADMIN))}"}


async def post(world, path, data=b"{}", headers=JSON, token=None, method="POST"):
    token = bearer() if token is None else token
    async with world.http.request(
        method, f"{world.url}{path}", data=data, headers={**headers, **token}
    ) as answer:
        return answer.status, answer.headers["Content-Type"], await answer.read()


async def test_json_in_json_out(world):
    status, kind, body = await post(
        world, CREATE, b'{"name": "maths", "empty_timeout": 7, "emptyTimeoutX": 1}'
    )
    assert (status, kind) == (200, "application/json")
    created = json.loads(body)
    assert (created["name"], created["empty_timeout"]) == ("maths", 7)
    # zero fields are there, 64-bit numbers are texts, names are the protocol's own
    assert created["num_participants"] == 0
    assert isinstance(created["creation_time"], str)
    charset = {"Content-Type": "application/json;charset=UTF-8"}
    status, _, body = await post(world, LIST, b"", charset)
    assert (status, [each["name"] for each in json.loads(body)["rooms"]]) == (200, ["maths"])


@pytest.mark.parametrize("path", [CREATE, f"/{CREATE}"])
async def test_protobuf_in_protobuf_out(world, path):
    request = room.CreateRoomRequest(name="maths", max_participants=3, metadata="m")
    headers = {"Content-Type": "application/protobuf"}
    status, kind, body = await post(world, path, request.SerializeToString(), headers)
    assert (status, kind) == (200, "application/protobuf")
    created = models.Room.FromString(body)
    assert (created.name, created.max_participants, created.metadata) == ("maths", 3, "m")
    assert created.sid.startswith("RM_")


ABSENT = "/twirp/livekit.Ingress/ListIngress"
REFUSED = {
    "no such method": ("/twirp/livekit.RoomService/Nothing", {}, 404, "bad_route"),
    "no such service": ("/twirp/livekit.Nothing/Nothing", {}, 404, "bad_route"),
    "a service of later": (ABSENT, {}, 501, "unimplemented"),
    "GET": (LIST, {"method": "GET"}, 404, "bad_route"),
    "another type": (LIST, {"headers": {"Content-Type": "text/plain"}}, 404, "bad_route"),
    "broken JSON": (LIST, {"data": b"{"}, 400, "malformed"),
    "JSON of another type": (LIST, {"data": b"[]"}, 400, "malformed"),
    "invalid base64": (
        "/twirp/livekit.RoomService/SendData",
        {"data": b'{"room": "r", "data": "***"}', "token": bearer(video={"room": "r", "roomAdmin": True})},
        400,
        "malformed",
    ),
    "JSON with a field of another type": (CREATE, {"data": b'{"name": 7}'}, 400, "malformed"),
    "deep JSON": (LIST, {"data": b'{"x":' + b"[" * 100_000}, 400, "malformed"),
    "JSON that is no text": (LIST, {"data": b"\xff"}, 400, "malformed"),
    "broken protobuf": (
        LIST,
        {"data": b"\xff", "headers": {"Content-Type": "application/protobuf"}},
        400,
        "malformed",
    ),
    "11 MiB": (LIST, {"data": io.BytesIO(b" " * (11 << 20))}, 429, "resource_exhausted"),
    "no token": (LIST, {"token": {}}, 401, "unauthenticated"),
    "a token of another scheme": (LIST, {"token": {"Authorization": "Basic x"}}, 401, "unauthenticated"),
    "a forged token": (LIST, {"token": {"Authorization": "Bearer x.y.z"}}, 401, "unauthenticated"),
    "an expired token": (LIST, {"token": bearer(ttl_s=-3600, **ADMIN)}, 401, "unauthenticated"),
    "no grant": (LIST, {"token": bearer(video={})}, 401, "unauthenticated"),
    "a grant of another type": (LIST, {"token": bearer(video={"roomList": "yes"})}, 401, "unauthenticated"),
    "agents": ("/twirp/livekit.AgentDispatchService/ListDispatch", {}, 501, "unimplemented"),
    "a long name": (CREATE, {"data": json.dumps({"name": "x" * 257}).encode()}, 400, "invalid_argument"),
}


@pytest.mark.parametrize("path", ["/agent", "//agent"])
async def test_an_agents_worker_is_told_that_there_are_no_agents(world, path):
    async with world.http.get(f"{world.url}{path}") as answer:
        assert (answer.status, (await answer.json())["code"]) == (501, "unimplemented")
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await world.http.ws_connect(f"{world.url}{path}")
    assert refused.value.status == 501


@pytest.mark.parametrize(("path", "how", "status", "code"), REFUSED.values(), ids=REFUSED)
async def test_what_is_refused_and_how(world, path, how, status, code):
    got, kind, body = await post(world, path, **how)
    # exactly so: with a charset behind it the Node SDK finds no code in it
    assert (got, kind) == (status, "application/json")
    error = json.loads(body)
    assert error["code"] == code
    assert error["msg"]
    assert not world.server.services.rooms.rooms


async def test_a_fault_of_the_server_tells_nothing(world, monkeypatch, caplog):
    def fail(*_):
        raise RuntimeError("secret detail")

    monkeypatch.setattr(tokens, "verify", fail)
    status, _, body = await post(world, LIST)
    assert (status, json.loads(body)) == (500, {"code": "internal", "msg": "the server failed"})
    assert "secret detail" in caplog.text


async def test_a_call_may_take_longer_than_other_requests_but_not_its_body(world, monkeypatch):
    monkeypatch.setattr("signaling.http.server.REQUEST_TIMEOUT_S", 0.0)
    assert (await post(world, LIST))[0] == 200
    monkeypatch.setattr("signaling.livekit.server_api.twirp.BODY_TIMEOUT_S", 0.05)

    async def endless():
        yield b"{"
        await asyncio.Event().wait()

    status, _, body = await post(world, LIST, endless())
    assert (status, json.loads(body)["code"]) == (408, "deadline_exceeded")


async def test_a_key_that_calls_too_often_is_told_when_to_come_again(world, monkeypatch):
    monkeypatch.setattr("signaling.livekit.server_api.twirp.PER_KEY", Rate(per_s=0.1, burst=2))
    assert [(await post(world, LIST))[0] for _ in range(2)] == [200, 200]
    async with world.http.post(f"{world.url}{LIST}", data=b"{}", headers={**JSON, **bearer()}) as answer:
        assert (answer.status, answer.headers["Retry-After"]) == (429, "10")
        assert json.loads(await answer.read())["code"] == "resource_exhausted"


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (StoreError("the password is hunter2"), 503, "unavailable"),
        (UnstorableError("the password is hunter2"), 400, "invalid_argument"),
    ],
)
async def test_a_failing_database_is_no_riddle(world, monkeypatch, error, status, code):
    def fail(**_arguments):
        raise error

    monkeypatch.setattr(world.server.store.rooms, "list", fail)
    answer = await post(world, LIST)
    assert (answer[0], json.loads(answer[2])["code"]) == (status, code)
    assert b"hunter2" not in answer[2]


# As a table, made without a server behind it.
METHODS = sorted(methods(Mock(), Mock(), Mock()))


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("kind", ["application/json", "application/protobuf"])
async def test_without_the_grant_of_a_method_its_body_is_not_even_read(world, name, kind):
    async def never():
        yield b'{"'
        await asyncio.Event().wait()

    student = bearer(video={"roomAdmin": False})
    async with asyncio.timeout(5):
        status, _, body = await post(
            world, f"/twirp/livekit.RoomService/{name}", never(), {"Content-Type": kind}, student
        )
    assert (status, json.loads(body)["msg"]) == (401, "permissions denied")


async def test_more_values_than_anybody_needs_are_malformed(world):
    many = b'{"names": [' + b'"",' * 5000 + b'""]}'
    status, _, body = await post(world, LIST, many)
    assert (status, json.loads(body)["code"]) == (400, "malformed")
    packed = room.ListRoomsRequest(names=[""] * 5001).SerializeToString()
    status, _, body = await post(world, LIST, packed, {"Content-Type": "application/protobuf"})
    assert (status, json.loads(body)["code"]) == (400, "malformed")


async def test_metadata_of_the_largest_size_fits(world):
    # JSON in JSON: every quote takes two bytes
    metadata = '"' * (512 * 1024)
    body = io.BytesIO(json.dumps({"name": "maths", "metadata": metadata}).encode())
    status, _, _ = await post(world, CREATE, body)
    assert status == 200
