"""One participant's signalling, on a blocking WebSocket: the server sees the messages of LiveKit's SDKs.

Single-connection mode (`/rtc/v1`); where the server has none, dual-connection mode (`/rtc`), in which a subscriber
answers the server's offers. Under locust, a blocking call lets other greenlets run. The descriptions are those of a
`bench.load.transport` in another process.
"""

import base64
import contextlib
import secrets
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus

import websocket
from livekit.protocol import models, rtc

from bench.load.descriptions import (
    Address,
    Local,
    Remote,
    Section,
    answer,
    offer,
    read_remote,
    read_trickled,
    receiving,
)

TIMEOUT_S = 30.0
# The SDKs' number of the protocol that has dual-connection mode with offers by the server.
PROTOCOL = 16


@dataclass(frozen=True, slots=True)
class Listener:
    """The functions that a session calls while it listens."""

    renewed: Callable[[Remote], None]
    "A later description of the server."
    address: Callable[[Address], None]
    "An address of the server that it trickled."


@dataclass(frozen=True, slots=True)
class Part:
    """What a participant does in its room."""

    publishes: Sequence[str] = ()
    "Media (video, audio) of the tracks that it sends, in the order of its transport's SSRCs."
    subscribes: bool = True
    "Whether it receives the tracks of all others."
    dual: bool = False
    "Whether it uses dual-connection mode at once."


class SessionError(Exception):
    """The server refused the join, or sent something unexpected."""


class Session:
    """One participant's connection, from the join on."""

    def __init__(self, host: str, token: str, local: Local, part: Part) -> None:
        """Join the room; `host` is `ws://` or `wss://`, `local` is of the participant's transport. SessionError."""
        self._local = local
        self._subscribes = part.subscribes
        tracks = [
            Section(media, secrets.token_hex(8), ssrc)
            for media, ssrc in zip(part.publishes, local.ssrcs, strict=True)
        ]
        self._sections = tracks or receiving("video", 1)
        self._offers = 1
        self._early: deque[rtc.SignalResponse] = deque()
        "What the server sent before its first description."
        self.ended = threading.Event()
        "Set when the server ends the connection."
        self._target = rtc.SignalTarget.PUBLISHER
        "The server's peer connection that the participant uses; single-connection mode has this one alone."
        self._ws = websocket.WebSocket()
        try:
            remote = None if part.dual else self._join_single(host, token)
            self.remote = remote or self._join_dual(host, token)
        except (OSError, websocket.WebSocketException, KeyError, ValueError) as error:
            self._ws.shutdown()
            raise SessionError(str(error) or repr(error)) from error
        self._ws.settimeout(self._ping_interval_s or None)

    def listen(self, listener: Listener) -> None:
        """Process the server's messages until either side leaves."""
        try:
            while not self.ended.is_set():
                try:
                    response = self._early.popleft() if self._early else self._response()
                except websocket.WebSocketTimeoutException:
                    self._send(rtc.SignalRequest(ping_req=rtc.Ping()))
                    continue
                if not self._process(response, listener):
                    break
        except (OSError, websocket.WebSocketException, SessionError, KeyError, ValueError):
            pass  # the connection has ended
        self.ended.set()

    def _process(self, response: rtc.SignalResponse, listener: Listener) -> bool:
        """Process one message; return whether the participant stays."""
        if response.HasField("media_sections_requirement"):
            needed = response.media_sections_requirement
            self._sections += receiving("video", needed.num_videos) + receiving("audio", needed.num_audios)
            self._offer_again()
        elif response.HasField("answer"):
            listener.renewed(read_remote(response.answer.sdp))
        elif response.HasField("offer") and self._subscribes:
            listener.renewed(self._accept(response.offer))
        elif response.HasField("trickle") and response.trickle.target == self._target:
            address = read_trickled(response.trickle.candidateInit)
            if address is not None:
                listener.address(address)
        return not response.HasField("leave")

    def leave(self) -> None:
        """Leave the room."""
        leave = rtc.LeaveRequest(reason=models.DisconnectReason.CLIENT_INITIATED)
        with contextlib.suppress(OSError, websocket.WebSocketException):
            self._send(rtc.SignalRequest(leave=leave))
        self._ws.shutdown()

    def _join_single(self, host: str, token: str) -> Remote | None:
        """Join in single-connection mode; return the server's first description, None if it has no such mode."""
        try:
            self._connect(f"{host}/rtc/v1?join_request={self._join_request()}", token)
        except websocket.WebSocketBadStatusException as error:
            if error.status_code == HTTPStatus.NOT_FOUND:
                return None
            raise
        return read_remote(self._until("answer").answer.sdp)

    def _join_dual(self, host: str, token: str) -> Remote:
        """Join in dual-connection mode, and use the one of both connections that the participant needs."""
        if self._subscribes and self._publishes:
            raise SessionError("the server has no single-connection mode, which sending and receiving needs")
        query = f"protocol={PROTOCOL}&sdk=python&auto_subscribe={int(self._subscribes)}"
        self._connect(f"{host}/rtc?{query}", token)
        if self._subscribes:
            self._target = rtc.SignalTarget.SUBSCRIBER
            return self._accept(self._until("offer").offer)
        for track in self._tracks():
            self._send(rtc.SignalRequest(add_track=track))
        self._send(rtc.SignalRequest(offer=self._offer()))
        return read_remote(self._until("answer").answer.sdp)

    def _connect(self, url: str, token: str) -> None:
        """Open the WebSocket and wait for the server's welcome."""
        self._ws = websocket.WebSocket()
        headers = [f"Authorization: Bearer {token}"]
        self._ws.connect(url, header=headers, timeout=TIMEOUT_S, suppress_origin=True)
        self._ping_interval_s = self._until("join").join.ping_interval

    def _join_request(self) -> str:
        join = rtc.JoinRequest(
            client_info=models.ClientInfo(sdk=models.ClientInfo.PYTHON, version="0", protocol=PROTOCOL),
            connection_settings=rtc.ConnectionSettings(auto_subscribe=self._subscribes),
            publisher_offer=self._offer(),
            add_track_requests=self._tracks(),
        )
        wrapped = rtc.WrappedJoinRequest(join_request=join.SerializeToString())
        return base64.urlsafe_b64encode(wrapped.SerializeToString()).decode()

    @property
    def _publishes(self) -> bool:
        return any(section.cid for section in self._sections)

    def _tracks(self) -> list[rtc.AddTrackRequest]:
        """Return the announcements of the tracks that are sent."""
        tracks = []
        for section in self._sections:
            if section.cid and section.media == "video":
                track = rtc.AddTrackRequest(
                    cid=section.cid,
                    type=models.TrackType.VIDEO,
                    source=models.TrackSource.SCREEN_SHARE,
                    width=1280,
                    height=720,
                )
                tracks.append(track)
            elif section.cid:
                microphone = models.TrackSource.MICROPHONE
                tracks.append(
                    rtc.AddTrackRequest(cid=section.cid, type=models.TrackType.AUDIO, source=microphone)
                )
        return tracks

    def _offer(self) -> rtc.SessionDescription:
        return rtc.SessionDescription(type="offer", sdp=offer(self._local, self._sections), id=self._offers)

    def _offer_again(self) -> None:
        self._offers += 1
        self._send(rtc.SignalRequest(offer=self._offer()))

    def _accept(self, offered: rtc.SessionDescription) -> Remote:
        """Answer an offer of the server, and return what it says."""
        reply = rtc.SessionDescription(type="answer", sdp=answer(self._local, offered.sdp), id=offered.id)
        self._send(rtc.SignalRequest(answer=reply))
        return read_remote(offered.sdp, is_offer=True)

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
