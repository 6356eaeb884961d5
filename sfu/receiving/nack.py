"""Receiving one publisher's packets: what is missing, what is reported back.

Three independent parts: `NackGenerator` and `ReceiverStatistics` per SSRC, `TransportFeedback` per transport.
Times are seconds of one monotonic clock.
"""

# LiveKit's rules for requests to publishers
_MAX_OUTSTANDING = 100
_MAX_TRIES = 5
_MIN_INTERVAL_S = 0.02
_MAX_INTERVAL_S = 0.4
_BACKOFF = 1.25
_DEFAULT_RTT_S = 0.07
# Galene's rule: packets overtake each other a little, so a gap is asked for after two later packets or 20 ms
_GRACE_PACKETS = 2
_GRACE_S = 0.02
# A publisher that jumps this far has begun anew or was away: nothing of the gap is of use to anybody
_RESET_JUMP = 1000


class _Missing:
    """A missing packet that was or will be requested."""

    __slots__ = ("at", "early_from", "tries")

    def __init__(self, at: float, early_from: int) -> None:
        self.at = at
        self.early_from = early_from
        self.tries = 0


class NackGenerator:
    """Decides which missing packets of a stream are requested by NACK, and when."""

    __slots__ = ("_early_from", "_highest", "_missing", "_next_at", "rtt_s")

    def __init__(self) -> None:
        """Nothing received yet."""
        self.rtt_s = _DEFAULT_RTT_S
        "Round-trip time to the publisher; set it when it is measured."
        self._highest: int | None = None
        self._missing: dict[int, _Missing] = {}
        self._next_at: float | None = None
        # the highest number from which a missing packet need not wait out its grace; None: nobody is in grace
        self._early_from: int | None = None

    def received(self, ext_seq: int, now: float) -> bool:
        """Record an arrival, original or retransmitted; return whether `next_at` may be earlier now."""
        highest = self._highest
        if highest is not None and ext_seq == highest + 1:
            self._highest = ext_seq
        elif highest is None or ext_seq - highest > _RESET_JUMP:
            self._highest = ext_seq
            self._missing.clear()
            self._next_at = self._early_from = None
        elif ext_seq > highest:
            self._highest = ext_seq
            self._add_gap(highest + 1, ext_seq, now)
        else:
            self._missing.pop(ext_seq, None)
            return False
        if self._early_from is None:
            return False
        if ext_seq >= self._early_from:
            self._end_grace(ext_seq, now)
        return True

    def due(self, now: float) -> list[int]:
        """Return the extended numbers to request now, in ascending order; they count as requested."""
        if self._next_at is None or now < self._next_at:
            return []
        asked = []
        for ext_seq, missing in list(self._missing.items()):
            if missing.at > now:
                continue
            asked.append(ext_seq)
            missing.tries += 1
            if missing.tries == _MAX_TRIES:
                del self._missing[ext_seq]
                continue
            interval_s = self.rtt_s * _BACKOFF ** (missing.tries - 1)
            missing.at = now + min(max(interval_s, _MIN_INTERVAL_S), _MAX_INTERVAL_S)
        self._next_at = min((missing.at for missing in self._missing.values()), default=None)
        return asked

    def next_at(self) -> float | None:
        """Return when to call `due` next; None if nothing is missing."""
        return self._next_at if self._missing else None

    def _add_gap(self, first: int, end: int, now: float) -> None:
        """Record that `first` up to `end` are missing; if too many are, give up the oldest."""
        early_from = end + _GRACE_PACKETS - 1
        for ext_seq in range(max(first, end - _MAX_OUTSTANDING), end):
            self._missing[ext_seq] = _Missing(now + _GRACE_S, early_from)
        for ext_seq in list(self._missing)[:-_MAX_OUTSTANDING]:
            del self._missing[ext_seq]
        if self._next_at is None or now + _GRACE_S < self._next_at:
            self._next_at = now + _GRACE_S
        if self._early_from is None:
            self._early_from = early_from

    def _end_grace(self, highest: int, now: float) -> None:
        """Make those missing packets due at once that enough later packets have overtaken."""
        self._early_from = None
        for missing in self._missing.values():
            if missing.tries:
                continue
            if missing.early_from <= highest:
                missing.at = min(missing.at, now)
                self._next_at = now
            elif self._early_from is None:
                self._early_from = missing.early_from
