"""The dependency descriptor (AV1 RTP specification, appendix A): the layers of each frame, for any codec.

A keyframe's first packet contains a structure: templates of frames, and *decode targets*, the operating points (spatial
and temporal layer) of the stream. Every packet then names its frame's template, which states what the frame means for
each decode target. The payload is never read, so this works for encrypted media too.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import IntEnum
from typing import NamedTuple

from sfu.wire.operating_points import MAX_TEMPORAL, OperatingPoint, index

_MANDATORY_BITS = 24
_FLAG_BITS = 5
_MAX_TEMPLATES = 64
_MAX_OCTETS = 255  # of a header extension (RFC 8285 section 4.3); reading a longer one would cost its square


class DescriptorError(Exception):
    """The descriptor is truncated, or does not fit its structure; the one exception of this module."""


class Indication(IntEnum):
    """What a frame means for a decode target (DTI, section A.4)."""

    NOT_PRESENT = 0
    DISCARDABLE = 1
    SWITCH = 2
    "All frames of the decode target can be decoded from this one on."
    REQUIRED = 3


@dataclass(frozen=True, slots=True)
class FrameTemplate:
    """The common properties of frames of one kind."""

    layer: OperatingPoint
    indications: tuple[int, ...]
    "One per decode target."
    frame_diffs: tuple[int, ...]
    "Distances, in frame numbers, to the earlier frames that it is predicted from."


@dataclass(frozen=True, slots=True)
class Structure:
    """The template structure that a keyframe defines for all following frames."""

    template_id_offset: int
    chains: int
    "Number of chains; a frame's own chain information is skipped."
    templates: tuple[FrameTemplate, ...]
    resolutions: tuple[tuple[int, int], ...] = ()
    "(width, height) by spatial layer; empty if absent."
    active: int = -1
    "Bit mask of the decode targets that the sender produces."
    targets: tuple[OperatingPoint, ...] = field(init=False)
    "The layer of each decode target (section A.8.3.3, decode_target_layers)."
    _points: tuple[int, ...] = field(init=False, repr=False, compare=False)
    _by_template: tuple[tuple[int, int], ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Compute the derived fields."""
        count = len(self.templates[0].indications)
        targets = tuple(_target_layer(self.templates, target) for target in range(count))
        object.__setattr__(self, "targets", targets)
        object.__setattr__(self, "_points", tuple(_points(target, targets) for target in targets))
        by_template = tuple(self.points(template.indications) for template in self.templates)
        object.__setattr__(self, "_by_template", by_template)

    def points_of(self, number: int) -> tuple[int, int]:
        """Return the result of `points` for frames of a template."""
        return self._by_template[number]

    def points(self, indications: Sequence[int]) -> tuple[int, int]:
        """Return (operating points that need the frame, operating points that can be decoded from it on), as sets."""
        needed_by = switch_to = 0
        for indication, points in zip(indications, self._points, strict=True):
            if indication != Indication.NOT_PRESENT:
                needed_by |= points
            if indication == Indication.SWITCH:
                switch_to |= points
        return needed_by, switch_to

    def up_to(self, point: OperatingPoint) -> int:
        """Return a bit mask of the active decode targets that do not exceed an operating point."""
        mask = 0
        for target, (spatial, temporal) in enumerate(self.targets):
            mask |= (spatial <= point[0] and min(temporal, MAX_TEMPORAL) <= point[1]) << target
        return mask & self.active


def _target_layer(templates: Sequence[FrameTemplate], target: int) -> OperatingPoint:
    present = [t.layer for t in templates if t.indications[target] != Indication.NOT_PRESENT]
    return max((s for s, _ in present), default=0), max((t for _, t in present), default=0)


def _points(target: OperatingPoint, targets: Sequence[OperatingPoint]) -> int:
    """Return the set of operating points of a decode target; its highest rate stands for all higher ones."""
    highest = all(temporal <= target[1] for spatial, temporal in targets if spatial == target[0])
    last = MAX_TEMPORAL if highest else min(target[1], MAX_TEMPORAL)
    return sum(1 << index((target[0], temporal)) for temporal in range(min(target[1], last), last + 1))


class Descriptor(NamedTuple):
    """One packet's dependency descriptor."""

    starts_frame: bool
    ends_frame: bool
    frame_number: int
    structure: Structure
    "The structure in force; the packet's own if `attached`."
    attached: bool
    layer: OperatingPoint
    points: int
    "Set of operating points that need the frame."
    switch_to: int
    "Set of operating points that can be decoded from this frame on, if the frame itself can be decoded."
    frame_diffs: tuple[int, ...]
    mask_at: int
    "Bit offset of the active decode targets, present or not."
    tail_at: int
    "Bit offset of the part after them."
    end_at: int
    "Bit offset of the padding."


class _Bits:
    """Reads bits from the start (section A.8.1)."""

    __slots__ = ("_left", "_value", "size")

    def __init__(self, data: bytes) -> None:
        self._value = int.from_bytes(data, "big")
        self.size = self._left = 8 * len(data)

    @property
    def at(self) -> int:
        return self.size - self._left

    def read(self, count: int) -> int:
        self._left -= count
        if self._left < 0:
            raise DescriptorError("truncated")
        return self._value >> self._left & (1 << count) - 1

    def read_below(self, limit: int) -> int:
        """Read a number below `limit`: `ns(limit)`."""
        width = limit.bit_length()
        short = (1 << width) - limit
        value = self.read(width - 1)
        return value if value < short else (value << 1) - short + self.read(1)


def parse(data: bytes, structure: Structure | None) -> Descriptor:
    """Parse the extension's data; `structure` is that of the last keyframe. DescriptorError."""
    if len(data) > _MAX_OCTETS:
        raise DescriptorError("longer than a header extension")
    bits = _Bits(data)
    starts, ends, template_id, frame_number = bits.read(1), bits.read(1), bits.read(6), bits.read(16)
    attached = masked = custom_indications = custom_diffs = custom_chains = 0
    if len(data) * 8 > _MANDATORY_BITS:
        attached, masked = bits.read(1), bits.read(1)
        custom_indications, custom_diffs, custom_chains = bits.read(1), bits.read(1), bits.read(1)
        if attached:
            structure = _structure(bits)
    if structure is None:
        raise DescriptorError("no structure is known yet")
    count = len(structure.targets)
    mask_at = bits.at
    if masked:
        active = bits.read(count)
        if active != structure.active:
            structure = replace(structure, active=active)
    tail_at = bits.at
    number = (template_id - structure.template_id_offset) % _MAX_TEMPLATES
    if number >= len(structure.templates):
        raise DescriptorError("the structure has no such template")
    template = structure.templates[number]
    if custom_indications:
        points, switch_to = structure.points([bits.read(2) for _ in range(count)])
    else:
        points, switch_to = structure.points_of(number)
    diffs = _frame_diffs(bits) if custom_diffs else template.frame_diffs
    if custom_chains:
        bits.read(8 * structure.chains)
    return Descriptor(
        bool(starts),
        bool(ends),
        frame_number,
        structure,
        bool(attached),
        template.layer,
        points,
        switch_to,
        diffs,
        mask_at,
        tail_at,
        bits.at,
    )


def _structure(bits: _Bits) -> Structure:
    """Section A.8.3: template_dependency_structure."""
    offset, count = bits.read(6), bits.read(5) + 1
    layers = [(0, 0)]
    while (step := bits.read(2)) != 3:  # no more templates
        spatial, temporal = layers[-1]
        layers.append(((spatial, temporal), (spatial, temporal + 1), (spatial + 1, 0))[step])
        if len(layers) > _MAX_TEMPLATES:
            raise DescriptorError("too many templates")
    indications = [tuple(bits.read(2) for _ in range(count)) for _ in layers]
    diffs = [_template_diffs(bits) for _ in layers]
    chains = bits.read_below(count + 1)
    if chains:
        for _ in range(count):
            bits.read_below(chains)
        bits.read(4 * chains * len(layers))
    resolutions: tuple[tuple[int, int], ...] = ()
    if bits.read(1):
        resolutions = tuple((bits.read(16) + 1, bits.read(16) + 1) for _ in range(layers[-1][0] + 1))
    templates = tuple(map(FrameTemplate, layers, indications, diffs))
    return Structure(offset, chains, templates, resolutions, (1 << count) - 1)


def _template_diffs(bits: _Bits) -> tuple[int, ...]:
    diffs = []
    while bits.read(1):
        diffs.append(bits.read(4) + 1)
    return tuple(diffs)


def _frame_diffs(bits: _Bits) -> tuple[int, ...]:
    diffs = []
    while size := bits.read(2):
        diffs.append(bits.read(4 * size) + 1)
    return tuple(diffs)


def with_active_targets(data: bytes, descriptor: Descriptor, active: int) -> bytes:
    """Return the same descriptor with these active decode targets."""
    size, value = 8 * len(data), int.from_bytes(data, "big")

    def part(begin: int, end: int) -> int:
        return value >> size - end & (1 << end - begin) - 1

    count = len(descriptor.structure.targets)
    flags_end = _MANDATORY_BITS + _FLAG_BITS
    extended = size > _MANDATORY_BITS
    flags = (part(_MANDATORY_BITS, flags_end) if extended else 0) | 0b01000
    bits = part(0, _MANDATORY_BITS) << _FLAG_BITS | flags
    length = flags_end
    for piece, width in (
        (
            part(flags_end, descriptor.mask_at) if extended else 0,
            descriptor.mask_at - flags_end if extended else 0,
        ),
        (active, count),
        (part(descriptor.tail_at, descriptor.end_at), descriptor.end_at - descriptor.tail_at),
    ):
        bits = bits << width | piece
        length += width
    padding = -length % 8
    return (bits << padding).to_bytes((length + padding) // 8, "big")
