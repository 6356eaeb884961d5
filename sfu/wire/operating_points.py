"""Operating points, and sets of them: which operating points need a packet.

An operating point is a pair (spatial layer, temporal layer): everything that a decoder needs to show that size at that
rate. A packet belongs to several operating points; a set of them is a bit mask, so that one shift decides whether a
subscriber gets a packet. Spatial layers here are those within one stream; a simulcast encoding has only layer 0.
"""

from collections.abc import Iterator
from typing import TypeAlias

OperatingPoint: TypeAlias = tuple[int, int]
"(spatial layer, temporal layer), both counted from 0."


# LiveKit's clients publish at most 3 spatial and 4 temporal layers; higher layers count as the highest.
MAX_SPATIAL = 3
MAX_TEMPORAL = 3
_WIDTH = MAX_TEMPORAL + 1

EVERY = (1 << (MAX_SPATIAL + 1) * _WIDTH) - 1
"The set of all operating points, for a packet without layers."
# Different sets of operating points distinguished in one stream. A real stream has a dozen; further sets of a crafted
# stream are ignored, since they would cost other participants.
MAX_POINT_SETS = 64
_TEMPORALS = (1 << _WIDTH) - 1


def index(point: OperatingPoint) -> int:
    """Return the bit number of an operating point."""
    return min(point[0], MAX_SPATIAL) * _WIDTH + min(point[1], MAX_TEMPORAL)


def contains(points: int, point: OperatingPoint) -> bool:
    """Whether an operating point is in a set."""
    return points >> index(point) & 1 != 0


def with_temporal(temporal: int) -> int:
    """Return all operating points with this temporal layer or a higher one: all of them need its frames."""
    row = _TEMPORALS << min(temporal, MAX_TEMPORAL) & _TEMPORALS
    return sum(row << spatial * _WIDTH for spatial in range(MAX_SPATIAL + 1))


def with_spatial(spatial: int, *, alone: bool) -> int:
    """Return all operating points of this spatial layer, and unless `alone`, of the higher ones predicted from it."""
    first = min(spatial, MAX_SPATIAL)
    last = first if alone else MAX_SPATIAL
    return sum(_TEMPORALS << row * _WIDTH for row in range(first, last + 1))


def lowest(points: int) -> OperatingPoint:
    """Return the lowest operating point of a set that is not empty: the packet's own layer."""
    return divmod((points & -points).bit_length() - 1, _WIDTH)


def members(points: int) -> Iterator[OperatingPoint]:
    """Yield the operating points of a set, lowest first."""
    while points:
        yield lowest(points)
        points &= points - 1
