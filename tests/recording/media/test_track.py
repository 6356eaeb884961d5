"""Tracks, with real encoders and decoders: order, completeness, gaps, switches."""

import random
from itertools import pairwise

import pytest
from msgspec.structs import replace

from recording.media.codecs import opus
from recording.media.timeline import SourceClock, StreamClock
from recording.media.track import Placement, Resume, Stream, Track
from recording.values import Gap, GapReason
from sfu.wire.red import with_redundancy
from sfu.wire.tap import CloseStream, MuteTrack, Nack, Packet, PacketsDropped, RequestKeyframe, SenderReport
from tests.recording.encoders import MS, PAYLOADS, Sender, decode, encode, read_stamp, tones
from tests.recording.runs import Files, Run

S = 1_000_000_000


def shown(files):
    """(time in ms, number) of each decoded picture of all parts."""
    return [
        (round(time * 1000), read_stamp(frame))
        for number in sorted(files.parts)
        for time, frame in decode(bytes(files.parts[number]))
    ]


@pytest.mark.parametrize("codec", PAYLOADS)
def test_every_picture_is_there_in_order_over_a_path_that_reorders_and_repeats(codec):
    randomness = random.Random(2)
    packets = [p for each in Sender(1, codec).frames(encode(codec, 50)) for p in each]
    first = packets[0].timestamp
    late = [
        replace(p, arrived_ns=p.arrived_ns + randomness.randrange(60) * MS * (p.timestamp != first))
        for p in (*packets, *randomness.sample(packets, 20))
    ]
    run = Run(("screen", "video"))
    run.open(1, "screen")
    run.handle(SenderReport(1, 5 << 32, packets[0].timestamp, 0))
    run.play(late)
    run.finish(50 * 40 * MS + 20 * MS)
    files = run.files["screen"]
    times, numbers = zip(*shown(files), strict=True)
    assert numbers == tuple(range(50))
    assert [b - a for a, b in pairwise(times)] == pytest.approx([40] * 49, abs=2)
    assert files.gaps == []
    assert files.records[-1].end_ns == pytest.approx(50 * 40 * MS + 20 * MS, abs=2 * MS)


@pytest.mark.parametrize("codec", PAYLOADS)
def test_after_a_loss_nothing_is_written_before_the_next_keyframe(codec):
    sender = Sender(1, codec)
    frames = sender.frames(encode(codec, 60, keyframes=(0, 40)))
    del frames[20][0], frames[25][0]
    run = Run(("cam", "video"))
    run.open(1, "cam")
    run.play(p for each in frames[:20] for p in each)
    run.requests.clear()
    run.play(p for each in frames[20:] for p in each)
    run.finish(60 * 40 * MS)
    files = run.files["cam"]
    numbers = [number for _, number in shown(files)]
    assert numbers == [*range(20), *range(40, 60)]
    (gap,) = files.gaps
    assert gap.reason is GapReason.LOST
    assert gap.packets == 2
    assert (gap.start_ns, gap.end_ns) == pytest.approx((820 * MS, 1620 * MS), abs=2 * MS)
    asked = [request for request in run.requests if isinstance(request, RequestKeyframe)]
    assert asked == [RequestKeyframe(1)]
    # the picture before the gap stays until it ends: no hole in the file
    assert [record.end_ns for record in files.records[:-1]] == [
        record.start_ns for record in files.records[1:]
    ]


def sound(packets, sender, start_ns=0):
    return [
        p
        for i, data in enumerate(packets)
        for p in sender.packets([data], start_ns + i * 20 * MS, start_ns + i * 20 * MS + 20 * MS)
    ]


def bursts(files, period=0.5):
    """Beginnings of the tone bursts, in ms of the recording."""
    import numpy as np

    found, quiet_since = [], -1.0
    for number in sorted(files.parts):
        for time, frame in decode(bytes(files.parts[number]), "audio"):
            samples = np.abs(frame.to_ndarray()).max(axis=0)
            for i in np.flatnonzero(samples > 0.1):
                at = time + i / 48_000
                if at - quiet_since > period / 2:
                    found.append(round(at * 1000))
                quiet_since = at
    return found


def test_sound_keeps_its_time_over_losses_and_silence():
    packets = sound(tones(6), Sender(1, "opus", rate=48_000))
    lost = set(range(60, 65)) | set(range(125, 145))
    sent = [p for i, p in enumerate(packets) if i not in lost and not 200 <= i < 220]
    # 200 to 219: discontinuous transmission, as the sequence numbers go on
    renumbered = [
        Packet(
            p.stream,
            p.sequence - (20 if i >= 220 else 0),
            p.timestamp,
            p.marker,
            p.codec,
            p.payload,
            p.arrived_ns,
        )
        for i, p in enumerate(packets)
        if p in sent
    ]
    run = Run(("mic", "audio"))
    run.open(1, "mic", rate=48_000)
    run.play(renumbered)
    run.finish(6 * S + 20 * MS)
    files = run.files["mic"]
    assert len(bursts(files)) >= 10
    assert [at % 500 for at in bursts(files)] == pytest.approx([20] * len(bursts(files)), abs=15)
    assert [gap.reason for gap in files.gaps] == [GapReason.LOST] * 2
    assert [gap.packets for gap in files.gaps] == [5, 20]
    assert [gap.end_ns - gap.start_ns for gap in files.gaps] == pytest.approx([100 * MS, 400 * MS], abs=MS)
    # filled with silence, so that no player stops
    decoded = decode(bytes(files.parts[1]), "audio")
    assert len(decoded) == 300
    assert files.records[-1].end_ns == pytest.approx(6 * S + 20 * MS, abs=2 * MS)


def test_a_long_silence_is_a_gap_and_not_filled():
    sender = Sender(1, "opus", rate=48_000)
    packets = [*sound(tones(1), sender), *sound(tones(1), sender, 10 * S)]
    run = Run(("mic", "audio"))
    run.open(1, "mic", rate=48_000)
    run.play(packets)
    run.finish(11 * S + 20 * MS)
    files = run.files["mic"]
    assert files.gaps == [Gap(1020 * MS, 10_020 * MS, GapReason.ABSENT, 0)]
    assert len(decode(bytes(files.parts[1]), "audio")) == 100


def test_what_comes_while_muted_is_not_written():
    frames = Sender(1, "vp8").frames(encode("vp8", 100, keyframes=(0, 30, 60)))
    run = Run(("cam", "video"))
    run.open(1, "cam")
    run.play(p for each in frames[:25] for p in each)
    run.handle(MuteTrack("r", "cam", True, 1000 * MS))
    run.play(p for each in frames[25:50] for p in each)
    run.handle(MuteTrack("r", "cam", False, 2000 * MS))
    run.play(p for each in frames[50:] for p in each)
    run.finish(4 * S)
    files = run.files["cam"]
    assert [number for _, number in shown(files)] == [*range(25), *range(60, 100)]
    assert files.gaps == [Gap(1000 * MS, 2420 * MS, GapReason.MUTED, 0)]
    assert files.records[0].end_ns == 1000 * MS
    assert RequestKeyframe(1) in run.requests


@pytest.mark.parametrize("codec", ["opus", "red"])
def test_what_was_said_while_muted_comes_neither_late_nor_as_redundancy(codec):
    toc = opus.SILENCE[:1]

    def packet(number):
        payload = toc + bytes((number,))
        if codec == "red":
            blocks = tuple((960 * back, toc + bytes((number - back,))) for back in (2, 1) if number >= back)
            payload = with_redundancy(memoryview(payload), blocks, 111)
        return Packet(1, number, 960 * number, True, codec, payload, number * 20 * MS)

    run = Run(("mic", "audio"))
    run.open(1, "mic", rate=48_000)
    run.handle(*(packet(number) for number in range(10)))
    run.handle(MuteTrack("r", "mic", True, 200 * MS))
    # 10 never comes, so that 11 to 19 wait; 20 and 21 are not forwarded
    run.handle(*(packet(number) for number in range(11, 20)))
    run.handle(MuteTrack("r", "mic", False, 440 * MS))
    run.handle(*(packet(number) for number in range(22, 30)))
    run.take(run.state.tick(S))
    run.finish(S)
    (part,) = run.files["mic"].parts.values()
    assert [number for number in range(30) if toc + bytes((number,)) in part] == [*range(10), *range(22, 30)]


def test_a_new_layer_takes_over_with_its_keyframe_in_the_same_track():
    small = encode("vp8", 60, width=160, height=96)
    large = encode("vp8", 60, width=320, height=192, keyframes=(0, 30))
    run = Run(("cam", "video"))
    run.open(1, "cam")
    run.open(2, "cam", at_ns=S)
    low = Sender(1, "vp8").frames(small)
    high = Sender(2, "vp8", timestamp=12_345).frames(large)
    high[0] = []  # it begins before the tap listens: its first keyframe is at 30
    run.play(p for each in (*low, *high) for p in each)
    run.handle(CloseStream(1, 2400 * MS))
    run.finish(2420 * MS)
    files = run.files["cam"]
    # the picture of that moment may be there in both sizes
    assert list(dict.fromkeys(number for _, number in shown(files))) == list(range(60))
    assert [(config.width, config.height) for config in files.configs.values()] == [(160, 96), (320, 192)]
    assert files.gaps == []
    assert [record.keyframe for record in files.records] == [True, True]


def test_a_layer_that_ends_before_the_next_one_has_its_keyframe_leaves_a_gap_and_its_picture():
    run = Run(("cam", "video"))
    run.open(1, "cam")
    run.open(2, "cam")
    high = Sender(2, "vp8").frames(encode("vp8", 50, width=320, height=192, keyframes=(0, 40)))
    run.play(p for each in Sender(1, "vp8").frames(encode("vp8", 25)) for p in each)
    run.handle(CloseStream(1, 1000 * MS))
    run.play(p for each in high[25:] for p in each)
    run.finish(2020 * MS)
    files = run.files["cam"]
    assert [number for _, number in shown(files)] == [*range(25), *range(40, 50)]
    assert files.gaps == [Gap(1000 * MS, 1620 * MS, GapReason.UNDECODABLE, 0)]
    assert files.records[0].end_ns == files.records[1].start_ns == 1620 * MS


def test_a_republished_track_with_another_codec_goes_on_as_the_same():
    run = Run(("screen", "video"))
    run.open(1, "screen")
    run.play(p for each in Sender(1, "vp8").frames(encode("vp8", 25)) for p in each)
    run.handle(CloseStream(1, 1000 * MS))
    run.open(2, "screen", source="p2", at_ns=5 * S)
    later = Sender(2, "h264", timestamp=99).frames(encode("h264", 25, first=25), start_ns=5 * S)
    run.play(p for each in later for p in each)
    run.finish(6 * S + 20 * MS)
    files = run.files["screen"]
    assert [number for _, number in shown(files)] == list(range(50))
    assert [config.codec for config in files.configs.values()] == ["vp8", "h264"]
    assert files.gaps == [Gap(1000 * MS, 5020 * MS, GapReason.ABSENT, 0)]


def test_a_still_screen_stays_until_the_next_picture():
    frames = encode("vp8", 2)
    sender = Sender(1, "vp8")
    early = sender.frames(frames[:1])
    late = sender.frames(frames[1:], start_ns=90 * S)
    run = Run(("screen", "video"))
    run.open(1, "screen")
    run.play(early[0])
    for second in range(1, 90):
        run.take(run.state.tick(second * S))
        assert len(run.files["screen"].parts[1]) > 200  # on the disk within a second
    run.play(late[0])
    run.finish(91 * S)
    files = run.files["screen"]
    assert shown(files) == [(20, 0), (90_020, 1)]
    assert files.gaps == []
    first, second = files.records
    assert (first.end_ns, second.start_ns) == (90_020 * MS, 90_020 * MS)
    assert not second.keyframe
    assert second.decode_from == 0


def test_packets_that_the_tap_dropped_are_marked():
    frames = Sender(1, "vp8").frames(encode("vp8", 30, keyframes=(0, 20)))
    run = Run(("cam", "video"))
    run.open(1, "cam")
    run.play(p for each in frames[:10] for p in each)
    run.handle(PacketsDropped(1, 7, 400 * MS))
    run.play(p for each in frames[14:] for p in each)
    run.finish(1200 * MS)
    assert [gap.reason for gap in run.files["cam"].gaps] == [GapReason.DROPPED]


def test_a_stream_without_a_keyframe_is_a_gap_from_its_first_packet():
    frames = Sender(1, "vp8").frames(encode("vp8", 30, keyframes=(0, 20)))
    run = Run(("cam", "video"))
    run.open(1, "cam")
    run.play(p for each in frames[1:] for p in each)
    run.finish(1200 * MS)
    assert run.files["cam"].gaps == [Gap(60 * MS, 820 * MS, GapReason.UNDECODABLE, 0)]
    assert run.requests[0] == RequestKeyframe(1)


def test_keyframes_are_asked_for_each_interval():
    frames = Sender(1, "vp8").frames(encode("vp8", 100))
    run = Run(("cam", "video"), keyframe_interval_ns=2 * S)
    run.open(1, "cam")
    run.play(p for each in frames for p in each)
    assert len(run.requests) in {2, 3}  # from 2 s on, each second until one comes


def test_of_a_screen_no_keyframe_is_asked_for_but_one_that_is_missing():
    frames = Sender(1, "vp8").frames(encode("vp8", 100))
    run = Run(("screen", "video"), keyframe_interval_ns=2 * S)
    run.state.tracks["screen"].screen_share = True
    run.open(1, "screen")
    run.play(p for each in frames for p in each)
    assert run.requests == []


def test_a_resumed_track_marks_the_interruption():
    track = Track("audio", Resume(3, 7, 5 * S))
    stream = Stream(1, "audio", StreamClock(SourceClock(), 48_000), 48_000, 0)
    track.streams[1] = stream
    packet = Packet(1, 1, 0, True, "opus", opus.SILENCE, 6 * S)
    stream.clock.arrived(stream.timestamps.unwrap(0), 6 * S)
    files = Files().apply(track.take(stream, stream.sequencer.push(packet)))
    files.apply(track.finish(7 * S))
    assert files.gaps[0] == Gap(5 * S, 6 * S, GapReason.INTERRUPTED, 0)
    assert list(files.parts) == [3]
    assert files.records[0].decode_from == 7


def test_a_resumed_track_calls_the_difference_of_two_clocks_no_interruption():
    track = Track("audio", Resume(3, 7, 5 * S))
    stream = Stream(1, "audio", StreamClock(SourceClock(), 48_000), 48_000, 0)
    track.streams[1] = stream
    packet = Packet(1, 1, 0, True, "opus", opus.SILENCE, 5 * S + 7 * MS)
    stream.clock.arrived(stream.timestamps.unwrap(0), packet.arrived_ns)
    files = Files().apply(track.take(stream, stream.sequencer.push(packet)))
    assert files.apply(track.finish(5 * S + 27 * MS)).gaps == []


class _Clock:
    def __init__(self, has_report=True):
        self.offset_ns = 0
        self.has_report = has_report

    def at(self, timestamp):
        return timestamp * S // 90_000 + self.offset_ns


@pytest.mark.parametrize(("error_ms", "steps"), [(30, 6), (-30, 6), (200, 1)])
def test_a_stream_follows_its_clock_in_small_steps(error_ms, steps):
    clock = _Clock()
    placement = Placement("video", clock, 90_000, 0)
    assert placement.at(0, S) == 0
    clock.offset_ns = error_ms * MS
    errors = []
    for i in range(1, 200):
        at = placement.at(i * 9000, i * 100 * MS + S)
        errors.append(at - i * 100 * MS)
    moved = [b - a for a, b in pairwise([0, *errors]) if b != a]
    assert len(moved) == steps
    assert errors[-1] == error_ms * MS
    assert max(map(abs, moved)) <= (5 * MS if abs(error_ms) < 40 else 200 * MS)


@pytest.mark.parametrize(("kind", "first_ms"), [("video", -30), ("audio", -5)])
def test_the_first_report_moves_pictures_at_once_and_sound_in_small_steps(kind, first_ms):
    clock = _Clock(has_report=False)
    placement = Placement(kind, clock, 90_000, 0)
    assert placement.at(0, S) == 0
    clock.offset_ns, clock.has_report = -30 * MS, True
    errors = [placement.at(i * 9000, i * 100 * MS + S) - i * 100 * MS for i in range(1, 40)]
    assert (errors[0], errors[-1]) == (first_ms * MS, -30 * MS)


@pytest.mark.parametrize(("claimed_s", "placed_ms"), [(3600, 100), (-3600, -4900)])
def test_no_report_places_a_frame_behind_its_arrival_or_long_before(claimed_s, placed_ms):
    clock = _Clock()
    clock.offset_ns = claimed_s * S
    assert Placement("video", clock, 90_000, 0).at(0, 100 * MS) == placed_ms * MS


@pytest.mark.parametrize("reports", [True, False])
def test_timestamps_that_stood_still_while_muted_go_on_in_time(reports):
    """Ten minutes later by the clock, one frame later by the timestamps."""
    sender = Sender(1, "opus", rate=48_000)
    packets = sound(tones(1), sender)
    again = [replace(p, arrived_ns=p.arrived_ns + 600 * S) for p in sound(tones(1), sender, 1 * S)]
    run = Run(("mic", "audio"))
    run.open(1, "mic", rate=48_000)
    if reports:
        run.handle(SenderReport(1, 5 << 32, packets[0].timestamp, 0))
    run.play([*packets, *again])
    run.finish(610 * S)
    first, second = run.files["mic"].records
    assert first.end_ns == pytest.approx(1 * S, abs=30 * MS)
    assert second.start_ns == pytest.approx(601 * S, abs=30 * MS)


@pytest.mark.parametrize("codec", ["vp8", "vp9", "h264", "opus"])
def test_random_packets_break_nothing_and_the_next_stream_is_recorded(codec):
    randomness = random.Random(5)
    kind = "audio" if codec == "opus" else "video"
    run = Run(("track", kind))
    run.open(1, "track")
    for i in range(2000):
        payload = randomness.randbytes(randomness.randrange(40))
        number = randomness.choice((i, randomness.randrange(1 << 40)))
        run.handle(Packet(1, number, randomness.getrandbits(32), i % 3 == 0, codec, payload, i * MS))
        if i % 50 == 0:
            run.handle(SenderReport(1, randomness.getrandbits(64), randomness.getrandbits(32), i * MS))
            run.take(run.state.tick(i * MS))
    run.handle(CloseStream(1, 2 * S))
    run.open(2, "track", rate=48_000 if kind == "audio" else 90_000, source="p2", at_ns=3 * S)
    if kind == "audio":
        run.play(replace(p, stream=2) for p in sound(tones(1), Sender(2, codec, rate=48_000), 3 * S))
    else:
        run.play(p for each in Sender(2, codec).frames(encode(codec, 25), start_ns=3 * S) for p in each)
    run.finish(4 * S + 20 * MS)
    files = run.files["track"]
    if kind == "video":
        assert files.records[-1].start_ns == pytest.approx(3020 * MS, abs=2 * MS)
    assert files.records[-1].end_ns == pytest.approx(4020 * MS, abs=2 * MS)
    starts = [record.start_ns for record in files.records]
    assert starts == sorted(starts)
    if kind == "video":
        assert [number for _, number in decode_part(files, codec)] == list(range(25))


def decode_part(files, codec):
    """The pictures of the last part."""
    number = max(files.parts)
    assert files.configs[number].codec == codec
    return [(time, read_stamp(frame)) for time, frame in decode(bytes(files.parts[number]))][-25:]


@pytest.mark.parametrize("codec", ["vp8", "h264"])
def test_a_lossy_path_costs_only_what_is_marked(codec):
    """One packet in ten is lost; half of those come again when they are asked for."""
    randomness = random.Random(9)
    frames = Sender(1, codec).frames(encode(codec, 250, keyframes=range(0, 250, 25)))
    run = Run(("cam", "video"))
    run.open(1, "cam")
    coming, kept = [], {}
    for packet in (p for each in frames for p in each):
        while coming and coming[0].arrived_ns <= packet.arrived_ns:
            run.handle(coming.pop(0))
        kept[packet.sequence] = packet
        if randomness.random() > 0.1:
            run.handle(packet)
        run.take(run.state.tick(packet.arrived_ns))
        for request in run.requests:
            if isinstance(request, Nack):
                again = [kept[s] for s in request.sequences if randomness.random() < 0.2]
                coming += [replace(p, arrived_ns=packet.arrived_ns + 50 * MS) for p in again]
        run.requests.clear()
    run.finish(10 * S + 20 * MS)
    files = run.files["cam"]
    found = shown(files)
    assert 60 < len(found) < 250
    # Each picture is the right one, and what is not there is in a gap.
    assert all(abs(time - (40 * number + 20)) < 50 for time, number in found)
    there = {number for _, number in found}
    for number in set(range(250)) - there:
        at = (40 * number + 20) * MS
        assert any(gap.start_ns - 60 * MS <= at <= gap.end_ns for gap in files.gaps), number


def test_pictures_that_a_killed_recorder_had_written_are_not_written_again():
    frames = Sender(1, "vp8").frames(encode("vp8", 30, keyframes=(0, 20)))
    track = Track("video", Resume(2, 1, 600 * MS))
    stream = Stream(1, "video", StreamClock(SourceClock(), 90_000), 90_000, 0)
    track.streams[1] = stream
    files = Files()
    for packet in (packet for each in frames for packet in each):
        stream.clock.arrived(stream.timestamps.unwrap(packet.timestamp), packet.arrived_ns)
        files.apply(track.take(stream, stream.sequencer.push(packet)))
    files.apply(track.finish(1220 * MS))
    assert [number for _, number in shown(files)] == list(range(20, 30))
    assert files.gaps == [Gap(600 * MS, 820 * MS, GapReason.INTERRUPTED, 0)]
