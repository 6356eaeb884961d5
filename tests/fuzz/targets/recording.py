"""What the recorder reads: payloads of publishers, the tap's messages, and files that a killed process left."""

import contextlib

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from recording.containers.fragments import ContainerError
from recording.containers.index import unpack_gap, unpack_segment
from recording.containers.recovery import BY_SUFFIX, Place, recover
from recording.media.codecs import JOINERS, opus
from recording.media.frame_keys import FrameKeys
from recording.values import CodecConfig, PayloadError, Sample
from sfu.wire import tap
from tests.sfu.rtp_samples import SAMPLES

# Frames that are encrypted end to end, a valid one among the seeds.
_KEY = bytes(16)
_KEYS = FrameKeys([(0, _KEY)])
_CLEAR = b"\x10\x00\x9d\x01\x2a\xa0\x00\x60\x00\x00"
_ENCRYPTED = (
    b"\x10" + _CLEAR + AESGCM(_KEY).encrypt(bytes(12), b"partitions", _CLEAR) + bytes(12) + b"\x0c\x00"
)
_CONFIG = CodecConfig("vp8", "vp8", 160, 96, b"\x01\x42\xc0\x14\xff\xe1")
_SAMPLES = [Sample(bytes(30), i * 40_000_000, 40_000_000, i == 0) for i in range(4)]


def seeds():
    files = [
        container.init_segment(_CONFIG)
        + container.fragment(1, _SAMPLES).data
        + container.fragment(2, _SAMPLES).data
        for container in BY_SUFFIX.values()
    ]
    messages = tap.frame([tap.Packet(1, 2, 3, True, "vp8", b"x", 4), tap.OpenTrack("r", "t", "audio", "", 5)])
    return [_ENCRYPTED, *(sample.packet[12:] for sample in SAMPLES), *files, messages[4:]]


def make():
    def feed(data):
        payloads = [data, data[1:]] if len(data) > 1 else [data]
        for joiner in JOINERS.values():
            for keys in (None, _KEYS):
                with contextlib.suppress(PayloadError):
                    picture = joiner(keys).join(payloads)
                    assert picture is None or picture.keyframe == (picture.config is not None)
        for read in (opus.duration_ns, opus.red_blocks):
            with contextlib.suppress(PayloadError):
                read(data)
        for container in BY_SUFFIX.values():
            with contextlib.suppress(ContainerError):
                container.scan(memoryview(data), 0)
            tail = recover(memoryview(data), container, Place(1, None, 0, audio=False))
            assert 0 <= tail.end <= len(data)
        for read in (tap.read_to_recorder, tap.read_from_recorder):
            with contextlib.suppress(tap.TapError):
                read(data)
        assert unpack_segment(data) is None or len(data) == 64
        assert unpack_gap(data) is None or len(data) == 32

    return feed
