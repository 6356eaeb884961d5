"""Taps record publications: a tap is one more subscriber, whose packets go to the recorder without decoding.

A tap follows one stream of a publication at a time, the best one up to the layer that was asked for, and changes to
another one at a keyframe of that one. Each stream is announced to the recorder under a number of its own; another
numbering or RTP clock is another stream. A tap has a substream of its own in the stream's fan (`Fan.tap`), so viewers
and publications that are not recorded pay nothing for it.

The messages wait here until the shell takes them; what the recorder requests comes back through `send_again` and
`request_keyframe`.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from sfu.budget import Budget
from sfu.engine.context import Context
from sfu.engine.delivery import Delivery
from sfu.engine.peers.publication import Publication, Subscription
from sfu.forwarding.choice import UNBOUNDED, Flow, LayerChoice
from sfu.forwarding.fan import Fan
from sfu.forwarding.layers import FIRST_LAYER_GRACE_S
from sfu.forwarding.substream import Substream
from sfu.limits import LOOK_UPS
from sfu.receiving.inbound_stream import InboundStream
from sfu.values import Preferences, RecordedTrack, RecordingId, RoomId, TrackNotRecorded
from sfu.wire import tap
from sfu.wire.operating_points import OperatingPoint
from sfu.wire.packet import SourcePacket

NS_PER_S = 1_000_000_000
# What the recorder can store (`recording.media.codecs`).
CODECS = frozenset({"opus", "red", "vp8", "vp9", "av1", "h264"})
# LiveKit's clients do not encrypt AV1.
_ENCRYPTED_CODECS = CODECS - {"av1"}


def _ns(now: float) -> int:
    return round(now * NS_PER_S)


def _ignore() -> None:
    return


@dataclass(slots=True, eq=False)
class _Recording:
    id: RecordingId
    room_id: RoomId
    paused: bool = False
    taps: list["Tap"] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class _Stream:
    """A run of packets under one number."""

    number: int
    tap: "Tap"
    fan: Fan[Subscription]
    point: OperatingPoint | None
    substream: Substream = field(init=False)
    first: int = -1
    "Sequence number of the first packet that was handed over; older ones are not the recorder's to have."


class Tap:
    """A publication in a recording."""

    def __init__(self, recording: _Recording, published: Publication, track: RecordedTrack) -> None:
        """Create a tap that has sent nothing yet."""
        self.recording = recording
        self.published = published
        self.track = track
        self.codecs = _ENCRYPTED_CODECS if published.spec.encrypted else CODECS
        "What the recorder can store of this publication."
        self.stream: _Stream | None = None
        "What is handed over."
        self.target: Fan[Subscription] | None = None
        "The stream whose next keyframe is waited for."
        self.waiting_since = 0.0
        self.refused = False
        "Its codec cannot be stored."

    def __repr__(self) -> str:
        """For the log."""
        return f"tap of {self.published.spec.id} for {self.recording.id}"

    @property
    def choice(self) -> LayerChoice:
        """Return what determines its layer: only the request, since there is no path with limited bandwidth."""
        preferences = Preferences(max_spatial=self.track.max_spatial)
        return LayerChoice(preferences, UNBOUNDED, self.published.spec.layers)

    def point(self, fan: Fan[Subscription]) -> OperatingPoint | None:
        """Return the operating point of a stream to record; None: all of it."""
        point = self.choice.point(fan.stream, max(self.choice.bound, fan.stream.spatial))
        return None if point[0] >= fan.stream.top[0] else point


class Taps:
    """The packet side of one engine's recordings."""

    def __init__(self, context: Context, delivery: Delivery) -> None:
        """`delivery` requests keyframes."""
        self._context = context
        self._delivery = delivery
        self._recordings: dict[RecordingId, _Recording] = {}
        self._taps: dict[Publication, dict[RecordingId, Tap]] = {}
        "By publication and recording."
        self._streams: dict[int, _Stream] = {}
        self._numbers = 0
        self._look_ups = Budget(LOOK_UPS)
        self._messages: list[tap.ToRecorder] = []
        self.on_messages: Callable[[], None] = _ignore
        "Called when the first message waits."
        self.packets = 0
        "Handed over in total."

    def take_messages(self) -> list[tap.ToRecorder]:
        """Return the waiting messages, in order, and remove them."""
        messages, self._messages = self._messages, []
        return messages

    def _tell(self, message: tap.ToRecorder) -> None:
        if not self._messages:
            self.on_messages()
        self._messages.append(message)

    # --- commands ------------------------------------------------------------------------------------------------

    def start(self, recording_id: RecordingId, room_id: RoomId, now: float, key: bytes = b"") -> None:
        """Begin or continue a recording of a room; `record` adds its tracks, and `key` encrypts its files."""
        if recording_id not in self._recordings:
            self._recordings[recording_id] = _Recording(recording_id, room_id)
            self._tell(tap.StartRecording(recording_id, _ns(now), key))

    def stop(self, recording_id: RecordingId, now: float) -> bool:
        """End a recording; return whether it existed."""
        recording = self._recordings.pop(recording_id, None)
        if recording is None:
            return False
        for each in list(recording.taps):
            self._end(each, now)
        self._tell(tap.StopRecording(recording_id, _ns(now)))
        return True

    def pause(self, recording_id: RecordingId, paused: bool, now: float) -> None:
        """Pause or resume a recording."""
        recording = self._recordings.get(recording_id)
        if recording is not None and recording.paused != paused:
            recording.paused = paused
            self._context.containment.each(now, self._choose, recording.taps)

    def record(
        self, recording_id: RecordingId, published: Publication, track: RecordedTrack, now: float
    ) -> None:
        """Record a publication, unless it is already recorded or not received in the recorded room."""
        recording = self._recordings.get(recording_id)
        owner = self._context.peers.get(published.owner.connection_id)
        if recording is None or owner is None or recording_id in published.recorded:
            return
        if recording.room_id not in owner.rooms:
            return
        if published.spec.encrypted and not track.frame_keys:
            self._context.emit(TrackNotRecorded(recording_id, published.spec.id, "encrypted"))
            return
        new = Tap(recording, published, track)
        recording.taps.append(new)
        self._taps.setdefault(published, {})[recording_id] = new
        published.recorded[recording_id] = new.choice.bound
        spec, at_ns = published.spec, _ns(now)
        keys = track.frame_keys if spec.encrypted else ()
        self._tell(
            tap.OpenTrack(recording_id, track.id, spec.kind, track.label, at_ns, spec.screen_share, keys)
        )
        self._tell(tap.MuteTrack(recording_id, track.id, published.muted, at_ns))
        self._choose(new, now)

    def leave(self, recording_id: RecordingId, published: Publication, now: float) -> None:
        """Stop recording a publication."""
        found = self._taps.get(published, {}).get(recording_id)
        if found is not None:
            self._end(found, now)

    # --- what happens to publications ----------------------------------------------------------------------------

    def muted(self, published: Publication, now: float) -> None:
        """Process that a publication was muted or unmuted."""
        for each in self._of(published):
            if self._newest(each) is each:
                self._tell(tap.MuteTrack(each.recording.id, each.track.id, published.muted, _ns(now)))
        self.select_streams(published, now)

    def ended(self, published: Publication, rooms: Collection[RoomId], now: float) -> None:
        """Process that a publication is no longer received in some rooms."""
        for each in self._of(published):
            if each.recording.room_id in rooms:
                self._end(each, now)

    def select_streams(self, published: Publication, now: float) -> None:
        """Choose the stream of a publication to record."""
        self._context.containment.each(now, self._choose, self._of(published))

    def check(self, now: float) -> None:
        """Choose the streams of all publications again: layers begin and end."""
        for recording in self._recordings.values():
            self._context.containment.each(now, self._choose, recording.taps)

    def keyframe_begins(self, published: Publication, fan: Fan[Subscription], now: float) -> None:
        """Switch waiting taps to a stream; its next packet begins a keyframe."""
        for each in self._of(published):
            late = each.stream is None and now - each.waiting_since > FIRST_LAYER_GRACE_S
            if each.target is not None and (each.target is fan or late):
                self._open(each, fan, now)

    def sender_report(self, published: Publication, stream: InboundStream, now: float) -> None:
        """Pass on a sender report of a stream."""
        for each in self._of(published):
            if each.stream is not None and each.stream.fan.stream is stream:
                self._report(each.stream, now)

    # --- what the recorder requests ------------------------------------------------------------------------------

    def send_again(self, number: int, sequences: Collection[int], now: float) -> None:
        """Send retained packets again; others were already requested from the publisher."""
        stream = self._streams.get(number)
        if stream is None:
            return
        for sequence in sequences:
            if sequence < stream.first or not self._look_ups.take_tokens(1, now):
                continue
            packet = stream.substream.stored(sequence)
            if packet is not None:
                self._hand_over(stream, packet, now)

    def request_keyframe(self, number: int, now: float) -> None:
        """Request a keyframe of a stream, within the stream's budget."""
        stream = self._streams.get(number)
        if stream is not None:
            self._delivery.request_keyframe(stream.tap.published.owner, stream.fan.stream, now)

    def request_keyframes(self, now: float) -> None:
        """Request a keyframe of all recorded videos, so that a restarted recorder can continue with it."""
        for number, stream in self._streams.items():
            if stream.tap.published.spec.kind == "video":
                self.request_keyframe(number, now)

    def _of(self, published: Publication) -> list[Tap]:
        return list(self._taps.get(published, {}).values())

    # --- streams -------------------------------------------------------------------------------------------------

    def _choose(self, each: Tap, now: float) -> None:
        published = each.published
        if each.recording.paused or published.muted or each.refused:
            each.target = None
            self._close(each, now)
            return
        if not published.layers:
            return
        if published.wanted_layers is not None:
            self._delivery.want_layers_soon(now)
        live = published.live_spatials(now)
        if not live and each.stream is None:
            live = list(published.layers)  # silence, or a still picture: be ready for what comes next
        spatial = each.choice.spatial(live, published.wanted_layers)
        if isinstance(spatial, Flow):
            return
        fan = published.fan(spatial)
        stream = each.stream
        if stream is not None and stream.fan is fan and stream.point == each.point(fan):
            each.target = None
        elif published.spec.kind == "audio":
            self._open(each, fan, now)
        else:
            if each.target is not fan:
                each.target, each.waiting_since = fan, now
            self._delivery.request_keyframe(published.owner, fan.stream, now)

    def _open(self, each: Tap, fan: Fan[Subscription], now: float) -> None:
        """Hand a stream over from its next packet on, instead of the one so far."""
        self._close(each, now)
        each.target = None
        published, source = each.published, fan.stream
        point = each.point(fan)
        self._numbers += 1
        stream = each.stream = _Stream(self._numbers, each, fan, point)
        self._streams[stream.number] = stream
        # An AV1 decoder that gets no dependency descriptors takes all that has one timestamp for one picture.
        whole = point is not None and published.codec == "av1"
        stream.substream = fan.tap(
            stream.number,
            point,
            lambda packet, late: self._take(stream, packet, late=late),
            whole_pictures=whole,
        )
        self._tell(
            tap.OpenStream(
                stream.number,
                each.recording.id,
                each.track.id,
                f"{published.owner.connection_id} {published.owner.ssrc}",
                source.clock_rate,
                _ns(now),
                self._rtt_ns(stream),
            )
        )
        if source.clock is not None:
            self._report(stream, source.clock_at)

    def _close(self, each: Tap, now: float) -> None:
        stream, each.stream = each.stream, None
        if stream is not None:
            stream.fan.untap(stream.number)
            del self._streams[stream.number]
            self._tell(tap.CloseStream(stream.number, _ns(now)))

    def _end(self, each: Tap, now: float) -> None:
        recording = each.recording
        self._close(each, now)
        recording.taps.remove(each)
        del each.published.recorded[recording.id]
        taps = self._taps[each.published]
        del taps[recording.id]
        if not taps:
            del self._taps[each.published]
        newest = self._newest(each)
        if newest is None:
            self._tell(tap.CloseTrack(recording.id, each.track.id, _ns(now)))

    @staticmethod
    def _newest(each: Tap) -> Tap | None:
        """The tap that was added last for the same track of the recording; None if there is none any more."""
        same = (other for other in reversed(each.recording.taps) if other.track.id == each.track.id)
        return next(same, None)

    @staticmethod
    def _rtt_ns(stream: _Stream) -> int:
        """Round-trip time to the publisher, 0 when unknown.

        `Link.rtt_s` is not used: it may rest on the assumption that the clocks of two clients agree.
        """
        estimator = stream.tap.published.owner.downstream.estimator
        return 0 if estimator is None or estimator.rtt_s is None else _ns(estimator.rtt_s)

    def _report(self, stream: _Stream, at: float) -> None:
        clock = stream.fan.stream.clock
        if clock is not None:
            self._tell(tap.SenderReport(stream.number, *clock, _ns(at), self._rtt_ns(stream)))

    def _take(self, stream: _Stream, packet: SourcePacket, *, late: bool) -> None:
        if stream.first < 0:
            if late:
                return  # of the time before
            stream.first = packet.sequence
        if packet.sequence >= stream.first:
            self._hand_over(stream, packet, stream.fan.stream.packet_at)

    def _hand_over(self, stream: _Stream, packet: SourcePacket, now: float) -> None:
        if packet.codec not in stream.tap.codecs:
            self._refuse(stream.tap)
            return
        self.packets += 1
        self._tell(
            tap.Packet(
                stream.number,
                packet.sequence,
                packet.timestamp,
                packet.marker,
                packet.codec,
                bytes(packet.data[packet.payload_at :]),
                _ns(now),
            )
        )

    def _refuse(self, each: Tap) -> None:
        """Tell once that a codec cannot be stored; the stream is closed by the next check."""
        if not each.refused:
            each.refused = True
            self._context.emit(TrackNotRecorded(each.recording.id, each.published.spec.id, "codec"))
