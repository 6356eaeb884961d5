"""The plain values that cross the facade: what a caller hands to the media engine, and what it reports.

Every value is frozen and made of strings, numbers, bytes and tuples, so that the engine can run in the caller's
process or in another one. Identifiers (`peer_id`, `publication_id`, `room_id`) are the caller's: the engine
compares them and never reads them. They are unique within one engine.
"""

from dataclasses import dataclass, field
from typing import Literal

MAX_MESSAGE_BYTES = 65_535
"Of one data channel message: promised in descriptions, taken and relayed. LiveKit's clients send at most 64,000."

Kind = Literal["audio", "video"]
Quality = Literal["excellent", "good", "poor"]
CloseReason = Literal[
    "consent_expired",
    "handshake_failed",
    "handshake_timeout",
    "closed_by_peer",
    "data_overflow",
    "flood",
    "error",
]


class MediaError(Exception):
    """A command that the engine refuses; the message is for the log, the caller decides what a client is told."""


class SdpError(MediaError):
    """A session description that is malformed, oversize or not answerable."""


class UnknownPeerError(MediaError):
    """A command names a peer that is not open (any more)."""


class EngineError(MediaError):
    """The engine failed at a command; the input is not to blame, and the same may succeed later."""


class EngineTimeoutError(EngineError):
    """The engine did not answer in time."""


# --- commands --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Layer:
    """One spatial layer of a publication."""

    rid: str
    "RTP stream id in the session description; empty for a publication with one stream."
    width: int = 0
    "Pixels; 0 when not declared."
    height: int = 0
    "Pixels; 0 when not declared."
    bitrate_bps: int = 0
    "The most that it will take; 0 when not declared."


@dataclass(frozen=True, slots=True)
class PublicationSpec:
    """A track that a peer is about to send."""

    id: str
    "Unique in the engine; the answer's `mid` map and all events name the track by it."
    kind: Kind
    "What it carries."
    track_ids: tuple[str, ...] = ()
    "The `a=msid` track ids by which the offer may announce it; the first unbound section of that kind otherwise."
    layers: tuple[Layer, ...] = ()
    "Spatial layers, lowest first: simulcast encodings, or without rids those within one stream (SVC)."
    codec: str = ""
    "Wanted codec, lower case encoding name (`vp8`); empty: the offer's order."
    codec_only: bool = False
    "Answer with `codec` alone, for clients that ignore the order of an answer."
    screen_share: bool = False
    "Sparse frames are normal: a layer is not taken for dead as fast."
    muted: bool = False
    "Nothing is forwarded while muted."
    stereo: bool = False
    "Opus is asked for in stereo."
    dtx: bool = True
    "Opus may stop sending in silence."
    red: bool = True
    "Redundant audio (RFC 2198) is preferred when offered."
    encrypted: bool = False
    "End to end: layers and keyframes are told by dependency descriptors."
    leading: bool = False
    "Of somebody who leads the room: goes before others' cameras where bandwidth is scarce."
    backup_of: str = ""
    "The publication of the same track in another codec, whose subscribers get this one if they cannot take that."


@dataclass(frozen=True, slots=True)
class ReceiverTraits:
    """How a client's WebRTC stack receives, where stacks differ."""

    announces_by_media: bool = False
    "It tells its application of a track only at the first packet (pion)."
    loses_early_media: bool = False
    "Media that arrives before the answer is applied can make a section useless (Firefox)."


COMMON_TRAITS = ReceiverTraits()


@dataclass(frozen=True, slots=True)
class Channel:
    """A data channel that the server opens."""

    label: str
    ordered: bool = True
    "Messages arrive in the order in which they were sent."
    max_retransmits: int | None = None
    "Times a lost message is sent again; None: until it arrives."


@dataclass(frozen=True, slots=True)
class Preferences:
    """What a subscriber wants of one publication."""

    enabled: bool = True
    "False stops forwarding without a renegotiation."
    width: int = 0
    "Pixels on the subscriber's screen; 0 when unknown."
    height: int = 0
    "Pixels on the subscriber's screen; 0 when unknown."
    max_spatial: int = 2
    "Highest spatial layer wanted when the size is unknown; clamped to what the publication has."
    fps: int = 0
    "Highest frame rate wanted; 0 is all."
    priority: int = 0
    "1 is the highest; 0 is unset."


@dataclass(frozen=True, slots=True)
class RecordedTrack:
    """The track of a recording to which a publication contributes."""

    id: str
    "Unique in the recording. A publication with the same id continues the track: a republished track, a reconnect."
    label: str = ""
    "Shown to people; any text."
    max_spatial: int = 7
    "Highest spatial layer to record; clamped to what the publication has."


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to an offer, and what became of its sections."""

    sdp: str
    "The session description to return."
    published: dict[str, str] = field(default_factory=dict)
    "mid -> publication id, for each section on which this peer sends a known publication."
    subscribed: dict[str, str] = field(default_factory=dict)
    "mid -> publication id, for each live section on which this peer receives."


@dataclass(frozen=True, slots=True)
class VideoAllocation:
    """What one video gets of a subscriber's bandwidth, and why. Points are (spatial layer, temporal layer)."""

    publication_id: str
    importance: str
    limit: tuple[int, int]
    "The most that the subscriber has use for."
    current: tuple[int, int] | None
    "What flows."
    allotted: tuple[int, int] | None
    "What may flow; None: nothing, or no limit is known."
    reason: str
    bitrates_bps: tuple[tuple[int, int, int], ...]
    "(spatial layer, temporal layer, bit/s) of what arrives."


@dataclass(frozen=True, slots=True)
class BandwidthExplanation:
    """How a subscriber's bandwidth is shared out, in bit/s."""

    available_bps: float | None
    "None: no limit is known."
    audio_bps: float
    wanted_bps: float
    "With this every video would come as it is wanted."
    videos: tuple[VideoAllocation, ...]
    recent: tuple[str, ...] = ()
    "Decisions of the last minute in words, the newest last."


# --- events ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PeerConnected:
    """ICE and DTLS are up: media and data can flow."""

    peer_id: str


@dataclass(frozen=True, slots=True)
class PeerClosed:
    """The transport ended by itself (never sent for `close_peer`)."""

    peer_id: str
    reason: CloseReason


@dataclass(frozen=True, slots=True)
class SectionsNeeded:
    """The peer must offer again, with this many more receiving sections (0 and 0: the present ones are enough)."""

    peer_id: str
    audio: int
    video: int


@dataclass(frozen=True, slots=True)
class OfferNeeded:
    """The server has something to offer on the connection on which the peer receives (dual-connection mode)."""

    peer_id: str


@dataclass(frozen=True, slots=True)
class PublicationBound:
    """A publication found its section; `codec` is what the answer prefers until the first packet tells."""

    peer_id: str
    publication_id: str
    mid: str
    codec: str


@dataclass(frozen=True, slots=True)
class PublicationStarted:
    """The first packet of a publication arrived."""

    peer_id: str
    publication_id: str
    codec: str


@dataclass(frozen=True, slots=True)
class PublicationEnded:
    """The peer stopped sending a publication (its section went inactive); the engine has forgotten it."""

    peer_id: str
    publication_id: str


@dataclass(frozen=True, slots=True)
class SubscriptionStarted:
    """The first packet of a publication went out to a subscriber."""

    peer_id: str
    publication_id: str


@dataclass(frozen=True, slots=True)
class SubscriptionPaused:
    """A subscriber's bandwidth is too small for a video, or suffices again."""

    peer_id: str
    publication_id: str
    paused: bool


@dataclass(frozen=True, slots=True)
class LayersWanted:
    """Of a screen's layers, which differ in rate alone, only these are sent to anybody; at first all are encoded."""

    publication_id: str
    layers: tuple[int, ...]
    "Ascending, never empty."


@dataclass(frozen=True, slots=True)
class LinkChanged:
    """What a viewer's link allows is another than was told before; it starts as no limit."""

    peer_id: str
    kbps: int | None
    "About what it carries, in kbit/s; 0: it seems to be dead; None: as much as is wanted."
    cameras: bool
    "Whether no camera is left out for want of bandwidth."
    screen: bool
    "Whether no shared screen is left out."
    loss_percent: int
    "Packets that the link loses by itself, in steps of 5 %."


@dataclass(frozen=True, slots=True)
class CodecMissing:
    """A subscriber cannot take what a publication sends: a backup is needed."""

    peer_id: str
    publication_id: str


@dataclass(frozen=True, slots=True)
class PublicationMuted:
    """The engine muted a publication that exceeds what one peer may send; the peer may have it unmuted."""

    peer_id: str
    publication_id: str


@dataclass(frozen=True, slots=True)
class DataReceived:
    """One message on a data channel."""

    peer_id: str
    label: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class DataRefused:
    """A peer reads a reliable channel too slowly: what waited of a flow was dropped, and so is what follows."""

    peer_id: str
    label: str
    flow: str
    "As in `send_data`; empty: a single message."


@dataclass(frozen=True, slots=True)
class Speaker:
    """Loudness of one publication."""

    publication_id: str
    level: float
    "0 (silent) to 1 (loudest), linear."
    active: bool


@dataclass(frozen=True, slots=True)
class SpeakersChanged:
    """Those whose level changed since the last event, including those who stopped (inactive, level 0)."""

    room_id: str
    speakers: tuple[Speaker, ...]


@dataclass(frozen=True, slots=True)
class QualityChanged:
    """A peer's connection became better or worse; it starts as excellent."""

    peer_id: str
    quality: Quality


@dataclass(frozen=True, slots=True)
class SegmentRecorded:
    """A segment of a recorded track is on the disk."""

    recording_id: str
    track_id: str
    end_ns: int
    "End of the segment, in nanoseconds since the start of the recording."
    octets: int


@dataclass(frozen=True, slots=True)
class TrackNotRecorded:
    """A publication that was to be recorded is not."""

    recording_id: str
    publication_id: str
    reason: Literal["encrypted", "codec"]
    "End-to-end encrypted, or in a codec that the recorder cannot store."


@dataclass(frozen=True, slots=True)
class RecordingStopped:
    """A recording has ended; all that was written can be read."""

    recording_id: str
    reason: str = ""
    "Empty: as commanded. Otherwise `off`, `disk-full`, `io-error`, `busy`, `invalid` or `internal`."
    detail: str = ""
    "For the log."


Event = (
    PeerConnected
    | PeerClosed
    | SectionsNeeded
    | OfferNeeded
    | PublicationBound
    | PublicationStarted
    | PublicationEnded
    | SubscriptionStarted
    | SubscriptionPaused
    | LayersWanted
    | LinkChanged
    | CodecMissing
    | PublicationMuted
    | DataReceived
    | DataRefused
    | SpeakersChanged
    | QualityChanged
    | SegmentRecorded
    | TrackNotRecorded
    | RecordingStopped
)
