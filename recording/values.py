"""Plain values of the recorder. Times are nanoseconds; those of samples and gaps are times of the recording."""

from dataclasses import dataclass
from enum import IntEnum

NS_PER_S = 1_000_000_000
NS_PER_MS = 1_000_000
EVER_NS = 1 << 62
"Later than the end of any recording."


class PayloadError(Exception):
    """A payload that contradicts its format; it costs the picture that it belongs to."""


@dataclass(frozen=True, slots=True)
class CodecConfig:
    """A decoder's configuration before the first frame. A different one starts a new part of the track."""

    codec: str
    "opus, vp8, vp9, av1 or h264."
    mime_codec: str
    "The `codecs` parameter of the MIME type (RFC 6381)."
    width: int = 0
    height: int = 0
    private: bytes = b""
    "OpusHead, av1C or avcC; empty where the codec needs none."


@dataclass(frozen=True, slots=True)
class Picture:
    """The picture in the payloads of one RTP timestamp."""

    data: bytes
    keyframe: bool
    config: CodecConfig | None = None
    "Of a keyframe; None for the others."


@dataclass(frozen=True, slots=True)
class CodedFrame:
    """One access unit of a stream, ready for a container."""

    data: bytes
    timestamp: int
    "Unwrapped RTP timestamp."
    arrived_ns: int
    "Arrival time of its first packet."
    keyframe: bool
    "Always true of audio."
    config: CodecConfig | None
    duration_ns: int = 0
    "Of audio; 0 for video, where the next frame ends this one."


@dataclass(frozen=True, slots=True)
class Loss:
    """Lost packets, in the place where they were expected."""

    packets: int


@dataclass(frozen=True, slots=True)
class Sample:
    """A frame with its place in the recording."""

    data: bytes
    start_ns: int
    duration_ns: int
    keyframe: bool


class GapReason(IntEnum):
    """Why a track has nothing, or nothing new, for a while."""

    LOST = 1
    "Packets were lost."
    DROPPED = 2
    "The recorder did not keep up."
    MUTED = 3
    ABSENT = 4
    "Nobody sent the track: unpublished, disconnected, or audio without packets."
    UNDECODABLE = 5
    "Video before its first keyframe, or a payload that contradicts its format."
    INTERRUPTED = 6
    "The recorder was not running."


@dataclass(frozen=True, slots=True)
class Gap:
    """A time without the media of a track."""

    start_ns: int
    end_ns: int
    reason: GapReason
    packets: int = 0
    "Number of packets known to be missing."
