"""A LiveKit client as far as its frames go, and the server it talks to."""

import base64
import gzip
import time
from typing import Any

import aiohttp
from livekit.protocol import models, rtc

from signaling.access import tokens
from signaling.app import Server
from tests.signaling.fake_media import FakeMedia


def make_token(room: str = "lesson", identity: str = "ada", ttl_s: float = 6 * 3600, **claims: Any) -> str:
    video = {"room": room, "roomJoin": True, **claims.pop("video", {})}
    return tokens.mint(
        {"sub": identity, "video": video, **claims}, tokens.Signer("devkey", "secret"), time.time(), ttl_s
    )


def pack(join: rtc.JoinRequest, *, compress: bool = True) -> str:
    content = join.SerializeToString()
    wrapped = rtc.WrappedJoinRequest(
        compression=rtc.WrappedJoinRequest.GZIP if compress else rtc.WrappedJoinRequest.NONE,
        join_request=gzip.compress(content) if compress else content,
    )
    return base64.urlsafe_b64encode(wrapped.SerializeToString()).decode().rstrip("=")


class Client:
    """One WebSocket; `until` collects what comes on the way."""

    def __init__(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        self.ws = ws
        self.seen: list[rtc.SignalResponse] = []

    async def send(self, **request: Any) -> None:
        await self.ws.send_bytes(rtc.SignalRequest(**request).SerializeToString())

    async def receive(self) -> rtc.SignalResponse:
        frame = await self.ws.receive(timeout=5)
        assert frame.type is aiohttp.WSMsgType.BINARY, frame
        response = rtc.SignalResponse.FromString(frame.data)
        self.seen.append(response)
        return response

    async def until(self, kind: str, check: Any = lambda _message: True) -> Any:
        while True:
            response = await self.receive()
            if response.WhichOneof("message") == kind and check(getattr(response, kind)):
                return getattr(response, kind)

    async def quiet(self) -> list[str]:
        """Everything that was sent before the answer to a ping."""
        start = len(self.seen)
        await self.send(ping_req=rtc.Ping(timestamp=4711))
        await self.until("pong_resp", lambda pong: pong.last_ping_timestamp == 4711)
        return [response.WhichOneof("message") for response in self.seen[start:-1]]

    async def publish(self, cid: str, kind: Any = models.TrackType.VIDEO, **extra: Any) -> models.TrackInfo:
        extra.setdefault("source", models.TrackSource.CAMERA)
        await self.send(add_track=rtc.AddTrackRequest(cid=cid, type=kind, **extra))
        return (await self.until("track_published")).track


class World:
    def __init__(self, server: Server, media: FakeMedia, http: aiohttp.ClientSession) -> None:
        self.server = server
        self.media = media
        self.http = http
        # Closed at the end; one that nobody holds would be closed at once.
        self.clients: list[Client] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.http_port}"

    async def connect(self, token: str, join: rtc.JoinRequest | None = None) -> Client:
        if join is None:
            join = rtc.JoinRequest(connection_settings=rtc.ConnectionSettings(auto_subscribe=True))
        ws = await self.http.ws_connect(
            f"{self.url}/rtc/v1",
            params={"join_request": pack(join)},
            headers={"Authorization": f"Bearer {token}"},
            max_msg_size=0,
            timeout=aiohttp.ClientWSTimeout(ws_close=1),
        )
        self.clients.append(Client(ws))
        return self.clients[-1]

    async def join(self, identity: str, offer: str = "a3 v3", room: str = "lesson", **claims: Any):
        """Join with an offer, as browsers do; returns the client and its Join."""
        request = rtc.JoinRequest(
            connection_settings=rtc.ConnectionSettings(auto_subscribe=True),
            publisher_offer=rtc.SessionDescription(type="offer", sdp=offer, id=1),
        )
        client = await self.connect(make_token(room, identity, **claims), request)
        join = (await client.receive()).join
        assert join.participant.identity == identity
        return client, join
