"""An SCTP association over DTLS (RFC 9260, RFC 8261): packets and times are arguments, callbacks send packets.

DTLS authenticates the peer, so an association has to withstand that peer alone, not forged source addresses. There is
one path, one pair of ports, and one association for the life of the transport: restarts (RFC 9260 section 5.2) are
ignored. Both ends may send INIT (RFC 8841 section 9.3).
"""

import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from struct import Struct

from sfu.sctp import chunks as sctp
from sfu.sctp.chunks import (
    ABORT,
    COOKIE_ACK,
    COOKIE_ECHO,
    DATA,
    ERROR,
    FORWARD_TSN,
    HEARTBEAT,
    HEARTBEAT_ACK,
    INIT,
    INIT_ACK,
    RE_CONFIG,
    SACK,
    SHUTDOWN,
    SHUTDOWN_ACK,
    SHUTDOWN_COMPLETE,
    Data,
    ForwardTsn,
    Init,
    Packet,
    Plain,
    ReConfig,
    Sack,
    SctpError,
)
from sfu.sctp.receiver import WINDOW_BYTES, ProtocolError, Receiver
from sfu.sctp.reset import Resets
from sfu.sctp.sender import MAX_RETRANSMISSIONS, PACKET_BYTES, RTO_INITIAL_S, RTO_MAX_S, Message, Sender

# The port number in every description (RFC 8841); meaningless over DTLS.
PORT = 5000
# Chromium and Firefox use stream numbers below 1,024.
STREAMS = 1024
MAX_INIT_RETRANSMISSIONS = 8
# RFC 9260 sections 6.1 and 6.2.
MAX_BURST = 4
SACK_DELAY_S = 0.2
HEARTBEAT_INTERVAL_S = 30.0
# Longer error causes and heartbeats are cut or not returned.
MAX_ECHO_BYTES = 512

_COOKIE = Struct("!IIIIHH??")
_COOKIE_MAC_BYTES = 16
_ROOM = PACKET_BYTES - sctp.HEADER_BYTES


class State(Enum):
    """RFC 9260 section 4, without the states of a shutdown started by this side, which ends by ABORT instead."""

    CLOSED = auto()
    COOKIE_WAIT = auto()
    COOKIE_ECHOED = auto()
    ESTABLISHED = auto()
    SHUTDOWN_ACK_SENT = auto()


@dataclass(frozen=True, slots=True)
class Identity:
    """The random values that an association needs."""

    tag: int
    "1 to 2^32 - 1."
    tsn: int
    "0 to 2^32 - 1."
    secret: bytes
    "Signs cookies; 16 bytes."


@dataclass(frozen=True, slots=True)
class Handlers:
    """The owner's callbacks, called from within `receive` and `handle_timeout`."""

    send: Callable[[bytes], None]
    "Sends a packet to the peer."
    message: Callable[[int, int, bytes, bool], None]
    "(stream, protocol, message, whether ordered): a message was received."
    opened: Callable[[], None]
    "The association is established."
    closed: Callable[[str], None]
    "The association has ended: 'closed' by the peer, or 'violation' or 'timeout'."
    reset: Callable[[tuple[int, ...]], None]
    "The peer has closed its side of these streams."
    reset_done: Callable[[tuple[int, ...]], None]
    "This side of these streams may be used again."


def _ignore(*_what: object) -> None:
    """Replace a callback of an owner that is gone."""


class Association:
    """One SCTP association."""

    def __init__(
        self, identity: Identity, handlers: Handlers, max_message_bytes: int, peer_port: int = PORT
    ) -> None:
        """Messages longer than `max_message_bytes` are not delivered."""
        self.state = State.CLOSED
        self.undelivered = 0
        "Bytes of messages that the owner stores; they count against the window."
        self.refused_packets = 0
        "Number of packets that were not SCTP, or not for this association."
        self.peer_streams = STREAMS
        "Number of streams on which this side may send."
        self._identity = identity
        self._handlers = handlers
        self._max_message_bytes = max_message_bytes
        self._peer_port = peer_port
        self._peer_tag = 0
        self.sender = Sender(identity.tsn)
        self.receiver: Receiver | None = None
        self._resets = Resets(self.sender, identity.tsn, handlers.reset, handlers.reset_done)
        self._control: list[bytes] = []
        self._ended = False
        self._setup: bytes | None = None
        "The INIT, COOKIE ECHO or SHUTDOWN ACK that is repeated until it is answered."
        self._setup_at: float | None = None
        self._setup_tries = 0
        self._sack_at: float | None = None
        self._unacknowledged_packets = 0
        self._told_window = WINDOW_BYTES
        self._heartbeat_at: float | None = None
        self._heartbeat_sent = False

    # --- commands of the owner ---------------------------------------------------------------------------------

    def connect(self, now: float) -> None:
        """Send INIT, and repeat it until it is answered."""
        if self.state is not State.CLOSED or self._ended:
            return
        self.state = State.COOKIE_WAIT
        self._repeat(sctp.init(INIT, self._own_init()), now, tag=0)

    def send(self, message: Message, now: float) -> None:
        """Queue a message and send what the windows allow."""
        self.sender.queue(message)
        self.flush(now)

    def reset(self, streams: Sequence[int], now: float) -> None:
        """Close this side of streams (RFC 6525); their waiting messages are dropped."""
        for stream in streams:
            self.sender.discard(stream)
        self._resets.ask(streams)
        self.flush(now)

    def delivered(self, now: float) -> None:
        """`undelivered` has decreased: report a window that was nearly closed and is open again."""
        if self.receiver is None or self.state is not State.ESTABLISHED:
            return
        window = WINDOW_BYTES - self.receiver.held - self.undelivered
        if self._told_window < WINDOW_BYTES // 4 and window >= WINDOW_BYTES // 2:
            self._sack_at = now
            self.flush(now)

    def abort(self) -> None:
        """End the association and notify the peer."""
        if not self._ended and self._peer_tag:
            self._emit([sctp.chunk(ABORT, sctp.cause(sctp.CAUSE_USER_ABORT))])
        self._end()
        # release the owner, so that neither waits for the cyclic garbage collector
        self._handlers = Handlers(*[_ignore] * 6)
        self._resets = Resets(self.sender, 0, _ignore, _ignore)

    def next_at(self) -> float | None:
        """Return when `handle_timeout` must be called next, None for never."""
        if self._ended:
            return None
        times = (self._setup_at, self.sender.timeout_at, self._sack_at, self._resets.at, self._heartbeat_at)
        return min((at for at in times if at is not None), default=None)

    def handle_timeout(self, now: float) -> None:
        """Do everything that is due."""
        if self._ended:
            return
        if self._setup_at is not None and self._setup_at <= now:
            self._repeat_setup(now)
        if self.sender.timeout_at is not None and self.sender.timeout_at <= now:
            self.sender.timed_out(now)
        if self._resets.at is not None and self._resets.at <= now:
            self._resets.timed_out(now, self.sender.rto_s)
            self.sender.errors += 1
        if self._heartbeat_at is not None and self._heartbeat_at <= now:
            self._heartbeat(now)
        if self.sender.errors > MAX_RETRANSMISSIONS:
            self._fail("timeout", sctp.CAUSE_USER_ABORT)
            return
        self.flush(now)

    # --- packets -----------------------------------------------------------------------------------------------

    def receive(self, packet: bytes, now: float) -> None:
        """Process a packet of the peer. Raises nothing: a bad packet is dropped, or ends the association."""
        if self._ended:
            return
        try:
            parsed = sctp.parse(packet)
        except SctpError:
            self.refused_packets += 1
            return
        if not self._is_ours(parsed):
            self.refused_packets += 1
            return
        try:
            self._take(parsed, now)
        except ProtocolError as error:
            self._fail("violation", error.cause)
            return
        if not self._ended:
            self.flush(now)

    def _is_ours(self, packet: Packet) -> bool:
        """Whether ports and verification tag are right (RFC 9260 section 8.5)."""
        if packet.source != self._peer_port or packet.destination != PORT or not packet.chunks:
            return False
        kind, first = packet.chunks[0]
        if kind == INIT:
            return packet.tag == 0 and len(packet.chunks) == 1
        if (
            isinstance(first, Plain)
            and kind in {ABORT, SHUTDOWN_COMPLETE}
            and first.flags & sctp.REFLECTED_TAG
        ):
            return packet.tag == self._peer_tag != 0
        return packet.tag == self._identity.tag

    def _take(self, packet: Packet, now: float) -> None:
        seen = set()
        has_data = immediate = False
        for kind, chunk in packet.chunks:
            if kind == DATA:
                assert isinstance(chunk, Data)
                has_data = True
                immediate |= not self._on_data(chunk)
            elif kind not in seen:
                # Only the first of each type: a packet of many SACKs, heartbeats or resets costs no more than one.
                seen.add(kind)
                handler = self._CHUNKS.get(kind)
                if handler is not None:
                    handler(self, chunk, now)
            if self._ended:
                return
        if packet.unrecognized:
            value = packet.unrecognized[:MAX_ECHO_BYTES]
            self._control.append(sctp.chunk(ERROR, sctp.cause(sctp.CAUSE_UNRECOGNIZED_CHUNK, value)))
        if has_data and self.receiver is not None and self.state is State.ESTABLISHED:
            self._unacknowledged_packets += 1
            immediate |= self.receiver.gaps or self._unacknowledged_packets > 1
            at = now if immediate else now + SACK_DELAY_S
            self._sack_at = at if self._sack_at is None else min(at, self._sack_at)
            self._resets.catch_up(self.receiver)

    def _on_data(self, chunk: Data) -> bool:
        """Process DATA; False if it must be acknowledged at once."""
        if self.receiver is None or self.state is not State.ESTABLISHED:
            return True
        return self.receiver.receive(chunk, self.undelivered) and not chunk.flags & sctp.IMMEDIATE

    def flush(self, now: float) -> None:
        """Send what the windows allow, at most one burst."""
        if self._ended:
            return
        if self.state is not State.ESTABLISHED:
            if self._control:
                self._emit(self._control)
                self._control = []
            return
        request = self._resets.request(now)
        chunks, self._control = self._control, []
        if request is not None:
            chunks.append(request)
        if self._resets.responses:
            chunks.append(sctp.chunk(RE_CONFIG, b"".join(self._resets.responses[:2])))
            self._resets.responses.clear()
        if self._sack_at is not None and self._sack_at <= now:
            chunks.append(self._sack())
        for _ in range(MAX_BURST):
            chunks += self.sender.chunks(_ROOM - sum(map(len, chunks)), now)
            if not chunks:
                break
            self._emit(chunks)
            chunks = []
        if chunks:
            self._emit(chunks)

    def _sack(self) -> bytes:
        assert self.receiver is not None
        self._sack_at = None
        self._unacknowledged_packets = 0
        self._told_window = max(WINDOW_BYTES - self.receiver.held - self.undelivered, 0)
        return self.receiver.sack(self.undelivered)

    def _emit(self, chunks: list[bytes], tag: int | None = None) -> None:
        self._handlers.send(
            sctp.packet(PORT, self._peer_port, self._peer_tag if tag is None else tag, chunks)
        )

    # --- setting up --------------------------------------------------------------------------------------------

    def _own_init(self, cookie: bytes = b"", unrecognized: tuple[bytes, ...] = ()) -> Init:
        return Init(
            self._identity.tag,
            WINDOW_BYTES,
            STREAMS,
            STREAMS,
            self._identity.tsn,
            cookie,
            forward_tsn=True,
            re_config=True,
            unrecognized=unrecognized,
        )

    def _cookie(self, init: Init) -> bytes:
        """Return the content of an INIT, signed, so that it need not be stored until the cookie returns."""
        fields = _COOKIE.pack(
            self._identity.tag,
            init.tag,
            init.window,
            init.tsn,
            init.outbound,
            init.inbound,
            init.forward_tsn,
            init.re_config,
        )
        return fields + hmac.digest(self._identity.secret, fields, "sha256")[:_COOKIE_MAC_BYTES]

    def _on_init(self, init: object, _now: float) -> None:
        assert isinstance(init, Init)
        if self.state in {State.ESTABLISHED, State.SHUTDOWN_ACK_SENT}:
            return  # late, or a restart
        unrecognized = init.unrecognized if sum(map(len, init.unrecognized)) <= MAX_ECHO_BYTES else ()
        answer = sctp.init(INIT_ACK, self._own_init(self._cookie(init), unrecognized))
        self._emit([answer], init.tag)

    def _on_init_ack(self, init: object, now: float) -> None:
        assert isinstance(init, Init)
        if self.state is not State.COOKIE_WAIT:
            return
        self._adopt(init)
        self.state = State.COOKIE_ECHOED
        self._repeat(sctp.chunk(COOKIE_ECHO, init.cookie), now)

    def _on_cookie_echo(self, chunk: object, now: float) -> None:
        assert isinstance(chunk, Plain)
        size = _COOKIE.size
        fields, mac = chunk.value[:size], chunk.value[size:]
        expected = hmac.digest(self._identity.secret, fields, "sha256")[:_COOKIE_MAC_BYTES]
        if len(fields) < size or not hmac.compare_digest(mac, expected):
            return
        tag, peer_tag, window, tsn, outbound, inbound, forward_tsn, re_config = _COOKIE.unpack(fields)
        if self.state is State.ESTABLISHED:
            if peer_tag == self._peer_tag:  # the COOKIE ACK was lost
                self._control.append(sctp.chunk(COOKIE_ACK))
            return
        if self.state is State.SHUTDOWN_ACK_SENT or tag != self._identity.tag:
            return
        self._adopt(
            Init(peer_tag, window, outbound, inbound, tsn, forward_tsn=forward_tsn, re_config=re_config)
        )
        self._control.append(sctp.chunk(COOKIE_ACK))
        self._established(now)

    def _on_cookie_ack(self, _chunk: object, now: float) -> None:
        if self.state is State.COOKIE_ECHOED:
            self._established(now)

    def _adopt(self, init: Init) -> None:
        """Use the values of the peer's INIT, unless they are known already (both sides sent INIT)."""
        if self.receiver is not None and init.tag == self._peer_tag:
            return
        self._peer_tag = init.tag
        self.sender.window = init.window
        self.peer_streams = min(STREAMS, init.inbound)
        self.sender.partial_reliability = init.forward_tsn
        self._resets.supported = init.re_config
        self._resets.expect(init.tsn)
        self.receiver = Receiver(
            init.tsn, self._max_message_bytes, min(STREAMS, init.outbound), self._handlers.message
        )

    def _established(self, now: float) -> None:
        self.state = State.ESTABLISHED
        self._setup = self._setup_at = None
        self._heartbeat_at = now + HEARTBEAT_INTERVAL_S
        self._handlers.opened()

    def _repeat(self, chunk: bytes, now: float, tag: int | None = None) -> None:
        self._setup, self._setup_tries = chunk, 0
        self._setup_at = now + RTO_INITIAL_S
        self._emit([chunk], tag)

    def _repeat_setup(self, now: float) -> None:
        """T1-init, T1-cookie and T2-shutdown."""
        assert self._setup is not None
        self._setup_tries += 1
        if self._setup_tries > MAX_INIT_RETRANSMISSIONS:
            self._fail("timeout", sctp.CAUSE_USER_ABORT)
            return
        self._setup_at = now + min(RTO_INITIAL_S * 2**self._setup_tries, RTO_MAX_S)
        self._emit([self._setup], 0 if self.state is State.COOKIE_WAIT else None)

    # --- established -------------------------------------------------------------------------------------------

    def _on_sack(self, chunk: object, now: float) -> None:
        assert isinstance(chunk, Sack)
        if self.state is State.ESTABLISHED:
            self.sender.acknowledge(chunk, now)

    def _on_forward_tsn(self, chunk: object, now: float) -> None:
        assert isinstance(chunk, ForwardTsn)
        if self.receiver is not None and self.state is State.ESTABLISHED:
            self.receiver.forward(chunk)
            self._sack_at = now
            self._resets.catch_up(self.receiver)

    def _on_re_config(self, chunk: object, now: float) -> None:
        assert isinstance(chunk, ReConfig)
        if self.receiver is not None and self.state is State.ESTABLISHED:
            self._resets.on_reconfiguration(chunk, self.receiver, now)

    def _on_heartbeat(self, chunk: object, _now: float) -> None:
        assert isinstance(chunk, Plain)
        if self.state is State.ESTABLISHED and len(chunk.value) <= MAX_ECHO_BYTES:
            self._control.append(sctp.chunk(HEARTBEAT_ACK, chunk.value))

    def _on_heartbeat_ack(self, _chunk: object, now: float) -> None:
        if self._heartbeat_sent:
            self._heartbeat_sent = False
            self.sender.errors = 0
            self._heartbeat_at = now + HEARTBEAT_INTERVAL_S

    def _heartbeat(self, now: float) -> None:
        """Test an idle path from time to time (section 8.3)."""
        if not self.sender.idle:
            self._heartbeat_sent = False
            self._heartbeat_at = now + HEARTBEAT_INTERVAL_S
            return
        if self._heartbeat_sent:
            self.sender.errors += 1
        self._heartbeat_sent = True
        self._heartbeat_at = now + min(self.sender.rto_s * 2**self.sender.errors, RTO_MAX_S)
        # a heartbeat information parameter (type 1)
        self._control.append(sctp.chunk(HEARTBEAT, sctp.parameter(1, bytes(8))))

    # --- the end -----------------------------------------------------------------------------------------------

    def _on_abort(self, _chunk: object, _now: float) -> None:
        if self._peer_tag:
            self._end()
            self._handlers.closed("closed")

    def _on_shutdown(self, _chunk: object, now: float) -> None:
        """Acknowledge the peer's shutdown; messages waiting for the peer are useless now."""
        if self.state is State.ESTABLISHED:
            self.state = State.SHUTDOWN_ACK_SENT
            self.sender.timeout_at = self._sack_at = self._heartbeat_at = self._resets.at = None
            self._repeat(sctp.chunk(SHUTDOWN_ACK), now)

    def _on_shutdown_complete(self, _chunk: object, _now: float) -> None:
        if self.state is State.SHUTDOWN_ACK_SENT:
            self._end()
            self._handlers.closed("closed")

    def _fail(self, reason: str, cause: int) -> None:
        if self._peer_tag:
            self._emit([sctp.chunk(ABORT, sctp.cause(cause))])
        told = "closed" if self.state is State.SHUTDOWN_ACK_SENT else reason
        self._end()
        self._handlers.closed(told)

    def _end(self) -> None:
        self._ended = True
        self.state = State.CLOSED
        self._control = []
        self.sender = Sender(self._identity.tsn)
        self.receiver = None

    _CHUNKS: dict[int, Callable[["Association", object, float], None]] = {  # noqa: RUF012 - a table, never changed
        INIT: _on_init,
        INIT_ACK: _on_init_ack,
        SACK: _on_sack,
        HEARTBEAT: _on_heartbeat,
        HEARTBEAT_ACK: _on_heartbeat_ack,
        ABORT: _on_abort,
        SHUTDOWN: _on_shutdown,
        COOKIE_ECHO: _on_cookie_echo,
        COOKIE_ACK: _on_cookie_ack,
        SHUTDOWN_COMPLETE: _on_shutdown_complete,
        RE_CONFIG: _on_re_config,
        FORWARD_TSN: _on_forward_tsn,
    }
