"""What one peer may send and request in a second; `sfu.budget` is the mechanism.

The figures are several times what browsers and native clients need in a large lesson, and small beside what one core
does. A peer that exceeds them has its excess dropped; what a client repeats by itself (NACK, PLI, feedback) is lost
without harm.
"""

from collections import Counter

from sfu.budget import Budget, Rate
from sfu.settings import MediaSettings

# Largest burst of media, in seconds of the highest rate: 300 packets, which is half a second of an ordinary publisher
# after a stall of its wireless link. libwebrtc spreads its keyframes; and what is lost here is asked for again.
MEDIA_BURST_S = 0.1
# Octets of RTCP, with this much for each datagram (decryption and parsing cost the same for a short one). 5 % of a
# session (RFC 3550 section 6.2) of 10 Mbit/s is 62 kB/s; reports of the arrival of 3,000 packets/s are 10 kB/s.
RTCP_OCTETS = Rate(per_s=64_000, burst=64_000)
RTCP_DATAGRAM_OCTETS = 64
# Packets named in NACKs, each of which is looked up. What is then sent again has a lower bound of its own
# (`subscription.RESENDS_PER_S`, for each subscription); a look-up costs 5 to 20 us.
LOOK_UPS = Rate(per_s=2000, burst=1024)
# A viewer of 49 videos asks for as many keyframes when it joins.
KEYFRAME_REQUESTS = Rate(per_s=20, burst=100)
# Packets that a report of arrivals is about, and this many for the report itself. A report is about what was sent
# since the last one, so a claim of many thousands is false.
REPORTED_PACKETS = Rate(per_s=10_000, burst=10_000)
REPORT_PACKETS = 50
# Receivers' estimates (REMB): libwebrtc sends one each second, and at once when it falls. Each may share a viewer's
# bandwidth anew.
ESTIMATES = Rate(per_s=10, burst=20)
# Packets of unknown streams that are searched for their section: the first of each stream, and those that overtake
# the announcement of a track.
UNKNOWN_PACKETS = Rate(per_s=100, burst=200)
# Of each stream. libwebrtc reports a video each second; each report goes to all viewers.
SENDER_REPORTS = Rate(per_s=4, burst=8)
# A second with more excess than this, in datagrams, counts as one of a flood. Congestion control that has overshot
# exceeds a limit by less, or for less than a second.
TOLERATED_EXCESS = 300
# What a peer pays for each packet once its excess is a flood, until a second without one: congestion control that
# works has adapted by then, and a client that has none is not worth a quarter of a core.
FLOOD_PRICE = 4
# Seconds of a flood, in a row, after which the publications that cause it are muted, and then the peer is closed.
MUTED_AFTER_S, CLOSED_AFTER_S = 2, 6


class PeerLimits:
    """The budgets of one peer connection."""

    __slots__ = (
        "_dropped",
        "_dtls_datagrams",
        "_dtls_octets",
        "_excess",
        "_forged",
        "_octets",
        "_packets",
        "_rtcp",
        "_taken",
        "estimates",
        "flooded_s",
        "keyframes",
        "look_ups",
        "reported",
        "unknown",
    )

    def __init__(self, settings: MediaSettings | None = None) -> None:
        """`settings` has the limits of media."""
        settings = settings or MediaSettings()
        packets, octets = settings.max_packets_per_s, settings.max_bitrate_bps / 8
        datagram_rate = Rate(packets, packets * MEDIA_BURST_S)
        octet_rate = Rate(octets, octets * MEDIA_BURST_S)
        self._packets, self._octets = Budget(datagram_rate), Budget(octet_rate)
        self._dtls_datagrams, self._dtls_octets = Budget(datagram_rate), Budget(octet_rate)
        self._rtcp = Budget(RTCP_OCTETS)
        self.look_ups = Budget(LOOK_UPS)
        self.keyframes = Budget(KEYFRAME_REQUESTS)
        self.reported = Budget(REPORTED_PACKETS)
        self.estimates = Budget(ESTIMATES)
        self.unknown = Budget(UNKNOWN_PACKETS)
        self._excess: Counter[int] = Counter()
        self._dropped = self._taken = self._forged = 0
        self.flooded_s = 0
        "Seconds in a row in which the excess was more than tolerated."

    def rtp(self, ssrc: int, octets: int, now: float) -> bool:
        """Charge a packet of media; return whether it may be processed."""
        price = FLOOD_PRICE if self.flooded_s or self._dropped > TOLERATED_EXCESS else 1
        if self._packets.left(now) >= price and self._octets.take_tokens(octets, now):
            self._taken += 1
            return self._packets.take_tokens(price, now)
        self.exceeded(ssrc)
        return False

    def exceeded(self, ssrc: int) -> None:
        """Count a packet that is dropped for lack of budget."""
        # the streams of one peer are 64 at most; SSRCs that it makes up have one entry together
        self._dropped += 1
        self._excess[ssrc if len(self._excess) < 64 or ssrc in self._excess else 0] += 1

    def forged(self) -> None:
        """Count a packet that was charged and then failed authentication."""
        self._forged += 1

    def rtcp(self, octets: int, now: float) -> bool:
        """Charge a compound packet; return whether it may be processed."""
        if self._rtcp.take_tokens(octets + RTCP_DATAGRAM_OCTETS, now):
            self._taken += 1
            return True
        self.exceeded(0)
        return False

    def dtls(self, octets: int, now: float) -> bool:
        """Charge a DTLS datagram; return whether it may be processed. SCTP adapts, so this is never a flood."""
        return (
            self._dtls_datagrams.left(now) >= 1
            and self._dtls_octets.take_tokens(octets, now)
            and self._dtls_datagrams.take_tokens(1, now)
        )

    def close_second(self) -> dict[int, int]:
        """End a second; return its excess by SSRC (0: none), empty if it was no flood.

        Budgets are charged before decryption, so a stranger who forges the peer's address spends them too. Where most
        of what was taken failed authentication, the excess is the stranger's, and the peer is not punished for it.
        """
        excess, self._excess = self._excess, Counter()
        dropped, taken, forged = self._dropped, self._taken, self._forged
        self._dropped = self._taken = self._forged = 0
        if dropped <= TOLERATED_EXCESS or 2 * forged > taken:
            self.flooded_s = 0
            return {}
        self.flooded_s += 1
        return excess
