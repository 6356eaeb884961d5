"""The generator's own arithmetic: payloads that tell what became of them, and what a viewer makes of packets."""

import pytest

from bench.load.media import Report, payload, read_payload, vp8_start


@pytest.mark.parametrize("keyframe", [True, False])
@pytest.mark.parametrize("index", [0, 1, 77, 2**40])
def test_a_payload_is_read_again(index, keyframe):
    assert read_payload(payload(index, 12.5, 1100, vp8_start(index, keyframe=keyframe))) == (index, 12.5)
    assert read_payload(payload(index, 12.5, 160)) == (index, 12.5)


def test_a_rewritten_picture_id_is_no_fault_and_all_else_is():
    sent = payload(7, 1.0, 300, vp8_start(7, keyframe=False))
    assert read_payload(sent[:2] + b"\xff\xee" + sent[4:]) == (7, 1.0)
    assert read_payload(sent[:2] + b"\x7e" + sent[4:]) == (7, 1.0)
    # the time is not part of what is compared: 8 bytes behind magic and index
    for at in [*range(4, 23), *range(31, 300)]:
        broken = bytearray(sent)
        broken[at] ^= 1
        assert read_payload(bytes(broken)) is None, at
    assert read_payload(sent[:20]) is None
    assert read_payload(b"") is None


def test_reports_add_up():
    report = Report()
    first = Report(1, received=10, lost=1, wrong=1, sampled=3, latencies_s=[0.3, 0.1], longest_silence_s=0.2)
    report.add(first)
    report.add(Report(2, received=5, duplicates=2, latencies_s=[0.2], longest_silence_s=0.1))
    assert report == Report(3, 15, 1, 2, 1, 3, [0.3, 0.1, 0.2], 0.2)
