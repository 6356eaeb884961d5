import logging
import random
import weakref
from collections import Counter

import pytest

from sfu.drops import DropReason
from sfu.engine.containment import Containment
from sfu.engine.deadlines import Deadlines, Reason


class Clock:
    """Deadlines, and what was done when."""

    def __init__(self):
        self.drops = Counter()
        self.deadlines = Deadlines(Containment(self.drops))
        self.done = []
        self.earlier = 0
        self.deadlines.on_earlier = self._earlier

    def _earlier(self):
        self.earlier += 1

    def set(self, owner, reason, at, **how):
        self.deadlines.set(owner, reason, at, lambda now: self.done.append((owner, reason, now)), **how)

    def run(self, now):
        self.done.clear()
        reasons = self.deadlines.run_due(now)
        assert reasons == [reason for _, reason, _ in self.done]
        return [(owner, reason) for owner, reason, _ in self.done]


@pytest.fixture
def clock():
    return Clock()


def test_what_is_due_is_done_in_order_and_once(clock):
    clock.set("ada", Reason.NACK, 3.0)
    clock.set("eve", Reason.NACK, 1.0)
    clock.set("eve", Reason.FEEDBACK, 2.0)
    assert clock.deadlines.next_at == 1.0
    assert clock.run(0.9) == []
    assert clock.run(2.0) == [("eve", Reason.NACK), ("eve", Reason.FEEDBACK)]
    assert clock.run(3.5) == [("ada", Reason.NACK)]
    assert clock.done == [("ada", Reason.NACK, 3.5)]
    assert clock.deadlines.next_at is None


def test_to_set_a_deadline_again_moves_it(clock):
    clock.set("ada", Reason.NACK, 1.0)
    clock.set("ada", Reason.NACK, 5.0)
    assert clock.run(2.0) == []
    clock.set("ada", Reason.NACK, 3.0)
    assert clock.deadlines.next_at == 3.0
    assert clock.run(9.0) == [("ada", Reason.NACK)]


def test_a_cancelled_deadline_is_not_waited_for(clock):
    clock.set("ada", Reason.NACK, 1.0)
    clock.set("ada", Reason.FEEDBACK, 2.0)
    clock.deadlines.cancel("ada", Reason.NACK)
    clock.deadlines.cancel("ada", Reason.NACK)
    assert not clock.deadlines.is_set("ada", Reason.NACK)
    assert clock.deadlines.is_set("ada", Reason.FEEDBACK)
    assert clock.deadlines.next_at == 2.0


def test_a_duty_in_an_interval_goes_on_until_it_is_cancelled(clock):
    clock.set("ada", Reason.RECEIVER_REPORT, 1.0, every_s=1.0)
    assert [len(clock.run(now)) for now in (1.0, 1.5, 2.25, 3.0, 3.25)] == [1, 0, 1, 0, 1]
    clock.deadlines.cancel("ada", Reason.RECEIVER_REPORT)
    assert clock.deadlines.next_at is None


def test_a_duty_may_cancel_or_move_itself_and_set_others(clock):
    deadlines = clock.deadlines

    def once(_now):
        deadlines.cancel("ada", Reason.LAYERS)
        clock.set("eve", Reason.WANTED_LAYERS, 1.0)
        clock.set("eve", Reason.NACK, 1.1)

    deadlines.set("ada", Reason.LAYERS, 1.0, once, every_s=0.5)
    assert deadlines.run_due(1.0) == [Reason.LAYERS, Reason.WANTED_LAYERS]
    assert deadlines.next_at == 1.1


def test_a_fault_costs_its_owner_this_turn(clock, caplog):
    caplog.set_level(logging.ERROR)
    clock.deadlines.set("mallory", Reason.NACK, 1.0, lambda _now: 1 / 0, every_s=1.0)
    clock.set("ada", Reason.NACK, 1.0)
    assert clock.deadlines.run_due(1.0) == [Reason.NACK, Reason.NACK]
    assert [owner for owner, _, _ in clock.done] == ["ada"]
    assert clock.drops[DropReason.ERROR] == 1
    assert "mallory" in caplog.text
    assert clock.deadlines.next_at == 2.0


def test_only_an_earlier_deadline_than_all_is_told(clock):
    for at, told in ((5.0, 1), (6.0, 1), (4.0, 2), (4.5, 2), (1.0, 3)):
        clock.set(at, Reason.NACK, at)
        assert clock.earlier == told


def test_it_does_what_a_plain_table_would():
    dice, clock, table, now = random.Random(5), Clock(), {}, 0.0
    for _ in range(3000):
        owner, reason = dice.randrange(6), dice.choice([Reason.NACK, Reason.FEEDBACK])
        match dice.randrange(4):
            case 0 | 1:
                at = now + dice.randrange(1, 20)
                clock.set(owner, reason, at)
                table[owner, reason] = at
            case 2:
                clock.deadlines.cancel(owner, reason)
                table.pop((owner, reason), None)
            case 3:
                now += dice.randrange(4)
                due = {key: at for key, at in table.items() if at <= now}
                done = clock.run(now)
                assert sorted(done, key=str) == sorted(due, key=str)
                assert [due[key] for key in done] == sorted(due.values())
                table = {key: at for key, at in table.items() if key not in due}
        assert clock.deadlines.next_at == min(table.values(), default=None)


def test_an_owner_is_let_go_with_its_deadline(clock):
    class Owner:
        """Something that can be referred to weakly."""

    owner = Owner()
    gone = weakref.ref(owner)
    clock.deadlines.set(owner, Reason.CONSENT, 30.0, lambda _now: None)
    clock.deadlines.cancel(owner, Reason.CONSENT)
    del owner
    assert gone() is None
