"""The dependency descriptor of the AV1 RTP specification, alone and through `frames`."""

import contextlib

from sfu.wire import frames
from sfu.wire.descriptor import DescriptorError, parse, with_active_targets
from sfu.wire.operating_points import EVERY
from sfu.wire.rtp import header_length, parse_extensions
from tests.sfu.rtp_samples import SAMPLES

DESCRIPTOR_ID = 12


def seeds():
    found = []
    for sample in SAMPLES:
        at, size = parse_extensions(sample.packet, header_length(sample.packet)).get(DESCRIPTOR_ID, (0, 0))
        if size:
            found.append(sample.packet[at : at + size])
    return found


def make():
    structures = [None]
    for seed in seeds():
        with contextlib.suppress(DescriptorError):
            structures.append(parse(seed, None).structure)

    def feed(data):
        for structure in structures:
            with contextlib.suppress(DescriptorError):
                found = parse(data, structure)
                assert found.points & ~EVERY == 0
                parse(with_active_targets(data, found, found.structure.up_to((1, 1))), found.structure)
            frames.read("av1", b"\x08\x00", data, structure)

    return feed
