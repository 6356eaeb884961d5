from router_world import World

from sfu.engine.deadlines import Reason
from sfu.receiving.speakers import UPDATE_INTERVAL_S, Levels
from sfu.values import SpeakersChanged


def speak(world, seconds, level=10):
    for _ in range(round(seconds / 0.02)):
        world.now += 0.02
        world.core.speaking.observe(world.publisher, "TR_1", level, world.now)
        world.core.deadlines.run_due(world.now)


def wait(world, seconds):
    for _ in range(round(seconds / 0.1)):
        world.now += 0.1
        world.core.deadlines.run_due(world.now)


def told(world):
    return [each.speakers[0].active for each in world.events if isinstance(each, SpeakersChanged)]


def test_who_speaks_is_reported_and_is_the_focus():
    world = World("audio")
    assert world.core.speaking.focus("room") is None
    speak(world, 1)
    assert told(world)[0]
    assert world.core.speaking.focus("room") == "publisher"
    assert world.core.speaking.focus("elsewhere") is None


def test_a_silent_room_costs_nothing_once_the_silence_is_reported():
    world = World("audio")
    speak(world, 1)
    assert world.core.deadlines.is_set("room", Reason.SPEAKERS)
    wait(world, 3)
    assert told(world)[-1] is False
    assert not world.core.deadlines.is_set("room", Reason.SPEAKERS)
    assert world.core.speaking.focus("room") == "publisher"  # who spoke last
    world.events.clear()
    speak(world, 1)
    assert told(world)[0]


def test_an_ended_publication_is_reported_as_silent():
    world = World("audio")
    speak(world, 1)
    world.core.speaking.remove("room", "TR_1", world.now)
    wait(world, UPDATE_INTERVAL_S + 0.1)
    assert told(world)[-1] is False
    wait(world, UPDATE_INTERVAL_S)
    assert not world.core.deadlines.is_set("room", Reason.SPEAKERS)
    world.core.speaking.remove("room", "TR_1", world.now)
    world.core.speaking.remove("elsewhere", "TR_1", world.now)


def test_what_the_data_plane_counted_is_taken_from_each_stream_of_a_publication():
    """A second SSRC of the same microphone is silent; the first is still heard."""
    world = World("audio")
    levels = iter([Levels(world.now, UPDATE_INTERVAL_S, UPDATE_INTERVAL_S, 10)])
    world.core.speaking.expect(world.publisher, "TR_1", lambda: next(levels, None), world.now)
    world.core.speaking.expect(world.publisher, "TR_1", lambda: None, world.now)
    wait(world, UPDATE_INTERVAL_S + 0.1)
    assert told(world) == [True]
    assert next(levels, None) is None


def test_a_room_that_nobody_is_in_is_forgotten():
    world = World("audio")
    speak(world, 1)
    world.core.remove_peer(world.publisher, world.now)
    assert world.core.speaking.rooms == {}
    assert not world.core.deadlines.is_set("room", Reason.SPEAKERS)
