import pytest

from recording.media.assembler import MAX_PICTURE_OCTETS, AudioAssembler, TimestampUnwrapper, VideoAssembler
from recording.media.codecs import opus
from recording.values import Loss
from sfu.wire.red import with_redundancy
from sfu.wire.tap import Packet
from tests.recording.encoders import PAYLOADS, Sender, encode

TOC = bytes((31 << 3,))


def audio(sequence, payload, codec="opus"):
    return Packet(1, sequence, 960 * sequence, True, codec, payload, sequence)


def made(assembler, packets):
    return [item for packet in packets for item in assembler.push(packet)]


def test_timestamps_wrap_around():
    timestamps = TimestampUnwrapper()
    assert timestamps.unwrap(0xFFFF_FF00) == 0xFFFF_FF00
    assert timestamps.unwrap(0x100) == 0x1_0000_0100
    assert timestamps.near(0xFFFF_FFFF) == 0xFFFF_FFFF
    assert timestamps.unwrap(0x8000_0000) == 0x1_8000_0000


def test_each_opus_packet_is_a_frame():
    frames = made(AudioAssembler(TimestampUnwrapper()), [audio(1, TOC + b"a"), audio(2, TOC + b"b")])
    assert [(f.data, f.timestamp, f.arrived_ns, f.duration_ns) for f in frames] == [
        (TOC + b"a", 960, 1, 20_000_000),
        (TOC + b"b", 1920, 2, 20_000_000),
    ]
    assert all(frame.config is opus.CONFIG for frame in frames)


def redundant(number):
    """A RED packet with the two frames before it."""
    blocks = tuple((960 * back, TOC + bytes((number - back,))) for back in (2, 1))
    return audio(number, with_redundancy(memoryview(TOC + bytes((number,))), blocks, 111), "red")


def test_lost_packets_are_taken_out_of_the_redundancy():
    assembler = AudioAssembler(TimestampUnwrapper())
    items = made(assembler, [redundant(10), redundant(11), Loss(2), redundant(14), redundant(15)])
    assert [item.data[1] for item in items] == [10, 11, 12, 13, 14, 15]
    assert [item.timestamp for item in items] == [960 * number for number in range(10, 16)]


def test_redundancy_repeats_nothing_that_came_by_itself():
    items = made(AudioAssembler(TimestampUnwrapper()), [redundant(10), redundant(11), Loss(1), redundant(13)])
    assert [item.data[1] for item in items] == [10, 11, 12, 13]


def test_a_longer_loss_stays_one():
    assembler = AudioAssembler(TimestampUnwrapper())
    items = made(assembler, [redundant(10), Loss(3), redundant(14)])
    assert [item.packets if isinstance(item, Loss) else item.data[1] for item in items] == [10, 3, 12, 13, 14]


def test_what_is_no_opus_is_a_loss():
    items = made(AudioAssembler(TimestampUnwrapper()), [audio(1, TOC), audio(2, b""), audio(3, TOC)])
    assert [type(item) for item in items[1:2]] == [Loss]
    assert len(items) == 3


@pytest.mark.parametrize("codec", PAYLOADS)
def test_pictures_come_whole_or_not_at_all(codec):
    frames = encode(codec, 6, keyframes=(0, 4))
    sent = [packet for packets in Sender(1, codec).frames(frames) for packet in packets]
    lost = next(i for i, packet in enumerate(sent) if packet.timestamp != sent[0].timestamp)
    assembler = VideoAssembler(TimestampUnwrapper())
    items = made(assembler, [*sent[:lost], Loss(1), *sent[lost + 1 :]])
    assert isinstance(items[1], Loss)
    rest = [item for item in items if not isinstance(item, Loss)]
    # after the loss nothing before the next keyframe
    assert [frame.keyframe for frame in rest] == [True, True, False]
    assert [frame.timestamp - rest[0].timestamp for frame in rest] == [0, 4 * 3600, 5 * 3600]


def test_a_picture_without_marker_ends_with_the_next():
    sent = [p for packets in Sender(1, "vp8").frames(encode("vp8", 3)) for p in packets]
    bare = [Packet(p.stream, p.sequence, p.timestamp, False, p.codec, p.payload, p.arrived_ns) for p in sent]
    assert len(made(VideoAssembler(TimestampUnwrapper()), bare)) == 2


def test_a_stream_may_change_its_codec():
    packets = [
        p
        for codec, at in (("vp8", 0), ("h264", 40_000_000))
        for packets in Sender(1, codec).frames(encode(codec, 1), start_ns=at)
        for p in packets
    ]
    frames = made(VideoAssembler(TimestampUnwrapper()), packets)
    assert [frame.config.codec for frame in frames] == ["vp8", "h264"]


def test_another_codec_without_a_keyframe_waits_for_one():
    packets = [
        p
        for codec, wanted, at in (("vp8", slice(0, 1), 0), ("h264", slice(1, 3), 40_000_000))
        for packets in Sender(1, codec).frames(encode(codec, 3)[wanted], start_ns=at)
        for p in packets
    ]
    items = made(VideoAssembler(TimestampUnwrapper()), packets)
    assert [isinstance(item, Loss) for item in items] == [False, True]


def test_a_picture_without_an_end_is_bounded():
    assembler = VideoAssembler(TimestampUnwrapper())
    payload = b"\x10\x00" + bytes(60_000)
    items = made(assembler, (Packet(1, i, 5, False, "vp8", payload, 0) for i in range(200)))
    assert all(isinstance(item, Loss) for item in items)
    assert len(items) == 200 * len(payload) // MAX_PICTURE_OCTETS


def test_an_unknown_codec_is_a_loss():
    assert made(VideoAssembler(TimestampUnwrapper()), [Packet(1, 1, 0, True, "h266", b"xx", 0)]) == [Loss(1)]
