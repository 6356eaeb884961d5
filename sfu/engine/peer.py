"""One peer connection: its negotiated sections, its transport's state, what it sends and what it receives."""

import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sfu.bandwidth.estimator import Estimator
from sfu.engine.linkstate import LinkReport
from sfu.engine.publication import Publication
from sfu.fanout.pacer import Pacer
from sfu.fanout.template import TemplateClass
from sfu.forwarding.subscription import Subscription
from sfu.limits import PeerLimits
from sfu.receiving.feedback import TransportFeedback
from sfu.receiving.inbound_stream import InboundStream
from sfu.receiving.quality import LossHistory
from sfu.session import negotiation
from sfu.session.ice import IceAgent
from sfu.session.negotiation import Data, Inactive, LocalTransport, Receive, SectionParameters, Send
from sfu.session.sections import InboundSection, OutboundSection, receive_section
from sfu.session.server_offers import ServerOffers, build_offer
from sfu.values import Answer, Channel, PublicationBound, PublicationEnded, Quality, SdpError
from sfu.wire import rtp
from sfu.wire.sdp import RemoteDescription, Section

# A publisher with three simulcast videos and their retransmissions uses about twenty.
MAX_STREAMS = 64
# Decisions about a viewer that are kept; a minute of a link that wavers.
MAX_DECISIONS = 60


def nowhere(_packet: bytes) -> None:
    """Send feedback while there is no transport."""


@dataclass(slots=True)
class LocalIdentity:
    """What every answer of this process says of it."""

    fingerprint: str
    "SHA-256 of the certificate."
    candidates: tuple[str, ...]
    "Candidate lines."


@dataclass(slots=True)
class KnownSsrc:
    """What an SSRC was found to be."""

    layer: InboundStream
    rtx: bool = False


@dataclass(frozen=True, slots=True)
class _Agreement:
    """What became of a client's description, before anything is changed."""

    offer: RemoteDescription
    decisions: list[negotiation.SectionAnswer]
    parameters: list[SectionParameters]
    chosen: dict[str, Subscription]
    "By mid, what the sections that send are to carry."


@dataclass(slots=True)
class Peer:
    """State of one peer connection; the router moves packets through it, the server owns its transport."""

    id: str
    room_id: str
    ice: IceAgent
    feedback: TransportFeedback
    ssrc: int
    "This side's SSRC in feedback and reports to the peer."
    session_id: str
    offer: RemoteDescription | None = None
    version: int = 0
    connected: bool = False
    inbound: Any = None
    "libsrtp session of what the peer sends; None until DTLS is up."
    send_rtcp: Callable[[bytes], None] = nowhere
    transport: int = 0
    "Index of the connection in `Transports`."
    forwarded_to: set[str] = field(default_factory=set)
    "Other rooms in which its publications can be received."
    rtt_s: float = 0.07
    available_bps: float = math.inf
    "Estimate of what the way to the peer carries; infinite until something is known of it."
    estimator: Estimator | None = None
    "Of what the peer is sent; None before the first report of arrivals."
    pacer: Pacer | None = None
    "Where video waits while little is available; None: nothing waits."
    link: LinkReport = field(default_factory=LinkReport)
    "What has been told of its link as a viewer."
    decisions: deque[tuple[float, str]] = field(default_factory=lambda: deque(maxlen=MAX_DECISIONS))
    "(time, words) of what was decided lately about what it is sent."
    narrow_since: float | None = None
    "Since when too little has been available for redundant audio; None: it is not."
    audio_bps: float = 0.0
    "What all audio takes of what is available."
    wanted_bps: float = 0.0
    "Bitrate that would satisfy every wish of the peer; more than what is available is worth probing for."
    limits: PeerLimits = field(default_factory=PeerLimits)
    "What it may send, and ask to be done."
    upstream_loss: LossHistory = field(default_factory=LossHistory)
    "Of what it sends."
    downstream_loss: LossHistory = field(default_factory=LossHistory)
    "Of what it is sent."
    quality: Quality = "excellent"
    "As last told."
    streams: dict[int, KnownSsrc] = field(default_factory=dict)
    "By SSRC."
    receiving: dict[str, InboundSection] = field(default_factory=dict)
    "By mid."
    published: dict[str, Publication] = field(default_factory=dict)
    "By publication."
    subscriptions: dict[str, Subscription] = field(default_factory=dict)
    "By publication."
    sending: dict[str, Subscription] = field(default_factory=dict)
    "By mid."
    by_ssrc: dict[int, Subscription] = field(default_factory=dict)
    "By outgoing SSRC."
    free: dict[str, list[str]] = field(default_factory=lambda: {"audio": [], "video": []})
    "Mids of the last answer's idle sections, by kind."
    sections_requested: bool = False
    "A SectionsNeeded is out and no offer has come since."
    offering: ServerOffers | None = None
    "What the server has offered, where the offers are its own: the peer receives and publishes nothing here."
    assigned: dict[str, Subscription] = field(default_factory=dict)
    "By mid, those in an offer that has not been answered."
    channels: tuple[Channel, ...] = ()
    "Data channels that the server opens."
    sctp: tuple[int, int] | None = None
    "(remote port, remote's largest message) once data channels are negotiated."

    @property
    def rooms(self) -> tuple[str, ...]:
        """All rooms in which its publications can be received."""
        return (self.room_id, *self.forwarded_to)

    def missing_sections(self) -> tuple[int, int] | None:
        """(audio, video) sections that an offer must add for the waiting subscriptions; None when none waits.

        Where the server makes the offers: (0, 0) when the next one would differ from the last.
        """
        waiting = [s for s in self.subscriptions.values() if s.section is None]
        if self.offering is not None:
            ended = any(s.send is not None and s.mid not in self.sending for s in self.offering.sections)
            return (0, 0) if waiting or ended else None
        if not waiting:
            return None
        audio = sum(s.published.spec.kind == "audio" for s in waiting)
        video = len(waiting) - audio
        return max(0, audio - len(self.free["audio"])), max(0, video - len(self.free["video"]))

    def negotiate(
        self,
        offer: RemoteDescription,
        identity: LocalIdentity,
        new_credentials: Callable[[], tuple[str, str]],
    ) -> Answer:
        """Apply an offer: decide on each section, then answer and take over what was decided. SdpError."""
        if self.offering is not None:
            raise SdpError("on this connection the server makes the offers")
        agreed = self._agree(offer)
        if self.offer is not None and agreed.offer.ice_ufrag != self.offer.ice_ufrag:
            self.ice.restart(*new_credentials())  # RFC 8445 section 9
        self.version += 1
        sdp = negotiation.build_answer(
            agreed.offer, agreed.decisions, self._local_transport(identity), agreed.parameters
        )
        self._take_over(agreed)
        published = {
            mid: section.publication.spec.id
            for mid, section in self.receiving.items()
            if section.publication is not None
        }
        return Answer(sdp, published, self._subscribed())

    def make_offer(self, identity: LocalIdentity, restart: tuple[str, str] | None) -> str:
        """Offer what is waiting, and idle sections for what ended; `restart` are new ICE credentials, if wanted."""
        offering = self.offering
        assert offering is not None
        if restart is not None:
            self.ice.restart(*restart)
        carried = {*self.sending, *self.assigned}
        ended = [s for s in offering.sections if s.send is not None and s.mid not in carried]
        # an offer that got no answer is made again, with what has come since
        offered = {subscription.publication_id for subscription in self.assigned.values()}
        for publication_id, subscription in self.subscriptions.items():
            if subscription.section is None and publication_id not in offered:
                spec = subscription.published.spec
                mid = offering.place(spec.kind, _send(subscription), stereo=spec.stereo)
                self.assigned[mid] = subscription
        for section in ended:
            section.send = None
        offering.pending = True
        self.version += 1
        return build_offer(offering.sections, self._local_transport(identity))

    def take_answer(self, answer: RemoteDescription) -> dict[str, str]:
        """Apply the client's answer to the last offer; returns mid -> publication of what flows now. SdpError.

        An answer names, in the offer's order, what the client receives: it is read as an offer of that would be.
        """
        offering = self.offering
        if offering is None or not offering.pending:
            raise SdpError("an answer without an offer")
        agreed = self._agree(answer)
        if [section.mid for section in agreed.offer.sections] != offering.mids():
            raise SdpError("the answer's sections are not those of the offer")
        if any(isinstance(decision, Receive) for decision in agreed.decisions):
            raise SdpError("nothing can be sent on this connection")
        offering.pending = False
        self._take_over(agreed)
        for mid, subscription in self.assigned.items():
            if subscription.section is None:  # the client will not have it, so it is not offered again
                subscription.section = _refused(mid)
        self.assigned = {}
        return self._subscribed()

    def _subscribed(self) -> dict[str, str]:
        return {mid: s.publication_id for mid, s in self.sending.items()}

    def _local_transport(self, identity: LocalIdentity) -> LocalTransport:
        return LocalTransport(
            self.ice.local_ufrag,
            self.ice.local_pwd,
            identity.fingerprint,
            identity.candidates,
            self.session_id,
            self.version,
        )

    def _agree(self, offer: RemoteDescription) -> _Agreement:
        """Decide on each section of the client's description. SdpError."""
        if self.offer is not None:
            if offer.fingerprints != self.offer.fingerprints:
                raise SdpError("the certificate changed")
            if len(offer.sections) < len(self.offer.sections):
                raise SdpError("sections are missing")
        decisions, chosen = self._decide(offer)
        parameters = [
            negotiation.negotiate_section(section, decision)
            for section, decision in zip(offer.sections, decisions, strict=True)
        ]
        return _Agreement(offer, decisions, parameters, chosen)

    # --- deciding, without changing anything -------------------------------------------------------------------

    def _decide(
        self, offer: RemoteDescription
    ) -> tuple[list[negotiation.SectionAnswer], dict[str, Subscription]]:
        """What becomes of each section, and the subscription of each mid that is to send."""
        waiting = {
            kind: [
                s for s in self.subscriptions.values() if s.section is None and s.published.spec.kind == kind
            ]
            for kind in ("audio", "video")
        }
        bindings = self._bindings(offer)
        decisions: list[negotiation.SectionAnswer] = []
        chosen: dict[str, Subscription] = {}
        for section in offer.sections:
            if not section.answerable:
                decisions.append(Inactive())
            elif section.kind == "application":
                decisions.append(Data())
            elif section.direction in {"sendonly", "sendrecv"}:
                decisions.append(_receive(bindings.get(section.mid)))
            elif section.direction == "recvonly":
                subscription = self._choose(section, waiting[section.kind])
                if subscription is not None:
                    chosen[section.mid] = subscription
                decisions.append(Inactive() if subscription is None else _send(subscription))
            else:
                decisions.append(Inactive())
        return decisions, chosen

    def _bindings(self, offer: RemoteDescription) -> dict[str, Publication]:
        """Mid -> publication, for each section on which the peer sends.

        By msid, else (Firefox's track ids differ from those it announces) the first publication of the kind that
        no section carries.
        """
        bound = {
            mid: section.publication
            for mid, section in self.receiving.items()
            if section.publication is not None
        }
        sending = [s for s in offer.sections if s.answerable and s.direction in {"sendonly", "sendrecv"}]
        unbound = [p for p in self.published.values() if p not in bound.values()]
        result = {s.mid: bound[s.mid] for s in sending if s.mid in bound}
        new = [s for s in sending if s.mid not in bound]
        for section in new:
            track_id = section.msid[1] if section.msid else ""
            for published in unbound:
                if track_id and track_id in published.spec.track_ids and published.spec.kind == section.kind:
                    result[section.mid] = published
                    unbound.remove(published)
                    break
        for section in new:
            if section.mid not in result:
                match = next((p for p in unbound if p.spec.kind == section.kind), None)
                if match is not None:
                    result[section.mid] = match
                    unbound.remove(match)
        return result

    def _choose(self, section: Section, waiting: list[Subscription]) -> Subscription | None:
        """What a receiving section carries, taken from `waiting` if it is new; None: nothing."""
        subscription = self.sending.get(section.mid) or self.assigned.get(section.mid)
        if subscription is not None or self.offering is not None:
            return subscription
        # A section whose subscription ended is answered inactive once before it serves another: clients notice
        # a new track only by the direction.
        if not waiting or (section.mid not in self.free[section.kind] and section.mid in self._known_mids()):
            return None
        return waiting.pop(0)

    def _known_mids(self) -> set[str]:
        return {section.mid for section in self.offer.sections} if self.offer is not None else set()

    # --- taking over what was decided ---------------------------------------------------------------------------

    def _take_over(self, agreed: _Agreement) -> None:
        offer = agreed.offer
        self.ice.remote_ufrag = offer.ice_ufrag
        self.offer = offer
        self.sections_requested = False
        bindings = self._bindings(offer)
        self.free = {"audio": [], "video": []}
        for section, decision, parameters in zip(
            offer.sections, agreed.decisions, agreed.parameters, strict=True
        ):
            if isinstance(decision, Receive) and parameters.direction == "recvonly":
                self._receive_on(section, parameters, bindings.get(section.mid))
            elif isinstance(decision, Send):
                self._send_on(agreed.chosen[section.mid], parameters)
            elif isinstance(decision, Data) and parameters.accepted:
                self.sctp = (section.sctp_port, section.max_message_size)
            elif isinstance(decision, Inactive) and section.direction == "recvonly" and parameters.accepted:
                self.free[section.kind].append(section.mid)

    def _receive_on(self, section: Section, agreed: SectionParameters, published: Publication | None) -> None:
        known = self.receiving.get(section.mid)
        new = receive_section(agreed, section.ssrcs, section.fid_groups)
        self.receiving[section.mid] = new
        if published is not None:
            self.bind(section.mid, published)
        if known is not None:
            for stream in self.streams.values():
                if stream.layer.section is known:
                    stream.layer.section = new

    def _send_on(self, subscription: Subscription, agreed: SectionParameters) -> None:
        mid = agreed.mid
        if agreed.direction != "sendonly":
            subscription.section = _refused(mid)
            return
        payload_types: dict[str, int] = {}
        rtx: dict[str, int] = {}
        for codec in agreed.codecs:
            if codec.name not in payload_types:
                payload_types[codec.name] = codec.payload_type
                if codec.rtx_payload_type is not None:
                    rtx[codec.name] = codec.rtx_payload_type
        if subscription.section is None and self.connected and self.offering is None:
            subscription.settling = True
        extensions = tuple(sorted(agreed.extensions.items()))
        kind = TemplateClass(tuple(sorted(payload_types.items())), extensions)
        subscription.section = OutboundSection(mid, kind, rtx)
        self.sending[mid] = subscription
        self.by_ssrc[subscription.ssrc] = subscription

    def bind(self, mid: str, published: Publication) -> None:
        """Let a section carry a publication."""
        section = self.receiving[mid]
        section.publication = published
        published.section = section

    def unbound_section(self, published: Publication) -> str | None:
        """The mid of a section that carries no publication yet and could carry this one."""
        assert self.offer is not None
        return next((mid for mid, bound in self._bindings(self.offer).items() if bound is published), None)

    def ended_publications(self) -> list[Publication]:
        """Those whose section the last offer stopped sending on."""
        assert self.offer is not None
        sending = {
            section.mid
            for section in self.offer.sections
            if section.answerable and section.direction in {"sendonly", "sendrecv"}
        }
        ended = []
        for mid in [mid for mid in self.receiving if mid not in sending]:
            section = self.receiving.pop(mid)
            if section.publication is not None:
                ended.append(section.publication)
        return ended

    def drop_subscription(self, publication_id: str, now: float) -> None:
        """End a subscription; its section is answered inactive next."""
        subscription = self.subscriptions.pop(publication_id, None)
        if subscription is None:
            return
        subscription.end(now)
        self.assigned = {mid: s for mid, s in self.assigned.items() if s is not subscription}
        self.by_ssrc.pop(subscription.ssrc, None)
        if subscription.section is not None:
            self.sending.pop(subscription.section.mid, None)

    # --- streams -------------------------------------------------------------------------------------------------

    def learn(self, packet: bytes, ssrc: int, now: float) -> KnownSsrc | None:
        """Find out what a new SSRC is: by MID and RID extensions, or as announced. None: nothing known yet."""
        if len(self.streams) >= MAX_STREAMS:
            return None
        values = self._identification(packet)
        mid = values.get(rtp.URI_MID, "")
        section = self.receiving.get(mid) if mid else self._announced(ssrc, packet[1] & 0x7F)
        if section is None or section.publication is None:
            return None
        published = section.publication
        payload_type = packet[1] & 0x7F
        rtx = payload_type in section.media_by_rtx
        rid = values.get(rtp.URI_REPAIRED_RID if rtx else rtp.URI_RID, "")
        if rtx:
            return self._learn_rtx(section, published, ssrc, rid)
        if payload_type not in section.codec_by_payload_type:
            return None
        spatial = published.spatial_of(rid) if rid else 0 if not section.parameters.rids else None
        if spatial is None:
            return None
        layer = InboundStream(published, section, ssrc, spatial, now)
        published.layers[spatial] = layer
        stream = self.streams[ssrc] = KnownSsrc(layer)
        return stream

    def _identification(self, packet: bytes) -> dict[str, str]:
        """The SDES extensions of a packet, by URI; ids are the same in all sections of a bundle (RFC 8843 9)."""
        values: dict[str, str] = {}
        elements = rtp.parse_extensions(packet, rtp.header_length(packet))
        for section in self.receiving.values():
            for uri in (rtp.URI_MID, rtp.URI_RID, rtp.URI_REPAIRED_RID):
                found = elements.get(section.parameters.extensions.get(uri, 0))
                if found is not None and uri not in values:
                    at, size = found
                    values[uri] = packet[at : at + size].decode("ascii", "replace")
        return values

    def _announced(self, ssrc: int, payload_type: int) -> InboundSection | None:
        for section in self.receiving.values():
            if ssrc in section.ssrcs or ssrc in section.rtx_ssrcs:
                return section
        # RFC 8843 section 9.2: a payload type that only one section uses names the section
        candidates = [
            section
            for section in self.receiving.values()
            if payload_type in section.codec_by_payload_type or payload_type in section.media_by_rtx
        ]
        return candidates[0] if len(candidates) == 1 else None

    def _learn_rtx(
        self, section: InboundSection, published: Publication, ssrc: int, rid: str
    ) -> KnownSsrc | None:
        layer: InboundStream | None = None
        if rid:
            spatial = published.spatial_of(rid)
            layer = published.layers.get(spatial) if spatial is not None else None
        elif ssrc in section.rtx_ssrcs:
            media = self.streams.get(section.rtx_ssrcs[ssrc])
            layer = media.layer if media is not None else None
        elif not section.parameters.rids:
            layer = published.layers.get(0)
        if layer is None:
            return None
        stream = self.streams[ssrc] = KnownSsrc(layer, rtx=True)
        return stream

    def forget(self, published: Publication) -> None:
        """Drop the streams and the section binding of a publication."""
        for ssrc in [ssrc for ssrc, stream in self.streams.items() if stream.layer.published is published]:
            del self.streams[ssrc]
        for section in self.receiving.values():
            if section.publication is published:
                section.publication = None


def _refused(mid: str) -> OutboundSection:
    """The section of a subscription that the client cannot take: it has no payload type, so nothing is sent."""
    return OutboundSection(mid, TemplateClass((), ()))


def _receive(published: Publication | None) -> Receive:
    if published is None:
        return Receive()
    spec = published.spec
    return Receive(spec.codec, spec.codec_only, spec.stereo, spec.dtx, spec.red, spec.encrypted)


def _send(subscription: Subscription) -> Send:
    published = subscription.primary
    codec = published.section.codec() if published.section is not None else ""
    return Send(
        subscription.stream_id,
        published.spec.id,
        published.owner.id,
        subscription.ssrc,
        subscription.rtx_ssrc,
        codec,
    )


def bound_event(peer: Peer, mid: str, published: Publication) -> PublicationBound:
    """Tell that a publication found its section."""
    return PublicationBound(peer.id, published.spec.id, mid, peer.receiving[mid].codec())


def ended_event(peer: Peer, published: Publication) -> PublicationEnded:
    """Tell that the peer stopped sending a publication."""
    return PublicationEnded(peer.id, published.spec.id)
