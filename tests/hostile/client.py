"""A LiveKit client with a real transport, for the processes of `tests/hostile`: it obeys until a storm tells it not to.

Signalling is LiveKit's single-connection mode over aiohttp; ICE, DTLS and SRTP come from `bench.load.transport`.
"""

import asyncio
import base64
import contextlib
import dataclasses
import secrets
import struct
import time
from dataclasses import dataclass
from typing import ClassVar

import aiohttp
import jwt
from aiortc import rtcdtlstransport
from aiortc.rtcdtlstransport import RTCCertificate
from livekit.protocol import models, rtc

from bench.load.descriptions import MID_ID, TRANSPORT_CC_ID, VP8, Local, offer, read_remote, receiving
from bench.load.media import payload, read_payload, vp8_start
from bench.load.transport import Transport
from sfu.wire.rtp import build_extensions, header_length

KEY, SECRET = "devkey", "secret"
JOIN_TIMEOUT_S = 15.0
CERTIFICATE = RTCCertificate.generateCertificate()
FINGERPRINT = rtcdtlstransport.certificate_digest(CERTIFICATE._cert, "sha-256")

DATA_SECTION = """m=application 9 UDP/DTLS/SCTP webrtc-datachannel
c=IN IP4 0.0.0.0
a=mid:{mid}
a=sctp-port:5000
a=max-message-size:65535
a=ice-ufrag:{local.ufrag}
a=ice-pwd:{local.pwd}
a=fingerprint:sha-256 {local.fingerprint}
a=setup:active
"""


def token(room, identity=None, *, ttl_s=3600, **grants):
    """A student's access token: joining one room, and whatever `grants` adds in LiveKit's spelling."""
    now = int(time.time())
    claims = {
        "iss": KEY,
        "sub": identity or f"student-{secrets.token_hex(4)}",
        "nbf": now - 5,
        "exp": now + ttl_s,
    }
    return jwt.encode(
        {**claims, "video": {"room": room, "roomJoin": True, **grants}}, SECRET, algorithm="HS256"
    )


@dataclass
class Answered:
    """The server's latest answer."""

    sdp: str
    number: int


class Client:
    """One participant; `leave` is the server's message that ended the stay, `closed` says that the socket is gone."""

    opened: ClassVar[list["Client"]] = []

    def __init__(self, url, room, identity=None, *, publish=False, data=False, sections=1, **grants):
        self.opened.append(self)
        self.url, self.token = url, token(room, identity, **grants)
        self.data, self.sections = data, sections
        self.transport = Transport(CERTIFICATE, "gcm")
        self.local = Local(self.transport.ufrag, self.transport.pwd, FINGERPRINT)
        self.cid = secrets.token_hex(8) if publish else ""
        self.join = self.leave = self.answer = self.http = None
        self.offers = 1
        self.tracks = []
        self.received = self.received_octets = self.sent = 0
        self.closed, self.answered = asyncio.Event(), asyncio.Event()
        self.transport.on_packet = self._count
        self.ssrc = secrets.randbits(30) | 1
        self.on_media = lambda packet: None

    async def connect(self, *, media=True):
        """Join; with `media`, bring the transport up on the loopback address. Returns the client."""
        description = rtc.SessionDescription(type="offer", sdp=self.offer(), id=1)
        join = rtc.JoinRequest(
            client_info=models.ClientInfo(sdk=models.ClientInfo.PYTHON, version="0", protocol=16),
            connection_settings=rtc.ConnectionSettings(auto_subscribe=True),
            publisher_offer=description,
        )
        if self.cid:
            join.add_track_requests.add(
                cid=self.cid,
                type=models.TrackType.VIDEO,
                source=models.TrackSource.CAMERA,
                width=1280,
                height=720,
            )
        wrapped = rtc.WrappedJoinRequest(join_request=join.SerializeToString()).SerializeToString()
        self.http = aiohttp.ClientSession()
        self.ws = await self.http.ws_connect(
            f"{self.url}/rtc/v1",
            params={"join_request": base64.urlsafe_b64encode(wrapped).decode()},
            headers={"Authorization": f"Bearer {self.token}"},
            max_msg_size=0,
        )
        self.reader = asyncio.create_task(self._read())
        async with asyncio.timeout(JOIN_TIMEOUT_S):
            await self.answered.wait()
        if media:
            await self.transport.connect(self.remote())
        return self

    def remote(self):
        """The credentials and the loopback address of the server's latest answer."""
        answer = read_remote(self.answer.sdp)
        loopback = tuple(address for address in answer.addresses if address[0] == "127.0.0.1")
        return dataclasses.replace(answer, addresses=loopback)

    def offer(self):
        """The present offer: as many receiving sections as needed, the track, and data if wanted."""
        text = offer(self.local, receiving("video", self.sections, cid=self.cid))
        if not self.data:
            return text
        mids = " ".join(map(str, range(self.sections)))
        text = text.replace(f"BUNDLE {mids}", f"BUNDLE {mids} {self.sections}", 1)
        section = DATA_SECTION.format(mid=self.sections, local=self.local)
        return text + section.replace("\n", "\r\n")

    async def renegotiate(self, *, wait=True):
        """Send the present offer; with `wait`, until it is answered."""
        self.offers += 1
        self.answered.clear()
        description = rtc.SessionDescription(type="offer", sdp=self.offer(), id=self.offers)
        await self.send(offer=description)
        if wait:
            async with asyncio.timeout(JOIN_TIMEOUT_S):
                await self.answered.wait()

    async def send(self, **request):
        await self.ws.send_bytes(rtc.SignalRequest(**request).SerializeToString())

    async def _read(self):
        try:
            async for frame in self.ws:
                if frame.type is aiohttp.WSMsgType.BINARY:
                    await self._handle(rtc.SignalResponse.FromString(frame.data))
        finally:
            self.closed.set()
            self.answered.set()

    async def _handle(self, response):
        kind = response.WhichOneof("message")
        if kind == "join":
            self.join = response.join
        elif kind == "answer":
            self.answer = Answered(response.answer.sdp, response.answer.id)
            self.answered.set()
        elif kind == "track_published":
            self.tracks.append(response.track_published.track.sid)
        elif kind == "leave":
            self.leave = response.leave
        elif kind == "media_sections_requirement":
            self.sections += response.media_sections_requirement.num_videos
            await self.renegotiate(wait=False)

    def _count(self, datagram, now):
        self.received += 1
        self.received_octets += len(datagram)
        self.on_media(datagram)

    def send_video(self, *, keyframe=False, size=1000, ssrc=None, frame=None):
        """Send one packet of video, which is a whole picture unless `frame` numbers it otherwise."""
        index, self.sent = self.sent, self.sent + 1
        head = self.header(index, ssrc or self.ssrc, index if frame is None else frame)
        start = vp8_start(index if frame is None else frame, keyframe=keyframe or index == 0)
        self.transport.send_rtp(head + payload(index, time.monotonic(), size, start))

    @staticmethod
    def header(index, ssrc, frame):
        extensions = build_extensions([(MID_ID, b"0"), (TRANSPORT_CC_ID, struct.pack("!H", index & 0xFFFF))])
        fixed = struct.pack("!BBHII", 0x90, 0x80 | VP8, index & 0xFFFF, frame * 3000 & 0xFFFFFFFF, ssrc)
        return fixed + extensions

    def read_video(self, datagram):
        """(index, time of sending) of an authentic packet of `send_video`, else None."""
        if 192 <= datagram[1] <= 223:
            return None
        packet = self.transport.dtls.unprotect(datagram)
        return read_payload(packet[header_length(packet) :])

    @property
    def end(self):
        """The reason for which the server ended the stay by its name, "closed" without one, or ""."""
        if self.leave is not None:
            return models.DisconnectReason.Name(self.leave.reason)
        return "closed" if self.closed.is_set() else ""

    @classmethod
    async def close_all(cls):
        await asyncio.gather(*(client.close() for client in cls.opened))
        cls.opened.clear()

    async def close(self):
        if self.http is None:
            return
        with contextlib.suppress(Exception):
            await self.transport.close()
        with contextlib.suppress(Exception):
            self.reader.cancel()
            await self.ws.close()
        await self.http.close()
