"""A lesson over a weak link in simulated time.

The real router, bandwidth, pacer and allocation stand between a tutor whose media are described by their sizes, and
students who receive, ask again and decode as libwebrtc does. Each packet of video carries in its payload which picture
it is a piece of, so that a student can tell whether a picture is whole and can be decoded; each packet of audio is RED
with one block before it.
"""

import heapq
import itertools
import random
import struct
from dataclasses import dataclass

from sfu.engine.core import Core
from sfu.engine.peers.link import Link
from sfu.engine.peers.peer import Peer
from sfu.engine.peers.publication import Publication
from sfu.fanout.arena import Arena
from sfu.fanout.row_buffer import PortableWriter, RowBuffer
from sfu.fanout.sentlog import HEADERS_BYTES
from sfu.fanout.template import TemplateClass
from sfu.receiving.feedback import TransportFeedback
from sfu.session.ice import IceAgent
from sfu.session.negotiated import Negotiated
from sfu.session.negotiation import NegotiatedCodec, SectionParameters
from sfu.session.sections import OutboundSection, receive_section
from sfu.values import Layer, LayersWanted, Preferences, PublicationSpec, SubscriptionPaused
from sfu.wire import rtcp, rtp

STEP_S = 0.005
TICK_S = 0.02
NTP = rtcp.ntp_time(1_700_000_000)
NUMBER, MID, RID = 3, 4, 10
OPUS, RED, VP8, RTX = 111, 63, 96, 97
AUDIO_KIND = TemplateClass((("opus", OPUS), ("red", RED)), ((rtp.URI_TRANSPORT_CC, NUMBER),))
VIDEO_KIND = TemplateClass((("vp8", VP8),), ((rtp.URI_TRANSPORT_CC, NUMBER),))
SRTP_TAG = 16
PIECE = 1150
REFINEMENTS = 9
UPLINK_S = 0.02
# How long it takes a publisher to follow what signalling tells it, and how long less is not told.
SIGNALLING_S, LOWER_S = 0.15, 5.0
# Beyond the jitter buffer: a packet this much later than the quickest is made up.
PLAYOUT_S = 0.2
SLIDE_S = 8.0


@dataclass
class Encoding:
    """One layer of a video: what its pictures take."""

    rid: str
    fps: float
    key_bytes: int
    "A keyframe, and for a screen also the first picture of a new slide."
    delta_bytes: int
    "A picture of a camera; for a screen one that refines the slide."
    width: int
    height: int
    bitrate_bps: int
    live: bool = True
    number: int = 0
    next_at: float = 0.0
    sequence: int = 1000
    picture: int = 0
    key_wanted: bool = True
    refined: int = 0
    slide: int = -1
    sent_bytes: int = 0


class Video:
    """A video of the tutor."""

    def __init__(self, name, mid, encodings, *, screen):
        self.name, self.mid, self.encodings, self.screen = name, mid, encodings, screen
        self.ssrcs = {encoding.rid: 1000 * int(mid) + i for i, encoding in enumerate(encodings)}
        self.keyframes = 0
        layers = tuple(Layer(e.rid, e.width, e.height, e.bitrate_bps) for e in encodings)
        self.spec = PublicationSpec(name, "video", layers=layers, screen_share=screen, leading=not screen)


def slides(first_bytes=60_000):
    """The page's screen: three layers of one size, whose first picture of a slide is the same at every rate.

    As Chromium encodes slides of small text in 1920x1080 (measured): the first picture at the coarsest quantiser, then
    refinements of about 150 kB in all, no faster than the layer's rate.
    """
    layers = (("q", 3, 45_000), ("h", 5, 150_000), ("f", 15, 1_500_000))
    return Video(
        "screen",
        "1",
        [Encoding(rid, fps, first_bytes, 17_000, 1920, 1080, bitrate) for rid, fps, bitrate in layers],
        screen=True,
    )


def camera():
    """Three sizes at 15 frames a second: 110, 350 and 1,400 kbit/s."""
    sizes = (
        (8_000, 900, 320, 180, 160_000),
        (20_000, 2_900, 640, 360, 450_000),
        (60_000, 11_600, 1280, 720, 1_700_000),
    )
    encodings = [
        Encoding(rid, 15, key, delta, width, height, bitrate)
        for rid, (key, delta, width, height, bitrate) in zip("qhf", sizes, strict=True)
    ]
    return Video("camera", "2", encodings, screen=False)


class Student:
    """Somebody who receives: reports arrivals, asks for what is lost and for keyframes, decodes, listens."""

    def __init__(self, lesson, name, link, feedback_s=0.1):
        self.lesson, self.name, self.link = lesson, name, link
        self.peer = lesson.peer(name)
        self.feedback = TransportFeedback(7)
        self.on_way = []
        self.count = itertools.count()
        self.uplink = []
        self.report_at, self.feedback_s = 0.0, feedback_s
        self.subscriptions = {}
        self.videos = {}
        self.audio = {}
        self.redundancy = []
        "(time, blocks before the primary) of each packet of audio."
        self.legible = {}
        "Slide -> when its first picture was decoded."
        self.pictures = {"screen": [], "camera": []}
        "When a picture was decoded."
        self.keys = {"screen": 0, "camera": 0}
        self.plis = 0

    def subscribe(self, published, ssrc, kind, rtx):
        subscription = self.peer.subscribe(published, "stream", (ssrc, ssrc + 1, 500))
        subscription.section = OutboundSection(published.spec.id, kind, rtx)
        subscription.preferences = (
            Preferences(width=320, height=180)
            if published.spec.id == "camera"
            else (Preferences(width=1600, height=900, max_spatial=2))
        )
        self.peer.by_ssrc[ssrc] = subscription
        self.subscriptions[published.spec.id] = subscription
        if published.spec.kind == "video":
            self.videos[ssrc] = Decoder(self, published.spec.id, ssrc)
        self.lesson.core.delivery.select_layer(subscription, self.lesson.now)

    def take(self, packet, now):
        """A packet is put on the link."""
        at = self.link.send(len(packet) + HEADERS_BYTES + SRTP_TAG, now)
        if at is not None:
            heapq.heappush(self.on_way, (at, next(self.count), packet))

    def send(self, packet, now):
        if self.link.random.random() >= self.link.loss:
            self.uplink.append((now + self.link.delay_s, packet))

    def step(self, now):
        while self.on_way and self.on_way[0][0] <= now:
            at, _, packet = heapq.heappop(self.on_way)
            self._arrive(packet, at)
        for decoder in self.videos.values():
            decoder.step(now)
        if now >= self.report_at:
            self.report_at = now + self.feedback_s
            for packet in self.feedback.build(now):
                self.send(packet, now)
        while self.uplink and self.uplink[0][0] <= now:
            self.lesson.core.reports.on_rtcp(self.peer, self.uplink.pop(0)[1], now, NTP)

    def _arrive(self, packet, at):
        header = rtp.header_length(packet)
        place, _ = rtp.parse_extensions(packet, header)[NUMBER]
        self.feedback.received(struct.unpack_from("!H", packet, place)[0], at)
        ssrc = struct.unpack_from("!I", packet, 8)[0]
        kind = packet[1] & 0x7F
        if kind == RTX:
            if rtp.payload_end(packet, header) - header > 2:
                number = struct.unpack_from("!H", packet, header)[0]
                self.videos[ssrc - 1].take(number, packet[header + 2 :], at)
        elif ssrc in self.videos:
            self.videos[ssrc].take(struct.unpack_from("!H", packet, 2)[0], packet[header:], at)
        else:
            self._hear(kind, packet[header:], at)

    def _hear(self, kind, payload, at):
        lengths = []
        if kind == RED:  # RFC 2198 section 3
            while payload[0] & 0x80:
                lengths.append((payload[2] & 3) << 8 | payload[3])
                payload = payload[4:]
            payload = payload[1 + sum(lengths) :]
        self.redundancy.append((at, sum(1 for length in lengths if length)))
        (number,) = struct.unpack_from("!I", payload)
        for behind in range(len(lengths) + 1):
            self.audio.setdefault(number - behind, at)

    def heard(self, since, until):
        """(share made up, longest gap in s) of the audio sent in that time."""
        first, last = round(since / TICK_S), round(until / TICK_S)
        ages = [self.audio.get(number, float("inf")) - number * TICK_S for number in range(first, last)]
        missing = [age > min(ages) + PLAYOUT_S for age in ages]
        longest = max((len(list(run)) for lost, run in itertools.groupby(missing) if lost), default=0)
        return sum(missing) / max(len(missing), 1), longest * TICK_S


class Decoder:
    """Receives one video as libwebrtc does."""

    def __init__(self, student, source, ssrc):
        self.student, self.source, self.ssrc = student, source, ssrc
        self.pieces = {}
        "(layer, picture) -> pieces so far."
        self.highest = None
        self.missing = {}
        "Number -> (when to ask, how often asked)."
        self.decoded = None
        "(layer, picture) decoded last."
        self.waiting_key = True
        self.ask_key_at = None
        self.key_piece_at = float("-inf")

    def take(self, number, payload, at):
        payload = payload[6:]  # the descriptor
        if self.highest is None:
            self.highest = number - 1
        ahead = (number - self.highest + 0x8000 & 0xFFFF) - 0x8000
        for i in range(1, ahead):
            self.missing[self.highest + i & 0xFFFF] = [at + 0.01, 0]
        if ahead > 0:
            self.highest = number
        self.missing.pop(number, None)
        if len(payload) < 24:
            return
        layer, picture, index, count, key, slide = struct.unpack_from("!IIIIII", payload)
        if key:
            self.key_piece_at = at
        pieces = self.pieces.setdefault((layer, picture), (set(), count, key, slide))
        pieces[0].add(index)
        if self.ask_key_at is None:
            self.ask_key_at = at + 0.2
        self._decode(at)

    def _decode(self, now):
        while True:
            ready = [
                (each[3], where)
                for where, each in self.pieces.items()
                if len(each[0]) == each[1]
                and (
                    (
                        each[2]
                        and (
                            self.decoded is None or where[0] != self.decoded[0] or where[1] > self.decoded[1]
                        )
                    )
                    or (not self.waiting_key and self.decoded == (where[0], where[1] - 1))
                )
            ]
            if not ready:
                return
            slide, where = min(ready, key=lambda each: (each[1][1], each[1][0]))
            key = self.pieces[where][2]
            if key:
                self.student.keys[self.source] += 1
                self.missing.clear()
            self.decoded, self.waiting_key = where, False
            for old in [each for each in self.pieces if each[0] != where[0] or each[1] <= where[1]]:
                if old[0] == where[0] or key:
                    del self.pieces[old]
            self.student.pictures[self.source].append(now)
            if self.source == "screen":
                self.student.legible.setdefault(slide, now)
            self.ask_key_at = now + 3.0

    def step(self, now):
        rtt_s = 0.1  # what libwebrtc takes it to be where it only receives
        due = [number for number, (at, _) in self.missing.items() if at <= now]
        for number in due:
            self.missing[number][0] = now + rtt_s
            self.missing[number][1] += 1
            if self.missing[number][1] > 10:
                del self.missing[number]
        if due:
            self.student.send(rtcp.nack(7, self.ssrc, due), now)
        if self.ask_key_at is not None and now >= self.ask_key_at:
            if not (self.waiting_key and now - self.key_piece_at < 0.2):
                # nothing could be decoded for long
                self.student.plis += 1
                self.student.send(rtcp.pli(7, self.ssrc), now)
            self.ask_key_at = now + 0.2 if self.waiting_key else now + 3.0


class Lesson:
    """A tutor, students, and the time."""

    def __init__(self, *links, screen=None, with_camera=True, audio_bytes=100, seed=1):
        self.now = 0.0
        self.events = []
        self.log = []
        self.arena = Arena()
        self.outbox = RowBuffer(self.arena)
        self.outbox.open(PortableWriter(self.arena, self.outbox.transports, self._take))
        self.core = Core(self.outbox, self._emit)
        self.random = random.Random(seed)
        self.audio_bytes, self.audio_number, self.audio_sequence, self.blocks = audio_bytes, 0, 0, b""
        self.by_transport = {}
        self.tutor = self.peer("tutor")
        self.tutor.link.send_rtcp = self._ask_tutor
        self.pending, self.demands, self.ends, self.wanted = [], [], [], ()
        self.videos = [screen or slides()] + ([camera()] if with_camera else [])
        self.published = {}
        microphone = PublicationSpec("microphone", "audio")
        self._publish(microphone, "0", self._audio_section())
        for video in self.videos:
            self._publish(video.spec, video.mid, self._video_section(video))
        self.changed = {}
        "Slide -> when it came up."
        self.slide_every_s = SLIDE_S
        self.next_slide_at = 1.0
        self.slide = 0
        self.ticks_at = 0.0
        self.queues = []
        self.students = []
        for i, link in enumerate(links):
            student = Student(self, f"student{i}", link)
            self.by_transport[student.peer.link.transport] = student
            self.students.append(student)
            student.subscribe(self.published["microphone"], 11, AUDIO_KIND, {})
            for video, ssrc in zip(self.videos, (21, 31), strict=False):
                student.subscribe(self.published[video.name], ssrc, VIDEO_KIND, {"vp8": RTX})

    @property
    def student(self):
        return self.students[0]

    def _emit(self, event):
        self.events.append((self.now, event))
        if isinstance(event, LayersWanted):
            heapq.heappush(self.demands, (self.now + SIGNALLING_S, len(self.events), event))

    def _obey(self, demand):
        """Encode what is wanted, a new layer from a keyframe on; and less after a while, as signalling has it."""
        [video] = [each for each in self.videos if each.name == demand.publication_id]
        self.wanted = demand.layers
        for spatial, encoding in enumerate(video.encodings):
            if spatial in demand.layers and not encoding.live:
                encoding.live, encoding.key_wanted, encoding.next_at = True, True, self.now
            elif spatial not in demand.layers and encoding.live:
                heapq.heappush(self.ends, (self.now + LOWER_S, spatial, encoding))

    def peer(self, name):
        agent = IceAgent(name, "password")
        agent.selected = bytes(28)
        peer = Peer(name, "room", agent, Link(name, 1), Negotiated("1"))
        peer.link.connected = True
        peer.link.transport = self.outbox.transports.add()
        self.core.peers[name] = peer
        return peer

    @staticmethod
    def _audio_section():
        codecs = (
            NegotiatedCodec("red", RED, 48_000, 2, "", (), None),
            NegotiatedCodec("opus", OPUS, 48_000, 2, "", (), None),
        )
        return SectionParameters("0", "audio", True, "recvonly", codecs, {rtp.URI_MID: MID}, {}, (), ())

    @staticmethod
    def _video_section(video):
        codecs = (NegotiatedCodec("vp8", VP8, 90_000, 1, "", (), RTX),)
        rids = tuple(encoding.rid for encoding in video.encodings)
        ids = {rtp.URI_MID: MID, rtp.URI_RID: RID}
        return SectionParameters(video.mid, "video", True, "recvonly", codecs, ids, {}, rids, rids)

    def _publish(self, spec, mid, parameters):
        published = Publication(spec, self.tutor.link)
        self.tutor.negotiated.inbound[mid] = receive_section(parameters, (), ())
        self.tutor.published[spec.id] = published
        self.tutor.bind(mid, published)
        self.published[spec.id] = published

    def _take(self, count):
        for i in range(count):
            student = self.by_transport.get(self.arena.transports[i])
            if student is not None:
                student.take(self.arena.rows[i, : self.arena.lengths[i]].tobytes(), self.now)
        return self.now

    def _ask_tutor(self, packet):
        for part in rtcp.parse(packet):
            if isinstance(part, rtcp.PictureLossIndication):
                for video in self.videos:
                    for encoding in video.encodings:
                        if video.ssrcs[encoding.rid] == part.media_ssrc:
                            heapq.heappush(self.pending, (self.now + UPLINK_S, id(encoding), encoding))

    def _feed(self, packet):
        self.core.router.on_rtp(self.tutor, packet, self.now)

    def _speak(self):
        block = struct.pack("!Id", self.audio_number, self.now).ljust(self.audio_bytes, b"a")
        self.audio_number += 1
        header = struct.pack("!BHB", 0x80 | OPUS, 960 << 2 | len(self.blocks) >> 8, len(self.blocks) & 0xFF)
        payload = header + bytes((OPUS,)) + self.blocks + block
        self.blocks = block
        self.audio_sequence += 1
        head = struct.pack("!BBHII", 0x90, RED, self.audio_sequence & 0xFFFF, self.audio_sequence * 960, 7)
        self._feed(head + rtp.build_extensions([(MID, b"0")]) + payload)

    def _show(self, video, encoding):
        """The next picture of a layer, if it is due."""
        if not encoding.live or (self.now < encoding.next_at and not encoding.key_wanted):
            return  # libvpx drops no keyframe for its rate
        encoding.next_at = max(encoding.next_at + 1 / encoding.fps, self.now)
        key, encoding.key_wanted = encoding.key_wanted, False
        if video.screen:
            if key or self.slide != encoding.slide:
                size, encoding.refined, encoding.slide = encoding.key_bytes, 0, self.slide
            else:
                encoding.refined += 1
                size = encoding.delta_bytes if encoding.refined <= REFINEMENTS else 400  # then a caret blinks
            # frames are dropped until the layer's rate has caught up, as far as the encoder's buffer remembers
            encoding.next_at += max(0.6 * 8 * size / encoding.bitrate_bps - 1 / encoding.fps, 0)
        else:
            size = encoding.key_bytes if key else int(encoding.delta_bytes * self.random.uniform(0.8, 1.2))
        encoding.picture += 1
        encoding.sent_bytes += size
        video.keyframes += key
        count = -(-size // PIECE)
        timestamp = int(self.now * 90_000) & 0xFFFFFFFF
        spatial = video.encodings.index(encoding)
        for i in range(count):
            encoding.sequence += 1
            head = struct.pack(
                "!BBHII",
                0x90,
                (0x80 if i == count - 1 else 0) | VP8,
                encoding.sequence & 0xFFFF,
                timestamp,
                video.ssrcs[encoding.rid],
            )
            extensions = rtp.build_extensions([(MID, video.mid.encode()), (RID, encoding.rid.encode())])
            descriptor = struct.pack(
                "!BBHB",
                0x90 if i == 0 else 0x80,
                0xC0,
                0x8000 | encoding.picture & 0x7FFF,
                encoding.picture & 0xFF,
            )
            start = b"\x10" if key and i == 0 else b"\x11"
            piece = struct.pack("!IIIIII", spatial, encoding.picture, i, count, key, self.slide)
            body = piece.ljust(min(PIECE, max(size - i * PIECE, 24)), b"v")
            self._feed(head + extensions + descriptor + start + body)

    def until(self, time_s):
        """Let the lesson go on until then."""
        while self.now < time_s:
            self.now = round(self.now + STEP_S, 6)
            if self.now >= self.next_slide_at:
                self.next_slide_at += self.slide_every_s
                self.slide += 1
                self.changed[self.slide] = self.now
            while self.demands and self.demands[0][0] <= self.now:
                self._obey(heapq.heappop(self.demands)[2])
            while self.ends and self.ends[0][0] <= self.now:
                _, spatial, encoding = heapq.heappop(self.ends)
                if spatial not in self.wanted:
                    encoding.live = False
            while self.pending and self.pending[0][0] <= self.now:
                heapq.heappop(self.pending)[2].key_wanted = True
            if self.now >= self.audio_number * TICK_S:
                self._speak()
            for video in self.videos:
                for encoding in video.encodings:
                    self._show(video, encoding)
            self.outbox.flush()
            if self.now >= self.ticks_at:
                self.ticks_at = self.now + TICK_S
                self.core.deadlines.run_due(self.now)
                self.outbox.flush()
                self.queues.append((self.now, self.student.link.waiting_s(self.now)))
            for student in self.students:
                student.step(self.now)
            self.outbox.flush()
        return self

    def legible_s(self, since, until, student=None):
        """Of each slide that came up in that time, after how long it was legible; None: not before the next."""
        student = student or self.student
        found = []
        for slide, at in self.changed.items():
            if since <= at and at + self.slide_every_s <= until + 0.5:
                seen = student.legible.get(slide)
                late = seen is None or seen - at > self.slide_every_s
                found.append(None if late else round(seen - at, 2))
        return found

    def queue_p95_s(self, since, until):
        rows = sorted(queue for at, queue in self.queues if since <= at <= until)
        return rows[int(0.95 * len(rows))]

    def pauses(self, since=0.0):
        """(time, publication, paused) of what students were told."""
        return [
            (round(at, 2), event.publication_id, event.paused)
            for at, event in self.events
            if isinstance(event, SubscriptionPaused) and at >= since
        ]

    def fps(self, source, since, until, student=None):
        pictures = (student or self.student).pictures[source]
        return sum(since <= at < until for at in pictures) / (until - since)
