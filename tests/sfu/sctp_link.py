"""Two associations on a simulated link that loses, repeats and reorders packets; seeded, so each run is the same."""

import heapq
import itertools
import random

from sfu.sctp.association import Association, Handlers, Identity
from sfu.sctp.sender import Message

SECRET = bytes(range(16))


class End:
    """One end: an association and all that it told."""

    def __init__(self, tag, tsn, *, max_message_bytes=65_536, streams=None):
        self.messages, self.events, self.out = [], [], []
        handlers = Handlers(
            send=self.out.append,
            message=lambda stream, protocol, message, ordered: self.messages.append(
                (stream, protocol, message)
            ),
            opened=lambda: self.events.append("opened"),
            closed=lambda reason: self.events.append(("closed", reason)),
            reset=lambda numbers: self.events.append(("reset", numbers)),
            reset_done=lambda numbers: self.events.append(("reset done", numbers)),
        )
        self.association = Association(Identity(tag, tsn, SECRET), handlers, max_message_bytes)

    def send(self, payload, now, stream=0, protocol=53, **options):
        message = Message(stream, protocol, payload, **options)
        self.association.send(message, now)
        return message

    @property
    def payloads(self):
        return [message for _, _, message in self.messages]


class Link:
    """A line with a rate, a delay and a queue in each direction."""

    def __init__(
        self,
        *,
        delay_s=0.02,
        loss=0.0,
        repeat=0.0,
        jitter_s=0.0,
        rate_bps=None,
        queue_s=1.0,
        seed=1,
        tsns=(1, 2),
    ):
        self.near, self.far = End(0x1111, tsns[0]), End(0x2222, tsns[1])
        self.delay_s, self.loss, self.repeat, self.jitter_s = delay_s, loss, repeat, jitter_s
        self.rate_bps, self.queue_s = rate_bps, queue_s
        self.random = random.Random(seed)
        self.now = 0.0
        self.way = []
        self.order = itertools.count()
        self.free_at = {}
        self.packets = 0
        self.passes = lambda packet, to: True

    def other(self, end):
        return self.far if end is self.near else self.near

    def collect(self):
        for end in (self.near, self.far):
            for packet in end.out:
                self.put(packet, self.other(end))
            end.out.clear()

    def put(self, packet, to):
        self.packets += 1
        if not self.passes(packet, to):
            return
        at = self.now
        if self.rate_bps is not None:
            free_at = max(self.free_at.get(id(to), 0.0), at)
            if free_at - at > self.queue_s:
                return
            at = self.free_at[id(to)] = free_at + 8 * (len(packet) + 65) / self.rate_bps
        for _ in range(2 if self.random.random() < self.repeat else 1):
            if self.random.random() >= self.loss:
                arrives = at + self.delay_s + self.random.uniform(0, self.jitter_s)
                heapq.heappush(self.way, (arrives, next(self.order), packet, to))

    def connect(self, *, both=False):
        self.near.association.connect(self.now)
        if both:
            self.far.association.connect(self.now)
        return self.run(20.0, lambda: "opened" in self.near.events and "opened" in self.far.events)

    def run(self, seconds, done=lambda: False):
        """Until `done`, or for so long; whether it was done."""
        until = self.now + seconds
        ends = (self.near, self.far)
        while True:
            self.collect()
            if done():
                return True
            times = [at for end in ends if (at := end.association.next_at()) is not None]
            times += [self.way[0][0]] if self.way else []
            if not times or min(times) > until:
                self.now = until
                return done()
            self.now = max(min(times), self.now)
            while self.way and self.way[0][0] <= self.now:
                _, _, packet, to = heapq.heappop(self.way)
                to.association.receive(packet, self.now)
            for end in ends:
                at = end.association.next_at()
                if at is not None and at <= self.now:
                    end.association.handle_timeout(self.now)
