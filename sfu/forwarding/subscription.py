"""A publication as one subscriber gets it: which source layer, and renumbered so that switches leave no gap."""

from dataclasses import replace
from typing import TYPE_CHECKING

from sfu.fanout.pacer import Line
from sfu.fanout.table import Column, single_packet
from sfu.fanout.template import TemplateClass, padding_packet
from sfu.forwarding.layers import FIRST_LAYER_GRACE_S, highest_wanted, needs_keyframe, step, target_layer
from sfu.forwarding.numbering import OutboundSequence, Segment
from sfu.forwarding.steadiness import Steadiness
from sfu.values import Preferences
from sfu.wire.arithmetic import ts_diff
from sfu.wire.operating_points import OperatingPoint
from sfu.wire.packet import SourcePacket
from sfu.wire.red import RedundancyLevel

if TYPE_CHECKING:
    from sfu.bandwidth.allocate import Allocation
    from sfu.engine.peer import Peer
    from sfu.engine.publication import Publication
    from sfu.forwarding.substream import Substream
    from sfu.receiving.inbound_stream import InboundStream
    from sfu.session.sections import OutboundSection

# A packet is sent again at most this often, and not within this time of the last (a request crossing the answer).
MAX_RESENDS = 3
RESEND_INTERVAL_S = 0.1
# A viewer's requests are answered from this budget: a burst, refilled at this rate. More is not loss but an attack.
RESEND_BURST = 512
RESENDS_PER_S = 1000
# A replay's frames are played 32 times as fast: two seconds in 60 ms. Frames stay apart, as timestamps must.
TIMESTAMP_COMPRESSION_BITS = 5
_REMEMBERED_RESENDS = 1024
# A bound above every layer there can be.
UNBOUNDED: OperatingPoint = (7, 7)


class Subscription:
    """One publication to one subscriber."""

    def __init__(
        self, published: "Publication", subscriber: "Peer", stream_id: str, seed: tuple[int, int, int]
    ) -> None:
        """`seed` is random: SSRC, SSRC of retransmissions, first sequence number (below 2**15, RFC 3711 3.3.1)."""
        self.published = published
        self.subscriber = subscriber
        self.stream_id = stream_id
        self.ssrc, self.rtx_ssrc, first = seed
        self.section: OutboundSection | None = None
        self.settling = False
        "The subscriber may not have applied the answer with the section yet."
        self.preferences = Preferences()
        self.allotted: OperatingPoint | None = UNBOUNDED
        "The highest layer that the subscriber's bandwidth admits; None: nothing."
        self.allocation: Allocation | None = None
        "How that came about; None without a limit."
        self.held = False
        "Nothing flows for a moment, as a picture that is more important is on its way."
        self.rank = 0
        "Before what else its packets go on a weak link; 0 is the first."
        self.steadiness = Steadiness(screen=published.spec.screen_share)
        self.redundancy = RedundancyLevel.AS_SENT
        "What audio carries, where the subscriber takes any."
        self.view: Substream | None = None
        "What flows."
        self._wanted = (0, 0)
        "What should flow of the layer that does or is waited for."
        self.target: InboundStream | None = None
        "The layer whose next keyframe is waited for."
        self.waiting_since = 0.0
        self.started = False
        self.out = OutboundSequence(first)
        self._rtx_sequence = first
        self.missing_codec_reported = False
        "That the subscriber cannot take the codec was told."
        self._kind: TemplateClass | None = None
        self._cursor: int | None = None
        "Source number of a replay's next packet; None when none is going on."
        self._tail: SourcePacket | None = None
        "The last packet that the replay sent."
        self._last: tuple[int, int, int, int, float] | None = None
        "(timestamp, picture id, TL0PICIDX, frame number, time) of the last packet that went out before a pause."
        self._base = (0, 0)
        self.sent_packets = self.sent_octets = 0
        "Before the current layer."
        self._resends: dict[int, tuple[int, float]] = {}
        self._budget = float(RESEND_BURST)
        self._budget_at = 0.0

    def __repr__(self) -> str:
        """For the log."""
        return f"{self.publication_id} to {self.subscriber.id}"

    @property
    def primary(self) -> "Publication":
        """What was subscribed to; a backup of it may be what is served."""
        return self.published.primary or self.published

    @property
    def publication_id(self) -> str:
        """What was subscribed to, by id."""
        return self.primary.spec.id

    def serve(self, published: "Publication", now: float) -> None:
        """Serve this one of a track's publications from now on."""
        if published is not self.published:
            self.pause(now)
            del self.published.subscriptions[self.subscriber.id]
            self.published = published
            published.subscriptions[self.subscriber.id] = self

    @property
    def wants_media(self) -> bool:
        """Whether anything should flow."""
        return (
            self.section is not None
            and not self.settling
            and self.subscriber.connected
            and self.preferences.enabled
            and not self.published.muted
        )

    @property
    def current(self) -> "InboundStream | None":
        """The layer that flows."""
        return None if self.view is None else self.view.layer

    @property
    def point(self) -> OperatingPoint | None:
        """What flows, as a point of the publication; None: nothing."""
        if self.view is None:
            return None
        layer = self.view.layer
        spatial, temporal = self.view.point or layer.top
        return layer.spatial + spatial, min(temporal, layer.max_temporal)

    @property
    def _svc_without_descriptor(self) -> bool:
        """Whether of several sizes in one stream only the smallest or all together can be shown.

        An AV1 decoder that gets no descriptors takes what comes at one time for one frame, and needs the whole of it.
        """
        section, source = self.section, self.published.section
        if source is None or section is None or source.codec() != "av1" or section.kind.described:
            return False
        return len(self.published.layers) == 1

    @property
    def highest_wanted(self) -> int:
        """The highest spatial layer that the subscriber has use for."""
        layers = self.published.spec.layers
        wanted = highest_wanted(self.preferences, layers)
        return len(layers) - 1 if wanted and self._svc_without_descriptor else wanted

    @property
    def wanted_spatial(self) -> int:
        """The spatial layer that its subscriber should be sent, whether or not it arrives; 0 while none fits."""
        return 0 if self.allotted is None else min(self.highest_wanted, self.allotted[0])

    def _key(self, layer: "InboundStream", point: OperatingPoint) -> OperatingPoint | None:
        """Which view shows a point."""
        return None if point[0] and self._svc_without_descriptor else layer.key(point)

    def choose(self, now: float) -> None:
        """Decide which layer should flow, and wait for its keyframe if it is another than the one that does."""
        layers = self.published.layers
        if not self.wants_media or not layers or self.allotted is None or self.held:
            self.pause(now)
            return
        live = [spatial for layer in layers.values() for spatial in layer.live_spatials(now)]
        if not live and self.view is None:
            live = list(layers)  # silence, or a still picture: be ready for what comes next
        chosen = target_layer(min(self.highest_wanted, self.allotted[0]), live)
        if chosen is None:
            return  # nothing arrives: what flows may come back
        bound = min(self.highest_wanted, self.allotted[0])
        if (
            chosen > bound
            and self.published.wanted_layers is not None
            and self.published.wanted_layers.may_come(bound)
        ):
            self.pause(
                now
            )  # what arrives is more than the link carries, and the layer that fits is on its way
            return
        if self._svc_without_descriptor and chosen < max(live):
            chosen = min(live)
        layer = self.published.stream(chosen)
        temporal = min(self.allotted[1], layer.temporal_for(self.preferences.fps))
        self._wanted = layer.point(chosen, temporal)
        view = self.view
        if view is None or view.layer is not layer:
            here = False
        else:
            here = not needs_keyframe(view.point, self._wanted, layer.sets)
        if here:
            self._wait_for(None, now)
            if view is not None and self._key(layer, self._wanted) != view.point:
                layer.moving.add(self)
            else:
                layer.moving.discard(self)
        elif layer is not self.target:
            self._wait_for(layer, now)

    def accepts_any_layer(self, now: float) -> bool:
        """Nothing flows yet and the wanted layer is late: any keyframe will do."""
        return (
            self.view is None and self.target is not None and now - self.waiting_since > FIRST_LAYER_GRACE_S
        )

    def _wait_for(self, layer: "InboundStream | None", now: float) -> None:
        if self.target is not None:
            self.target.waiting.discard(self)
        self.target = layer
        if layer is not None:
            layer.waiting.add(self)
            self.waiting_since = now

    def pause(self, now: float) -> None:
        """Let nothing flow; the next packet that does follows without a gap, unless some that waited is dropped."""
        self._wait_for(None, now)
        if self.line is not None:
            self.line.drop()
        if self.view is not None:
            self._leave(now)

    def _leave(self, now: float) -> None:
        view = self.view
        segment = self.out.current
        assert view is not None
        assert segment is not None
        assert self._kind is not None
        self._advance()
        last = self._tail if self.replaying else view if view.highest >= segment.first_source else None
        if last is not None:
            self._last = (
                (last.timestamp + segment.timestamp_offset) & 0xFFFFFFFF,
                last.picture_id + segment.picture_id_offset,
                last.tl0picidx + segment.tl0picidx_offset,
                last.frame_number + segment.frame_number_offset,
                now,
            )
        self.sent_packets, self.sent_octets = self.counts()
        view.leave(self._kind, self)
        view.layer.moving.discard(self)
        self.view = self._cursor = self._tail = None

    def _advance(self) -> None:
        """Note what went out of the present view so far."""
        if self._tail is not None:
            self.out.advance(self._tail.sequence)
        elif self.view is not None and not self.replaying:
            self.out.advance(self.view.highest)

    def counts(self) -> tuple[int, int]:
        """(packets, payload octets) sent so far, for sender reports."""
        if self.view is None or self.replaying:
            return self.sent_packets, self.sent_octets
        table = self.view.table
        return (
            self.sent_packets + table.packets - self._base[0],
            self.sent_octets + table.octets - self._base[1],
        )

    def begin(self, layer: "InboundStream", packet: SourcePacket, now: float) -> None:
        """Let `layer` flow from `packet` on: the first of a keyframe, or any packet of audio."""
        self._start(layer.view(self._key(layer, layer.within(self._wanted))), packet, now)
        self._join()

    def move(self, packet: SourcePacket, now: float) -> None:
        """Go over to the wanted view of the same layer, or nearer to it, where a picture starts with `packet`."""
        view = self.view
        if view is None or self.replaying:
            return  # a replay shows all there is first
        layer = view.layer
        point = step(
            view.point,
            self._wanted,
            layer.sets,
            switch_to=packet.frame.switch_to,
            switch_from=layer.frames.switch_from(packet.frame),
        )
        if point is None:
            return
        if self._key(layer, point) != view.point:
            self._start(layer.view(self._key(layer, point)), packet, now)
            self._join()
        if point != self._wanted:
            layer.moving.add(self)

    def begin_replay(self, layer: "InboundStream", now: float) -> None:
        """Show what `layer` has kept since its last keyframe, by `replay`, then let it flow."""
        first = layer.kept(layer.keyframe_sequence)
        assert first is not None
        anchor = Segment(None, 0, 0, 0, compressed_until=layer.highest, compressed_to=layer.highest_timestamp)
        first.timestamp = _squeezed(first, anchor)
        self._start(layer.view(None), first, now)
        segment = self.out.current
        assert segment is not None
        segment.compressed_until, segment.compressed_to = anchor.compressed_until, anchor.compressed_to
        self._cursor = first.sequence

    def replay(self, count: int) -> list[bytes]:
        """The next packets of a replay, at most `count`; once it has caught up, new ones flow by themselves."""
        layer, segment = self.current, self.out.current
        if layer is None or segment is None or self.section is None or self._cursor is None:
            return []
        packets: list[bytes] = []
        while len(packets) < count and self._cursor <= layer.highest:
            kept = layer.kept(self._cursor)
            self._cursor += 1
            if kept is None:
                continue  # lost on the way here: the viewer asks for a keyframe if it needs one
            kept.timestamp = _squeezed(kept, segment)
            self._tail = kept
            packet = single_packet(self.section.kind, self._column(segment), kept)
            if packet is not None:
                packets.append(bytes(packet))
                self.sent_packets += 1
                self.sent_octets += len(kept.data) - kept.payload_at
        if self._cursor > layer.highest:
            self._advance()
            self._cursor = self._tail = None
            # the view that it began with may be gone, but its numbers are the layer's
            self.view = layer.view(None)
            self._join()
        return packets

    @property
    def numbered(self) -> bool:
        """Whether its packets carry transport-wide numbers."""
        return self.section is not None and self.section.kind.numbered

    @property
    def gets_redundancy(self) -> bool:
        """Whether earlier packets are made to go along with each of its audio, which the publisher sends plain."""
        if self.section is None or self.published.codec != "opus" or not self.published.spec.red:
            return False
        if self.redundancy is RedundancyLevel.NONE:
            return False
        return any(codec == "red" for codec, _ in self.section.kind.payload_types)

    @property
    def replay_begins(self) -> bool:
        """Whether nothing of a replay has been sent yet."""
        return self.replaying and self._tail is None

    @property
    def replaying(self) -> bool:
        """Whether kept packets are still on their way."""
        return self._cursor is not None

    def _start(self, view: "Substream", packet: SourcePacket, now: float) -> None:
        assert self.section is not None
        placed = view.place(packet)
        assert placed is not None  # it is the newest there is
        layer, previous, before = view.layer, self.current, self.out.current
        expected = self._expected_timestamp(previous, layer, packet)
        if previous is not None:
            self._leave(now)
        self._wait_for(None, now)
        self.out.switch(view, placed.sequence)
        segment = self.out.current
        assert segment is not None
        if self._last is not None:
            timestamp, picture_id, tl0picidx, frame_number, left_at = self._last
            if expected is None:
                # without sender reports of both layers: by the time that has passed
                expected = timestamp + int((now - left_at) * layer.clock_rate)
            if ts_diff(expected & 0xFFFFFFFF, timestamp) <= 0:
                expected = timestamp + 1  # time never runs backwards for a decoder
            segment.timestamp_offset = expected - packet.timestamp
            if packet.picture_id_at >= 0:
                segment.picture_id_offset = picture_id + 1 - placed.picture_id
            if previous is layer and before is not None:  # these may have gaps: others are told by them apart
                segment.tl0picidx_offset = before.tl0picidx_offset
                segment.frame_number_offset = before.frame_number_offset
            else:
                segment.tl0picidx_offset = tl0picidx + 1 - packet.tl0picidx
                segment.frame_number_offset = frame_number + 1 - packet.frame_number
        self.view = view
        self._kind = self._template_class

    def _join(self) -> None:
        """From now on the view's packets go out with those of all its subscribers."""
        view, segment = self.view, self.out.current
        assert view is not None
        assert segment is not None
        assert self._kind is not None
        self._base = (view.table.packets, view.table.octets)
        view.table.add(self._kind, self, self._column(segment), self.line)

    @property
    def line(self) -> Line | None:
        """Where its packets wait; audio never does, and goes first thereby."""
        pacer = self.subscriber.pacer
        if pacer is None or self.published.spec.kind != "video" or not self.numbered:
            return None
        line = pacer.line(self)
        line.rank = self.rank
        return line

    def carry_redundancy(self, level: RedundancyLevel) -> None:
        """Let audio carry so much redundancy from now on.

        Only for those whose packets are numbered: theirs are not repeated, so no index is encrypted twice with
        different contents.
        """
        if level is self.redundancy or not self.numbered:
            return
        self.redundancy = level
        view, segment = self.view, self.out.current
        if view is not None and segment is not None and self._kind is not None:
            view.table.remove(self._kind, self)
            self._kind = self._template_class
            view.table.add(self._kind, self, self._column(segment), self.line)

    @property
    def _template_class(self) -> TemplateClass:
        assert self.section is not None
        kind = self.section.kind
        return kind if kind.redundancy is self.redundancy else replace(kind, redundancy=self.redundancy)

    def pace(self) -> None:
        """The subscriber's packets wait from now on, or do not any more."""
        view, segment = self.view, self.out.current
        if view is not None and segment is not None and self._kind is not None and not self.replaying:
            view.table.remove(self._kind, self)
            view.table.add(self._kind, self, self._column(segment), self.line)

    def _expected_timestamp(
        self, previous: "InboundStream | None", layer: "InboundStream", packet: SourcePacket
    ) -> int | None:
        """The outgoing timestamp that keeps the picture's time, by both layers' sender reports; None without them."""
        segment = self.out.current
        if previous is None or segment is None:
            return None
        if previous is layer:
            return packet.timestamp + segment.timestamp_offset
        if previous.clock is None or layer.clock is None:
            return None
        (old_ntp, old_rtp), (new_ntp, new_rtp) = previous.clock, layer.clock
        # the same instant on both layers' RTP clocks
        seconds = (new_ntp - old_ntp) / 2**32 + ts_diff(packet.timestamp, new_rtp) / layer.clock_rate
        return old_rtp + round(seconds * previous.clock_rate) + segment.timestamp_offset

    def _column(self, segment: Segment) -> Column:
        return Column(
            self.ssrc,
            segment.offset,
            segment.timestamp_offset,
            segment.picture_id_offset,
            segment.tl0picidx_offset,
            segment.first_source,
            self.subscriber.transport,
            segment.frame_number_offset,
        )

    def end(self, now: float) -> None:
        """Stop for good."""
        self.pause(now)
        if self.subscriber.pacer is not None:
            self.subscriber.pacer.close(self)
        self.published.subscriptions.pop(self.subscriber.id, None)

    def retransmission(self, sequence: int, now: float, rtt_s: float) -> bytes | None:
        """The packet (RFC 4588) that answers a request for an outgoing sequence number; None when there is none."""
        self._advance()
        found = self.out.resolve(sequence)
        if (
            found is None
            or self.section is None
            or (self.line is not None and self.line.was_dropped(sequence))
        ):
            return None
        if not self._may_resend(sequence, now, rtt_s):
            return None
        source, number, segment = found
        view: Substream = source  # type: ignore[assignment]  # the key that `_start` gave
        kept = view.kept(number)
        if kept is None:
            return None
        kept.timestamp = _squeezed(kept, segment)
        plain = single_packet(self.section.kind, self._column(segment), kept)
        if plain is None:
            return None
        payload_type = self.section.rtx_payload_types.get(kept.codec)
        if payload_type is None:
            # RFC 7714 section 8.4: a number differs from that of the original, and AES-GCM bears nothing twice under
            # one index that is not the same to the last bit
            return None if self.section.kind.numbered else bytes(plain)
        header = 12 + (4 + 4 * int.from_bytes(plain[14:16], "big") if plain[0] & 0x10 else 0)
        self._rtx_sequence = (self._rtx_sequence + 1) & 0xFFFF
        original = bytes(plain[2:4])
        plain[1] = plain[1] & 0x80 | payload_type
        plain[2:4] = self._rtx_sequence.to_bytes(2, "big")
        plain[8:12] = self.rtx_ssrc.to_bytes(4, "big")
        return bytes(plain[:header]) + original + bytes(plain[header:])

    @property
    def can_pad(self) -> bool:
        """Whether there is a stream that padding can go on: that of retransmissions."""
        return self.numbered and self.section is not None and bool(self.section.rtx_payload_types)

    def padding(self) -> bytes:
        """A packet of padding on the stream of retransmissions, whose numbers stay without a gap."""
        assert self.section is not None
        self._rtx_sequence = (self._rtx_sequence + 1) & 0xFFFF
        payload_type = next(iter(self.section.rtx_payload_types.values()))
        return padding_packet(self.section.kind, payload_type, self.rtx_ssrc, self._rtx_sequence)

    def _may_resend(self, sequence: int, now: float, rtt_s: float) -> bool:
        self._budget = min(RESEND_BURST, self._budget + (now - self._budget_at) * RESENDS_PER_S)
        self._budget_at = now
        count, last_at = self._resends.get(sequence, (0, float("-inf")))
        if self._budget < 1 or count >= MAX_RESENDS or now - last_at < min(RESEND_INTERVAL_S, 2 * rtt_s):
            return False
        self._budget -= 1
        self._resends[sequence] = (count + 1, now)
        if len(self._resends) > _REMEMBERED_RESENDS:
            del self._resends[next(iter(self._resends))]
        return True


def _squeezed(packet: SourcePacket, segment: Segment) -> int:
    """The timestamp of a packet in a segment: that of a replayed one is drawn close to the newest.

    Else a decoder would take seconds of old frames for a stream to be played in seconds.
    """
    if packet.sequence > segment.compressed_until:
        return packet.timestamp
    behind = ts_diff(segment.compressed_to, packet.timestamp)
    return (segment.compressed_to - (behind >> TIMESTAMP_COMPRESSION_BITS)) & 0xFFFFFFFF
