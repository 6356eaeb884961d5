"""A file that ends anywhere gives all whole fragments before its end, and a player decodes them."""

import random

import pytest

from recording.containers.recovery import BY_SUFFIX, Place, recover
from tests.recording.encoders import MS, Sender, decode, encode, read_stamp
from tests.recording.runs import Run


@pytest.fixture(scope="module", params=["vp8", "h264"])
def recorded(request):
    """(suffix, octets, records) of four seconds with a keyframe in the middle."""
    run = Run(("cam", "video"))
    run.open(1, "cam")
    run.play(
        p
        for each in Sender(1, request.param).frames(encode(request.param, 100, keyframes=(0, 50)))
        for p in each
    )
    run.finish(4020 * MS)
    files = run.files["cam"]
    return ("mp4" if request.param == "h264" else "webm"), bytes(files.parts[1]), files.records


def test_a_whole_file_gives_the_segments_of_its_index(recorded):
    suffix, data, records = recorded
    tail = recover(memoryview(data), BY_SUFFIX[suffix], Place(1, None, 0, audio=False))
    assert (tail.end, tail.damaged) == (len(data), False)
    assert [(r.offset, r.length, r.checksum, r.decode_from) for r in tail.records] == [
        (r.offset, r.length, r.checksum, r.decode_from) for r in records
    ]


def test_what_the_index_lists_is_not_found_again(recorded):
    suffix, data, records = recorded
    tail = recover(memoryview(data), BY_SUFFIX[suffix], Place(1, records[0], 1, audio=False))
    assert [record.offset for record in tail.records] == [record.offset for record in records[1:]]


def test_a_file_that_ends_at_any_octet_gives_all_whole_fragments(recorded):
    suffix, data, _ = recorded
    container = BY_SUFFIX[suffix]
    ends, at = [], container.init_length(memoryview(data))
    init = at
    while (found := container.scan(memoryview(data), at)) is not None:
        at = found.end
        ends.append(at)
    assert len(ends) >= 8
    # all octets of the beginning and of the last two fragments, and some between
    for length in (*range(init + 20), *range(init + 20, ends[-3], 37), *range(ends[-3], len(data) + 1)):
        tail = recover(memoryview(data)[:length], container, Place(1, None, 0, audio=False))
        assert not tail.damaged
        assert tail.end == max([end for end in ends if end <= length], default=init if length >= init else 0)
        assert sum(record.length for record in tail.records) == max(tail.end - init, 0)


def test_what_is_recovered_decodes_and_lacks_less_than_a_fragment(recorded):
    suffix, data, _ = recorded
    randomness = random.Random(6)
    for length in (randomness.randrange(len(data) // 3, len(data)) for _ in range(8)):
        tail = recover(memoryview(data)[:length], BY_SUFFIX[suffix], Place(1, None, 0, audio=False))
        numbers = [read_stamp(frame) for _, frame in decode(data[: tail.end])]
        assert numbers == list(range(len(numbers)))
        assert tail.records[-1].end_ns == pytest.approx((len(numbers) * 40 + 20) * MS, abs=2 * MS)


def test_damage_ends_the_recovery_and_is_told(recorded):
    suffix, data, records = recorded
    broken = bytearray(data)
    at = records[1].offset
    broken[at : at + 8] = b"\x66" * 8
    tail = recover(memoryview(broken), BY_SUFFIX[suffix], Place(1, None, 0, audio=False))
    assert (tail.end, tail.damaged) == (at, True)


def test_any_damage_is_survived(recorded):
    suffix, data, _ = recorded
    randomness = random.Random(8)
    for _ in range(300):
        broken = bytearray(data[: randomness.randrange(len(data))] if randomness.random() < 0.5 else data)
        for _ in range(randomness.randint(1, 5)):
            if broken:
                broken[randomness.randrange(len(broken))] = randomness.randrange(256)
        tail = recover(memoryview(broken), BY_SUFFIX[suffix], Place(1, None, 0, audio=False))
        assert 0 <= tail.end <= len(broken)
