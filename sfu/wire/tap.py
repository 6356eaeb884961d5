"""Messages between a tap, which hands over the packets of a recording, and the recorder, a process of its own.

A frame is its length (4 octets, big-endian) and one MessagePack value: an array of messages, each an array that begins
with the name of its type. Times are nanoseconds of the machine's CLOCK_MONOTONIC, which all its processes share.
"""

import struct
from collections.abc import Iterable

import msgspec

from sfu.values import RecordedTrackId, RecordingId

# A picture of a shared screen in one burst has about 300 KB; this ends a stream that has lost its place.
MAX_FRAME_OCTETS = 4 << 20

_LENGTH = struct.Struct("!I")


class TapError(Exception):
    """Bytes that are no message; the process at the other end is broken. The one exception of this module."""


class StartRecording(msgspec.Struct, frozen=True, array_like=True, tag=True, gc=False):
    """Begin a recording, or go on with it; harmless when it is already running."""

    recording_id: RecordingId
    "Chosen by the server: 1 to 64 letters, digits, `-` and `_`. It names the folder."
    at_ns: int
    key: bytes = b""
    "32 octets that encrypt the recording's files; empty: they are not encrypted."

    def __repr__(self) -> str:
        """Return a text for logs, without the key."""
        return f"StartRecording({self.recording_id!r}, {self.at_ns})"


class StopRecording(msgspec.Struct, frozen=True, array_like=True, tag=True, gc=False):
    """End a recording: everything received so far is written."""

    recording_id: RecordingId
    at_ns: int


class OpenTrack(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """A track of a recording. The same `track_id` continues the same track, after a republish or a reconnect too."""

    recording_id: RecordingId
    track_id: RecordedTrackId
    "Unique in the recording, for example identity and source; any text, it never becomes a path."
    kind: str
    "`audio` or `video`."
    label: str
    "For people; any text."
    at_ns: int
    screen_share: bool = False
    frame_keys: tuple[tuple[int, bytes], ...] = ()
    "(number, key) of frames that are encrypted end to end; none: they are not."

    def __repr__(self) -> str:
        """Return a text for logs, without the keys."""
        return f"OpenTrack({self.recording_id!r}, {self.track_id!r}, {self.kind!r}, {self.at_ns})"


class CloseTrack(msgspec.Struct, frozen=True, array_like=True, tag=True, gc=False):
    """Nothing more comes of a track, unless it is opened again."""

    recording_id: RecordingId
    track_id: RecordedTrackId
    at_ns: int


class MuteTrack(msgspec.Struct, frozen=True, array_like=True, tag=True, gc=False):
    """The publisher, or a moderator, muted or unmuted a track."""

    recording_id: RecordingId
    track_id: RecordedTrackId
    muted: bool
    at_ns: int


class OpenStream(msgspec.Struct, frozen=True, array_like=True, tag=True, gc=False):
    """A run of packets of a track with one numbering and one RTP clock: a layer, a republication, a reconnect."""

    stream: int
    "Unique on this connection, never used again."
    recording_id: RecordingId
    track_id: RecordedTrackId
    source: str
    "The publisher's peer connection: streams of one source share the NTP clock of its sender reports (RFC 3550)."
    clock_rate: int
    "Ticks of the RTP timestamp in a second."
    at_ns: int
    rtt_ns: int = 0
    "Round-trip time to the publisher, 0 when unknown: it counts before the first sender report."


class CloseStream(msgspec.Struct, frozen=True, array_like=True, tag=True, gc=False):
    """Nothing more comes of a stream."""

    stream: int
    at_ns: int


class Packet(msgspec.Struct, frozen=True, array_like=True, tag=True, gc=False):
    """One RTP packet, decrypted, without header and padding. Retransmissions carry their original's numbers."""

    stream: int
    sequence: int
    "Extended; of the substream, so that a layer which is left out leaves no gap."
    timestamp: int
    "RTP timestamp, 32 bits, as the publisher sent it."
    marker: bool
    codec: str
    "Lower-case encoding name: opus, red, vp8, vp9, av1, h264."
    payload: bytes
    arrived_ns: int


class SenderReport(msgspec.Struct, frozen=True, array_like=True, tag=True, gc=False):
    """A sender report (RFC 3550 section 6.4.1). A stream that is opened gets its last ones again."""

    stream: int
    ntp: int
    "64-bit NTP timestamp."
    timestamp: int
    "RTP timestamp."
    arrived_ns: int
    rtt_ns: int = 0
    "Round-trip time to the publisher, 0 when unknown."


class PacketsDropped(msgspec.Struct, frozen=True, array_like=True, tag=True, gc=False):
    """The tap dropped the newest packets of a stream, because the recorder did not keep up."""

    stream: int
    packets: int
    at_ns: int


class Ping(msgspec.Struct, frozen=True, array_like=True, tag=True, gc=False):
    """Answered by a `Pong` of the same number, from the loop that writes."""

    number: int


class Pong(msgspec.Struct, frozen=True, array_like=True, tag=True, gc=False):
    """The recorder has handled everything before the ping."""

    number: int


class Nack(msgspec.Struct, frozen=True, array_like=True, tag=True, gc=False):
    """Packets to ask for again."""

    stream: int
    sequences: tuple[int, ...]


class RequestKeyframe(msgspec.Struct, frozen=True, array_like=True, tag=True, gc=False):
    """The recorder can write nothing more of a stream before its next keyframe."""

    stream: int


class SegmentWritten(msgspec.Struct, frozen=True, array_like=True, tag=True, gc=False):
    """A segment is on the disk and in its index."""

    recording_id: RecordingId
    track_id: RecordedTrackId
    start_ns: int
    "Since the recording began, as `end_ns`."
    end_ns: int
    octets: int


class RecordingEnded(msgspec.Struct, frozen=True, array_like=True, tag=True, gc=False):
    """A recording was stopped as asked, and everything is on the disk."""

    recording_id: RecordingId


class RecordingFailed(msgspec.Struct, frozen=True, array_like=True, tag=True, gc=False):
    """A recording stopped by itself; what was written before can be read."""

    recording_id: RecordingId
    reason: str
    "`disk-full`, `io-error`, `busy` (another process writes it), `invalid` or `internal`."
    detail: str


ToRecorder = (
    StartRecording
    | StopRecording
    | OpenTrack
    | CloseTrack
    | MuteTrack
    | OpenStream
    | CloseStream
    | Packet
    | SenderReport
    | PacketsDropped
    | Ping
)
FromRecorder = Nack | RequestKeyframe | SegmentWritten | RecordingEnded | RecordingFailed | Pong

_encoder = msgspec.msgpack.Encoder()
_to_recorder = msgspec.msgpack.Decoder(list[ToRecorder])
_from_recorder = msgspec.msgpack.Decoder(list[FromRecorder])


def frame(messages: Iterable[ToRecorder] | Iterable[FromRecorder]) -> bytes:
    """One frame of these messages."""
    body = _encoder.encode(list(messages))
    return _LENGTH.pack(len(body)) + body


class FrameBuffer:
    """Cuts received bytes into frames."""

    def __init__(self) -> None:
        """Nothing received."""
        self._data = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """The bodies of the frames that these bytes complete. TapError when a frame is too long."""
        self._data += data
        bodies: list[bytes] = []
        at = 0
        while len(self._data) - at >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._data, at)
            if length > MAX_FRAME_OCTETS:
                raise TapError(f"a frame of {length} octets")
            end = at + _LENGTH.size + length
            if len(self._data) < end:
                break
            bodies.append(bytes(self._data[at + _LENGTH.size : end]))
            at = end
        del self._data[:at]
        return bodies


def read_to_recorder(body: bytes) -> list[ToRecorder]:
    """The messages of a frame from the tap. TapError."""
    try:
        return _to_recorder.decode(body)
    except (ValueError, msgspec.MsgspecError) as error:
        raise TapError(f"not a message to the recorder: {error}") from error


def read_from_recorder(body: bytes) -> list[FromRecorder]:
    """The messages of a frame from the recorder. TapError."""
    try:
        return _from_recorder.decode(body)
    except (ValueError, msgspec.MsgspecError) as error:
        raise TapError(f"not a message from the recorder: {error}") from error
