"""Dependency descriptors of test publishers (AV1 RTP specification, appendix A)."""

import itertools

# Of each template: spatial and temporal layer, indications, how many frames back it reaches. Two frames a picture,
# every other picture of the upper temporal layer; the decode targets are (0, 0), (0, 1), (1, 0), (1, 1). In the keyed
# form the upper size needs the lower at keyframes alone.
FULL = (
    ((0, 0), "SSSS", ()),
    ((0, 0), "SSRR", (4,)),
    ((0, 1), "-D-R", (2,)),
    ((1, 0), "--SS", (1,)),
    ((1, 0), "--SS", (4, 1)),
    ((1, 1), "---D", (2, 1)),
)
KEYED = (
    ((0, 0), "SSSS", ()),
    ((0, 0), "SS--", (4,)),
    ((0, 1), "-D--", (2,)),
    ((1, 0), "--SS", (1,)),
    ((1, 0), "--SS", (4,)),
    ((1, 1), "---D", (2,)),
)
# Three sizes at one rate, in both forms.
FULL_THREE = (
    ((0, 0), "SSS", ()),
    ((0, 0), "SRR", (3,)),
    ((1, 0), "-SS", (1,)),
    ((1, 0), "-SR", (3, 1)),
    ((2, 0), "--S", (1,)),
    ((2, 0), "--S", (3, 1)),
)
KEYED_THREE = (
    ((0, 0), "SSS", ()),
    ((0, 0), "S--", (3,)),
    ((1, 0), "-SS", (1,)),
    ((1, 0), "-S-", (3,)),
    ((2, 0), "--S", (1,)),
    ((2, 0), "--S", (3,)),
)
# One size at two rates, as a camera of a simulcast.
RATES = (
    ((0, 0), "SS", ()),
    ((0, 0), "SR", (2,)),
    ((0, 1), "-D", (1,)),
)


def _structure(templates):
    """Section A.8.3, without chains and resolutions."""
    layers = [layer for layer, _, _ in templates]
    steps = ["00" if b == a else "01" if b[0] == a[0] else "10" for a, b in itertools.pairwise(layers)]
    indications = "".join(f"{'-DSR'.index(i):02b}" for _, row, _ in templates for i in row)
    diffs = "".join("".join(f"1{diff - 1:04b}" for diff in row) + "0" for _, _, row in templates)
    return f"{0:06b}{len(templates[0][1]) - 1:05b}" + "".join(steps) + "11" + indications + diffs + "00" + "0"


def descriptor(
    templates, number, frame_number, *, starts, ends, key, active=None, indications=None, diffs=None
):
    """The descriptor of a packet, with its structure if `key`, and with what differs from its template."""
    bits = f"{starts:b}{ends:b}{number:06b}{frame_number & 0xFFFF:016b}"
    flags = [key, active is not None, indications is not None, diffs is not None]
    if any(flags):
        bits += "".join(f"{flag:b}" for flag in flags) + "0"
    if key:
        bits += _structure(templates)
    if active is not None:
        bits += f"{active:0{len(templates[0][1])}b}"
    if indications is not None:
        bits += "".join(f"{'-DSR'.index(i):02b}" for i in indications)
    if diffs is not None:
        bits += "".join(f"01{diff - 1:04b}" for diff in diffs) + "00"
    bits += "0" * (-len(bits) % 8)
    return int(bits, 2).to_bytes(len(bits) // 8, "big")
