"""Clocks in simulated time: drift, wrap-around, jitter, steps; three hours of it."""

import random

import pytest

from recording.media.timeline import Line, SourceClock, StreamClock, ntp_to_ns

S, MS = 1_000_000_000, 1_000_000
NTP_2026 = 3_975_000_000 * S


def ntp_of(ns):
    return (ns << 32) // S


class Publisher:
    """A publisher whose clocks are wrong, behind a path that delays and jitters."""

    def __init__(
        self, *, ntp_ppm=0.0, sample_ppm=0.0, delay_ms=30, jitter_ms=20, ntp_offset_ns=NTP_2026, seed=1
    ):
        self.randomness = random.Random(seed)
        self.ntp_rate, self.sample_rate = 1 + ntp_ppm / 1e6, 1 + sample_ppm / 1e6
        self.delay_ns, self.jitter_ns = delay_ms * MS, jitter_ms * MS
        self.ntp_offset_ns = ntp_offset_ns

    def ntp(self, true_ns):
        return self.ntp_offset_ns + round(true_ns * self.ntp_rate)

    def timestamp(self, true_ns, rate, first):
        return first + round(true_ns * self.sample_rate) * rate // S

    def arrival(self, true_ns):
        return (
            true_ns
            + self.delay_ns
            + round(self.randomness.expovariate(1 / self.jitter_ns) if self.jitter_ns else 0)
        )


def test_the_fraction_of_ntp_has_32_bits():
    assert ntp_to_ns(5 << 32 | 1 << 31) == 5_500_000_000


def test_a_line_follows_a_drift_and_no_more():
    line = Line()
    assert not line
    for second in range(0, 240, 2):
        line.add(second * S, second * S + second * 50_000)  # 50 ppm
    assert line.at(59 * S) == pytest.approx(59 * S + 59 * 50_000, abs=1000)
    assert line.at(100 * S) == pytest.approx(100 * S + 100 * 50_000, abs=1000)
    line.clear()
    for second in range(0, 240, 2):
        line.add(second * S, second * 2 * S)  # impossible: bounded
    assert line.at(60 * S) - line.at(59 * S) <= 1.0011 * S


@pytest.mark.parametrize(("ntp_ppm", "sample_ppm"), [(100, -100), (-100, 300)])
def test_tracks_of_a_publisher_stay_in_step_for_three_hours(ntp_ppm, sample_ppm):
    publisher = Publisher(ntp_ppm=ntp_ppm, sample_ppm=sample_ppm)
    steady = Publisher(
        ntp_ppm=ntp_ppm, sample_ppm=0, seed=2
    )  # the camera's timestamps follow the computer's clock
    source = SourceClock()
    audio, video = StreamClock(source, 48_000), StreamClock(source, 90_000)
    first_audio, first_video = 0xFFFF_0000, 0x7FFF_0000
    worst_ns = worst_step_ns = 0
    last_ns = None
    for second in range(3 * 3600):
        true_ns = second * S
        for clock, sender, rate, first, every in (
            (audio, publisher, 48_000, first_audio, 5),
            (video, steady, 90_000, first_video, 1),
        ):
            timestamp = sender.timestamp(true_ns, rate, first)
            clock.arrived(timestamp, sender.arrival(true_ns))
            if second % every == 0 and second:
                noise = publisher.randomness.randint(-5, 5) * rate // 1000  # of extrapolated timestamps
                clock.report(
                    ntp_to_ns(ntp_of(publisher.ntp(true_ns))),
                    timestamp + noise,
                    publisher.arrival(true_ns),
                    0,
                )
        if second > 30:
            heard = audio.at(publisher.timestamp(true_ns, 48_000, first_audio))
            seen = video.at(steady.timestamp(true_ns, 90_000, first_video))
            worst_ns = max(worst_ns, abs(heard - seen), abs(heard - true_ns - publisher.delay_ns))
            if last_ns is not None:
                worst_step_ns = max(worst_step_ns, abs(heard - last_ns - S))
            last_ns = heard
    assert worst_ns < 20 * MS
    assert worst_step_ns < 15 * MS  # which placement does in steps of 5


def test_publishers_are_in_step_by_half_their_round_trip():
    near, far = (
        Publisher(delay_ms=5, jitter_ms=5),
        Publisher(delay_ms=150, jitter_ms=30, ntp_offset_ns=0, seed=3),
    )
    placed = []
    for publisher in (near, far):
        clock = StreamClock(SourceClock(), 90_000)
        for second in range(60):
            true_ns = second * S
            arrived_ns = publisher.arrival(true_ns)
            timestamp = publisher.timestamp(true_ns, 90_000, 1)
            clock.report(publisher.ntp(true_ns), timestamp, arrived_ns, 2 * publisher.delay_ns)
        placed.append(clock.at(publisher.timestamp(60 * S, 90_000, 1)))
    assert abs(placed[0] - placed[1]) < 20 * MS
    assert abs(placed[0] - 60 * S) < 20 * MS


def test_before_the_first_report_the_earliest_arrival_counts():
    clock = StreamClock(SourceClock(), 48_000)
    for i, late_ms in enumerate((50, 10, 30)):
        clock.arrived(960 * i, i * 20 * MS + late_ms * MS)
    assert clock.at(960 * 3) == 3 * 20 * MS + 10 * MS
    for i in range(3, 31 * 50):  # half a minute later the early one is forgotten
        clock.arrived(960 * i, i * 20 * MS + 40 * MS)
    assert clock.at(0) == pytest.approx(40 * MS, abs=MS)


@pytest.mark.parametrize("step_s", [-3600, -2, 7, 3600])
def test_a_publisher_that_sets_its_clock_moves_nothing(step_s):
    publisher = Publisher(jitter_ms=1)
    source = SourceClock()
    audio, video = StreamClock(source, 48_000), StreamClock(source, 90_000)
    for second in range(120):
        true_ns = second * S
        if second == 60:
            publisher.ntp_offset_ns += step_s * S
        for clock, rate, every in ((video, 90_000, 1), (audio, 48_000, 5)):
            timestamp = publisher.timestamp(true_ns, rate, 7)
            clock.arrived(timestamp, publisher.arrival(true_ns))
            if (second + 2) % every == 0:
                clock.report(publisher.ntp(true_ns), timestamp, publisher.arrival(true_ns), 0)
            assert clock.at(timestamp) == pytest.approx(true_ns + publisher.delay_ns, abs=25 * MS), second


def test_a_report_that_waited_in_a_queue_moves_nothing():
    clock = StreamClock(SourceClock(), 90_000)
    for second in range(20):
        late_ns = 2 * S if second == 10 else 0
        clock.report(second * S, second * 90_000, second * S + 10 * MS + late_ns, 0)
    assert clock.at(20 * 90_000) == pytest.approx(20 * S + 10 * MS, abs=MS)
