"""One peer connection: its link, its descriptions, what it publishes and what it subscribes to."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from sfu.engine.peers.identification import KnownSsrcs
from sfu.engine.peers.link import ConnectionId, Link
from sfu.engine.peers.publication import Publication, Subscription
from sfu.session.ice import IceAgent
from sfu.session.negotiated import Applied, Negotiated, Track
from sfu.session.negotiation import LocalTransport, Send
from sfu.values import (
    COMMON_TRAITS,
    Answer,
    Channel,
    Mid,
    PublicationBound,
    PublicationId,
    PublicationSpec,
    ReceiverTraits,
    RoomId,
    SdpError,
)
from sfu.wire.sdp import RemoteDescription


@dataclass(slots=True)
class LocalIdentity:
    """What every answer of this process says of it."""

    fingerprint: str
    "SHA-256 of the certificate."
    candidates: tuple[str, ...]
    "Candidate lines."


@dataclass(frozen=True, slots=True)
class Negotiation:
    """The outcome of an offer."""

    answer: Answer
    bound: Sequence[PublicationBound]
    "The publications that got a section."
    ended: Sequence[PublicationId]
    "Ids of the publications whose section the client stopped sending on; they have yet to be removed."


@dataclass(slots=True, eq=False)
class Peer:
    """State of one peer connection."""

    id: ConnectionId
    room_id: RoomId
    ice: IceAgent
    link: Link
    negotiated: Negotiated
    forwarded_to: set[RoomId] = field(default_factory=set)
    "Other rooms in which its publications can be received."
    published: dict[PublicationId, Publication] = field(default_factory=dict)
    "By publication id."
    streams: KnownSsrcs = field(init=False)
    subscriptions: dict[PublicationId, Subscription] = field(default_factory=dict)
    "By publication id."
    by_ssrc: dict[int, Subscription] = field(default_factory=dict)
    "By outbound SSRC."
    channels: tuple[Channel, ...] = ()
    "Data channels that the server opens."
    traits: ReceiverTraits = COMMON_TRAITS
    "How it receives."

    def __post_init__(self) -> None:
        """Its streams are those of its publications."""
        self.streams = KnownSsrcs(self.negotiated.inbound, self.published)

    @property
    def rooms(self) -> tuple[RoomId, ...]:
        """All rooms in which its publications can be received."""
        return (self.room_id, *self.forwarded_to)

    # --- negotiation ---------------------------------------------------------------------------------------------

    def missing_sections(self) -> tuple[int, int] | None:
        """(audio, video) sections that the next offer must add; see `Negotiated.missing_sections`."""
        return self.negotiated.missing_sections(
            s.published.spec.kind for s in self.subscriptions.values() if s.section is None
        )

    def negotiate(
        self,
        offer: RemoteDescription,
        identity: LocalIdentity,
        new_credentials: Callable[[], tuple[str, str]],
    ) -> Negotiation:
        """Apply an offer: decide on each section, then answer and take over what was decided. SdpError."""
        negotiated = self.negotiated
        if negotiated.offering is not None:
            raise SdpError("on this connection the server makes the offers")
        agreed = negotiated.agree(offer, self._specs(), self._tracks())
        if negotiated.remote is not None and offer.ice_ufrag != negotiated.remote.ice_ufrag:
            self.ice.restart(*new_credentials())  # RFC 8445 section 9
        transport = self._next_transport(identity, dtls_client=agreed.dtls_client)
        sdp = negotiated.text(agreed, transport)
        self.ice.remote_ufrag = offer.ice_ufrag
        already = set(negotiated.published)
        self._take_over(negotiated.apply(agreed))
        ended = negotiated.ended()
        published = negotiated.published
        bound = [
            self.bind(mid, self.published[publication_id])
            for mid, publication_id in agreed.bindings.items()
            if published.get(mid) == publication_id
        ]
        new = [event for event in bound if event.mid not in already]
        return Negotiation(Answer(sdp, published, dict(negotiated.outbound)), new, ended)

    def make_offer(self, identity: LocalIdentity, restart: tuple[str, str] | None) -> str:
        """The server's next offer; `restart` are new ICE credentials, if wanted."""
        if restart is not None:
            self.ice.restart(*restart)
        return self.negotiated.offer(self._tracks(), self._next_transport(identity))

    def take_answer(self, answer: RemoteDescription) -> dict[Mid, PublicationId]:
        """Apply the client's answer to the last offer; return what each media section sends now, by mid. SdpError."""
        negotiated = self.negotiated
        if negotiated.offering is None or not negotiated.offering.pending:
            raise SdpError("an answer without an offer")
        applied = negotiated.apply_answer(negotiated.agree(answer, {}, self._tracks()))
        self.ice.remote_ufrag = answer.ice_ufrag
        self._take_over(applied)
        return dict(negotiated.outbound)

    def _next_transport(self, identity: LocalIdentity, *, dtls_client: bool = False) -> LocalTransport:
        self.negotiated.version += 1
        return LocalTransport(
            self.ice.local_ufrag,
            self.ice.local_pwd,
            identity.fingerprint,
            identity.candidates,
            self.negotiated.session_id,
            self.negotiated.version,
            dtls_client,
        )

    def _specs(self) -> dict[PublicationId, PublicationSpec]:
        return {publication_id: each.spec for publication_id, each in self.published.items()}

    def _tracks(self) -> dict[PublicationId, Track]:
        return {publication_id: _track(each) for publication_id, each in self.subscriptions.items()}

    def _take_over(self, applied: Applied) -> None:
        for publication_id in applied.released:
            subscription = self.subscriptions[publication_id]
            subscription.section, subscription.opened = None, False
            self.by_ssrc.pop(subscription.ssrc, None)
        early = self.traits.loses_early_media and self.link.connected and self.negotiated.offering is None
        for publication_id, section in applied.sections.items():
            subscription = self.subscriptions[publication_id]
            if self.negotiated.outbound.get(section.mid) == publication_id:
                self.by_ssrc[subscription.ssrc] = subscription
                if subscription.section is None and early:
                    subscription.settling = True
            subscription.section = section
        for before, after in applied.replaced:
            for known in self.streams.values():
                if known.stream.section is before:
                    known.stream.section = after

    # --- what it publishes ---------------------------------------------------------------------------------------

    def bind(self, mid: Mid, published: Publication) -> PublicationBound:
        """Let a section carry a publication; returns the event that reports it."""
        section = self.negotiated.inbound[mid]
        section.publication_id = published.spec.id
        published.section = section
        return PublicationBound(self.id, published.spec.id, mid, section.codec())

    def publish(self, published: Publication) -> PublicationBound | None:
        """Add a publication, and bind it to a section that carries none yet, if one fits."""
        self.published[published.spec.id] = published
        negotiated = self.negotiated
        if negotiated.remote is None:
            return None
        for mid, publication_id in negotiated.bindings(negotiated.remote, self._specs()).items():
            if publication_id == published.spec.id and mid in negotiated.inbound:
                return self.bind(mid, published)
        return None

    def unpublish(self, published: Publication) -> None:
        """Remove a publication with its streams; its section may carry another."""
        self.published.pop(published.spec.id, None)
        self.streams.remove(published)
        self.negotiated.unpublish(published.spec.id)
        published.clear()

    def describe_streams(self) -> tuple[str, ...]:
        """Return a line for each stream that it sends, for people."""
        return tuple(stream.describe() for each in self.published.values() for stream in each.layers.values())

    # --- what it subscribes to -----------------------------------------------------------------------------------

    def subscribe(self, published: Publication, stream_id: str, seed: tuple[int, int, int]) -> Subscription:
        """Add a subscription; see `Subscription` for the arguments."""
        subscription = Subscription(published, self.link, stream_id, seed)
        self.subscriptions[published.spec.id] = published.subscriptions[self.id] = subscription
        return subscription

    def unsubscribe(self, publication_id: PublicationId, now: float) -> None:
        """End a subscription; its section is answered inactive next."""
        subscription = self.subscriptions.pop(publication_id, None)
        if subscription is not None:
            subscription.end(now)
            self.by_ssrc.pop(subscription.ssrc, None)
            self.negotiated.unsubscribe(publication_id)


def _track(subscription: Subscription) -> Track:
    """What a description says of a subscription."""
    primary, published = subscription.primary, subscription.published
    send = Send(
        subscription.stream_id,
        primary.spec.id,
        primary.owner.connection_id,
        subscription.ssrc,
        subscription.resender.ssrc,
        primary.section.codec() if primary.section is not None else "",
    )
    return Track(
        primary.spec.id, published.spec.kind, send, published.spec.stereo, subscription.section is None
    )
