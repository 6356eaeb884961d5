"""Reading bits from the front of codec headers."""

from recording.values import PayloadError


class BitReader:
    """Reads unsigned numbers, the most significant bit first."""

    def __init__(self, data: bytes) -> None:
        """Start at the first bit."""
        self._value = int.from_bytes(data, "big")
        self._left = 8 * len(data)

    def read(self, count: int) -> int:
        """The next `count` bits. PayloadError at the end."""
        self._left -= count
        if self._left < 0:
            raise PayloadError("a codec header is truncated")
        return self._value >> self._left & (1 << count) - 1

    def flag(self) -> bool:
        """The next bit."""
        return self.read(1) != 0

    def ue(self) -> int:
        """An unsigned Exp-Golomb number (H.264 section 9.1); AV1's uvlc has the same form."""
        zeros = 0
        while not self.read(1):
            zeros += 1
            if zeros > 32:
                raise PayloadError("an Exp-Golomb number is too long")
        return (1 << zeros) - 1 + self.read(zeros)

    def se(self) -> int:
        """A signed Exp-Golomb number (H.264 section 9.1.1)."""
        number = self.ue()
        return (number + 1) // 2 if number % 2 else -(number // 2)


def leb128(data: bytes, at: int) -> tuple[int, int]:
    """(value, offset after it) of a little-endian base 128 number (AV1 section 4.10.5). PayloadError."""
    value = 0
    for i in range(8):
        if at >= len(data):
            raise PayloadError("a length is truncated")
        octet = data[at]
        at += 1
        value |= (octet & 0x7F) << 7 * i
        if octet < 0x80:
            return value, at
    raise PayloadError("a length is too long")


def to_leb128(value: int) -> bytes:
    """A number as little-endian base 128."""
    octets = bytearray()
    while value >= 0x80:
        octets.append(value & 0x7F | 0x80)
        value >>= 7
    octets.append(value)
    return bytes(octets)
