"""One LiveKit client with real ICE, DTLS and SRTP and no codecs, cheap enough that many fit one process.

It speaks single-connection mode (`/rtc/v1`) to any server: signalling by aiohttp, DTLS by aiortc's transport in the
client role, SRTP by pylibsrtp. Media packets are handed over still encrypted: most need only be counted.
"""

import asyncio
import base64
import contextlib
import secrets
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import aiohttp
from aioice import stun
from aiortc import rtcdtlstransport
from aiortc.rtcdtlstransport import RTCCertificate, RTCDtlsFingerprint, RTCDtlsParameters, RTCDtlsTransport
from livekit.protocol import models, rtc

CONNECT_TIMEOUT_S = 30.0
# RFC 7675 section 5.1: consent is asked for about every 5 s
CONSENT_INTERVAL_S = 4.0
RECEIVE_BYTES = 2048
DRAIN = 64
PROFILES = {
    "gcm": [rtcdtlstransport.SRTP_AEAD_AES_128_GCM],
    "cm": [rtcdtlstransport.SRTP_AES128_CM_SHA1_80],
}
VP8, RTX = 96, 97
MID_ID, TRANSPORT_CC_ID = 4, 3

_SESSION = """v=0
o=- {session} 1 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE {mids}
a=msid-semantic: WMS *
"""
_SECTION = """c=IN IP4 0.0.0.0
a=mid:{mid}
a=ice-ufrag:{ufrag}
a=ice-pwd:{pwd}
a=fingerprint:sha-256 {fingerprint}
a=setup:active
"""
_VIDEO = f"""m=video 9 UDP/TLS/RTP/SAVPF {VP8} {RTX}
a=rtcp-mux
a=rtcp-rsize
a=rtpmap:{VP8} VP8/90000
a=rtcp-fb:{VP8} nack
a=rtcp-fb:{VP8} nack pli
a=rtcp-fb:{VP8} transport-cc
a=rtpmap:{RTX} rtx/90000
a=fmtp:{RTX} apt={VP8}
a=extmap:{MID_ID} urn:ietf:params:rtp-hdrext:sdes:mid
a=extmap:{TRANSPORT_CC_ID} http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01
"""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server's answer says, as far as a client of one transport needs it."""

    ufrag: str
    pwd: str
    fingerprints: tuple[tuple[str, str], ...]
    addresses: tuple[tuple[str, int], ...]
    "Host candidates over UDP, best first."
    has_transport_cc: bool
    "The video that is received carries transport-wide numbers."


def read_answer(sdp: str) -> Answer:
    """Read an answer. KeyError or ValueError when it lacks what a transport needs."""
    values: dict[str, str] = {}
    fingerprints, addresses = [], []
    section = ""
    has_transport_cc = False
    for line in sdp.splitlines():
        name, _, value = line.partition(":")
        values.setdefault(name, value)
        if name == "a=fingerprint":
            algorithm, _, digest = value.partition(" ")
            fingerprints.append((algorithm, digest))
        elif name == "a=candidate":
            words = value.split()
            if words[2].lower() == "udp" and words[7] == "host":
                addresses.append((words[4], int(words[5])))
        elif line.startswith("m="):
            section = line
        elif name == "a=extmap" and "transport-wide-cc" in value and section.startswith("m=video"):
            has_transport_cc = True
    return Answer(
        values["a=ice-ufrag"],
        values["a=ice-pwd"],
        tuple(dict.fromkeys(fingerprints)),
        tuple(dict.fromkeys(addresses)),
        has_transport_cc,
    )


class _Port:
    """What aiortc's DTLS transport needs of an ICE transport."""

    role = "controlling"

    def __init__(self, send: Callable[[bytes], Any]) -> None:
        self._send_datagram = send
        self.queue: asyncio.Queue[bytes | None] = asyncio.Queue()

    async def _recv(self) -> bytes:
        datagram = await self.queue.get()
        if datagram is None:
            raise ConnectionError
        return datagram

    async def _send(self, datagram: bytes) -> None:
        with contextlib.suppress(OSError):
            self._send_datagram(datagram)


class Dtls(RTCDtlsTransport):
    """aiortc's transport in the client role with one SRTP profile."""

    def __init__(self, port: _Port, certificate: RTCCertificate, profile: str) -> None:
        """`profile` is a key of PROFILES."""
        super().__init__(port, [certificate])  # type: ignore[arg-type]  # a stand-in
        self._srtp_profiles = PROFILES[profile]
        self._set_role("client")

    def protect(self, packet: bytes) -> bytes:
        """RTP as SRTP."""
        protected: bytes = self._tx_srtp.protect(packet)
        return protected

    def protect_rtcp(self, packet: bytes) -> bytes:
        """RTCP as SRTCP."""
        protected: bytes = self._tx_srtp.protect_rtcp(packet)
        return protected

    def unprotect(self, packet: bytes) -> bytes:
        """SRTP as RTP. pylibsrtp.Error when it is not authentic."""
        plain: bytes = self._rx_srtp.unprotect(packet)
        return plain

    def unprotect_rtcp(self, packet: bytes) -> bytes:
        """SRTCP as RTCP. pylibsrtp.Error when it is not authentic."""
        plain: bytes = self._rx_srtp.unprotect_rtcp(packet)
        return plain


@dataclass(slots=True)
class Times:
    """Seconds of the monotonic clock at which a client got somewhere; 0: not yet."""

    started: float = 0.0
    connected: float = 0.0
    first_media: float = 0.0


@dataclass(slots=True)
class Target:
    """Where to go, and as whom."""

    url: str
    "Of the server, `ws://` or `wss://`."
    token: str
    profile: str = "gcm"
    publish: bool = False
    "Send one video track."


class Client:
    """One participant; `on_packet(datagram, now)` gets what looks like SRTP, still encrypted."""

    def __init__(self, target: Target, http: aiohttp.ClientSession, certificate: RTCCertificate) -> None:
        """`http` and `certificate` are shared by the clients of a process."""
        self._target = target
        self._http = http
        self._certificate = certificate
        self._ufrag, self._pwd = secrets.token_hex(4), secrets.token_hex(12)
        self._answer: Answer | None = None
        self._socket: socket.socket | None = None
        self._ws: aiohttp.ClientWebSocketResponse | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._checked = asyncio.Event()
        self._offers = 1
        self._sections = 1
        self.cid = secrets.token_hex(8)
        self.port = _Port(self._send)
        self.dtls = Dtls(self.port, certificate, target.profile)
        self.times = Times()
        self.on_packet: Callable[[bytes, float], None] = lambda _datagram, _now: None
        self.lost = False
        "The server ended the session."

    async def connect(self) -> None:
        """Join and bring the transport up. TimeoutError, ConnectionError, aiohttp.ClientError."""
        self.times.started = time.monotonic()
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            await self._join()
            await self._check()
            assert self._answer is not None
            parameters = [RTCDtlsFingerprint(*pair) for pair in self._answer.fingerprints]
            await self.dtls.start(RTCDtlsParameters(parameters))
        if self.dtls.state != "connected":
            raise ConnectionError("the DTLS handshake failed")
        self.times.connected = time.monotonic()

    async def close(self) -> None:
        """Leave the room."""
        if self._ws is not None and not self._ws.closed:
            leave = rtc.SignalRequest(leave=rtc.LeaveRequest(reason=models.DisconnectReason.CLIENT_INITIATED))
            with contextlib.suppress(ConnectionError):
                await self._ws.send_bytes(leave.SerializeToString())
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.port.queue.put_nowait(None)
        await self.dtls.stop()
        if self._socket is not None:
            asyncio.get_running_loop().remove_reader(self._socket)
            self._socket.close()
        if self._ws is not None:
            await self._ws.close()

    def send_rtp(self, packet: bytes) -> None:
        """Send one packet of media."""
        self._send(self.dtls.protect(packet))

    def send_rtcp(self, packet: bytes) -> None:
        """Send one compound of feedback."""
        self._send(self.dtls.protect_rtcp(packet))

    @property
    def has_transport_cc(self) -> bool:
        """Whether what is received carries transport-wide numbers."""
        return self._answer is not None and self._answer.has_transport_cc

    # --- signalling ------------------------------------------------------------------------------------------------

    def offer(self) -> str:
        """The offer for the present sections: one that sends if this client publishes, the others receive."""
        fingerprint = self._certificate.getFingerprints()[0].value
        parts = []
        for mid in range(self._sections):
            sends = self._target.publish and mid == 0
            direction = f"sendonly\na=msid:- {self.cid}" if sends else "recvonly"
            parts.append(
                _VIDEO
                + f"a={direction}\n"
                + _SECTION.format(mid=mid, ufrag=self._ufrag, pwd=self._pwd, fingerprint=fingerprint)
            )
        mids = " ".join(str(mid) for mid in range(self._sections))
        text = _SESSION.format(session=1, mids=mids) + "".join(parts)
        return text.replace("\n", "\r\n")

    async def _join(self) -> None:
        join = rtc.JoinRequest(
            client_info=models.ClientInfo(sdk=models.ClientInfo.PYTHON, version="0", protocol=16),
            connection_settings=rtc.ConnectionSettings(auto_subscribe=not self._target.publish),
            publisher_offer=rtc.SessionDescription(type="offer", sdp=self.offer(), id=1),
        )
        if self._target.publish:
            track = rtc.AddTrackRequest(cid=self.cid, type=models.TrackType.VIDEO)
            track.source, track.width, track.height = models.TrackSource.SCREEN_SHARE, 1280, 720
            join.add_track_requests.append(track)
        wrapped = rtc.WrappedJoinRequest(join_request=join.SerializeToString())
        packed = base64.urlsafe_b64encode(wrapped.SerializeToString()).decode()
        self._ws = await self._http.ws_connect(
            f"{self._target.url}/rtc/v1",
            params={"join_request": packed},
            headers={"Authorization": f"Bearer {self._target.token}"},
            max_msg_size=0,
            timeout=aiohttp.ClientWSTimeout(ws_close=1),
        )
        await self._until("join")
        answer = await self._until("answer")
        self._answer = read_answer(answer.answer.sdp)
        self._tasks.append(asyncio.create_task(self._listen()))

    async def _until(self, kind: str) -> rtc.SignalResponse:
        while True:
            response = await self._response()
            if response is None:
                raise ConnectionError(f"the server hung up before {kind}")
            if response.WhichOneof("message") == kind:
                return response
            if response.HasField("leave"):
                raise ConnectionError("the server sent us away")

    async def _response(self) -> rtc.SignalResponse | None:
        assert self._ws is not None
        frame = await self._ws.receive()
        return rtc.SignalResponse.FromString(frame.data) if frame.type is aiohttp.WSMsgType.BINARY else None

    async def _listen(self) -> None:
        while (response := await self._response()) is not None:
            if response.HasField("media_sections_requirement"):
                self._sections += response.media_sections_requirement.num_videos
                await self._offer_again()
            elif response.HasField("answer"):
                self._answer = read_answer(response.answer.sdp)
            elif response.HasField("leave"):
                break
        self.lost = True

    async def _offer_again(self) -> None:
        self._offers += 1
        offer = rtc.SessionDescription(type="offer", sdp=self.offer(), id=self._offers)
        assert self._ws is not None
        await self._ws.send_bytes(rtc.SignalRequest(offer=offer).SerializeToString())

    # --- transport -------------------------------------------------------------------------------------------------

    async def _check(self) -> None:
        """ICE (RFC 8445): one nominating check on the first address that answers."""
        assert self._answer is not None
        loop = asyncio.get_running_loop()
        for host, port in self._answer.addresses:
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            candidate = socket.socket(family, socket.SOCK_DGRAM)
            candidate.setblocking(False)
            # a burst of a keyframe to a process that is busy with its other viewers must not be lost here
            candidate.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
            candidate.connect((host, port))
            self._socket = candidate
            loop.add_reader(candidate, self._readable)
            for _ in range(5):
                self._send_check()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(0.5):
                        await self._checked.wait()
                    self._tasks.append(asyncio.create_task(self._consent()))
                    return
            loop.remove_reader(candidate)
            candidate.close()
        raise ConnectionError("no address answered")

    def _send_check(self) -> None:
        assert self._answer is not None
        request = stun.Message(message_method=stun.Method.BINDING, message_class=stun.Class.REQUEST)
        request.attributes["USERNAME"] = f"{self._answer.ufrag}:{self._ufrag}"
        request.attributes["PRIORITY"] = 1
        request.attributes["ICE-CONTROLLING"] = 1
        request.attributes["USE-CANDIDATE"] = None
        request.add_message_integrity(self._answer.pwd.encode())
        self._send(bytes(request))

    async def _consent(self) -> None:
        while True:
            await asyncio.sleep(CONSENT_INTERVAL_S)
            self._send_check()

    def _send(self, datagram: bytes) -> None:
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.send(datagram)

    def _readable(self) -> None:
        assert self._socket is not None
        receive = self._socket.recv
        for _ in range(DRAIN):
            try:
                datagram = receive(RECEIVE_BYTES)
            except OSError:
                return
            first = datagram[0] if datagram else 0
            if 127 < first < 192:
                self.on_packet(datagram, time.monotonic())
            elif 19 < first < 64:
                self.port.queue.put_nowait(datagram)
            elif first < 4:
                self._checked.set()
