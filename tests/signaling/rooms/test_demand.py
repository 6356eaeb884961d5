"""What publishers are told of what subscribers want, on a clock that stands still."""

from dataclasses import replace

import pytest

from sfu.values import CodecMissing, Layer, LayersWanted, Preferences
from signaling.rooms.demand import LOWER_DELAY_S, NOTHING, OFF_DELAY_S
from signaling.rooms.events import DemandChanged
from signaling.rooms.model import LeaveReason

LAYERS = (Layer("q", 320, 180), Layer("h", 640, 360), Layer("f", 1280, 720))
LOW, HIGH = Preferences(max_spatial=0), Preferences(max_spatial=2)


@pytest.fixture
def told(harness):
    """The spatial layers that publishers were told, so far."""

    def told():
        return [event.spatial for event in harness.events if isinstance(event, DemandChanged)]

    return told


@pytest.fixture
def people(harness, room):
    ada, bob, eve = room.join("ada"), room.join("bob"), room.join("eve")
    for person in (ada, bob, eve):
        harness.rooms.connected(person.sid)
    sid = room.publish(ada, layers=LAYERS)

    def prefer(person, wish):
        harness.subscribing.prefer(person, sid, wish)
        harness.advance(0.2)  # wishes are bundled for a moment

    prefer.ada, prefer.bob, prefer.eve, prefer.sid = ada, bob, eve, sid
    return prefer


def test_less_is_told_after_a_while_and_more_at_once(harness, people, told):
    people(people.bob, LOW)
    people(people.eve, LOW)
    harness.advance(LOWER_DELAY_S - 1)
    assert told() == []
    harness.advance(1)
    assert told() == [0]
    people(people.bob, HIGH)
    assert told() == [0, 2]


def test_a_change_of_mind_is_not_told(harness, people, told):
    people(people.bob, LOW)
    people(people.eve, LOW)
    harness.advance(LOWER_DELAY_S - 1)
    people(people.bob, HIGH)
    harness.advance(60)
    assert told() == []


def test_who_says_nothing_wants_everything(harness, people, told):
    people(people.bob, LOW)
    harness.advance(60)
    assert told() == []


@pytest.mark.parametrize("how", ["disabled", "unsubscribed", "left", "moved"])
def test_a_track_that_nobody_wants_is_switched_off(harness, people, told, how):
    for person in (people.bob, people.eve):
        if how == "disabled":
            people(person, Preferences(enabled=False))
        elif how == "unsubscribed":
            harness.subscribing.request(person, people.sid, False)
        elif how == "left":
            harness.rooms.leave(person, LeaveReason.CLIENT_LEFT)
        else:
            harness.rooms.move(person, harness.rooms.open_room("group"))
    harness.advance(OFF_DELAY_S - 1)
    assert told() == []
    harness.advance(1)
    assert told() == [NOTHING]


def test_a_track_without_subscribers_is_switched_off_and_on_for_the_first(harness, room, told):
    ada = room.join("ada")
    sid = room.publish(ada, layers=LAYERS)
    harness.advance(OFF_DELAY_S)
    assert told() == [NOTHING]
    bob = room.join("bob")
    harness.subscribing.start(bob)
    assert told() == [NOTHING, 2]
    assert sid in bob.subscriptions.subscribed


def test_nothing_is_told_of_audio_or_of_a_track_that_is_gone(harness, room, told):
    ada = room.join("ada")
    room.publish(ada, "mic", "audio")
    sid = room.publish(ada, layers=LAYERS)
    harness.publishing.unpublish(ada, sid)
    harness.advance(60)
    assert told() == []


def test_a_publisher_that_is_moved_to_an_empty_room_is_told(harness, people, told):
    harness.rooms.move(people.ada, harness.rooms.open_room("empty"))
    harness.advance(OFF_DELAY_S)
    assert told() == [NOTHING]


def test_a_backup_is_demanded_by_those_alone_who_cannot_take_the_first_codec(harness, people):
    ada, bob, eve = people.ada, people.bob, people.eve
    track = ada.tracks[people.sid]
    ada.tracks[people.sid] = replace(track, spec=replace(track.spec, backup_codec="vp8"))

    def told():
        return [(e.spatial, e.backup) for e in harness.events if isinstance(e, DemandChanged)]

    harness.subscribing.codec_missing(CodecMissing(bob.sid, people.sid))
    assert told() == [(2, 2)]
    people(bob, LOW)
    harness.advance(LOWER_DELAY_S)
    assert told() == [(2, 2), (2, 0)]
    people(eve, LOW)
    harness.advance(LOWER_DELAY_S)
    assert told()[2:] == [(0, 0)]
    harness.subscribing.codec_missing(CodecMissing(eve.sid, "TR_unknown"))
    harness.subscribing.request(bob, people.sid, wanted=False)
    assert bob.subscriptions.codec_missing == set()
    harness.advance(OFF_DELAY_S)
    assert told()[3:] == [(0, NOTHING)]


SCREEN = tuple(
    Layer(rid, 1920, 1080, bps) for rid, bps in zip("qhf", (45_000, 150_000, 1_500_000), strict=True)
)


@pytest.fixture
def screen(harness, room):
    """Tells of layers that the engine sends of a shared screen; returns what its publisher was told."""
    ada, bob = room.join("ada"), room.join("bob")
    for person in (ada, bob):
        harness.rooms.connected(person.sid)
    sid = room.publish(ada, layers=SCREEN)

    def send(*layers):
        harness.services.media_events.dispatch(LayersWanted(sid, layers))
        return [event.layers for event in harness.events if isinstance(event, DemandChanged)]

    send.ada, send.sid = ada, sid
    return send


def test_layers_that_nobody_is_sent_are_told_after_a_while_and_missing_ones_at_once(harness, screen):
    assert screen(2) == []
    harness.advance(LOWER_DELAY_S - 0.1)
    assert screen(2) == []
    harness.advance(0.1)
    assert screen(2) == [{2}]
    assert screen(0, 2) == [{2}, {0, 2}]
    assert screen(2) == [{2}, {0, 2}]
    harness.advance(LOWER_DELAY_S)
    assert screen(2) == [{2}, {0, 2}, {2}]


def test_layers_change_places_in_one_step(harness, screen):
    screen(2)
    harness.advance(LOWER_DELAY_S)
    assert screen(0) == [{2}, {0}]
    harness.advance(60)
    assert screen(0) == [{2}, {0}]


def test_a_layer_that_is_sent_again_in_time_stays(harness, screen):
    screen(2)
    harness.advance(LOWER_DELAY_S - 0.1)
    screen(0, 1, 2)
    harness.advance(60)
    assert screen(0, 1, 2) == []


def test_what_changes_while_it_waits_is_told_as_it_is_then(harness, screen):
    screen(2)
    harness.advance(1)
    screen(1, 2)
    harness.advance(LOWER_DELAY_S)
    assert screen(1, 2) == [{1, 2}]


def test_layers_of_a_screen_that_has_ended_are_no_matter(harness, screen):
    screen(2)
    harness.publishing.unpublish(screen.ada, screen.sid)
    harness.advance(60)
    assert screen(1) == []


def test_a_recording_counts_as_a_subscriber(harness, people, told):
    people(people.bob, LOW)
    people(people.eve, LOW)
    harness.services.demand.record(people.sid, 1)
    harness.advance(LOWER_DELAY_S)
    assert told() == [1]
    harness.services.demand.record(people.sid, NOTHING)
    harness.advance(LOWER_DELAY_S)
    assert told() == [1, 0]
