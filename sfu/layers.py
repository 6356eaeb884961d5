"""Which layer a subscriber should get: pure functions over plain values.

The lowest layer is 0. "Live" layers are those on which packets have arrived lately.
"""

from collections.abc import Collection, Sequence

from sfu.events import Layer, Preferences

# A layer of a little less height than the element is not worth the next one up (LiveKit uses the same factor).
HEIGHT_TOLERANCE = 0.9
# Without packets for this long a layer is not live. Encoders send at least one frame a second; a shared screen that
# does not change may send less than that.
LAYER_DEAD_S = 1.5
SCREEN_LAYER_DEAD_S = 5.0
# A new subscriber waits this long for a keyframe of the layer it should get before it takes any.
FIRST_LAYER_GRACE_S = 1.0


def highest_wanted(preferences: Preferences, layers: Sequence[Layer]) -> int:
    """The highest layer that a subscriber has use for, from what it displays or the quality it names."""
    top = max(len(layers) - 1, 0)
    if preferences.height > 0 and all(layer.height > 0 for layer in layers):
        # A portrait element of a landscape video is bounded by its width, so compare the shorter sides.
        shown = min(preferences.height, preferences.width) if preferences.width > 0 else preferences.height
        for index, layer in enumerate(layers):
            if min(layer.height, layer.width or layer.height) >= HEIGHT_TOLERANCE * shown:
                return index
        return top
    return min(max(preferences.max_spatial, 0), top)


def target_layer(wanted: int, live: Collection[int]) -> int | None:
    """The layer to send: the best live one not above `wanted`, else the lowest live one; None when none is."""
    below = [layer for layer in live if layer <= wanted]
    return max(below) if below else min(live, default=None)


def is_live(last_packet_at: float, now: float, *, screen_share: bool) -> bool:
    """Whether packets have arrived on a layer lately."""
    return now - last_packet_at < (SCREEN_LAYER_DEAD_S if screen_share else LAYER_DEAD_S)
