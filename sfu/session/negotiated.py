"""The descriptions of one peer connection: what each media section carries, and what the next offer may add.

Publications and subscriptions are known here by id and by what a description says of them. Each negotiation has two
steps: `agree` decides on every section and changes nothing, `apply` takes over what was decided.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from sfu.session import negotiation
from sfu.session.negotiation import (
    Both,
    Data,
    Inactive,
    LocalTransport,
    Receive,
    SectionAnswer,
    SectionParameters,
    Send,
)
from sfu.session.sections import (
    InboundSection,
    OutboundSection,
    receive_section,
    refused_section,
    send_section,
)
from sfu.session.server_offers import ServerOffers, build_offer
from sfu.values import Mid, PublicationId, PublicationSpec, SdpError
from sfu.wire.description import RemoteDescription, Section


@dataclass(frozen=True, slots=True)
class Track:
    """A subscription as a description shows it."""

    publication_id: PublicationId
    kind: str
    send: Send
    stereo: bool
    waiting: bool
    "No section has been agreed on for it."


@dataclass(frozen=True, slots=True)
class Agreement:
    """The decisions on a client's description."""

    description: RemoteDescription
    decisions: list[SectionAnswer]
    "One for each section, as are the parameters."
    parameters: list[SectionParameters]
    chosen: dict[Mid, PublicationId]
    "Mid -> publication id, of the sections on which the server is to send."
    bindings: dict[Mid, PublicationId]
    "Mid -> publication id, of the sections on which the peer sends."
    dtls_client: bool
    "Who starts the DTLS handshake: the server, if the client is passive (RFC 8842 section 5)."


@dataclass(slots=True)
class Applied:
    """The changes that a negotiation made."""

    sections: dict[PublicationId, OutboundSection] = field(default_factory=dict)
    "Publication id -> the section of its subscription."
    released: list[PublicationId] = field(default_factory=list)
    "Publication ids of the subscriptions that wait for another section, since the client sends on theirs."
    replaced: list[tuple[InboundSection, InboundSection]] = field(default_factory=list)
    "Sections on which the peer goes on sending, before and after."


class Negotiated:
    """State of the descriptions of one peer connection."""

    __slots__ = (
        "assigned",
        "dtls_client",
        "free",
        "inbound",
        "offering",
        "outbound",
        "remote",
        "sctp",
        "sections_requested",
        "session_id",
        "version",
    )

    def __init__(self, session_id: str) -> None:
        """Start with nothing negotiated; `session_id` is a string of digits (RFC 8866 section 5.2)."""
        self.session_id = session_id
        self.version = 0
        "Of the server's last description."
        self.remote: RemoteDescription | None = None
        "The client's last description; in dual-connection mode an answer."
        self.dtls_client = False
        "The server starts the DTLS handshake. Decided by the client's first description."
        self.inbound: dict[Mid, InboundSection] = {}
        "Sections on which the peer sends, by mid."
        self.outbound: dict[Mid, PublicationId] = {}
        "Publication ids of what is sent, by mid."
        self.free: dict[str, list[Mid]] = {"audio": [], "video": []}
        "Mids of the last answer's idle sections, by kind."
        self.sections_requested = False
        "A SectionsNeeded was emitted and no offer has been received since."
        self.offering: ServerOffers | None = None
        "The server's offers, where it makes them: the peer receives and publishes nothing on this connection."
        self.assigned: dict[Mid, PublicationId] = {}
        "Mid -> publication id, of those in an offer that has not been answered."
        self.sctp: tuple[int, int] | None = None
        "(remote port, remote's largest message) once data channels are negotiated."

    @property
    def published(self) -> dict[Mid, PublicationId]:
        """Return mid -> publication id for the sections on which the peer sends."""
        return {
            mid: section.publication_id
            for mid, section in self.inbound.items()
            if section.publication_id is not None
        }

    def missing_sections(self, waiting: Iterable[str]) -> tuple[int, int] | None:
        """Return the (audio, video) sections that an offer must add for waiting subscriptions of these kinds, or None.

        Where the server makes the offers: (0, 0) when the next one would differ from the last.
        """
        kinds = list(waiting)
        if self.offering is not None:
            ended = any(s.send is not None and s.mid not in self.outbound for s in self.offering.sections)
            return (0, 0) if kinds or ended else None
        if not kinds:
            return None
        audio, video = (kinds.count(kind) - len(self.free[kind]) for kind in ("audio", "video"))
        return max(0, audio), max(0, video)

    # --- deciding, without changing anything ---------------------------------------------------------------------

    def agree(
        self,
        description: RemoteDescription,
        publications: Mapping[PublicationId, PublicationSpec],
        tracks: Mapping[PublicationId, Track],
    ) -> Agreement:
        """Decide on each section of the client's description. SdpError.

        Args:
            description: An offer, or an answer to the server's offer: that names what the client receives, and is
                read as an offer of it.
            publications: What the peer publishes, by id.
            tracks: What it subscribes to, by publication id; those that wait get sections in this order.
        """
        dtls_client = description.setup == "passive"
        if self.remote is not None:
            if description.fingerprints != self.remote.fingerprints:
                raise SdpError("the certificate changed")
            if len(description.sections) < len(self.remote.sections):
                raise SdpError("sections are missing")
            if description.setup == ("active" if self.dtls_client else "passive"):
                raise SdpError("the DTLS roles changed")
            dtls_client = self.dtls_client
        bindings = self.bindings(description, publications)
        waiting = {kind: [t for t in tracks.values() if t.waiting and t.kind == kind] for kind in self.free}
        decisions: list[SectionAnswer] = []
        chosen: dict[Mid, PublicationId] = {}
        for section in description.sections:
            decision: SectionAnswer = Inactive()
            if section.answerable and section.kind == "application":
                decision = Data()
            elif section.answerable and section.direction in {"sendonly", "sendrecv"}:
                bound = bindings.get(section.mid)
                decision = receive = _receive(None if bound is None else publications[bound])
                shared = self._shared(section)
                if shared is not None:
                    chosen[section.mid] = shared
                    decision = Both(receive, tracks[shared].send)
            elif section.answerable and section.direction == "recvonly":
                track = self._choose(section, waiting[section.kind], tracks)
                if track is not None:
                    chosen[section.mid] = track.publication_id
                    decision = track.send
            decisions.append(decision)
        parameters = [
            negotiation.negotiate_section(section, decision)
            for section, decision in zip(description.sections, decisions, strict=True)
        ]
        return Agreement(description, decisions, parameters, chosen, bindings, dtls_client)

    def bindings(
        self, description: RemoteDescription, publications: Mapping[PublicationId, PublicationSpec]
    ) -> dict[Mid, PublicationId]:
        """Return mid -> publication id for each section on which the peer sends.

        By msid, else (Firefox's track ids differ from those it announces) the first publication of the kind that
        no section carries.
        """
        bound = self.published
        unbound = [spec for spec in publications.values() if spec.id not in bound.values()]
        sending = [section for section in description.sections if _sends(section)]
        result = {section.mid: bound[section.mid] for section in sending if section.mid in bound}
        new = [section for section in sending if section.mid not in bound]
        for by_msid in (True, False):
            for section in new:
                if section.mid in result:
                    continue
                track_id = section.msid[1] if section.msid else ""
                match = next(
                    (
                        spec
                        for spec in unbound
                        if spec.kind == section.kind
                        and (not by_msid or (track_id and track_id in spec.track_ids))
                    ),
                    None,
                )
                if match is not None:
                    result[section.mid] = match.id
                    unbound.remove(match)
        return result

    def _shared(self, section: Section) -> PublicationId | None:
        """Return the publication that the server still sends on a section on which the client sends too, or None.

        Pion's `AddTrack` takes a section on which it receives. Where pion publishes simulcast there, it would take the
        rids of the answer for those of what it receives, so the subscription moves to another section instead.
        """
        return (
            self.outbound.get(section.mid) if section.direction == "sendrecv" and not section.rids else None
        )

    def _choose(
        self, section: Section, waiting: list[Track], tracks: Mapping[PublicationId, Track]
    ) -> Track | None:
        """Return the track that the server sends on a section, taken from `waiting` if it is new; None: nothing."""
        present = self.outbound.get(section.mid) or self.assigned.get(section.mid)
        if present is not None or self.offering is not None:
            return None if present is None else tracks[present]
        # A section whose subscription ended is answered inactive once before it serves another: clients notice
        # a new track only by the direction.
        known = self.remote is not None and any(s.mid == section.mid for s in self.remote.sections)
        if not waiting or (known and section.mid not in self.free[section.kind]):
            return None
        return waiting.pop(0)

    def text(self, agreed: Agreement, transport: LocalTransport) -> str:
        """Return the text of the answer."""
        return negotiation.build_answer(agreed.description, agreed.decisions, transport, agreed.parameters)

    # --- taking over what was decided ----------------------------------------------------------------------------

    def apply(self, agreed: Agreement) -> Applied:
        """Apply an agreement."""
        applied = Applied()
        self.remote, self.dtls_client = agreed.description, agreed.dtls_client
        self.sections_requested = False
        self.free = {"audio": [], "video": []}
        for section, decision, parameters in zip(
            agreed.description.sections, agreed.decisions, agreed.parameters, strict=True
        ):
            if isinstance(decision, Receive | Both) and parameters.direction in {"recvonly", "sendrecv"}:
                new = receive_section(parameters, section.ssrcs, section.fid_groups)
                new.publication_id = agreed.bindings.get(section.mid)
                if section.mid in self.inbound:
                    applied.replaced.append((self.inbound[section.mid], new))
                self.inbound[section.mid] = new
            if isinstance(decision, Receive):
                if section.mid in self.outbound:
                    applied.released.append(self.outbound.pop(section.mid))
            elif isinstance(decision, Send | Both):
                publication_id = agreed.chosen[section.mid]
                if parameters.direction in {"sendonly", "sendrecv"}:
                    applied.sections[publication_id] = send_section(parameters)
                    self.outbound[section.mid] = publication_id
                else:
                    applied.sections[publication_id] = refused_section(section.mid)
            elif isinstance(decision, Data) and parameters.accepted:
                self.sctp = (section.sctp_port, section.max_message_size)
            elif isinstance(decision, Inactive) and section.direction == "recvonly" and parameters.accepted:
                self.free[section.kind].append(section.mid)
        return applied

    def ended(self) -> list[PublicationId]:
        """Remove the sections on which the client's last description stopped sending; return their publications."""
        assert self.remote is not None
        sending = {section.mid for section in self.remote.sections if _sends(section)}
        gone = [self.inbound.pop(mid) for mid in [mid for mid in self.inbound if mid not in sending]]
        return [section.publication_id for section in gone if section.publication_id is not None]

    def unsubscribe(self, publication_id: PublicationId) -> None:
        """End a subscription; the next answer or offer has its section inactive."""
        for mids in (self.outbound, self.assigned):
            for mid in [mid for mid, carried in mids.items() if carried == publication_id]:
                del mids[mid]

    def unpublish(self, publication_id: PublicationId) -> None:
        """End a publication; its section may carry another one."""
        for section in self.inbound.values():
            if section.publication_id == publication_id:
                section.publication_id = None

    # --- the server's own offers ---------------------------------------------------------------------------------

    def offer(self, tracks: Mapping[PublicationId, Track], transport: LocalTransport) -> str:
        """Return the server's next offer: sections for waiting subscriptions, idle ones for those that ended."""
        offering = self.offering
        assert offering is not None
        carried = {*self.outbound, *self.assigned}
        ended = [s for s in offering.sections if s.send is not None and s.mid not in carried]
        # an offer that got no answer is made again, with what was added since
        offered = set(self.assigned.values())
        for track in tracks.values():
            if track.waiting and track.publication_id not in offered:
                mid = offering.place(track.kind, track.send, stereo=track.stereo)
                self.assigned[mid] = track.publication_id
        for section in ended:
            section.send = None
        offering.pending = True
        return build_offer(offering.sections, transport)

    def apply_answer(self, agreed: Agreement) -> Applied:
        """Apply the client's answer to the last offer. SdpError if it does not fit; then nothing changes."""
        offering = self.offering
        assert offering is not None
        if [section.mid for section in agreed.description.sections] != offering.mids():
            raise SdpError("the answer's sections are not those of the offer")
        if any(isinstance(decision, Receive | Both) for decision in agreed.decisions):
            raise SdpError("nothing can be sent on this connection")
        offering.pending = False
        applied = self.apply(agreed)
        for mid, publication_id in self.assigned.items():
            # what the client does not take is not offered again
            applied.sections.setdefault(publication_id, refused_section(mid))
        self.assigned = {}
        return applied


def _sends(section: Section) -> bool:
    """Return whether the peer sends on a section of its description."""
    return section.answerable and section.direction in {"sendonly", "sendrecv"}


def _receive(spec: PublicationSpec | None) -> Receive:
    if spec is None:
        return Receive()
    return Receive(spec.codec, spec.codec_only, spec.stereo, spec.dtx, spec.red, spec.encrypted)
