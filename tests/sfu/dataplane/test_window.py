"""Slow start towards viewers of screens, in both programs: sfu/fanout/window.py and sfu/dataplane/window.c."""

from dataclasses import replace

import pytest
from plane_world import PlaneWorld
from router_world import World, header

from sfu.bandwidth.estimator import Estimator
from sfu.fanout.pacer import Pacer
from sfu.fanout.template import TemplateClass
from sfu.fanout.window import FIRST_WINDOW
from sfu.receiving.feedback import TransportFeedback
from sfu.receiving.history import VIDEO_HISTORY
from sfu.session.sections import OutboundSection
from sfu.wire import rtp

NUMBER = 3
NUMBERED = TemplateClass((("vp8", 96),), ((rtp.URI_TRANSPORT_CC, NUMBER),))
QUICK_S, QUEUE_S = 0.005, 0.2


class Viewer:
    """A viewer of a screen who reports arrivals."""

    def __init__(self, world, *, screen=True, kind=NUMBERED):
        self.world = world
        world.published.spec = replace(world.published.spec, screen_share=screen)
        world.video("q", key=True)
        self.subscription, _ = world.subscribed("viewer", OutboundSection("1", kind, {"vp8": 97}))
        self.feedback, self.reported = TransportFeedback(1), 0
        world.tick(0.3, "q")  # until it has been replayed the keyframe
        self.before = 0

    @property
    def sent(self):
        return self.world.received("viewer")

    @property
    def numbers(self):
        """Sequence numbers of media."""
        return [header(packet)[1] for packet in self.sent if header(packet)[0] == 96]

    def fresh(self):
        """How many packets it was sent since the last call."""
        self.world.outbox.flush()
        self.world.drain()
        count, self.before = len(self.sent) - self.before, len(self.sent)
        return count

    def burst(self, packets):
        for _ in range(packets):
            self.world.video("q")
        return self.fresh()

    def report(self, delay_s=QUICK_S, *, lost=()):
        """Report all packets that were not reported yet, but for those at these places."""
        transports, index = self.world.outbox.transports, self.world.names
        [transport] = [each for each, name in index.items() if name == "viewer"]
        for i, packet in enumerate(self.sent[self.reported :]):
            at, _ = rtp.parse_header(packet)[1][NUMBER]
            number = int.from_bytes(packet[at : at + 2])
            if i not in lost:
                self.feedback.received(number, transports.sent.sent_at(transport, number) + delay_s)
        self.reported = len(self.sent)
        for packet in self.feedback.build(self.world.now):
            self.world.feed_rtcp("viewer", packet)
        return self.fresh()

    def wait(self, seconds):
        self.world.now += seconds
        self.world.run_due()
        return self.fresh()


@pytest.fixture(params=["portable", "native"])
def world(request):
    if request.param == "portable":
        yield World()
        return
    made = PlaneWorld(request.getfixturevalue("module"))
    yield made
    made.close()


@pytest.fixture(autouse=True)
def no_limit_is_estimated(monkeypatch):
    """Otherwise a queue leads to a pacer."""
    monkeypatch.setattr(Estimator, "_decide", lambda *_: None)


@pytest.fixture
def viewer(world):
    """A viewer whose first report has come."""
    made = Viewer(world)
    made.report()
    made.fresh()
    return made


def is_whole(numbers):
    return numbers == list(range(numbers[0], numbers[0] + len(numbers)))


def test_a_burst_is_sent_step_by_step_as_reports_confirm_it(viewer):
    assert viewer.burst(100) == FIRST_WINDOW
    viewer.world.now += 0.03
    assert viewer.report() == 2 * FIRST_WINDOW
    viewer.world.now += 0.03
    assert viewer.report() == 4 * FIRST_WINDOW
    viewer.world.now += 0.03
    assert viewer.report() == 100 - 7 * FIRST_WINDOW
    assert is_whole(viewer.numbers)
    assert viewer.burst(20) == 20  # the window has room for them


@pytest.mark.parametrize("signs", [{"delay_s": QUEUE_S}, {"lost": (0, 1, 2)}])
def test_a_report_that_shows_a_limit_admits_no_more_than_it_confirms(viewer, signs):
    assert viewer.burst(100) == FIRST_WINDOW
    for _ in range(3):
        viewer.world.now += 0.03
        assert viewer.report(**signs) == FIRST_WINDOW


def test_without_a_report_the_window_is_sent_once_again_after_a_while(viewer):
    assert viewer.burst(100) == FIRST_WINDOW
    for _ in range(3):
        assert viewer.wait(0.098) == 0
        assert viewer.wait(0.004) == FIRST_WINDOW
    # a report in between is waited for anew, and counts what it confirms
    viewer.wait(0.09)
    assert viewer.report() == 5 * FIRST_WINDOW
    assert viewer.wait(0.09) == 0
    assert viewer.wait(0.02) == 10


def test_after_a_pause_the_window_is_the_first_one_again(viewer):
    viewer.burst(30)
    viewer.report()
    viewer.report()
    viewer.world.now += 0.14
    assert viewer.burst(20) == 20
    viewer.report()
    viewer.world.now += 0.16
    assert viewer.burst(20) == FIRST_WINDOW


def test_packets_of_other_streams_count_as_well(viewer):
    peer = viewer.world.peer_of(viewer.subscription)
    for _ in range(4):
        viewer.world.outbox.add_packet(viewer.subscription.padding(), peer.link.transport, numbered=True)
    viewer.fresh()
    assert viewer.burst(1) == 1  # which begins the count
    for _ in range(4):
        viewer.world.outbox.add_packet(viewer.subscription.padding(), peer.link.transport, numbered=True)
    assert viewer.fresh() == 4
    assert viewer.burst(30) == FIRST_WINDOW - 5


def test_a_late_packet_is_sent_at_once_if_later_ones_were_and_in_order_otherwise(viewer):
    world = viewer.world

    def leave_out():
        number, picture = world.numbers["q"]
        world.numbers["q"] = number + 1, picture
        return number

    missing = leave_out()
    assert viewer.burst(20) == FIRST_WINDOW
    second = leave_out()
    viewer.burst(1)
    world.video("q", sequence=missing)
    assert viewer.fresh() == 1  # beyond the window: it is what the decoder waits for
    world.video("q", sequence=second)
    assert viewer.fresh() == 0
    first = viewer.numbers[-1 - FIRST_WINDOW - 1]
    viewer.report()
    sent = viewer.numbers[viewer.numbers.index(first) + 1 :]
    assert sorted(sent) == list(range(first + 1, first + 24))
    assert sent[: FIRST_WINDOW + 1] == [*range(first + 2, first + 2 + FIRST_WINDOW), first + 1]
    assert is_whole(sent[FIRST_WINDOW + 1 :])


def test_what_is_no_longer_kept_is_left_out(viewer):
    viewer.burst(VIDEO_HISTORY + 100)
    before = viewer.numbers[-1]
    viewer.report()
    # of VIDEO_HISTORY + 100 packets, FIRST_WINDOW were sent, and the last VIDEO_HISTORY are kept
    assert viewer.numbers[-2 * FIRST_WINDOW] - before == 100 - FIRST_WINDOW + 1


def test_who_leaves_while_packets_wait_comes_back_without_a_gap(viewer):
    world, subscription = viewer.world, viewer.subscription
    assert viewer.burst(30) == FIRST_WINDOW
    subscription.pause(world.now)
    assert viewer.burst(3) == 0
    for layer in world.published.layers.values():
        world._forget_keyframe(layer)
    world.core.delivery.select_layer(subscription, world.now)
    world.video("q", key=True)
    assert viewer.burst(3) == 4
    assert is_whole(viewer.numbers)
    pictures = [int.from_bytes(packet[-5:-3]) for packet in viewer.sent]
    assert len(set(pictures)) == len(pictures)


def test_what_waits_goes_on_in_a_pacer_and_back(viewer):
    world, subscription = viewer.world, viewer.subscription
    downstream = world.peer_of(subscription).link.downstream
    assert viewer.burst(30) == FIRST_WINDOW
    downstream.pacer = Pacer(world.now)
    subscription.enter_again()
    assert viewer.burst(5) == 0
    packets, downstream.pacer = downstream.pacer.empty(), None
    assert len(packets) == 25
    for packet in packets:
        world.outbox.add_packet(packet, subscription.subscriber.transport, numbered=True)
    subscription.enter_again()
    viewer.fresh()
    assert viewer.burst(30) == FIRST_WINDOW
    viewer.report()
    assert is_whole(viewer.numbers)


def test_a_path_whose_round_trip_becomes_short_is_bounded_then(world):
    viewer = Viewer(world)
    world.now += 0.3
    viewer.report()
    viewer.fresh()
    assert viewer.burst(30) == 30
    viewer.report()  # at once
    viewer.fresh()
    assert viewer.burst(30) == FIRST_WINDOW


def test_what_waits_is_sent_at_once_when_the_row_is_no_longer_bounded(viewer):
    assert viewer.burst(30) == FIRST_WINDOW
    viewer.world.peer_of(viewer.subscription).link.downstream.estimator.rtt_s = 0.2
    viewer.subscription.enter_again()
    assert viewer.fresh() == 20
    assert viewer.burst(30) == 30
    assert is_whole(viewer.numbers)


def test_nothing_of_a_muted_screen_is_sent_later(viewer):
    viewer.burst(30)
    viewer.world.published.set_muted(True)
    assert viewer.report() == 0
    assert viewer.burst(5) == 0
    viewer.world.published.set_muted(False)
    assert viewer.wait(0.2) == 0
    assert viewer.burst(1) == 1


@pytest.mark.parametrize(
    ("screen", "kind", "reported_after_s"),
    [
        pytest.param(False, NUMBERED, 0, id="camera"),
        pytest.param(True, NUMBERED, None, id="no report"),
        pytest.param(True, NUMBERED, 0.2, id="long path"),
        pytest.param(True, TemplateClass((("vp8", 96),), ()), None, id="no feedback"),
    ],
)
def test_other_videos_are_not_bounded(world, screen, kind, reported_after_s):
    viewer = Viewer(world, screen=screen, kind=kind)
    if reported_after_s is not None:
        world.now += reported_after_s
        viewer.report()
    viewer.fresh()
    assert viewer.burst(100) == 100


def test_reports_about_packets_that_were_never_sent_move_nothing(viewer):
    viewer.burst(100)
    feedback = TransportFeedback(1)
    for number in range(30_000, 30_100):
        feedback.received(number, viewer.world.now)
    for packet in feedback.build(viewer.world.now):
        viewer.world.feed_rtcp("viewer", packet)
    assert viewer.fresh() == 0


def test_the_plane_needs_no_interpreter_for_it(module):
    world = PlaneWorld(module)
    viewer = Viewer(world)
    viewer.report()
    viewer.fresh()
    world.punted = lambda: None  # the control plane stands still
    assert viewer.burst(100) == FIRST_WINDOW
    assert "bounded, 90 packets wait" in world.published.layers[0].describe()
    assert viewer.report() == 2 * FIRST_WINDOW
    world.now += 0.11
    world.plane.run_duties(world.now)
    assert viewer.fresh() == 2 * FIRST_WINDOW
    world.close()
