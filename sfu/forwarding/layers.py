"""Which layer a subscriber receives: pure functions of plain values.

Layer 0 is the lowest. A layer is live if packets of it have arrived recently.
"""

from collections.abc import Collection, Sequence

from sfu.values import Layer, Preferences
from sfu.wire.operating_points import OperatingPoint, contains

# The next higher layer is not worth its bitrate if a layer has at least this share of the element's height (as in
# LiveKit).
HEIGHT_TOLERANCE = 0.9
# A new subscriber waits this long for a keyframe of the layer chosen for it; then it starts with any layer.
FIRST_LAYER_GRACE_S = 1.0


def highest_wanted(preferences: Preferences, layers: Sequence[Layer]) -> int:
    """Return the highest layer that a subscriber can use, by the size of its element or the quality it requests."""
    top = max(len(layers) - 1, 0)
    if preferences.height > 0 and all(layer.height > 0 for layer in layers):
        # A portrait element of a landscape video is bounded by its width, so compare the shorter sides.
        shown = min(preferences.height, preferences.width) if preferences.width > 0 else preferences.height
        sizes = [min(layer.height, layer.width or layer.height) for layer in layers]
        fitting = next((size for size in sizes if size >= HEIGHT_TOLERANCE * shown), None)
        # layers of the same size differ in bitrate: take the highest of them
        return top if fitting is None else max(i for i, size in enumerate(sizes) if size == fitting)
    return min(max(preferences.max_spatial, 0), top)


def target_layer(wanted: int, live: Collection[int]) -> int | None:
    """Return the highest live layer up to `wanted`, or else the lowest live layer; None if no layer is live."""
    below = [layer for layer in live if layer <= wanted]
    return max(below) if below else min(live, default=None)


def covers(shown: OperatingPoint | None, wanted: OperatingPoint, point_sets: Collection[int]) -> bool:
    """Return whether the packets of one operating point (None: all packets) include all packets of another.

    `point_sets` are the sets of operating points that packets since the keyframe were needed for.
    """
    return shown is None or all(contains(points, shown) for points in point_sets if contains(points, wanted))


def needs_keyframe(shown: OperatingPoint | None, wanted: OperatingPoint, point_sets: Collection[int]) -> bool:
    """Return whether a switch to another operating point needs a keyframe, since its spatial layer was not sent."""
    if shown is None or wanted[0] == shown[0]:
        return False
    return not covers(shown, (wanted[0], min(shown[1], wanted[1])), point_sets)


def step(
    shown: OperatingPoint | None,
    wanted: OperatingPoint,
    point_sets: Collection[int],
    *,
    switch_to: int,
    switch_from: int,
) -> OperatingPoint | None:
    """Return the operating point to switch to at a picture's start: the wanted one, or one closer to it; None: none.

    A switch down is possible at every picture, since all packets of the lower point were sent. A switch up is possible
    where the picture allows it: from one of `switch_from` to one of `switch_to`.
    """
    for temporal in range(wanted[1], -1, -1):
        point = (wanted[0], temporal)
        if point == shown:
            return None
        if shown is None or covers(shown, point, point_sets):
            return point
        if point[0] == shown[0] and contains(switch_to, point) and contains(switch_from, shown):
            return point
    return None
