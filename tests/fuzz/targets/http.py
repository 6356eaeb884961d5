"""Raw HTTP on a whole server with the fake engine: server APIs, the door, the page, health, the WebSocket's address.

In a head, `Content-Length: AUTO` becomes the length of what follows it, so that bodies of any length arrive whole.
"""

import asyncio
import re
from contextlib import suppress

import aiohttp
from aiohttp import web_app

from signaling.app import Server
from signaling.config import DEV_KEYS, ServerConfig
from signaling.limits import Limiter
from signaling.rooms.media import MediaEvents
from signaling.store import Store
from signaling.store.store import MEMORY_URL
from tests.fuzz.errors import ErrorLog
from tests.fuzz.targets import tokens
from tests.signaling.fake_media import FakeMedia
from tests.signaling.livekit_client import World, make_token, pack

# Rooms stay in the store; a new server now and then tells that from a leak.
INPUTS_OF_A_SERVER = 1500
# Whoever does not finish a request waits for the server's timeouts, which are tested elsewhere.
ANSWER_TIMEOUT_S = 0.2
GRANTS = {"roomCreate": True, "roomList": True, "roomAdmin": True, "room": "lesson", "roomRecord": True}


def request(method, path, body=b"", *headers):
    head = [
        f"{method} {path} HTTP/1.1",
        "Host: localhost",
        "Connection: close",
        "Content-Length: AUTO",
        *headers,
    ]
    return "\r\n".join([*head, "", ""]).encode() + body


def seeds():
    admin, student = make_token("lesson", video=GRANTS), make_token("lesson")
    livekit, daily = f"Authorization: Bearer {admin}", "Authorization: Bearer secret"
    json, protobuf = "Content-Type: application/json", "Content-Type: application/protobuf"
    service = "/twirp/livekit.RoomService"
    calls = {
        "CreateRoom": b'{"name":"lesson","emptyTimeout":5,"metadata":"m"}',
        "ListRooms": b'{"names":["lesson"]}',
        "ListParticipants": b'{"room":"lesson"}',
        "UpdateParticipant": b'{"room":"lesson","identity":"a","permission":{"canPublish":true},"metadata":"m"}',
        "SendData": b'{"room":"lesson","data":"aGVsbG8=","kind":"LOSSY","destinationIdentities":["a"]}',
        "MutePublishedTrack": b'{"room":"lesson","identity":"a","trackSid":"TR_1","muted":true}',
        "UpdateSubscriptions": b'{"room":"lesson","identity":"a","trackSids":["TR_1"],"subscribe":true}',
        "DeleteRoom": b'{"room":"lesson"}',
    }
    made = [request("POST", f"{service}/{name}", body, livekit, json) for name, body in calls.items()]
    made.append(request("POST", f"{service}/CreateRoom", b"\x0a\x06lesson\x10\x05", livekit, protobuf))
    made.append(request("POST", f"{service}/ListRooms", b"{}", f"Authorization: Bearer {student}", json))
    made += [
        request(
            "POST",
            "/v1/rooms",
            b'{"name":"maths","privacy":"private","properties":{"exp":5,"lang":"de"}}',
            daily,
        ),
        request("GET", "/v1/rooms?limit=5&ending_before=x", b"", daily),
        request("GET", "/v1/rooms/maths", b"", daily),
        request("POST", "/v1/rooms/maths", b'{"properties":{"enable_chat":true,"nbf":1}}', daily),
        request("POST", "/v1/meeting-tokens", b'{"properties":{"room_name":"maths","is_owner":true}}', daily),
        request("GET", "/v1/meeting-tokens/abc?ignoreNbf=true", b"", daily),
        request("GET", "/v1/meetings?room=maths&timeframe_start=1&limit=10", b"", daily),
        request("GET", "/v1/presence", b"", daily),
        request(
            "POST", "/v1/webhooks", b'{"url":"https://example.org/","eventTypes":["meeting.started"]}', daily
        ),
        request("DELETE", "/v1/rooms/maths", b"", daily),
        request("POST", "/daily/rooms/maths/look", b'{"token":""}'),
        request("POST", "/daily/rooms/maths/enter", b'{"user_name":"Ada"}'),
        request("POST", "/page/token", b'{"room":"lesson","name":"Ada"}', "Content-Encoding: gzip"),
        request("POST", "/page/token", b'{"room":"lesson","name":"Ada"}', "Origin: http://localhost"),
        request("GET", "/page/config"),
        request("GET", "/assets/../index.html"),
        request("GET", "/join/lesson?token=x"),
        request("GET", "/metrics", b"", "Authorization: Bearer x"),
        request("GET", "/readyz"),
        request("GET", "/openapi.json"),
        request("GET", f"/rtc/validate?access_token={student}"),
        request("GET", f"/rtc/v1?access_token={student}&join_request={pack(aiohttp_join())}", b"", *UPGRADE),
        request("GET", f"/rtc?access_token={student}&sdk=js&protocol=15&auto_subscribe=1", b"", *UPGRADE),
    ]
    chunked = b"POST /page/token HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    return [*made, chunked + b'e\r\n{"room":"xyz"}\r\n0\r\n\r\n']


UPGRADE = (
    "Upgrade: websocket",
    "Connection: Upgrade",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
)


def aiohttp_join():
    from livekit.protocol import rtc

    return rtc.JoinRequest()


def words():
    return [
        b"\r\n",
        b"%00",
        b"%ff",
        b"%F0%9F%98%80",
        b"../",
        b"chunked",
        b"gzip",
        b"\xff",
        b"AUTO",
        *tokens.words(),
    ]


class Running:
    """A server, and requests to it on connections of their own."""

    async def start(self):
        events = MediaEvents()
        media = FakeMedia(events.dispatch, asyncio.get_running_loop().call_soon)
        self.store = await Store.open(MEMORY_URL)
        self.server = Server(
            ServerConfig(dev=True, http_port=0, keys=dict(DEV_KEYS)), media, events, self.store
        )
        await self.server.start()
        self.http = aiohttp.ClientSession()
        self.world = World(self.server, media, self.http)
        for name in ("a", "ben"):
            await self.world.join(name)
        return self

    async def stop(self):
        await self.server.stop()
        await self.http.close()
        await self.store.close()

    async def feed(self, data):
        reader, writer = await asyncio.open_connection("127.0.0.1", self.server.http_port)
        try:
            writer.write(sized(data))
            with suppress(OSError):
                writer.write_eof()
            answer = b""
            with suppress(TimeoutError, OSError):
                async with asyncio.timeout(ANSWER_TIMEOUT_S):
                    answer = await reader.read(4096)
            status = answer[:12].partition(b" ")[2]
            assert status != b"500", answer[:500]
        finally:
            writer.transport.abort()


def sized(data):
    """The same request with the length of its body in the place of AUTO."""
    head, separator, body = data.partition(b"\r\n\r\n")
    length = b"Content-Length: %d" % len(body)
    return re.sub(rb"(?i)content-length: AUTO", length, head) + separator + body


def make():
    errors, loop = ErrorLog().install(), asyncio.new_event_loop()
    state = {"left": 0, "running": None}
    # Rates are tested elsewhere; here they would end most calls.
    Limiter.take_tokens = lambda *_arguments: 0.0

    def feed(data):
        if not state["left"]:
            if state["running"] is not None:
                loop.run_until_complete(state["running"].stop())
                # It holds the routes of the last 1,024, and with them the servers that have stopped.
                web_app._cached_build_middleware.cache_clear()
            state.update(left=INPUTS_OF_A_SERVER, running=loop.run_until_complete(Running().start()))
        state["left"] -= 1
        loop.run_until_complete(state["running"].feed(data))
        errors.check()

    return feed
