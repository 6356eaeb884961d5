"""The negotiated parameters of a peer's media sections, by direction."""

from dataclasses import dataclass, field

from sfu.fanout.template import TemplateClass
from sfu.session.negotiation import SectionParameters
from sfu.values import Mid, PublicationId
from sfu.wire.packet import FORWARDED_EXTENSIONS
from sfu.wire.rtp import URI_TRANSPORT_CC


@dataclass(slots=True)
class OutboundSection:
    """What a subscriber's section agreed on."""

    mid: Mid
    kind: TemplateClass
    "The template class of this subscriber."
    rtx_payload_types: dict[str, int] = field(default_factory=dict)
    "Encoding name -> payload type of retransmissions."


@dataclass(slots=True)
class InboundSection:
    """A media section on which a peer sends, and the publication that it carries."""

    parameters: SectionParameters
    codec_by_payload_type: dict[int, str]
    "Payload type -> encoding name."
    media_by_rtx: dict[int, int]
    "Payload type of retransmissions -> that of the media (RFC 4588)."
    forwarded: dict[int, str]
    "Id -> URI of the header extensions that subscribers can use."
    ssrcs: tuple[int, ...] = ()
    "Announced SSRCs that are not retransmissions."
    rtx_ssrcs: dict[int, int] = field(default_factory=dict)
    "Announced SSRC of retransmissions -> SSRC of the media."
    transport_sequence_id: int = 0
    "Id of the header extension with the transport-wide number; 0, which no element has: none."
    publication_id: PublicationId | None = None
    "The publication that the section carries; None: none yet."

    def codec(self) -> str:
        """Return the codec that the answer prefers."""
        return self.parameters.codecs[0].name if self.parameters.codecs else ""


def receive_section(
    parameters: SectionParameters, ssrcs: tuple[int, ...], fid_groups: tuple[tuple[int, int], ...]
) -> InboundSection:
    """Return the negotiated parameters, indexed for a look-up for each packet."""
    rtx_ssrcs = {rtx: media for media, rtx in fid_groups}
    return InboundSection(
        parameters,
        {codec.payload_type: codec.name for codec in parameters.codecs},
        {c.rtx_payload_type: c.payload_type for c in parameters.codecs if c.rtx_payload_type is not None},
        {number: uri for uri, number in parameters.extensions.items() if uri in FORWARDED_EXTENSIONS},
        tuple(ssrc for ssrc in ssrcs if ssrc not in rtx_ssrcs),
        rtx_ssrcs,
        parameters.extensions.get(URI_TRANSPORT_CC, 0),
    )


def send_section(agreed: SectionParameters) -> OutboundSection:
    """What a subscriber's section agreed on; the first payload type of each codec is used."""
    payload_types: dict[str, int] = {}
    rtx: dict[str, int] = {}
    for codec in agreed.codecs:
        if codec.name not in payload_types:
            payload_types[codec.name] = codec.payload_type
            if codec.rtx_payload_type is not None:
                rtx[codec.name] = codec.rtx_payload_type
    kind = TemplateClass(tuple(sorted(payload_types.items())), tuple(sorted(agreed.extensions.items())))
    return OutboundSection(agreed.mid, kind, rtx)


def refused_section(mid: Mid) -> OutboundSection:
    """Return the section of a subscription that the client cannot receive: no payload type, so nothing is sent."""
    return OutboundSection(mid, TemplateClass((), ()))
