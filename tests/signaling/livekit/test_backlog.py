"""The order and the size of what waits for one client."""

from collections.abc import Iterator

from livekit.protocol import rtc

from signaling.livekit.backlog import Backlog
from signaling.livekit.messages.wire import EncodedResponse


def message(number: int) -> EncodedResponse:
    return EncodedResponse(rtc.SignalResponse(pong=number))


def numbers(backlog: Backlog) -> list[int]:
    found = []
    while (frame := backlog.pop()) is not None:
        assert isinstance(frame, bytes)
        found.append(rtc.SignalResponse.FromString(frame).pong)
    return found


def state(*pongs: int, made: list[int] | None = None) -> Iterator[EncodedResponse]:
    for number in pongs:
        if made is not None:
            made.append(number)
        yield message(number)


def test_what_comes_later_waits_for_the_state():
    backlog = Backlog()
    backlog.put(message(1))
    backlog.put_state(state(2, 3))
    backlog.put(message(4))
    backlog.put_state(state())
    backlog.put(message(5))
    assert numbers(backlog) == [1, 2, 3, 4, 5]


def test_state_has_no_size_and_is_made_when_its_turn_comes():
    backlog, made = Backlog(), []
    backlog.put_state(state(*range(1, 1000), made=made))
    assert (backlog.size, made) == (0, [])
    backlog.put(message(1))
    size = backlog.size
    assert size > 0
    backlog.pop()
    assert (backlog.size, made) == (size, [1])
    assert len(numbers(backlog)) == 999
    assert backlog.size == 0


def test_a_pong_passes_the_state_and_nothing_else():
    backlog = Backlog()
    backlog.put(message(1))
    backlog.put_urgent(message(2))
    backlog.put_state(state(4, 5))
    backlog.put(message(6))
    backlog.put_urgent(message(3))
    assert numbers(backlog) == [1, 2, 3, 4, 5, 6]
    assert backlog.size == 0


def test_a_pong_that_waited_for_nothing_but_state_is_sent_when_the_state_is_empty():
    backlog = Backlog()
    backlog.put_state(state())
    backlog.put_urgent(message(1))
    assert numbers(backlog) == [1]


def test_state_that_nobody_needs_any_more_is_forgotten_and_frames_are_not():
    backlog = Backlog()
    backlog.put(message(1))
    backlog.put_state(state(2))
    backlog.put(message(3))
    backlog.drop_state()
    assert numbers(backlog) == [1, 3]


def test_nothing_is_left_after_clear():
    backlog = Backlog()
    backlog.put(message(1))
    backlog.put_state(state(2))
    backlog.put_urgent(message(3))
    backlog.clear()
    assert (backlog.pop(), backlog.size) == (None, 0)


def test_frames_have_the_form_of_the_clients_last_one():
    backlog = Backlog()
    backlog.json = True
    backlog.put(message(7))
    backlog.put_state(state(8))
    assert [backlog.pop(), backlog.pop()] == ['{"pong": "7"}', '{"pong": "8"}']
