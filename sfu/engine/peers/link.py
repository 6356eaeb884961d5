"""A peer's transport for the engine: how to send to the peer, and the bandwidth and loss of its path."""

import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NewType

from sfu.bandwidth.estimator import Estimator
from sfu.engine.peers.linkstate import LinkReport
from sfu.fanout.pacer import Pacer
from sfu.limits import PeerLimits
from sfu.receiving.feedback import TransportFeedback
from sfu.receiving.inbound_stream import InboundStream, PortableStream
from sfu.receiving.quality import LossHistory
from sfu.session.sections import InboundSection
from sfu.values import PeerId, PublicationSpec, Quality

# Decisions that are kept for explanations: a minute of a path that varies.
MAX_DECISIONS = 60


def nowhere(_packet: bytes) -> None:
    """Discard RTCP while there is no transport."""


def _ignore() -> None:
    return


@dataclass(slots=True, eq=False)
class Downstream:
    """The bandwidth towards one peer: the estimate, and the decisions made with it."""

    available_bps: float = math.inf
    "Infinite until a limit is seen."
    estimator: Estimator | None = None
    "None before the first feedback report."
    pacer: Pacer | None = None
    "Where video waits while little is available; None: nothing waits."
    audio_bps: float = 0.0
    "Part of the available bandwidth that all audio takes."
    requested_bps: float = 0.0
    "Bandwidth with which every request is met; probing is worth it up to here."
    narrow_since: float | None = None
    "Since when too little has been available for redundant audio; None: it is not."
    decisions: deque[tuple[float, str]] = field(default_factory=lambda: deque(maxlen=MAX_DECISIONS))
    "(time, words) of the last decisions."
    report: LinkReport = field(default_factory=LinkReport)
    "What was reported of the path."

    @property
    def lasting_bps(self) -> float:
        """Return the bandwidth that can be allocated; it does not drop for the second in which a queue is drained."""
        return max(self.available_bps, self.estimator.lasting_bps if self.estimator is not None else 0.0)

    @property
    def link_loss(self) -> float:
        """Return the share of packets (0 to 1) that the path loses at any rate."""
        return self.estimator.link_loss if self.estimator is not None else 0.0

    def decided(self, words: str, now: float) -> None:
        """Record a decision, to explain it later."""
        self.decisions.append((now, words))


ConnectionId = NewType("ConnectionId", PeerId)
"One connection of a peer: the peer's only one or its upstream one has the peer's id, its downstream one another."

# Appended to a peer's id, it names the downstream connection of a peer that has two.
_DOWNSTREAM = "/downstream"


def upstream(peer_id: PeerId) -> ConnectionId:
    """Return the peer's upstream connection, or its only one."""
    return ConnectionId(peer_id)


def downstream(peer_id: PeerId) -> ConnectionId:
    """Return the peer's downstream connection, which exists in dual-connection mode only."""
    return ConnectionId(PeerId(peer_id + _DOWNSTREAM))


def peer_of(connection_id: ConnectionId) -> PeerId:
    """Return the peer to which a connection belongs."""
    return PeerId(connection_id.removesuffix(_DOWNSTREAM))


@dataclass(slots=True, eq=False)
class Link:
    """The transport of one peer connection, and the state of its path in both directions."""

    connection_id: ConnectionId
    ssrc: int
    "The server's own in feedback and reports to the peer."
    limits: PeerLimits = field(default_factory=PeerLimits)
    "What the peer may send, and request to be done."
    transport: int = 0
    "Index in `Transports`."
    connected: bool = False
    "ICE and DTLS are up."
    inbound: Any = None
    "libsrtp's context of what the peer sends; None until DTLS is up."
    send_rtcp: Callable[[bytes], None] = nowhere
    dormant: Callable[[], None] = _ignore
    "Called when the peer has sent no media for a long time, so that its next packet is reported."
    make_stream: Callable[[PublicationSpec, InboundSection, int, int, float], InboundStream] = PortableStream
    "Creates what receives a stream of the peer: publication, section, SSRC, spatial layer, time."
    feedback: TransportFeedback = field(init=False)
    "Of the peer's packets."
    rtt_s: float = 0.07
    downstream: Downstream = field(default_factory=Downstream)
    upstream_loss: LossHistory = field(default_factory=LossHistory)
    downstream_loss: LossHistory = field(default_factory=LossHistory)
    quality: Quality = "excellent"
    "As last reported."

    def __post_init__(self) -> None:
        """Create the link; feedback is sent under the server's SSRC."""
        self.feedback = TransportFeedback(self.ssrc)
