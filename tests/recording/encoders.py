"""Real encoders, and the packets that a browser would make of what they produce."""

import os
import struct
from contextlib import contextmanager
from fractions import Fraction

import av
import numpy as np

from sfu.wire.tap import Packet

STAMP = 16
"Side of a stamp's squares; a picture shows its number as 8 squares, black or white."


def stamped(number, width=160, height=96):
    """A picture with its number, the lowest bit first."""
    luma = np.full((height, width), 128, np.uint8)
    for bit in range(8):
        luma[:STAMP, bit * STAMP : (bit + 1) * STAMP] = 235 if number >> bit & 1 else 16
    luma[STAMP:, :] = (np.arange(width)[None, :] + 3 * number) % 200 + 20
    chroma = np.full((height // 2, width), 128, np.uint8)
    return av.VideoFrame.from_ndarray(np.concatenate((luma, chroma)), format="yuv420p")


def read_stamp(frame):
    """The number that a decoded picture shows."""
    luma = frame.to_ndarray(format="gray")
    middle = STAMP // 2
    return sum((luma[middle, bit * STAMP + middle] > 128) << bit for bit in range(8))


OPTIONS = {
    "libvpx": {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0", "error-resilient": "1"},
    "libvpx-vp9": {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0"},
    "libsvtav1": {"preset": "12", "crf": "45", "svtav1-params": "pred-struct=1:lookahead=0:lp=1"},
    "libx264": {"preset": "ultrafast", "tune": "zerolatency", "profile": "baseline"},
}
ENCODERS = {"vp8": "libvpx", "vp9": "libvpx-vp9", "av1": "libsvtav1", "h264": "libx264"}


@contextmanager
def scheduling_kept():
    """Restore the thread's scheduling: as root, SVT-AV1 gives it a real-time policy, which child processes inherit."""
    policy, parameters = os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        yield
    finally:
        os.sched_setscheduler(0, policy, parameters)


@scheduling_kept()
def encode(codec, count, *, keyframes=(0,), width=160, height=96, first=0, fps=25):
    """`count` stamped pictures as (data, is_keyframe), in the order of display."""
    name = ENCODERS[codec]
    context = av.CodecContext.create(name, "w")
    context.width, context.height, context.pix_fmt = width, height, "yuv420p"
    context.time_base, context.framerate = Fraction(1, fps), Fraction(fps)
    if codec != "av1":  # which has a constant quality here: its low delay allows no variable rate
        context.bit_rate = 400_000
    context.gop_size = 1000
    context.options = OPTIONS[name]
    found = []
    for i in range(count):
        frame = stamped((first + i) % 256, width, height)
        frame.pts = i
        if i in keyframes:
            frame.pict_type = av.video.frame.PictureType.I
        found += [(bytes(packet), packet.is_keyframe) for packet in context.encode(frame)]
    found += [(bytes(packet), packet.is_keyframe) for packet in context.encode(None)]
    return found


def tones(seconds, period=0.5, burst=0.1, frequency=880.0):
    """Opus packets of 20 ms: a burst of tone at the beginning of each period."""
    context = av.CodecContext.create("libopus", "w")
    context.sample_rate, context.layout, context.format = 48_000, "stereo", "s16"
    context.bit_rate = 48_000
    context.options = {"frame_duration": "20", "application": "lowdelay"}
    times = np.arange(int(seconds * 48_000)) / 48_000
    wave = np.sin(2 * np.pi * frequency * times) * 12_000 * (times % period < burst)
    samples = np.repeat(wave.astype(np.int16)[:, None], 2, axis=1)
    found = []
    for at in range(0, len(samples) - 959, 960):
        frame = av.AudioFrame.from_ndarray(
            samples[at : at + 960].reshape(1, -1), format="s16", layout="stereo"
        )
        frame.sample_rate, frame.pts = 48_000, at
        found += [bytes(packet) for packet in context.encode(frame)]
    return found


def _chunks(data, size):
    return [data[at : at + size] for at in range(0, len(data), size)] or [b""]


def vp8_payloads(frame, keyframe, size=300, picture_id=None):
    # RFC 7741 section 4.2: X, S in the first packet; I and a long picture id
    extension = b"" if picture_id is None else b"\x80" + struct.pack("!H", 0x8000 | picture_id & 0x7FFF)
    flag = 0x80 if extension else 0
    parts = _chunks(frame, size)
    return [bytes((flag | (0 if i else 0x10),)) + extension + part for i, part in enumerate(parts)]


def vp9_payloads(frame, keyframe, size=300):
    # RFC 9628 section 4.2: I, P, B, E, a picture id of 7 bits
    parts = _chunks(frame, size)
    return [
        bytes(
            (
                0x80 | (0 if keyframe else 0x40) | (0 if i else 0x08) | (0x04 if part is parts[-1] else 0),
                i & 0x7F,
            )
        )
        + part
        for i, part in enumerate(parts)
    ]


def obus_of(unit):
    """(header without size flag, payload) of a temporal unit in the low-overhead format."""
    at, found = 0, []
    while at < len(unit):
        header = unit[at : at + (2 if unit[at] & 4 else 1)]
        at += len(header)
        size = shift = 0
        while True:
            octet = unit[at]
            at += 1
            size |= (octet & 0x7F) << shift
            shift += 7
            if octet < 0x80:
                break
        found.append((bytes((header[0] & ~2,)) + header[1:], unit[at : at + size]))
        at += size
    return found


def av1_payloads(unit, keyframe, size=300):
    # AV1 RTP specification section 4.4: each OBU but the delimiter as an element with its length (W=0); Z, Y: fragments
    payloads = []
    elements = [header + payload for header, payload in obus_of(unit) if header[0] >> 3 & 15 != 2]
    for element in elements:
        parts = _chunks(element, size)
        for i, part in enumerate(parts):
            head = (0x80 if i else 0) | (0x40 if i < len(parts) - 1 else 0)
            head |= 0x08 if keyframe and not payloads else 0
            length = len(part)
            coded = bytes((length,)) if length < 128 else bytes((length & 0x7F | 0x80, length >> 7))
            payloads.append(bytes((head,)) + coded + part)
    return payloads


def nal_units(data):
    """Of a byte stream with start codes."""
    parts = data.replace(b"\0\0\0\1", b"\0\0\1").split(b"\0\0\1")
    return [part for part in parts if part]


def h264_payloads(data, keyframe, size=300):
    # RFC 6184: parameter sets in a STAP-A, large units in FU-A
    units = [unit for unit in nal_units(data) if unit[0] & 31 != 6]
    sets = [unit for unit in units if unit[0] & 31 in {7, 8}]
    payloads = []
    if sets:
        payloads.append(b"\x78" + b"".join(struct.pack("!H", len(unit)) + unit for unit in sets))
    for unit in units:
        if unit in sets:
            continue
        if len(unit) <= size:
            payloads.append(unit)
            continue
        parts = _chunks(unit[1:], size)
        for i, part in enumerate(parts):
            flags = (0x80 if i == 0 else 0) | (0x40 if i == len(parts) - 1 else 0)
            payloads.append(bytes((unit[0] & 0xE0 | 28, flags | unit[0] & 31)) + part)
    return payloads


PAYLOADS = {"vp8": vp8_payloads, "vp9": vp9_payloads, "av1": av1_payloads, "h264": h264_payloads}
MS = 1_000_000


class Sender:
    """Packets of one stream, numbered as RTP numbers them."""

    def __init__(self, stream, codec, *, rate=90_000, sequence=65_530, timestamp=0xFFFF_FF00):
        self.stream = stream
        self.codec = codec
        self.rate = rate
        self.sequence = sequence
        self.first_timestamp = timestamp

    def timestamp(self, at_ns):
        return (self.first_timestamp + at_ns * self.rate // 1_000_000_000) & 0xFFFFFFFF

    def packets(self, payloads, at_ns, arrived_ns):
        """The packets of one frame, sent at once."""
        found = []
        for payload in payloads:
            marker = payload is payloads[-1]
            timestamp = self.timestamp(at_ns)
            found.append(
                Packet(self.stream, self.sequence, timestamp, marker, self.codec, payload, arrived_ns)
            )
            self.sequence += 1
        return found

    def frames(self, frames, *, start_ns=0, interval_ns=40 * MS, delay_ns=20 * MS, epoch_ns=0):
        """A list of packets for each frame of `encode`."""
        make = PAYLOADS[self.codec]
        return [
            self.packets(make(data, key), at, epoch_ns + at + delay_ns)
            for i, (data, key) in enumerate(frames)
            for at in (start_ns + i * interval_ns,)
        ]


def decode(data, kind="video"):
    """(time in s, decoded frame) of a file in memory."""
    import io

    with av.open(io.BytesIO(data)) as container:
        stream = container.streams[0]
        assert stream.type == kind
        return [(float(frame.pts * frame.time_base), frame) for frame in container.decode(stream)]
