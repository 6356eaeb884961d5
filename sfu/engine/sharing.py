"""How a subscriber's bandwidth is shared out: its wishes go to the allocator, the answers to its subscriptions."""

import logging
import math
from typing import TYPE_CHECKING

from sfu.bandwidth.allocate import Allotment, Importance, Reason, Wish, allocate, wanted_bps
from sfu.forwarding.subscription import UNBOUNDED, Subscription
from sfu.receiving.liveness import is_live
from sfu.values import Explanation, Layer, VideoShare
from sfu.wire.points import Point
from sfu.wire.red import REDUNDANT_PACKETS

if TYPE_CHECKING:
    from sfu.engine.peer import Peer
    from sfu.engine.publication import Published

logger = logging.getLogger(__name__)

# What a layer is taken to cost before it was measured, where its publisher did not say: LiveKit's presets for cameras
# lie between 2.0 and 2.6 bits per pixel and second (180p at 0.16, 360p at 0.45, 720p at 1.7 Mbit/s).
_BITS_PER_PIXEL_S = 2
_UNKNOWN_LAYER_BPS = 500_000
# Bitrates are peaks of seconds; looked at anew so often they serve all viewers of a publication.
_BITRATES_KEPT_S = 0.25
# With a bandwidth to keep to, what was never measured begins with the least of it.
_LEAST: Point = (0, UNBOUNDED[1])


def share(peer: "Peer", focus: str, now: float) -> list[Subscription]:
    """Allot each of a peer's videos its layer; returns those that were paused or may flow again.

    `focus` is the peer whose camera goes before the others'. Nothing flows differently yet: see `Subscription.choose`.
    """
    allotments: dict[str, Allotment] = {}
    if not math.isinf(peer.available_bps):
        audio_bps, wishes = _wishes(peer, focus, now)
        peer.wanted_bps = wanted_bps(audio_bps, wishes)
        allotments = allocate(peer.available_bps, audio_bps, wishes)
    changed = []
    for publication_id, subscription in peer.subscriptions.items():
        before, allotment = subscription.allotment, allotments.get(publication_id)
        subscription.allotment = allotment
        if allotment is not None and allotment != before:
            logger.info(
                "%s gets layer %s of %s (%s); %.0f kbit/s are available",
                peer.id,
                allotment.point,
                publication_id,
                allotment.reason.value,
                peer.available_bps / 1000,
            )
        was_paused = subscription.allotted is None
        subscription.allotted = _bound(allotment)
        if was_paused != (subscription.allotted is None):
            changed.append(subscription)
    return changed


def explain(peer: "Peer", focus: str, now: float) -> Explanation:
    """Why a peer gets what it gets."""
    audio_bps, wishes = _wishes(peer, focus, now)
    videos = []
    for wish in wishes:
        allotment = peer.subscriptions[wish.publication].allotment
        videos.append(
            VideoShare(
                wish.publication,
                wish.importance.name.lower(),
                (wish.max_spatial, wish.max_temporal),
                wish.current,
                allotment.point if allotment is not None else None,
                allotment.reason.value if allotment is not None else "no limit is known",
                tuple(sorted((*point, bps) for point, bps in wish.bitrates_bps.items())),
            )
        )
    available_bps = None if math.isinf(peer.available_bps) else peer.available_bps
    return Explanation(available_bps, audio_bps, wanted_bps(audio_bps, wishes), tuple(videos))


def _wishes(peer: "Peer", focus: str, now: float) -> tuple[float, list[Wish]]:
    """(what audio takes, in bit/s; the videos that are wanted)."""
    audio_bps = 0.0
    wishes = []
    for publication_id, subscription in peer.subscriptions.items():
        published, preferences = subscription.published, subscription.preferences
        if not subscription.wants_media:
            continue
        bitrates_bps = bitrates(published, now)
        if published.intent.kind == "audio":
            copies = 1 + REDUNDANT_PACKETS if subscription.gets_redundancy else 1
            audio_bps += copies * sum(bitrates_bps.values())
            continue
        wishes.append(
            Wish(
                publication_id,
                _importance(subscription, focus),
                bitrates_bps,
                subscription.highest_wanted,
                _max_temporal(subscription),
                subscription.point,
                preferences.priority,
            )
        )
    return audio_bps, wishes


def bitrates(published: "Published", now: float) -> dict[Point, int]:
    """What each live layer of a publication costs, in bit/s: as measured, or guessed where that is not yet possible."""
    at, known = published.bitrates
    if known and now - at < _BITRATES_KEPT_S:
        return known
    screen = published.intent.screen_share
    measured = published.bitrates_bps(now)
    found: dict[Point, int] = {}
    for spatial, layer in published.layers.items():
        if is_live(layer.last_packet_at, now, screen_share=screen):
            points = {point: bps for point, bps in measured.items() if published.stream(point[0]) is layer}
            found |= points or {(spatial, 0): _guess(published.intent.layers, spatial)}
    published.bitrates = now, found
    return found


def _max_temporal(subscription: Subscription) -> int:
    layers = subscription.published.layers.values()
    return max((layer.temporal_for(subscription.preferences.fps) for layer in layers), default=UNBOUNDED[1])


def _guess(layers: tuple[Layer, ...], spatial: int) -> int:
    if spatial >= len(layers):
        return _UNKNOWN_LAYER_BPS
    layer = layers[spatial]
    return layer.bitrate_bps or layer.width * layer.height * _BITS_PER_PIXEL_S or _UNKNOWN_LAYER_BPS


def _importance(subscription: Subscription, focus: str) -> Importance:
    published = subscription.published
    if published.intent.screen_share:
        return Importance.SCREEN
    if published.intent.leading or published.owner.id == focus or subscription.preferences.priority == 1:
        return Importance.FOCUS
    return Importance.OTHER


def _bound(allotment: Allotment | None) -> Point | None:
    if allotment is None:
        return UNBOUNDED
    return _LEAST if allotment.reason is Reason.ABSENT else allotment.point
