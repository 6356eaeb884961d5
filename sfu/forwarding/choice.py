"""Which operating point a subscriber should be sent: a pure function of its request, its limit and what arrives."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import Enum

from sfu.forwarding.layers import highest_wanted, target_layer
from sfu.receiving.encodings import WantedLayers
from sfu.receiving.inbound_stream import InboundStream
from sfu.values import Layer, Preferences
from sfu.wire.operating_points import OperatingPoint

# A limit above every operating point.
UNBOUNDED: OperatingPoint = (7, 7)


class Flow(Enum):
    """What to do where no layer is to be chosen."""

    PAUSE = "pause"
    "Send nothing."
    KEEP = "keep"
    "Change nothing: no layer arrives, and the one that is sent may come back."


@dataclass(frozen=True, slots=True)
class LayerChoice:
    """What determines a subscriber's operating point of one publication."""

    preferences: Preferences
    "What the subscriber requests."
    allowed: OperatingPoint | None
    "The highest point that its bandwidth admits; None: nothing."
    layers: tuple[Layer, ...]
    "As the publisher announced them, lowest first."

    @property
    def highest(self) -> int:
        """The highest spatial layer that the subscriber can use."""
        return highest_wanted(self.preferences, self.layers)

    @property
    def bound(self) -> int:
        """The spatial layer to send, whether or not it arrives; 0 while none is allowed."""
        return 0 if self.allowed is None else min(self.highest, self.allowed[0])

    def spatial(self, live: Collection[int], wanted: WantedLayers | None) -> int | Flow:
        """The spatial layer to send, of those in `live`; `wanted`: which ones the publisher can be asked for."""
        if self.allowed is None:
            return Flow.PAUSE
        chosen = target_layer(self.bound, live)
        if chosen is None:
            return Flow.KEEP
        if chosen > self.bound and wanted is not None and wanted.may_come(self.bound):
            # What arrives is more than the path can take, and the layer that fits is on its way.
            return Flow.PAUSE
        return chosen

    def point(self, stream: InboundStream, spatial: int) -> OperatingPoint:
        """The operating point of `stream` for the chosen spatial layer of the publication."""
        limit = UNBOUNDED if self.allowed is None else self.allowed
        return stream.point(spatial, min(limit[1], stream.temporal_for(self.preferences.fps)))
