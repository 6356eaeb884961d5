"""What each of a subscriber's videos may cost: a pure function over plain values.

Audio comes off the top. Then every video gets its cheapest form, in the order of importance and as far as the
bandwidth goes, and then each in the same order the best form that fits into the rest. So the outcome is the best in
lexicographic order, and more bandwidth never makes it worse in that order.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, IntEnum

from sfu.wire.points import Point

# What is better than what flows must fit with this much to spare, as measured bitrates and estimates waver. Chosen,
# not measured: it bears an estimate that wavers by 5 % either way.
UP_MARGIN = 1.15
# A shared screen is worth a queue: its least flows when it exceeds the bandwidth by no more than this. Its bitrate is a
# peak of changing slides, which pacing spreads (Jitsi lets the screen on stage exceed, too).
SCREEN_OVERSHOOT = 1.5


class Importance(IntEnum):
    """Whose video goes first."""

    SCREEN = 0
    FOCUS = 1
    "The tutor's, pinned or speaking camera."
    OTHER = 2


class Reason(Enum):
    """Why a video flows as it does."""

    WANTED = "all that is wanted"
    BANDWIDTH = "no more fits"
    MARGIN = "more would fit, with too little to spare"
    PAUSED = "not even the least fits"
    ABSENT = "nothing arrives"


@dataclass(frozen=True, slots=True)
class Wish:
    """One video that a subscriber wants."""

    publication: str
    importance: Importance
    bitrates_bps: Mapping[Point, int]
    "Measured, of each live layer with all that it needs; the layers that do not arrive are left out."
    max_spatial: int
    max_temporal: int
    current: Point | None = None
    "What flows; None when nothing does."
    priority: int = 0
    "The subscriber's own order within an importance: 1 is the highest; 0 is unset and comes last."


@dataclass(frozen=True, slots=True)
class Allotment:
    """What one video gets."""

    point: Point | None
    "None: paused."
    reason: Reason


def allocate(available_bps: float, audio_bps: float, wishes: Sequence[Wish]) -> dict[str, Allotment]:
    """The layer of each publication; `available_bps` may be infinite, `audio_bps` is what all audio takes of it."""
    left = max(available_bps - audio_bps, 0.0)
    ordered = sorted(wishes, key=lambda wish: (wish.importance, wish.priority or float("inf")))
    ladders = [_ladder(wish) for wish in ordered]
    if left >= _best_bps(ordered, ladders):
        best = [Allotment(p[0], Reason.WANTED) if p else Allotment(None, Reason.ABSENT) for p in ladders]
        return {wish.publication: allotment for wish, allotment in zip(ordered, best, strict=True)}
    prices = [
        {point: _cost(wish, ladder, point) for point in ladder}
        for wish, ladder in zip(ordered, ladders, strict=True)
    ]
    floors: list[float | None] = []
    for wish, costs in zip(ordered, prices, strict=True):
        floor = min(costs.values(), default=None)
        reach = SCREEN_OVERSHOOT if wish.importance is Importance.SCREEN else 1.0
        if floor is not None and floor <= reach * left:
            floors.append(min(floor, left))
            left -= min(floor, left)
        else:
            floors.append(None)
    allotments: dict[str, Allotment] = {}
    for wish, ladder, costs, floor in zip(ordered, ladders, prices, floors, strict=True):
        if floor is None:
            allotments[wish.publication] = Allotment(None, Reason.PAUSED if ladder else Reason.ABSENT)
            continue
        left += floor
        point = next((point for point in ladder if costs[point] <= left), min(costs, key=costs.__getitem__))
        allotments[wish.publication] = Allotment(point, _reason(wish, ladder, point, left))
        left = max(left - costs[point], 0.0)
    return allotments


def wanted_bps(audio_bps: float, wishes: Sequence[Wish]) -> float:
    """The bandwidth with which every wish comes true."""
    return audio_bps + _best_bps(wishes, [_ladder(wish) for wish in wishes])


def _best_bps(wishes: Sequence[Wish], ladders: Sequence[Sequence[Point]]) -> float:
    """What the best form of every video takes, with the margin for going up to it."""
    pairs = zip(wishes, ladders, strict=True)
    return UP_MARGIN * sum(wish.bitrates_bps[ladder[0]] for wish, ladder in pairs if ladder)


def _ladder(wish: Wish) -> list[Point]:
    """The forms that a video may take, the best first."""
    live = wish.bitrates_bps
    lowest = min((spatial for spatial, _ in live), default=0)
    # Without a small enough layer the smallest there is has to do: a picture too large is better than none.
    spatial_cap = max(wish.max_spatial, lowest)
    points = [p for p in live if p[0] <= spatial_cap and p[1] <= max(wish.max_temporal, 0)]
    if wish.importance is Importance.SCREEN:
        return sorted(points, reverse=True)  # text must stay sharp: size before rate
    # A face at a quarter of its frame rate does not look alive: base rate only when nothing else fits.
    return sorted(points, key=lambda p: (min(p[1], 1), *p), reverse=True)


def _cost(wish: Wish, ladder: Sequence[Point], point: Point) -> float:
    """Bits per second to set aside for a form; more for one better than what flows."""
    bitrate = wish.bitrates_bps[point]
    if wish.current in ladder and ladder.index(point) >= ladder.index(wish.current):
        return bitrate
    return bitrate * UP_MARGIN


def _reason(wish: Wish, ladder: Sequence[Point], point: Point, left: float) -> Reason:
    better = ladder[: ladder.index(point)]
    if not better:
        return Reason.WANTED
    return Reason.MARGIN if any(wish.bitrates_bps[p] <= left for p in better) else Reason.BANDWIDTH
