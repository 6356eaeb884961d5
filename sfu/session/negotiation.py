"""The answer to an offer: the accepted payload types, extensions and layers, and their text.

`negotiate_section` is the one place where that is decided, as a pure function of an offered section and of
what the caller wants of it; the text of `build_answer` is made of its result, so engine and client agree.

Payload types and extension ids are the offerer's (RFC 3264 section 6.1, RFC 8285 section 7). The server is
ICE-lite (RFC 8445), its candidates stand in the BUNDLE group's tagged section, and the
number and order of m-sections never change (RFC 3264 section 6).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from sfu.values import MAX_MESSAGE_BYTES, Mid
from sfu.wire.description import Codec, Direction, RemoteDescription, Section
from sfu.wire.rtp import (
    URI_ABS_CAPTURE_TIME,
    URI_AUDIO_LEVEL,
    URI_DEPENDENCY_DESCRIPTOR,
    URI_MID,
    URI_PLAYOUT_DELAY,
    URI_REPAIRED_RID,
    URI_RID,
    URI_TRANSPORT_CC,
    URI_VIDEO_ORIENTATION,
)
from sfu.wire.sdp import parameters

# All of them in every answer: pion takes the codecs of its first answer for those of all sections, and cannot apply an
# answer without the codec that one of its tracks has.
_VIDEO_CODECS = frozenset({"vp8", "vp9", "h264", "h265", "av1"})
_AUDIO_CODECS = frozenset({"opus", "red", "g722", "pcmu", "pcma"})
# Names are compared without case (RFC 8866 section 6.6), but not every client's own parser knows.
_REGISTERED_NAMES = {
    "vp8": "VP8",
    "vp9": "VP9",
    "h264": "H264",
    "h265": "H265",
    "av1": "AV1",
    "g722": "G722",
    "pcmu": "PCMU",
    "pcma": "PCMA",
}
_OPUS_STEREO_BITRATE_BPS = 510_000  # the most that opus has (RFC 7587 section 6.1)

_COMMON = frozenset({URI_MID, URI_ABS_CAPTURE_TIME, URI_TRANSPORT_CC})
# Libwebrtc fixes the extensions of a bundle by the sections answered first, be they idle or receiving:
# without RID there, native clients later refuse their own simulcast offer, and Chromium does not offer the dependency
# descriptor a second time. So all video answers take them, but for that of a publisher of VP8.
_VIDEO = _COMMON | {
    URI_RID,
    URI_REPAIRED_RID,
    URI_VIDEO_ORIENTATION,
    URI_PLAYOUT_DELAY,
    URI_DEPENDENCY_DESCRIPTOR,
}
_AUDIO = _COMMON | {URI_AUDIO_LEVEL}
_EXTENSIONS = {"video": _VIDEO, "audio": _AUDIO}
# Publishers are asked for the dependency descriptor where it says more than the payload does. Not with VP8: a Chromium
# that sends it leaves picture ids and temporal layers out of the payload, where viewers without it look for them.
_DESCRIBED_CODECS = frozenset({"vp9", "av1", "h264"})
_FEEDBACK = frozenset({"transport-cc", "ccm fir", "nack", "nack pli"})

_REVERSED: dict[Direction, Direction] = {
    "sendrecv": "sendrecv",
    "sendonly": "recvonly",
    "recvonly": "sendonly",
    "inactive": "inactive",
}


# --- what the caller wants of a section ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Inactive:
    """Answer the section as inactive: it is free for later, or its track has ended."""


@dataclass(frozen=True, slots=True)
class Receive:
    """The peer sends a track."""

    codec: str = ""
    "Wanted encoding name, lower case; empty, or not offered: the offer's order."
    codec_only: bool = False
    "Take no other video codec."
    stereo: bool = False
    "Ask for opus in stereo."
    dtx: bool = True
    "Let opus stop in silence (RFC 7587 section 6.1, `usedtx`)."
    red: bool = True
    "Prefer redundant audio (RFC 2198) when offered."
    encrypted: bool = False
    "The payload is the participants' secret: ask for dependency descriptors, whatever the codec."


@dataclass(frozen=True, slots=True)
class Send:
    """The server sends a track."""

    stream_id: str
    "First part of `a=msid`."
    track_id: str
    "Second part of `a=msid`."
    cname: str
    "RTCP canonical name, without spaces."
    ssrc: int
    "Of the media."
    rtx_ssrc: int | None = None
    "Of retransmissions; announced only when the codec put first has RTX."
    codec: str = ""
    "Encoding name to put first, lower case."


@dataclass(frozen=True, slots=True)
class Both:
    """The peer sends a track on a section on which the server already sends it another."""

    receive: Receive
    "What the peer sends."
    send: Send
    "What the peer is sent."


@dataclass(frozen=True, slots=True)
class Data:
    """Data channels over SCTP (RFC 8841)."""

    sctp_port: int = 5000
    "The server's."
    max_message_size: int = MAX_MESSAGE_BYTES
    "Bytes the server takes in one message."


SectionAnswer = Inactive | Receive | Send | Both | Data


@dataclass(frozen=True, slots=True)
class LocalTransport:
    """The server's part of the transport."""

    ice_ufrag: str
    "Of this peer."
    ice_pwd: str
    "Of this peer."
    fingerprint_sha256: str
    "Upper-case hexadecimal with colons."
    candidates: tuple[str, ...]
    "Lines without `a=` (`candidate:1 1 udp ...`), RFC 8839 section 5.1."
    session_id: str
    "Digits; the same for the life of the peer connection (RFC 8866 section 5.2)."
    version: int
    "Grows with each answer."
    dtls_client: bool = False
    "The server starts the DTLS handshake, because the client waits for it."


# --- what was agreed ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class NegotiatedCodec:
    """One payload type that may be used."""

    name: str
    "Encoding name, lower case."
    payload_type: int
    "The offerer's."
    clock_rate: int
    "Hz."
    channels: int
    "Audio channels."
    fmtp: str
    "Format parameters as answered."
    feedback: tuple[str, ...]
    "RTCP feedback as answered."
    rtx_payload_type: int | None
    "Of its retransmissions."


@dataclass(frozen=True, slots=True)
class SectionParameters:
    """The answer to one section."""

    mid: Mid
    "As offered."
    kind: str
    "As offered."
    accepted: bool
    "False: the answer has port 0, nothing flows and the section is not in the BUNDLE group."
    direction: Direction
    "As the server sees it; `sendrecv` for data."
    codecs: tuple[NegotiatedCodec, ...] = ()
    "Preferred first, the full profile of a codec before its others."
    extensions: Mapping[str, int] = field(default_factory=dict)
    "URI -> id, of those answered."
    extension_directions: Mapping[str, Direction] = field(default_factory=dict)
    "URI -> direction as the server sees it, for those that were offered with one."
    rids: tuple[str, ...] = ()
    "Rids received, in the offer's order."
    simulcast: tuple[str, ...] = ()
    "Rids received as simulcast, in the offer's order."

    def codec(self, name: str) -> NegotiatedCodec | None:
        """Return the payload type of an encoding name; None if it was not negotiated."""
        return next((codec for codec in self.codecs if codec.name == name), None)


def negotiate_section(section: Section, decision: SectionAnswer) -> SectionParameters:
    """Negotiate one section.

    A decision that the offered direction or kind does not allow makes the section inactive (RFC 3264 section
    6.1); a section that cannot be carried, or has no codec in common, is not accepted.

    Args:
        section: As offered.
        decision: What is wanted of it.
    """
    if section.kind == "application":
        accepted = section.answerable and isinstance(decision, Data)
        direction: Direction = "sendrecv" if accepted else "inactive"
        return SectionParameters(section.mid, section.kind, accepted, direction)
    if not section.answerable:
        return SectionParameters(section.mid, section.kind, accepted=False, direction="inactive")
    known = _EXTENSIONS[section.kind]
    if isinstance(decision, Receive) and section.direction in ("sendonly", "sendrecv"):
        direction, codecs = "recvonly", _received_codecs(section, decision)
        feedback = _FEEDBACK
        if not decision.encrypted and (not codecs or codecs[0].name not in _DESCRIBED_CODECS):
            known -= {URI_DEPENDENCY_DESCRIPTOR}
    elif isinstance(decision, Send) and section.direction in ("recvonly", "sendrecv"):
        direction, codecs = "sendonly", _by_preference(_supported(section), decision.codec)
        feedback = _sent_feedback(section)
    elif isinstance(decision, Both) and section.direction == "sendrecv":
        direction, codecs = "sendrecv", _received_codecs(section, decision.receive)
        feedback = _FEEDBACK
    else:
        direction, codecs = "inactive", _by_preference(_supported(section), "")
        feedback = _FEEDBACK
    extensions, extension_directions = _extensions(section, known, direction)
    sent = tuple(rid for rid, rid_direction in section.rids if rid_direction == "send")
    return SectionParameters(
        mid=section.mid,
        kind=section.kind,
        accepted=bool(codecs),
        direction=direction if codecs else "inactive",
        codecs=tuple(_negotiated(section, codec, feedback) for codec in codecs),
        extensions=extensions,
        extension_directions=extension_directions,
        rids=sent if direction == "recvonly" else (),
        simulcast=section.simulcast_send if direction == "recvonly" else (),
    )


def _sent_feedback(section: Section) -> frozenset[str]:
    """The requirements for a receiver."""
    if URI_TRANSPORT_CC not in section.extensions:
        # Second best: its own estimate. Upstream it is never taken: there libwebrtc clients, where it is answered,
        # hold their upper simulcast layers back.
        return _FEEDBACK | {"goog-remb"}
    # audio has no stream for retransmissions, and a numbered packet is not repeated (see `Subscription.retransmission`)
    return _FEEDBACK - {"nack"} if section.kind == "audio" else _FEEDBACK


def _supported(section: Section) -> list[Codec]:
    """Return the codecs that can be forwarded, in the order of the offer."""
    names = _VIDEO_CODECS if section.kind == "video" else _AUDIO_CODECS
    return [codec for codec in section.codecs if codec.name in names and _is_playable(codec, section)]


def _is_playable(codec: Codec, section: Section) -> bool:
    """Return RED payload types of Opus (RFC 2198 leaves the codec open)."""
    return codec.name != "red" or any(other.name == "opus" for other in section.codecs)


def _received_codecs(section: Section, decision: Receive) -> list[Codec]:
    codecs = _supported(section)
    if section.kind == "audio":
        # An opus publisher may always drop redundancy, so opus stays beside red (RFC 2198 section 5).
        # A publisher that offers another codec first will send that.
        if not decision.red:
            codecs = [c for c in codecs if c.name != "red"]
        elif codecs and codecs[0].name == "opus":
            codecs = _by_preference(codecs, "red")
        return [replace(c, fmtp=_opus_fmtp(c.fmtp, decision)) if c.name == "opus" else c for c in codecs]
    if decision.codec_only:
        codecs = [codec for codec in codecs if codec.name == decision.codec] or codecs
    return [replace(c, fmtp=_without_limits(c.fmtp)) for c in _by_preference(codecs, decision.codec)]


def _by_preference(codecs: Sequence[Codec], name: str) -> list[Codec]:
    """Return the codecs with this name first, otherwise in the given order; profiles that few can decode are last."""
    return sorted(codecs, key=lambda codec: (bool(name) and codec.name != name, _is_rare_profile(codec)))


def _is_rare_profile(codec: Codec) -> bool:
    """Return whether another payload type of the same codec can be decoded by every client."""
    fmtp = parameters(codec.fmtp)
    if codec.name == "h264":  # RFC 6184 section 8.1; 42.... is (constrained) baseline, RFC 7742 section 6.2
        baseline = fmtp.get("profile-level-id", "42").startswith("42")
        return not baseline or fmtp.get("packetization-mode", "0") != "1"
    if codec.name == "vp9":  # RFC 9628 section 6.1
        return fmtp.get("profile-id", "0") != "0"
    return codec.name == "av1" and fmtp.get("profile", "0") != "0"


def _opus_fmtp(offered: str, decision: Receive) -> str:
    """Return the parameters that the server, as the receiver, sets for an Opus sender (RFC 7587 section 6.1)."""
    fmtp = ["useinbandfec=1"]
    packet_ms = parameters(offered).get("minptime", "")
    if packet_ms:
        fmtp.insert(0, f"minptime={packet_ms}")
    if decision.dtx:
        fmtp.append("usedtx=1")
    if decision.stereo:
        fmtp += ["stereo=1", f"maxaveragebitrate={_OPUS_STEREO_BITRATE_BPS}"]
    return ";".join(fmtp)


def _without_limits(offered: str) -> str:
    """Remove the offerer's limits as a receiver (RFC 7741 section 6.1); in an answer they would limit its sending."""
    items = [item.strip() for item in offered.split(";")]
    return ";".join(item for item in items if not item.startswith(("max-fs=", "max-fr=")))


def _negotiated(section: Section, codec: Codec, feedback: frozenset[str]) -> NegotiatedCodec:
    return NegotiatedCodec(
        name=codec.name,
        payload_type=codec.payload_type,
        clock_rate=codec.clock_rate,
        channels=codec.channels,
        fmtp=codec.fmtp,
        feedback=tuple(item for item in codec.feedback if item in feedback),
        rtx_payload_type=section.rtx.get(codec.payload_type),
    )


def _extensions(
    section: Section, known: frozenset[str], direction: Direction
) -> tuple[dict[str, int], dict[str, Direction]]:
    """Return the ids and directions to answer (RFC 8285 section 7), without those that only flow against the media."""
    extensions: dict[str, int] = {}
    directions: dict[str, Direction] = {}
    for uri, extension_id in section.extensions.items():
        if uri not in known:
            continue
        offered = section.extension_directions.get(uri)
        if offered is not None:
            reversed_ = _REVERSED[offered]
            if {direction, reversed_} == {"sendonly", "recvonly"}:
                continue
            directions[uri] = reversed_
        extensions[uri] = extension_id
    return extensions, directions


# --- text ---------------------------------------------------------------------------------------------------


def build_answer(
    offer: RemoteDescription,
    decisions: Sequence[SectionAnswer],
    transport: LocalTransport,
    agreed: Sequence[SectionParameters] | None = None,
) -> str:
    """Return the text of the answer, with CRLF line ends.

    Args:
        offer: What is answered.
        decisions: One per section of the offer, in its order (ValueError otherwise).
        transport: The server's side.
        agreed: What `negotiate_section` made of each decision, where the caller has it already.
    """
    if agreed is None:
        agreed = [
            negotiate_section(section, decision)
            for section, decision in zip(offer.sections, decisions, strict=True)
        ]
    accepted = {taken.mid for taken in agreed if taken.accepted}
    bundle = [mid for mid in offer.bundle if mid in accepted]
    lines = [
        "v=0",
        f"o=- {transport.session_id} {transport.version} IN IP4 127.0.0.1",
        "s=-",
        "t=0 0",
        "a=ice-lite",
        *(["a=group:BUNDLE " + " ".join(bundle)] if bundle else []),
        *(["a=extmap-allow-mixed"] if offer.extmap_allow_mixed else []),
        "a=msid-semantic: WMS *",
    ]
    common = transport_lines(
        transport, "active" if transport.dtls_client else "passive", trickle=offer.trickle
    )
    candidates = [*(f"a={candidate}" for candidate in transport.candidates), "a=end-of-candidates"]
    for section, decision, taken in zip(offer.sections, decisions, agreed, strict=True):
        if not taken.accepted:
            lines += _rejected_lines(section)
            continue
        if section.kind == "application":
            assert isinstance(decision, Data)
            lines += data_lines(section.protocol, section.mid, decision)
        else:
            lines += rtp_lines(section.protocol, taken, rtcp_rsize=section.rtcp_rsize)
        send = decision.send if isinstance(decision, Both) else decision
        if isinstance(send, Send) and taken.direction in ("sendonly", "sendrecv"):
            lines += source_lines(send, taken)
        lines += common
        if bundle[0] == section.mid:  # the tagged section speaks for all of them (RFC 8843 section 7.3.1)
            lines += candidates
        if section.extmap_allow_mixed and not offer.extmap_allow_mixed:
            lines.append("a=extmap-allow-mixed")
    return "\r\n".join(lines) + "\r\n"


def transport_lines(transport: LocalTransport, setup: str, *, trickle: bool = False) -> list[str]:
    """Return the transport lines of a section, without candidates; `setup` is the DTLS role (RFC 8842 section 5)."""
    return [
        f"a=ice-ufrag:{transport.ice_ufrag}",
        f"a=ice-pwd:{transport.ice_pwd}",
        *(["a=ice-options:trickle"] if trickle else []),
        f"a=fingerprint:sha-256 {transport.fingerprint_sha256}",
        f"a=setup:{setup}",
    ]


def _rejected_lines(section: Section) -> list[str]:
    """Return a rejected section: port 0, and formats without meaning (RFC 3264 section 6)."""
    return [
        f"m={section.kind} 0 {section.protocol} {' '.join(section.formats)}",
        "c=IN IP4 0.0.0.0",
        *([f"a=mid:{section.mid}"] if section.mid else []),
        "a=inactive",
    ]


def data_lines(protocol: str, mid: Mid, decision: Data) -> list[str]:
    """Return the lines of a section of data channels, without its transport."""
    return [
        f"m=application 9 {protocol} webrtc-datachannel",
        "c=IN IP4 0.0.0.0",
        f"a=mid:{mid}",
        f"a=sctp-port:{decision.sctp_port}",
        f"a=max-message-size:{decision.max_message_size}",
    ]


def rtp_lines(protocol: str, agreed: SectionParameters, *, rtcp_rsize: bool) -> list[str]:
    """Return the lines of an audio or video section, without its transport and its sources."""
    payload_types: list[int] = []
    codec_lines: list[str] = []
    for codec in agreed.codecs:
        payload_types.append(codec.payload_type)
        codec_lines += _codec_lines(codec)
        if codec.rtx_payload_type is not None:
            payload_types.append(codec.rtx_payload_type)
            codec_lines.append(f"a=rtpmap:{codec.rtx_payload_type} rtx/{codec.clock_rate}")
            codec_lines.append(f"a=fmtp:{codec.rtx_payload_type} apt={codec.payload_type}")
    # Port 9 (discard) stands for "see the candidates" (RFC 9429 section 5.3.1).
    return [
        f"m={agreed.kind} 9 {protocol} {' '.join(map(str, payload_types))}",
        "c=IN IP4 0.0.0.0",
        f"a=mid:{agreed.mid}",
        f"a={agreed.direction}",
        "a=rtcp-mux",
        *(["a=rtcp-rsize"] if rtcp_rsize else []),
        *codec_lines,
        *_extmap_lines(agreed),
        *(f"a=rid:{rid} recv" for rid in agreed.rids),
        *([f"a=simulcast:recv {';'.join(agreed.simulcast)}"] if agreed.simulcast else []),
    ]


def _codec_lines(codec: NegotiatedCodec) -> list[str]:
    channels = f"/{codec.channels}" if codec.channels > 1 else ""
    name = _REGISTERED_NAMES.get(codec.name, codec.name)
    lines = [f"a=rtpmap:{codec.payload_type} {name}/{codec.clock_rate}{channels}"]
    if codec.fmtp:
        lines.append(f"a=fmtp:{codec.payload_type} {codec.fmtp}")
    lines += [f"a=rtcp-fb:{codec.payload_type} {item}" for item in codec.feedback]
    return lines


def _extmap_lines(agreed: SectionParameters) -> list[str]:
    lines = []
    for uri, extension_id in agreed.extensions.items():
        direction = agreed.extension_directions.get(uri)
        lines.append(f"a=extmap:{extension_id}{'/' + direction if direction else ''} {uri}")
    return lines


def source_lines(decision: Send, agreed: SectionParameters) -> list[str]:
    """Return the lines of the server's track (RFC 8830) and its SSRCs (RFC 5576)."""
    msid = f"{decision.stream_id} {decision.track_id}"
    ssrcs = [decision.ssrc]
    lines = [f"a=msid:{msid}"]
    if decision.rtx_ssrc is not None and agreed.codecs[0].rtx_payload_type is not None:
        ssrcs.append(decision.rtx_ssrc)
        lines.append(f"a=ssrc-group:FID {decision.ssrc} {decision.rtx_ssrc}")
    for ssrc in ssrcs:
        lines += [f"a=ssrc:{ssrc} cname:{decision.cname}", f"a=ssrc:{ssrc} msid:{msid}"]
    return lines
