"""The allocation of a subscriber's bandwidth: requests go to the allocator, and allotments to its subscriptions."""

import logging
import math
from collections.abc import Mapping

from sfu.bandwidth.allocate import Allocation, Importance, Reason, VideoRequest, allocate, wanted_bps
from sfu.engine.peers.link import ConnectionId, Downstream
from sfu.engine.peers.peer import Peer
from sfu.engine.peers.publication import Publication, Subscription
from sfu.forwarding.choice import UNBOUNDED
from sfu.receiving.encodings import WantedLayers
from sfu.values import BandwidthExplanation, Layer, PublicationId, VideoAllocation
from sfu.wire.operating_points import OperatingPoint
from sfu.wire.red import REDUNDANT_PACKETS, RedundancyLevel

logger = logging.getLogger(__name__)

# What a layer is taken to cost before it was measured, where its publisher did not say: LiveKit's presets for cameras
# lie between 2.0 and 2.6 bits per pixel and second (180p at 0.16, 360p at 0.45, 720p at 1.7 Mbit/s).
_BITS_PER_PIXEL_S = 2
_UNKNOWN_LAYER_BPS = 500_000
# Bitrates are peaks of seconds; looked at anew so often they serve all viewers of a publication.
_BITRATES_KEPT_S = 0.25
# What a packet of audio takes beside what is measured of it: IPv4, UDP, the tag of SRTP and the transport-wide number,
# at 50 packets a second.
_AUDIO_OVERHEAD_BPS = 8 * 50 * (28 + 16 + 8)
# What each level takes of RED audio with one block before each, as Chromium sends it.
_SHARE_OF_RED = {RedundancyLevel.NONE: 0.55, RedundancyLevel.AS_SENT: 1.0, RedundancyLevel.DEEP: 1.45}
# Redundant audio is left out where so little is available, and comes back with so much; but it stays where the link
# itself loses more than so much; where it loses the second, two packets in a row get lost now and then.
_REDUNDANT_BELOW_BPS, _REDUNDANT_ABOVE_BPS = 450e3, 600e3
_REDUNDANT_LOSS, _DEEP_LOSS = 0.015, 0.04
# A link counts as so narrow once it has been for so long.
_NARROW_S = 1.0
# A loss that was seen counts until it has fallen to this share of it.
_LOSS_OVER = 0.5
# The first estimate of a link that turns out to be narrow is that of its full queue, and falls at once.
_FIRST_SHARE = 0.6
# A screen's layer costs this share of what its publisher lets it take at least, as the next slides may differ from
# those of the last seconds; and just that until it has been measured for so long, as its first picture is no rate.
_SCREEN_LEAST, _YOUNG_S = 0.6, 6.0
# Decisions are explained for so long.
_EXPLAINED_S = 60.0
# With a bandwidth to keep to, what was never measured begins with the least of it.
_LEAST: OperatingPoint = (0, UNBOUNDED[1])


def reallocate(peer: Peer, focus: ConnectionId | None, now: float) -> list[Subscription]:
    """Allot a layer to each of a peer's videos; return those that were paused or resumed.

    `focus` is the peer whose camera goes before the others'. Nothing flows differently yet: see `Subscription.choose`.
    """
    allocations: dict[PublicationId, Allocation] = {}
    _choose_redundancy(peer, now)
    downstream = peer.link.downstream
    if not math.isinf(downstream.available_bps):
        audio_bps, requests = _requests(peer, focus, now)
        downstream.audio_bps = audio_bps
        downstream.requested_bps = wanted_bps(audio_bps, requests)
        first = downstream.estimator is not None and all(
            peer.subscriptions[request.publication].allocation is None for request in requests
        )
        allocations = allocate(downstream.lasting_bps * (_FIRST_SHARE if first else 1.0), audio_bps, requests)
        for request in requests:
            subscription = peer.subscriptions[request.publication]
            subscription.rank = int(request.importance)
            allocations[request.publication] = _steady(
                subscription, allocations[request.publication], request.bitrates_bps, now
            )
    changed = []
    for publication_id, subscription in peer.subscriptions.items():
        before, allocation = subscription.allocation, allocations.get(publication_id)
        subscription.allocation = allocation
        if allocation is not None and allocation != before:
            _explain(downstream, subscription, allocation, now)
        was_paused = subscription.allowed_point is None
        subscription.allowed_point = _bound(allocation)
        if was_paused != (subscription.allowed_point is None):
            changed.append(subscription)
    return changed


def _explain(downstream: Downstream, subscription: Subscription, allocation: Allocation, now: float) -> None:
    """Record and log why an allotment changed."""
    words = (
        "is paused"
        if allocation.point is None
        else "gets layer {} at frame rate {}".format(*allocation.point)
    )
    available_kbps = downstream.available_bps / 1000
    downstream.decided(
        f"{subscription.publication_id} {words}: {allocation.reason.value}; "
        f"{available_kbps:.0f} kbit/s are available, sound takes {downstream.audio_bps / 1000:.0f}",
        now,
    )
    logger.info(
        "%s gets layer %s of %s (%s); %.0f kbit/s are available",
        subscription.subscriber.connection_id,
        allocation.point,
        subscription.publication_id,
        allocation.reason.value,
        available_kbps,
    )


def explain(peer: Peer, focus: ConnectionId | None, now: float) -> BandwidthExplanation:
    """Return an explanation of a peer's allotments."""
    audio_bps, requests = _requests(peer, focus, now)
    videos = []
    for request in requests:
        allocation = peer.subscriptions[request.publication].allocation
        videos.append(
            VideoAllocation(
                request.publication,
                request.importance.name.lower(),
                (request.max_spatial, request.max_temporal),
                request.current,
                allocation.point if allocation is not None else None,
                allocation.reason.value if allocation is not None else "no limit is known",
                tuple(sorted((*point, bps) for point, bps in request.bitrates_bps.items())),
            )
        )
    downstream = peer.link.downstream
    available_bps = None if math.isinf(downstream.available_bps) else downstream.available_bps
    recent = tuple(
        f"{now - at:.1f} s ago: {words}" for at, words in downstream.decisions if now - at <= _EXPLAINED_S
    )
    return BandwidthExplanation(
        available_bps, audio_bps, wanted_bps(audio_bps, requests), tuple(videos), recent
    )


def _requests(peer: Peer, focus: ConnectionId | None, now: float) -> tuple[float, list[VideoRequest]]:
    """Return (bitrate of audio in bit/s, the requested videos)."""
    audio_bps = 0.0
    requests = []
    for publication_id, subscription in peer.subscriptions.items():
        published, preferences = subscription.published, subscription.preferences
        if not subscription.wants_media:
            continue
        bitrates_bps = bitrates(published, now)
        if published.spec.kind == "audio":
            audio_bps += _audio_bps(subscription, sum(bitrates_bps.values()))
            continue
        requests.append(
            VideoRequest(
                publication_id,
                _importance(subscription, focus),
                bitrates_bps,
                subscription.choice.highest,
                _max_temporal(subscription),
                subscription.point or _promised(subscription),
                preferences.priority,
                _start_bits(published, bitrates_bps) if published.spec.screen_share else {},
            )
        )
    return audio_bps, requests


def _promised(subscription: Subscription) -> OperatingPoint | None:
    """Return the bitrate that a video will have after its keyframe, or after its turn."""
    return subscription.allocation.point if subscription.allocation is not None else None


def _audio_bps(subscription: Subscription, measured_bps: float) -> float:
    """Return the bitrate of a subscriber's audio on the wire."""
    if not measured_bps:
        return 0.0
    if subscription.gets_redundancy:
        measured_bps *= 1 + REDUNDANT_PACKETS
    elif subscription.published.codec == "red":
        measured_bps *= _SHARE_OF_RED[subscription.redundancy]
    return measured_bps + _AUDIO_OVERHEAD_BPS


def _start_bits(published: Publication, bitrates_bps: dict[OperatingPoint, int]) -> dict[int, float]:
    """Return the size of the first picture of each layer; without a known keyframe, a second of its bitrate."""
    found: dict[int, float] = {}
    seen = [layer.keyframe_octets for layer in published.layers.values() if layer.keyframe_octets]
    for spatial, _ in bitrates_bps:
        layer = published.layers.get(spatial)
        octets = layer.keyframe_octets if layer is not None else 0
        octets = octets or min(seen, default=0)  # the first picture is about the same at every rate
        found[spatial] = 8.0 * octets if octets else float(_guess(published.spec.layers, spatial))
    return found


def _choose_redundancy(peer: Peer, now: float) -> None:
    """Decide whether a subscriber's audio has redundancy, by the free bandwidth and the loss of the link."""
    downstream = peer.link.downstream
    loss, available_bps = downstream.link_loss, downstream.lasting_bps
    if available_bps >= _REDUNDANT_BELOW_BPS:
        downstream.narrow_since = None
    elif downstream.narrow_since is None:
        downstream.narrow_since = now
    # A link that becomes narrow has a queue full of earlier video, and drops audio before reports can show the loss.
    fills = downstream.narrow_since is not None and now - downstream.narrow_since < _NARROW_S
    for subscription in peer.subscriptions.values():
        if subscription.published.spec.kind == "audio" and subscription.section is not None:
            level = (
                RedundancyLevel.DEEP if fills else _redundancy(subscription.redundancy, available_bps, loss)
            )
            if level is not subscription.redundancy:
                words = f"sound carries redundancy {level.name.lower().replace('_', ' ')}"
                cause = "became narrow" if fills else f"loses {100 * loss:.0f} % by itself"
                downstream.decided(f"{words}: the link {cause}", now)
            subscription.carry_redundancy(level)


def _redundancy(now: RedundancyLevel, available_bps: float, loss: float) -> RedundancyLevel:
    if loss >= _DEEP_LOSS * (_LOSS_OVER if now is RedundancyLevel.DEEP else 1.0):
        return RedundancyLevel.DEEP if available_bps >= _REDUNDANT_BELOW_BPS else RedundancyLevel.AS_SENT
    sparse = now is RedundancyLevel.NONE
    if available_bps >= (_REDUNDANT_ABOVE_BPS if sparse else _REDUNDANT_BELOW_BPS):
        return RedundancyLevel.AS_SENT
    lossy = loss >= _REDUNDANT_LOSS * (1.0 if sparse else _LOSS_OVER)
    return RedundancyLevel.AS_SENT if lossy else RedundancyLevel.NONE


def _steady(
    subscription: Subscription, wanted: Allocation, bitrates_bps: Mapping[OperatingPoint, int], now: float
) -> Allocation:
    """Return the allotment of a video, without stops, returns and changes of layer for short fluctuations."""
    downstream, before = subscription.subscriber.downstream, subscription.allocation
    estimator, steadiness = downstream.estimator, subscription.steadiness
    if before is not None and before.point == wanted.point:
        steadiness.fits()
        return wanted
    # without an estimator nothing holds packets back meanwhile; what a dead link did is no sign of anything
    follows = estimator is None or estimator.was_silent(now)
    if before is None and not follows and subscription.current is not None and bitrates_bps:
        if subscription.published.spec.screen_share and wanted.point is None:
            # a first estimate is often too low, and a screen that flows is not stopped by one
            wanted = Allocation(min(bitrates_bps), Reason.BANDWIDTH)
    elif before is not None and not follows:
        left_bps = max(downstream.lasting_bps - downstream.audio_bps, 0.0)
        if not steadiness.follow(before, wanted, bitrates_bps, left_bps, now):
            return before
    steadiness.changed(now)
    return wanted


def bitrates(published: Publication, now: float) -> dict[OperatingPoint, int]:
    """Return the bitrate of each live layer of a publication in bit/s: measured, or an estimate until then."""
    at, known = published.bitrates
    if known and now - at < _BITRATES_KEPT_S:
        return known
    measured = published.bitrates_bps(now)
    found: dict[OperatingPoint, int] = {}
    for spatial, layer in published.layers.items():
        if layer.live_spatials(now):
            points = {point: bps for point, bps in measured.items() if published.stream(point[0]) is layer}
            found |= points or {(spatial, 0): _guess(published.spec.layers, spatial)}
    if found and published.wanted_layers is not None:
        _price_screen(published, published.wanted_layers, found, now)
    published.bitrates = now, found
    return found


def _price_screen(
    published: Publication, wanted: WantedLayers, found: dict[OperatingPoint, int], now: float
) -> None:
    """Return the bitrates of a screen's layers: those that arrive, and those that would arrive if requested."""
    arriving = {spatial for spatial, _ in found}
    for spatial, declared in enumerate(published.spec.layers):
        if spatial not in arriving and wanted.may_come(spatial):
            found[spatial, 0] = _guess(published.spec.layers, spatial)
        if declared.bitrate_bps:
            least = _SCREEN_LEAST * declared.bitrate_bps
            source = published.layers.get(spatial)
            young = source is None or source.rates.age_s(now) < _YOUNG_S
            for point in [each for each in found if each[0] == spatial]:
                found[point] = round(least if young else min(max(found[point], least), declared.bitrate_bps))


def _max_temporal(subscription: Subscription) -> int:
    layers = subscription.published.layers.values()
    return max((layer.temporal_for(subscription.preferences.fps) for layer in layers), default=UNBOUNDED[1])


def _guess(layers: tuple[Layer, ...], spatial: int) -> int:
    if spatial >= len(layers):
        return _UNKNOWN_LAYER_BPS
    layer = layers[spatial]
    return layer.bitrate_bps or layer.width * layer.height * _BITS_PER_PIXEL_S or _UNKNOWN_LAYER_BPS


def _importance(subscription: Subscription, focus: ConnectionId | None) -> Importance:
    published = subscription.published
    if published.spec.screen_share:
        return Importance.SCREEN
    if (
        published.spec.leading
        or published.owner.connection_id == focus
        or subscription.preferences.priority == 1
    ):
        return Importance.FOCUS
    return Importance.OTHER


def _bound(allocation: Allocation | None) -> OperatingPoint | None:
    if allocation is None:
        return UNBOUNDED
    return _LEAST if allocation.reason is Reason.ABSENT else allocation.point
