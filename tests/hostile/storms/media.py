"""Storms of one participant on the media plane, all of them authentic SRTP and SRTCP."""

import asyncio
import secrets
import struct
import time

from livekit.protocol import models, rtc

from bench.load.descriptions import MID_ID, VP8
from sfu.wire import rtcp
from sfu.wire.rtp import build_extensions
from tests.hostile.client import Client

ROOM = "storm"
# RFC 4585 section 6.2.1: a generic NACK names 17 packets in each of its 4-byte entries.
NACK_ENTRIES = 300
RECEIVE_SLICE_S = 0.002


async def pair(url):
    """A publisher and a viewer of its video; returns both, the SSRC of what the viewer gets and its last number."""
    publisher, viewer = Client(url, ROOM, publish=True), Client(url, ROOM)
    seen = {}
    viewer.on_media = lambda datagram: _note(seen, datagram)
    await publisher.connect()
    await viewer.connect()
    deadline = time.monotonic() + 10
    while sum(map(len, seen.values())) < 40 and time.monotonic() < deadline:
        publisher.send_video(keyframe=publisher.sent % 20 == 0)
        await asyncio.sleep(0.01)
    ssrc = max(seen, key=lambda each: len(seen[each]))
    return publisher, viewer, ssrc, seen[ssrc][-1]


def _note(seen, datagram):
    if not 192 <= datagram[1] <= 223:
        _, _, number, _, ssrc = struct.unpack_from("!BBHII", datagram)
        seen.setdefault(ssrc, []).append(number)


async def feedback(url, seconds, build, per_burst):
    """One viewer sends bursts of the packet that `build(ssrc, last number)` returns."""
    publisher, viewer, ssrc, last = await pair(url)
    packet = build(ssrc, last)
    asked = []
    publisher.on_media = lambda datagram: asked.append(datagram) if 192 <= datagram[1] <= 223 else None
    yield None
    before, sent = viewer.received, 0
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and not viewer.end:
        for _ in range(per_burst):
            viewer.transport.send_rtcp(packet)
            sent += 1
        if sent % (25 * per_burst) == 0:
            publisher.send_video()
        await asyncio.sleep(RECEIVE_SLICE_S)
    await asyncio.sleep(0.2)
    yield {"sent": sent, "received": viewer.received - before, "asked": len(asked), "end": viewer.end}


def nacks(url, seconds):
    """About a thousand NACKs a second of 5,100 packets each."""

    def build(ssrc, last):
        entries = b"".join(
            struct.pack("!HH", (last - 17 * i - 16) & 0xFFFF, 0xFFFF) for i in range(NACK_ENTRIES)
        )
        return _feedback(205, 1, ssrc, entries)

    return feedback(url, seconds, build, 3)


def picture_loss(url, seconds):
    """PLI (RFC 4585 section 6.3.1), some thousands a second."""
    return feedback(url, seconds, lambda ssrc, _last: rtcp.pli(1, ssrc), 8)


def full_intra(url, seconds):
    """FIR (RFC 5104 section 4.3.1), 40 requests in a packet."""

    def build(ssrc, _last):
        return _feedback(206, 4, 0, b"".join(struct.pack("!IBxxx", ssrc, i) for i in range(40)))

    return feedback(url, seconds, build, 5)


def estimates(url, seconds):
    """REMB (draft-alvestrand-rmcat-remb-03) for 255 SSRCs in each packet."""

    def build(ssrc, _last):
        head = b"REMB" + struct.pack("!I", 255 << 24 | 3 << 18 | 125_000)
        return _feedback(206, 15, 0, head + struct.pack("!I", ssrc) * 255)

    return feedback(url, seconds, build, 5)


def arrivals(url, seconds):
    """Transport-wide feedback (draft-holmer-rmcat-transport-wide-cc-extensions-01) of 8,191 packets in one run."""

    def build(ssrc, _last):
        # base number, count, reference time and feedback number, then one run of "received, small delta" (section 3.1)
        count = 0x1FFF
        head = struct.pack("!HHI", 0, count, 1 << 8)
        deltas = bytes(1200)
        body = head + struct.pack("!H", 1 << 13 | count) + deltas
        return _feedback(205, 15, ssrc, body + bytes(-len(body) % 4))

    return feedback(url, seconds, build, 5)


def _feedback(kind, count, ssrc, body):
    content = struct.pack("!II", 1, ssrc) + body
    return struct.pack("!BBH", 0x80 | count, kind, len(content) // 4) + content


async def publishing(url, seconds, prepare, rate):
    """One publisher sends what `prepare(client, count)` returns, `rate` datagrams a second, until it is stopped.

    They are protected before the storm, whose sender is then as fast as a client in C.
    """
    publisher, viewer, _, _ = await pair(url)
    datagrams = prepare(publisher, round(rate * seconds))
    yield None
    before, sent, started = viewer.received, 0, time.monotonic()
    while sent < len(datagrams) and not publisher.end:
        due = min(round((time.monotonic() - started) * rate), len(datagrams))
        for datagram in datagrams[sent:due]:
            publisher.transport._send(datagram)
        sent = due
        await asyncio.sleep(RECEIVE_SLICE_S)
    await asyncio.sleep(0.2)
    yield {"sent": sent, "received": viewer.received - before, "end": publisher.end}


def video(size, ssrc=None):
    """Prepares video packets of that many octets, of which each has an SSRC of its own where `ssrc` makes one."""

    def prepare(client, count):
        protect = client.transport.dtls.protect
        first, client.sent = client.sent, client.sent + count
        filling = b"\x90\x80\x80\x01\x11" + bytes(size)
        return [
            protect(client.header(i, ssrc() if ssrc else client.ssrc, i) + filling)
            for i in range(first, first + count)
        ]

    return prepare


def packets(url, seconds):
    """20,000 small packets a second, some thirty times those of a camera."""
    return publishing(url, seconds, video(100), 20_000)


def octets(url, seconds):
    """100 Mbit/s in full packets, some thirty times a camera's."""
    return publishing(url, seconds, video(1150), 11_000)


def unknown_ssrcs(url, seconds):
    """Every packet has an SSRC of its own."""
    return publishing(url, seconds, video(100, lambda: secrets.randbits(31) | 1), 5000)


def replays(url, seconds):
    """The same protected datagram again and again (RFC 3711 section 3.3.2)."""
    return publishing(url, seconds, lambda client, count: video(300)(client, 1) * count, 10_000)


def unauthentic(url, seconds):
    """Plain RTP from an address that passed ICE."""
    packet = struct.pack("!BBHII", 0x90, VP8, 1, 1, 5) + build_extensions([(MID_ID, b"0")]) + bytes(600)
    return publishing(url, seconds, lambda _client, count: [packet] * count, 10_000)


async def renegotiation(url, seconds):
    """Offers of 300 sections, each sent as soon as the one before is answered."""
    client = await Client(url, ROOM).connect()
    client.sections = 300
    yield None
    answered, deadline = 0, time.monotonic() + seconds
    while time.monotonic() < deadline and not client.end:
        await client.renegotiate()
        answered += 1
    yield {"sent": answered, "end": client.end}


async def eager_renegotiation(url, seconds):
    """Offers of 300 sections at 50 a second, whether answered or not."""
    client = await Client(url, ROOM).connect()
    client.sections = 300
    yield None
    sent, deadline = 0, time.monotonic() + seconds
    while time.monotonic() < deadline and not client.end:
        try:
            await client.renegotiate(wait=False)
        except ConnectionError:
            break
        sent += 1
        await asyncio.sleep(0.02)
    yield {"sent": sent, "end": client.end}


async def subscription_churn(url, seconds):
    """Unsubscribe from everything and subscribe again, without a pause."""
    publisher, viewer, _, _ = await pair(url)
    published = models.ParticipantTracks(
        participant_sid=publisher.join.participant.sid, track_sids=[*publisher.tracks, *map(str, range(50))]
    )
    yield None
    sent, deadline = 0, time.monotonic() + seconds
    while time.monotonic() < deadline and not viewer.end:
        for wanted in (False, True):
            change = rtc.UpdateSubscription(participant_tracks=[published], subscribe=wanted)
            await viewer.send(subscription=change)
            sent += 1
        publisher.send_video(keyframe=True)
        await asyncio.sleep(0.001)
    yield {"sent": sent, "end": viewer.end}


async def silence(url, seconds):
    """A publisher falls silent beside a viewer on a weak link, which then negotiates again."""
    publisher, viewer, ssrc, _ = await pair(url)
    body = b"REMB" + struct.pack("!I", 1 << 24 | 3 << 18 | 125_000) + struct.pack("!I", ssrc)
    for _ in range(20):
        viewer.transport.send_rtcp(_feedback(206, 15, 0, body))
        publisher.send_video()
        await asyncio.sleep(0.05)
    yield None
    await asyncio.sleep(seconds)
    await viewer.renegotiate()
    yield {"sent": 1, "end": viewer.end or publisher.end}
