"""What a packet says of its frame: its layer, who needs it, where decoding can begin or go over to another layer.

The dependency descriptor tells all of it, for any codec and without a look at the payload. Without one, VP8 and VP9 say
it in their payload descriptors; other codecs tell keyframes alone.
"""

from functools import cache
from typing import NamedTuple

from sfu.wire import codecs, descriptor
from sfu.wire.points import EVERY, MAX_SPATIAL, MAX_TEMPORAL, Point, with_spatial, with_temporal
from sfu.wire.rtp import Buffer

_TEMPORAL = tuple(map(with_temporal, range(MAX_TEMPORAL + 1)))
_SPATIAL = tuple(with_spatial(spatial, alone=False) for spatial in range(MAX_SPATIAL + 1))
_SPATIAL_ALONE = tuple(with_spatial(spatial, alone=True) for spatial in range(MAX_SPATIAL + 1))
_FRAMES_REMEMBERED = 64


class Frame(NamedTuple):
    """What is known of a packet's frame."""

    layer: Point = (0, 0)
    "Within the stream."
    points: int = EVERY
    "Set of points (`sfu.wire.points`) that need it."
    starts: bool = True
    "The packet is its first, as far as that can be told."
    ends: bool = False
    "The packet is its last."
    keyframe: bool = False
    "The packet is the first of a keyframe."
    switch_to: int = 0
    "Set of points that can be taken up here without a keyframe..."
    switch_from: int = 0
    "... by a decoder that has been shown one of these so far."
    described: descriptor.Descriptor | None = None
    "Its dependency descriptor, when it could be read."


ALONE = Frame()
"A packet that depends on no other and on which none depends: audio."
_INSIDE = Frame(starts=False)
_KEYFRAME = Frame(keyframe=True)


def read(codec: str, payload: Buffer, described: bytes, structure: descriptor.Structure | None) -> Frame:
    """Read one packet; for VP8 without dependency descriptors there is `of_vp8`.

    Args:
        codec: Lower-case encoding name.
        payload: What the codec made, with its payload descriptor.
        described: Data of the dependency descriptor; empty when there is none.
        structure: That of the last keyframe, for the descriptor.
    """
    if described:
        try:
            return _described(descriptor.parse(described, structure))
        except descriptor.DescriptorError:
            # Its keyframe was lost: nobody can decode it before that comes, so everybody may have it.
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
    """What VP8's payload descriptor says; `max_temporal` is the highest temporal layer seen so far."""
    return _vp8(fields.temporal_id, fields.layer_sync, fields.starts_frame, fields.keyframe, max_temporal)


@cache  # of some dozens, for each packet of the most common codec
def _vp8(temporal: int, layer_sync: bool, starts: bool, keyframe: bool, max_temporal: int) -> Frame:
    points = _TEMPORAL[temporal]
    if not layer_sync or not temporal:
        return Frame((0, temporal), points, starts, False, keyframe)
    # RFC 7741 section 4.2, Y: this frame depends on the base layer alone. The next one of its layer may depend on it,
    # and one of a layer above on both; so one layer after the other is taken up.
    switch_to = points if temporal >= max_temporal else points & ~_TEMPORAL[temporal + 1]
    return Frame((0, temporal), points, starts, False, keyframe, switch_to, _TEMPORAL[temporal - 1])


def _vp9(payload: Buffer) -> Frame:
    fields = codecs.vp9_fields(payload)
    if fields is None:
        return _INSIDE
    spatial, temporal = min(fields.spatial_id, MAX_SPATIAL), min(fields.temporal_id, MAX_TEMPORAL)
    rows = (_SPATIAL_ALONE if fields.not_for_upper_layers else _SPATIAL)[spatial]
    keyframe = fields.starts_frame and spatial == 0 and not fields.predicted
    # RFC 9628 section 4.2, U: no later picture of a higher temporal layer depends on one before this that was above it.
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
    """Who was shown the last frames of a stream, by frame number: from where a decoder can follow a later one."""

    __slots__ = ("_frames",)

    def __init__(self) -> None:
        """None yet."""
        self._frames: list[tuple[int, int]] = [(-1, 0)] * _FRAMES_REMEMBERED

    def add(self, frame: Frame) -> None:
        """Note a frame, at its first packet."""
        if frame.described is not None and frame.starts:
            number = frame.described.frame_number
            self._frames[number % _FRAMES_REMEMBERED] = (number, frame.points)

    def switch_from(self, frame: Frame) -> int:
        """The set of points whose viewers have all that a frame is predicted from."""
        if frame.described is None:
            return frame.switch_from
        points = EVERY
        for diff in frame.described.frame_diffs:
            number = (frame.described.frame_number - diff) & 0xFFFF
            known, needed_by = self._frames[number % _FRAMES_REMEMBERED]
            points &= needed_by if known == number else 0
        return points
