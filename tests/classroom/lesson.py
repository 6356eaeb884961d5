"""A session in simulated time, with the log that its server would keep."""

import pytest

from classroom import codec, engine
from classroom.errors import Refused
from classroom.features import people, session
from classroom.roles import Role

START = 1_800_000_000.0  # any time; large, as real times are, so that rounding shows


class Lesson:
    """Commands in, events into a log of bytes; the state follows."""

    def __init__(self, *, live=True, students=(), now=START, **settings):
        self.room = engine.Classroom()
        self.log = []
        self.events = []
        self.now = now
        self.visits = 0
        self.do(
            session.Create(
                session="s1",
                owner="tutor",
                owner_name="Ms Noether",
                title="Algebra",
                code_number=12_345_678,
                settings=session.Settings(**settings),
            )
        )
        if live:
            self.join("tutor")
            self.do(session.Start(by="tutor"))
        for student in students:
            self.join(student)

    def keep(self, events):
        for event in events:
            self.log.append(codec.encode(event))
            self.events.append(event)
            engine.apply(self.room, event)
        return list(events)

    def do(self, command, after=0.0):
        """Carry out what is due until then, then the command, which has to survive JSON."""
        self.wait(after)
        assert codec.decode_command(codec.encode(command)) == command
        return self.keep(engine.decide(self.room, command, self.now))

    def wait(self, seconds):
        """Let time pass, with the server carrying out each deadline at its time."""
        until, done = self.now + seconds, []
        while (deadline := engine.due(self.room)) is not None and deadline.at <= until:
            self.now = max(self.now, deadline.at)
            done += self.keep(engine.expire(self.room, self.now))
        self.now = until
        return done

    def refusal(self, command, after=0.0):
        """Return the code of the refusal; nothing has changed by it."""
        self.wait(after)
        before = codec.encode(self.room)
        with pytest.raises(Refused) as refused:
            engine.decide(self.room, command, self.now)
        assert codec.encode(self.room) == before
        assert refused.value.message.endswith(".")
        return refused.value.code

    def join(self, person, role=Role.STUDENT, after=0.0):
        self.visits += 1
        return self.do(
            people.Join(by=person, name=person.title(), visit=f"v{self.visits}", role=role), after=after
        )

    def view(self, person):
        from classroom.visibility import view

        return view(self.room, person, self.now)

    def check_replay(self):
        """State from the serialised log, and from each of two snapshots and the rest, equals the live one."""
        assert engine.replay(codec.decode_events(self.log)) == self.room
        half = len(self.log) // 2
        snapshot = codec.encode(engine.replay(codec.decode_events(self.log[:half])))
        rest = codec.decode_events(self.log[half:])
        assert engine.replay(rest, codec.decode_snapshot(snapshot)) == self.room
        assert codec.decode_snapshot(codec.encode(self.room)) == self.room
