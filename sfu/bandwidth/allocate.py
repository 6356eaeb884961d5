"""Allocation of bandwidth to a subscriber's videos: a pure function over plain values.

Audio is subtracted first. Then every video gets its lowest operating point, in order of importance as far as the
bandwidth suffices, and then, in the same order, the best operating point that fits into the rest. The outcome is the
best in lexicographic order, and more bandwidth never makes it worse in that order.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, IntEnum

from sfu.values import PublicationId
from sfu.wire.operating_points import OperatingPoint

# An operating point better than the current one must fit with this margin, as measured bitrates and estimates vary. Own
# value: it tolerates an estimate that varies by 5 % either way.
UP_MARGIN = 1.15
# A shared screen is one large picture, then almost nothing. Its lowest layer starts if that picture takes no longer
# than the first time, whatever the layer's rate, and continues until the picture would take the second: estimates vary
# within that range, and each return costs the picture once more.
SCREEN_ENTRY_S, SCREEN_EXIT_S = 15.0, 45.0
# A better layer of the screen is used only if its slides arrive at most this much later than the lowest layer's, and
# its rate leaves some of the bandwidth for the next one.
SCREEN_DELAY_S, SCREEN_MARGIN = 1.0, 1.25
# A screen layer up to this rate goes before any camera: with less, slides that follow each other within seconds wait
# for the encoder.
SCREEN_FIRST_BPS = 160e3


class Importance(IntEnum):
    """The order in which videos are served."""

    SCREEN = 0
    FOCUS = 1
    "The tutor's, pinned or speaking camera."
    OTHER = 2


class Reason(Enum):
    """Why a video has its operating point."""

    WANTED = "everything that is requested"
    BANDWIDTH = "no higher layer fits"
    MARGIN = "a higher layer would fit, but without the margin"
    PAUSED = "not even the lowest layer fits"
    ABSENT = "nothing is received"


@dataclass(frozen=True, slots=True)
class VideoRequest:
    """A subscriber's request for one video."""

    publication: PublicationId
    importance: Importance
    bitrates_bps: Mapping[OperatingPoint, int]
    "Measured bitrate of each live operating point with its dependencies; layers that are not received are missing."
    max_spatial: int
    max_temporal: int
    current: OperatingPoint | None = None
    "The current operating point, possibly not reached yet; None if paused."
    priority: int = 0
    "The subscriber's own order within an importance: 1 is the highest; 0 is unset and comes last."
    start_bits: Mapping[int, float] = field(default_factory=dict)
    "For a screen, by spatial layer: size of the first picture, and roughly of each new slide."


@dataclass(frozen=True, slots=True)
class Allocation:
    """The allocation of one video."""

    point: OperatingPoint | None
    "None: paused."
    reason: Reason


def allocate(
    available_bps: float, audio_bps: float, requests: Sequence[VideoRequest]
) -> dict[PublicationId, Allocation]:
    """Return the allocation of each publication; `available_bps` may be infinite, `audio_bps` includes all audio."""
    left = max(available_bps - audio_bps, 0.0)
    ordered = sorted(requests, key=lambda request: (request.importance, request.priority or float("inf")))
    ladders = [_ladder(request) for request in ordered]
    if left >= _best_bps(ordered, ladders):
        best = [Allocation(p[0], Reason.WANTED) if p else Allocation(None, Reason.ABSENT) for p in ladders]
        return {request.publication: allocation for request, allocation in zip(ordered, best, strict=True)}
    prices = [
        {point: _cost(request, ladder, point) for point in ladder}
        for request, ladder in zip(ordered, ladders, strict=True)
    ]
    floors: list[float | None] = []
    for request, costs in zip(ordered, prices, strict=True):
        floor = _floor(request, costs, left)
        if floor is not None and _admits(request, floor, left):
            floors.append(min(floor, left))
            left -= min(floor, left)
        else:
            floors.append(None)
    allocations: dict[PublicationId, Allocation] = {}
    for request, ladder, costs, floor in zip(ordered, ladders, prices, floors, strict=True):
        if floor is None:
            allocations[request.publication] = Allocation(None, Reason.PAUSED if ladder else Reason.ABSENT)
            continue
        left += floor
        point = next(
            (point for point in ladder if costs[point] <= max(left, floor)), min(costs, key=costs.__getitem__)
        )
        allocations[request.publication] = Allocation(point, _reason(request, ladder, point, left))
        left = max(left - costs[point], 0.0)
    return allocations


def wanted_bps(audio_bps: float, requests: Sequence[VideoRequest]) -> float:
    """Return the bandwidth with which every request is met."""
    return audio_bps + _best_bps(requests, [_ladder(request) for request in requests])


def _best_bps(requests: Sequence[VideoRequest], ladders: Sequence[Sequence[OperatingPoint]]) -> float:
    """Return the bandwidth of the best operating point of every video, with the margin for switching up to it."""
    pairs = zip(requests, ladders, strict=True)
    return UP_MARGIN * sum(_price(request, ladder[0]) for request, ladder in pairs if ladder)


def _ladder(request: VideoRequest) -> list[OperatingPoint]:
    """Return the operating points that a video may use, best first."""
    live = request.bitrates_bps
    lowest = min((spatial for spatial, _ in live), default=0)
    # If no layer is small enough, the smallest one has to do: a picture that is too large is better than none.
    spatial_cap = max(request.max_spatial, lowest)
    points = [p for p in live if p[0] <= spatial_cap and p[1] <= max(request.max_temporal, 0)]
    if request.importance is Importance.SCREEN:
        return sorted(points, reverse=True)  # text must stay sharp: size before rate
    # A face at a quarter of its frame rate does not look alive: base rate only if nothing else fits.
    return sorted(points, key=lambda p: (min(p[1], 1), *p), reverse=True)


def _floor(request: VideoRequest, costs: Mapping[OperatingPoint, float], left: float) -> float | None:
    """Return the bandwidth reserved for a video at first: its lowest operating point, or a cheap one of a screen."""
    if request.importance is Importance.SCREEN:
        cheap = [
            p for p in costs if request.bitrates_bps[p] <= SCREEN_FIRST_BPS and _price(request, p) <= left
        ]
        if cheap:
            return max(costs[p] for p in cheap)
    return min(costs.values(), default=None)


def _admits(request: VideoRequest, floor: float, left: float) -> bool:
    """Whether the lowest operating point of a video may be sent within the remaining bandwidth."""
    if request.importance is not Importance.SCREEN:
        return floor <= left
    lowest = min(spatial for spatial, _ in request.bitrates_bps)
    wait_s = SCREEN_ENTRY_S if request.current is None else SCREEN_EXIT_S
    return left > 0 and request.start_bits.get(lowest, 0.0) <= wait_s * left


def _price(request: VideoRequest, point: OperatingPoint) -> float:
    """Return the bits per second that an operating point needs."""
    bitrate = request.bitrates_bps[point]
    least = min(spatial for spatial, _ in request.bitrates_bps)
    flows = request.current is not None and request.current[0] == point[0]
    if request.importance is not Importance.SCREEN or point[0] == least or flows:
        return bitrate
    more_bits = request.start_bits.get(point[0], 0.0) - request.start_bits.get(least, 0.0)
    return max(SCREEN_MARGIN * bitrate, more_bits / SCREEN_DELAY_S)


def _cost(request: VideoRequest, ladder: Sequence[OperatingPoint], point: OperatingPoint) -> float:
    """Return the bits per second to reserve for an operating point; more for one better than the current one."""
    bitrate = _price(request, point)
    if request.current in ladder and ladder.index(point) >= ladder.index(request.current):
        return bitrate
    return bitrate * UP_MARGIN


def _reason(
    request: VideoRequest, ladder: Sequence[OperatingPoint], point: OperatingPoint, left: float
) -> Reason:
    better = ladder[: ladder.index(point)]
    if not better:
        return Reason.WANTED
    return Reason.MARGIN if any(_price(request, p) <= left for p in better) else Reason.BANDWIDTH
