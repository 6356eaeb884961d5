"""The media engine in this process, behind the facade's interface."""

import asyncio
import logging
import random
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial

from sfu.drops import DropReason
from sfu.engine.adaptation import backup
from sfu.engine.containment import faults_as_engine_errors
from sfu.engine.core import Core
from sfu.engine.deadlines import Reason
from sfu.engine.peers.link import ConnectionId, Link, downstream, peer_of, upstream
from sfu.engine.peers.peer import Negotiation, Peer
from sfu.engine.peers.publication import Publication, Subscription
from sfu.limits import CLOSED_AFTER_S, MUTED_AFTER_S, TOLERATED_EXCESS
from sfu.receiving import quality
from sfu.session.ice import CONSENT_TIMEOUT_S, IceAgent
from sfu.session.negotiated import Negotiated
from sfu.session.server_offers import ServerOffers
from sfu.settings import MediaSettings
from sfu.shell.endpoint import Handlers, MediaEndpoint, PeerTransport, credentials
from sfu.shell.recordings import Recordings
from sfu.values import (
    COMMON_TRAITS,
    Answer,
    BandwidthExplanation,
    Channel,
    CloseReason,
    DataReceived,
    DataRefused,
    Event,
    Mid,
    OfferNeeded,
    PeerClosed,
    PeerConnected,
    PeerId,
    Preferences,
    PublicationEnded,
    PublicationId,
    PublicationMuted,
    PublicationSpec,
    ReceiverTraits,
    RecordedTrack,
    RecordingId,
    RoomId,
    SectionsNeeded,
    UnknownPeerError,
)
from sfu.wire.sdp import RemoteDescription, parse_offer_in_steps

logger = logging.getLogger(__name__)

# Deadlines of many peers lie close together: one turn of the loop serves those of so long.
MIN_WAKE_INTERVAL_S = 0.01
_WAKES_LOGGED_S = 60.0
# Consent expires after its time, not at it.
_CONSENT_SLACK_S = 0.001
# For a client that `loses_early_media` to apply an answer: Firefox assigns an unknown SSRC to some section, and never
# decodes the track then (seen once in twenty times without this). The client's preferences for the track end the wait.
SETTLING_S = 0.2
# Changes of what viewers want, and of what is muted, are gathered for so long: each costs as much as sharing out a
# viewer's bandwidth, and a client may send fifty in a second, for each of its tracks.
SHARING_DELAY_S = 0.02
_FLOOD_INTERVAL_S = 1.0
# The longest that reading a description keeps media waiting at a time.
_PARSING_S = 0.003


class MediaServer:
    """Commands in, events out; all state lives on the event loop that called `start`.

    Commands without a result never raise for an unknown peer or publication: the caller may not have heard yet
    that it is gone. Events are delivered by calling `on_event` from the loop, one at a time, in order.

    A peer has one connection, on which it makes the offers, or two: there it publishes on the first, and on the
    second, whose offers are the server's, it receives (LiveKit's dual-connection mode).
    """

    def __init__(
        self,
        settings: MediaSettings,
        on_event: Callable[[Event], None],
        data_busy: Callable[[], bool] = lambda: False,
    ) -> None:
        """Create an engine; `start` opens its socket. While `data_busy()`, received messages wait."""
        self._on_event = on_event
        self._settings = settings
        self._data_busy = data_busy
        drops: Counter[DropReason] = Counter()
        self._endpoint = MediaEndpoint(settings, drops)
        self._core = Core(self._endpoint.rows, self._emit, drops)
        self._contain = self._core.containment.run
        self._deadlines = self._core.deadlines
        self._deadlines.on_earlier = self._wake_in_time
        self._connections: dict[ConnectionId, PeerTransport] = {}
        self._publications: dict[PublicationId, Publication] = {}
        self._recordings = Recordings(settings, self._core.taps, self._publications, self._emit)
        self._events: list[Event] = []
        self._random = random.SystemRandom()
        self._timer: asyncio.TimerHandle | None = None
        self._loop_runs = False
        self._woke_at = 0.0
        self._wakes: Counter[Reason] = Counter()
        self._wakes_logged_at = time.monotonic()
        self._to_share: set[ConnectionId] = set()

    # --- life ------------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Open the UDP socket. OSError if the port is in use."""
        self._loop = asyncio.get_running_loop()
        self._endpoint.start(
            Handlers(
                rtp=self._core.router.on_rtp,
                rtcp=self._core.reports.on_rtcp,
                slow_path=self._core.slow_path,
                connected=self._connected,
                failed=self._failed,
                message=lambda peer, label, payload: self._emit(DataReceived(peer.id, label, payload)),
                refused=lambda peer, label, flow: self._emit(DataRefused(peer.id, label, flow)),
                data_busy=self._data_busy,
            )
        )
        self._loop_runs = True
        self._wake_in_time()

    async def stop(self) -> None:
        """Close every peer and the socket."""
        for connection_id in list(self._connections):
            self._close(connection_id)
        self._loop_runs = False
        if self._timer is not None:
            self._timer.cancel()
        await self._recordings.stop()
        await self._endpoint.stop()

    @property
    def udp_port(self) -> int:
        """The bound UDP port."""
        return self._endpoint.udp_port

    def _emit(self, event: Event) -> None:
        """Deliver an event after the current call, so that no command runs inside the packet path."""
        connection_id: ConnectionId | None = getattr(event, "peer_id", None)
        if connection_id is not None and peer_of(connection_id) != connection_id:
            event = replace(event, peer_id=peer_of(connection_id))  # type: ignore[arg-type]  # it has one
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

    def open_peer(
        self,
        peer_id: PeerId,
        room_id: RoomId,
        *,
        dual: bool = False,
        channels: tuple[Channel, ...] = (),
        traits: ReceiverTraits = COMMON_TRAITS,
    ) -> None:
        """Create a peer; its subscriptions stay within `room_id`.

        With `dual`, it has a second connection, on which it receives and the server opens `channels`: see `offer`.
        """
        self._open(upstream(peer_id), room_id).traits = traits
        if dual:
            receiver = self._open(downstream(peer_id), room_id)
            receiver.traits = traits
            receiver.negotiated.offering, receiver.channels = ServerOffers(), channels

    def _open(self, connection_id: ConnectionId, room_id: RoomId) -> Peer:
        ssrc, transport = self._random.getrandbits(31) | 1, self._endpoint.rows.transports.add()
        peer = Peer(
            connection_id,
            room_id,
            IceAgent(*credentials()),
            Link(connection_id, ssrc, self._endpoint.make_limits(transport), transport),
            Negotiated(str(self._random.getrandbits(62))),
        )
        self._core.peers[connection_id] = peer
        connection = self._connections[connection_id] = PeerTransport(peer)
        self._endpoint.add(connection)
        now = time.monotonic()
        self._expect_consent(connection, now)
        if not self._deadlines.is_set(self, Reason.FLOOD):
            for reason, check, every_s in (
                (Reason.QUALITY, self._check_quality, quality.INTERVAL_S),
                (Reason.FLOOD, self._check_flood, _FLOOD_INTERVAL_S),
            ):
                duty = partial(self._check_all, check)
                self._deadlines.set(self, reason, now + every_s, duty, every_s=every_s)
        return peer

    def move_peer(self, peer_id: PeerId, room_id: RoomId) -> None:
        """Move a peer and its publications to another room; subscriptions between the rooms end."""
        now = time.monotonic()
        for connection_id in (upstream(peer_id), downstream(peer_id)):
            connection = self._connections.get(connection_id)
            if connection is None:
                continue
            peer = connection.peer
            for publication_id in list(peer.subscriptions):
                peer.unsubscribe(publication_id, now)
            for published in peer.published.values():
                self._core.end_subscriptions(published, now)
            peer.room_id = room_id
            peer.forwarded_to.clear()
            if peer.negotiated.offering is not None:
                self._loop.call_soon(self._ask_for_sections, peer)

    def forward_peer(self, peer_id: PeerId, room_id: RoomId) -> bool:
        """Let a peer's publications, also later ones, be received in another room; return whether that is possible."""
        connection = self._connections.get(upstream(peer_id))
        if connection is not None and room_id != connection.peer.room_id:
            connection.peer.forwarded_to.add(room_id)
        return connection is not None

    def stop_forwarding(self, peer_id: PeerId, room_id: RoomId) -> None:
        """End the forwarding of a peer's publications to another room."""
        connection = self._connections.get(upstream(peer_id))
        if connection is None or room_id not in connection.peer.forwarded_to:
            return
        for published in connection.peer.published.values():
            self._core.end_subscriptions(published, time.monotonic(), (room_id,))
        connection.peer.forwarded_to.remove(room_id)
        self._core.remove_empty_room(room_id)

    def close_peer(self, peer_id: PeerId) -> None:
        """End a peer's connections, its publications and its subscriptions."""
        self._close(downstream(peer_id))
        self._close(upstream(peer_id))

    def _close(self, connection_id: ConnectionId) -> None:
        connection = self._connections.pop(connection_id, None)
        if connection is None:
            return
        peer = connection.peer
        for publication_id, published in peer.published.items():
            if self._publications.get(publication_id) is published:
                del self._publications[publication_id]
        self._core.remove_peer(peer, time.monotonic())
        self._deadlines.cancel(connection, Reason.CONSENT)
        if not self._connections:
            self._deadlines.cancel(self, Reason.QUALITY)
            self._deadlines.cancel(self, Reason.FLOOD)
        self._endpoint.remove(connection)

    def _receiver(self, peer_id: PeerId) -> PeerTransport | None:
        """Return the connection on which a peer receives."""
        return self._connections.get(downstream(peer_id)) or self._connections.get(upstream(peer_id))

    async def offer(self, peer_id: PeerId, *, restart: bool = False) -> str:
        """Make the next offer on a peer's downstream connection, optionally with an ICE restart. UnknownPeerError.

        It has to be answered before the next one is made; `OfferNeeded` tells when there is something to offer.
        """
        connection = self._connections.get(downstream(peer_id))
        if connection is None:
            raise UnknownPeerError(peer_id)
        with faults_as_engine_errors():
            description = connection.peer.make_offer(
                self._endpoint.identity, credentials() if restart else None
            )
        self._endpoint.add(connection)
        return description

    async def answer(self, peer_id: PeerId, answer: str) -> dict[Mid, PublicationId]:
        """Apply the client's answer to the last offer; return mid -> publication. SdpError, UnknownPeerError."""
        connection = self._connections.get(downstream(peer_id))
        if connection is None:
            raise UnknownPeerError(peer_id)
        with faults_as_engine_errors():
            description = await self._parsed(connection, answer)
            subscribed = connection.peer.take_answer(description)
        self._contain(connection.peer.id, time.monotonic(), self._negotiated, connection)
        return subscribed

    async def negotiate(self, peer_id: PeerId, offer: str) -> Answer:
        """Apply an offer and answer it. SdpError, UnknownPeerError, EngineError."""
        connection = self._connections.get(upstream(peer_id))
        if connection is None:
            raise UnknownPeerError(peer_id)
        peer = connection.peer
        with faults_as_engine_errors():
            description = await self._parsed(connection, offer)
        with faults_as_engine_errors():
            negotiation = peer.negotiate(description, self._endpoint.identity, credentials)
        self._endpoint.add(connection)
        # the answer stands, whatever fails from here on
        self._contain(peer.id, time.monotonic(), self._take_up, connection, negotiation)
        return negotiation.answer

    async def _parsed(self, connection: PeerTransport, text: str) -> RemoteDescription:
        """Parse a client's description in steps, so that media does not wait. SdpError, UnknownPeerError."""
        steps, pause_at = parse_offer_in_steps(text), time.monotonic() + _PARSING_S
        while True:
            try:
                next(steps)
            except StopIteration as end:
                if self._connections.get(connection.peer.id) is not connection:
                    raise UnknownPeerError(connection.peer.id) from None  # closed in a pause
                offer: RemoteDescription = end.value
                return offer
            if time.monotonic() >= pause_at:
                await asyncio.sleep(0)
                pause_at = time.monotonic() + _PARSING_S

    def _take_up(self, connection: PeerTransport, negotiation: Negotiation) -> None:
        """Act on an offer that has been answered."""
        peer = connection.peer
        for event in negotiation.bound:
            self._emit(event)
        now = time.monotonic()
        for publication_id in negotiation.ended:
            self._core.remove_publication(peer.published[publication_id], now)
            self._publications.pop(publication_id, None)
            self._emit(PublicationEnded(peer.id, publication_id))
        self._negotiated(connection)

    def _negotiated(self, connection: PeerTransport) -> None:
        now = time.monotonic()
        self._contain(connection.peer.id, now, self._core.delivery.reallocate, connection.peer, now)
        settling = [s for s in connection.peer.subscriptions.values() if s.settling]
        if settling:
            self._loop.call_later(SETTLING_S, self._settled, connection.peer, settling)
        self._endpoint.connect(connection)
        self._endpoint.start_data(connection)
        self._ask_for_sections(connection.peer)

    def _settled(self, peer: Peer, subscriptions: list[Subscription]) -> None:
        for subscription in subscriptions:
            subscription.settling = False
        self._share_soon(peer.id)

    def _share_soon(self, connection_id: ConnectionId) -> None:
        """Allocate a peer's bandwidth again, once for all changes within a short time."""
        if connection_id not in self._to_share:
            self._to_share.add(connection_id)
            self._loop.call_later(SHARING_DELAY_S, self._share_now, connection_id)

    def _share_now(self, connection_id: ConnectionId) -> None:
        self._to_share.discard(connection_id)
        connection, now = self._connections.get(connection_id), time.monotonic()
        if connection is not None:
            self._contain(connection_id, now, self._core.delivery.reallocate, connection.peer, now)

    def publish(self, peer_id: PeerId, publication: PublicationSpec) -> None:
        """Announce a track that the peer will send; it is bound to a section of this or a later offer."""
        connection = self._connections.get(upstream(peer_id))
        if connection is None:
            return
        peer = connection.peer
        published = Publication(publication, peer.link)
        primary = self._publications.get(publication.backup_of) if publication.backup_of else None
        if primary is not None and primary.owner is peer.link:
            backup.link(published, primary)
        self._publications[publication.id] = published
        bound = peer.publish(published)
        if bound is not None:
            self._emit(bound)

    def unpublish(self, peer_id: PeerId, publication_id: PublicationId) -> None:
        """End a publication and its subscriptions."""
        published = self._publications.get(publication_id)
        if published is None or published.owner.connection_id != peer_id:
            return
        del self._publications[publication_id]
        self._core.remove_publication(published, time.monotonic())

    def set_muted(self, publication_id: PublicationId, muted: bool) -> None:
        """Stop or resume the forwarding of a publication."""
        published = self._publications.get(publication_id)
        if published is None or published.muted == muted:
            return
        published.set_muted(muted)
        self._core.taps.muted(published, time.monotonic())
        for subscriber_id in published.subscriptions:
            self._share_soon(subscriber_id)

    def subscribe(self, peer_id: PeerId, publication_id: PublicationId, stream_id: str) -> None:
        """Send a publication to a peer; `stream_id` is the `a=msid` stream, the publication id its track."""
        connection = self._receiver(peer_id)
        published = self._publications.get(publication_id)
        if connection is None or published is None:
            return
        peer, rooms = connection.peer, self._core.peers[published.owner.connection_id].rooms
        if peer.room_id not in rooms or publication_id in peer.subscriptions:
            return
        bits = self._random.getrandbits
        peer.subscribe(published, stream_id, (bits(31) | 1, bits(31) | 1, bits(15)))
        # after the present burst of commands, so that several subscriptions cost one renegotiation
        self._loop.call_soon(self._ask_for_sections, peer)

    def _ask_for_sections(self, peer: Peer) -> None:
        negotiated = peer.negotiated
        if peer.id not in self._connections or negotiated.remote is None or negotiated.sections_requested:
            return
        missing = peer.missing_sections()
        if missing is not None:
            negotiated.sections_requested = True
            self._emit(OfferNeeded(peer.id) if negotiated.offering else SectionsNeeded(peer.id, *missing))

    def unsubscribe(self, peer_id: PeerId, publication_id: PublicationId) -> None:
        """Stop sending a publication to a peer; its section becomes idle."""
        connection = self._receiver(peer_id)
        if connection is not None:
            connection.peer.unsubscribe(publication_id, time.monotonic())
            if connection.peer.negotiated.offering is not None:
                self._loop.call_soon(self._ask_for_sections, connection.peer)

    def set_preferences(
        self, peer_id: PeerId, publication_id: PublicationId, preferences: Preferences
    ) -> None:
        """Set a subscriber's preferences for a publication."""
        connection = self._receiver(peer_id)
        subscription = connection.peer.subscriptions.get(publication_id) if connection is not None else None
        if subscription is not None and (subscription.preferences != preferences or subscription.settling):
            subscription.preferences = preferences
            subscription.settling = False  # the client knows the track, so it has applied the answer
            self._share_soon(subscription.subscriber.connection_id)

    def send_data(self, peer_ids: Iterable[PeerId], label: str, payload: bytes, *, flow: str = "") -> None:
        """Send one message on each peer's channel `label`; it is kept briefly for peers that are still connecting.

        Messages of one `flow` are of use only together. A peer that reads too slowly for what is sent reliably loses
        the flow of which most waits for it, with a `DataRefused`.
        """
        for peer_id in peer_ids:
            connection = self._receiver(peer_id)
            if connection is not None:
                connection.send_data(label, payload, flow)

    def start_recording(self, recording_id: RecordingId, room_id: RoomId, key: bytes) -> None:
        """Begin or continue a recording of a room, without tracks; `RecordingStopped` is emitted at its end.

        `key`, 32 octets, encrypts the recording's files; empty: they are not encrypted.
        """
        self._recordings.start(recording_id, room_id, key)

    def record_track(
        self, recording_id: RecordingId, publication_id: PublicationId, track: RecordedTrack
    ) -> None:
        """Record a publication of the room; `TrackNotRecorded` is emitted if that is not possible."""
        self._recordings.record(recording_id, publication_id, track)

    def stop_recording_track(self, recording_id: RecordingId, publication_id: PublicationId) -> None:
        """Stop recording a publication."""
        self._recordings.leave(recording_id, publication_id)

    def pause_recording(self, recording_id: RecordingId, paused: bool) -> None:
        """Pause or resume a recording."""
        self._recordings.pause(recording_id, paused)

    def stop_recording(self, recording_id: RecordingId) -> None:
        """End a recording."""
        self._recordings.stop_recording(recording_id)

    async def explain(self, peer_id: PeerId) -> BandwidthExplanation:
        """Return an explanation of a peer's layers. UnknownPeerError."""
        connection = self._receiver(peer_id)
        if connection is None:
            raise UnknownPeerError(peer_id)
        published = self._connections[upstream(peer_id)].peer.describe_streams()
        return replace(self._core.delivery.explain(connection.peer, time.monotonic()), published=published)

    def metrics(self) -> dict[str, float]:
        """Return counters and gauges by name (drops by reason, packets, peers)."""
        core, router = self._core, self._core.router
        received, forwarded, plane = self._endpoint.counters()
        values: dict[str, float] = {
            "peers": sum(c.peer.negotiated.offering is None for c in self._connections.values()),
            "connections": len(self._connections),
            "connections_up": sum(c.peer.link.connected for c in self._connections.values()),
            "publications": len(self._publications),
            "packets_received": router.received_packets + received,
            "packets_forwarded": router.forwarded_packets + forwarded,
            "packets_retransmitted": core.reports.retransmitted_packets,
            "packets_replayed": core.delivery.replayed_packets,
            "packets_padding": core.bandwidth.padding_packets,
            **self._recordings.metrics(),
            **plane,
        }
        return values | {f"dropped_{reason.value}": core.drops[reason] for reason in DropReason}

    def worker_metrics(self) -> list[dict[str, float]]:
        """Return `metrics` of each worker process, which is this one."""
        return [self.metrics()]

    # --- what the endpoint tells -----------------------------------------------------------------------------------

    def _connected(self, connection: PeerTransport) -> None:
        now = time.monotonic()
        self._emit(PeerConnected(connection.peer.id))
        self._contain(connection.peer.id, now, self._core.delivery.reallocate, connection.peer, now)

    def _failed(self, connection: PeerTransport, reason: CloseReason) -> None:
        """Close a peer whose connection failed, and emit an event."""
        connection_id = connection.peer.id
        if self._connections.get(connection_id) is connection:
            self.close_peer(peer_of(connection_id))
            self._emit(PeerClosed(connection_id, reason))

    # --- time ------------------------------------------------------------------------------------------------------

    def _wake_in_time(self) -> None:
        """Set the timer for the next deadline; deadlines within a few milliseconds share one wake-up."""
        at = self._deadlines.next_at
        if at is None or not self._loop_runs:
            return
        at = max(at, self._woke_at + MIN_WAKE_INTERVAL_S)
        if self._timer is not None:
            if self._timer.when() <= at:
                return
            self._timer.cancel()
        self._timer = self._loop.call_at(at, self._wake)

    def _wake(self) -> None:
        self._timer = None
        self._woke_at = now = time.monotonic()
        reasons = self._deadlines.run_due(now)
        self._endpoint.rows.flush()
        if self._settings.log_wakes:
            self._log_wakes(reasons, now)
        self._wake_in_time()

    def _log_wakes(self, reasons: list[Reason], now: float) -> None:
        """Count why the engine woke, and log it once a minute."""
        self._wakes.update(reasons)
        if now >= self._wakes_logged_at + _WAKES_LOGGED_S:
            counts = ", ".join(f"{reason.value} ({count})" for reason, count in self._wakes.most_common())
            logger.info("in the last minute, the engine woke for: %s", counts)
            self._wakes.clear()
            self._wakes_logged_at = now

    def _check_consent(self, connection: PeerTransport, now: float) -> None:
        """Close a peer whose consent has expired (RFC 7675); check again when the present consent expires."""
        self._endpoint.read_consent(connection.peer)
        ice = connection.peer.ice
        if ice.expired(now):
            self._failed(connection, "consent_expired")
        else:
            self._expect_consent(connection, now if ice.consent_at is None else ice.consent_at)

    def _expect_consent(self, connection: PeerTransport, since: float) -> None:
        duty = partial(self._check_consent, connection)
        at = since + CONSENT_TIMEOUT_S + _CONSENT_SLACK_S
        self._deadlines.set(connection, Reason.CONSENT, at, duty)

    def _check_all(self, check: Callable[[PeerTransport, float], None], now: float) -> None:
        self._core.containment.each(now, check, self._connections.values())

    def _check_quality(self, connection: PeerTransport, _now: float) -> None:
        self._core.reports.check_quality(connection.peer)

    def _check_flood(self, connection: PeerTransport, _now: float) -> None:
        """Mute publications that flood, and close a peer that continues."""
        peer = connection.peer
        excess = peer.link.limits.close_second()
        if peer.link.limits.flooded_s >= CLOSED_AFTER_S:
            logger.warning("%s is closed: it has exceeded its limits for %d s", peer.id, CLOSED_AFTER_S)
            self._failed(connection, "flood")
        elif peer.link.limits.flooded_s >= MUTED_AFTER_S:
            streams = {ssrc: peer.streams.get(ssrc) for ssrc in excess}
            flooding = {
                stream.published.spec.id
                for ssrc, stream in streams.items()
                if stream is not None and excess[ssrc] > TOLERATED_EXCESS
            }
            for publication_id in flooding:
                self._mute_flood(peer, publication_id)

    def _mute_flood(self, peer: Peer, publication_id: PublicationId) -> None:
        published = self._publications.get(publication_id)
        if published is not None and not published.muted:
            logger.warning("%s of %s is muted: it exceeds the limits", publication_id, peer.id)
            self.set_muted(publication_id, True)
            self._emit(PublicationMuted(peer.id, publication_id))
