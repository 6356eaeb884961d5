"""A whole recording in simulated time."""

import random

import pytest

from recording.media.codecs import opus
from recording.state import MAX_SOURCES, MAX_STREAMS_OF_TRACK, InvalidError
from sfu.wire.tap import CloseStream, CloseTrack, MuteTrack, Nack, OpenStream, OpenTrack, Packet, SenderReport
from tests.recording.encoders import MS, Sender, encode
from tests.recording.runs import Run

S = 1_000_000_000
EPOCH = 777 * S


def test_missing_packets_are_asked_for():
    sender = Sender(1, "opus", rate=48_000)
    packets = [p for i in range(10) for p in sender.packets([opus.SILENCE], i * 20 * MS, EPOCH + i * 20 * MS)]
    lost = packets.pop(5)
    run = Run(("mic", "audio"), epoch_ns=EPOCH)
    run.open(1, "mic", rate=48_000)
    run.play(packets)
    assert run.requests == [Nack(1, (lost.sequence,))]
    again = Packet(1, lost.sequence, lost.timestamp, True, "opus", opus.SILENCE, EPOCH + 190 * MS)
    run.play([again])
    run.finish(EPOCH + 200 * MS)
    assert run.files["mic"].gaps == []
    assert run.files["mic"].records[0].end_ns == pytest.approx(200 * MS, abs=MS)


def test_messages_about_what_is_not_open_are_ignored():
    run = Run(("mic", "audio"))
    run.handle(Packet(9, 1, 0, True, "opus", opus.SILENCE, 0))
    run.handle(
        SenderReport(9, 1, 1, 1), CloseStream(9, 0), MuteTrack("r", "x", True, 0), CloseTrack("r", "x", 0)
    )
    assert run.requests == []


@pytest.mark.parametrize(
    "message",
    [
        OpenStream(2, "r", "unknown", "p", 90_000, 0),
        OpenStream(1, "r", "cam", "p", 90_000, 0),
        OpenStream(0, "r", "cam", "p", 90_000, 0),
        OpenStream(2, "r", "cam", "p", 0, 0),
    ],
)
def test_contradictions_are_refused(message):
    run = Run(("cam", "video"))
    run.open(1, "cam")
    with pytest.raises(InvalidError):
        run.state.handle(message)


def test_a_track_of_an_unknown_kind_is_refused():
    with pytest.raises(InvalidError):
        Run().state.check_track(OpenTrack("r", "t", "smell", "", 0))


def test_streams_and_clocks_are_bounded():
    run = Run(("cam", "video"))
    for number in range(MAX_SOURCES + 50):
        run.open(number, "cam", source=str(number))
    assert len(run.state.tracks["cam"].streams) == MAX_STREAMS_OF_TRACK
    assert len(run.state._streams) == MAX_STREAMS_OF_TRACK
    assert len(run.state._sources) == MAX_SOURCES


def test_the_end_of_a_recording_writes_what_waits():
    run = Run(("cam", "video"))
    run.open(1, "cam")
    run.play([p for each in Sender(1, "vp8").frames(encode("vp8", 3)) for p in each], tick=False)
    assert run.files["cam"].records == []
    run.finish(S)
    assert run.files["cam"].records[0].end_ns == S
    assert run.state.tracks == {}


class Publisher:
    """A publisher of speech and slides with clocks that drift, who mutes, republishes and reconnects."""

    def __init__(self, run, name, *, ppm, sample_ppm, delay_ms, seed):
        self.run, self.name = run, name
        self.ntp_rate, self.sample_rate = 1 + ppm / 1e6, 1 + (ppm + sample_ppm) / 1e6
        self.delay_ns = delay_ms * MS
        self.randomness = random.Random(seed)
        self.connection = 0
        self.streams = {}

    def connect(self, number, at_ns):
        self.connection += 1
        for kind, rate in (("mic", 48_000), ("screen", 90_000)):
            self.open(kind, number + (kind == "screen"), rate, at_ns)

    def open(self, kind, number, rate, at_ns):
        old = self.streams.get(kind)
        if old is not None:
            self.run.handle(CloseStream(old[0], EPOCH + at_ns))
        track = f"{self.name}-{kind}"
        self.run.open(
            number,
            track,
            source=f"{self.name}{self.connection}",
            rate=rate,
            at_ns=EPOCH + at_ns,
            rtt_ns=2 * self.delay_ns,
        )
        self.streams[kind] = [number, rate, self.randomness.getrandbits(32), 0]

    def send(self, kind, true_ns, payload, codec):
        """A frame that is captured at this moment of the true clock."""
        stream = self.streams[kind]
        stream[3] += 1
        late = self.delay_ns + round(self.randomness.expovariate(1 / (8 * MS)))
        self.run.handle(
            Packet(
                stream[0],
                stream[3],
                self.timestamp(kind, true_ns),
                True,
                codec,
                payload,
                EPOCH + true_ns + late,
            )
        )

    def timestamp(self, kind, true_ns):
        _, rate, first, _ = self.streams[kind]
        clock = self.sample_rate if kind == "mic" else self.ntp_rate
        return (first + round(true_ns * clock) * rate // S) & 0xFFFFFFFF

    def report(self, kind, true_ns):
        ntp = (4_000_000_000 << 32) + (round(true_ns * self.ntp_rate) << 32) // S
        late = self.delay_ns + round(self.randomness.expovariate(1 / (8 * MS)))
        stream = self.streams[kind][0]
        self.run.handle(
            SenderReport(
                stream, ntp, self.timestamp(kind, true_ns), EPOCH + true_ns + late, 2 * self.delay_ns
            )
        )


def lesson(run, publishers, seconds, happenings):
    """One picture and one packet of sound every second, captured at the same moment; what was recorded is compared."""
    keyframe, _ = encode("vp8", 1)[0]
    for second in range(1, seconds):
        true_ns = second * S
        happenings.get(second, lambda at_ns: None)(true_ns)
        for publisher in publishers:
            publisher.send("mic", true_ns, opus.SILENCE, "opus")
            publisher.send("screen", true_ns, b"\x10" + keyframe, "vp8")
            publisher.report("screen", true_ns + 300 * MS)
            if second % 5 == 2:
                publisher.report("mic", true_ns + 400 * MS)
        run.take(run.state.tick(EPOCH + true_ns + 900 * MS))


def test_all_tracks_are_in_step_for_three_hours_of_drift_mute_republish_and_reconnect(monkeypatch):
    placed = {}

    def note(self, sample, config):
        placed.setdefault(id(self), []).append((sample.start_ns, sample.data))
        return []

    run = Run(
        *((f"{who}-{what}", kind) for who in "ab" for what, kind in (("mic", "audio"), ("screen", "video"))),
        epoch_ns=EPOCH,
    )
    monkeypatch.setattr("recording.containers.cutter.Cutter.add", note)
    ada = Publisher(run, "a", ppm=80, sample_ppm=-120, delay_ms=20, seed=1)
    ben = Publisher(run, "b", ppm=-90, sample_ppm=60, delay_ms=140, seed=2)
    ada.connect(1, 0)
    ben.connect(3, 0)

    def mute(muted):
        return lambda at_ns: run.handle(MuteTrack("r", "a-mic", muted, EPOCH + at_ns))

    happenings = {
        600: mute(True),
        1300: mute(False),
        2000: lambda at_ns: ada.open("screen", 10, 90_000, at_ns),
        4000: lambda at_ns: ben.connect(20, at_ns),
        9000: lambda at_ns: ada.connect(30, at_ns),
    }
    lesson(run, (ada, ben), 3 * 3600, happenings)
    worst_ns = 0
    for track_id, track in run.state.tracks.items():
        starts = [
            start
            for start, data in placed[id(track._cutter)]
            if data != opus.SILENCE or track.kind == "audio"
        ]
        muted = 700 if track_id == "a-mic" else 0
        assert len(starts) >= 3 * 3600 - 1 - muted
        # Each was captured at a whole second.
        errors = [abs((start + S // 2) % S - S // 2) for start in starts if track.kind == "video"]
        worst_ns = max([worst_ns, *errors])
    assert worst_ns < 20 * MS
