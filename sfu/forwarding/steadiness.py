"""Which allotments are followed: those that last, as estimates rise and fall and each change costs a keyframe.

It may wait because the pacer keeps to the estimate meanwhile: what flows and does not fit any more only comes later.
"""

from collections.abc import Mapping

from sfu.bandwidth.allocate import Allocation
from sfu.wire.operating_points import OperatingPoint

# What does not fit any more still flows for so long.
SCREEN_PATIENCE_S, PATIENCE_S = 5.0, 1.5
# But a layer that takes MUCH times what is left is given up after so long, and MUCH times what a layer takes makes it
# safe to go up to it.
MUCH, MUCH_PATIENCE_S = 2.0, 1.0
# A camera that was paused comes back after so long at the soonest.
PAUSED_S = 4.0
# A screen goes up to a better layer after so long at the soonest, and where there is MUCH of room after the second.
DWELL_S, AMPLE_DWELL_S = 8.0, 2.0


class Steadiness:
    """What one subscription was allocated, and since when something else would be better."""

    __slots__ = ("_changed_at", "_screen", "_unfit_since")

    def __init__(self, *, screen: bool) -> None:
        """`screen`: of a shared screen, else of a camera."""
        self._screen = screen
        self._changed_at = float("-inf")
        self._unfit_since: float | None = None

    def changed(self, now: float) -> None:
        """The allotment is another than before."""
        self._changed_at, self._unfit_since = now, None

    def follow(
        self,
        before: Allocation,
        wanted: Allocation,
        bitrates_bps: Mapping[OperatingPoint, int],
        left_bps: float,
        now: float,
    ) -> bool:
        """Whether to follow an allotment that differs from the one before.

        `bitrates_bps` are those of the layers that arrive, `left_bps` is what all video together may take.
        """
        if before.point is None:
            return self._screen or now - self._changed_at >= PAUSED_S
        if before.point not in bitrates_bps:
            return True  # it arrives no more
        if wanted.point is not None:
            if not self._screen or before.point[0] == wanted.point[0]:
                return True  # a camera's layers are small, and another frame rate costs no keyframe
            if wanted.point > before.point:
                ample = left_bps > MUCH * bitrates_bps[wanted.point]
                return now - self._changed_at >= (AMPLE_DWELL_S if ample else DWELL_S)
            if bitrates_bps[before.point] > MUCH * left_bps:
                return self._unfit_s(now) >= MUCH_PATIENCE_S
        return self._unfit_s(now) >= (SCREEN_PATIENCE_S if self._screen else PATIENCE_S)

    def fits(self) -> None:
        """What flows is what is wanted."""
        self._unfit_since = None

    def _unfit_s(self, now: float) -> float:
        if self._unfit_since is None:
            self._unfit_since = now
        return now - self._unfit_since
