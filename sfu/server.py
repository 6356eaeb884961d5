"""The facade of the media engine. Nothing else of `sfu` is imported from outside, but its values and settings."""

from collections.abc import Callable, Iterable

from sfu.events import Answer, Event, Preferences, Publication
from sfu.settings import MediaSettings


class MediaServer:
    """Commands in, events out; all state lives on the event loop that called `start`.

    Commands without a result never raise for an unknown peer or publication: the caller may not have heard yet
    that it is gone. Events are delivered by calling `on_event` from the loop, one at a time, in order.
    """

    def __init__(self, settings: MediaSettings, on_event: Callable[[Event], None]) -> None:
        """Prepare an engine; nothing is opened before `start`."""

    async def start(self) -> None:
        """Open the UDP socket. OSError when the port is taken."""

    async def stop(self) -> None:
        """Close every peer and the socket."""

    @property
    def udp_port(self) -> int:
        """The bound UDP port."""
        raise NotImplementedError

    def open_peer(self, peer_id: str, room_id: str) -> None:
        """Make room for one peer connection; subscriptions stay within `room_id`."""

    def close_peer(self, peer_id: str) -> None:
        """End a peer connection, its publications and its subscriptions."""

    async def negotiate(self, peer_id: str, offer: str) -> Answer:
        """Apply an offer and answer it. SdpError, UnknownPeerError."""
        raise NotImplementedError

    def publish(self, peer_id: str, publication: Publication) -> None:
        """Announce a track the peer will send; binds to a section of this or a later offer."""

    def unpublish(self, peer_id: str, publication_id: str) -> None:
        """Withdraw a publication; its subscriptions end with it."""

    def set_muted(self, publication_id: str, muted: bool) -> None:
        """Stop or resume forwarding to everybody."""

    def subscribe(self, peer_id: str, publication_id: str, stream_id: str) -> None:
        """Send a publication to a peer; `stream_id` is the `a=msid` stream, the publication id its track."""

    def unsubscribe(self, peer_id: str, publication_id: str) -> None:
        """Stop sending a publication to a peer; its section becomes free."""

    def set_preferences(self, peer_id: str, publication_id: str, preferences: Preferences) -> None:
        """Tell what a subscriber wants of a publication."""

    def send_data(self, peer_ids: Iterable[str], label: str, payload: bytes) -> None:
        """Send one message on each peer's channel `label`; kept a short while for peers still connecting."""

    def metrics(self) -> dict[str, float]:
        """Counters and gauges by name (drops by reason, packets, peers)."""
        raise NotImplementedError
