"""SDP: parsing of a client's description into plain values.

`parse_offer` reads SDP (RFC 8866) with the WebRTC profile of JSEP (RFC 9429): one BUNDLE group (RFC 8843), ICE
(RFC 8839), DTLS-SRTP (RFC 8842), simulcast by RID (RFC 8851, RFC 8853), RTX (RFC 4588), header extensions (RFC 8285)
and data channels (RFC 8841). It reports facts; `sfu.session.negotiation` decides what to answer.

An offer comes from the network: sizes are limited before parsing, each line is read once by plain string methods (no
regular expression that could backtrack), and every fault raises `SdpError`.
"""

import string
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import TypeVar

from sfu.values import Mid, SdpError
from sfu.wire.description import (
    DEFAULT_MAX_MESSAGE_SIZE,
    DEFAULT_SCTP_PORT,
    RTP_PROTOCOLS,
    Codec,
    Direction,
    RemoteDescription,
    Section,
)

__all__ = [
    "Codec",
    "Direction",
    "RemoteDescription",
    "SdpError",
    "Section",
    "parameters",
    "parse_offer",
    "parse_offer_in_steps",
]

MAX_SDP_BYTES = 256 * 1024  # Chromium writes about 4 KB per video and 1 KB per audio media section
MAX_LINES = 20_000
MAX_LINE_CHARS = 8_192  # longest in practice: the BUNDLE group, a few bytes per media section
MAX_SECTIONS = 512
MAX_FORMATS = 128  # a payload type has 7 bits (RFC 3550 section 5.1)
MAX_RIDS = 16  # simulcast has three in practice
MAX_SSRCS = 64  # Firefox lists two per simulcast layer
MAX_FEEDBACK = 32  # per payload type; five in practice, and those of `*` count for each of 128
# For a mid or a rid; a header extension element holds 16 or 255 bytes (RFC 8285 section 4).
MAX_TOKEN_CHARS = 64

# Weaker algorithms are not trusted (RFC 8122).
_FINGERPRINT_BYTES = {"sha-256": 32, "sha-384": 48, "sha-512": 64}
_ICE_CHARS = frozenset(string.ascii_letters + string.digits + "+/")  # RFC 8839 section 5.4
_RID_CHARS = frozenset(string.ascii_letters + string.digits + "-_")  # RFC 8851 section 10
# RFC 3551 section 6
_STATIC_PAYLOAD_TYPES = {0: ("pcmu", 8000, 1), 8: ("pcma", 8000, 1), 9: ("g722", 8000, 1)}
_DIRECTIONS: dict[str, Direction] = {
    "sendrecv": "sendrecv",
    "sendonly": "sendonly",
    "recvonly": "recvonly",
    "inactive": "inactive",
}


def parse_offer(text: str) -> RemoteDescription:
    """Parse an offer. SdpError if it is too large, malformed, or cannot be answered by a passive ICE-lite peer."""
    steps = parse_offer_in_steps(text)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            offer: RemoteDescription = end.value
            return offer


def parse_offer_in_steps(text: str) -> Generator[None, None, RemoteDescription]:
    """Parse an offer as `parse_offer` does, pausing after each media section; the generator returns the offer.

    300 media sections take 25 ms; a caller does other work in the pauses. SdpError.
    """
    lines = _split(text)
    session = _Draft()
    drafts: list[_Draft] = []
    current = session
    for line in lines[1:]:
        if line[1:2] != "=":
            raise SdpError("a line does not have the form <type>=<value>")
        if line[0] == "a":
            name, _, value = line[2:].partition(":")
            handler = _HANDLERS.get(name)
            if handler is not None:
                handler(current, value)
        elif line[0] == "m":
            if len(drafts) == MAX_SECTIONS:
                raise SdpError("too many media sections")
            current = _parse_media(line[2:])
            drafts.append(current)
            yield
        elif line[0] == "o" and current is session:
            _parse_origin(session, line[2:])
    return (yield from _finish(session, drafts))


def _split(text: str) -> list[str]:
    """Split into lines without line endings, after checking the sizes."""
    if len(text) > MAX_SDP_BYTES:
        raise SdpError("session description too large")
    lines = text.rstrip("\r\n").replace("\r\n", "\n").split("\n")
    if len(lines) > MAX_LINES:
        raise SdpError("too many lines")
    if max(map(len, lines)) > MAX_LINE_CHARS:
        raise SdpError("line too long")
    # No line may contain control characters; a lone CR could forge a line in the answer.
    if not "".join(lines).isprintable():
        raise SdpError("unprintable character")
    if len(text.encode()) > MAX_SDP_BYTES:
        raise SdpError("session description too large")
    if lines[0] != "v=0":
        raise SdpError("does not start with v=0")
    return lines


@dataclass(slots=True)
class _Draft:
    """A media section, or the session-level part, while its lines are read."""

    kind: str = ""
    port: int = 0
    protocol: str = ""
    formats: tuple[str, ...] = ()
    payload_types: frozenset[int] = frozenset()
    mid: Mid | None = None
    direction: Direction | None = None
    ice_ufrag: str | None = None
    ice_pwd: str | None = None
    setup: str | None = None
    origin: tuple[str, int] | None = None
    bundle: tuple[Mid, ...] | None = None
    flags: set[str] = field(default_factory=set)
    ice_options: tuple[str, ...] = ()
    fingerprints: dict[tuple[str, str], None] = field(default_factory=dict)
    rtpmap: dict[int, tuple[str, int, int]] = field(default_factory=dict)
    fmtp: dict[int, str] = field(default_factory=dict)
    feedback: dict[str, dict[str, None]] = field(default_factory=dict)
    extensions: dict[str, int] = field(default_factory=dict)
    extension_directions: dict[str, Direction] = field(default_factory=dict)
    msid: tuple[str, str] | None = None
    rids: dict[tuple[str, str], None] = field(default_factory=dict)
    simulcast_send: tuple[str, ...] | None = None
    ssrcs: dict[int, None] = field(default_factory=dict)
    fid_groups: dict[tuple[int, int], None] = field(default_factory=dict)
    cname: str = ""
    sctp_port: int = DEFAULT_SCTP_PORT
    max_message_size: int = DEFAULT_MAX_MESSAGE_SIZE


_Value = TypeVar("_Value")


def _once(present: _Value | None, value: _Value, name: str) -> _Value:
    """Return `value`; SdpError if the attribute is repeated, since neither value would be more valid."""
    if present is not None:
        raise SdpError(f"repeated {name}")
    return value


def _number(text: str, low: int, high: int, name: str) -> int:
    # 20 digits hold any 64-bit value; `isdigit` alone would accept digits of other scripts.
    if not (text.isascii() and text.isdigit() and len(text) <= 20):
        raise SdpError(f"{name} is not a number")
    value = int(text)
    if not low <= value <= high:
        raise SdpError(f"{name} is out of range")
    return value


def _token(text: str, name: str) -> str:
    if not text or len(text) > MAX_TOKEN_CHARS or not text.isascii() or " " in text:
        raise SdpError(f"bad {name}")
    return text


def _parse_origin(draft: _Draft, value: str) -> None:
    """RFC 8866 section 5.2: user, session id, session version, network type, address type, address."""
    parts = value.split(" ")
    if len(parts) != 6:
        raise SdpError("bad origin line")
    session_id = str(_number(parts[1], 0, 2**64 - 1, "session id"))
    version = _number(parts[2], 0, 2**64 - 1, "session version")
    draft.origin = _once(draft.origin, (session_id, version), "origin line")


def _parse_media(value: str) -> _Draft:
    """RFC 8866 section 5.14."""
    kind, port, protocol, *formats = [*value.split(" "), "", "", ""][: MAX_FORMATS + 4]
    formats = [item for item in formats if item]
    if not (kind and protocol and formats) or len(formats) > MAX_FORMATS:
        raise SdpError("bad m-line")
    draft = _Draft(kind=kind, port=_number(port, 0, 65535, "port"), protocol=protocol, formats=tuple(formats))
    if protocol in RTP_PROTOCOLS:
        draft.payload_types = frozenset(_number(item, 0, 127, "payload type") for item in formats)
        if len(draft.payload_types) != len(formats):
            raise SdpError("repeated payload type")
    return draft


# --- attributes: one small handler each ---------------------------------------------------------------------


def _on_flag(name: str) -> Callable[[_Draft, str], None]:
    def on_flag(draft: _Draft, value: str) -> None:
        del value
        draft.flags.add(name)

    return on_flag


def _on_direction(direction: Direction) -> Callable[[_Draft, str], None]:
    def on_direction(draft: _Draft, value: str) -> None:
        del value
        draft.direction = _once(draft.direction, direction, "direction")

    return on_direction


def _on_mid(draft: _Draft, value: str) -> None:
    draft.mid = _once(draft.mid, Mid(_token(value, "mid")), "mid")


def _on_group(draft: _Draft, value: str) -> None:
    semantics, *mids = value.split() or [""]
    if semantics == "BUNDLE":
        draft.bundle = _once(draft.bundle, tuple(map(Mid, mids)), "BUNDLE group")


def _on_ice_ufrag(draft: _Draft, value: str) -> None:
    draft.ice_ufrag = _once(draft.ice_ufrag, _ice(value, 4, "ice-ufrag"), "ice-ufrag")


def _on_ice_pwd(draft: _Draft, value: str) -> None:
    draft.ice_pwd = _once(draft.ice_pwd, _ice(value, 22, "ice-pwd"), "ice-pwd")


def _ice(value: str, shortest: int, name: str) -> str:
    """RFC 8839 section 5.4: lengths and alphabet."""
    if not shortest <= len(value) <= 256 or not _ICE_CHARS.issuperset(value):
        raise SdpError(f"bad {name}")
    return value


def _on_ice_options(draft: _Draft, value: str) -> None:
    draft.ice_options = tuple(value.split())


def _on_setup(draft: _Draft, value: str) -> None:
    draft.setup = _once(draft.setup, value, "setup")


def _on_fingerprint(draft: _Draft, value: str) -> None:
    """RFC 8122 section 5; algorithms that are not trusted are skipped."""
    algorithm, _, digest = value.partition(" ")
    algorithm = algorithm.lower()
    octets = digest.split(":")
    if any(len(octet) != 2 or not set(octet) <= _HEX_DIGITS for octet in octets):
        raise SdpError("bad fingerprint")
    size = _FINGERPRINT_BYTES.get(algorithm)
    if size is None:
        return
    if len(octets) != size:
        raise SdpError("bad fingerprint")
    draft.fingerprints[algorithm, digest.upper()] = None


_HEX_DIGITS = frozenset(string.hexdigits)


def _payload_type(draft: _Draft, text: str) -> int | None:
    """Return None for a payload type that the m-line does not list: harmless, and some stacks leave such lines."""
    value = _number(text, 0, 127, "payload type")
    return value if value in draft.payload_types else None


def _on_rtpmap(draft: _Draft, value: str) -> None:
    """RFC 8866 section 6.6: payload type, then name/clock rate[/channels]."""
    text, _, encoding = value.partition(" ")
    payload_type = _payload_type(draft, text)
    parts = encoding.split("/")
    if not parts[0] or not 2 <= len(parts) <= 3:
        raise SdpError("bad rtpmap")
    clock_rate = _number(parts[1], 1, 10_000_000, "clock rate")
    channels = _number(parts[2], 1, 255, "channel count") if len(parts) == 3 else 1
    if payload_type is None:
        return
    if payload_type in draft.rtpmap:
        raise SdpError("repeated rtpmap")
    draft.rtpmap[payload_type] = (parts[0].lower(), clock_rate, channels)


def _on_fmtp(draft: _Draft, value: str) -> None:
    text, _, parameters = value.partition(" ")
    if (payload_type := _payload_type(draft, text)) is not None:
        draft.fmtp.setdefault(payload_type, parameters.strip())


def _on_rtcp_fb(draft: _Draft, value: str) -> None:
    """RFC 4585 section 4.2; `*` stands for every payload type of the media section."""
    text, _, feedback = value.partition(" ")
    if text != "*" and _payload_type(draft, text) is None:
        return
    listed = draft.feedback.setdefault(text, {})
    listed[feedback] = None
    if len(listed) > MAX_FEEDBACK:
        raise SdpError("too many feedback types")


def _on_extmap(draft: _Draft, value: str) -> None:
    """RFC 8285 section 5: id[/direction] URI [attributes]."""
    head, _, tail = value.partition(" ")
    uri = tail.partition(" ")[0]
    text, slash, suffix = head.partition("/")
    # 0 is padding in both formats; ids from 4096 only offer more extensions than fit (RFC 8285 section 7).
    extension_id = _number(text, 1, 255, "extension id")
    if not uri or (slash and suffix not in _DIRECTIONS):
        raise SdpError("bad extmap")
    if uri not in draft.extensions:
        draft.extensions[uri] = extension_id
        if slash:
            draft.extension_directions[uri] = _DIRECTIONS[suffix]


def _on_msid(draft: _Draft, value: str) -> None:
    """RFC 8830 section 2. The first one counts: several mean one track in several streams."""
    stream_id, _, track_id = value.partition(" ")
    if not stream_id:
        raise SdpError("bad msid")
    if draft.msid is None:
        draft.msid = (stream_id, track_id)


def _on_rid(draft: _Draft, value: str) -> None:
    """RFC 8851 section 10: id, direction, restrictions (which concern the sender alone).

    An id may appear once per direction: after a simulcast publication pion repeats the answer's `recv` lines beside
    its own `send` lines.
    """
    rid, _, tail = value.partition(" ")
    direction = tail.partition(" ")[0]
    if not _RID_CHARS.issuperset(_token(rid, "rid")) or direction not in ("send", "recv"):
        raise SdpError("bad rid")
    if (rid, direction) in draft.rids:
        raise SdpError("repeated rid")
    if len(draft.rids) == MAX_RIDS:
        raise SdpError("too many rids")
    draft.rids[rid, direction] = None


def _on_simulcast(draft: _Draft, value: str) -> None:
    """RFC 8853 section 5.1: `send q;h,h2;~f recv ...`; `,` separates alternatives, `~` marks a paused stream.

    Pion writes one line per direction.
    """
    parts = value.split()
    if len(parts) not in (2, 4):
        raise SdpError("bad simulcast")
    lists = dict(zip(parts[::2], parts[1::2], strict=True))
    if not lists.keys() <= {"send", "recv"} or len(lists) != len(parts) // 2:
        raise SdpError("bad simulcast")
    if "send" in lists:
        streams = lists["send"].split(";", MAX_RIDS)
        sent = tuple(stream.partition(",")[0].removeprefix("~") for stream in streams if stream)
        draft.simulcast_send = _once(draft.simulcast_send, sent, "simulcast")


def _on_ssrc(draft: _Draft, value: str) -> None:
    """RFC 5576 section 4.1."""
    text, _, attribute = value.partition(" ")
    draft.ssrcs[_number(text, 0, 2**32 - 1, "ssrc")] = None
    if len(draft.ssrcs) > MAX_SSRCS:
        raise SdpError("too many ssrcs")
    if not draft.cname and attribute.startswith("cname:"):
        draft.cname = attribute[6:]


def _on_ssrc_group(draft: _Draft, value: str) -> None:
    """RFC 5576 section 4.2; only FID (flow identification, RFC 4588 section 8.8) is used."""
    semantics, *texts = value.split()[:4] or [""]
    if semantics != "FID":
        return
    if len(texts) != 2:
        raise SdpError("bad FID group")
    source, retransmissions = (_number(text, 0, 2**32 - 1, "ssrc") for text in texts)
    draft.fid_groups[source, retransmissions] = None
    if len(draft.fid_groups) > MAX_SSRCS:
        raise SdpError("too many FID groups")


def _on_sctp_port(draft: _Draft, value: str) -> None:
    draft.sctp_port = _number(value, 1, 65535, "sctp-port")


def _on_max_message_size(draft: _Draft, value: str) -> None:
    draft.max_message_size = _number(value, 0, 2**64 - 1, "max-message-size")


_FLAGS = ("rtcp-mux", "rtcp-rsize", "bundle-only", "extmap-allow-mixed", "ice-lite")
_HANDLERS: dict[str, Callable[[_Draft, str], None]] = {
    **{name: _on_flag(name) for name in _FLAGS},
    **{name: _on_direction(direction) for name, direction in _DIRECTIONS.items()},
    "mid": _on_mid,
    "group": _on_group,
    "ice-ufrag": _on_ice_ufrag,
    "ice-pwd": _on_ice_pwd,
    "ice-options": _on_ice_options,
    "setup": _on_setup,
    "fingerprint": _on_fingerprint,
    "rtpmap": _on_rtpmap,
    "fmtp": _on_fmtp,
    "rtcp-fb": _on_rtcp_fb,
    "extmap": _on_extmap,
    "msid": _on_msid,
    "rid": _on_rid,
    "simulcast": _on_simulcast,
    "ssrc": _on_ssrc,
    "ssrc-group": _on_ssrc_group,
    "sctp-port": _on_sctp_port,
    "max-message-size": _on_max_message_size,
}


# --- from drafts to values ----------------------------------------------------------------------------------


def _finish(session: _Draft, drafts: list[_Draft]) -> Generator[None, None, RemoteDescription]:
    if session.origin is None:
        raise SdpError("no origin line")
    if "ice-lite" in session.flags:
        raise SdpError("two ICE-lite peers cannot connect to each other")
    mids = [draft.mid for draft in drafts if draft.mid is not None]
    if len(set(mids)) != len(mids):
        raise SdpError("repeated mid")
    bundle = session.bundle or ()
    if len(set(bundle)) != len(bundle) or not set(bundle) <= set(mids):
        raise SdpError("bad BUNDLE group")
    members = frozenset(bundle)
    parsed = []
    for draft in drafts:
        parsed.append(_section(session, draft, draft.mid in members))
        yield
    sections = tuple(parsed)
    _check_extensions(sections)
    by_mid = {section.mid: section for section in sections}
    tagged = next((by_mid[mid] for mid in bundle if not by_mid[mid].rejected), None)
    if tagged is None:
        raise SdpError("no bundled media section: all media must use one transport")
    ufrag, pwd = tagged.ice_ufrag or session.ice_ufrag, tagged.ice_pwd or session.ice_pwd
    if not ufrag or not pwd:
        raise SdpError("no ICE credentials")
    fingerprints = tagged.fingerprints or tuple(session.fingerprints)
    if not fingerprints:
        raise SdpError("no usable certificate fingerprint")
    setup = tagged.setup or session.setup or "actpass"
    if setup not in ("actpass", "active", "passive"):
        raise SdpError("no usable DTLS role")
    ice_options = {option for draft in (session, *drafts) for option in draft.ice_options}
    return RemoteDescription(
        session_id=session.origin[0],
        session_version=session.origin[1],
        ice_ufrag=ufrag,
        ice_pwd=pwd,
        fingerprints=fingerprints,
        setup=setup,
        trickle="trickle" in ice_options,
        extmap_allow_mixed="extmap-allow-mixed" in session.flags,
        bundle=bundle,
        sections=sections,
    )


def _check_extensions(sections: tuple[Section, ...]) -> None:
    """In a BUNDLE group an id has one meaning: it is read before the media section is known (RFC 8843)."""
    meanings: dict[int, str] = {}
    for section in sections:
        if section.bundled and not section.rejected:
            for uri, extension_id in section.extensions.items():
                if meanings.setdefault(extension_id, uri) != uri:
                    raise SdpError("extension id with two meanings in the BUNDLE group")


def _section(session: _Draft, draft: _Draft, bundled: bool) -> Section:
    codecs, rtx = _codecs(draft)
    sent = [rid for rid in dict.fromkeys(draft.simulcast_send or ()) if (rid, "send") in draft.rids]
    return Section(
        mid=draft.mid or Mid(""),
        kind=draft.kind,
        protocol=draft.protocol,
        formats=draft.formats,
        port=draft.port,
        rejected=draft.port == 0 and not (bundled and "bundle-only" in draft.flags),
        bundled=bundled,
        direction=draft.direction or session.direction or "sendrecv",
        codecs=codecs,
        rtx=rtx,
        extensions=draft.extensions,
        extension_directions=draft.extension_directions,
        extmap_allow_mixed="extmap-allow-mixed" in draft.flags | session.flags,
        msid=draft.msid,
        rids=tuple(draft.rids),
        simulcast_send=tuple(sent),
        ssrcs=tuple(draft.ssrcs),
        fid_groups=tuple(draft.fid_groups),
        cname=draft.cname,
        rtcp_mux="rtcp-mux" in draft.flags,
        rtcp_rsize="rtcp-rsize" in draft.flags,
        sctp_port=draft.sctp_port,
        max_message_size=draft.max_message_size,
        ice_ufrag=draft.ice_ufrag or "",
        ice_pwd=draft.ice_pwd or "",
        fingerprints=tuple(draft.fingerprints),
        setup=draft.setup or "",
    )


def _codecs(draft: _Draft) -> tuple[tuple[Codec, ...], dict[int, int]]:
    codecs: list[Codec] = []
    rtx: dict[int, int] = {}
    if not draft.payload_types:
        return (), rtx
    shared = tuple(draft.feedback.get("*", ()))
    for text in draft.formats:
        payload_type = int(text)
        encoding = draft.rtpmap.get(payload_type) or _STATIC_PAYLOAD_TYPES.get(payload_type)
        if encoding is None:  # an unknown codec
            continue
        fmtp = draft.fmtp.get(payload_type, "")
        if encoding[0] == "rtx":
            original = parameters(fmtp).get("apt", "")
            if original in draft.formats:
                rtx.setdefault(int(original), payload_type)
            continue
        feedback = (*draft.feedback.get(text, ()), *shared)
        codecs.append(Codec(payload_type, *encoding, fmtp, tuple(dict.fromkeys(feedback))))
    return tuple(codecs), rtx


def parameters(fmtp: str) -> dict[str, str]:
    """Parse format parameters by lower-case name; a parameter without `=` has an empty value. Never fails."""
    result: dict[str, str] = {}
    for item in fmtp.split(";"):
        name, _, value = item.strip().partition("=")
        if name:
            result.setdefault(name.lower(), value)
    return result
