"""The publication, encoding and purpose of each SSRC, learned from its first packet."""

from collections.abc import Mapping
from dataclasses import dataclass

from sfu.engine.peers.publication import Publication, Subscription
from sfu.forwarding.fan import Fan
from sfu.receiving.inbound_stream import InboundStream
from sfu.session.sections import InboundSection
from sfu.values import Mid, PublicationId
from sfu.wire import rtp

# A publisher with three simulcast videos and their retransmissions uses about twenty.
MAX_STREAMS = 64


@dataclass(slots=True)
class KnownSsrc:
    """The meaning of an SSRC."""

    published: Publication
    fan: Fan[Subscription]
    stream: InboundStream
    rtx: bool = False
    "It carries the retransmissions of the stream (RFC 4588)."


class KnownSsrcs(dict[int, KnownSsrc]):
    """The SSRCs of one peer, by number; the first packet of each identifies it."""

    def __init__(
        self, sections: Mapping[Mid, InboundSection], publications: Mapping[PublicationId, Publication]
    ) -> None:
        """`sections` on which the peer sends, by mid, and its `publications`, by id: both as they are at any time."""
        super().__init__()
        self._sections = sections
        self._publications = publications

    def learn(
        self, packet: bytes, elements: Mapping[int, tuple[int, int]], ssrc: int, now: float
    ) -> KnownSsrc | None:
        """Identify a new SSRC by its MID and RID extensions or as announced; None: not known yet.

        Args:
            packet: The first packet.
            elements: Its header extensions, as `rtp.parse_extensions` returns them.
            ssrc: Its SSRC.
            now: Starts the liveness of a new stream.
        """
        values = self._identification(packet, elements)
        payload_type = packet[1] & 0x7F
        mid = Mid(values.get(rtp.URI_MID, ""))
        section = self._sections.get(mid) if mid else self._announced(ssrc, payload_type)
        if section is None or section.publication_id is None or len(self) >= MAX_STREAMS:
            return None
        published = self._publications.get(section.publication_id)
        if published is None:
            return None
        fan: Fan[Subscription] | None = None
        rtx = payload_type in section.media_by_rtx
        if rtx:
            fan = self._repaired(section, published, ssrc, values.get(rtp.URI_REPAIRED_RID, ""))
        elif payload_type in section.codec_by_payload_type:
            rid = values.get(rtp.URI_RID, "")
            spatial = published.spatial_of(rid) if rid else 0 if not section.parameters.rids else None
            if spatial is not None:
                fan = published.add_stream(section, ssrc, spatial, now)
        if fan is None:
            return None
        known = self[ssrc] = KnownSsrc(published, fan, fan.stream, rtx)
        return known

    def remove(self, published: Publication) -> None:
        """Remove the SSRCs of a publication."""
        for ssrc in [ssrc for ssrc, known in self.items() if known.published is published]:
            self.pop(ssrc).stream.close(ssrc)

    def _identification(self, packet: bytes, elements: Mapping[int, tuple[int, int]]) -> dict[str, str]:
        """Return the SDES extensions of a packet by URI; ids are equal in a whole bundle (RFC 8843 section 9)."""
        values: dict[str, str] = {}
        for section in self._sections.values():
            for uri in (rtp.URI_MID, rtp.URI_RID, rtp.URI_REPAIRED_RID):
                found = elements.get(section.parameters.extensions.get(uri, 0))
                if found is not None and uri not in values:
                    at, size = found
                    values[uri] = packet[at : at + size].decode("ascii", "replace")
        return values

    def _announced(self, ssrc: int, payload_type: int) -> InboundSection | None:
        for section in self._sections.values():
            if ssrc in section.ssrcs or ssrc in section.rtx_ssrcs:
                return section
        # RFC 8843 section 9.2: a payload type that only one section uses names the section
        candidates = [
            section
            for section in self._sections.values()
            if payload_type in section.codec_by_payload_type or payload_type in section.media_by_rtx
        ]
        return candidates[0] if len(candidates) == 1 else None

    def _repaired(
        self, section: InboundSection, published: Publication, ssrc: int, rid: str
    ) -> Fan[Subscription] | None:
        """Return the stream whose retransmissions an SSRC carries."""
        if rid:
            spatial = published.spatial_of(rid)
            return published.fans.get(spatial) if spatial is not None else None
        if ssrc in section.rtx_ssrcs:
            media = self.get(section.rtx_ssrcs[ssrc])
            return media.fan if media is not None else None
        return None if section.parameters.rids else published.fans.get(0)
