"""Whether a layer still arrives."""

# Without packets for this long a layer is not live. Encoders send at least one frame a second; a shared screen that
# does not change may send less than that.
LAYER_DEAD_S = 1.5
SCREEN_LAYER_DEAD_S = 5.0


def is_live(last_packet_at: float, now: float, *, screen_share: bool) -> bool:
    """Whether packets have arrived on a layer lately."""
    return now - last_packet_at < (SCREEN_LAYER_DEAD_S if screen_share else LAYER_DEAD_S)
