"""When a publisher is asked for a keyframe: soon for a new subscriber, but seldom enough to spare the bitrate."""

# Shortest time between two requests, by spatial layer, as LiveKit throttles them. A keyframe costs as much as
# several ordinary frames, and a low layer's is small.
_LOW_LAYER_INTERVAL_S = 0.5
_HIGH_LAYER_INTERVAL_S = 1.0


class KeyframeRequests:
    """The keyframe requests (PLI) for one layer, merged from all its subscribers."""

    __slots__ = ("_interval_s", "due_at", "next_at")

    def __init__(self, spatial_layer: int) -> None:
        """`spatial_layer` counts from 0, the lowest."""
        self._interval_s = _LOW_LAYER_INTERVAL_S if spatial_layer == 0 else _HIGH_LAYER_INTERVAL_S
        self.next_at = float("-inf")
        "From when on a request is sent at once."
        self.due_at: float | None = None
        "When a remembered request may be sent; None when nobody waits."

    def request(self, now: float) -> bool:
        """Record that a subscriber needs a keyframe; return True to send the request now, False if it is sent later."""
        if now >= self.next_at:
            self._sent(now)
            return True
        self.due_at = self.next_at
        return False

    def due(self, now: float) -> bool:
        """Return whether a recorded request is to be sent now; it then counts as sent."""
        if self.due_at is None or now < self.due_at:
            return False
        self._sent(now)
        return True

    def keyframe_received(self) -> None:
        """Record that a keyframe began: it answers all requests so far."""
        self.due_at = None

    def _sent(self, now: float) -> None:
        self.next_at = now + self._interval_s
        self.due_at = None
