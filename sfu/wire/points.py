"""Sets of points: which forms of a stream need a packet.

A form of a stream is a point (spatial layer, temporal layer): all that a decoder needs to show that size at that
rate. A packet belongs to several of them, and a set of points is a bit mask, so that telling whether a viewer gets a
packet is one shift. Spatial layers here are those within one stream; a simulcast encoding has only layer 0.
"""

from collections.abc import Iterator
from typing import TypeAlias

Point: TypeAlias = tuple[int, int]
"(spatial layer, temporal layer), both counted from 0."


# LiveKit's clients publish at most 3 spatial and 4 temporal layers; higher ones count as the highest.
MAX_SPATIAL = 3
MAX_TEMPORAL = 3
_WIDTH = MAX_TEMPORAL + 1

EVERY = (1 << (MAX_SPATIAL + 1) * _WIDTH) - 1
"The set of all points: a packet without layers."
# Sets that a stream's packets are told apart by. A real one has a dozen; what a crafted one has more is not looked at,
# as others would pay for it.
MAX_SETS = 64
_TEMPORALS = (1 << _WIDTH) - 1


def index(point: Point) -> int:
    """The bit of a point."""
    return min(point[0], MAX_SPATIAL) * _WIDTH + min(point[1], MAX_TEMPORAL)


def contains(points: int, point: Point) -> bool:
    """Whether a point is in a set."""
    return points >> index(point) & 1 != 0


def with_temporal(temporal: int) -> int:
    """All points of this temporal layer and of those above it: where a frame of it is shown, whatever the size."""
    row = _TEMPORALS << min(temporal, MAX_TEMPORAL) & _TEMPORALS
    return sum(row << spatial * _WIDTH for spatial in range(MAX_SPATIAL + 1))


def with_spatial(spatial: int, *, alone: bool) -> int:
    """All points of this spatial layer, and unless `alone` of those above it, which are predicted from it."""
    first = min(spatial, MAX_SPATIAL)
    last = first if alone else MAX_SPATIAL
    return sum(_TEMPORALS << row * _WIDTH for row in range(first, last + 1))


def lowest(points: int) -> Point:
    """The lowest point of a set that is not empty: the layer that the packet itself is of."""
    return divmod((points & -points).bit_length() - 1, _WIDTH)


def members(points: int) -> Iterator[Point]:
    """The points of a set, the lowest first."""
    while points:
        yield lowest(points)
        points &= points - 1
