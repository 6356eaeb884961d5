import pytest

from signaling.errors import BannedError, RoomFullError
from signaling.rooms.events import DataSent, Message, ParticipantLeft, SessionDataChanged
from signaling.rooms.model import LeaveReason, RoomConfig
from signaling.rooms.moderation import Moderation
from signaling.rooms.rooms import JoinSpec


@pytest.fixture
def moderation(harness):
    return Moderation(harness.rooms, harness.hub)


def user(name):
    return {"lectern.user_id": name}


def test_people_are_sent_out_by_identity_or_user(harness, room, moderation):
    ada, bob = room.join("ada"), room.join("bob", attributes=user("pupil"))
    tab = room.join("tab", attributes=user("pupil"))
    eve = room.join("eve")
    assert moderation.eject(eve.room, ["ada", "nobody"], ["pupil", "eve-s"]) == [ada, bob, tab]
    left = [event for event in harness.events if isinstance(event, ParticipantLeft)]
    assert [(event.participant, event.reason) for event in left] == [
        (person, LeaveReason.REMOVED) for person in (ada, bob, tab)
    ]
    assert list(eve.room.participants) == ["eve"]
    room.join("ada")


def test_a_ban_keeps_them_out_under_both_names(harness, room, moderation):
    bob = room.join("bob", attributes=user("pupil"))
    eve, other = room.join("eve"), room.join("zoe", room="other", attributes=user("pupil"))
    moderation.eject(bob.room, ["bob"], [], ban=True)
    for identity, attributes in (("bob", {}), ("new", user("pupil")), ("pupil", {})):
        with pytest.raises(BannedError):
            harness.rooms.join(JoinSpec("lesson", identity, attributes=attributes))
    with pytest.raises(BannedError):
        harness.rooms.move(other, harness.rooms.open_room("lesson"))
    assert other.room.name == "other"
    room.join("bob", room="other")
    room.join("ada", attributes=user("teacher"))
    assert list(eve.room.participants) == ["eve", "ada"]


def test_who_comes_as_the_same_user_takes_the_place(harness, room):
    harness.rooms.open_room("lesson", RoomConfig(unique_users=True))
    first = room.join("tab-1", attributes=user("ada"))
    bob = room.join("bob")
    second = room.join("tab-2", attributes=user("ada"))
    assert first.has_left
    assert not bob.has_left
    assert room.join("ada").room.participants.keys() == {"bob", "ada"}
    assert second.has_left


def test_data_is_for_everybody_or_for_those_named(harness, room, moderation):
    ada, bob, eve = room.join("ada"), room.join("bob"), room.join("eve")
    for message, recipients in (
        (Message(b"1"), (ada, bob, eve)),
        (Message(b"2", identities=("eve", "nobody")), (eve,)),
        (Message(b"3", identities=("eve",), sids=(ada.sid,)), (ada, eve)),
        (Message(b"4", identities=("nobody",)), ()),
    ):
        moderation.send(ada.room, message)
        assert harness.events[-1] == DataSent(ada.room, message, recipients)


def test_session_data_is_kept_while_the_room_is_open(harness, room, moderation):
    ada = room.join("ada")
    moderation.set_session_data(ada.room, {"page": 3})
    assert harness.events[-1] == SessionDataChanged(ada.room)
    assert ada.room.session_data == {"page": 3}
    harness.rooms.close_room(ada.room)
    assert room.join("ada").room.session_data == {}


def test_who_takes_a_place_over_needs_none_of_their_own(harness, room):
    harness.rooms.open_room("lesson", RoomConfig(unique_users=True, max_participants=2))
    room.join("tab-1", attributes=user("ada"))
    room.join("bob")
    assert harness.rooms.taken("lesson", "tab-2", "ada") == 1
    assert harness.rooms.taken("lesson", "eve", "eve") == 2
    assert harness.rooms.taken("none", "eve", "eve") == 0
    room.join("tab-2", attributes=user("ada"))
    with pytest.raises(RoomFullError):
        room.join("eve")


def test_the_log_says_in_one_line_who_left_which_room_and_why(room, caplog):
    caplog.set_level("INFO")
    ada, ben, eve = room.join("ada"), room.join("ben"), room.join("eve")
    room.harness.services.moderation.eject(ada.room, ["ada"], [], detail="by participant ben")
    room.harness.rooms.leave(ben, LeaveReason.MEDIA_REFUSED, "x" * 10_000)
    room.harness.rooms.close_room(eve.room, LeaveReason.ROOM_DELETED, "DeleteRoom by API key school")
    lines = [
        (record.room, record.participant, record.getMessage())
        for record in caplog.records
        if record.getMessage().startswith("left")
    ]
    assert lines[0] == ("lesson", "ada", "left: removed by the application (by participant ben)")
    assert lines[1][2] == f"left: offer refused ({'x' * 300})"
    assert lines[2] == ("lesson", "eve", "left: the room was deleted (DeleteRoom by API key school)")
