import pytest

from sfu.values import Layer, Preferences
from signaling.errors import BannedError, DuplicateIdentityError, UnsupportedError
from signaling.rooms.events import (
    DemandChanged,
    ParticipantChanged,
    ParticipantLeft,
    TrackPublished,
    TrackUnpublished,
)
from signaling.rooms.model import USER_ID, LeaveReason, ParticipantState, RoomConfig
from signaling.rooms.permissions import Permissions, SubscriptionRules

LAYERS = (Layer("q", 320, 180), Layer("h", 640, 360))


@pytest.fixture
def lesson(room):
    """Ada with a camera in one room, Eve in another; and Ada's mirror there."""
    room.ada = room.join("ada", metadata="m", attributes={"a": "b"})
    room.camera = room.publish(room.ada, layers=LAYERS)
    room.eve = room.join("eve", room="group")
    room.forwarding = room.harness.forwarding
    room.forwarding.forward(room.ada, room.harness.rooms.open_room("group"))
    room.mirror = room.eve.room.participants["ada"]
    return room


def test_whoever_is_forwarded_is_seen_and_received_in_the_other_room(lesson):
    mirror = lesson.mirror
    assert (mirror.identity, mirror.metadata, mirror.attributes) == ("ada", "m", {"a": "b"})
    assert (mirror.state, mirror.kind_details) == (ParticipantState.ACTIVE, ("forwarded",))
    assert mirror.sid != lesson.ada.sid
    assert mirror.tracks[lesson.camera].publisher_sid == mirror.sid
    assert lesson.received(lesson.eve) == {lesson.camera: f"{mirror.sid}|{lesson.camera}"}
    assert ("forward_peer", lesson.ada.sid, lesson.eve.room.sid) in lesson.harness.media.commands


def test_the_second_time_nothing_happens(lesson):
    lesson.harness.events.clear()
    lesson.forwarding.forward(lesson.ada, lesson.harness.rooms.open_room("group"))
    assert lesson.harness.events == []


def test_a_mirror_changes_as_its_source_does(lesson):
    lesson.harness.rooms.update_profile(lesson.ada, name="Ada L")
    screen = lesson.publish(lesson.ada, "screen")
    lesson.harness.publishing.set_muted(lesson.ada, screen, muted=True)
    assert lesson.mirror.name == "Ada L"
    assert lesson.mirror.tracks[screen].muted
    assert set(lesson.received(lesson.eve)) == {lesson.camera, screen}
    lesson.harness.events.clear()
    lesson.harness.publishing.unpublish(lesson.ada, screen)
    assert set(lesson.mirror.tracks) == {lesson.camera}
    gone = [e for e in lesson.harness.events if isinstance(e, TrackUnpublished)]
    assert [e.participant for e in gone] == [lesson.mirror, lesson.ada]
    assert screen not in lesson.eve.subscriptions.subscribed


def test_a_track_is_known_before_it_can_be_received(lesson):
    lesson.harness.events.clear()
    lesson.publish(lesson.ada, "screen")
    events = [e for e in lesson.harness.events if getattr(e, "participant", None) is lesson.mirror]
    assert [type(e) for e in events] == [ParticipantChanged, TrackPublished]


@pytest.mark.parametrize("how", ["leaves", "moves", "removed there"])
def test_forwarding_ends(lesson, how):
    rooms = lesson.harness.rooms
    if how == "leaves":
        rooms.leave(lesson.ada, LeaveReason.CLIENT_LEFT)
    elif how == "moves":
        rooms.move(lesson.ada, rooms.open_room("third"))
    else:
        rooms.leave(lesson.mirror, LeaveReason.REMOVED)
    assert lesson.mirror.has_left
    assert lesson.ada.mirrors == []
    assert not lesson.eve.subscriptions.subscribed
    assert set(lesson.eve.room.participants) == {"eve"}
    assert ("stop_forwarding", lesson.ada.sid, lesson.eve.room.sid) in lesson.harness.media.commands
    assert ("close_peer", lesson.mirror.sid) not in lesson.harness.media.commands
    assert lesson.ada.has_left is (how == "leaves")


def test_a_mirror_does_not_keep_its_room_open_nor_take_a_place(lesson):
    group = lesson.eve.room
    lesson.harness.rooms.leave(lesson.eve, LeaveReason.CLIENT_LEFT)
    lesson.harness.advance(group.config.departure_timeout_s + 1)
    assert lesson.harness.rooms.room("group") is None
    assert lesson.ada.mirrors == []
    assert [e.participant for e in lesson.harness.events if isinstance(e, ParticipantLeft)][
        -1
    ] is lesson.mirror


def test_whoever_joins_under_the_identity_takes_the_place(lesson):
    lesson.join("ada", room="group")
    assert lesson.mirror.has_left


def test_who_cannot_be_forwarded(lesson):
    lesson.join("ada", room="third")
    with pytest.raises(DuplicateIdentityError):
        lesson.forwarding.forward(lesson.ada, lesson.harness.rooms.open_room("third"))
    lesson.harness.media.forwards = False
    with pytest.raises(UnsupportedError):
        lesson.forwarding.forward(lesson.ada, lesson.harness.rooms.open_room("fourth"))
    assert [each.room.name for each in lesson.ada.mirrors] == ["group"]


def test_rules_and_permissions_hold_there_too(lesson):
    lesson.harness.subscribing.set_rules(lesson.ada, SubscriptionRules(everybody=False))
    assert lesson.received(lesson.eve) == {}
    lesson.harness.subscribing.set_rules(lesson.ada, SubscriptionRules())
    assert set(lesson.received(lesson.eve)) == {lesson.camera}
    lesson.harness.rooms.set_permissions(lesson.ada, Permissions(can_publish=False))
    assert not lesson.mirror.tracks
    assert not lesson.mirror.permissions.can_publish


def test_what_is_wanted_there_counts_for_the_publisher(lesson):
    def demanded():
        lesson.harness.advance(11)
        events = [e for e in lesson.harness.events if isinstance(e, DemandChanged)]
        lesson.harness.events.clear()
        return [(e.publisher, e.spatial) for e in events]

    assert demanded() == []  # Eve wants all of it
    lesson.harness.subscribing.prefer(lesson.eve, lesson.camera, Preferences(max_spatial=0))
    assert demanded() == [(lesson.ada, 0)]
    lesson.harness.rooms.leave(lesson.eve, LeaveReason.CLIENT_LEFT)
    assert demanded() == [(lesson.ada, -1)]


def test_the_rules_of_a_room_hold_for_whoever_is_forwarded_there(lesson):
    rooms = lesson.harness.rooms
    short = rooms.open_room("short", RoomConfig(max_attendance_s=30))
    lesson.harness.rooms.connected(lesson.ada.sid)
    lesson.forwarding.forward(lesson.ada, short)
    mirror = short.participants["ada"]
    lesson.harness.advance(30)
    assert mirror.has_left
    assert not lesson.ada.has_left

    unique = rooms.open_room("unique", RoomConfig(unique_users=True))
    twin = lesson.join("twin", room="unique", attributes={USER_ID: "ada"})
    with pytest.raises(DuplicateIdentityError):
        lesson.forwarding.forward(lesson.ada, unique)
    assert not twin.has_left

    unique.banned.add("ada")
    with pytest.raises(BannedError):
        lesson.forwarding.forward(lesson.ada, unique)
