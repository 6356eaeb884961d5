"""A track: packets of its streams in, changes to its files out. What is missing becomes a marked gap."""

from dataclasses import dataclass, field

from recording.containers.cutter import FRAGMENT_NS, Change, Cutter, MarkGap
from recording.media.assembler import Assembler, AudioAssembler, TimestampUnwrapper, VideoAssembler
from recording.media.codecs import opus
from recording.media.frame_keys import FrameKeys
from recording.media.sequencer import Sequencer
from recording.media.timeline import StreamClock
from recording.values import NS_PER_MS, NS_PER_S, CodedFrame, Gap, GapReason, Loss, Sample
from sfu.wire.tap import Packet

# The time of a stream follows its clock in steps, each half second of media: 1 % of its speed, which is inaudible.
_ADJUST_NS = 500 * NS_PER_MS
_MAX_STEP_NS = 5 * NS_PER_MS
# ITU-R BT.1359: sound that is early by 45 ms is noticed. What is off by more is set right at once.
_JUMP_NS = 40 * NS_PER_MS
# Retransmissions and queues of a weak path; LiveKit's clients give up a connection after 15 s.
_MAX_DELAY_NS = 5 * NS_PER_S
# Discontinuous transmission sends a packet each 400 ms; shorter holes are filled so that players do not stop.
_MAX_FILL_NS = 2 * NS_PER_S
_AUDIO_TOLERANCE_NS = 10 * NS_PER_MS
# Until a frame has a successor, its duration is that of the preceding one, within these bounds.
_MIN_FRAME_NS, _FIRST_FRAME_NS, _MAX_FRAME_NS = NS_PER_MS, 33 * NS_PER_MS, NS_PER_S
# As often as the engine repeats a viewer's request.
_KEYFRAME_RETRY_NS = NS_PER_S


class Placement:
    """Places the frames of a stream in the recording: a clock with small steps."""

    def __init__(self, kind: str, clock: StreamClock, clock_rate: int, epoch_ns: int) -> None:
        """`epoch_ns` is when the recording began, on the recorder's clock."""
        self._is_video = kind == "video"
        self._clock = clock
        self._rate = clock_rate
        self._epoch_ns = epoch_ns
        self._anchor: tuple[int, int] | None = None
        self._by_arrival = True

    def at(self, timestamp: int, arrived_ns: int) -> int:
        """The recording time of an unwrapped timestamp; `arrived_ns` is the arrival of its first packet."""
        # Whatever a publisher's reports say, a frame was captured before it arrived, and not long before.
        target_ns = (
            max(arrived_ns - _MAX_DELAY_NS, min(self._clock.at(timestamp), arrived_ns)) - self._epoch_ns
        )
        if self._anchor is None:
            self._anchor, self._by_arrival = (timestamp, target_ns), not self._clock.has_report
            return target_ns
        since, since_ns = self._anchor
        elapsed_ns = (timestamp - since) * NS_PER_S // self._rate
        time_ns = since_ns + elapsed_ns
        # The first report corrects the estimate from arrivals. Video may make that step at once, audio may not.
        first_report = self._by_arrival and self._clock.has_report
        if elapsed_ns >= _ADJUST_NS or first_report:
            self._by_arrival = not self._clock.has_report
            error_ns = target_ns - time_ns
            if abs(error_ns) <= _JUMP_NS and not (first_report and self._is_video):
                error_ns = max(-_MAX_STEP_NS, min(_MAX_STEP_NS, error_ns))
            time_ns += error_ns
            self._anchor = timestamp, time_ns
        return time_ns


class Stream:
    """One run of packets: sequencer, assembler and clock."""

    def __init__(  # noqa: PLR0913, PLR0917 - what the messages say about a stream
        self,
        number: int,
        kind: str,
        clock: StreamClock,
        clock_rate: int,
        epoch_ns: int,
        keys: FrameKeys | None = None,
    ) -> None:
        """`number` is the stream's in the messages, `kind` `audio` or `video`; `keys` decrypt its frames."""
        self.number = number
        self.sequencer = Sequencer()
        self.timestamps = TimestampUnwrapper()
        make = AudioAssembler if kind == "audio" else VideoAssembler
        self.assembler: Assembler = make(self.timestamps, keys)
        self.clock = clock
        self.placement = Placement(kind, clock, clock_rate, epoch_ns)
        self.needs_keyframe = kind == "video"
        self.dropped = False
        "The tap said that it dropped packets, since the last frame that was written."
        self.keyframe_asked_ns = -_KEYFRAME_RETRY_NS


@dataclass(slots=True)
class _PendingGap:
    start_ns: int
    reason: GapReason
    packets: int = 0


@dataclass(frozen=True, slots=True)
class Resume:
    """The state of a track on disk before this process continues it."""

    next_part: int = 1
    records: int = 0
    end_ns: int | None = None
    "End of the last segment; None when there is none."


@dataclass(slots=True)
class Track:
    """One track of a recording. Times are those of the recording."""

    kind: str
    resume: Resume = field(default_factory=Resume)
    muted: bool = False
    screen_share: bool = False
    keys: FrameKeys | None = None
    "Of frames that are encrypted end to end."
    streams: dict[int, Stream] = field(default_factory=dict)
    "By number, in the order in which they were opened."
    current: int = -1
    "The stream that is written."
    _cutter: Cutter = field(init=False)
    _gap: _PendingGap | None = field(init=False, default=None)
    _end_ns: int | None = field(init=False, default=None)
    "End of the last frame, of audio; start of the last frame, of video; None before the first."
    _interval_ns: int = field(init=False, default=_FIRST_FRAME_NS)
    _keyframe_ns: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        """Continue after the data on disk."""
        self._cutter = Cutter(self.resume.next_part, self.resume.records)
        if self.resume.end_ns is not None:
            self._end_ns = self.resume.end_ns
            self._gap = _PendingGap(self.resume.end_ns, GapReason.INTERRUPTED)

    def take(self, stream: Stream, items: list[Packet | Loss]) -> list[Change]:
        """What a stream's sequencer hands on."""
        changes: list[Change] = []
        for item in items:
            if self.current < 0 and self._gap is None and isinstance(item, Packet) and self.kind == "video":
                start_ns = stream.placement.at(stream.timestamps.near(item.timestamp), item.arrived_ns)
                self._gap = _PendingGap(max(start_ns, 0), GapReason.UNDECODABLE)
            for found in stream.assembler.push(item):
                if isinstance(found, Loss):
                    changes += self._lost(stream, found)
                else:
                    changes += self._frame(stream, found)
        return changes

    def poll(self, now_ns: int) -> list[Change]:
        """Write samples that have waited for the length of a fragment."""
        due_ns = self._cutter.due_ns()
        return self._cutter.flush() if due_ns is not None and now_ns - due_ns >= FRAGMENT_NS else []

    def wanted_keyframe(self, now_ns: int, interval_ns: int) -> int | None:
        """The stream to ask for a keyframe now, which counts as asked; `interval_ns` 0: only where one is missing."""
        if self.kind != "video" or self.muted or not self.streams:
            return None
        if self.keys is not None and self.keys.are_wrong:
            return None
        stream = self.streams[max(self.streams)]
        # A keyframe of a screen is a whole slide, sent to every viewer of the layer; it takes a narrow path seconds.
        overdue = interval_ns > 0 and not self.screen_share and now_ns - self._keyframe_ns >= interval_ns
        if not stream.needs_keyframe and not overdue:
            return None
        if now_ns - stream.keyframe_asked_ns < _KEYFRAME_RETRY_NS:
            return None
        stream.keyframe_asked_ns = now_ns
        return stream.number

    def mute(self, muted: bool, at_ns: int) -> list[Change]:
        """The track was muted or unmuted: media in between is not written."""
        changes: list[Change] = []
        if muted == self.muted:
            return changes
        for stream in self.streams.values():
            # Waiting samples arrived before the change, and are handled by the state before it.
            changes += self.take(stream, stream.sequencer.flush())
            stream.assembler.restart()
            stream.needs_keyframe = self.kind == "video"
        self.muted = muted
        return [*changes, *self.pause(GapReason.MUTED, at_ns)] if muted else changes

    def close_stream(self, number: int, at_ns: int) -> list[Change]:
        """A stream has ended."""
        stream = self.streams.get(number)
        if stream is None:
            return []
        changes = self.take(stream, stream.sequencer.flush())
        del self.streams[number]
        if not self.streams and not self.muted:
            changes += self.pause(GapReason.ABSENT, at_ns)
        elif number == self.current and self.kind == "video" and self._gap is None:
            # Its successor has no keyframe yet, so the last picture stays.
            self._gap = _PendingGap(max(at_ns, self._end_ns or 0), GapReason.UNDECODABLE)
        return changes

    def pause(self, reason: GapReason, at_ns: int) -> list[Change]:
        """No media is expected from now on: the last picture does not stay."""
        end_ns = at_ns if self._end_ns is None else max(at_ns, self._end_ns)
        if self.kind == "audio" and self._end_ns is not None:
            end_ns = self._end_ns
        changes = self._cutter.end(end_ns)
        if self._gap is None:
            self._gap = _PendingGap(end_ns, reason)
        return changes

    def finish(self, at_ns: int) -> list[Change]:
        """The recording ends."""
        changes: list[Change] = []
        for number in list(self.streams):
            changes += self.close_stream(number, at_ns)
        changes += self.pause(GapReason.ABSENT, at_ns)
        changes += self._end_gap(at_ns)
        return changes

    def _lost(self, stream: Stream, loss: Loss) -> list[Change]:
        if stream.number != self.current or self.muted:
            return []
        reason = GapReason.DROPPED if stream.dropped else GapReason.LOST
        if self.kind == "video":
            stream.needs_keyframe = True
        if self._gap is not None:
            self._gap.packets += loss.packets
            return []
        if self._end_ns is not None:
            start_ns = self._end_ns + (self._interval_ns if self.kind == "video" else 0)
            self._gap = _PendingGap(start_ns, reason, loss.packets)
        return []

    def _frame(self, stream: Stream, frame: CodedFrame) -> list[Change]:
        if self.muted or stream.number < self.current:
            return []
        start_ns = stream.placement.at(frame.timestamp, frame.arrived_ns)
        # An older layer goes on until a new one has its keyframe. A negative time is before the recording began. A
        # picture of the time that an earlier process has written is handed over again, and would be shown twice.
        again = self.kind == "video" and start_ns < (self.resume.end_ns or 0)
        if (stream.needs_keyframe and not frame.keyframe) or start_ns < 0 or again:
            return []
        stream.needs_keyframe = stream.dropped = False
        self.current = stream.number
        return self._audio(frame, start_ns) if self.kind == "audio" else self._video(frame, start_ns)

    def _video(self, frame: CodedFrame, start_ns: int) -> list[Change]:
        last_ns = self._end_ns
        if last_ns is not None:
            start_ns = max(start_ns, last_ns + _MIN_FRAME_NS)
            if self._gap is None:
                self._interval_ns = max(_MIN_FRAME_NS, min(_MAX_FRAME_NS, start_ns - last_ns))
        changes = self._end_gap(start_ns)
        config = frame.config or self._cutter.config
        if config is None:
            return changes
        if frame.keyframe:
            self._keyframe_ns = start_ns
        self._end_ns = start_ns
        changes += self._cutter.add(Sample(frame.data, start_ns, self._interval_ns, frame.keyframe), config)
        return changes

    def _audio(self, frame: CodedFrame, start_ns: int) -> list[Change]:
        changes: list[Change] = []
        end_ns = self._end_ns
        if end_ns is not None:
            if start_ns < end_ns - _AUDIO_TOLERANCE_NS:
                return []  # its time has been played: the clock was set back, or two streams overlap
            missing_ns = start_ns - end_ns
            if missing_ns > _MAX_FILL_NS:
                changes += self._cutter.end(end_ns)
                self._gap = self._gap or _PendingGap(end_ns, GapReason.ABSENT)
            elif missing_ns > _AUDIO_TOLERANCE_NS and self._cutter.config is not None:
                changes += self._fill(end_ns, start_ns)
        changes += self._end_gap(start_ns)
        self._end_ns = start_ns + frame.duration_ns
        changes += self._cutter.add(Sample(frame.data, start_ns, frame.duration_ns, True), opus.CONFIG)
        return changes

    def _fill(self, start_ns: int, end_ns: int) -> list[Change]:
        changes: list[Change] = []
        for _ in range(max(round((end_ns - start_ns) / opus.SILENCE_NS), 1)):
            changes += self._cutter.add(Sample(opus.SILENCE, start_ns, opus.SILENCE_NS, True), opus.CONFIG)
            start_ns += opus.SILENCE_NS
        return changes

    def _end_gap(self, end_ns: int) -> list[Change]:
        gap, self._gap = self._gap, None
        if gap is None or end_ns <= gap.start_ns:
            return []
        if self.kind == "audio" and not gap.packets and end_ns - gap.start_ns <= _AUDIO_TOLERANCE_NS:
            return []  # less than the clocks of two streams, or of two processes, may differ by
        return [MarkGap(Gap(gap.start_ns, end_ns, gap.reason, gap.packets))]
