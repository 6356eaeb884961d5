"""An engine without I/O: its peers, the router between them, and its deadlines.

The shell brings packets (`router.on_rtp`, `reports.on_rtcp`) and the time (`deadlines.run_due`).
"""

from collections import Counter
from collections.abc import Callable, Collection

from sfu.drops import DropReason
from sfu.engine.adaptation.backup import unlink
from sfu.engine.context import Context
from sfu.engine.deadlines import Reason
from sfu.engine.delivery import Delivery
from sfu.engine.peers.peer import Peer
from sfu.engine.peers.publication import Publication
from sfu.engine.reports import Reports
from sfu.engine.router import Router
from sfu.engine.slow_path import SlowPath
from sfu.engine.speaking import Speaking
from sfu.engine.taps import Taps
from sfu.fanout.row_buffer import RowBuffer
from sfu.values import Event, RoomId


class Core:
    """Connects the parts of an engine, and removes peers and publications from all of them."""

    def __init__(
        self, rows: RowBuffer, emit: Callable[[Event], None], drops: Counter[DropReason] | None = None
    ) -> None:
        """`emit` receives events; it must not call back. `drops` may be shared with other counters."""
        self._context = context = Context(rows, emit, Counter() if drops is None else drops)
        self.drops = context.drops
        self.peers = context.peers
        "By id."
        self.containment = context.containment
        self.deadlines = context.deadlines
        self.speaking = Speaking(context)
        self.delivery = Delivery(context, self.speaking)
        self.bandwidth = self.delivery.bandwidth
        self.taps = Taps(context, self.delivery)
        self.reports = Reports(context, self.delivery, self.taps)
        self.router = Router(context, self.delivery, self.reports, self.speaking, self.taps)
        self.slow_path = SlowPath(context, self.router, self.speaking)

    def remove_peer(self, peer: Peer, now: float) -> None:
        """End a peer's publications and subscriptions, and remove the peer."""
        for published in list(peer.published.values()):
            self.remove_publication(published, now)
        for publication_id in list(peer.subscriptions):
            peer.unsubscribe(publication_id, now)
        self.router.end_duties(peer)
        self.deadlines.cancel(peer, Reason.FEEDBACK)
        del self.peers[peer.id]
        for room_id in peer.rooms:
            self.remove_empty_room(room_id)

    def remove_empty_room(self, room_id: RoomId) -> None:
        """Remove the speakers of a room if it is empty."""
        if not any(peer.room_id == room_id for peer in self.peers.values()):
            self.speaking.remove_room(room_id)

    def remove_publication(self, published: Publication, now: float) -> None:
        """Remove a publication from the packet path and end its subscriptions."""
        peer = self.peers[published.owner.connection_id]
        unlink(published, now)
        self.end_subscriptions(published, now)
        for stream in published.layers.values():
            self.deadlines.cancel(stream, Reason.NACK)
            self.deadlines.cancel(stream, Reason.KEYFRAME)
        peer.unpublish(published)
        if not peer.streams:
            self.router.end_duties(peer)

    def end_subscriptions(self, published: Publication, now: float, rooms: Collection[RoomId] = ()) -> None:
        """End a publication's subscriptions, recordings and speaking in these rooms, or in all rooms of its owner."""
        rooms = rooms or self.peers[published.owner.connection_id].rooms
        for subscription in list(published.subscriptions.values()):
            subscriber = self.peers[subscription.subscriber.connection_id]
            if subscriber.room_id in rooms:
                subscriber.unsubscribe(subscription.publication_id, now)
        self.taps.ended(published, rooms, now)
        if published.spec.kind == "audio":
            for room_id in rooms:
                self.speaking.remove(room_id, published.spec.id, now)
