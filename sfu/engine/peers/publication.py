"""Publications with their inbound streams, and subscriptions: the stream of each subscriber, and its start."""

from dataclasses import replace
from typing import TYPE_CHECKING

from sfu.engine.peers.link import ConnectionId, Link
from sfu.fanout import window
from sfu.fanout.pacer import Line
from sfu.fanout.table import Position, position_of, single_packet
from sfu.fanout.template import TemplateClass
from sfu.forwarding.choice import UNBOUNDED, Flow, LayerChoice
from sfu.forwarding.fan import Fan
from sfu.forwarding.layers import FIRST_LAYER_GRACE_S, needs_keyframe, step
from sfu.forwarding.replay import Replay, compressed
from sfu.forwarding.resender import Resender
from sfu.forwarding.steadiness import Steadiness
from sfu.forwarding.timeline import Timeline, column
from sfu.receiving.encodings import WantedLayers
from sfu.receiving.inbound_stream import InboundStream
from sfu.receiving.liveness import LAYER_DEAD_S, dead_after_s
from sfu.session.sections import InboundSection, OutboundSection
from sfu.values import Preferences, PublicationId, PublicationSpec, RecordingId
from sfu.wire.operating_points import OperatingPoint
from sfu.wire.packet import SourcePacket
from sfu.wire.red import RedundancyLevel

if TYPE_CHECKING:
    from sfu.bandwidth.allocate import Allocation
    from sfu.fanout.table import Column
    from sfu.forwarding.numbering import Segment
    from sfu.forwarding.substream import Substream


class Publication:
    """A publication: the publisher's announcement, its inbound streams and its subscriptions."""

    def __init__(self, spec: PublicationSpec, owner: Link) -> None:
        """`owner` is the link of the peer that sends it."""
        self.spec = spec
        self.owner = owner
        self.section: InboundSection | None = None
        self.layers: dict[int, InboundStream] = {}
        "By spatial layer; those seen so far."
        self._streams: list[InboundStream] = []
        "All that were ever added: one that another SSRC has replaced in `layers` may still send."
        self.fans: dict[int, Fan[Subscription]] = {}
        "Who follows each of them."
        self.subscriptions: dict[ConnectionId, Subscription] = {}
        "By subscriber."
        self.muted = spec.muted
        self.codec = ""
        "What is sent; empty before it is."
        self.backup: Publication | None = None
        "The same track in another codec."
        self.primary: Publication | None = None
        "The publication whose backup this is."
        heights = {layer.height for layer in spec.layers}
        switchable = spec.screen_share and len(spec.layers) > 1 and len(heights) == 1
        self.wanted_layers = WantedLayers(len(spec.layers)) if switchable else None
        "Which layers are to be encoded; None: all that the publisher sends, or what the sizes of its subscribers say."
        self.recorded: dict[RecordingId, int] = {}
        "Highest spatial layer that each recording of it takes, by recording."
        self.bitrates: tuple[float, dict[OperatingPoint, int]] = (0.0, {})
        "When `sharing` last computed what each live layer costs, and the result."

    def add_stream(self, section: InboundSection, ssrc: int, spatial: int, now: float) -> Fan["Subscription"]:
        """Add an inbound stream that carries this spatial layer."""
        stream = self.owner.make_stream(self.spec, section, ssrc, spatial, now)
        stream.wanted_layers = self.wanted_layers
        stream.set_muted(self.muted)
        self.layers[spatial] = stream
        self._streams.append(stream)
        fan = self.fans[spatial] = Fan[Subscription](stream)
        return fan

    def set_muted(self, muted: bool) -> None:
        """Forward nothing of it from now on, or everything again."""
        self.muted = muted
        for stream in self._streams:
            stream.set_muted(muted)

    def clear(self) -> None:
        """Remove all streams."""
        self.layers.clear()
        self._streams.clear()
        self.fans.clear()

    def _base(self, spatial: int) -> int:
        return max(base for base in self.layers if base <= spatial)

    def stream(self, spatial: int) -> InboundStream:
        """Return the stream of a spatial layer that has arrived."""
        return self.layers[self._base(spatial)]

    def fan(self, spatial: int) -> Fan["Subscription"]:
        """Return the fan of that stream."""
        return self.fans[self._base(spatial)]

    def live_spatials(self, now: float) -> list[int]:
        """Return the live spatial layers."""
        return [spatial for stream in self.layers.values() for spatial in stream.live_spatials(now)]

    def bitrates_bps(self, now: float) -> dict[OperatingPoint, int]:
        """Return the bitrate of each live operating point: the mean of a screen, the maximum of a camera."""
        screen = self.spec.screen_share
        return {
            (layer.spatial + spatial, temporal): bitrate_bps
            for layer in self.layers.values()
            for (spatial, temporal), bitrate_bps in (
                layer.rates.averages_bps(now, dead_after_s(layer.spatial, screen_share=True))
                if screen
                else layer.rates.bitrates_bps(now, LAYER_DEAD_S)
            ).items()
        }

    def spatial_of(self, rid: str) -> int | None:
        """Return the spatial layer of a rid; None if the publication has no such encoding."""
        for index, layer in enumerate(self.spec.layers):
            if layer.rid == rid:
                return index
        if self.section is not None and rid in self.section.parameters.rids:
            # The intent did not name its rids: take quarter, half, full, the names that LiveKit's clients use.
            return sorted(self.section.parameters.rids, key="qhf".find).index(rid)
        return None


class Subscription:
    """The forwarding of one publication to one subscriber; it combines the parts of `sfu.forwarding`."""

    def __init__(
        self, published: Publication, subscriber: Link, stream_id: str, seed: tuple[int, int, int]
    ) -> None:
        """`seed` is random: SSRC, SSRC of retransmissions, first sequence number (below 2**15, RFC 3711 3.3.1)."""
        self.published = published
        self.subscriber = subscriber
        self.stream_id = stream_id
        self.ssrc, rtx_ssrc, first = seed
        self.timeline = Timeline(first)
        self.resender = Resender(rtx_ssrc, first)
        self.section: OutboundSection | None = None
        self.settling = False
        "The subscriber may not have applied the answer with the section yet."
        self.preferences = Preferences()
        self.allowed_point: OperatingPoint | None = UNBOUNDED
        "The highest layer that the subscriber's bandwidth admits; None: nothing."
        self.allocation: Allocation | None = None
        "The allocation that led to it; None without a limit."
        self.held = False
        "Nothing is sent for a moment, as a more important picture is on its way."
        self.rank = 0
        "The place of its packets among those that wait on a weak path; 0 is the first."
        self.steadiness = Steadiness(screen=published.spec.screen_share)
        self.redundancy = RedundancyLevel.AS_SENT
        "What audio carries, where the subscriber takes any."
        self.bounded = False
        "Its packets were to wait for reports of arrivals when it was added to a table last."
        self.started = False
        "SubscriptionStarted was emitted."
        self.opened = False
        "The client has been sent packets of it on its present section, or needs none in order to announce it."
        self.missing_codec_reported = False
        "CodecMissing was emitted."
        self.fan: Fan[Subscription] | None = None
        "The stream that is sent."
        self.substream: Substream | None = None
        "The substream that is sent."
        self._wanted = (0, 0)
        "The point that should be sent of the stream that is, or that is waited for."
        self._target: Fan[Subscription] | None = None
        "The stream whose next keyframe is waited for."
        self._waiting_since = 0.0
        self._replay: Replay | None = None
        self._kind: TemplateClass | None = None
        self._base = (0, 0)
        "(packets, octets) of the substream's table when this subscriber joined it."
        self._sent = (0, 0)
        "(packets, octets) sent before that."

    def __repr__(self) -> str:
        """For the log."""
        return f"{self.publication_id} to {self.subscriber.connection_id}"

    # --- state ---------------------------------------------------------------------------------------------------

    @property
    def primary(self) -> Publication:
        """Return the subscribed publication; its backup may be the one that is sent."""
        return self.published.primary or self.published

    @property
    def publication_id(self) -> PublicationId:
        """Return the id of that publication."""
        return self.primary.spec.id

    @property
    def wants_media(self) -> bool:
        """Return whether media should be sent."""
        return (
            self.section is not None
            and not self.settling
            and self.subscriber.connected
            and self.preferences.enabled
            and not self.published.muted
        )

    @property
    def current(self) -> InboundStream | None:
        """Return the stream that is sent."""
        return None if self.substream is None else self.substream.layer

    @property
    def target(self) -> InboundStream | None:
        """Return the stream that starts at its next keyframe."""
        return None if self._target is None else self._target.stream

    @property
    def waits_in(self) -> Fan["Subscription"] | None:
        """The fan of that stream."""
        return self._target

    @property
    def replaying(self) -> bool:
        """Return whether retained packets are being sent."""
        return self._replay is not None

    @property
    def replay_begins(self) -> bool:
        """Return whether a replay has not sent any packet yet."""
        return self._replay is not None and self._replay.tail is None

    @property
    def point(self) -> OperatingPoint | None:
        """Return the operating point that is sent; None: nothing."""
        if self.substream is None:
            return None
        layer = self.substream.layer
        spatial, temporal = self.substream.point or layer.top
        return layer.spatial + spatial, min(temporal, layer.max_temporal)

    @property
    def numbered(self) -> bool:
        """Return whether its packets have transport-wide sequence numbers."""
        return self.section is not None and self.section.kind.numbered

    @property
    def gets_redundancy(self) -> bool:
        """Return whether redundancy is added to audio that the publisher sends without it."""
        if self.section is None or self.published.codec != "opus" or not self.published.spec.red:
            return False
        if self.redundancy is RedundancyLevel.NONE:
            return False
        return any(codec == "red" for codec, _ in self.section.kind.payload_types)

    @property
    def counts(self) -> tuple[int, int]:
        """Return (packets, payload octets) sent so far, for sender reports."""
        packets, octets = self._sent
        if self.substream is None or self._replay is not None:
            return packets, octets
        table, base = self.substream.table, self._base
        return packets + table.packets - base[0], octets + table.octets - base[1]

    @property
    def line(self) -> Line | None:
        """Return the pacer queue of its packets; audio is never queued, so it is sent first."""
        pacer = self.subscriber.downstream.pacer
        if pacer is None or self.published.spec.kind != "video" or not self.numbered:
            return None
        line = pacer.line(self)
        line.rank = self.rank
        return line

    @property
    def patience_s(self) -> float | None:
        """Return how long its packets wait for a report of arrivals at most; None: they do not (`sfu.fanout.window`).

        Those of a screen wait, since many of them come at once.
        """
        estimator, spec = self.subscriber.downstream.estimator, self.published.spec
        if estimator is None or not spec.screen_share or spec.kind != "video" or not self.numbered:
            return None
        return window.patience_s(estimator.rtt_s)

    # --- which stream --------------------------------------------------------------------------------------------

    @property
    def choice(self) -> LayerChoice:
        """Return what determines its layer."""
        return LayerChoice(self.preferences, self.allowed_point, self.published.spec.layers)

    @property
    def _svc_without_descriptor(self) -> bool:
        """Return whether each picture must contain all spatial layers up to the one that is shown.

        An AV1 decoder that gets no descriptors takes everything with one timestamp for one picture, as LiveKit's server
        sends it.
        """
        section, source = self.section, self.published.section
        if source is None or section is None or source.codec() != "av1" or section.kind.described:
            return False
        return len(self.published.layers) == 1

    def _key(self, fan: Fan["Subscription"], point: OperatingPoint) -> OperatingPoint | None:
        """Return the key of the substream of an operating point."""
        return None if point == fan.stream.top and self._svc_without_descriptor else fan.key(point)

    def _substream(self, fan: Fan["Subscription"], key: OperatingPoint | None) -> "Substream":
        """Return the substream of that key."""
        whole = key is not None and key[0] > 0 and self._svc_without_descriptor
        return fan.substream(key, whole_pictures=whole)

    def serve(self, published: Publication, now: float) -> None:
        """Switch to another publication of the track."""
        if published is not self.published:
            self.pause(now)
            del self.published.subscriptions[self.subscriber.connection_id]
            self.published = published
            published.subscriptions[self.subscriber.connection_id] = self

    def update_target(self, now: float) -> None:
        """Choose the stream to send; if it differs from the current one, wait for its keyframe."""
        published = self.published
        if not self.wants_media or not published.layers or self.held:
            self.pause(now)
            return
        live = published.live_spatials(now)
        if not live and self.substream is None:
            live = list(published.layers)  # silence, or a still picture: be ready for what comes next
        choice = self.choice
        spatial = choice.spatial(live, published.wanted_layers)
        if spatial is Flow.KEEP:
            return
        if isinstance(spatial, Flow):
            self.pause(now)
            return
        fan = published.fan(spatial)
        self._wanted = choice.point(fan.stream, spatial)
        substream = self.substream
        if (
            substream is not None
            and fan is self.fan
            and not needs_keyframe(substream.point, self._wanted, fan.stream.point_sets)
        ):
            self._wait_for(None, now)
            if self._key(fan, self._wanted) != substream.point:
                fan.wait_for_switch(self)
            else:
                fan.end_switch(self)
        elif fan is not self._target:
            self._wait_for(fan, now)

    def accepts_any_layer(self, now: float) -> bool:
        """Return whether nothing is sent yet and the chosen layer is late, so that any keyframe may start."""
        late = now - self._waiting_since > FIRST_LAYER_GRACE_S
        return self.substream is None and self._target is not None and late

    def _wait_for(self, fan: Fan["Subscription"] | None, now: float) -> None:
        if self._target is not None:
            self._target.awaiting_keyframe.discard(self)
        self._target = fan
        if fan is not None:
            fan.wait_for_keyframe(self)
            self._waiting_since = now

    # --- beginning and ending ------------------------------------------------------------------------------------

    def begin(self, fan: Fan["Subscription"], packet: SourcePacket, now: float) -> None:
        """Start to send a stream with `packet`: the first of a keyframe, or any audio packet."""
        self._start(fan, self._key(fan, fan.stream.within(self._wanted)), packet, now)
        self._join()

    def move(self, packet: SourcePacket, now: float) -> None:
        """Switch to the wanted substream of the stream, or one closer to it; `packet` starts a picture."""
        substream, fan = self.substream, self.fan
        if substream is None or fan is None or self._replay is not None:
            return  # a replay is finished first
        if substream.position(self).sequence >= packet.sequence:
            return  # it was sent this packet already, before it began to wait
        stream = fan.stream
        point = step(
            substream.point,
            self._wanted,
            stream.point_sets,
            switch_to=packet.frame.switch_to,
            switch_from=stream.frames.switch_from(packet.frame),
        )
        if point is None:
            return
        key = self._key(fan, point)
        if key != substream.point:
            self._start(fan, key, packet, now)
            self._join()
        if point != self._wanted:
            fan.wait_for_switch(self)

    def begin_replay(self, now: float) -> None:
        """Send the packets that the target has retained since its last keyframe (`replay`), then the stream."""
        fan = self._target
        assert fan is not None
        stream = fan.stream
        first = stream.stored(stream.keyframe_sequence)
        assert first is not None
        first.timestamp = compressed(first, stream.highest, stream.highest_timestamp)
        self._start(fan, None, first, now)
        segment = self.timeline.segment
        assert segment is not None
        self._replay = Replay(stream, segment, first.sequence)

    def replay(self, count: int) -> list[bytes]:
        """Return up to `count` packets of a replay; after the last one, new packets are forwarded."""
        replay, segment, fan = self._replay, self.timeline.segment, self.fan
        if replay is None or segment is None or fan is None or self.section is None:
            return []
        packets: list[bytes] = []
        while len(packets) < count and (source := replay.next()) is not None:
            packet = self._packet(source, segment)
            if packet is not None:
                packets.append(bytes(packet))
                self._sent = self._sent[0] + 1, self._sent[1] + len(source.data) - source.payload_at
        if replay.finished:
            self._advance()
            self._replay = None
            # the substream that it began with may be gone, but its numbers are the stream's
            self.substream = fan.substream(None)
            tail = replay.tail
            assert tail is not None  # the keyframe at least
            self._join(position_of(tail))
        return packets

    def pause(self, now: float) -> None:
        """Stop sending; the next packet follows without a gap, unless a packet in the pacer is dropped."""
        self._wait_for(None, now)
        if self.line is not None:
            self.line.drop()
        if self.substream is not None:
            self._leave(now)

    def end(self, now: float) -> None:
        """End the subscription."""
        self.pause(now)
        if self.subscriber.downstream.pacer is not None:
            self.subscriber.downstream.pacer.close(self)
        self.published.subscriptions.pop(self.subscriber.connection_id, None)

    def _start(
        self, fan: Fan["Subscription"], key: OperatingPoint | None, packet: SourcePacket, now: float
    ) -> None:
        assert self.section is not None
        substream, previous = self._substream(fan, key), self.current
        expected = self.timeline.expected_timestamp(previous, fan.stream, packet)
        if previous is not None:
            self._leave(now)
        self._wait_for(None, now)
        self.timeline.begin(substream, packet, expected, now, continues=previous is fan.stream)
        self.fan, self.substream, self._kind = fan, substream, self._template_class

    def _leave(self, now: float) -> None:
        substream, fan, segment = self.substream, self.fan, self.timeline.segment
        assert substream is not None
        assert fan is not None
        assert segment is not None
        assert self._kind is not None
        replay, self._sent = self._replay, self.counts
        position = fan.leave(substream, self._kind, self)
        if replay is None:
            self.timeline.advance(position.sequence)
            self.timeline.end(position if position.sequence >= segment.first_source else None, now)
        else:
            self._advance()
            self.timeline.end(replay.tail, now)
        self.fan = self.substream = self._replay = None

    def _advance(self) -> None:
        """Record the number up to which the current substream was sent."""
        if self._replay is not None:
            if self._replay.tail is not None:
                self.timeline.advance(self._replay.tail.sequence)
        elif self.substream is not None:
            self.timeline.advance(self.substream.position(self).sequence)

    # --- its place in the fan-out --------------------------------------------------------------------------------

    @property
    def _template_class(self) -> TemplateClass:
        assert self.section is not None
        kind = self.section.kind
        return kind if kind.redundancy is self.redundancy else replace(kind, redundancy=self.redundancy)

    def _join(self, after: Position | None = None) -> None:
        """Add the subscriber to the substream's table; `after` is what it was sent of the segment already."""
        assert self.substream is not None
        self._base = (self.substream.table.packets, self.substream.table.octets)
        self._enter(after)

    def _enter(self, after: Position | None) -> None:
        substream, segment = self.substream, self.timeline.segment
        assert substream is not None
        assert segment is not None
        assert self._kind is not None
        entry = replace(self._column(segment), patience_s=self.patience_s)
        self.bounded = entry.patience_s is not None
        substream.table.add(self._kind, self, entry, self.line, after)
        if self.fan is not None and self in self.fan.switching:
            self.fan.wait_for_switch(self)
        elif self.fan is not None:
            self.fan.attend()

    def enter_again(self) -> None:
        """Enter the table again, since pacing or redundancy changed."""
        if self.substream is not None and self._kind is not None and self._replay is None:
            after = self.substream.table.remove(self._kind, self) or self.substream.newest
            self._kind = self._template_class
            self._enter(after)

    def carry_redundancy(self, level: RedundancyLevel) -> None:
        """Set the redundancy of audio.

        Only for those whose packets are numbered: theirs are not repeated, so no index is encrypted twice with
        different contents.
        """
        if level is not self.redundancy and self.numbered:
            self.redundancy = level
            self.enter_again()

    # --- sending again -------------------------------------------------------------------------------------------

    def retransmission(self, sequence: int, now: float) -> bytes | None:
        """Return the retransmission (RFC 4588) of an outbound sequence number; None if the packet is not retained."""
        self._advance()
        found, line = self.timeline.resolve(sequence), self.line
        if found is None or self.section is None or (line is not None and line.was_dropped(sequence)):
            return None
        if not self.resender.admit(sequence, now, self.subscriber.rtt_s):
            return None
        substream, number, segment = found
        source = substream.stored(number)
        plain = None if source is None else self._packet(source, segment)
        if source is None or plain is None:
            return None
        payload_type = self.section.rtx_payload_types.get(source.codec)
        if payload_type is None:
            # RFC 7714 section 8.4: a number differs from that of the original, and AES-GCM must not protect two
            # different packets under one index
            return None if self.section.kind.numbered else bytes(plain)
        return self.resender.wrap(plain, payload_type)

    def _packet(self, source: SourcePacket, segment: "Segment[Substream]") -> bytearray | None:
        """Return a retained packet as sent to this subscriber in a segment; None if it has no such codec."""
        assert self.section is not None
        source.timestamp = compressed(source, segment.compressed_until, segment.compressed_to)
        return single_packet(self.section.kind, self._column(segment), source)

    def _column(self, segment: "Segment[Substream]") -> "Column":
        return column(segment, self.ssrc, self.subscriber.transport)

    @property
    def can_pad(self) -> bool:
        """Return whether padding can be sent: on the stream of retransmissions."""
        return self.numbered and self.section is not None and bool(self.section.rtx_payload_types)

    def padding(self) -> bytes:
        """Return a padding packet on the stream of retransmissions."""
        assert self.section is not None
        payload_type = next(iter(self.section.rtx_payload_types.values()))
        return self.resender.padding(self.section.kind, payload_type)
