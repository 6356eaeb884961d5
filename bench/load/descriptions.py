"""Descriptions (SDP) of one participant of a load: what it offers, and what it needs of the server's."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

MID_ID, TRANSPORT_CC_ID = 4, 3
VP8, RTX, OPUS = 96, 97, 111

T = TypeVar("T")
Address = tuple[str, int]

_SESSION = """v=0
o=- 1 1 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE {mids}
a=msid-semantic: WMS *
"""
_FORMATS = {
    "video": f"""m=video 9 UDP/TLS/RTP/SAVPF {VP8} {RTX}
a=rtpmap:{VP8} VP8/90000
a=rtcp-fb:{VP8} nack
a=rtcp-fb:{VP8} nack pli
a=rtcp-fb:{VP8} transport-cc
a=rtpmap:{RTX} rtx/90000
a=fmtp:{RTX} apt={VP8}
""",
    "audio": f"""m=audio 9 UDP/TLS/RTP/SAVPF {OPUS}
a=rtpmap:{OPUS} opus/48000/2
a=rtcp-fb:{OPUS} transport-cc
""",
}
_SECTION = """c=IN IP4 0.0.0.0
a=rtcp-mux
a=rtcp-rsize
a=extmap:{mid_id} urn:ietf:params:rtp-hdrext:sdes:mid
a=extmap:{transport_cc_id} http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01
a=mid:{mid}
a=ice-ufrag:{local.ufrag}
a=ice-pwd:{local.pwd}
a=fingerprint:sha-256 {local.fingerprint}
a=setup:active
a={direction}
"""
# The lines of an offered media section that an answer repeats.
_REPEATED = (
    "m=",
    "c=",
    "a=mid:",
    "a=rtpmap:",
    "a=fmtp:",
    "a=rtcp-fb:",
    "a=extmap:",
    "a=rtcp-mux",
    "a=rtcp-rsize",
    "a=sctp-port:",
    "a=max-message-size:",
)


@dataclass(frozen=True, slots=True)
class Local:
    """A transport's own values for a description."""

    ufrag: str
    pwd: str
    fingerprint: str
    "SHA-256 digest of its certificate."
    ssrcs: tuple[int, ...] = ()
    "Of the tracks that it sends."


@dataclass(frozen=True, slots=True)
class Section:
    """A media section of an offer."""

    media: str
    "A key of the formats: video (VP8) or audio (opus)."
    cid: str = ""
    "The track that the client sends; empty: the section receives."
    ssrc: int = 0
    "Of that track; 0: not declared. LiveKit's server refuses a track without RIDs whose SSRC is not declared."


@dataclass(frozen=True, slots=True)
class Remote:
    """The content of the server's description that a client with one transport needs."""

    ufrag: str
    pwd: str
    fingerprints: tuple[tuple[str, str], ...]
    addresses: tuple[Address, ...]
    "Host candidates over UDP, best first; further ones may be trickled."
    transport_cc_id: int = 0
    "Id of the header extension with the transport-wide sequence number; 0: received media has none."
    clock_rates: Mapping[int, int] = field(default_factory=dict)
    "Of VP8 and opus, by payload type, in Hz."
    is_offer: bool = False
    "The server controls ICE, unless it is lite."
    is_lite: bool = False


def receiving(media: str, count: int, *, cid: str = "") -> list[Section]:
    """Return sections that receive; with `cid`, the first one sends that track instead."""
    return [Section(media, "" if i else cid) for i in range(count)]


def offer(local: Local, sections: Sequence[Section]) -> str:
    """Return an offer with these media sections, whose mids are their positions."""
    parts = []
    for mid, section in enumerate(sections):
        direction = f"sendonly\na=msid:- {section.cid}" if section.cid else "recvonly"
        parts.append(
            _FORMATS[section.media]
            + _SECTION.format(
                mid_id=MID_ID, transport_cc_id=TRANSPORT_CC_ID, mid=mid, local=local, direction=direction
            )
        )
        if section.ssrc:
            parts.append(f"a=ssrc:{section.ssrc} cname:load\n")
    text = _SESSION.format(mids=" ".join(str(mid) for mid in range(len(sections)))) + "".join(parts)
    return text.replace("\n", "\r\n")


def answer(local: Local, offered: str) -> str:
    """Return an answer that accepts every media section of the server's offer and sends nothing."""
    session, *sections = offered.replace("\r\n", "\n").split("\nm=")
    mids = next((line for line in session.split("\n") if line.startswith("a=group:BUNDLE")), "a=group:BUNDLE")
    lines = ["v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "t=0 0", mids, "a=msid-semantic: WMS *"]
    for section in sections:
        given = _accepted(f"m={section}".split("\n"))
        lines += [line for line in given if line.startswith(_REPEATED)]
        lines += [
            f"a=ice-ufrag:{local.ufrag}",
            f"a=ice-pwd:{local.pwd}",
            f"a=fingerprint:sha-256 {local.fingerprint}",
            "a=setup:active",
        ]
        if "a=sendonly" in given or "a=sendrecv" in given:
            lines.append("a=recvonly")
        elif not section.startswith("application"):
            lines.append("a=inactive")
    return "\r\n".join([*lines, ""])


def _accepted(lines: list[str]) -> list[str]:
    """Return the lines of an offered media section with the payload types of VP8, its retransmission and opus alone."""
    kept = {
        _id(line) for line in lines if line.startswith("a=rtpmap:") and _codec(line) in {"vp8", "rtx", "opus"}
    }
    if not kept:
        return lines  # data channels
    head = lines[0].split()
    numbered = ("a=rtpmap:", "a=fmtp:", "a=rtcp-fb:")
    rest = [line for line in lines[1:] if not line.startswith(numbered) or _id(line) in kept]
    return [" ".join([*head[:3], *(number for number in head[3:] if int(number) in kept)]), *rest]


def read_candidate(value: str) -> Address | None:
    """Return the address of a candidate (RFC 8839 section 5.1, with or without `a=`); None unless a host's over UDP."""
    words = value.removeprefix("a=").split()
    if len(words) < 8 or words[2].lower() != "udp" or words[7] != "host":
        return None
    return words[4], int(words[5])


def read_trickled(candidate_init: str) -> Address | None:
    """Return the address of a trickled candidate; None if a client cannot use it. ValueError if it is not JSON."""
    return read_candidate(str(json.loads(candidate_init).get("candidate", "")))


def read_remote(sdp: str, *, is_offer: bool = False) -> Remote:
    """Parse the server's description. KeyError or ValueError if it lacks a value that a transport needs."""
    lines = sdp.splitlines()
    values: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(":")
        values.setdefault(name, value)
    return Remote(
        values["a=ice-ufrag"],
        values["a=ice-pwd"],
        _distinct(_fingerprint(line) for line in lines if line.startswith("a=fingerprint:")),
        _distinct(
            found
            for line in lines
            if line.startswith("a=candidate:") and (found := read_candidate(line)) is not None
        ),
        next(
            (_id(line) for line in lines if line.startswith("a=extmap:") and "transport-wide-cc" in line), 0
        ),
        {
            _id(line): int(line.split("/")[1])
            for line in lines
            if line.startswith("a=rtpmap:") and _codec(line) in {"vp8", "opus"}
        },
        is_offer,
        "a=ice-lite" in lines,
    )


def _distinct(values: Iterable[T]) -> tuple[T, ...]:
    return tuple(dict.fromkeys(values))


def _fingerprint(line: str) -> tuple[str, str]:
    algorithm, _, digest = line.partition(":")[2].partition(" ")
    return algorithm, digest


def _id(line: str) -> int:
    """Return the number after the colon, which a direction may follow (RFC 8285 section 5)."""
    return int(line.partition(":")[2].split()[0].partition("/")[0])


def _codec(rtpmap: str) -> str:
    return rtpmap.split()[1].partition("/")[0].lower()
