"""The packets of a stream in order: reordering within a bound, duplicates, losses, and what to ask for again."""

from recording.values import NS_PER_MS, Loss
from sfu.wire.tap import Packet

# How long a packet waits for one before it. With a fragment's 400 ms, less than a second is in memory.
MAX_WAIT_NS = 300 * NS_PER_MS
MAX_WAITING = 512
# A stream that jumps this far has restarted.
_RESET_JUMP = 3000
# As the engine asks publishers: after 20 ms, as packets overtake each other a little.
_NACK_GRACE_NS = 20 * NS_PER_MS
_NACK_INTERVAL_NS = 100 * NS_PER_MS
_MAX_NACKS = 4
# RFC 4585 section 6.2.1: one packet of feedback names so many with a handful of entries.
_MAX_MISSING = 200


class _Missing:
    __slots__ = ("asked", "due_ns")

    def __init__(self, due_ns: int) -> None:
        self.due_ns = due_ns
        self.asked = 0


class Sequencer:
    """Orders the packets of one stream by extended sequence number."""

    def __init__(self) -> None:
        """Nothing received."""
        self._next = -1
        self._waiting: dict[int, Packet] = {}
        self._missing: dict[int, _Missing] = {}

    def push(self, packet: Packet) -> list[Packet | Loss]:
        """What this packet allows to hand on."""
        sequence = packet.sequence
        if self._next < 0:
            self._next = sequence
        ready: list[Packet | Loss] = []
        ahead = sequence - self._next
        if abs(ahead) > _RESET_JUMP:
            ready += self.flush()
            ready.append(Loss(max(ahead, 1)))
            self._next, ahead = sequence, 0
            self._missing.clear()
        if ahead < 0 or sequence in self._waiting:
            return ready
        self._missing.pop(sequence, None)
        if ahead and not self._waiting:
            self._note_missing(self._next, sequence, packet.arrived_ns)
        elif ahead and sequence > (highest := max(self._waiting)) + 1:
            self._note_missing(highest + 1, sequence, packet.arrived_ns)
        self._waiting[sequence] = packet
        ready += self._in_order()
        if len(self._waiting) > MAX_WAITING:
            ready += self._skip()
        return ready

    def poll(self, now_ns: int) -> list[Packet | Loss]:
        """What can be handed on because the packets before it are given up."""
        ready: list[Packet | Loss] = []
        while self._waiting and now_ns - self._waiting[min(self._waiting)].arrived_ns >= MAX_WAIT_NS:
            ready += self._skip()
        return ready

    def flush(self) -> list[Packet | Loss]:
        """Everything that waits, at the end of the stream."""
        ready: list[Packet | Loss] = []
        while self._waiting:
            ready += self._skip()
        return ready

    def nacks(self, now_ns: int) -> tuple[int, ...]:
        """Packets to ask for now; they count as asked."""
        due: list[int] = []
        for sequence, missing in list(self._missing.items()):
            if missing.due_ns > now_ns:
                continue
            due.append(sequence)
            missing.due_ns = now_ns + _NACK_INTERVAL_NS
            missing.asked += 1
            if missing.asked == _MAX_NACKS:
                del self._missing[sequence]
        return tuple(due)

    def _note_missing(self, first: int, end: int, now_ns: int) -> None:
        for sequence in range(max(first, end - _MAX_MISSING), end):
            self._missing[sequence] = _Missing(now_ns + _NACK_GRACE_NS)
        for sequence in list(self._missing)[:-_MAX_MISSING]:
            del self._missing[sequence]

    def _in_order(self) -> list[Packet | Loss]:
        ready: list[Packet | Loss] = []
        while (packet := self._waiting.pop(self._next, None)) is not None:
            ready.append(packet)
            self._next += 1
        return ready

    def _skip(self) -> list[Packet | Loss]:
        """Give up the missing packets before the first waiting one."""
        first = min(self._waiting)
        lost = first - self._next
        for sequence in [number for number in self._missing if number < first]:
            del self._missing[sequence]
        self._next = first
        return [Loss(lost), *self._in_order()]
