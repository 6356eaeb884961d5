"""What a viewer gets as its bandwidth changes, in simulated time."""

from dataclasses import replace

from router_world import NTP, VIEWER_KIND, World, header, remb

from sfu.fanout.pacer import Pacer
from sfu.values import SubscriptionPaused
from sfu.wire import rtcp, rtp

NUMBERED = ((rtp.URI_TRANSPORT_CC, 3),)

# What one frame of each layer takes, at 20 a second: 160, 480 and 1,280 kbit/s.
FRAMES = {"q": b"x" * 970, "h": b"x" * 970, "f": b"x" * 970}
PER_FRAME = {"q": 1, "h": 3, "f": 8}


class Sweep(World):
    """Three layers with bitrates that differ, and a viewer whose bandwidth a test sets."""

    def __init__(self):
        super().__init__()
        self.asked = {}
        for rid in "qhf":
            self.frame(rid, key=True)
        self.subscription, _ = self.viewer()

    def frame(self, rid, *, key):
        for i in range(PER_FRAME[rid]):
            self.video(rid, key=key and i == 0, payload=FRAMES[rid])

    def run(self, seconds):
        """Frames of all layers; who is asked for a keyframe sends it with the next frame."""
        for _ in range(round(seconds / 0.05)):
            self.now += 0.05
            asked = {
                part.media_ssrc - 1000
                for part in self.feedback
                if isinstance(part, rtcp.PictureLossIndication)
            }
            self.feedback.clear()
            for index, rid in enumerate("qhf"):
                self.frame(rid, key=index in asked)
            self.core.deadlines.run_due(self.now)

    def set(self, bitrate_bps):
        self.core.reports.on_rtcp(self.peer_of(self.subscription), remb(bitrate_bps), self.now, NTP)

    @property
    def layer(self):
        return None if self.subscription.current is None else self.subscription.current.spatial


KBITS_UP = (50, 100, 150, 250, 400, 700, 1_000, 2_000, 5_000, 10_000)


def test_layers_follow_a_sweep_of_the_bandwidth_up_and_down():
    world = Sweep()
    world.run(2)
    assert world.layer == 2  # nothing is known of the way to the viewer
    history = []
    for kbits in (*KBITS_UP, *reversed(KBITS_UP)):
        world.set(kbits * 1000)
        world.run(1)
        history.append(world.layer)
    up, down = history[: len(KBITS_UP)], history[len(KBITS_UP) :]
    assert up == [None, None, None, 0, 0, 1, 1, 2, 2, 2]
    assert down == [2, 2, 2, 1, 1, 0, 0, None, None, None]
    pauses = [event.paused for event in world.events if isinstance(event, SubscriptionPaused)]
    assert pauses == [True, False, True]
    numbers = [header(packet)[1] for packet in world.received()]
    assert numbers == list(range(500, 500 + len(numbers)))


def test_a_pause_ends_with_the_kept_picture_or_a_keyframe_within_a_tick():
    world = Sweep()
    world.run(1)
    world.set(50_000)
    world.run(2)
    before = len(world.received())
    world.set(1_000_000)
    world.run(0.15)
    assert world.layer is not None
    assert len(world.received()) > before


def test_a_wavering_estimate_does_not_switch_layers():
    """Near the border between two layers, 5 % either way: one switch at most."""
    world = Sweep()
    world.run(2)
    layers = set()
    for i in range(40):
        world.set(560_000 + (28_000 if i % 2 else -28_000))
        world.run(0.5)
        if i >= 4:
            layers.add(world.layer)
    assert len(layers) == 1


def test_a_replay_to_a_paced_viewer_waits_in_its_line_as_a_whole():
    """Packets that wait in the history count for nothing, and a replay that goes on for ever never catches up."""
    world = Sweep()
    world.run(1)
    subscription, _ = world.viewer("late", replay=True)
    subscription.section = replace(subscription.section, kind=replace(VIEWER_KIND, extensions=NUMBERED))
    subscription.pause(world.now)
    subscription.subscriber.downstream.pacer = Pacer(world.now)
    subscription.subscriber.downstream.available_bps = 5_000_000
    world.core.delivery.select_layer(subscription, world.now)
    assert subscription.replaying
    world.core.deadlines.run_due(world.now)
    assert not subscription.replaying
    assert subscription.line.keyframe_waits
    assert subscription.line.waiting_bytes > 20 * 970
