"""A publisher that sends numbered packets on a schedule, and viewers that check the packets they receive."""

import asyncio
import random
import secrets
import struct
import time
from dataclasses import dataclass, field

from bench.load.session import MID_ID, OPUS, TRANSPORT_CC_ID, VP8
from bench.load.transport import Transport
from sfu.receiving.feedback import TransportFeedback
from sfu.receiving.nack import NackGenerator
from sfu.receiving.statistics import ReceiverStatistics
from sfu.wire import rtcp
from sfu.wire.arithmetic import Unwrapper
from sfu.wire.rtp import build_extensions, header_length

# (payload type, clock rate, bytes of a packet)
FORMATS = {"video": (VP8, 90_000, 1200), "audio": (OPUS, 48_000, 160)}
# X, S, partition 0; I; a picture id of 15 bits (RFC 7741 section 4.2)
_DESCRIPTOR = struct.Struct("!BBH")
# RFC 6386 section 9.1: the lowest bit of the frame tag is 0 for a keyframe, whose start code and size follow it
_KEYFRAME, _DELTA = b"\x10\x02\x00\x9d\x01\x2a\x00\x05\xd0\x02", b"\x31\x02\x00"
_BODY = struct.Struct("!8sQQ")
_MAGIC = b"LECTERN1"
_FILLER = random.Random(7).randbytes(1 << 16)
REPORT_INTERVAL_S = 1.0
# Packets of the replay for late joiners are old, so they are not counted.
SETTLING_S = 1.0
FEEDBACK_INTERVAL_S = 0.05


def vp8_start(index: int, *, keyframe: bool) -> bytes:
    """Return the beginning of a VP8 packet's payload."""
    return _DESCRIPTOR.pack(0x90, 0x80, 0x8000 | index & 0x7FFF) + (_KEYFRAME if keyframe else _DELTA)


def payload(index: int, sent_at: float, size: int, start: bytes = b"") -> bytes:
    """Return a payload of `size` bytes with the packet's number and sending time (seconds, monotonic)."""
    body = _BODY.pack(_MAGIC, index, int(sent_at * 1e9))
    return start + body + filler(index, size - len(start) - len(body))


def filler(index: int, size: int) -> bytes:
    """Return the filler bytes of packet `index`."""
    at = index * 97 % (len(_FILLER) - size)
    return _FILLER[at : at + size]


def read_payload(data: bytes) -> tuple[int, float] | None:
    """Return (index, sending time) of a payload; None if it differs from what was sent, apart from the picture id."""
    at = data.find(_MAGIC, 0, 32)
    if at < 0 or len(data) < at + _BODY.size:
        return None
    _, index, sent_ns = _BODY.unpack_from(data, at)
    body = data[at + _BODY.size :]
    intact = data[4:at] in {b"", _KEYFRAME, _DELTA} and body == filler(index, len(body))
    return (index, sent_ns / 1e9) if intact else None


class Publisher:
    """Sends packets of equal size: `rate` per second, `burst` of them back to back."""

    def __init__(self, transport: Transport, media: str) -> None:
        """`media` is a key of FORMATS; `transport` must be connected before `run`."""
        self._transport = transport
        self._is_video = media == "video"
        self._payload_type, self._clock_rate, self._packet_bytes = FORMATS[media]
        self._ssrc = secrets.randbits(31)
        self._first = secrets.randbits(15)
        self._keyframe = True
        self.sent = 0
        transport.on_packet = self._received

    async def run(self, rate: float, burst: int) -> None:
        """Send until cancelled."""
        next_at = time.monotonic()
        while True:
            await asyncio.sleep(max(0.0, next_at - time.monotonic()))
            for i in range(burst):
                self._send(
                    marker=i == burst - 1, frame=self.sent // burst, ticks=self._clock_rate * burst / rate
                )
            next_at += burst / rate

    def _received(self, datagram: bytes, _now: float) -> None:
        if 192 <= datagram[1] <= 223:
            packets = rtcp.parse(self._transport.dtls.unprotect_rtcp(datagram))
            wanted = (rtcp.PictureLossIndication, rtcp.FullIntraRequest)
            self._keyframe |= any(isinstance(packet, wanted) for packet in packets)

    def _send(self, *, marker: bool, frame: int, ticks: float) -> None:
        index = self.sent
        extensions = build_extensions([(MID_ID, b"0"), (TRANSPORT_CC_ID, struct.pack("!H", index & 0xFFFF))])
        header = struct.pack(
            "!BBHII",
            0x90,
            (0x80 if marker and self._is_video else 0) | self._payload_type,
            (self._first + index) & 0xFFFF,
            int(frame * ticks) & 0xFFFFFFFF,
            self._ssrc,
        )
        head = header + extensions
        size = self._packet_bytes - len(head)
        start = vp8_start(index, keyframe=self._keyframe) if self._is_video else b""
        self._transport.send_rtp(head + payload(index, time.monotonic(), size, start))
        self._keyframe = False
        self.sent += 1


@dataclass(slots=True)
class Report:
    """The packets that one viewer, or several together, received in a window."""

    received: int = 0
    "Number of packets, each counted once."
    lost: int = 0
    "Number of packets that were never received."
    duplicates: int = 0
    wrong: int = 0
    "Sampled packets whose payload differs from what was sent, or that are not authentic."
    sampled: int = 0
    latencies_s: list[float] = field(default_factory=list)
    "Latencies of the sampled packets."
    longest_silence_s: float = 0.0
    "Longest time between two packets of one viewer."

    def add(self, other: "Report") -> None:
        """Add another viewer's report."""
        self.received += other.received
        self.lost += other.lost
        self.duplicates += other.duplicates
        self.wrong += other.wrong
        self.sampled += other.sampled
        self.latencies_s += other.latencies_s
        self.longest_silence_s = max(self.longest_silence_s, other.longest_silence_s)


class Viewer:
    """Counts a client's packets, checks a sample of them, and sends the feedback that browsers send."""

    def __init__(self, transport: Transport, media: str, sample_every: int) -> None:
        """`media` is a key of FORMATS; one packet in `sample_every` is decrypted and compared."""
        self._transport = transport
        self._clock_rate = FORMATS[media][1]
        self._sample_every = sample_every
        self._unwrapper = Unwrapper()
        self._ssrc = 0
        self._own_ssrc = secrets.randbits(31)
        self._nacks = NackGenerator()
        self._feedback = TransportFeedback(self._own_ssrc)
        self._statistics: ReceiverStatistics | None = None
        self._missing: set[int] = set()
        self._highest = -1
        self._report = Report()
        self.first_media = asyncio.Event()
        self.first_at = 0.0
        "When the first packet was received."
        self.last_at = 0.0
        "When the last packet was received."
        transport.on_packet = self._received

    def start_window(self) -> None:
        """Discard all counts."""
        self._report = Report()
        self._missing.clear()

    def end_window(self, now: float) -> Report:
        """Return the counts since the window began; packets still missing count as lost."""
        if not self.first_at or now < self.first_at + SETTLING_S:
            return Report()
        report = self._report
        report.lost = len(self._missing)
        report.longest_silence_s = max(report.longest_silence_s, now - self.last_at)
        return report

    def _received(self, datagram: bytes, now: float) -> None:
        if len(datagram) < 12 or 192 <= datagram[1] <= 223:
            return
        sequence16, _, ssrc = struct.unpack_from("!HII", datagram, 2)
        if self._statistics is None:
            self._ssrc = ssrc
            self._statistics = ReceiverStatistics(ssrc, self._clock_rate)
            self.first_at = self.last_at = now
            self.first_media.set()
            asyncio.get_running_loop().call_later(SETTLING_S, self.start_window)
        elif ssrc != self._ssrc:
            return
        if self._transport.has_transport_cc and datagram[0] & 0x10:
            # the server writes the transport-wide number first in the block of extensions
            self._feedback.received(int.from_bytes(datagram[17:19], "big"), now)
        sequence = self._unwrapper.unwrap(sequence16)
        report = self._report
        report.longest_silence_s = max(report.longest_silence_s, now - self.last_at)
        self.last_at = now
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
        self._report.sampled += 1
        try:
            plain = self._transport.dtls.unprotect(datagram)
            read = read_payload(plain[header_length(plain) :])
        except Exception:  # noqa: BLE001 - every error means that the packet is wrong
            read = None
        if read is None:
            self._report.wrong += 1
        else:
            self._report.latencies_s.append(now - read[1])

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
                self._transport.send_rtcp(packet)
