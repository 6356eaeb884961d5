"""Storms on data channels: SCTP that only an attacker sends, and floods and slow readers over aiortc's association."""

import asyncio
import struct
import time

from aiortc.rtcdatachannel import RTCDataChannel, RTCDataChannelParameters
from aiortc.rtcsctptransport import RTCSctpCapabilities, RTCSctpTransport
from google_crc32c import value as crc32c
from livekit.protocol import models

from tests.hostile.client import Client

ROOM = "storm"
PORT = 5000
# RFC 9260 section 3.2
INIT, SACK, FORWARD_TSN = 1, 3, 192
LISTENERS = 4
DRAIN_S = 10.0


class Caller(Client):
    """A participant with an SCTP association and data channels by label."""

    async def open(self, *labels):
        await self.connect()
        self.sctp = RTCSctpTransport(self.transport.dtls)
        self.channels, self.heard, self.heard_at = {}, 0, 0.0
        await self.sctp.start(RTCSctpCapabilities(65_535), PORT)
        for label in labels:
            lossy = {} if label == "_reliable" else {"ordered": False, "maxRetransmits": 0}
            channel = RTCDataChannel(self.sctp, RTCDataChannelParameters(label=label, **lossy))
            opened = asyncio.Event()
            channel.on("open", opened.set)
            channel.on("message", self._hear)
            async with asyncio.timeout(10):
                await opened.wait()
            self.channels[label] = channel
        return self

    def _hear(self, _message):
        self.heard += 1
        self.heard_at = time.monotonic()

    async def send_chunk(self, kind, flags, body, *, tag=None):
        """Send a packet of one chunk with the right checksum (RFC 9260 section 6.8)."""
        tag = self.sctp._remote_verification_tag if tag is None else tag
        chunk = struct.pack("!BBH", kind, flags, 4 + len(body)) + body
        head = struct.pack("!HHL", PORT, PORT, tag)
        packet = head + bytes(4) + chunk + bytes(-len(chunk) % 4)
        await self.transport.dtls._send_data(head + struct.pack("<I", crc32c(packet)) + packet[12:])

    @property
    def peer_tsn(self):
        return self.sctp._last_received_tsn


class Deaf:
    """Takes the place of aiortc's association: some answers would hang it as the packets hung the server."""

    async def _handle_data(self, _data):
        pass


def silent_student(url):
    """Somebody who may publish neither media nor data."""
    return Caller(url, ROOM, data=True, canPublish=False, canPublishData=False)


async def repeated(url, seconds, packet, rate):
    """`packet(caller, index)` is (chunk type, flags, body, tag), `rate` of them a second."""
    caller = await silent_student(url).open("_reliable")
    caller.transport.dtls._data_receiver = Deaf()
    yield None
    started, sent = time.monotonic(), 0
    while time.monotonic() < started + seconds and not caller.end:
        kind, flags, body, tag = packet(caller, sent)
        try:
            await caller.send_chunk(kind, flags, body, tag=tag)
        except ConnectionError:
            break  # the server has ended the transport
        sent += 1
        await asyncio.sleep(1 / rate)
    await asyncio.sleep(0.3)
    yield {"sent": sent, "end": caller.end}


def empty_parameter(url, seconds):
    """INIT with a parameter of length 0, which the header of 4 octets is longer than (RFC 9260 section 3.2.1)."""
    body = struct.pack("!LLHHL", 1, 100_000, 1, 1, 1) + struct.pack("!HH", 0x8000, 0)
    return repeated(url, seconds, lambda _caller, _index: (INIT, 0, body, 0), 20)


def gaps(url, seconds):
    """SACK whose gap blocks each reach over all 65,535 numbers (RFC 9260 section 3.3.4)."""

    def packet(caller, _index):
        count = 340
        head = struct.pack("!LLHH", caller.peer_tsn, 100_000, count, 0)
        return SACK, 0, head + struct.pack("!HH", 0, 65_535) * count, None

    return repeated(url, seconds, packet, 20)


def skipped_streams(url, seconds):
    """FORWARD-TSN that names other streams each time, past what was agreed (RFC 3758 section 3.2)."""

    def packet(caller, index):
        streams = b"".join(struct.pack("!HH", (index * 290 + i) & 0xFFFF, 0) for i in range(290))
        return (
            FORWARD_TSN,
            0,
            struct.pack("!L", (caller.sctp._local_tsn + index + 1) & 0xFFFFFFFF) + streams,
            None,
        )

    return repeated(url, seconds, packet, 100)


def nested_errors(url, seconds):
    """Every other chunk with a parameter of length 0: ABORT, HEARTBEAT, ERROR, RE-CONFIG, INIT-ACK."""
    kinds = [4, 5, 9, 130, 2]
    body = struct.pack("!HH", 1, 0) + bytes(16)
    return repeated(url, seconds, lambda _caller, i: (kinds[i % len(kinds)], 0, body, None), 50)


def message(size):
    packet = models.DataPacket()
    packet.user.payload = bytes(size)
    return packet.SerializeToString()


async def flood(url, seconds, label, size):
    """One sender fills its buffer all the time; listeners in the same room count."""
    listeners = [await Caller(url, ROOM, data=True).open("_reliable", "_lossy") for _ in range(LISTENERS)]
    sender = await Caller(url, ROOM, data=True).open("_reliable", "_lossy")
    content, channel = message(size), sender.channels[label]
    yield None
    sent, deadline = 0, time.monotonic() + seconds
    while time.monotonic() < deadline and not sender.end:
        while channel.bufferedAmount < 300_000 and channel.readyState == "open":
            channel.send(content)
            sent += 1
        await asyncio.sleep(0.005)
    await asyncio.sleep(0.2)
    ends = [listener.end for listener in listeners]
    yield {"sent": sent, "heard": [listener.heard for listener in listeners], "ends": ends, "end": sender.end}


def lossy_flood(url, seconds):
    return flood(url, seconds, "_lossy", 50)


def reliable_flood(url, seconds):
    return flood(url, seconds, "_reliable", 60_000)


class Narrow(asyncio.Queue):
    """A queue of datagrams behind a line of so many octets a second that drops what exceeds 50 ms of it."""

    def __init__(self, octets_per_s):
        super().__init__()
        self._rate, self._free_at = octets_per_s, 0.0

    def put_nowait(self, datagram):
        now = time.monotonic()
        if datagram is not None:
            if self._free_at > now + 0.05:
                return
            self._free_at = max(self._free_at, now) + len(datagram) / self._rate
        super().put_nowait(datagram)


async def slow_reader(url, seconds):
    """A file for two students, one of whom has a line of 1 Mbit/s, and lossy messages behind it."""
    fast = await Caller(url, ROOM, data=True).open("_reliable", "_lossy")
    slow = await Caller(url, ROOM, data=True).open("_reliable", "_lossy")
    sender = await Caller(url, ROOM, data=True).open("_reliable", "_lossy")
    queue = Narrow(125_000)
    slow.transport._port.queue, waiting = queue, slow.transport._port.queue
    waiting.put_nowait(b"\x00")  # let the reader go over to the new queue
    content, channel = message(60_000), sender.channels["_reliable"]
    yield None
    sent, deadline = 0, time.monotonic() + seconds
    while time.monotonic() < deadline and not sender.end:
        while channel.bufferedAmount < 600_000 and channel.readyState == "open" and sent < 220:
            channel.send(content)
            sent += 1
        await asyncio.sleep(0.005)
    # what is on the way to the fast one arrives
    while time.monotonic() < deadline + DRAIN_S and fast.heard < sent:  # noqa: ASYNC110 - a counter with a deadline
        await asyncio.sleep(0.05)
    yield {
        "sent": sent,
        "heard": [fast.heard, slow.heard],
        "ends": [sender.end, fast.end, slow.end],
        "end": sender.end,
    }
