"""The server's endpoint of all connections: one UDP socket with ICE, DTLS, SRTP and data channels.

Datagrams come in, are told apart (RFC 7983) and authenticated; media goes to the router, whose rows go out
protected. What a connection carries is not known here.
"""

import asyncio
import contextlib
import logging
import secrets
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from pylibsrtp._binding import ffi as srtp_ffi
from pylibsrtp._binding import lib as srtp_lib

from sfu.dataplane.dispatch import process
from sfu.dataplane.plane import Plane
from sfu.dataplane.punts import Punt, Record
from sfu.dataplane.streams import PlaneLimits, PlaneStream
from sfu.drops import DropReason
from sfu.engine.containment import Containment
from sfu.engine.peers.link import nowhere
from sfu.engine.peers.peer import LocalIdentity, Peer
from sfu.fanout.arena import Arena
from sfu.fanout.row_buffer import RowBuffer
from sfu.fanout.transports import PATH_BYTES
from sfu.limits import PeerLimits
from sfu.sctp.channels import Backlog, Owner
from sfu.session.ice import Check, StunError, scan
from sfu.settings import MediaSettings
from sfu.shell import kernel, udp
from sfu.shell.addresses import candidates, local_addresses
from sfu.shell.datachannel import DataTransport
from sfu.shell.dtls import Certificate, DatagramPort, DtlsTransport
from sfu.shell.turns import Turns
from sfu.values import CloseReason
from sfu.wire import rtcp

if TYPE_CHECKING:
    from sfu.engine.slow_path import SlowPath

logger = logging.getLogger(__name__)

# RFC 8445 section 5.3: at least 24 bits of ufrag and 128 of pwd
_UFRAG_BYTES, _PWD_BYTES = 8, 16
_MAX_DRAINS = 8
# libsrtp's srtp_err_status_auth_fail, which the binding does not export.
_AUTHENTICATION_FAILED = 7
# A floating address comes to a machine while it runs. Reading all addresses takes half a millisecond.
_ADDRESSES_HOLD_S = 5.0
# Media of a peer without budget is not looked at for so long; until then its budget earns some tens of packets.
_HELD_S = 0.01
# Messages for a peer that is still connecting are kept up to here (LiveKit's value for a channel that is not open).
_PENDING_BYTES = 100_000


class PeerTransport:
    """A peer and its transport."""

    def __init__(self, peer: Peer) -> None:
        """Create a transport that is not connected yet."""
        self.peer = peer
        self.port: DatagramPort | None = None
        self.dtls: DtlsTransport | None = None
        self.channels: DataTransport | None = None
        self.task: asyncio.Task[None] | None = None
        self.pending_data: list[tuple[str, bytes, str]] = []
        self.removed = False
        "Whether the endpoint has forgotten it; a transport is never made for it again."
        self.ufrags: tuple[str, ...] = ()
        "Those under which the endpoint knows it."
        self.addresses: set[bytes] = set()
        "The paths (`sfu.shell.udp`) by which the endpoint takes its datagrams."

    def send_data(self, label: str, payload: bytes, flow: str) -> None:
        """Send a message, or keep it briefly until the channel is open."""
        if self.channels is not None:
            self.channels.send(label, payload, flow)
        elif sum(len(kept) for _, kept, _ in self.pending_data) + len(payload) <= _PENDING_BYTES:
            self.pending_data.append((label, payload, flow))


@dataclass(frozen=True, slots=True)
class Handlers:
    """The functions that the endpoint calls, always from the loop; the first two from within the packet path."""

    rtp: Callable[[Peer, bytes, float], None]
    "(peer, decrypted packet, time) of media."
    rtcp: Callable[[Peer, bytes, float, int], None]
    "(peer, decrypted packet, time, 64-bit NTP time) of feedback and reports."
    slow_path: "SlowPath"
    "Processes the punts of a native data plane, with which `rtp` is not called."
    connected: Callable[[PeerTransport], None]
    "ICE and DTLS are up."
    failed: Callable[[PeerTransport, CloseReason], None]
    "The transport broke; the owner removes the connection."
    message: Callable[[Peer, str, bytes], None]
    "(peer, label, payload) of a data channel."
    refused: Callable[[Peer, str, str], None]
    "(peer, label, flow): what was sent reliably will not arrive, since the peer reads too slowly."
    data_busy: Callable[[], bool]
    "Whether messages should rather come later."


class MediaEndpoint:
    """A UDP socket and the connections on it."""

    def __init__(self, settings: MediaSettings, drops: Counter[DropReason]) -> None:
        """Create it; `start` opens the socket. `drops` counts datagrams that are not processed."""
        self._settings = settings
        self._own_addresses = frozenset(local_addresses() if settings.local_only else ())
        self._drops = drops
        self._containment = Containment(drops)
        self._certificate: Certificate = Certificate.generateCertificate()
        self._arena = Arena()
        self.rows = RowBuffer(self._arena)
        "Where the router puts what is to be sent."
        self._identity = LocalIdentity(self._certificate.sha256, ())
        self._identity_until = 0.0
        self._by_ufrag: dict[str, PeerTransport] = {}
        self._by_address: dict[bytes, PeerTransport] = {}
        self._by_transport: dict[int, PeerTransport] = {}
        "Of connections that are up, where there is a native data plane."
        self._held: dict[bytes, tuple[float, PeerLimits, int]] = {}
        "(until when, limits, SSRC) of addresses whose media is dropped unseen for a moment."
        self._socket: udp.MediaSocket | None = None
        self.plane: Plane | None = None
        "The native data plane; None: everything is done in Python."
        self._length = srtp_ffi.new("int *")
        self._tasks: set[asyncio.Task[Any]] = set()
        self._turns = Turns()
        self._backlog = Backlog()

    # --- life ------------------------------------------------------------------------------------------------------

    def start(self, handlers: Handlers) -> None:
        """Open the UDP socket on the running loop. OSError if the port is in use."""
        self._handlers = handlers
        self._loop = asyncio.get_running_loop()
        self._socket = udp.open_socket(
            self._settings.udp_port,
            self._arena,
            portable=self._settings.portable_io,
        )
        module = kernel.native_module(self._socket, native=self._settings.native)
        if module is not None:
            self.plane = Plane(module, self.rows, self._socket, self._drops)
            self.rows.open(self.plane.rows)
            self.plane.start()
            self._loop.add_reader(self.plane.punt_fd, self._punted)
            return
        self.rows.open(kernel.Portable(self.rows, self._socket, self._drops))
        base = srtp_ffi.cast("char *", srtp_ffi.from_buffer(self._socket.buffer))
        self._receive_pointers = [base + udp.RECEIVE_STRIDE * i for i in range(udp.RECEIVE_BATCH)]
        self._loop.add_reader(self._socket.fileno(), self._readable)

    async def stop(self) -> None:
        """Close the socket; all connections must be closed already."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=2)
        if self.plane is not None:
            self._loop.remove_reader(self.plane.punt_fd)
            self.plane.close()
            self.plane = None
        if self._socket is not None:
            self._loop.remove_reader(self._socket.fileno())
            self._socket.close()
            self._socket = None

    def make_limits(self, transport: int) -> PeerLimits:
        """Return the limits of a peer with this transport."""
        if self.plane is None:
            return PeerLimits(self._settings)
        self.plane.rows.point_to_log()  # which has grown, perhaps, with the transport
        return PlaneLimits(self.plane, transport, self._settings)

    def counters(self) -> tuple[int, int, dict[str, float]]:
        """Return what the data plane has counted; see `Plane.counters`."""
        return self.plane.counters() if self.plane is not None else (0, 0, {})

    @property
    def identity(self) -> LocalIdentity:
        """Return the endpoint's part of descriptions, with the addresses that the machine has now."""
        now = time.monotonic()
        if self._socket is not None and now >= self._identity_until:
            self._identity_until = now + _ADDRESSES_HOLD_S
            announced = candidates(self._settings, self._socket.port)
            self._identity = LocalIdentity(self._certificate.sha256, announced)
        return self._identity

    @property
    def udp_port(self) -> int:
        """The bound UDP port."""
        assert self._socket is not None
        return self._socket.port

    # --- connections -----------------------------------------------------------------------------------------------

    def add(self, connection: PeerTransport) -> None:
        """Accept connectivity checks for a connection; call it again after its credentials changed."""
        if connection.removed:
            return
        for ufrag in connection.ufrags:
            del self._by_ufrag[ufrag]
        connection.ufrags = connection.peer.ice.ufrags
        for ufrag in connection.ufrags:
            self._by_ufrag[ufrag] = connection
        self._update_feedback(connection.peer)
        self._answer_checks(connection.peer)

    def remove(self, connection: PeerTransport) -> None:
        """Remove a connection, and end its transports in the background."""
        if connection.removed:
            return
        connection.removed = True
        peer = connection.peer
        peer.link.connected = False
        for ufrag in connection.ufrags:
            del self._by_ufrag[ufrag]
        for address in connection.addresses:
            self._forget(address)
        connection.ufrags = ()
        connection.addresses.clear()
        self.rows.flush()  # rows may still name the peer's libsrtp session
        if self.plane is not None:
            peer.link.send_rtcp = nowhere  # the number of the transport is free for others
            self.plane.disconnect(peer.link.transport)
            self._by_transport.pop(peer.link.transport, None)
        self.rows.transports.remove(peer.link.transport)
        self._spawn(_shut(connection))

    def _forget(self, address: bytes) -> None:
        """Take no datagrams from an address any more."""
        del self._by_address[address]
        self._held.pop(address, None)
        if self.plane is not None:
            self.plane.set_path(address, -1)

    def _move(self, peer: Peer, address: bytes) -> None:
        """Send to a peer on this path from now on."""
        if self.plane is not None:
            self.plane.move(peer.link.transport, udp.without_own_address(address))
            self._answer_checks(peer)
        else:
            self.rows.transports.move(peer.link.transport, address)

    def _admit(self, connection: PeerTransport, address: bytes) -> None:
        """Accept datagrams of a connection from an address that passed a check, and no longer from one that it left."""
        holder = self._by_address.get(address)
        if holder is connection:
            return
        if holder is not None:
            holder.addresses.discard(address)
            if holder.peer.ice.remove(address):
                self._move(holder.peer, bytes(PATH_BYTES))
        self._by_address[address] = connection
        connection.addresses.add(address)
        if self.plane is not None:
            # until it is connected nobody's: the transport that had it must not get what comes
            link = connection.peer.link
            self.plane.set_path(address, link.transport if link.connected else -1)
        for given_up in connection.addresses - connection.peer.ice.addresses.keys():
            connection.addresses.discard(given_up)
            self._forget(given_up)

    def connect(self, connection: PeerTransport) -> None:
        """Start the DTLS handshake once the client's description and an address are known."""
        peer = connection.peer
        ready = peer.negotiated.remote is not None and peer.ice.selected is not None
        if connection.removed or connection.task is not None or not ready:
            return
        connection.port = DatagramPort(partial(self._send_to, peer), self._turns)
        connection.dtls = DtlsTransport(
            connection.port, self._certificate, client=peer.negotiated.dtls_client
        )
        connection.task = self._spawn(self._connect(connection))

    def start_data(self, connection: PeerTransport) -> None:
        """Open data channels once they are negotiated and the transport is connected."""
        peer = connection.peer
        if (
            connection.removed
            or connection.channels is not None
            or peer.negotiated.sctp is None
            or not peer.link.connected
        ):
            return
        assert connection.dtls is not None
        port, max_bytes = peer.negotiated.sctp
        channels = connection.channels = DataTransport(
            connection.dtls,
            Owner(
                send=connection.dtls.send_data,
                message=partial(self._handlers.message, peer),
                refused=partial(self._handlers.refused, peer),
                failed=partial(self._handlers.failed, connection),
                busy=self._handlers.data_busy,
            ),
            port=port,
            max_bytes=max_bytes,
            backlog=self._backlog,
            turns=self._turns,
        )
        channels.start(peer.channels)
        for label, payload, flow in connection.pending_data:
            channels.send(label, payload, flow)
        connection.pending_data.clear()

    def _spawn(self, coroutine: Any) -> asyncio.Task[Any]:
        task: asyncio.Task[Any] = self._loop.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    # --- datagrams -------------------------------------------------------------------------------------------------

    def _readable(self) -> None:
        assert self._socket is not None
        for _ in range(_MAX_DRAINS):  # then the loop gets its turn
            count = self._socket.receive()
            if not count:
                break
            now = time.monotonic()
            addresses, held = self._socket.addresses, self._held
            for i in range(count):
                if held and addresses[i] in held and self._is_held(i, addresses[i], now):
                    continue
                arguments = i, self._socket.lengths[i], addresses[i], now
                self._containment.run("a client", now, self._datagram, *arguments)
            self.rows.flush()
            if count < udp.RECEIVE_BATCH:
                break

    def _is_held(self, i: int, address: bytes, now: float) -> bool:
        """Drop media from an address whose peer has just exceeded its limits; return False if it is no longer held.

        A flood is dropped here for a quarter of what asking its budget costs, so that the socket's queue, which all
        peers share, stays short.
        """
        until, limits, ssrc = self._held[address]
        if now >= until:
            del self._held[address]
            return False
        assert self._socket is not None
        if not 127 < self._socket.buffer[i * udp.RECEIVE_STRIDE] < 192:
            return False
        limits.exceeded(ssrc)
        self._drops[DropReason.RTP_RATE] += 1
        return True

    def _datagram(self, i: int, length: int, address: bytes, now: float) -> None:
        """Demultiplex STUN, DTLS and SRTP by the first byte (RFC 7983)."""
        socket_ = self._socket
        assert socket_ is not None
        at = i * udp.RECEIVE_STRIDE
        if not 1 <= length <= udp.RECEIVE_STRIDE:
            self._drops[DropReason.OVERSIZE] += 1
            return
        first = socket_.buffer[at]
        if 127 < first < 192:
            self._srtp(i, at, length, address, now)
        else:
            self._control(bytes(memoryview(socket_.buffer)[at : at + length]), address, now)

    def _control(self, datagram: bytes, address: bytes, now: float) -> None:
        """Process what is no media."""
        if datagram[0] < 4:
            self._stun(datagram, address, now)
        elif 19 < datagram[0] < 64:
            self._dtls(datagram, address, now)
        else:
            self._drops[DropReason.MALFORMED] += 1

    def _dtls(self, datagram: bytes, address: bytes, now: float) -> None:
        connection = self._by_address.get(address)
        if connection is None or connection.port is None:
            self._drops[DropReason.NO_ICE] += 1
        elif not connection.peer.link.limits.dtls(len(datagram), now):
            self._drops[DropReason.DTLS_RATE] += 1
        elif not connection.port.feed(datagram):
            self._drops[DropReason.DTLS_QUEUE] += 1

    def _srtp(self, i: int, at: int, length: int, address: bytes, now: float) -> None:
        connection = self._by_address.get(address)
        if connection is None or not connection.peer.link.connected:
            self._drops[DropReason.UNKNOWN_SOURCE] += 1
            return
        if length < 12:
            self._drops[DropReason.MALFORMED] += 1
            return
        assert self._socket is not None
        buffer = self._socket.buffer
        peer = connection.peer
        is_rtcp = 192 <= buffer[at + 1] <= 223
        # what exceeds a peer's limits is dropped here, for less than a tenth of what it would cost from here on
        if is_rtcp:
            if not peer.link.limits.rtcp(length, now):
                self._drops[DropReason.RTCP_RATE] += 1
                return
        elif not peer.link.limits.rtp(ssrc := int.from_bytes(buffer[at + 8 : at + 12], "big"), length, now):
            self._drops[DropReason.RTP_RATE] += 1
            self._held[address] = now + _HELD_S, peer.link.limits, ssrc
            return
        unprotect = srtp_lib.srtp_unprotect_rtcp if is_rtcp else srtp_lib.srtp_unprotect
        self._length[0] = length
        status = unprotect(peer.link.inbound, self._receive_pointers[i], self._length)
        if status:
            self._drops[DropReason.UNAUTHENTIC] += 1
            if status == _AUTHENTICATION_FAILED:  # a replay is the peer's own
                peer.link.limits.forged()
            return
        packet = bytes(memoryview(buffer)[at : at + self._length[0]])
        if is_rtcp:
            self._handlers.rtcp(peer, packet, now, rtcp.ntp_time(time.time()))
        else:
            self._handlers.rtp(peer, packet, now)

    def _stun(self, datagram: bytes, address: bytes, now: float) -> None:
        # Other datagrams are dropped unless their source has passed a check, so this keeps strangers out altogether.
        if self._settings.local_only and not self._is_local(address):
            self._drops[DropReason.UNKNOWN_SOURCE] += 1
            return
        try:
            ufrag = scan(datagram)
        except StunError:
            self._drops[DropReason.STUN] += 1
            return
        connection = self._by_ufrag.get(ufrag)
        if connection is None:
            self._drops[DropReason.STUN] += 1
            return
        peer = connection.peer
        holder = self._by_address.get(address)
        if holder is not None and holder is not connection and self._holds(holder.peer, address, now):
            self._drops[DropReason.ICE_ADDRESS] += 1
            return
        outcome, reply = peer.ice.handle(datagram, ufrag, address, udp.unpack_path(address), now)
        if outcome is Check.REFUSED:
            self._drops[DropReason.STUN] += 1
            return
        assert self._socket is not None
        self._socket.send(reply, address)
        if connection.ufrags != peer.ice.ufrags:
            self.add(connection)  # the first check with new credentials ends the previous ones
        if address in peer.ice.addresses:
            self._admit(connection, address)
        if outcome is Check.NOMINATED:
            assert peer.ice.selected is not None
            self._move(peer, peer.ice.selected)
        self.connect(connection)

    def _holds(self, peer: Peer, address: bytes, now: float) -> bool:
        """Return whether a peer uses an address. A stranger who forges the address must not cut off the peer."""
        self.read_consent(peer)
        return peer.link.connected and peer.ice.holds(address, now)

    def _is_local(self, address: bytes) -> bool:
        """Return whether a datagram came from this machine."""
        host = udp.unpack_path(address)[0]
        if host.startswith("127.") or host == "::1" or host in self._own_addresses:
            return True
        # From the very address that it was sent to: one that came to the machine after the start.
        return host == udp.local_host(address)

    def _send_to(self, peer: Peer, datagram: bytes) -> None:
        if self._socket is not None and peer.ice.selected is not None:
            self._socket.send(datagram, peer.ice.selected)

    # --- transports ------------------------------------------------------------------------------------------------

    async def _connect(self, connection: PeerTransport) -> None:
        peer, dtls = connection.peer, connection.dtls
        assert dtls is not None
        assert peer.negotiated.remote is not None
        failure = await dtls.connect(peer.negotiated.remote.fingerprints)
        if connection.removed:
            return
        if failure is not None:
            self._handlers.failed(connection, failure)
            return
        peer.link.inbound = dtls.inbound
        outbound = int(srtp_ffi.cast("uintptr_t", dtls.outbound))
        if self.plane is None:
            self.rows.transports.connect(peer.link.transport, outbound)
            peer.link.send_rtcp = partial(self._send_rtcp, peer, dtls)
        else:
            self._connect_plane(self.plane, connection, outbound)
        peer.link.connected = True
        dtls.on("statechange", partial(self._dtls_changed, connection, dtls))
        self.start_data(connection)
        self._handlers.connected(connection)

    def _connect_plane(self, plane: Plane, connection: PeerTransport, outbound: int) -> None:
        """Let the data plane serve a connection."""
        peer = connection.peer
        link, transport = peer.link, peer.link.transport
        inbound = int(srtp_ffi.cast("uintptr_t", link.inbound))
        plane.connect(transport, inbound, outbound, link.ssrc, self._settings)
        self._by_transport[transport] = connection
        link.send_rtcp = partial(plane.send_rtcp, transport)
        link.make_stream = partial(PlaneStream, plane, transport)
        link.dormant = partial(plane.set_dormant, transport)
        self._update_feedback(peer)
        for address in connection.addresses:
            plane.set_path(address, transport)
        self._answer_checks(peer)

    def _update_feedback(self, peer: Peer) -> None:
        """Let the data plane report the arrivals of a peer's packets as it was last negotiated."""
        if self.plane is not None and peer.link.transport in self._by_transport:
            section = next(iter(peer.negotiated.inbound.values()), None)
            extension = section.transport_sequence_id if section is not None else 0
            self.plane.set_feedback(peer.link.transport, extension, peer.link.feedback.media_ssrc)

    def _answer_checks(self, peer: Peer) -> None:
        """Let the data plane answer a peer's consent checks as it would answer them now."""
        if self.plane is not None and peer.link.transport in self._by_transport:
            self.plane.answer_checks(peer.link.transport, peer.ice.consent_checks)

    def read_consent(self, peer: Peer) -> None:
        """Read from the data plane when it answered the peer's last consent check."""
        if self.plane is not None:
            peer.ice.renew(self.plane.consent_at(peer.link.transport))

    # --- what the data plane punts ---------------------------------------------------------------------------------

    def _punted(self) -> None:
        assert self.plane is not None
        records, serial = self.plane.take()
        run = self._containment.run
        for record in records:
            run("a client", record.at, self._process, record)
        self.rows.flush()
        self.plane.resume(serial)

    def _process(self, record: Record) -> None:
        if record.reason == Punt.DATAGRAM:
            self._control(record.data, record.path, record.at)
            return
        connection = self._by_transport.get(record.transport)
        if connection is None or self.plane is None:
            return  # it was closed since
        peer = connection.peer
        if record.reason == Punt.RTCP:
            waited_s = time.monotonic() - record.at
            self._handlers.rtcp(peer, record.data, record.at, rtcp.ntp_time(time.time() - waited_s))
            estimator = peer.link.downstream.estimator
            if estimator is not None:
                self.plane.sample_reports(record.transport, estimator.sampling)
        else:
            known = bool(peer.link.feedback.media_ssrc)
            process(self.plane, self._handlers.slow_path, peer, record)
            if not known:
                self._update_feedback(peer)

    def _dtls_changed(self, connection: PeerTransport, dtls: DtlsTransport) -> None:
        if dtls.state in {"closed", "failed"}:
            self._handlers.failed(connection, "closed_by_peer")

    def _send_rtcp(self, peer: Peer, dtls: DtlsTransport, packet: bytes) -> None:
        if peer.link.connected and peer.ice.selected is not None and self._socket is not None:
            self._socket.send(dtls.protect_rtcp(packet), peer.ice.selected)


async def _shut(connection: PeerTransport) -> None:
    """End a connection's transports, and remove their references to each other and to the peer.

    In cycles, 70 kB of each would wait for a full collection, which is thousands of peers away.
    """
    channels, dtls, port, task = connection.channels, connection.dtls, connection.port, connection.task
    with contextlib.suppress(Exception):
        if channels is not None:
            channels.stop()
        if dtls is not None:
            await dtls.stop()
    if port is not None:
        port.close()
    if task is not None:
        task.cancel()
    if dtls is not None:
        dtls.remove_all_listeners()
        dtls._data_receiver = None  # noqa: SLF001 - see tests/sfu/test_contract.py
    connection.channels = connection.dtls = connection.port = connection.task = None
    connection.peer.link.send_rtcp = nowhere


def credentials() -> tuple[str, str]:
    """Return new ICE credentials."""
    return secrets.token_hex(_UFRAG_BYTES), secrets.token_hex(_PWD_BYTES)
