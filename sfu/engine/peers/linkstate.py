"""What a viewer's link allows, in terms that a person can be told; said seldom, and only once it lasts."""

import math
from dataclasses import dataclass

# What is said of a rate is the nearest of these, in kbit/s.
_ROUND_KBPS = (50, 100, 150, 200, 300, 400, 500, 700, 1000, 1500, 2000, 3000, 5000)
# With less of what is wanted than this a link is a limit.
_ENOUGH = 0.8
# A state has to last before it is told, and the next one is told so much later at the soonest.
LASTS_S, INTERVAL_S = 3.0, 8.0
_LOSS_STEP, _LEAST_LOSS = 0.05, 0.03


@dataclass(frozen=True, slots=True)
class LinkState:
    """What is told of a link."""

    kbps: int | None = None
    "About what the link carries, in kbit/s; 0: it seems to be dead; None: as much as is wanted."
    cameras: bool = True
    "Whether no camera is left out for want of bandwidth."
    screen: bool = True
    "Whether no shared screen is left out."
    loss_percent: int = 0
    "Packets that the link loses by itself, in steps of 5 %."


DEAD = LinkState(0, cameras=False, screen=False)


def state(available_bps: float, wanted_bps: float, loss: float, *, cameras: bool, screen: bool) -> LinkState:
    """What may be told of a link that carries something; `cameras`, `screen`: whether each that is wanted flows."""
    loss_percent = round(100 * _LOSS_STEP * max(round(loss / _LOSS_STEP), 1)) if loss >= _LEAST_LOSS else 0
    enough = available_bps >= _ENOUGH * wanted_bps and cameras and screen
    if enough or math.isinf(available_bps):
        return LinkState(loss_percent=loss_percent)
    kbps = min(_ROUND_KBPS, key=lambda each: abs(math.log(each / max(available_bps / 1000, 1.0))))
    return LinkState(kbps, cameras, screen, loss_percent)


class LinkReport:
    """What has been told of one link."""

    __slots__ = ("_new", "_reported", "_reported_at", "_since")

    def __init__(self) -> None:
        """That it is good goes without saying."""
        self._reported = self._new = LinkState()
        self._since = self._reported_at = float("-inf")

    def update(self, now_is: LinkState, now: float) -> LinkState | None:
        """Take in the present state; returns it when it is to be told."""
        if now_is != self._new:
            # another rate is no other state: it must not begin the wait anew while estimates waver
            if (now_is.kbps is None, now_is.cameras) != (self._new.kbps is None, self._new.cameras):
                self._since = now
            self._new = now_is
        if now_is == self._reported or now - self._since < LASTS_S or now - self._reported_at < INTERVAL_S:
            return None
        self._reported, self._reported_at = now_is, now
        return now_is
