"""The server's offers, for clients that receive on a separate connection (LiveKit's dual-connection mode).

The server decides what each section carries and offers it; the client's answer is then read like an offer of
receiving sections, so that everything after the text is the same for both modes (see `Peer.negotiate`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from sfu.session.negotiation import (
    Data,
    LocalTransport,
    NegotiatedCodec,
    SectionParameters,
    Send,
    data_lines,
    rtp_lines,
    source_lines,
    transport_lines,
)
from sfu.values import Mid
from sfu.wire.rtp import (
    URI_ABS_CAPTURE_TIME,
    URI_AUDIO_LEVEL,
    URI_DEPENDENCY_DESCRIPTOR,
    URI_PLAYOUT_DELAY,
    URI_TRANSPORT_CC,
    URI_VIDEO_ORIENTATION,
)

DATA_MID = Mid("0")

_PROTOCOL = "UDP/TLS/RTP/SAVPF"
_NACK = ("nack", "nack pli", "ccm fir", "transport-cc")
# Payload types are free to choose between 96 and 127, then below 64 (RFC 3551 section 6, RFC 5761 section 4).
_VIDEO_CODECS: tuple[NegotiatedCodec, ...] = (
    NegotiatedCodec("vp8", 96, 90_000, 1, "", _NACK, 97),
    NegotiatedCodec("vp9", 98, 90_000, 1, "profile-id=0", _NACK, 99),
    # constrained baseline 3.1: what every browser decodes (RFC 7742 section 6.2)
    NegotiatedCodec(
        "h264",
        102,
        90_000,
        1,
        "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f",
        _NACK,
        103,
    ),
    NegotiatedCodec("av1", 45, 90_000, 1, "", _NACK, 46),
    # main profile, main tier, level 3.1 (RFC 7798 section 7.1): what libwebrtc offers first
    NegotiatedCodec("h265", 49, 90_000, 1, "level-id=93;profile-id=1;tier-flag=0;tx-mode=SRST", _NACK, 50),
)
_OPUS_FMTP = "minptime=10;useinbandfec=1"
_AUDIO_FEEDBACK = ("transport-cc",)
_RED = NegotiatedCodec("red", 63, 48_000, 2, "111/111", (), None)
# RFC 3551 section 6: their payload types are fixed.
_PLAIN_AUDIO = tuple(
    NegotiatedCodec(name, payload_type, 8_000, 1, "", _AUDIO_FEEDBACK, None)
    for name, payload_type in (("g722", 9), ("pcmu", 0), ("pcma", 8))
)
_AUDIO_EXTENSIONS = {URI_AUDIO_LEVEL: 1, URI_TRANSPORT_CC: 3, URI_ABS_CAPTURE_TIME: 8}
_VIDEO_EXTENSIONS = {
    URI_TRANSPORT_CC: 3,
    URI_PLAYOUT_DELAY: 5,
    URI_ABS_CAPTURE_TIME: 8,
    URI_DEPENDENCY_DESCRIPTOR: 12,
    URI_VIDEO_ORIENTATION: 13,
}


@dataclass(slots=True)
class OfferedSection:
    """One section of the server's offers; its position and kind never change."""

    mid: Mid
    kind: str
    send: Send | None = None
    "What it carries; None: nothing now."
    stereo: bool = False
    "The audio that it carries has two channels."


@dataclass(slots=True)
class ServerOffers:
    """The sections that the server has offered on one connection."""

    sections: list[OfferedSection] = field(default_factory=list)
    "Without that of the data channels, which comes first."
    pending: bool = False
    "An offer is out and has not been answered."

    def place(self, kind: str, send: Send, *, stereo: bool = False) -> Mid:
        """Assign a section to a track: one that is idle since the last offer, or a new one. Return its mid."""
        section = next((s for s in self.sections if s.kind == kind and s.send is None), None)
        if section is None:
            section = OfferedSection(Mid(str(len(self.sections) + 1)), kind)
            self.sections.append(section)
        section.send, section.stereo = send, stereo
        return section.mid

    def mids(self) -> list[Mid]:
        """Return the mids of the offer's sections, in order."""
        return [DATA_MID, *(section.mid for section in self.sections)]


def build_offer(sections: Sequence[OfferedSection], transport: LocalTransport) -> str:
    """Return the text of an offer, with CRLF line ends: data channels first, then the sections in order."""
    mids = [DATA_MID, *(section.mid for section in sections)]
    # RFC 8842 section 5.2: an offerer says actpass; clients then take the active role
    common = transport_lines(transport, "actpass")
    lines = [
        "v=0",
        f"o=- {transport.session_id} {transport.version} IN IP4 127.0.0.1",
        "s=-",
        "t=0 0",
        "a=ice-lite",
        "a=group:BUNDLE " + " ".join(mids),
        "a=extmap-allow-mixed",
        "a=msid-semantic: WMS *",
        *data_lines("UDP/DTLS/SCTP", DATA_MID, Data()),
        *common,
        *(f"a={candidate}" for candidate in transport.candidates),
        "a=end-of-candidates",
    ]
    for section in sections:
        offered = _parameters(section)
        lines += rtp_lines(_PROTOCOL, offered, rtcp_rsize=True)
        if section.send is not None:
            lines += source_lines(section.send, offered)
        lines += common
    return "\r\n".join(lines) + "\r\n"


def _parameters(section: OfferedSection) -> SectionParameters:
    codecs, extensions = _VIDEO_CODECS, _VIDEO_EXTENSIONS
    if section.kind == "audio":
        # RFC 7587 section 7.1: what the sender is likely to send
        fmtp = f"{_OPUS_FMTP};sprop-stereo=1;stereo=1" if section.stereo else _OPUS_FMTP
        opus = NegotiatedCodec("opus", 111, 48_000, 2, fmtp, _AUDIO_FEEDBACK, None)
        codecs, extensions = (opus, _RED, *_PLAIN_AUDIO), _AUDIO_EXTENSIONS
    preferred = section.send.codec if section.send is not None else ""
    return SectionParameters(
        section.mid,
        section.kind,
        accepted=True,
        direction="sendonly" if section.send is not None else "inactive",
        codecs=tuple(sorted(codecs, key=lambda codec: bool(preferred) and codec.name != preferred)),
        extensions=extensions,
    )
