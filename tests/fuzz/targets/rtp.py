"""RTP headers and extensions, redundant audio, and what codecs' payloads begin with."""

import contextlib

from sfu.wire import codecs, frames, red, rtp
from tests.sfu.rtp_samples import SAMPLES

CODECS = ("vp8", "vp9", "h264", "av1", "opus", "red")


def seeds():
    return [sample.packet for sample in SAMPLES]


def make():
    def feed(data):
        rtp.is_rtcp(data)
        with contextlib.suppress(rtp.RtpError):
            start = rtp.header_length(data)
            end = rtp.payload_end(data, start)
            found = rtp.parse_extensions(data, start)
            assert 12 <= start <= end <= len(data)
            assert all(12 < at <= at + size <= start for at, size in found.values())
        for payload in (data, data[12:]):
            codecs.vp8_fields(payload)
            codecs.vp9_fields(payload)
            red.primary(memoryview(payload))
            for codec in CODECS:
                codecs.is_keyframe_start(codec, payload)
                frames.read(codec, payload, b"", None)

    return feed
