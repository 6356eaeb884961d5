"""DTLS by aiortc's transport over the shared UDP socket, and the SRTP sessions with its keys.

aiortc's transport pulls datagrams from an ICE transport; `DatagramPort` stands in for that and is fed by the
engine, with DTLS datagrams only: media never passes through here. The private names of aiortc that are relied on
are listed in tests/sfu/test_contract.py.
"""

import asyncio
from collections.abc import Callable
from typing import Any

from OpenSSL import SSL

from sfu.shell.turns import Turns
from sfu.stand_ins import stand_ins
from sfu.values import CloseReason

with stand_ins("aiortc", "aiortc.rtcicetransport", "av"):  # without codecs and an ICE agent: 25 MB, 0.2 s
    from aiortc import rtcdtlstransport
    from aiortc.rtcdtlstransport import (
        RTCCertificate,
        RTCDtlsFingerprint,
        RTCDtlsParameters,
        RTCDtlsTransport,
    )

# AES-128-GCM costs about half of AES-CM with SHA-1; the browsers take what the server puts first.
SRTP_PROFILES = [
    rtcdtlstransport.SRTP_AEAD_AES_128_GCM,
    rtcdtlstransport.SRTP_AEAD_AES_256_GCM,
    rtcdtlstransport.SRTP_AES128_CM_SHA1_80,
]
# A handshake that takes longer is dead: libwebrtc retransmits from 50 ms on and gives up at about the same time.
HANDSHAKE_TIMEOUT_S = 30.0
# A client's whole flight is about 2 KB, several times that with retransmissions.
HANDSHAKE_BYTES = 64 * 1024
QUEUE_DATAGRAMS = 256
MAX_DATAGRAM_BYTES = 1500


class Certificate(RTCCertificate):
    """The certificate of this process; one TLS context serves all transports (building one costs 1 ms)."""

    _context: SSL.Context | None = None

    def _create_ssl_context(self, srtp_profiles: list[Any]) -> SSL.Context:
        if self._context is None:
            self._context = super()._create_ssl_context(srtp_profiles)
            # by default a server keeps thousands of sessions to resume, which no WebRTC client asks for
            self._context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
        return self._context

    @property
    def sha256(self) -> str:
        """The SHA-256 fingerprint as in `a=fingerprint`."""
        return rtcdtlstransport.certificate_digest(self._cert, "sha-256")


class DatagramPort:
    """The interface of an ICE transport that aiortc's DTLS transport uses."""

    role = "controlled"

    def __init__(self, send: Callable[[bytes], None], turns: Turns | None = None) -> None:
        """`send` sends one datagram; received datagrams wait for their turn."""
        self._queue: asyncio.Queue[bytes | None] = asyncio.Queue(QUEUE_DATAGRAMS)
        self._turns = turns
        self.send = send
        self.received_bytes = 0

    def feed(self, datagram: bytes) -> bool:
        """Queue a received datagram; return False if the queue is full and the datagram was dropped."""
        self.received_bytes += len(datagram)
        if self._queue.full():
            return False
        self._queue.put_nowait(datagram)
        return True

    def close(self) -> None:
        """Make the reader find the end of the connection."""
        if self._queue.full():
            self._queue.get_nowait()
        self._queue.put_nowait(None)

    async def _recv(self) -> bytes:
        datagram = await self._queue.get()
        if datagram is None:
            raise ConnectionError
        if self._turns is not None:
            await self._turns.wait()
        return datagram

    async def _send(self, datagram: bytes) -> None:
        self.send(datagram)


class DtlsTransport(RTCDtlsTransport):
    """aiortc's transport with Lectern's order of SRTP profiles and contained failures."""

    def __init__(self, port: DatagramPort, certificate: Certificate, *, client: bool = False) -> None:
        """`port` carries the datagrams; `certificate` is that of the process; a `client` starts the handshake."""
        super().__init__(port, [certificate])  # type: ignore[arg-type]  # a stand-in, see the module's text
        self._srtp_profiles = SRTP_PROFILES
        self._port = port
        self._set_role("client" if client else "server")

    async def connect(self, fingerprints: tuple[tuple[str, str], ...]) -> CloseReason | None:
        """Run the handshake with the holder of a certificate that has these (algorithm, value) fingerprints.

        Returns None when connected, else why not.
        """
        parameters = RTCDtlsParameters(
            [RTCDtlsFingerprint(algorithm, value) for algorithm, value in fingerprints]
        )
        try:
            async with asyncio.timeout(HANDSHAKE_TIMEOUT_S):
                await self.start(parameters)
        except TimeoutError:
            return "handshake_timeout"
        except Exception:  # noqa: BLE001 - whatever OpenSSL's binding makes of hostile input ends this peer alone
            return "handshake_failed"
        return None if self.state == "connected" else "handshake_failed"

    async def _recv_next(self) -> None:
        if not self.encrypted and self._port.received_bytes > HANDSHAKE_BYTES:
            raise ConnectionError
        await super()._recv_next()

    def send_data(self, packet: bytes) -> None:
        """Encrypt and send an SCTP packet at once; drop it if the transport is not connected."""
        if self.state != "connected":
            return
        assert self._ssl is not None
        try:
            self._ssl.send(packet)
            datagram = self._ssl.bio_read(MAX_DATAGRAM_BYTES)
        except SSL.Error:
            return
        self._port.send(datagram)

    @property
    def is_client(self) -> bool:
        """Return whether this side starts the handshake."""
        return self._role == "client"

    @property
    def srtp_profile(self) -> str:
        """Return the name of the SRTP profile in use."""
        assert self._ssl is not None
        return self._ssl.get_selected_srtp_profile().decode("ascii")

    @property
    def inbound(self) -> Any:
        """Return libsrtp's session (cffi `srtp_t`) for packets from the peer."""
        return self._rx_srtp._srtp[0]  # noqa: SLF001 - pinned; see tests/sfu/test_contract.py

    @property
    def outbound(self) -> Any:
        """Return libsrtp's session (cffi `srtp_t`) for packets to the peer."""
        return self._tx_srtp._srtp[0]  # noqa: SLF001 - pinned; see tests/sfu/test_contract.py

    def protect_rtcp(self, packet: bytes) -> bytes:
        """Return an RTCP packet as SRTCP."""
        protected: bytes = self._tx_srtp.protect_rtcp(packet)
        return protected
