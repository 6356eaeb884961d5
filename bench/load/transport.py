"""A client's transport with real ICE, DTLS and SRTP, cheap enough for many clients in one process.

DTLS is aiortc's transport in the client role, SRTP is pylibsrtp. Media packets are passed on still encrypted, since
most are only counted.
"""

import asyncio
import contextlib
import secrets
import socket
import time
from collections.abc import Callable
from typing import Any

from aioice import stun
from aiortc import rtcdtlstransport
from aiortc.rtcdtlstransport import RTCCertificate, RTCDtlsFingerprint, RTCDtlsParameters, RTCDtlsTransport
from pylibsrtp._binding import ffi

from bench.load.descriptions import Address, Remote

CONNECT_TIMEOUT_S = 30.0
# An address that has not replied to so many checks is given up for the next one.
CHECKS, CHECK_INTERVAL_S = 5, 0.5
# RFC 7675 section 5.1: consent checks are sent about every 5 s
CONSENT_INTERVAL_S = 4.0
RECEIVE_BYTES = 2048
DRAIN = 64
PROFILES = {
    "gcm": [rtcdtlstransport.SRTP_AEAD_AES_128_GCM],
    "cm": [rtcdtlstransport.SRTP_AES128_CM_SHA1_80],
}


class _Port:
    """The part of an ICE transport that aiortc's DTLS transport needs."""

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
    """aiortc's DTLS transport in the client role, with one SRTP profile."""

    def __init__(self, port: _Port, certificate: RTCCertificate, profile: str) -> None:
        """`profile` is a key of PROFILES."""
        super().__init__(port, [certificate])  # type: ignore[arg-type]  # a stand-in
        self._srtp_profiles = PROFILES[profile]
        self._set_role("client")

    @property
    def inbound(self) -> int:
        """The address of libsrtp's context for what is received."""
        return int(ffi.cast("uintptr_t", self._rx_srtp._srtp[0]))  # noqa: SLF001 - pinned, as in sfu.shell.dtls

    @property
    def outbound(self) -> int:
        """The address of libsrtp's context for what is sent."""
        return int(ffi.cast("uintptr_t", self._tx_srtp._srtp[0]))  # noqa: SLF001 - see above

    def protect(self, packet: bytes) -> bytes:
        """Return RTP as SRTP."""
        protected: bytes = self._tx_srtp.protect(packet)
        return protected

    def protect_rtcp(self, packet: bytes) -> bytes:
        """Return RTCP as SRTCP."""
        protected: bytes = self._tx_srtp.protect_rtcp(packet)
        return protected

    def unprotect(self, packet: bytes) -> bytes:
        """Return SRTP as RTP. pylibsrtp.Error if it is not authentic."""
        plain: bytes = self._rx_srtp.unprotect(packet)
        return plain

    def unprotect_rtcp(self, packet: bytes) -> bytes:
        """Return SRTCP as RTCP. pylibsrtp.Error if it is not authentic."""
        plain: bytes = self._rx_srtp.unprotect_rtcp(packet)
        return plain


class Transport:
    """One client's transport; `on_packet(datagram, now)` receives SRTP and SRTCP, still encrypted."""

    def __init__(self, certificate: RTCCertificate, profile: str) -> None:
        """`certificate` is shared by the clients of a process; `profile` is a key of PROFILES."""
        self.ufrag, self.pwd = secrets.token_hex(4), secrets.token_hex(12)
        self.remote: Remote | None = None
        self._addresses: asyncio.Queue[Address] = asyncio.Queue()
        self._socket: socket.socket | None = None
        self._consents: asyncio.Task[None] | None = None
        self._checked = asyncio.Event()
        self._port = _Port(self._send)
        self.dtls = Dtls(self._port, certificate, profile)
        self.on_packet: Callable[[bytes, float], None] = lambda _datagram, _now: None

    def add_address(self, address: Address) -> None:
        """Add an address of the server that it trickled."""
        self._addresses.put_nowait(address)

    async def connect(self, remote: Remote) -> None:
        """Connect the transport. TimeoutError, ConnectionError."""
        # one that came meanwhile is newer
        self.remote = self.remote or remote
        for address in remote.addresses:
            self.add_address(address)
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                await self._check()
        except TimeoutError as error:
            raise ConnectionError("no address of the server replied") from error
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            parameters = [RTCDtlsFingerprint(*pair) for pair in remote.fingerprints]
            await self.dtls.start(RTCDtlsParameters(parameters))
        if self.dtls.state != "connected":
            raise ConnectionError("the DTLS handshake failed")

    async def close(self) -> None:
        """Close the transport."""
        if self._consents is not None:
            self._consents.cancel()
        self._port.queue.put_nowait(None)
        await self.dtls.stop()
        if self._socket is not None:
            asyncio.get_running_loop().remove_reader(self._socket)
            self._socket.close()

    def hand_over(self) -> None:
        """Leave the connected socket to somebody else, who has to send checks (`check`) from now on."""
        if self._consents is not None:
            self._consents.cancel()
        asyncio.get_running_loop().remove_reader(self.socket)

    def send_rtp(self, packet: bytes) -> None:
        """Send one RTP packet."""
        self._send(self.dtls.protect(packet))

    def send_rtcp(self, packet: bytes) -> None:
        """Send one compound RTCP packet."""
        self._send(self.dtls.protect_rtcp(packet))

    @property
    def socket(self) -> socket.socket:
        """The transport's socket, once connected."""
        assert self._socket is not None
        return self._socket

    @property
    def transport_cc_id(self) -> int:
        """Id of the header extension with the transport-wide sequence number; 0: received media has none."""
        return self.remote.transport_cc_id if self.remote is not None else 0

    def clock_rate(self, payload_type: int) -> int:
        """Return the clock rate of received media in Hz; 0 for other payload types, such as retransmissions."""
        return self.remote.clock_rates.get(payload_type, 0) if self.remote is not None else 0

    async def _check(self) -> None:
        """Run ICE (RFC 8445): nominating checks on one address after the other, until one replies. TimeoutError."""
        loop = asyncio.get_running_loop()
        while True:
            host, port = await self._addresses.get()
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            candidate = socket.socket(family, socket.SOCK_DGRAM)
            candidate.setblocking(False)
            # the burst of a keyframe must not be lost while this process is busy with its other viewers
            candidate.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
            try:
                candidate.connect((host, port))
            except OSError:  # this machine has no route to it
                candidate.close()
                continue
            self._socket = candidate
            loop.add_reader(candidate, self._readable)
            for _ in range(CHECKS):
                self._send_check()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(CHECK_INTERVAL_S):
                        await self._checked.wait()
                    self._consents = asyncio.create_task(self._consent())
                    return
            loop.remove_reader(candidate)
            candidate.close()
            self._socket = None

    def _send_check(self) -> None:
        self._send(self.check())

    def check(self) -> bytes:
        """Return a connectivity check, which also renews the server's consent to receive."""
        assert self.remote is not None
        request = stun.Message(message_method=stun.Method.BINDING, message_class=stun.Class.REQUEST)
        request.attributes["USERNAME"] = f"{self.remote.ufrag}:{self.ufrag}"
        request.attributes["PRIORITY"] = 1
        if self.remote.is_offer and not self.remote.is_lite:  # RFC 8445 section 6.1.1
            request.attributes["ICE-CONTROLLED"] = 1
        else:
            request.attributes["ICE-CONTROLLING"] = 1
            request.attributes["USE-CANDIDATE"] = None
        request.add_message_integrity(self.remote.pwd.encode())
        request.add_fingerprint()
        return bytes(request)

    def _on_stun(self, datagram: bytes) -> None:
        """Reply to a check of the server, or note the reply to one of ours."""
        try:
            message = stun.parse_message(datagram)
        except ValueError:
            return
        if message.message_class is stun.Class.RESPONSE:
            self._checked.set()
        if message.message_class is not stun.Class.REQUEST:
            return
        reply = stun.Message(
            message_method=stun.Method.BINDING,
            message_class=stun.Class.RESPONSE,
            transaction_id=message.transaction_id,
        )
        reply.attributes["XOR-MAPPED-ADDRESS"] = self.socket.getpeername()[:2]
        reply.add_message_integrity(self.pwd.encode())
        reply.add_fingerprint()
        self._send(bytes(reply))

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
                self._port.queue.put_nowait(datagram)
            elif first < 4:
                self._on_stun(datagram)
