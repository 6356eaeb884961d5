"""Real packets for the tests of the parsers, and ways to break them."""

from pathlib import Path
from typing import NamedTuple

from hypothesis import strategies as st

SAMPLE_FILE = Path(__file__).parent / "chromium_packets.txt"


class Sample(NamedTuple):
    """One line of `chromium_packets.txt`, whose head says what the words mean."""

    capture: str
    codec: str
    kind: str
    packet: bytes

    def __str__(self):
        return f"{self.capture}-{self.kind}"


def _read():
    lines = SAMPLE_FILE.read_text().splitlines()
    words = (line.split() for line in lines if not line.startswith("#"))
    return [Sample(capture, codec, kind, bytes.fromhex(data)) for capture, codec, kind, data in words]


SAMPLES = _read()

# Sender reports with source descriptions, as Chromium 156 sends them
CHROMIUM_REPORTS = [
    bytes.fromhex(line)
    for line in (
        "80c80006d90634e2eeab89144626809d86e014bf000000250000094981ca0006d90634e201104f7570424579317538564d583861595a0000",
        "80c8000697c36adbeeab88b450d2a1f8ab73a2d1000000240000145e81ca000697c36adb01106e42546964797969324f78634c6339670000",
    )
]


@st.composite
def mutated(draw, originals):
    """A valid packet with some bytes changed, cut short or continued: reaches deeper than random bytes do."""
    data = bytearray(draw(st.sampled_from(originals)))
    for _ in range(draw(st.integers(0, 4))):
        if data:
            data[draw(st.integers(0, len(data) - 1))] = draw(st.integers(0, 255))
    data = data[: draw(st.integers(0, len(data)))] if draw(st.booleans()) else data
    return bytes(data) + draw(st.binary(max_size=8))
