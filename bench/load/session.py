"""One participant's signalling: LiveKit's single-connection mode (`/rtc/v1`) on a blocking WebSocket.

Under locust, a blocking call lets other greenlets run. The messages are those of SDKs; the descriptions are those of a
`bench.load.transport` in another process.
"""

import base64
import contextlib
import secrets
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import websocket
from livekit.protocol import models, rtc

TIMEOUT_S = 30.0
MID_ID, TRANSPORT_CC_ID = 4, 3
VP8, RTX, OPUS = 96, 97, 111

_SESSION = """v=0
o=- 1 1 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE {mids}
a=msid-semantic: WMS *
"""
_FORMATS = {
    "video": f"""m=video 9 UDP/TLS/RTP/SAVPF {VP8} {RTX}
a=rtpmap:{VP8} VP8/90000
a=rtcp-fb:{VP8} nack
a=rtcp-fb:{VP8} nack pli
a=rtcp-fb:{VP8} transport-cc
a=rtpmap:{RTX} rtx/90000
a=fmtp:{RTX} apt={VP8}
""",
    "audio": f"""m=audio 9 UDP/TLS/RTP/SAVPF {OPUS}
a=rtpmap:{OPUS} opus/48000/2
a=rtcp-fb:{OPUS} transport-cc
""",
}
_SECTION = """c=IN IP4 0.0.0.0
a=rtcp-mux
a=rtcp-rsize
a=extmap:{mid_id} urn:ietf:params:rtp-hdrext:sdes:mid
a=extmap:{transport_cc_id} http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01
a=mid:{mid}
a=ice-ufrag:{local.ufrag}
a=ice-pwd:{local.pwd}
a=fingerprint:sha-256 {local.fingerprint}
a=setup:active
a={direction}
"""


@dataclass(frozen=True, slots=True)
class Local:
    """A transport's own values for the offer."""

    ufrag: str
    pwd: str
    fingerprint: str
    "SHA-256 digest of its certificate."


def offer(local: Local, media: str, sections: int, cid: str = "") -> str:
    """Return an offer with this many receiving media sections; with `cid`, the first one sends that track instead."""
    parts = []
    for mid in range(sections):
        direction = f"sendonly\na=msid:- {cid}" if cid and mid == 0 else "recvonly"
        parts.append(
            _FORMATS[media]
            + _SECTION.format(
                mid_id=MID_ID, transport_cc_id=TRANSPORT_CC_ID, mid=mid, local=local, direction=direction
            )
        )
    text = _SESSION.format(mids=" ".join(str(mid) for mid in range(sections))) + "".join(parts)
    return text.replace("\n", "\r\n")


class SessionError(Exception):
    """The server refused the join, or sent something unexpected."""


class Session:
    """One participant's connection, from the join on."""

    def __init__(self, host: str, token: str, local: Local, media: str, *, publish: bool) -> None:
        """Join the room. SessionError."""
        self._local = local
        self._media = media
        self._cid = secrets.token_hex(8) if publish else ""
        self._sections = 1
        self._offers = 1
        self._early: deque[rtc.SignalResponse] = deque()
        "What the server sent before the answer to the join."
        self.ended = threading.Event()
        "Set when the server ends the connection."
        self._ws = websocket.WebSocket()
        try:
            self._ws.connect(
                f"{host}/rtc/v1?join_request={self._join_request()}",
                header=[f"Authorization: Bearer {token}"],
                timeout=TIMEOUT_S,
                suppress_origin=True,
            )
            self._ping_interval_s = self._until("join").join.ping_interval
            self.answer = self._until("answer").answer.sdp
        except (OSError, websocket.WebSocketException) as error:
            self._ws.shutdown()
            raise SessionError(str(error) or repr(error)) from error
        self._ws.settimeout(self._ping_interval_s or None)

    def listen(self, on_answer: Callable[[str], None]) -> None:
        """Process the server's messages until either side leaves; `on_answer` receives each further answer."""
        try:
            while not self.ended.is_set():
                try:
                    response = self._early.popleft() if self._early else self._response()
                except websocket.WebSocketTimeoutException:
                    self._send(rtc.SignalRequest(ping_req=rtc.Ping()))
                    continue
                if response.HasField("media_sections_requirement"):
                    needed = response.media_sections_requirement
                    self._sections += needed.num_videos if self._media == "video" else needed.num_audios
                    self._offer_again()
                elif response.HasField("answer"):
                    on_answer(response.answer.sdp)
                elif response.HasField("leave"):
                    break
        except (OSError, websocket.WebSocketException, SessionError):
            pass  # the connection has ended
        self.ended.set()

    def leave(self) -> None:
        """Leave the room."""
        leave = rtc.LeaveRequest(reason=models.DisconnectReason.CLIENT_INITIATED)
        with contextlib.suppress(OSError, websocket.WebSocketException):
            self._send(rtc.SignalRequest(leave=leave))
        self._ws.shutdown()

    def _join_request(self) -> str:
        description = rtc.SessionDescription(type="offer", sdp=self._offer(), id=1)
        join = rtc.JoinRequest(
            client_info=models.ClientInfo(sdk=models.ClientInfo.PYTHON, version="0", protocol=16),
            connection_settings=rtc.ConnectionSettings(auto_subscribe=not self._cid),
            publisher_offer=description,
        )
        if self._cid and self._media == "video":
            join.add_track_requests.add(
                cid=self._cid,
                type=models.TrackType.VIDEO,
                source=models.TrackSource.SCREEN_SHARE,
                width=1280,
                height=720,
            )
        elif self._cid:
            join.add_track_requests.add(
                cid=self._cid, type=models.TrackType.AUDIO, source=models.TrackSource.MICROPHONE
            )
        wrapped = rtc.WrappedJoinRequest(join_request=join.SerializeToString())
        return base64.urlsafe_b64encode(wrapped.SerializeToString()).decode()

    def _offer(self) -> str:
        return offer(self._local, self._media, self._sections, self._cid)

    def _offer_again(self) -> None:
        self._offers += 1
        description = rtc.SessionDescription(type="offer", sdp=self._offer(), id=self._offers)
        self._send(rtc.SignalRequest(offer=description))

    def _send(self, request: rtc.SignalRequest) -> None:
        self._ws.send_binary(request.SerializeToString())

    def _response(self) -> rtc.SignalResponse:
        opcode, data = self._ws.recv_data()
        if opcode != websocket.ABNF.OPCODE_BINARY:
            raise SessionError("the server closed the connection")
        return rtc.SignalResponse.FromString(data)

    def _until(self, kind: str) -> rtc.SignalResponse:
        while True:
            response = self._response()
            if response.WhichOneof("message") == kind:
                return response
            if response.HasField("leave"):
                raise SessionError("the server ended the visit")
            self._early.append(response)
