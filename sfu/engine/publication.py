"""A publication with its streams and its subscriptions."""

from typing import TYPE_CHECKING

from sfu.receiving.encodings import WantedLayers
from sfu.receiving.liveness import LAYER_DEAD_S, dead_after_s
from sfu.values import PublicationSpec
from sfu.wire.operating_points import OperatingPoint

if TYPE_CHECKING:
    from sfu.engine.peer import Peer
    from sfu.forwarding.subscription import Subscription
    from sfu.session.sections import InboundSection
from sfu.receiving.inbound_stream import InboundStream


class Publication:
    """A publication with its subscriptions."""

    def __init__(self, spec: PublicationSpec, owner: "Peer") -> None:
        """`owner` is the peer that sends it."""
        self.spec = spec
        self.owner = owner
        self.section: InboundSection | None = None
        self.layers: dict[int, InboundStream] = {}
        "By spatial layer; those seen so far."
        self.subscriptions: dict[str, Subscription] = {}
        "By subscriber."
        self.muted = spec.muted
        self.codec = ""
        "What is sent; empty before it is."
        self.backup: Publication | None = None
        "The same track in another codec."
        self.primary: Publication | None = None
        "The publication whose backup this is."
        heights = {layer.height for layer in spec.layers}
        switchable = spec.screen_share and len(spec.layers) > 1 and len(heights) == 1
        self.wanted_layers = WantedLayers(len(spec.layers)) if switchable else None
        "Which layers are to be encoded; None: all that the publisher sends, or what the sizes of its viewers say."
        self.bitrates: tuple[float, dict[OperatingPoint, int]] = (0.0, {})
        "When `sharing` last looked at what each live layer costs, and what it found."

    def stream(self, spatial: int) -> InboundStream:
        """The stream that carries a spatial layer which has been seen."""
        return self.layers[max(base for base in self.layers if base <= spatial)]

    def bitrates_bps(self, now: float) -> dict[OperatingPoint, int]:
        """Of each point that arrives, what it takes with all that it needs: on average a screen, at most a camera."""
        screen = self.spec.screen_share
        return {
            (layer.spatial + spatial, temporal): bitrate_bps
            for layer in self.layers.values()
            for (spatial, temporal), bitrate_bps in (
                layer.rates.averages_bps(now, dead_after_s(layer.spatial, screen_share=True))
                if screen
                else layer.rates.bitrates_bps(now, LAYER_DEAD_S)
            ).items()
        }

    def spatial_of(self, rid: str) -> int | None:
        """The spatial layer of a rid; None when the publication has no such encoding."""
        for index, layer in enumerate(self.spec.layers):
            if layer.rid == rid:
                return index
        if self.section is not None and rid in self.section.parameters.rids:
            # The intent did not name its rids: take quarter, half, full, the names that LiveKit's clients use.
            return sorted(self.section.parameters.rids, key="qhf".find).index(rid)
        return None
