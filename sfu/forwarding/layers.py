"""Which layer a subscriber should get: pure functions over plain values.

The lowest layer is 0. "Live" layers are those on which packets have arrived lately.
"""

from collections.abc import Collection, Sequence

from sfu.values import Layer, Preferences
from sfu.wire.operating_points import OperatingPoint, contains

# A layer of a little less height than the element is not worth the next one up (LiveKit uses the same factor).
HEIGHT_TOLERANCE = 0.9
# A new subscriber waits this long for a keyframe of the layer it should get before it takes any.
FIRST_LAYER_GRACE_S = 1.0


def highest_wanted(preferences: Preferences, layers: Sequence[Layer]) -> int:
    """The highest layer that a subscriber has use for, from what it displays or the quality it names."""
    top = max(len(layers) - 1, 0)
    if preferences.height > 0 and all(layer.height > 0 for layer in layers):
        # A portrait element of a landscape video is bounded by its width, so compare the shorter sides.
        shown = min(preferences.height, preferences.width) if preferences.width > 0 else preferences.height
        sizes = [min(layer.height, layer.width or layer.height) for layer in layers]
        fitting = next((size for size in sizes if size >= HEIGHT_TOLERANCE * shown), None)
        # layers of one size differ in rate: of these the best
        return top if fitting is None else max(i for i, size in enumerate(sizes) if size == fitting)
    return min(max(preferences.max_spatial, 0), top)


def target_layer(wanted: int, live: Collection[int]) -> int | None:
    """The layer to send: the best live one not above `wanted`, else the lowest live one; None when none is."""
    below = [layer for layer in live if layer <= wanted]
    return max(below) if below else min(live, default=None)


def covers(shown: OperatingPoint | None, wanted: OperatingPoint, sets: Collection[int]) -> bool:
    """Whether who is shown one point (None: everything) has got all of another.

    `sets`: the sets of points whose packets have come since the keyframe.
    """
    return shown is None or all(contains(points, shown) for points in sets if contains(points, wanted))


def needs_keyframe(shown: OperatingPoint | None, wanted: OperatingPoint, sets: Collection[int]) -> bool:
    """Whether the way to another point of a stream leads over a keyframe: to a size that is not among what is shown."""
    if shown is None or wanted[0] == shown[0]:
        return False
    return not covers(shown, (wanted[0], min(shown[1], wanted[1])), sets)


def step(
    shown: OperatingPoint | None,
    wanted: OperatingPoint,
    sets: Collection[int],
    *,
    switch_to: int,
    switch_from: int,
) -> OperatingPoint | None:
    """The point to go over to where a picture starts, the one wanted or nearer to it; None: stay.

    Down at once, as all of a lower point has been shown. Up where the picture says that who was shown one of
    `switch_from` can be shown one of `switch_to` from here on.
    """
    for temporal in range(wanted[1], -1, -1):
        point = (wanted[0], temporal)
        if point == shown:
            return None
        if shown is None or covers(shown, point, sets):
            return point
        if point[0] == shown[0] and contains(switch_to, point) and contains(switch_from, shown):
            return point
    return None
