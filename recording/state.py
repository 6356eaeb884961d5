"""A recording as a whole: messages of the tap in, changes to files and requests out. No clock, no I/O."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from recording.containers.cutter import Change
from recording.media.frame_keys import FrameKeys
from recording.media.timeline import SourceClock, StreamClock, ntp_to_ns
from recording.media.track import Resume, Stream, Track
from recording.values import GapReason
from sfu.values import RecordedTrackId
from sfu.wire.tap import (
    CloseStream,
    CloseTrack,
    MuteTrack,
    Nack,
    OpenStream,
    OpenTrack,
    Packet,
    PacketsDropped,
    RequestKeyframe,
    SenderReport,
)

if TYPE_CHECKING:
    from collections.abc import Callable

# One participant has four sources at most, and a room for teaching a few hundred people.
MAX_TRACKS = 2000
MAX_STREAMS_OF_TRACK = 16
# Clocks that are remembered, beyond the connections that they are of.
MAX_SOURCES = 4000
# RTP clock rates of the codecs are 48,000 and 90,000.
_MIN_CLOCK_RATE, _MAX_CLOCK_RATE = 8_000, 192_000


class InvalidError(Exception):
    """A message that contradicts earlier ones."""


@dataclass(frozen=True, slots=True)
class TrackChange:
    """A change to the files of a track."""

    track_id: RecordedTrackId
    change: Change


Output = TrackChange | Nack | RequestKeyframe


class RecordingState:
    """All tracks of one recording, on one clock."""

    def __init__(self, epoch_ns: int, keyframe_interval_ns: int = 0) -> None:
        """`epoch_ns` is when the recording began, on the clock of the messages."""
        self._epoch_ns = epoch_ns
        self._keyframe_interval_ns = keyframe_interval_ns
        self.tracks: dict[RecordedTrackId, Track] = {}
        self._streams: dict[int, tuple[RecordedTrackId, Stream]] = {}
        self._sources: dict[str, SourceClock] = {}
        self._handlers: dict[type, Callable[..., list[Output]]] = {
            Packet: self._packet,
            SenderReport: self._report,
            MuteTrack: self._mute,
            OpenStream: self._open_stream,
            CloseStream: self._close_stream,
            CloseTrack: self._close_track,
            PacketsDropped: self._dropped,
        }

    def check_track(self, message: OpenTrack) -> None:
        """Refuse a track before its files are opened. InvalidError."""
        if message.kind not in {"audio", "video"}:
            raise InvalidError(f"a track of kind {message.kind[:20]!r}")
        if len(self.tracks) >= MAX_TRACKS:
            raise InvalidError("too many tracks")

    def open_track(self, message: OpenTrack, resume: Resume) -> None:
        """Begin a track that is not open, or go on with it."""
        self.tracks[message.track_id] = Track(message.kind, resume, screen_share=message.screen_share)
        self.use_keys(message)

    def use_keys(self, message: OpenTrack) -> None:
        """Decrypt the next streams of a track with other keys, or not at all."""
        keys = message.frame_keys
        self.tracks[message.track_id].keys = FrameKeys(keys) if keys else None

    def handle(
        self,
        message: Packet | SenderReport | MuteTrack | OpenStream | CloseStream | CloseTrack | PacketsDropped,
    ) -> list[Output]:
        """Take a message. InvalidError; one about a stream or a track that is not open is ignored."""
        return self._handlers[type(message)](message)

    def tick(self, now_ns: int) -> list[Output]:
        """What the time brings; to be called each 100 ms or so, with the clock of the messages."""
        outputs: list[Output] = []
        for number, (track_id, stream) in self._streams.items():
            changes = self.tracks[track_id].take(stream, stream.sequencer.poll(now_ns))
            outputs += self._changes(track_id, changes)
            missing = stream.sequencer.nacks(now_ns)
            if missing:
                outputs.append(Nack(number, missing))
        for track_id, track in self.tracks.items():
            outputs += self._changes(track_id, track.poll(now_ns - self._epoch_ns))
            wanted = track.wanted_keyframe(now_ns - self._epoch_ns, self._keyframe_interval_ns)
            if wanted is not None:
                outputs.append(RequestKeyframe(wanted))
        return outputs

    def finish(self, at_ns: int) -> list[Output]:
        """The recording ends: everything that waits is written."""
        outputs: list[Output] = []
        for track_id, track in self.tracks.items():
            outputs += self._changes(track_id, track.finish(at_ns - self._epoch_ns))
        self.tracks.clear()
        self._streams.clear()
        return outputs

    @staticmethod
    def _changes(track_id: RecordedTrackId, changes: list[Change]) -> list[Output]:
        return [TrackChange(track_id, change) for change in changes]

    def _packet(self, packet: Packet) -> list[Output]:
        found = self._streams.get(packet.stream)
        if found is None:
            return []
        track_id, stream = found
        timestamp = stream.timestamps.unwrap(packet.timestamp & 0xFFFFFFFF)
        stream.clock.arrived(timestamp, packet.arrived_ns)
        return self._changes(track_id, self.tracks[track_id].take(stream, stream.sequencer.push(packet)))

    def _report(self, report: SenderReport) -> list[Output]:
        found = self._streams.get(report.stream)
        if found is not None:
            stream = found[1]
            timestamp = stream.timestamps.near(report.timestamp & 0xFFFFFFFF)
            stream.clock.report(ntp_to_ns(report.ntp), timestamp, report.arrived_ns, report.rtt_ns)
        return []

    def _dropped(self, message: PacketsDropped) -> list[Output]:
        found = self._streams.get(message.stream)
        if found is not None:
            found[1].dropped = True
        return []

    def _open_stream(self, message: OpenStream) -> list[Output]:
        track = self.tracks.get(message.track_id)
        if track is None or message.stream in self._streams:
            raise InvalidError("a stream of a track that is not open, or opened twice")
        if message.stream <= max(track.streams, default=track.current):
            raise InvalidError("a stream with an old number")
        if not _MIN_CLOCK_RATE <= message.clock_rate <= _MAX_CLOCK_RATE:
            raise InvalidError(f"a clock rate of {message.clock_rate}")
        outputs: list[Output] = []
        if len(track.streams) >= MAX_STREAMS_OF_TRACK:
            outputs += self._close(min(track.streams), message.at_ns)
        source = self._sources.pop(message.source, None) or SourceClock()
        self._sources[message.source] = source  # the last one now
        if len(self._sources) > MAX_SOURCES:
            del self._sources[next(iter(self._sources))]
        clock = StreamClock(source, message.clock_rate, message.rtt_ns)
        stream = Stream(message.stream, track.kind, clock, message.clock_rate, self._epoch_ns, track.keys)
        track.streams[message.stream] = stream
        self._streams[message.stream] = message.track_id, stream
        return outputs

    def _close_stream(self, message: CloseStream) -> list[Output]:
        return self._close(message.stream, message.at_ns)

    def _close(self, number: int, at_ns: int) -> list[Output]:
        found = self._streams.pop(number, None)
        if found is None:
            return []
        track_id = found[0]
        return self._changes(track_id, self.tracks[track_id].close_stream(number, at_ns - self._epoch_ns))

    def _mute(self, message: MuteTrack) -> list[Output]:
        track = self.tracks.get(message.track_id)
        if track is None:
            return []
        changes = track.mute(message.muted, message.at_ns - self._epoch_ns)
        return self._changes(message.track_id, changes)

    def _close_track(self, message: CloseTrack) -> list[Output]:
        track = self.tracks.get(message.track_id)
        if track is None:
            return []
        outputs: list[Output] = []
        for number in list(track.streams):
            outputs += self._close(number, message.at_ns)
        at_ns = message.at_ns - self._epoch_ns
        return outputs + self._changes(message.track_id, track.pause(GapReason.ABSENT, at_ns))
