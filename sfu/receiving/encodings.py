"""Which layers of a shared screen its publisher has to encode: those that viewers are sent, and no others.

Layers of a screen have one size and differ in rate. Whoever has room gets the best one, so the others cost the
publisher's processor and uplink for nobody until a viewer's link is weak. A layer that is switched off is still one to
choose: it comes within a moment once it is asked for.
"""

from collections.abc import Collection

# A layer that was asked for and has not come by then is one that the publisher cannot or will not send.
COMING_S = 3.0
# A layer that was switched off and is silent for so long is off.
OFF_S = 1.0


class WantedLayers:
    """The layers of one publication that its subscribers need."""

    __slots__ = ("_absent", "_asked_at", "told")

    def __init__(self, count: int) -> None:
        """Start with all `count` layers needed."""
        self.told = frozenset(range(count))
        "Those that were wanted last; empty only where there are none."
        self._asked_at: dict[int, float] = {}
        self._absent: set[int] = set()

    def update(self, wanted: frozenset[int], live: Collection[int], now: float) -> bool:
        """Record which layers are needed and which arrive; return whether the publisher must be told."""
        self._absent.difference_update(live)
        for spatial, asked_at in list(self._asked_at.items()):
            if spatial in live or spatial not in wanted:
                del self._asked_at[spatial]
            elif now - asked_at > COMING_S:
                del self._asked_at[spatial]
                self._absent.add(spatial)
        if not wanted or wanted == self.told:
            return False  # nobody at all is the business of who knows about subscriptions
        self._asked_at |= dict.fromkeys(wanted - self.told, now)
        self.told = wanted
        return True

    def may_come(self, spatial: int) -> bool:
        """Return whether a layer that does not arrive would arrive if it were requested, or was requested already."""
        return spatial not in self._absent and (spatial not in self.told or spatial in self._asked_at)

    def is_off(self, spatial: int, silent_s: float) -> bool:
        """Return whether the publisher has switched a layer off, judged by how long no packet of it has arrived."""
        return spatial not in self.told and silent_s > OFF_S
