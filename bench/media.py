"""A publisher of numbered packets on a schedule, and viewers that check what becomes of them."""

import asyncio
import math
import random
import secrets
import struct
import time
from dataclasses import dataclass, field

from bench.connection import MID_ID, TRANSPORT_CC_ID, VP8, Client
from sfu import rtcp
from sfu.receive import NackGenerator, ReceiverStatistics, TransportFeedback
from sfu.rtp import build_extensions, header_length
from sfu.sequence import Unwrapper

CLOCK_RATE = 90_000
PACKET_BYTES = 1200
# X, S, partition 0; I; a picture id of 15 bits (RFC 7741 section 4.2)
_DESCRIPTOR = struct.Struct("!BBH")
# RFC 6386 section 9.1: the lowest bit of the frame tag is 0 for a keyframe, whose start code and size follow
_KEYFRAME, _DELTA = b"\x10\x02\x00\x9d\x01\x2a\x00\x05\xd0\x02", b"\x31\x02\x00"
_BODY = struct.Struct("!8sQQ")
_MAGIC = b"LECTERN1"
_FILLER = random.Random(7).randbytes(1 << 16)
REPORT_INTERVAL_S = 1.0
FEEDBACK_INTERVAL_S = 0.05


def payload(index: int, sent_at: float, size: int, *, keyframe: bool) -> bytes:
    """A VP8 payload of `size` bytes that says which packet it is and when it left (seconds, monotonic)."""
    descriptor = _DESCRIPTOR.pack(0x90, 0x80, 0x8000 | index & 0x7FFF)
    frame = _KEYFRAME if keyframe else _DELTA
    body = _BODY.pack(_MAGIC, index, int(sent_at * 1e9))
    room = size - len(descriptor) - len(frame) - len(body)
    return descriptor + frame + body + filler(index, room)


def filler(index: int, size: int) -> bytes:
    """What fills packet `index` up."""
    at = index * 97 % (len(_FILLER) - size)
    return _FILLER[at : at + size]


def read_payload(data: bytes) -> tuple[int, float] | None:
    """(index, when it left) of a payload; None when it is not what was sent, the picture id excepted."""
    at = data.find(_MAGIC, 4, 32)
    if at < 0 or len(data) < at + _BODY.size:
        return None
    _, index, sent_ns = _BODY.unpack_from(data, at)
    body = data[at + _BODY.size :]
    intact = data[4:at] in {_KEYFRAME, _DELTA} and body == filler(index, len(body))
    return (index, sent_ns / 1e9) if intact else None


class Publisher:
    """Sends packets of equal size: `rate` a second, `burst` of them back to back."""

    def __init__(self, client: Client) -> None:
        """`client` publishes and is connected."""
        self._client = client
        self._ssrc = secrets.randbits(31)
        self._first = secrets.randbits(15)
        self._keyframe = True
        self.sent = 0
        client.on_packet = self._received

    async def run(self, rate: float, burst: int, until: float) -> None:
        """Send until a time of the monotonic clock."""
        next_at = time.monotonic()
        while next_at < until:
            await asyncio.sleep(max(0.0, next_at - time.monotonic()))
            for i in range(burst):
                self._send(marker=i == burst - 1, frame=self.sent // burst, ticks=CLOCK_RATE * burst / rate)
            next_at += burst / rate

    def _received(self, datagram: bytes, _now: float) -> None:
        if 192 <= datagram[1] <= 223:
            packets = rtcp.parse(self._client.dtls.unprotect_rtcp(datagram))
            wanted = (rtcp.PictureLossIndication, rtcp.FullIntraRequest)
            self._keyframe |= any(isinstance(packet, wanted) for packet in packets)

    def _send(self, *, marker: bool, frame: int, ticks: float) -> None:
        index = self.sent
        extensions = build_extensions([(MID_ID, b"0"), (TRANSPORT_CC_ID, struct.pack("!H", index & 0xFFFF))])
        header = struct.pack(
            "!BBHII",
            0x90,
            (0x80 if marker else 0) | VP8,
            (self._first + index) & 0xFFFF,
            int(frame * ticks) & 0xFFFFFFFF,
            self._ssrc,
        )
        head = header + extensions
        size = PACKET_BYTES - len(head)
        self._client.send_rtp(head + payload(index, time.monotonic(), size, keyframe=self._keyframe))
        self._keyframe = False
        self.sent += 1


@dataclass(slots=True)
class Report:
    """What one viewer, or many together, received in a window."""

    received: int = 0
    "Packets, each counted once."
    lost: int = 0
    "Packets that never came."
    duplicates: int = 0
    wrong: int = 0
    "Sampled packets whose payload was not what was sent, or that were not authentic."
    sampled: int = 0
    latencies_s: list[float] = field(default_factory=list)
    "Of the sampled packets."

    def add(self, other: "Report") -> None:
        """Take another viewer's in."""
        self.received += other.received
        self.lost += other.lost
        self.duplicates += other.duplicates
        self.wrong += other.wrong
        self.sampled += other.sampled
        self.latencies_s += other.latencies_s

    def latency_s(self, share: float) -> float:
        """A percentile (0 to 1) of the latencies; NaN without any."""
        if not self.latencies_s:
            return math.nan
        ordered = sorted(self.latencies_s)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


class Viewer:
    """Counts what a client receives, checks a sample of it, and sends the feedback that browsers send."""

    def __init__(self, client: Client, sample_every: int) -> None:
        """One packet in `sample_every` is decrypted and compared."""
        self._client = client
        self._sample_every = sample_every
        self._unwrapper = Unwrapper()
        self._ssrc = 0
        self._own_ssrc = secrets.randbits(31)
        self._nacks = NackGenerator()
        self._feedback = TransportFeedback(self._own_ssrc)
        self._statistics: ReceiverStatistics | None = None
        self._missing: set[int] = set()
        self._highest = -1
        self.report = Report()
        client.on_packet = self._received

    def start_window(self) -> None:
        """Forget what was counted so far."""
        self.report = Report()
        self._missing.clear()

    def end_window(self) -> Report:
        """What came since the window began; what is still missing counts as lost."""
        self.report.lost = len(self._missing)
        return self.report

    def _received(self, datagram: bytes, now: float) -> None:
        if len(datagram) < 12 or 192 <= datagram[1] <= 223:
            return
        sequence16, _, ssrc = struct.unpack_from("!HII", datagram, 2)
        if self._statistics is None:
            self._ssrc = ssrc
            self._statistics = ReceiverStatistics(ssrc, CLOCK_RATE)
            self._client.times.first_media = now
        elif ssrc != self._ssrc:
            return
        if self._client.has_transport_cc and datagram[0] & 0x10:
            # the server puts the transport-wide number first in the block of extensions
            self._feedback.received(int.from_bytes(datagram[17:19], "big"), now)
        sequence = self._unwrapper.unwrap(sequence16)
        report = self.report
        if sequence <= self._highest:
            if sequence not in self._missing:
                report.duplicates += 1
                return
            self._missing.discard(sequence)
        elif self._highest >= 0 and sequence > self._highest + 1:
            self._missing.update(range(self._highest + 1, sequence))
        self._highest = max(self._highest, sequence)
        self._nacks.received(sequence, now)
        self._statistics.received(sequence, 0, now)
        report.received += 1
        if sequence % self._sample_every == 0:
            self._check(datagram, now)

    def _check(self, datagram: bytes, now: float) -> None:
        self.report.sampled += 1
        try:
            plain = self._client.dtls.unprotect(datagram)
            read = read_payload(plain[header_length(plain) :])
        except Exception:  # noqa: BLE001 - whatever is wrong with it, it is wrong
            read = None
        if read is None:
            self.report.wrong += 1
        else:
            self.report.latencies_s.append(now - read[1])

    async def give_feedback(self) -> None:
        """Send reports, requests for lost packets and transport-wide feedback until cancelled."""
        report_at = time.monotonic() + REPORT_INTERVAL_S
        while True:
            await asyncio.sleep(FEEDBACK_INTERVAL_S)
            now = time.monotonic()
            packets = []
            if self._statistics is not None and now >= report_at:
                report_at = now + REPORT_INTERVAL_S
                packets.append(rtcp.receiver_report(self._own_ssrc, [self._statistics.report(now)]))
            if lost := self._nacks.due(now):
                packets.append(rtcp.nack(self._own_ssrc, self._ssrc, [number & 0xFFFF for number in lost]))
            packets += self._feedback.build(now)
            for packet in packets:
                self._client.send_rtcp(packet)
