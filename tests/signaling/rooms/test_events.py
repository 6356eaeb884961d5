import pytest
from hypothesis import given
from hypothesis import strategies as st

from signaling.rooms.events import EventHub, SubscriberRequestChanged


def event(number):
    return SubscriberRequestChanged(str(number))


@pytest.mark.parametrize("kind", ["rule", "observe"])
def test_a_failing_listener_stops_neither_the_others_nor_the_caller(kind, caplog):
    hub = EventHub()
    heard = []
    getattr(hub, kind)(lambda _event: 1 / 0)
    hub.observe(heard.append)
    hub.emit(event(1))
    assert heard == [event(1)]
    assert "a listener failed on the event SubscriberRequestChanged" in caplog.text


def test_an_event_that_a_listener_emits_follows_the_event_that_caused_it():
    hub = EventHub()
    heard = []
    hub.rule(lambda cause: hub.emit(event(2)) if cause == event(1) else None)
    hub.rule(heard.append)
    hub.emit(event(1))
    assert heard == [event(1), event(2)]


def test_rules_hear_an_event_before_observers_whatever_the_order_of_registration():
    hub = EventHub()
    heard = []
    hub.observe(lambda _event: heard.append("observer"))
    hub.rule(lambda _event: heard.append("rule"))
    hub.emit(event(1))
    assert heard == ["rule", "observer"]


# What listeners emit: (listener, number of the event that it hears) -> numbers of the events that it emits. The emitted
# numbers are greater, so that every cascade ends.
REACTIONS = st.dictionaries(
    st.tuples(st.integers(0, 3), st.integers(0, 5)),
    st.lists(st.integers(1, 3), max_size=2),
    max_size=8,
)


@given(REACTIONS, st.lists(st.booleans(), min_size=4, max_size=4))
def test_every_listener_hears_the_same_events_in_the_same_order(reactions, are_rules):
    hub = EventHub()
    heard = [[] for _ in are_rules]

    def listener(index):
        def listen(cause):
            number = int(cause.track_sid)
            heard[index].append(number)
            for step in reactions.get((index, number), []):
                if number + step <= 6:
                    hub.emit(event(number + step))

        return listen

    for index, is_rule in enumerate(are_rules):
        (hub.rule if is_rule else hub.observe)(listener(index))
    hub.emit(event(0))
    assert heard[0]
    assert all(each == heard[0] for each in heard)
