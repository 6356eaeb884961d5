"""A part of a school in simulated time, with its log."""

import msgspec
import pytest

from classroom.errors import Refused

NOW = 1_800_000_000.0


class Part:
    """Commands into an aggregate, events into a log; the state follows."""

    def __init__(self, aggregate, state=None):
        self.aggregate = aggregate
        self.initial = msgspec.json.encode(state or aggregate.new())
        self.state = self.fresh()
        self.log = []
        self.now = NOW

    def fresh(self):
        return msgspec.json.decode(self.initial, type=type(self.aggregate.new()))

    def do(self, command, after=0.0):
        self.now += after
        assert msgspec.json.decode(msgspec.json.encode(command), type=type(command)) == command
        events = list(self.aggregate.decide(self.state, command, self.now))
        self.keep(events)
        return events

    def keep(self, events):
        for event in events:
            self.log.append((type(event), msgspec.json.encode(event)))
            self.aggregate.apply(self.state, event)

    def refusal(self, command):
        before = msgspec.json.encode(self.state)
        with pytest.raises(Refused) as refused:
            self.aggregate.decide(self.state, command, self.now)
        assert msgspec.json.encode(self.state) == before
        return refused.value.code

    def check_replay(self):
        events = [msgspec.json.decode(data, type=kind) for kind, data in self.log]
        assert self.aggregate.replay(events, self.fresh()) == self.state
        snapshot = msgspec.json.decode(msgspec.json.encode(self.state), type=type(self.state))
        assert self.aggregate.replay([], snapshot) == self.state
