import pytest

from signaling.timers import Timers


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def timers(clock):
    return Timers(clock)


def test_actions_run_in_order_of_their_deadlines(timers, clock):
    done = []
    timers.set("a", "late", 2.0, lambda: done.append("late"))
    timers.set("a", "soon", 1.0, lambda: done.append("soon"))
    assert timers.next_at == 1.0
    clock.now = 0.99
    timers.run_due()
    assert done == []
    clock.now = 2.0
    timers.run_due()
    assert done == ["soon", "late"]
    assert timers.next_at is None


def test_setting_again_moves_a_deadline(timers, clock):
    done = []
    timers.set("a", "x", 1.0, lambda: done.append("first"))
    timers.set("a", "x", 5.0, lambda: done.append("second"))
    clock.now = 4.0
    timers.run_due()
    assert done == []
    assert timers.next_at == 5.0
    clock.now = 5.0
    timers.run_due()
    assert done == ["second"]


def test_cancelled_actions_do_not_run(timers, clock):
    done = []
    timers.set("a", "x", 1.0, lambda: done.append("x"))
    timers.set("a", "y", 1.0, lambda: done.append("y"))
    timers.set("b", "x", 1.0, lambda: done.append("b"))
    timers.cancel("a", "never set")
    timers.cancel_owner("a")
    assert not timers.is_set("a", "x")
    assert timers.is_set("b", "x")
    clock.now = 1.0
    timers.run_due()
    assert done == ["b"]


def test_a_failing_action_does_not_stop_the_others(timers, clock, caplog):
    done = []
    timers.set("a", "bad", 1.0, lambda: 1 / 0)
    timers.set("a", "good", 1.0, lambda: done.append("good"))
    clock.now = 1.0
    timers.run_due()
    assert done == ["good"]
    assert "timer bad of a failed" in caplog.text


def test_an_action_may_set_timers(timers, clock):
    done = []

    def again():
        done.append(clock.now)
        timers.set("a", "x", 1.0, again)

    timers.set("a", "x", 1.0, again)
    for now in (1.0, 2.0, 3.0):
        clock.now = now
        timers.run_due()
    assert done == [1.0, 2.0, 3.0]


def test_the_shell_hears_of_earlier_deadlines_only(timers):
    calls = []
    timers.on_earlier = lambda: calls.append(timers.next_at)
    timers.set("a", "x", 5.0, lambda: None)
    timers.set("a", "y", 9.0, lambda: None)
    timers.set("a", "z", 1.0, lambda: None)
    assert calls == [5.0, 1.0]
