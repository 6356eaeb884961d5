"""Frame information of a packet: its layer, the operating points that need it, and where decoding can start or switch.

The dependency descriptor contains all of it, for any codec and without reading the payload. Without one, VP8 and VP9
have it in their payload descriptors; for other codecs only keyframes are known.
"""

from functools import cache
from typing import NamedTuple

from sfu.wire import codecs, descriptor
from sfu.wire.operating_points import (
    EVERY,
    MAX_SPATIAL,
    MAX_TEMPORAL,
    OperatingPoint,
    with_spatial,
    with_temporal,
)
from sfu.wire.rtp import Buffer

_TEMPORAL = tuple(map(with_temporal, range(MAX_TEMPORAL + 1)))
_SPATIAL = tuple(with_spatial(spatial, alone=False) for spatial in range(MAX_SPATIAL + 1))
_SPATIAL_ALONE = tuple(with_spatial(spatial, alone=True) for spatial in range(MAX_SPATIAL + 1))
_FRAMES_REMEMBERED = 64


class Frame(NamedTuple):
    """Information about a packet's frame."""

    layer: OperatingPoint = (0, 0)
    "Layer within the stream."
    points: int = EVERY
    "Set of operating points (`sfu.wire.operating_points`) that need the frame."
    starts: bool = True
    "Whether the packet is the frame's first, as far as known."
    ends: bool = False
    "Whether the packet is the frame's last."
    keyframe: bool = False
    "Whether the packet is the first of a keyframe."
    switch_to: int = 0
    "Set of operating points to which a decoder can switch here without a keyframe..."
    switch_from: int = 0
    "... if the decoder has been at one of these operating points so far."
    described: descriptor.Descriptor | None = None
    "The frame's dependency descriptor, if it could be parsed."


ALONE = Frame()
"A packet that no other packet depends on, and that depends on none: audio."
_INSIDE = Frame(starts=False)
_KEYFRAME = Frame(keyframe=True)


def read(codec: str, payload: Buffer, described: bytes, structure: descriptor.Structure | None) -> Frame:
    """Parse one packet; VP8 without dependency descriptors uses `of_vp8` instead.

    Args:
        codec: Lower-case encoding name.
        payload: The codec's payload with its payload descriptor.
        described: Data of the dependency descriptor; empty if there is none.
        structure: The structure of the last keyframe, which the descriptor refers to.
    """
    if described:
        try:
            return _described(descriptor.parse(described, structure))
        except descriptor.DescriptorError:
            # Its keyframe was lost: no receiver can decode the frame before the next one, so it may go to all of them.
            return _INSIDE
    if codec == "vp9":
        return _vp9(payload)
    return _KEYFRAME if codecs.is_keyframe_start(codec, payload) else ALONE


def _described(found: descriptor.Descriptor) -> Frame:
    spatial, temporal = found.layer
    return Frame(
        (min(spatial, MAX_SPATIAL), min(temporal, MAX_TEMPORAL)),
        found.points,
        found.starts_frame,
        found.ends_frame,
        found.starts_frame and found.attached,
        found.switch_to,
        0,
        found,
    )


def of_vp8(fields: codecs.Vp8Fields, max_temporal: int) -> Frame:
    """Return the frame of a VP8 payload descriptor; `max_temporal` is the highest temporal layer seen so far."""
    return _vp8(fields.temporal_id, fields.layer_sync, fields.starts_frame, fields.keyframe, max_temporal)


@cache  # a few dozen results, needed for each packet of the most common codec
def _vp8(temporal: int, layer_sync: bool, starts: bool, keyframe: bool, max_temporal: int) -> Frame:
    points = _TEMPORAL[temporal]
    if not layer_sync or not temporal:
        return Frame((0, temporal), points, starts, False, keyframe)
    # RFC 7741 section 4.2, Y: this frame depends on the base layer alone. The next frame of its layer may depend on it,
    # and a frame of a higher layer on both, so a decoder switches up one layer at a time.
    switch_to = points if temporal >= max_temporal else points & ~_TEMPORAL[temporal + 1]
    return Frame((0, temporal), points, starts, False, keyframe, switch_to, _TEMPORAL[temporal - 1])


def _vp9(payload: Buffer) -> Frame:
    fields = codecs.vp9_fields(payload)
    if fields is None:
        return _INSIDE
    spatial, temporal = min(fields.spatial_id, MAX_SPATIAL), min(fields.temporal_id, MAX_TEMPORAL)
    rows = (_SPATIAL_ALONE if fields.not_for_upper_layers else _SPATIAL)[spatial]
    keyframe = fields.starts_frame and spatial == 0 and not fields.predicted
    # RFC 9628 section 4.2, U: no later picture of a higher temporal layer depends on an earlier one of such a layer.
    switch = _TEMPORAL[temporal] if fields.switching_up else 0
    return Frame(
        (spatial, temporal),
        rows & _TEMPORAL[temporal],
        fields.starts_frame,
        fields.ends_frame,
        keyframe,
        switch,
        switch,
    )


class FramesShown:
    """The operating points at which the last frames were sent, by frame number: shows where a decoder can switch."""

    __slots__ = ("_frames",)

    def __init__(self) -> None:
        """Start without frames."""
        self._frames: list[tuple[int, int]] = [(-1, 0)] * _FRAMES_REMEMBERED

    def add(self, frame: Frame) -> None:
        """Record a frame, at its first packet."""
        if frame.described is not None and frame.starts:
            number = frame.described.frame_number
            self._frames[number % _FRAMES_REMEMBERED] = (number, frame.points)

    def switch_from(self, frame: Frame) -> int:
        """Return the set of operating points that include every frame that this frame is predicted from."""
        if frame.described is None:
            return frame.switch_from
        points = EVERY
        for diff in frame.described.frame_diffs:
            points &= self.points_of((frame.described.frame_number - diff) & 0xFFFF)
        return points

    def points_of(self, number: int) -> int:
        """Return the set of operating points that needed a frame; empty if it is no longer known."""
        known, needed_by = self._frames[number % _FRAMES_REMEMBERED]
        return needed_by if known == number else 0
