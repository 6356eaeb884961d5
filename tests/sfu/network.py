"""A bottleneck link and media senders on it in simulated time; seeded, so that each run is the same."""

import heapq
import random

import numpy as np

from sfu.bandwidth.estimator import Estimator
from sfu.fanout.sentlog import HEADERS_BYTES, SentLog
from sfu.receiving.feedback import TransportFeedback
from sfu.wire.rtcp import parse

STEP_S = 0.005
TICK_S = 0.02
FRAME_S = 1 / 30
AUDIO_S = 0.02
AUDIO_BYTES, PACKET_BYTES = 90, 1150


class Link:
    """A queue of `queue_s` before a line of `rate_bps`, then `delay_s` of way; loses a share of packets at random.

    Each `stall_every_s` or so nothing arrives for `stall_s`, and then everything at once, as on a radio link.
    """

    stall_s, stall_every_s = 0.0, 2.0

    def __init__(self, rate_bps, *, delay_s=0.03, queue_s=0.5, loss=0.0, jitter_s=0.0, seed=1):
        self.rate_bps, self.delay_s, self.queue_s, self.loss, self.jitter_s = (
            rate_bps,
            delay_s,
            queue_s,
            loss,
            jitter_s,
        )
        self.random = random.Random(seed)
        self.free_at = 0.0
        self.last_at = 0.0
        self.dropped = 0
        self.stall_at = 0.0

    def waiting_s(self, now):
        return max(0.0, self.free_at - now)

    def send(self, size, now):
        """When a packet of so many bytes arrives; None: never."""
        if self.waiting_s(now) > self.queue_s:
            self.dropped += 1
            return None
        self.free_at = max(now, self.free_at) + 8 * size / self.rate_bps
        if self.random.random() < self.loss:
            return None
        self.last_at = max(self.last_at, self.free_at + self.delay_s + self.random.uniform(0, self.jitter_s))
        if self.stall_s and self.last_at > self.stall_at:
            self.last_at = max(self.last_at, self.stall_at + self.stall_s)
            self.stall_at = self.last_at + self.random.expovariate(1 / self.stall_every_s)
        return self.last_at


class Call:
    """A sender of audio and video on a link, which sends what its estimator allows, and its receiver."""

    def __init__(
        self, link, *, wanted_bps=5e6, layers=None, video_from_s=0.0, feedback_s=0.1, seed=1, probes=True
    ):
        self.link, self.wanted_bps, self.layers, self.video_from_s = link, wanted_bps, layers, video_from_s
        self.feedback_s, self.probes = feedback_s, probes
        self.random = random.Random(seed)
        self.log = SentLog()
        self.log.reserve(1)
        self.estimator = Estimator(self.log, 0)
        self.feedback = TransportFeedback(1)
        self.number = 0
        self.times = {"audio": 0.0, "video": video_from_s, "feedback": 0.0, "tick": 0.0}
        self.on_way, self.reports = [], []
        self.sent, self.audio_delays = [], []
        self.lost_audio = 0

    def video_bps(self):
        allowed = max(self.estimator.available_bps - 40_000, 0)
        if self.layers is None:
            return min(allowed, self.wanted_bps)
        return max((layer for layer in self.layers if layer <= allowed), default=0)

    def packet(self, size, now, *, audio=False):
        numbers = np.array([self.number & 0xFFFF], np.int32)
        self.log.record(np.zeros(1, np.int32), numbers, np.array([size], np.int32), now)
        self.sent.append((now, size + HEADERS_BYTES))
        at = self.link.send(size + HEADERS_BYTES, now)
        if at is not None:
            heapq.heappush(self.on_way, (at, self.number))
        if audio and at is not None:
            self.audio_delays.append((now, at - now))
        elif audio:
            self.lost_audio += 1
        self.number += 1

    def due(self, what, every_s, now):
        if now < self.times[what]:
            return False
        self.times[what] += every_s
        return True

    def step(self, now):
        while self.on_way and self.on_way[0][0] <= now:
            at, number = heapq.heappop(self.on_way)
            self.feedback.received(number & 0xFFFF, at)
        if self.due("feedback", self.feedback_s, now):
            self.reports += [(now + self.link.delay_s, packet) for packet in self.feedback.build(now)]
        while self.reports and self.reports[0][0] <= now:
            [part] = parse(self.reports.pop(0)[1])
            self.estimator.on_feedback(part.data, now)
        if self.due("audio", AUDIO_S, now):
            self.packet(AUDIO_BYTES, now, audio=True)
        if self.due("video", FRAME_S, now):
            left = self.video_bps() * FRAME_S / 8 * self.random.uniform(0.8, 1.2)
            while left > 0:
                self.packet(int(min(left, PACKET_BYTES)), now)
                left -= PACKET_BYTES
        if self.due("tick", TICK_S, now):
            self.estimator.tick(self.number & 0xFFFF, now)
            if self.probes and now >= self.video_from_s:
                self.pad(now)

    def pad(self, now):
        left = self.estimator.padding(self.wanted_bps + 40_000, self.number & 0xFFFF, now)
        while left > 0:
            self.packet(PACKET_BYTES, now)
            left -= PACKET_BYTES

    def sent_bps(self, since, until):
        return sum(8 * size for at, size in self.sent if since <= at < until) / (until - since)


class Run:
    """What was estimated and how long the queue was, every 50 ms."""

    def __init__(self, *calls):
        self.calls, self.link, self.now = calls, calls[0].link, 0.0
        self.record = []

    def until(self, time_s):
        while self.now < time_s:
            self.now = round(self.now + STEP_S, 6)
            for call in self.calls:
                call.step(self.now)
            if round(self.now / STEP_S) % 10 == 0:
                available = [call.estimator.available_bps for call in self.calls]
                self.record.append((self.now, self.link.waiting_s(self.now), *available))
        return self

    def over(self, since, until):
        return [row for row in self.record if since <= row[0] <= until]
