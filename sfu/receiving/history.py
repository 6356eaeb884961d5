"""The newest packets of a stream, kept for retransmission and replay."""

# Packets kept for retransmission: LiveKit's rings hold up to 500 video and 200 audio packets; powers of two.
VIDEO_HISTORY = 512
AUDIO_HISTORY = 256


class History:
    """The newest packets of an inbound stream by extended sequence number."""

    __slots__ = ("_contexts", "_mask", "_numbers", "_packets")

    def __init__(self, size: int) -> None:
        """`size` is the number of slots, a power of two."""
        if size < 1 or size & (size - 1):
            raise ValueError("the size of a history is a power of two")
        self._mask = size - 1
        self._numbers = [-(1 << 62)] * size  # older than any packet
        self._packets: list[bytes] = [b""] * size
        self._contexts: list[object] = [None] * size

    def store(self, ext_seq: int, packet: bytes, context: object = None) -> None:
        """Keep a packet and the context that it was parsed with; a packet whose slot has a newer one is not kept."""
        slot = ext_seq & self._mask
        if ext_seq >= self._numbers[slot]:
            self._numbers[slot] = ext_seq
            self._packets[slot] = packet
            self._contexts[slot] = context

    def get(self, ext_seq: int) -> bytes | None:
        """Return the packet with this number; None if it never arrived or was overwritten."""
        slot = ext_seq & self._mask
        return self._packets[slot] if self._numbers[slot] == ext_seq else None

    def context(self, ext_seq: int) -> object:
        """Return the context that was kept with a packet."""
        return self._contexts[ext_seq & self._mask]
