"""Retransmission to one subscriber: how often, from which budget, and on the stream of RFC 4588."""

from sfu.budget import Budget, Rate
from sfu.fanout.template import TemplateClass, padding_packet

# A packet is sent again at most this often, and not within this time of the last (a request crossing the answer).
MAX_RESENDS = 3
RESEND_INTERVAL_S = 0.1
# A subscriber's requests are answered from this budget. More is not loss but an attack.
RESENDS = Rate(per_s=1000, burst=512)
_REMEMBERED_RESENDS = 1024


class Resender:
    """The retransmission stream of one subscription."""

    __slots__ = ("_budget", "_resends", "_sequence", "ssrc")

    def __init__(self, ssrc: int, first: int) -> None:
        """`ssrc` and `first`, the number before the first packet's, are random."""
        self.ssrc = ssrc
        self._sequence = first
        self._resends: dict[int, tuple[int, float]] = {}
        self._budget = Budget(RESENDS)

    def admit(self, sequence: int, now: float, rtt_s: float) -> bool:
        """Whether the packet with that outbound number may be sent again now; it then counts as sent."""
        count, last_at = self._resends.get(sequence, (0, float("-inf")))
        if count >= MAX_RESENDS or now - last_at < min(RESEND_INTERVAL_S, 2 * rtt_s):
            return False
        if not self._budget.take_tokens(1, now):
            return False
        self._resends[sequence] = (count + 1, now)
        if len(self._resends) > _REMEMBERED_RESENDS:
            del self._resends[next(iter(self._resends))]
        return True

    def wrap(self, plain: bytearray, payload_type: int) -> bytes:
        """RFC 4588 section 4: the packet on this stream, its original number in front of the payload."""
        header = 12 + (4 + 4 * int.from_bytes(plain[14:16], "big") if plain[0] & 0x10 else 0)
        original = bytes(plain[2:4])
        plain[1] = plain[1] & 0x80 | payload_type
        plain[2:4] = self._next().to_bytes(2, "big")
        plain[8:12] = self.ssrc.to_bytes(4, "big")
        return bytes(plain[:header]) + original + bytes(plain[header:])

    def padding(self, kind: TemplateClass, payload_type: int) -> bytes:
        """A packet of padding on this stream, whose numbers stay without a gap."""
        return padding_packet(kind, payload_type, self.ssrc, self._next())

    def _next(self) -> int:
        self._sequence = (self._sequence + 1) & 0xFFFF
        return self._sequence
