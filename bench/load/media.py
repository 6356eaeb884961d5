"""A publisher that sends numbered packets on a schedule, and viewers that check the packets they receive."""

import asyncio
import random
import secrets
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from bench.load.descriptions import MID_ID, OPUS, TRANSPORT_CC_ID, VP8
from bench.load.transport import Transport
from sfu.receiving.feedback import TransportFeedback
from sfu.receiving.nack import NackGenerator
from sfu.receiving.statistics import ReceiverStatistics
from sfu.wire import rtcp
from sfu.wire.arithmetic import Unwrapper
from sfu.wire.rtp import RtpError, build_extensions, header_length, is_rtcp, parse_header

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
# RFC 3550 section 6.4.2: the count of report blocks has five bits.
MAX_BLOCKS = 31


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
    # a server may write a low picture id in 7 bits; audio has no descriptor
    start = data[3 if data[2] < 0x80 else 4 : at]
    intact = start in {b"", _KEYFRAME, _DELTA} and body == filler(index, len(body))
    return (index, sent_ns / 1e9) if intact else None


def asks_for_keyframe(transport: Transport, datagram: bytes) -> bool:
    """Return whether the server asks for a keyframe by a datagram; False for media. pylibsrtp.Error if it is forged."""
    if not is_rtcp(datagram):
        return False
    wanted = (rtcp.PictureLossIndication, rtcp.FullIntraRequest)
    return any(isinstance(packet, wanted) for packet in rtcp.parse(transport.dtls.unprotect_rtcp(datagram)))


class Publisher:
    """One track: sends packets of equal size, `rate` per second, `burst` of them back to back."""

    def __init__(self, transport: Transport, media: str, mid: int, numbers: Iterator[int]) -> None:
        """Prepare a track; `transport` must be connected before `run`.

        Args:
            transport: Carries the track, perhaps beside others.
            media: A key of FORMATS.
            mid: Number of its media section.
            numbers: The transport-wide numbers of all packets of the transport.
        """
        self._transport = transport
        self._is_video = media == "video"
        self._payload_type, self._clock_rate, self._packet_bytes = FORMATS[media]
        self._mid = str(mid).encode()
        self._numbers = numbers
        self.ssrc = secrets.randbits(31)
        self._first = secrets.randbits(15)
        self._keyframe = True
        self.sent = 0

    async def run(self, rate: float, burst: int) -> None:
        """Send until cancelled; tracks that begin together do not send in step."""
        next_at = time.monotonic() + random.random() * burst / rate
        while True:
            await asyncio.sleep(max(0.0, next_at - time.monotonic()))
            for i in range(burst):
                self._send(
                    marker=i == burst - 1, frame=self.sent // burst, ticks=self._clock_rate * burst / rate
                )
            next_at += burst / rate

    def send_keyframe(self) -> None:
        """Begin a keyframe with the next packet."""
        self._keyframe = True

    def _send(self, *, marker: bool, frame: int, ticks: float) -> None:
        index = self.sent
        number = next(self._numbers) & 0xFFFF
        extensions = build_extensions([(MID_ID, self._mid), (TRANSPORT_CC_ID, number.to_bytes(2, "big"))])
        header = struct.pack(
            "!BBHII",
            0x90,
            (0x80 if marker and self._is_video else 0) | self._payload_type,
            (self._first + index) & 0xFFFF,
            int(frame * ticks) & 0xFFFFFFFF,
            self.ssrc,
        )
        head = header + extensions
        size = self._packet_bytes - len(head)
        start = vp8_start(index, keyframe=self._keyframe) if self._is_video else b""
        self._transport.send_rtp(head + payload(index, time.monotonic(), size, start))
        self._keyframe = False
        self.sent += 1


@dataclass(slots=True)
class Report:
    """The packets of one received stream, or of several together, in a window."""

    streams: int = 0
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
    "Longest time between two packets of one stream."

    def add(self, other: "Report") -> None:
        """Add another report."""
        self.streams += other.streams
        self.received += other.received
        self.lost += other.lost
        self.duplicates += other.duplicates
        self.wrong += other.wrong
        self.sampled += other.sampled
        self.latencies_s += other.latencies_s
        self.longest_silence_s = max(self.longest_silence_s, other.longest_silence_s)


class Stream:
    """One received stream: its packets are counted, and a sample of them is decrypted and compared."""

    def __init__(
        self, transport: Transport, ssrc: int, clock_rate: int, sample_every: int, now: float
    ) -> None:
        """One packet in `sample_every` is compared."""
        self.ssrc = ssrc
        self.statistics = ReceiverStatistics(ssrc, clock_rate)
        self.nacks = NackGenerator()
        self._transport = transport
        self._sample_every = sample_every
        self._unwrapper = Unwrapper()
        self._missing: set[int] = set()
        self._highest = -1
        self._report = Report()
        self._first_at = now
        self.last_at = now
        "When the last packet was received."

    def start_window(self) -> None:
        """Discard all counts."""
        self._report = Report()
        self._missing.clear()

    def end_window(self, now: float) -> Report:
        """Return the counts since the window began; packets still missing count as lost."""
        if now < self._first_at + SETTLING_S:
            return Report()
        report = self._report
        report.streams = 1
        report.lost = len(self._missing)
        report.longest_silence_s = max(report.longest_silence_s, now - self.last_at)
        return report

    def received(self, datagram: bytes, now: float) -> None:
        """Count a packet, which is still encrypted."""
        sequence = self._unwrapper.unwrap(datagram[2] << 8 | datagram[3])
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
        self.nacks.received(sequence, now)
        self.statistics.received(sequence, 0, now)
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


class Viewer:
    """Receives the streams of a transport, and sends the feedback that browsers send."""

    def __init__(self, transport: Transport, sample_every: int) -> None:
        """See `Stream` for `sample_every`."""
        self._transport = transport
        self._sample_every = sample_every
        self._own_ssrc = secrets.randbits(31)
        self._feedback = TransportFeedback(self._own_ssrc)
        self._streams: dict[int, Stream] = {}
        self.first_media = asyncio.Event()
        self.first_at = 0.0
        "When the first packet was received."

    @property
    def last_at(self) -> float:
        """When the last packet was received; 0: none."""
        return max((stream.last_at for stream in self._streams.values()), default=0.0)

    def start_window(self) -> None:
        """Discard all counts."""
        for stream in self._streams.values():
            stream.start_window()

    def end_window(self, now: float) -> Report:
        """Return the counts of all streams since the window began."""
        report = Report()
        for stream in self._streams.values():
            report.add(stream.end_window(now))
        return report

    def received(self, datagram: bytes, now: float) -> None:
        """Process a packet of media, which is still encrypted."""
        if len(datagram) < 12:
            return
        ssrc = int.from_bytes(datagram[8:12], "big")
        stream = self._streams.get(ssrc)
        if stream is None:
            clock_rate = self._transport.clock_rate(datagram[1] & 0x7F)
            if not clock_rate:
                return  # retransmissions and padding
            stream = Stream(self._transport, ssrc, clock_rate, self._sample_every, now)
            self._streams[ssrc] = stream
            self.first_at = self.first_at or now
            self.first_media.set()
            asyncio.get_running_loop().call_later(SETTLING_S, stream.start_window)
        if self._transport.transport_cc_id and datagram[0] & 0x10:
            self._report_arrival(datagram, now)
        stream.received(datagram, now)

    def _report_arrival(self, datagram: bytes, now: float) -> None:
        number = self._transport.transport_cc_id
        if datagram[16] >> 4 == number:  # it is mostly the first element, in the one-byte format
            at = 17
        else:
            try:
                found = parse_header(datagram)[1].get(number)
            except RtpError:
                return
            if found is None:
                return
            at = found[0]
        self._feedback.received(datagram[at] << 8 | datagram[at + 1], now)

    async def give_feedback(self) -> None:
        """Send reports, requests for lost packets and transport-wide feedback until cancelled."""
        report_at = time.monotonic() + REPORT_INTERVAL_S
        while True:
            await asyncio.sleep(FEEDBACK_INTERVAL_S)
            now = time.monotonic()
            packets = []
            streams = list(self._streams.values())
            if streams and now >= report_at:
                report_at = now + REPORT_INTERVAL_S
                for some in (streams[i : i + MAX_BLOCKS] for i in range(0, len(streams), MAX_BLOCKS)):
                    blocks = [stream.statistics.report_block(now) for stream in some]
                    packets.append(rtcp.receiver_report(self._own_ssrc, blocks))
            for stream in streams:
                if lost := stream.nacks.due(now):
                    numbers = [number & 0xFFFF for number in lost]
                    packets.append(rtcp.nack(self._own_ssrc, stream.ssrc, numbers))
            packets += self._feedback.build(now)
            for packet in packets:
                self._transport.send_rtcp(packet)
