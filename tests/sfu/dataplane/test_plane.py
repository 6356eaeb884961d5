"""The plane on its thread: it does not wait for the interpreter, and nothing is lost when that comes back."""

import os
import resource
import socket
import time
from pathlib import Path

import pytest
from plane_world import PlaneWorld
from router_world import header

from sfu.dataplane import library
from sfu.dataplane.dispatch import process
from sfu.drops import DropReason
from sfu.engine.peers.publication import Publication
from sfu.values import PublicationSpec


@pytest.fixture
def world(module):
    made = PlaneWorld(module)
    yield made
    made.close()


def numbers(world, name="viewer"):
    return [header(packet)[1] for packet in world.received(name)]


def test_the_thread_forwards_while_the_control_plane_stands_still(world):
    """Nobody calls `punted` here: that is the control plane's part."""
    world.video("q", key=True)
    world.viewer(replay=True)
    world.tick(0.2, "q")
    before = len(numbers(world))
    world.plane.start()
    client, viewer = world._clients["publisher"], world._clients["viewer"]
    viewer.socket.settimeout(10)
    sent = []
    world.feed = sent.append
    for _ in range(300):
        world.video("q")
    waits = []
    for packet in sent:
        at = time.monotonic()
        client.socket.sendto(client.protect.protect(packet), ("127.0.0.1", world.media.port))
        datagram = viewer.socket.recv(4096)
        while 192 <= datagram[1] <= 223:  # a report
            datagram = viewer.socket.recv(4096)
        waits.append(time.monotonic() - at)
        world.sent.append(("viewer", viewer.unprotect.unprotect(datagram)))
    viewer.socket.setblocking(False)
    assert len(numbers(world)) == before + 300
    assert numbers(world) == sorted(numbers(world))
    assert sorted(waits)[150] < 0.01


def test_who_waits_for_a_keyframe_starts_with_it_although_it_is_told_late(world):
    """What came between the keyframe and the answer to it is sent as well, in order."""
    world.video("q", key=True)
    world.viewer()
    punted, world.punted = world.punted, lambda: None  # the control plane stands still
    world.now += 1
    first = world.video("q", key=True)
    for _ in range(5):
        world.video("q")
    assert not numbers(world)
    world.punted = punted
    world.punted()
    sent = world.received("viewer")
    assert len(sent) == 6
    assert sent[0][-7:] == first[-7:]
    assert numbers(world) == list(range(500, 506))


def test_a_stream_that_was_unknown_keeps_its_order_and_goes_up_once(world):
    """Its further packets wait in the plane while the control plane is busy, and are forwarded behind the first."""
    world.video("h", key=True)
    world.viewer(replay=True)
    punted, world.punted = world.punted, lambda: None
    world.video("q", key=True)
    for _ in range(5):
        world.video("q")
    records, serial = world.plane.take()
    taken = list(records)
    assert len(taken) == 1
    for record in taken:
        process(world.plane, world.core.slow_path, world.publisher, record)
        world.video("q")  # comes in between
    world.plane.resume(serial)
    world.punted = punted
    world.video("q")
    stream = world.published.layers[0]
    assert stream.statistics.report_block(world.now).cumulative_lost == 0
    assert stream.statistics.received_packets == 8
    assert all(stream.kept(i) for i in range(stream.keyframe_sequence, stream.highest + 1))
    assert world.core.drops[DropReason.DUPLICATE] == 0


def test_what_stays_unknown_goes_up_one_by_one(world):
    """A later packet may be the first that says what its SSRC is."""
    punted, world.punted = world.punted, lambda: None
    mid = world.publisher.negotiated.inbound.pop("0")
    for _ in range(3):
        world.video("q", key=True)
    for _ in range(2):
        [record], serial = (list(part) if i == 0 else part for i, part in enumerate(world.plane.take()))
        process(world.plane, world.core.slow_path, world.publisher, record)
        world.plane.resume(serial)
    assert world.core.drops[DropReason.UNKNOWN_STREAM] == 2
    world.publisher.negotiated.inbound["0"] = mid
    world.punted = punted
    world.punted()
    assert world.published.layers[0].statistics.report_block(world.now).cumulative_lost == 0
    assert world.published.layers[0].statistics.received_packets == 1


def test_who_is_no_longer_published_is_unknown(world):
    world.video("q", key=True)
    world.publisher.unpublish(world.published)
    world.video("q")
    assert world.core.drops[DropReason.UNKNOWN_STREAM] == 1


def test_a_removed_stream_stays_readable_and_its_numbers_are_free(world):
    world.video("q", key=True)
    stream = world.published.layers[0]
    highest = stream.highest
    for _ in range(5000):  # more than there is room for at once
        peer = world.publisher
        peer.unpublish(world.published)
        peer.published["TR_1"] = world.published
        peer.bind("0", world.published)
        world.video("q", key=True)
        if world.published.layers[0].number == stream.number:
            raise AssertionError("a number was given twice")
        world.now += 0.02
    assert stream.highest == highest
    assert stream.kept(highest) is None


def test_a_stream_shows_its_rows_to_people(world):
    world.video("q", key=True)
    subscription, _ = world.viewer(replay=True)
    world.tick(0.2, "q")
    text = world.published.layers[0].describe()
    assert "in the data plane; rows: transport" in text
    assert f"as SSRC {subscription.ssrc} from" in text
    subscription.pause(world.now)
    assert world.published.layers[0].describe().endswith("rows: none")


def test_datagrams_of_nobody_are_dropped_or_punted(world):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.bind(("127.0.0.1", 0))
        for datagram in (b"\x80" * 40, b"\x00\x01" + bytes(18), b"\x16\xfe\xff" + bytes(20), b"\xc0"):
            stranger.sendto(datagram, ("127.0.0.1", world.media.port))
        until = time.monotonic() + 10
        total = 0
        while total < 4 and time.monotonic() < until:
            total += world.plane.poll(world.now)
    world.plane.counters()
    assert world.core.drops[DropReason.UNKNOWN_SOURCE] == 1
    records, _ = world.plane.take()
    assert [record.data[0] for record in records] == [0x00, 0x16, 0xC0]


def test_a_control_plane_that_does_not_read_costs_no_memory_without_end(world):
    packet = bytes(1400)
    for _ in range(20_000):
        world.plane.process(b"\x00" + packet, world._clients["publisher"].path, world.now)
    world.plane.counters()
    dropped = world.core.drops[DropReason.PUNTS_FULL]
    records, _ = world.plane.take()
    assert dropped + sum(1 for _ in records) == 20_000
    assert dropped > 5_000


def test_a_publication_is_muted_from_its_first_packet_on(world):
    published = Publication(
        PublicationSpec("TR_2", "video", layers=world.published.spec.layers), world.publisher.link
    )
    published.set_muted(True)
    world.publisher.unpublish(world.published)
    world.publisher.publish(published)
    world.publisher.bind("0", published)
    world.video("q", key=True)
    world.plane.counters()
    assert world.core.drops[DropReason.MUTED] == 1


def test_all_sources_are_in_the_digest():
    assert {path.suffix for path in library.sources()} == {".c", ".h"}
    assert library.FOLDER / "receive.c" in library.sources()


def test_the_thread_has_a_real_time_priority_where_the_system_allows_it(world):
    world.video("q", key=True)
    world.viewer(replay=True)
    world.tick(0.2, "q")
    numbers(world)
    world.plane.start()
    sent = []
    world.feed = sent.append
    world.video("q")
    client, viewer = world._clients["publisher"], world._clients["viewer"]
    client.socket.sendto(client.protect.protect(sent[0]), ("127.0.0.1", world.media.port))
    viewer.socket.settimeout(10)
    viewer.socket.recv(4096)  # so the thread runs
    viewer.socket.setblocking(False)
    names = {
        int(task.name): (task / "comm").read_text().strip() for task in Path("/proc/self/task").iterdir()
    }
    [thread] = [number for number, name in names.items() if name == "media"]
    allowed = os.geteuid() == 0 or resource.getrlimit(resource.RLIMIT_RTPRIO)[0] > 0
    expected = os.SCHED_RR | os.SCHED_RESET_ON_FORK if allowed else os.SCHED_OTHER | os.SCHED_RESET_ON_FORK
    assert os.sched_getscheduler(thread) == expected
