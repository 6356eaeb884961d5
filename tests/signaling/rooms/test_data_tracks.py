import pytest

from signaling.errors import (
    DuplicateHandleError,
    DuplicateNameError,
    InvalidHandleError,
    InvalidNameError,
    NotAllowedError,
    NotFoundError,
)
from signaling.rooms.data_tracks import MAX_HANDLE, MAX_NAME_LENGTH, received_tracks
from signaling.rooms.events import DataTracksReceived
from signaling.rooms.model import LeaveReason
from signaling.rooms.permissions import Permissions


@pytest.fixture
def tracks(harness):
    return harness.services.data_tracks


def received(person):
    return [(handle, publisher.identity, track.name) for handle, publisher, track in received_tracks(person)]


def test_frames_go_to_those_who_subscribed_under_their_own_numbers(room, tracks):
    ada, bob, eve = room.join("ada"), room.join("bob"), room.join("eve")
    first = tracks.publish(ada, 7, "first", None)
    second = tracks.publish(ada, 9, "second", None)
    tracks.subscribe(bob, {first.sid: True, second.sid: True, "DTR_unknown": True})
    tracks.subscribe(eve, {second.sid: True, first.sid: False})
    assert received(bob) == [(1, "ada", "first"), (2, "ada", "second")]
    assert received(eve) == [(1, "ada", "second")]
    assert tracks.recipients(ada, 7) == {1: [bob.sid]}
    assert tracks.recipients(ada, 9) == {2: [bob.sid], 1: [eve.sid]}
    assert tracks.recipients(ada, 8) == {}
    tracks.subscribe(bob, {first.sid: False})
    third = tracks.publish(eve, 1, "third", None)
    tracks.subscribe(bob, {third.sid: True})
    assert received(bob) == [(2, "ada", "second"), (1, "eve", "third")]


def test_others_see_what_is_published(harness, room, tracks):
    ada = room.join("ada")
    before = ada.version
    track = tracks.publish(ada, 1, "sensor", None)
    assert ada.version == before + 1
    assert tracks.unpublish(ada, 1) is track
    assert (ada.version, ada.data_tracks) == (before + 2, {})
    with pytest.raises(NotFoundError):
        tracks.unpublish(ada, 1)


@pytest.mark.parametrize(
    ("handle", "name", "error"),
    [
        (0, "new", InvalidHandleError),
        (MAX_HANDLE + 1, "new", InvalidHandleError),
        (2, "", InvalidNameError),
        (2, "x" * (MAX_NAME_LENGTH + 1), InvalidNameError),
        (1, "new", DuplicateHandleError),
        (2, "sensor", DuplicateNameError),
    ],
)
def test_what_cannot_be_published(room, tracks, handle, name, error):
    ada = room.join("ada")
    tracks.publish(ada, 1, "sensor", None)
    with pytest.raises(error):
        tracks.publish(ada, handle, name, None)
    assert list(ada.data_tracks) == [1]


def test_permissions_decide_who_sends_and_who_receives(room, tracks):
    mute = room.join("mute", permissions=Permissions(can_publish_data=False))
    with pytest.raises(NotAllowedError):
        tracks.publish(mute, 1, "sensor", None)
    ghost, deaf = (
        room.join("ghost", permissions=Permissions(hidden=True)),
        room.join("deaf", permissions=Permissions(can_subscribe=False)),
    )
    hidden = tracks.publish(ghost, 1, "sensor", None)
    shown = tracks.publish(deaf, 1, "sensor", None)
    tracks.subscribe(deaf, {hidden.sid: True})
    tracks.subscribe(mute, {hidden.sid: True, shown.sid: True})
    assert received(deaf) == []
    assert received(mute) == [(1, "deaf", "sensor")]


def test_what_ends_is_received_no_longer_and_told(harness, room, tracks):
    ada, bob = room.join("ada"), room.join("bob")
    for handle in (1, 2):
        tracks.subscribe(bob, {tracks.publish(ada, handle, f"sensor {handle}", None).sid: True})
    harness.events.clear()
    tracks.unpublish(ada, 1)
    assert received(bob) == [(2, "ada", "sensor 2")]
    assert DataTracksReceived(bob) in harness.events
    harness.events.clear()
    harness.rooms.leave(ada, LeaveReason.CLIENT_LEFT)
    assert bob.subscriptions.data == {}
    assert DataTracksReceived(bob) in harness.events


def test_who_may_not_subscribe_any_longer_receives_nothing(harness, room, tracks):
    ada, bob = room.join("ada"), room.join("bob")
    tracks.subscribe(bob, {tracks.publish(ada, 1, "sensor", None).sid: True})
    harness.rooms.set_permissions(bob, Permissions(can_subscribe=False))
    assert tracks.recipients(ada, 1) == {}


def test_whoever_wants_every_data_track_gets_them_without_asking(harness, room, tracks):
    ada, bob = room.join("ada"), room.join("bob", auto_subscribe_data=True)
    first = tracks.publish(ada, 1, "first", None)
    assert received(bob) == [(1, "ada", "first")]
    assert DataTracksReceived(bob) in harness.events
    own = tracks.publish(bob, 1, "own", None)
    late = room.join("late", auto_subscribe_data=True)
    tracks.start(late)
    assert {name for _handle, _identity, name in received(late)} == {"first", "own"}
    # What was declined is not begun again on any occasion.
    tracks.subscribe(late, {first.sid: False})
    for can_subscribe in (False, True):
        harness.rooms.set_permissions(late, Permissions(can_subscribe=can_subscribe))
    assert [name for _handle, _identity, name in received(late)] == ["own"]
    tracks.subscribe(late, {first.sid: True})
    assert {name for _handle, _identity, name in received(late)} == {"first", "own"}
    assert received(ada) == []
    assert own.sid not in bob.subscriptions.data


def test_the_data_tracks_of_the_hidden_end_and_come_back_with_them(harness, room, tracks):
    ada, bob, eve = room.join("ada"), room.join("bob", auto_subscribe_data=True), room.join("eve")
    track = tracks.publish(ada, 1, "sensor", None)
    tracks.subscribe(eve, {track.sid: True})
    harness.rooms.set_permissions(ada, Permissions(hidden=True))
    assert tracks.recipients(ada, 1) == {}
    harness.rooms.set_permissions(ada, Permissions())
    assert tracks.recipients(ada, 1) == {1: [bob.sid]}


def test_a_move_leads_to_the_data_tracks_of_the_other_room(harness, room, tracks):
    ada, bob = room.join("ada", "other"), room.join("bob", auto_subscribe_data=True)
    tracks.publish(ada, 1, "sensor", None)
    harness.rooms.move(bob, harness.rooms.open_room("other"))
    assert received(bob) == [(1, "ada", "sensor")]
