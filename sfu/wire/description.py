"""What an offer says, as plain values; `sfu.wire.sdp` reads them and `sfu.session.negotiation` answers them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Direction = Literal["sendrecv", "sendonly", "recvonly", "inactive"]

DEFAULT_SCTP_PORT = 5000  # what every implementation uses
DEFAULT_MAX_MESSAGE_SIZE = 64 * 1024  # bytes, when the attribute is absent (RFC 8841 section 6.1)
RTP_PROTOCOLS = frozenset({"UDP/TLS/RTP/SAVPF", "TCP/TLS/RTP/SAVPF"})  # RFC 9429 section 5.1.2
SCTP_PROTOCOLS = frozenset({"UDP/DTLS/SCTP", "TCP/DTLS/SCTP"})  # RFC 8841 section 4


@dataclass(frozen=True, slots=True)
class Codec:
    """One payload type of a section, RTX excepted."""

    payload_type: int
    "0..127, chosen by the offerer."
    name: str
    "Encoding name, lower case."
    clock_rate: int
    "Hz."
    channels: int = 1
    "Audio channels of the rtpmap."
    fmtp: str = ""
    "Format parameters as offered."
    feedback: tuple[str, ...] = ()
    "RTCP feedback as offered (`nack pli`), RFC 4585."


@dataclass(frozen=True, slots=True)
class Section:
    """One m-section of an offer."""

    mid: str
    "Empty when not given: such a section is not in the BUNDLE group."
    kind: str
    "`audio`, `video`, `application`, or whatever else was offered."
    protocol: str
    "Transport protocol of the m-line."
    formats: tuple[str, ...]
    "Payload types or formats of the m-line, to be echoed when the section is rejected."
    port: int
    "Of the m-line."
    rejected: bool
    "Port 0 without `bundle-only`: the section is off or retired (RFC 8843 section 6)."
    bundled: bool
    "Member of the BUNDLE group."
    direction: Direction
    "As the offerer sees it."
    codecs: tuple[Codec, ...] = ()
    "In the offerer's order, without RTX."
    rtx: Mapping[int, int] = field(default_factory=dict)
    "Payload type -> payload type of its retransmissions (RFC 4588 section 8)."
    extensions: Mapping[str, int] = field(default_factory=dict)
    "URI -> id, the direction dropped."
    extension_directions: Mapping[str, Direction] = field(default_factory=dict)
    "URI -> direction as the offerer sees it, for those with a suffix (RFC 8285 section 5)."
    extmap_allow_mixed: bool = False
    "One- and two-byte header extensions may be mixed (RFC 8285 section 6), said here or for the session."
    msid: tuple[str, str] | None = None
    "(stream id, track id) of the offerer's track; the track id may be empty (RFC 8830)."
    rids: tuple[tuple[str, str], ...] = ()
    "(rid, `send` or `recv`) in the offerer's order."
    simulcast_send: tuple[str, ...] = ()
    "Rids that the offerer sends as simulcast, in its order; the first alternative of each (RFC 8853)."
    ssrcs: tuple[int, ...] = ()
    "Announced SSRCs, if any (RFC 5576)."
    fid_groups: tuple[tuple[int, int], ...] = ()
    "(SSRC, SSRC of its retransmissions)."
    cname: str = ""
    "RTCP canonical name of the first SSRC that has one."
    rtcp_mux: bool = False
    "RTP and RTCP on one port (RFC 5761)."
    rtcp_rsize: bool = False
    "Reduced-size RTCP (RFC 5506)."
    sctp_port: int = DEFAULT_SCTP_PORT
    "Of an application section."
    max_message_size: int = DEFAULT_MAX_MESSAGE_SIZE
    "Bytes the offerer takes in one message; 0 is any size."
    ice_ufrag: str = ""
    "Given in the section itself."
    ice_pwd: str = ""
    "Given in the section itself."
    fingerprints: tuple[tuple[str, str], ...] = ()
    "(algorithm, value) given in the section itself."
    setup: str = ""
    "Given in the section itself."

    @property
    def answerable(self) -> bool:
        """Whether it can be accepted on one bundled transport; otherwise the only answer is port 0."""
        if self.rejected or not self.bundled:
            return False
        if self.kind == "application":
            return self.protocol in SCTP_PROTOCOLS and "webrtc-datachannel" in self.formats
        return self.kind in ("audio", "video") and self.protocol in RTP_PROTOCOLS and self.rtcp_mux


@dataclass(frozen=True, slots=True)
class Offer:
    """A whole offer.

    The transport values are those of the BUNDLE group's tagged section (RFC 8843 section 7.2.1).
    """

    session_id: str
    "Of the origin line; stays the same for the life of a peer connection."
    session_version: int
    "Of the origin line; grows with each offer."
    ice_ufrag: str
    "Changes when ICE restarts."
    ice_pwd: str
    "Changes when ICE restarts."
    fingerprints: tuple[tuple[str, str], ...]
    "(lower-case algorithm, upper-case hexadecimal with colons); the certificate must match one."
    setup: str
    "`actpass` or `active`."
    trickle: bool
    "The offerer may send candidates later (RFC 8840)."
    extmap_allow_mixed: bool
    "Said at session level."
    bundle: tuple[str, ...]
    "Mids of the BUNDLE group, in order."
    sections: tuple[Section, ...]
    "In the order of the m-lines, which never changes in later offers."
