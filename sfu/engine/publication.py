"""A publication with its streams and its subscriptions."""

from typing import TYPE_CHECKING

from sfu.receiving.liveness import LAYER_DEAD_S, SCREEN_LAYER_DEAD_S
from sfu.values import Publication
from sfu.wire.points import Point

if TYPE_CHECKING:
    from sfu.engine.peer import Peer
    from sfu.forwarding.subscription import Subscription
    from sfu.session.sections import ReceiveSection
from sfu.receiving.stream import SourceLayer


class Published:
    """A publication with its subscriptions."""

    def __init__(self, intent: Publication, owner: "Peer") -> None:
        """`owner` is the peer that sends it."""
        self.intent = intent
        self.owner = owner
        self.section: ReceiveSection | None = None
        self.layers: dict[int, SourceLayer] = {}
        "By spatial layer; those seen so far."
        self.subscriptions: dict[str, Subscription] = {}
        "By subscriber."
        self.muted = intent.muted
        self.codec = ""
        "What is sent; empty before it is."
        self.backup: Published | None = None
        "The same track in another codec."
        self.primary: Published | None = None
        "The publication whose backup this is."
        self.bitrates: tuple[float, dict[Point, int]] = (0.0, {})
        "When `sharing` last looked at what each live layer costs, and what it found."

    def stream(self, spatial: int) -> SourceLayer:
        """The stream that carries a spatial layer which has been seen."""
        return self.layers[max(base for base in self.layers if base <= spatial)]

    def bitrates_bps(self, now: float) -> dict[Point, int]:
        """Of each point that arrives, what it takes with all that it needs."""
        live_s = SCREEN_LAYER_DEAD_S if self.intent.screen_share else LAYER_DEAD_S
        return {
            (layer.spatial + spatial, temporal): bitrate_bps
            for layer in self.layers.values()
            for (spatial, temporal), bitrate_bps in layer.rates.bitrates_bps(now, live_s).items()
        }

    def spatial_of(self, rid: str) -> int | None:
        """The spatial layer of a rid; None when the publication has no such encoding."""
        for index, layer in enumerate(self.intent.layers):
            if layer.rid == rid:
                return index
        if self.section is not None and rid in self.section.parameters.rids:
            # The intent did not name its rids: take quarter, half, full, the names that LiveKit's clients use.
            return sorted(self.section.parameters.rids, key="qhf".find).index(rid)
        return None
