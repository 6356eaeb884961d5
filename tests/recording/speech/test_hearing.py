import numpy as np
import pytest

from recording.speech.blocks import RATE
from recording.speech.hearing import Hearing
from sfu.wire.tap import Packet
from tests.recording.speech.spoken import needs_speech, speak

pytestmark = needs_speech
MS = 1_000_000


@pytest.fixture(scope="module")
def spoken():
    return speak("Good morning everybody.")


def packet(index, data, late_ms=0, codec="opus"):
    return Packet(1, index, index * 960, False, codec, data, (index * 20 + late_ms) * MS)


def test_packets_become_samples_in_their_order(spoken):
    hearing, swapped = Hearing(), Hearing()
    plain = np.concatenate([hearing.take(packet(i, data)) for i, data in enumerate(spoken)])
    assert len(plain) == pytest.approx(len(spoken) * RATE // 50, abs=RATE // 25)
    order = list(range(len(spoken)))
    order[10], order[11] = order[11], order[10]
    other = np.concatenate([swapped.take(packet(i, spoken[i])) for i in order])
    assert np.array_equal(plain, other)


def test_lost_packets_become_silence_of_their_length(spoken):
    hearing, found = Hearing(), []
    for i, data in enumerate(spoken):
        if not 20 <= i < 30:
            found.append(hearing.take(packet(i, data)))
        found.append(hearing.poll(i * 20 * MS))
    assert sum(map(len, found)) == pytest.approx(len(spoken) * RATE // 50, abs=RATE // 25)


def test_redundant_audio_repairs_a_loss(spoken):
    hearing, found = Hearing(), []
    for i, data in enumerate(spoken):
        # RFC 2198: the packet before, 960 ticks earlier, and this one.
        before = spoken[i - 1] if i else b""
        header = bytes([0x80 | 111]) + (960 << 10 | len(before)).to_bytes(3, "big") + bytes([111])
        if i % 7 != 3:
            found.append(hearing.take(packet(i, header + before + data, codec="red")))
        found.append(hearing.poll(i * 20 * MS))
    repaired = np.concatenate(found)
    plain = Hearing()
    whole = np.concatenate([plain.take(packet(i, data)) for i, data in enumerate(spoken)])
    count = min(len(repaired), len(whole))
    assert np.abs(repaired[:count] - whole[:count]).max() < 1e-4


def test_a_long_silence_is_shortened_and_damage_is_survived(spoken):
    hearing = Hearing()
    hearing.take(packet(0, spoken[0]))
    later = hearing.take(Packet(1, 1, 60 * 48_000, False, "opus", spoken[1], 60_000 * MS))
    assert RATE <= len(later) < 1.2 * RATE
    assert len(hearing.take(Packet(1, 2, 60 * 48_000 + 960, False, "opus", b"", 60_020 * MS))) == 0
    assert len(hearing.take(packet(3, b"\xff" * 40))) < RATE * 2
