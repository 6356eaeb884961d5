"""The facade of the media engine. Nothing else of `sfu` is imported from outside, but its values and settings."""

import asyncio
import contextlib
import logging
import random
import secrets
import time
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import ifaddr
from pylibsrtp._binding import ffi as srtp_ffi
from pylibsrtp._binding import lib as srtp_lib

from sfu import rtcp, udp
from sfu.datachannel import DataChannels
from sfu.dtls import Certificate, DatagramPort, Transport
from sfu.events import (
    Answer,
    CloseReason,
    DataReceived,
    Event,
    PeerClosed,
    PeerConnected,
    Preferences,
    Publication,
    SectionsNeeded,
    UnknownPeerError,
)
from sfu.fanout import ARENA_ROWS, ARENA_STRIDE, Arena, Outbox
from sfu.ice import Check, IceAgent, StunError, scan
from sfu.peer import LocalIdentity, Peer, bound_event, ended_event
from sfu.receive import TransportFeedback
from sfu.router import Drop, Router
from sfu.settings import MediaSettings
from sfu.source import Published
from sfu.subscription import Subscription

logger = logging.getLogger(__name__)

TICK_S = 0.02
IDLE_TICK_S = 0.5
# RFC 8445 section 5.3: at least 24 bits of ufrag and 128 of pwd
_UFRAG_BYTES, _PWD_BYTES = 8, 16
_MAX_DRAINS = 8


class Connection:
    """A peer and its transport: the part with I/O."""

    def __init__(self, peer: Peer) -> None:
        """Not connected yet."""
        self.peer = peer
        self.port: DatagramPort | None = None
        self.dtls: Transport | None = None
        self.channels: DataChannels | None = None
        self.task: asyncio.Task[None] | None = None
        self.pending_data: list[tuple[str, bytes]] = []


class MediaServer:
    """Commands in, events out; all state lives on the event loop that called `start`.

    Commands without a result never raise for an unknown peer or publication: the caller may not have heard yet
    that it is gone. Events are delivered by calling `on_event` from the loop, one at a time, in order.
    """

    def __init__(self, settings: MediaSettings, on_event: Callable[[Event], None]) -> None:
        """Prepare an engine; nothing is opened before `start`."""
        self._settings = settings
        self._on_event = on_event
        self._certificate: Certificate = Certificate.generateCertificate()
        self._arena = Arena()
        self._outbox = Outbox(self._arena, self._protect_and_send)
        self._router = Router(self._outbox, self._emit)
        self._connections: dict[str, Connection] = {}
        self._by_ufrag: dict[str, Connection] = {}
        self._by_address: dict[bytes, Connection] = {}
        self._publications: dict[str, Published] = {}
        self._events: list[Event] = []
        self._socket: udp.MediaSocket | None = None
        self._identity = LocalIdentity(self._certificate.sha256, ())
        self._random = random.SystemRandom()
        base = srtp_ffi.cast("char *", srtp_ffi.from_buffer(self._arena.rows))
        lengths = srtp_ffi.cast("int *", srtp_ffi.from_buffer(self._arena.lengths))
        self._row_pointers = [base + ARENA_STRIDE * i for i in range(ARENA_ROWS)]
        self._length_pointers = [lengths + i for i in range(ARENA_ROWS)]
        self._length = srtp_ffi.new("int *")
        self._timer: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[Any]] = set()

    # --- life ------------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Open the UDP socket. OSError when the port is taken."""
        self._loop = asyncio.get_running_loop()
        self._socket = udp.open_socket(
            self._settings.udp_port, self._arena, portable=self._settings.portable_io
        )
        base = srtp_ffi.cast("char *", srtp_ffi.from_buffer(self._socket.buffer))
        self._receive_pointers = [base + udp.RECEIVE_STRIDE * i for i in range(udp.RECEIVE_BATCH)]
        self._identity = LocalIdentity(
            self._certificate.sha256, candidates(self._settings, self._socket.port)
        )
        self._loop.add_reader(self._socket.fileno(), self._readable)
        self._tick()

    async def stop(self) -> None:
        """Close every peer and the socket."""
        for peer_id in list(self._connections):
            self.close_peer(peer_id)
        if self._timer is not None:
            self._timer.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=2)
        if self._socket is not None:
            self._loop.remove_reader(self._socket.fileno())
            self._socket.close()
            self._socket = None

    @property
    def udp_port(self) -> int:
        """The bound UDP port."""
        assert self._socket is not None
        return self._socket.port

    def _emit(self, event: Event) -> None:
        """Deliver an event after the present call, so that no command runs inside the packet path."""
        if not self._events:
            self._loop.call_soon(self._deliver)
        self._events.append(event)

    def _deliver(self) -> None:
        events, self._events = self._events, []
        for event in events:
            try:
                self._on_event(event)
            except Exception:
                logger.exception("event not handled: %s", type(event).__name__)

    # --- commands --------------------------------------------------------------------------------------------------

    def open_peer(self, peer_id: str, room_id: str) -> None:
        """Make room for one peer connection; subscriptions stay within `room_id`."""
        agent = IceAgent(*_credentials())
        ssrc = self._random.getrandbits(31) | 1
        peer = Peer(peer_id, room_id, agent, TransportFeedback(ssrc), ssrc, str(self._random.getrandbits(62)))
        peer.transport_row = self._outbox.add_transport()
        connection = Connection(peer)
        self._connections[peer_id] = connection
        self._by_ufrag[agent.local_ufrag] = connection

    def close_peer(self, peer_id: str) -> None:
        """End a peer connection, its publications and its subscriptions."""
        connection = self._connections.pop(peer_id, None)
        if connection is None:
            return
        peer, now = connection.peer, time.monotonic()
        for publication_id in list(peer.published):
            self.unpublish(peer_id, publication_id)
        for publication_id in list(peer.subscriptions):
            peer.drop_subscription(publication_id, now)
        peer.connected = False
        for ufrag in peer.ice.ufrags:
            self._by_ufrag.pop(ufrag, None)
        for address in [a for a, c in self._by_address.items() if c is connection]:
            del self._by_address[address]
        self._router.publishers.pop(peer_id, None)
        if not any(c.peer.room_id == peer.room_id for c in self._connections.values()):
            self._router.speakers.pop(peer.room_id, None)
        self._outbox.flush()  # rows may still name the peer's libsrtp session
        self._outbox.remove_transport(peer.transport_row)
        self._spawn(self._shut(connection))

    async def _shut(self, connection: Connection) -> None:
        with contextlib.suppress(Exception):
            if connection.channels is not None:
                await connection.channels.stop()
            if connection.dtls is not None:
                await connection.dtls.stop()
        if connection.port is not None:
            connection.port.close()
        if connection.task is not None:
            connection.task.cancel()

    def _spawn(self, coroutine: Any) -> asyncio.Task[Any]:
        task: asyncio.Task[Any] = self._loop.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def negotiate(self, peer_id: str, offer: str) -> Answer:
        """Apply an offer and answer it. SdpError, UnknownPeerError."""
        connection = self._connections.get(peer_id)
        if connection is None:
            raise UnknownPeerError(peer_id)
        peer = connection.peer
        already = {mid for mid, section in peer.receiving.items() if section.publication is not None}
        answer = peer.negotiate(offer, self._identity, _credentials)
        for ufrag in peer.ice.ufrags:
            self._by_ufrag[ufrag] = connection
        for mid, section in peer.receiving.items():
            if mid not in already and section.publication is not None:
                self._emit(bound_event(peer, mid, section.publication))
        now = time.monotonic()
        for published in peer.ended_publications():
            self._router.forget(published, now)
            self._publications.pop(published.intent.id, None)
            self._emit(ended_event(peer, published))
        for subscription in peer.subscriptions.values():
            self._router.choose(subscription, now)
        self._start_data(connection)
        self._ask_for_sections(peer)
        return answer

    def publish(self, peer_id: str, publication: Publication) -> None:
        """Announce a track the peer will send; binds to a section of this or a later offer."""
        connection = self._connections.get(peer_id)
        if connection is None:
            return
        peer = connection.peer
        published = Published(publication, peer)
        peer.published[publication.id] = published
        self._publications[publication.id] = published
        if peer.offer is not None:
            mid = peer.unbound_section(published)
            if mid is not None and mid in peer.receiving:
                peer.bind(mid, published)
                self._emit(bound_event(peer, mid, published))

    def unpublish(self, peer_id: str, publication_id: str) -> None:
        """Withdraw a publication; its subscriptions end with it."""
        published = self._publications.get(publication_id)
        if published is None or published.owner.id != peer_id:
            return
        del self._publications[publication_id]
        self._router.forget(published, time.monotonic())

    def set_muted(self, publication_id: str, muted: bool) -> None:
        """Stop or resume forwarding to everybody."""
        published = self._publications.get(publication_id)
        if published is None or published.muted == muted:
            return
        published.muted = muted
        now = time.monotonic()
        for subscription in published.subscriptions.values():
            self._router.choose(subscription, now)

    def subscribe(self, peer_id: str, publication_id: str, stream_id: str) -> None:
        """Send a publication to a peer; `stream_id` is the `a=msid` stream, the publication id its track."""
        connection = self._connections.get(peer_id)
        published = self._publications.get(publication_id)
        if connection is None or published is None or published.owner.room_id != connection.peer.room_id:
            return
        peer = connection.peer
        if publication_id in peer.subscriptions:
            return
        bits = self._random.getrandbits
        seed = (bits(31) | 1, bits(31) | 1, bits(15))
        subscription = Subscription(published, peer, stream_id, seed)
        peer.subscriptions[publication_id] = subscription
        published.subscriptions[peer_id] = subscription
        # after the present burst of commands, so that several subscriptions cost one renegotiation
        self._loop.call_soon(self._ask_for_sections, peer)

    def _ask_for_sections(self, peer: Peer) -> None:
        if peer.id not in self._connections or peer.offer is None or peer.sections_requested:
            return
        missing = peer.missing_sections()
        if missing is not None:
            peer.sections_requested = True
            self._emit(SectionsNeeded(peer.id, *missing))

    def unsubscribe(self, peer_id: str, publication_id: str) -> None:
        """Stop sending a publication to a peer; its section becomes free."""
        connection = self._connections.get(peer_id)
        if connection is not None:
            connection.peer.drop_subscription(publication_id, time.monotonic())

    def set_preferences(self, peer_id: str, publication_id: str, preferences: Preferences) -> None:
        """Tell what a subscriber wants of a publication."""
        connection = self._connections.get(peer_id)
        subscription = connection.peer.subscriptions.get(publication_id) if connection is not None else None
        if subscription is not None and subscription.preferences != preferences:
            subscription.preferences = preferences
            self._router.choose(subscription, time.monotonic())

    def send_data(self, peer_ids: Iterable[str], label: str, payload: bytes) -> None:
        """Send one message on each peer's channel `label`; kept a short while for peers still connecting."""
        for peer_id in peer_ids:
            connection = self._connections.get(peer_id)
            if connection is None:
                continue
            if connection.channels is not None:
                connection.channels.send(label, payload)
            elif sum(len(kept) for _, kept in connection.pending_data) < 100_000:
                connection.pending_data.append((label, payload))

    def metrics(self) -> dict[str, float]:
        """Counters and gauges by name (drops by reason, packets, peers)."""
        router = self._router
        values: dict[str, float] = {
            "peers": len(self._connections),
            "peers_connected": sum(c.peer.connected for c in self._connections.values()),
            "publications": len(self._publications),
            "packets_received": router.received_packets,
            "packets_forwarded": router.forwarded_packets,
            "packets_retransmitted": router.retransmitted_packets,
        }
        for reason in Drop:
            values[f"dropped_{reason.value}"] = router.drops[reason]
        return values

    # --- datagrams -------------------------------------------------------------------------------------------------

    def _readable(self) -> None:
        assert self._socket is not None
        for _ in range(_MAX_DRAINS):  # then the loop gets its turn
            count = self._socket.receive()
            if not count:
                break
            now = time.monotonic()
            for i in range(count):
                try:
                    self._datagram(i, self._socket.lengths[i], self._socket.addresses[i], now)
                except Exception:
                    # one client's packet must not end the others' media
                    self._router.drops[Drop.ERROR] += 1
                    logger.exception("datagram dropped")
            self._outbox.flush()
            if count < udp.RECEIVE_BATCH:
                break

    def _datagram(self, i: int, length: int, address: bytes, now: float) -> None:
        """RFC 7983: the first byte tells STUN, DTLS and SRTP apart."""
        socket_ = self._socket
        assert socket_ is not None
        at = i * udp.RECEIVE_STRIDE
        if not 1 <= length <= udp.RECEIVE_STRIDE:
            self._router.drops[Drop.OVERSIZE] += 1
            return
        first = socket_.buffer[at]
        if 127 < first < 192:
            self._srtp(i, at, length, address, now)
        elif first < 4:
            self._stun(bytes(memoryview(socket_.buffer)[at : at + length]), address, now)
        elif 19 < first < 64:
            connection = self._by_address.get(address)
            if connection is None or connection.port is None:
                self._router.drops[Drop.NO_ICE] += 1
            elif not connection.port.feed(bytes(memoryview(socket_.buffer)[at : at + length])):
                self._router.drops[Drop.DTLS_QUEUE] += 1
        else:
            self._router.drops[Drop.MALFORMED] += 1

    def _srtp(self, i: int, at: int, length: int, address: bytes, now: float) -> None:
        connection = self._by_address.get(address)
        if connection is None or not connection.peer.connected:
            self._router.drops[Drop.UNKNOWN_SOURCE] += 1
            return
        if length < 12:
            self._router.drops[Drop.MALFORMED] += 1
            return
        assert self._socket is not None
        buffer = self._socket.buffer
        peer = connection.peer
        is_rtcp = 192 <= buffer[at + 1] <= 223
        unprotect = srtp_lib.srtp_unprotect_rtcp if is_rtcp else srtp_lib.srtp_unprotect
        self._length[0] = length
        if unprotect(peer.inbound, self._receive_pointers[i], self._length):
            self._router.drops[Drop.UNAUTHENTIC] += 1
            return
        packet = bytes(memoryview(buffer)[at : at + self._length[0]])
        if is_rtcp:
            self._router.on_rtcp(peer, packet, now, rtcp.ntp_time(time.time()))
        else:
            self._router.on_rtp(peer, packet, now)

    def _stun(self, datagram: bytes, address: bytes, now: float) -> None:
        try:
            ufrag = scan(datagram)
        except StunError:
            self._router.drops[Drop.STUN] += 1
            return
        connection = self._by_ufrag.get(ufrag)
        if connection is None:
            self._router.drops[Drop.STUN] += 1
            return
        peer = connection.peer
        outcome, reply = peer.ice.handle(datagram, ufrag, address, udp.unpack_sockaddr(address), now)
        if outcome is Check.REFUSED:
            self._router.drops[Drop.STUN] += 1
            return
        assert self._socket is not None
        self._socket.send(reply, address)
        if peer.ice.selected is None:
            return
        self._by_address[address] = connection
        if outcome is Check.NOMINATED:
            for subscription in peer.subscriptions.values():
                subscription.moved(address)
        for known in [
            a for a, c in self._by_address.items() if c is connection and a not in peer.ice.addresses
        ]:
            del self._by_address[known]
        if connection.task is None and peer.offer is not None:
            connection.port = DatagramPort(partial(self._send_to, peer))
            connection.dtls = Transport(connection.port, self._certificate)
            connection.task = self._spawn(self._connect(connection))

    def _send_to(self, peer: Peer, datagram: bytes) -> None:
        if self._socket is not None and peer.ice.selected is not None:
            self._socket.send(datagram, peer.ice.selected)

    # --- transports --------------------------------------------------------------------------------------------------

    async def _connect(self, connection: Connection) -> None:
        peer, dtls = connection.peer, connection.dtls
        assert dtls is not None
        assert peer.offer is not None
        failure = await dtls.connect(peer.offer.fingerprints)
        if peer.id not in self._connections:
            return
        if failure is not None:
            self._fail(peer.id, failure)
            return
        peer.inbound, peer.outbound = dtls.inbound, dtls.outbound
        peer.send_rtcp = partial(self._send_rtcp, peer, dtls)
        peer.connected = True
        dtls.on("statechange", partial(self._dtls_changed, peer.id, dtls))
        self._start_data(connection)
        self._emit(PeerConnected(peer.id))
        now = time.monotonic()
        for subscription in peer.subscriptions.values():
            self._router.choose(subscription, now)

    def _dtls_changed(self, peer_id: str, dtls: Transport) -> None:
        if dtls.state in {"closed", "failed"}:
            self._fail(peer_id, "closed_by_peer")

    def _start_data(self, connection: Connection) -> None:
        peer = connection.peer
        if connection.channels is not None or peer.sctp is None or not peer.connected:
            return
        assert connection.dtls is not None
        connection.channels = DataChannels(
            connection.dtls,
            lambda label, payload: self._emit(DataReceived(peer.id, label, payload)),
            lambda reason: self._fail(peer.id, reason),
        )
        for label, payload in connection.pending_data:
            connection.channels.send(label, payload)
        connection.pending_data.clear()
        self._spawn(connection.channels.start(*peer.sctp))

    def _send_rtcp(self, peer: Peer, dtls: Transport, packet: bytes) -> None:
        if peer.connected and peer.ice.selected is not None and self._socket is not None:
            self._socket.send(dtls.protect_rtcp(packet), peer.ice.selected)

    def _fail(self, peer_id: str, reason: CloseReason) -> None:
        """End a peer that broke, and tell."""
        if peer_id in self._connections:
            self.close_peer(peer_id)
            self._emit(PeerClosed(peer_id, reason))

    def _protect_and_send(self, count: int, srtp: list[Any]) -> None:
        protect = srtp_lib.srtp_protect
        failed = sum(map(bool, map(protect, srtp, self._row_pointers[:count], self._length_pointers[:count])))
        if failed:
            self._router.drops[Drop.NOT_PROTECTED] += failed
        assert self._socket is not None
        sent = self._socket.send_rows(count)
        if sent < count:
            self._router.drops[Drop.NOT_SENT] += count - sent

    # --- time --------------------------------------------------------------------------------------------------------

    def _tick(self) -> None:
        now = time.monotonic()
        try:
            self._router.tick(now)
            self._outbox.flush()
            for connection in [c for c in self._connections.values() if c.peer.ice.expired(now)]:
                self._fail(connection.peer.id, "consent_expired")
        except Exception:
            self._router.drops[Drop.ERROR] += 1
            logger.exception("tick failed")
        self._timer = self._loop.call_later(TICK_S if self._router.publishers else IDLE_TICK_S, self._tick)


def _credentials() -> tuple[str, str]:
    return secrets.token_hex(_UFRAG_BYTES), secrets.token_hex(_PWD_BYTES)


def candidates(settings: MediaSettings, port: int) -> tuple[str, ...]:
    """Host candidate lines (RFC 8839 section 5.1), best first."""
    hosts = [settings.external_ip] if settings.external_ip else local_addresses()
    if settings.announce_loopback:
        hosts.append("127.0.0.1")
    lines = []
    for i, host in enumerate(hosts):
        # RFC 8445 section 5.1.2: type preference 126 (host), then our order
        priority = 126 << 24 | (65535 - i) << 8 | 255
        lines.append(f"candidate:{i + 1} 1 udp {priority} {host} {port} typ host")
    return tuple(lines)


def local_addresses() -> list[str]:
    """The machine's own addresses without loopback and link-local ones, IPv4 first."""
    found = []
    for adapter in ifaddr.get_adapters():
        for entry in adapter.ips:
            host = entry.ip if isinstance(entry.ip, str) else entry.ip[0]
            if not host.startswith(("127.", "fe80:")) and host != "::1":
                found.append((entry.is_IPv6, host))
    return [host for _, host in sorted(found)]
