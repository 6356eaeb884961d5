"""The plain values that cross the facade: arguments of the media engine's commands, and its events.

Every value is frozen and made of strings, numbers, bytes and tuples, so that the engine can run in the caller's
process or in another one.
"""

from dataclasses import dataclass, field
from typing import Literal, NewType

# --- ids -------------------------------------------------------------------------------------------------------
# The caller chooses these; the engine only compares them. Each is unique within one engine.

PeerId = NewType("PeerId", str)
RoomId = NewType("RoomId", str)
PublicationId = NewType("PublicationId", str)
RecordingId = NewType("RecordingId", str)
RecordedTrackId = NewType("RecordedTrackId", str)
"Unique in its recording: a republished track, or that of a reconnected publisher, has the id that it had."

# These are of the session descriptions.

Mid = NewType("Mid", str)
"Identifier of a media section (RFC 9143)."

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
    """The engine refuses a command; the message is for the log, and the caller decides what to tell the client."""


class SdpError(MediaError):
    """A session description is malformed, too large or cannot be answered."""


class UnknownPeerError(MediaError):
    """A command names a peer that is not open."""


class EngineError(MediaError):
    """The engine failed to execute a command; the same input may succeed later."""


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

    id: PublicationId
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
    backup_of: PublicationId | None = None
    "The publication of the same track in another codec, whose subscribers get this one if they cannot take that."


@dataclass(frozen=True, slots=True)
class ReceiverTraits:
    """Properties of a client's WebRTC stack as a receiver, where stacks differ."""

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
    """A subscriber's preferences for one publication."""

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

    id: RecordedTrackId
    "Unique in the recording. A publication with the same id continues the track: a republished track, a reconnect."
    label: str = ""
    "Shown to people; any text."
    max_spatial: int = 7
    "Highest spatial layer to record; clamped to what the publication has."
    frame_keys: tuple[tuple[int, bytes], ...] = field(default=(), repr=False)
    "(number, key) of frames that are encrypted end to end; without one, such a publication is not recorded."


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to an offer, and the use of its sections."""

    sdp: str
    "The session description to return."
    published: dict[Mid, PublicationId] = field(default_factory=dict)
    "mid -> publication id, for each section on which this peer sends a known publication."
    subscribed: dict[Mid, PublicationId] = field(default_factory=dict)
    "mid -> publication id, for each live section on which this peer receives."


@dataclass(frozen=True, slots=True)
class VideoAllocation:
    """The allotment of one video, and its reason. Operating points are (spatial layer, temporal layer)."""

    publication_id: PublicationId
    importance: str
    limit: tuple[int, int]
    "The most that the subscriber has use for."
    current: tuple[int, int] | None
    "What flows."
    allowed_point: tuple[int, int] | None
    "What may flow; None: nothing, or no limit is known."
    reason: str
    bitrates_bps: tuple[tuple[int, int, int], ...]
    "(spatial layer, temporal layer, bit/s) of what arrives."


@dataclass(frozen=True, slots=True)
class BandwidthExplanation:
    """The allocation of a subscriber's bandwidth, in bit/s."""

    available_bps: float | None
    "None: no limit is known."
    audio_bps: float
    wanted_bps: float
    "With this every video would come as it is wanted."
    videos: tuple[VideoAllocation, ...]
    recent: tuple[str, ...] = ()
    "Decisions of the last minute in words, the newest last."
    published: tuple[str, ...] = ()
    "A line for each stream that the peer sends, with the rows of those who are sent it."


# --- events ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PeerConnected:
    """ICE and DTLS are connected: media and data can flow."""

    peer_id: PeerId


@dataclass(frozen=True, slots=True)
class PeerClosed:
    """The transport ended without `close_peer`."""

    peer_id: PeerId
    reason: CloseReason


@dataclass(frozen=True, slots=True)
class SectionsNeeded:
    """The peer must offer again with this many more receiving sections (0 and 0: the present ones suffice)."""

    peer_id: PeerId
    audio: int
    video: int


@dataclass(frozen=True, slots=True)
class OfferNeeded:
    """The server needs to make an offer on the connection on which the peer receives (dual-connection mode)."""

    peer_id: PeerId


@dataclass(frozen=True, slots=True)
class PublicationBound:
    """A publication was bound to a section; `codec` is the answer's preference until the first packet arrives."""

    peer_id: PeerId
    publication_id: PublicationId
    mid: Mid
    codec: str


@dataclass(frozen=True, slots=True)
class PublicationStarted:
    """The first packet of a publication arrived."""

    peer_id: PeerId
    publication_id: PublicationId
    codec: str


@dataclass(frozen=True, slots=True)
class PublicationEnded:
    """The peer stopped sending a publication (its section became inactive); the engine has removed it."""

    peer_id: PeerId
    publication_id: PublicationId


@dataclass(frozen=True, slots=True)
class SubscriptionStarted:
    """The first packet of a publication was sent to a subscriber."""

    peer_id: PeerId
    publication_id: PublicationId


@dataclass(frozen=True, slots=True)
class SubscriptionPaused:
    """A subscriber's bandwidth became too small for a video, or sufficient again."""

    peer_id: PeerId
    publication_id: PublicationId
    paused: bool


@dataclass(frozen=True, slots=True)
class LayersWanted:
    """Only these layers of a shared screen are sent to anybody; initially its publisher encodes all of them."""

    publication_id: PublicationId
    layers: tuple[int, ...]
    "Ascending, never empty."


@dataclass(frozen=True, slots=True)
class LinkChanged:
    """The limit of a subscriber's link changed; initially there is none."""

    peer_id: PeerId
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
    """A subscriber cannot decode the codec of a publication: a backup codec is needed."""

    peer_id: PeerId
    publication_id: PublicationId


@dataclass(frozen=True, slots=True)
class PublicationMuted:
    """The engine muted a publication that exceeds the limits of a peer; the peer may unmute it."""

    peer_id: PeerId
    publication_id: PublicationId


@dataclass(frozen=True, slots=True)
class DataReceived:
    """One message on a data channel."""

    peer_id: PeerId
    label: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class DataRefused:
    """A peer reads a reliable channel too slowly: the rest of a flow was dropped, including later messages."""

    peer_id: PeerId
    label: str
    flow: str
    "As in `send_data`; empty: a single message."


@dataclass(frozen=True, slots=True)
class Speaker:
    """Loudness of one publication."""

    publication_id: PublicationId
    level: float
    "0 (silent) to 1 (loudest), linear."
    active: bool


@dataclass(frozen=True, slots=True)
class SpeakersChanged:
    """The speakers whose level changed since the last event; those who stopped are inactive with level 0."""

    room_id: RoomId
    speakers: tuple[Speaker, ...]


@dataclass(frozen=True, slots=True)
class QualityChanged:
    """The quality of a peer's connection changed; initially it is excellent."""

    peer_id: PeerId
    quality: Quality


@dataclass(frozen=True, slots=True)
class SegmentRecorded:
    """A segment of a recorded track was written to the disk."""

    recording_id: RecordingId
    track_id: RecordedTrackId
    end_ns: int
    "End of the segment, in nanoseconds since the start of the recording."
    octets: int


@dataclass(frozen=True, slots=True)
class TrackNotRecorded:
    """A publication cannot be recorded."""

    recording_id: RecordingId
    publication_id: PublicationId
    reason: Literal["encrypted", "codec"]
    "End-to-end encrypted without a key, or in a codec that the recorder cannot store (or cannot decrypt)."


@dataclass(frozen=True, slots=True)
class RecordingStopped:
    """A recording has ended; its files can be read."""

    recording_id: RecordingId
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
