"""From the payloads of one picture to an access unit, without decoding: a class with `join` for each video codec."""

from collections.abc import Callable, Sequence
from typing import Protocol

from recording.media.codecs.av1 import Av1Joiner
from recording.media.codecs.h264 import H264Joiner
from recording.media.codecs.vp8 import Vp8Joiner
from recording.media.codecs.vp9 import Vp9Joiner
from recording.media.frame_keys import FrameKeys
from recording.values import Picture


class Joiner(Protocol):
    """Joins the payloads of one picture, all of them and in order."""

    def join(self, payloads: Sequence[bytes]) -> Picture | None:
        """The picture; None when the payloads carry nothing that is shown. PayloadError."""


JOINERS: dict[str, Callable[[FrameKeys | None], Joiner]] = {
    "vp8": Vp8Joiner,
    "vp9": Vp9Joiner,
    "av1": Av1Joiner,
    "h264": H264Joiner,
}
"By lower-case encoding name; they get the keys of frames that are encrypted end to end."
