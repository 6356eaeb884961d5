"""Data channels on an association (RFC 8831, RFC 8832), bounding what a peer sends and what it fails to read.

Incoming messages have a budget per peer: reliable messages beyond it wait and close the receive window, lossy ones are
dropped. Outgoing messages wait in a queue per channel. A reader that is too slow for a reliable channel loses one flow
(messages that belong together, such as a file), and the owner is notified; a lossy message older than LOSSY_AGE_S is
dropped.
"""

from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from struct import Struct

from sfu.sctp.association import Association, Handlers, Identity
from sfu.sctp.sender import Message
from sfu.values import MAX_MESSAGE_BYTES, Channel, CloseReason

# LiveKit's clients open three.
MAX_CHANNELS = 16
MAX_LABEL_BYTES = 256
# Per channel and reader. A file up to this size is not lost even if the reader is slow.
RELIABLE_BACKLOG_BYTES = 8 * 1024 * 1024
LOSSY_BACKLOG_BYTES = 256 * 1024
# All readers of an engine together, counted as if each had its own copy; in fact they share one.
TOTAL_BACKLOG_BYTES = 512 * 1024 * 1024
# Limit per channel and reader once TOTAL_BACKLOG_BYTES is exceeded.
LEAST_BACKLOG_BYTES = 256 * 1024
# The position of a pointer or cursor is worthless after that.
LOSSY_AGE_S = 1.5
# Limit on messages stored for channels that are not open yet (LiveKit: 100,000 bytes).
PENDING_BYTES = 100_000
# Dropped flows stored per channel; forgetting one costs bandwidth and nothing else.
MAX_LOST_FLOWS = 64
# Budgets of one sender. A message costs its bytes plus MESSAGE_COST for the work, which limits lossy messages to about
# 500 a second and reliable ones to 1,200. A burst is one second's worth.
MESSAGE_COST = 2048
RELIABLE_PER_S, LOSSY_PER_S = 2_500_000, 1_100_000
# Time until the next attempt to deliver to a busy owner.
BUSY_S = 0.02

# RFC 8831 section 8.
_DCEP, _STRING, _BINARY, _STRING_EMPTY, _BINARY_EMPTY = 50, 51, 53, 56, 57
# RFC 8832 section 5.
_OPEN = Struct("!BBHIHH")
_OPEN_TYPE, _ACK_TYPE = 3, 2
_UNORDERED, _REXMIT, _TIMED = 0x80, 1, 2


@dataclass(slots=True, eq=False)
class _Channel:
    """One open channel."""

    stream: int
    label: str
    ordered: bool
    max_retransmits: int | None
    lifetime_s: float | None
    opened: bool
    lost_flows: dict[str, None]

    @property
    def lossy(self) -> bool:
        return self.max_retransmits is not None or self.lifetime_s is not None


class Budget:
    """A token bucket that holds one second's worth of tokens."""

    __slots__ = ("_at", "_left", "_per_s")

    def __init__(self, per_s: float) -> None:
        """`per_s` tokens are added per second."""
        self._per_s = self._left = float(per_s)
        self._at = 0.0

    def take_tokens(self, cost: float, now: float) -> bool:
        """Take `cost` tokens if available; otherwise return False. A cost above the bucket's size needs it full."""
        self._left = min(self._per_s, self._left + (now - self._at) * self._per_s)
        self._at = now
        if self._left < min(cost, self._per_s):
            return False
        self._left -= cost
        return True

    def at(self, cost: float) -> float:
        """Return when `cost` tokens are surely available: 1 ms late, so that rounding cannot make it too early."""
        return self._at + max(min(cost, self._per_s) - self._left, 0.0) / self._per_s + 0.001


@dataclass(slots=True)
class Backlog:
    """The bytes waiting for all readers of an engine."""

    bytes: int = 0


@dataclass(frozen=True, slots=True)
class Owner:
    """The callbacks of the owner of data channels."""

    send: Callable[[bytes], None]
    "Sends a packet to the peer."
    message: Callable[[str, bytes], None]
    "(label, payload): a message was received."
    refused: Callable[[str, str], None]
    "(label, flow): a reliable message, or with a flow all its waiting messages, will not arrive."
    failed: Callable[[CloseReason], None]
    "The association failed; called once."
    busy: Callable[[], bool]
    "Whether messages should be delivered later."


def _ignore(*_what: object) -> None:
    """Replace a callback of an owner that is gone."""


class DataChannels:
    """All data channels of one peer, by label."""

    def __init__(self, identity: Identity, owner: Owner, backlog: Backlog, port: int, max_bytes: int) -> None:
        """`port` and `max_bytes` (of a message; 0: no limit) are the peer's; `backlog` is the engine's."""
        handlers = Handlers(
            send=owner.send,
            message=self._message,
            opened=self._established,
            closed=self._closed,
            reset=self._reset,
            reset_done=lambda _streams: None,
        )
        self.association = Association(identity, handlers, MAX_MESSAGE_BYTES, port)
        self.counts: Counter[str] = Counter()
        "Number of dropped messages, by reason."
        self._owner = owner
        self._backlog = backlog
        self._counted = 0
        self._max_bytes = max_bytes
        self._ours: tuple[Channel, ...] = ()
        self._first_stream = 1
        self._by_stream: dict[int, _Channel] = {}
        self._by_label: dict[str, _Channel] = {}
        self._pending: dict[str, deque[tuple[bytes, str]]] = {}
        self._pending_bytes = 0
        self._inbox: deque[tuple[str, bytes]] = deque()
        self._inbox_at: float | None = None
        self._reliable, self._lossy = Budget(RELIABLE_PER_S), Budget(LOSSY_PER_S)
        self._failed = False
        self._now = 0.0

    # --- life --------------------------------------------------------------------------------------------------

    def start(self, channels: Iterable[Channel], now: float, *, dtls_client: bool = False) -> None:
        """Open the association and this side's channels."""
        self._now = now
        # RFC 8832 section 6: the DTLS client uses the even streams, the DTLS server the odd ones
        self._first_stream = 0 if dtls_client else 1
        self._ours = tuple(channels)
        self.association.connect(now)

    def stop(self) -> None:
        """Abort the association."""
        self._failed = True
        self.association.abort()
        self._account()
        # released as in `Association.abort`
        self._owner = Owner(_ignore, _ignore, _ignore, _ignore, lambda: True)

    def receive(self, packet: bytes, now: float) -> None:
        """Process an SCTP packet."""
        self._now = now
        self.association.receive(packet, now)
        self._account()

    def next_at(self) -> float | None:
        """Return when `handle_timeout` must be called next, None for never."""
        times = (self.association.next_at(), self._inbox_at)
        return min((at for at in times if at is not None), default=None)

    def handle_timeout(self, now: float) -> None:
        """Do everything that is due."""
        self._now = now
        if self._inbox_at is not None and self._inbox_at <= now:
            self._deliver()
        self.association.handle_timeout(now)
        self._account()

    def flush(self, now: float) -> None:
        """Send what `send` queued, as far as the windows allow."""
        self._now = now
        self.association.flush(now)
        self._account()

    def _account(self) -> None:
        sender = self.association.sender
        waiting = sum(sender.backlog(stream) for stream in self._by_stream)
        self._backlog.bytes += waiting - self._counted
        self._counted = waiting

    def _closed(self, reason: str) -> None:
        """Process the association's end: if the peer ended it, only its channels are closed."""
        self._by_stream.clear()
        self._by_label.clear()
        self._inbox.clear()
        self._inbox_at = None
        if reason != "closed":
            self._fail("error")

    def _fail(self, reason: CloseReason) -> None:
        if not self._failed:
            self._failed = True
            self._owner.failed(reason)

    # --- incoming messages ------------------------------------------------------------------------------------

    def _message(self, stream: int, protocol: int, message: bytes, _ordered: bool) -> None:
        if protocol == _DCEP:
            self._control(stream, message)
            return
        channel = self._by_stream.get(stream)
        if channel is None or protocol not in {_STRING, _BINARY, _STRING_EMPTY, _BINARY_EMPTY}:
            self.counts["unknown"] += 1
            return
        payload = b"" if protocol in {_STRING_EMPTY, _BINARY_EMPTY} else message
        if channel.lossy:
            if self._owner.busy() or not self._lossy.take_tokens(len(payload) + MESSAGE_COST, self._now):
                self.counts["over_budget"] += 1
            else:
                self._owner.message(channel.label, payload)
            return
        self._inbox.append((channel.label, payload))
        self.association.undelivered += len(payload) + MESSAGE_COST
        if len(self._inbox) == 1:
            self._deliver()

    def _deliver(self) -> None:
        """Deliver reliable messages within the sender's budget."""
        inbox, self._inbox_at = self._inbox, None
        delivered = False
        while inbox:
            label, payload = inbox[0]
            cost = len(payload) + MESSAGE_COST
            if self._owner.busy():
                self._inbox_at = self._now + BUSY_S
                break
            if not self._reliable.take_tokens(cost, self._now):
                self._inbox_at = self._reliable.at(cost)
                break
            inbox.popleft()
            self.association.undelivered -= cost
            delivered = True
            self._owner.message(label, payload)
        if delivered:
            self.association.delivered(self._now)

    def _control(self, stream: int, message: bytes) -> None:
        """Process a DCEP message (RFC 8832)."""
        channel = self._by_stream.get(stream)
        if message[0] == _ACK_TYPE and channel is not None:
            self._opened(channel)
        elif message[0] == _OPEN_TYPE and channel is None:
            channel = _read_open(stream, message)
            if channel is None:
                self.counts["malformed_open"] += 1
                self.association.reset([stream], self._now)
            elif len(self._by_stream) >= MAX_CHANNELS or stream >= self.association.peer_streams:
                self._fail("data_overflow")
            else:
                self._by_stream[stream] = channel
                self._dcep(stream, bytes([_ACK_TYPE]))
                self._opened(channel)

    def _opened(self, channel: _Channel) -> None:
        if channel.opened and self._by_label.get(channel.label) is channel:
            return
        channel.opened = True
        self._by_label[channel.label] = channel
        for payload, flow in self._pending.pop(channel.label, ()):
            self._pending_bytes -= len(payload)
            self._queue(channel, payload, flow, self._now)

    def _established(self) -> None:
        for number, ours in enumerate(self._ours):
            stream = 2 * number + self._first_stream
            self._by_stream[stream] = _Channel(
                stream, ours.label, ours.ordered, ours.max_retransmits, None, opened=False, lost_flows={}
            )
            kind = (0 if ours.ordered else _UNORDERED) | (0 if ours.max_retransmits is None else _REXMIT)
            label = ours.label.encode()
            head = _OPEN.pack(_OPEN_TYPE, kind, 0, ours.max_retransmits or 0, len(label), 0)
            self._dcep(stream, head + label)

    def _dcep(self, stream: int, message: bytes) -> None:
        self.association.sender.queue(Message(stream, _DCEP, message))

    def _reset(self, streams: tuple[int, ...]) -> None:
        """Close this side of channels that the peer closes (RFC 8831 section 6.7)."""
        for stream in streams or tuple(self._by_stream):
            channel = self._by_stream.pop(stream, None)
            if channel is None:
                continue
            if self._by_label.get(channel.label) is channel:
                del self._by_label[channel.label]
                for other in self._by_stream.values():
                    if other.label == channel.label and other.opened:
                        self._by_label[other.label] = other
            self.association.reset([stream], self._now)

    # --- outgoing messages ------------------------------------------------------------------------------------

    def send(self, label: str, payload: bytes, flow: str, now: float) -> bool:
        """Queue a message for the next `flush`; False if it will not arrive.

        For a reliable channel the owner is also notified of that, once per flow.
        """
        channel = self._by_label.get(label)
        if channel is None:
            if self._pending_bytes + len(payload) > PENDING_BYTES:
                self.counts["not_open"] += 1
                return False
            self._pending.setdefault(label, deque()).append((payload, flow))
            self._pending_bytes += len(payload)
            return True
        return self._queue(channel, payload, flow, now)

    def _queue(self, channel: _Channel, payload: bytes, flow: str, now: float) -> bool:
        if flow in channel.lost_flows:
            return False
        if (self._max_bytes and len(payload) > self._max_bytes) or not self._make_room(
            channel, len(payload), flow
        ):
            self.counts["slow_reader"] += 1
            if not channel.lossy and flow not in channel.lost_flows:
                self._lose(channel, flow)
            return False
        message = Message(
            channel.stream,
            _BINARY if payload else _BINARY_EMPTY,
            payload or b"\0",
            channel.ordered,
            channel.max_retransmits,
            flow=flow,
        )
        if channel.lossy:
            message.expires_at = now + min(LOSSY_AGE_S, channel.lifetime_s or LOSSY_AGE_S)
        self.association.sender.queue(message)
        return True

    def _make_room(self, channel: _Channel, size: int, flow: str) -> bool:
        """Whether there is room; a reliable channel makes room by dropping the flow with the most waiting bytes."""
        sender = self.association.sender
        limit = LOSSY_BACKLOG_BYTES if channel.lossy else RELIABLE_BACKLOG_BYTES
        if self._backlog.bytes > TOTAL_BACKLOG_BYTES:
            limit = min(limit, LEAST_BACKLOG_BYTES)
        if sender.backlog(channel.stream) + size <= limit:
            return True
        if channel.lossy:
            return False
        waiting: Counter[str] = Counter({flow: size})
        for other, bytes_ in sender.flows(channel.stream):
            waiting[other] += bytes_
        del waiting[""]
        if not waiting:
            return False
        largest = max(waiting, key=lambda one: waiting[one])
        self._lose(channel, largest)
        return largest != flow and sender.backlog(channel.stream) + size <= limit

    def _lose(self, channel: _Channel, flow: str) -> None:
        """Drop the waiting messages of a flow, and notify the owner."""
        if flow:
            self.association.sender.discard(channel.stream, flow)
            if len(channel.lost_flows) >= MAX_LOST_FLOWS:
                del channel.lost_flows[next(iter(channel.lost_flows))]
            channel.lost_flows[flow] = None
        self._owner.refused(channel.label, flow)


def _read_open(stream: int, message: bytes) -> _Channel | None:
    """Return the channel that DATA_CHANNEL_OPEN requests; None if the message is malformed."""
    if len(message) < _OPEN.size:
        return None
    _, kind, _, reliability, label_bytes, protocol_bytes = _OPEN.unpack_from(message)
    if label_bytes > MAX_LABEL_BYTES or len(message) != _OPEN.size + label_bytes + protocol_bytes:
        return None
    try:
        label = message[_OPEN.size : _OPEN.size + label_bytes].decode()
    except UnicodeDecodeError:
        return None
    partial = kind & ~_UNORDERED
    if partial > _TIMED:
        return None
    return _Channel(
        stream,
        label,
        ordered=not kind & _UNORDERED,
        max_retransmits=reliability if partial == _REXMIT else None,
        lifetime_s=reliability / 1000 if partial == _TIMED else None,
        opened=True,
        lost_flows={},
    )
