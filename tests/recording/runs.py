"""The files that changes would make, in memory."""

from recording.containers.cutter import Append, CloseSegment, MarkGap, OpenPart, Patch
from recording.media.track import Resume
from recording.state import RecordingState, TrackChange
from sfu.wire.tap import OpenStream, OpenTrack


class Files:
    """What a track's changes write."""

    def __init__(self):
        self.parts, self.configs, self.records, self.gaps = {}, {}, [], []
        self.number = 0

    def apply(self, changes):
        for change in changes:
            if isinstance(change, OpenPart):
                self.number = change.number
                self.parts[change.number] = bytearray(change.data)
                self.configs[change.number] = change.config
            elif isinstance(change, Append):
                self.parts[self.number] += change.data
            elif isinstance(change, Patch):
                self.parts[self.number][change.offset : change.offset + 4] = change.data
            elif isinstance(change, CloseSegment):
                self.records.append(change.record)
            elif isinstance(change, MarkGap):
                self.gaps.append(change.gap)
        return self


class Run:
    """A recording whose tracks are written into memory."""

    def __init__(self, *tracks, epoch_ns=0, keyframe_interval_ns=0):
        self.state = RecordingState(epoch_ns, keyframe_interval_ns)
        self.files, self.requests = {}, []
        for track_id, kind in tracks:
            self.state.open_track(OpenTrack("r", track_id, kind, "", epoch_ns), Resume())
            self.files[track_id] = Files()

    def open(self, number, track_id, *, source="p", rate=90_000, at_ns=0, rtt_ns=0):
        self.take(self.state.handle(OpenStream(number, "r", track_id, source, rate, at_ns, rtt_ns)))

    def take(self, outputs):
        for output in outputs:
            if isinstance(output, TrackChange):
                self.files[output.track_id].apply([output.change])
            else:
                self.requests.append(output)

    def handle(self, *messages):
        for message in messages:
            self.take(self.state.handle(message))

    def play(self, packets, tick=True):
        """Messages in the order of their arrival, with the ticks between them."""
        for packet in sorted(packets, key=lambda each: each.arrived_ns):
            self.handle(packet)
            if tick:
                self.take(self.state.tick(packet.arrived_ns))

    def finish(self, at_ns):
        self.take(self.state.finish(at_ns))
