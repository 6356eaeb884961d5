"""What a peer's sections of the description agreed on, in each direction."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sfu.fanout.template import TemplateClass
from sfu.wire.packet import FORWARDED_EXTENSIONS

if TYPE_CHECKING:
    from sfu.engine.publication import Publication


@dataclass(slots=True)
class OutboundSection:
    """What a subscriber's section agreed on."""

    mid: str
    kind: TemplateClass
    "The template class of this subscriber."
    rtx_payload_types: dict[str, int] = field(default_factory=dict)
    "Encoding name -> payload type of retransmissions."


if TYPE_CHECKING:
    from sfu.session.negotiation import SectionParameters


@dataclass(slots=True)
class InboundSection:
    """An m-section on which a peer sends, and the publication it carries."""

    parameters: "SectionParameters"
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
    publication: "Publication | None" = None

    def codec(self) -> str:
        """The codec that the answer prefers."""
        return self.parameters.codecs[0].name if self.parameters.codecs else ""


def receive_section(
    parameters: "SectionParameters", ssrcs: tuple[int, ...], fid_groups: tuple[tuple[int, int], ...]
) -> InboundSection:
    """Index what was agreed on for look-ups per packet."""
    rtx_ssrcs = {rtx: media for media, rtx in fid_groups}
    return InboundSection(
        parameters,
        {codec.payload_type: codec.name for codec in parameters.codecs},
        {c.rtx_payload_type: c.payload_type for c in parameters.codecs if c.rtx_payload_type is not None},
        {number: uri for uri, number in parameters.extensions.items() if uri in FORWARDED_EXTENSIONS},
        tuple(ssrc for ssrc in ssrcs if ssrc not in rtx_ssrcs),
        rtx_ssrcs,
    )
