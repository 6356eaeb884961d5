"""Packets that open a stream before its media, for clients that announce a track only at its first packet.

Pion fires `OnTrack` at the first RTP packet of a stream, so an application on LiveKit's Go SDK would never hear of a
muted microphone or of a camera that sends nothing. Such a client is sent silence or padding until media comes, for a
few seconds at most, since some of the packets may be lost.
"""

import struct
from functools import partial

from sfu.engine.context import Context
from sfu.engine.deadlines import Reason
from sfu.engine.peers.peer import Peer
from sfu.engine.peers.publication import Subscription

# Media that is on its way goes first.
FIRST_AFTER_S = 0.1
# The intervals and the duration are LiveKit's.
INTERVAL_S, PACKETS = 0.1, 50
# Opus, 20 ms of silence: CELT, fullband, one frame (RFC 6716 section 3.1).
SILENCE = b"\xf8\xff\xfe"
# RFC 3550 section 5.1: the last octet counts the octets of padding.
_PADDING = bytes(31) + b"\x20"


class Openings:
    """Sends the opening packets of streams to subscribers."""

    def __init__(self, context: Context) -> None:
        """Create it; each stream that is being opened has a deadline."""
        self._context = context

    def consider(self, peer: Peer, now: float) -> None:
        """Open the streams to a peer that need it."""
        if not peer.traits.announces_by_media or not peer.link.connected:
            return
        for publication_id in peer.negotiated.outbound.values():
            subscription = peer.subscriptions[publication_id]
            is_open = subscription.opened or self._context.deadlines.is_set(subscription, Reason.OPENING)
            if not is_open and not subscription.settling:
                self._later(peer, subscription, PACKETS, now + FIRST_AFTER_S)

    def _later(self, peer: Peer, subscription: Subscription, left: int, at: float) -> None:
        duty = partial(self._step, peer, subscription, left, at)
        self._context.deadlines.set(subscription, Reason.OPENING, at, duty)

    def _step(self, peer: Peer, subscription: Subscription, left: int, at: float, now: float) -> None:
        """Send the next of the `left` remaining packets, which was due at `at`."""
        if not peer.link.connected or peer.by_ssrc.get(subscription.ssrc) is not subscription:
            return
        if left == 0 or subscription.current is not None:
            subscription.opened = True
            return
        packet = _packet(subscription, now)
        if packet is not None:
            self._context.rows.add_packet(packet, peer.link.transport)
        self._later(peer, subscription, left - 1, at + INTERVAL_S)


def _packet(subscription: Subscription, now: float) -> bytes | None:
    """Return the next packet; None if the client accepts no codec."""
    section, published = subscription.section, subscription.published
    payload_types = section.kind.payload_type_by_codec if section is not None else {}
    if not payload_types:
        return None
    if published.spec.kind == "audio" and "opus" in payload_types:
        sequence, timestamp = subscription.timeline.fill(48_000, now)
        head = struct.pack("!BBHII", 0x80, payload_types["opus"], sequence, timestamp, subscription.ssrc)
        return head + SILENCE
    codec = published.codec or (published.section.codec() if published.section is not None else "")
    payload_type = payload_types.get(codec, next(iter(payload_types.values())))
    clock_rate = 90_000 if published.spec.kind == "video" else 8_000
    sequence, timestamp = subscription.timeline.fill(clock_rate, now)
    return struct.pack("!BBHII", 0xA0, payload_type, sequence, timestamp, subscription.ssrc) + _PADDING
