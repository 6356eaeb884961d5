"""Of a viewer's reports of arrivals, those go up that the estimator would read."""

import random
import select
import struct
from types import SimpleNamespace

import numpy as np
import pytest
from plane_world import PlaneWorld

from sfu.bandwidth.arrivals import last
from sfu.bandwidth.estimator import Estimator
from sfu.dataplane.punts import Punt
from sfu.shell import endpoint
from sfu.wire import rtcp
from sfu.wire.rtcp import RtcpError

NUMBERS, REFERENCE = 400, 0xFFFFF0  # the reference time wraps during the test


@pytest.fixture
def world(module):
    """The control plane takes what was punted once it is told."""
    made = PlaneWorld(module)
    take = made.punted
    made.punted = lambda: take() if select.select([made.plane.punt_fd], [], [], 0)[0] else None
    yield made
    made.close()


def report(rng, now):
    """A report of arrivals up to a number, 0.02 s after the packets were sent, or of garbage."""
    count = rng.choice((1, 5, 20, 60, 300))
    first = rng.randrange(NUMBERS)
    lost = rng.choice((0, 0, 0, 0.02, 0.3))
    symbols = [0 if rng.random() < lost else 1 for _ in range(count)]
    ticks = [rng.choice((0, 4, 30)) for symbol in symbols if symbol]
    if rng.random() < 0.3:  # large deltas, of which some are negative
        symbols = [2 * symbol for symbol in symbols]
        deltas = b"".join(struct.pack("!h", tick * rng.choice((-1, 1))) for tick in ticks)
    else:
        deltas = bytes(ticks)
    form = rng.choice(("runs", "bits", "pairs"))
    chunks = []
    if form == "runs":
        chunks = [symbol << 13 | 1 for symbol in symbols]
    elif form == "bits" and 2 not in symbols:
        for at in range(0, count, 14):
            bits = [*symbols[at : at + 14], *[0] * 14][:14]
            chunks.append(1 << 15 | sum(bit << 13 - i for i, bit in enumerate(bits)))
    else:
        for at in range(0, count, 7):
            pairs = [*symbols[at : at + 7], *[0] * 7][:7]
            chunks.append(3 << 14 | sum(pair << 12 - 2 * i for i, pair in enumerate(pairs)))
    reference = REFERENCE + int((now + rng.choice((0.02, 0.02, 0.03, 0.2))) / 0.064) & 0xFFFFFF
    head = struct.pack("!HHI", first & 0xFFFF, count, reference << 8)
    data = head + b"".join(struct.pack("!H", chunk) for chunk in chunks) + deltas
    if rng.random() < 0.1:  # cut off, or with other octets
        data = bytearray(data[: rng.randrange(8, len(data) + 1)])
        data[rng.randrange(len(data))] = rng.randrange(256)
    padding = -len(data) % 4
    return bytes(data) + bytes(padding), padding


@pytest.mark.parametrize("seed", range(4))
def test_the_reports_that_the_estimator_would_read_go_up_and_no_others(world, seed):
    rng = random.Random(seed)
    peer, _ = world.peer("reporter")
    transports = world.outbox.transports
    world.plane.rows.point_to_log()
    for number in range(NUMBERS + 300):
        at = np.array([number], np.int32)
        transports.sent.record(np.array([peer.link.transport], np.int32), at, np.array([500], np.int32), 50.0)
    went_up = []
    world.endpoint._process = lambda record: went_up.append(record) if record.reason == Punt.RTCP else None
    swallowed = 0
    world.now = 50.0
    for _ in range(400):
        world.now += rng.choice((0.05, 0.1))
        estimator = Estimator(transports.sent, peer.link.transport)
        estimator.delay._bases = (REFERENCE * 0.064 - 50.0 + 50.03,) * 2
        estimator._reference = REFERENCE + rng.choice((0, 2000))
        estimator._calm = rng.random() < 0.8
        due = not estimator._calm or rng.random() < 0.3
        estimator._full_from = world.now + (-1.0 if due else 1.0)
        world.plane.sample_reports(peer.link.transport, estimator.sampling)
        data, padding = report(rng, 50.0)
        body = struct.pack("!BBHII", 0x8F, 205, 2 + len(data) // 4, 1, 1) + data
        if padding and rng.random() < 0.7:  # as libwebrtc sends it: the last octet counts the padding
            body = b"\xaf" + body[1:-1] + bytes([padding])
            data = data[:-padding]
        went_up.clear()
        world.feed(body, "reporter")
        try:
            end = last(data)
            urgent = not (estimator._calm and end is not None and estimator._shows_no_limit(end))
        except RtcpError:
            urgent = True
        for wait_s, goes_up in ((0.01, urgent), (0.1, urgent or due)):
            world.now += wait_s
            world.plane.run_duties(world.now)
            world.punted()
            assert bool(went_up) == goes_up
        swallowed += not (urgent or due)
    assert 40 < swallowed < 360


def test_receiver_reports_wait_for_each_other_and_go_along_with_what_is_urgent(world):
    peer, _ = world.peer("reporter")
    went_up = []
    world.endpoint._process = lambda record: went_up.append(record.data)
    report = rtcp.receiver_report(1, [])
    description = struct.pack("!BBHIBBBB", 0x81, 202, 2, 1, 0, 0, 0, 0)
    world.feed(report + description, "reporter")
    world.plane.run_duties(world.now + 0.05)
    world.punted()
    assert not went_up
    request = rtcp.pli(1, 2)
    world.feed(request, "reporter")
    assert went_up == [report + description, request]
    world.feed(report, "reporter")
    world.feed(report + request, "reporter")
    assert went_up[2:] == [report, report + request]
    world.feed(report, "reporter")
    world.now += 0.101
    world.plane.run_duties(world.now)
    world.punted()
    assert went_up[4:] == [report]
    assert peer.link.connected


def test_the_wait_for_other_reports_is_no_part_of_the_round_trip(world, monkeypatch):
    """The time of day that goes with a report is that of its arrival."""
    heard = []
    monkeypatch.setattr(world.endpoint._handlers, "rtcp", lambda peer, data, at, ntp: heard.append((at, ntp)))
    monkeypatch.setattr(
        endpoint, "time", SimpleNamespace(monotonic=lambda: world.now + 0.08, time=lambda: 1_700_000_000.0)
    )
    world.peer("reporter")
    world.feed(rtcp.receiver_report(1, []), "reporter")
    world.feed(rtcp.pli(1, 2), "reporter")  # takes it along
    assert heard == [(world.now, rtcp.ntp_time(1_700_000_000.0 - 0.08))] * 2
