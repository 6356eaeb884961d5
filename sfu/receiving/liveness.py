"""Whether packets of a layer still arrive."""

# Without packets for this long a layer is not live. Encoders send at least one frame a second; a shared screen that
# does not change may send less than that.
LAYER_DEAD_S = 1.5
SCREEN_LAYER_DEAD_S = 5.0
# The lowest layer of a screen may be silent for longer: after a slide of 60 kB, an encoder that is allowed 65 kbit/s
# drops frames for up to 7 s.
LOWEST_SCREEN_LAYER_DEAD_S = 10.0


def dead_after_s(spatial: int, *, screen_share: bool) -> float:
    """Return after how many seconds without packets a layer is not live."""
    if not screen_share:
        return LAYER_DEAD_S
    return SCREEN_LAYER_DEAD_S if spatial else LOWEST_SCREEN_LAYER_DEAD_S


def is_live(last_packet_at: float, now: float, *, screen_share: bool, spatial: int = 1) -> bool:
    """Return whether packets of a layer have arrived recently."""
    return now - last_packet_at < dead_after_s(spatial, screen_share=screen_share)
