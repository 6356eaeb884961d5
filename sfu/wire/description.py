"""The content of an offer as plain values; `sfu.wire.sdp` parses them and `sfu.session.negotiation` answers them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from sfu.values import Mid

Direction = Literal["sendrecv", "sendonly", "recvonly", "inactive"]

DEFAULT_SCTP_PORT = 5000  # used by every implementation
DEFAULT_MAX_MESSAGE_SIZE = 64 * 1024  # in bytes, if the attribute is absent (RFC 8841 section 6.1)
RTP_PROTOCOLS = frozenset({"UDP/TLS/RTP/SAVPF", "TCP/TLS/RTP/SAVPF"})  # RFC 9429 section 5.1.2
SCTP_PROTOCOLS = frozenset({"UDP/DTLS/SCTP", "TCP/DTLS/SCTP"})  # RFC 8841 section 4


@dataclass(frozen=True, slots=True)
class Codec:
    """One payload type of a media section, RTX excepted."""

    payload_type: int
    "0..127, chosen by the offerer."
    name: str
    "Encoding name in lower case."
    clock_rate: int
    "Hz."
    channels: int = 1
    "Audio channels, from the rtpmap."
    fmtp: str = ""
    "Format parameters as offered."
    feedback: tuple[str, ...] = ()
    "RTCP feedback as offered (`nack pli`), RFC 4585."


@dataclass(frozen=True, slots=True)
class Section:
    """One media section of an offer."""

    mid: Mid
    "Empty if absent: such a section is not in the BUNDLE group."
    kind: str
    "`audio`, `video`, `application`, or any other offered kind."
    protocol: str
    "Transport protocol of the m-line."
    formats: tuple[str, ...]
    "Payload types or formats of the m-line, echoed if the section is rejected."
    port: int
    "Port of the m-line."
    rejected: bool
    "Port 0 without `bundle-only`: the section is disabled or retired (RFC 8843 section 6)."
    bundled: bool
    "Whether it is a member of the BUNDLE group."
    direction: Direction
    "From the offerer's point of view."
    codecs: tuple[Codec, ...] = ()
    "In the offerer's order, without RTX."
    rtx: Mapping[int, int] = field(default_factory=dict)
    "Payload type -> payload type of its retransmissions (RFC 4588 section 8)."
    extensions: Mapping[str, int] = field(default_factory=dict)
    "URI -> id, without the direction."
    extension_directions: Mapping[str, Direction] = field(default_factory=dict)
    "URI -> direction from the offerer's point of view, for extensions with a direction suffix (RFC 8285 section 5)."
    extmap_allow_mixed: bool = False
    "Whether one- and two-byte header extensions may be mixed (RFC 8285 section 6), per section or for the session."
    msid: tuple[str, str] | None = None
    "(stream id, track id) of the offerer's track; the track id may be empty (RFC 8830)."
    rids: tuple[tuple[str, str], ...] = ()
    "(rid, `send` or `recv`) in the offerer's order; the same rid may be there once for each direction."
    simulcast_send: tuple[str, ...] = ()
    "Rids of the streams that the offerer sends as simulcast, in order; the first alternative of each (RFC 8853)."
    ssrcs: tuple[int, ...] = ()
    "Announced SSRCs, if any (RFC 5576)."
    fid_groups: tuple[tuple[int, int], ...] = ()
    "(SSRC, SSRC of its retransmissions)."
    cname: str = ""
    "RTCP canonical name of the first SSRC that has one."
    rtcp_mux: bool = False
    "Whether RTP and RTCP share one port (RFC 5761)."
    rtcp_rsize: bool = False
    "Whether reduced-size RTCP is allowed (RFC 5506)."
    sctp_port: int = DEFAULT_SCTP_PORT
    "SCTP port of an application section."
    max_message_size: int = DEFAULT_MAX_MESSAGE_SIZE
    "Largest message that the offerer accepts, in bytes; 0: any size."
    ice_ufrag: str = ""
    "Given in the section, not for the session."
    ice_pwd: str = ""
    "Given in the section, not for the session."
    fingerprints: tuple[tuple[str, str], ...] = ()
    "(algorithm, value), given in the section, not for the session."
    setup: str = ""
    "Given in the section, not for the session."

    @property
    def answerable(self) -> bool:
        """Whether it can be accepted on the one bundled transport; otherwise the only answer is port 0."""
        if self.rejected or not self.bundled:
            return False
        if self.kind == "application":
            return self.protocol in SCTP_PROTOCOLS and "webrtc-datachannel" in self.formats
        return self.kind in ("audio", "video") and self.protocol in RTP_PROTOCOLS and self.rtcp_mux


@dataclass(frozen=True, slots=True)
class RemoteDescription:
    """An offer.

    The transport's values are those of the BUNDLE group's tagged section (RFC 8843 section 7.2.1).
    """

    session_id: str
    "From the origin line; constant for the life of a peer connection."
    session_version: int
    "From the origin line; grows with each offer."
    ice_ufrag: str
    "Changes when ICE restarts."
    ice_pwd: str
    "Changes when ICE restarts."
    fingerprints: tuple[tuple[str, str], ...]
    "(lower-case algorithm, upper-case hexadecimal with colons); the certificate must match one of them."
    setup: str
    "`actpass`, `active` or `passive` (RFC 8842 section 5)."
    trickle: bool
    "Whether the offerer may send candidates later (RFC 8840)."
    extmap_allow_mixed: bool
    "Whether the attribute is at session level."
    bundle: tuple[Mid, ...]
    "Mids of the BUNDLE group, in order."
    sections: tuple[Section, ...]
    "In the order of the m-lines, which later offers do not change."
