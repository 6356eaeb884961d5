import pytest

from signaling.errors import BannedError, LimitError, NotAllowedError, OutsideHoursError, RoomFullError
from signaling.rooms.events import (
    ParticipantActive,
    ParticipantChanged,
    ParticipantJoined,
    ParticipantLeft,
    RoomChanged,
    RoomFinished,
    RoomOccupied,
    RoomStarted,
)
from signaling.rooms.memory import TOKEN_MEMORY_S
from signaling.rooms.model import USER_ID, LeaveReason, ParticipantState, RoomConfig
from signaling.rooms.permissions import Permissions
from signaling.rooms.rooms import JoinSpec, check_own_attributes


def join(harness, identity="ada", **fields):
    return harness.rooms.join(JoinSpec("lesson", identity, **fields))


def kinds(harness):
    return [type(event) for event in harness.events]


def test_the_first_join_makes_the_room_and_opens_a_peer(harness):
    ada = join(harness)
    assert ada.sid.startswith("PA_")
    assert ada.room.sid.startswith("RM_")
    assert ("open_peer", ada.sid, ada.room.sid) in harness.media.commands
    assert kinds(harness) == [RoomStarted, RoomOccupied, ParticipantJoined]
    assert join(harness, "bob").room is ada.room


def test_states_move_forward_and_versions_grow(harness):
    ada = join(harness)
    assert ada.state is ParticipantState.JOINED
    harness.rooms.connected(ada.sid)
    assert (ada.state, ada.version) == (ParticipantState.ACTIVE, 2)
    harness.rooms.connected(ada.sid)
    assert ada.version == 2
    harness.rooms.leave(ada, LeaveReason.CLIENT_LEFT)
    assert (ada.state, ada.version) == (ParticipantState.DISCONNECTED, 3)
    harness.rooms.connected(ada.sid)
    harness.rooms.leave(ada, LeaveReason.CLIENT_LEFT)
    assert ada.version == 3
    assert kinds(harness)[3:] == [ParticipantActive, ParticipantLeft]
    assert harness.rooms.participant(ada.sid) is None
    assert ("close_peer", ada.sid) in harness.media.commands


def test_an_identity_is_in_a_room_once(harness):
    first = join(harness)
    second = join(harness)
    assert first.has_left
    assert second.room.participants == {"ada": second}
    left = [event for event in harness.events if isinstance(event, ParticipantLeft)]
    assert [(event.participant, event.reason) for event in left] == [(first, LeaveReason.DUPLICATE_IDENTITY)]


def test_the_same_identity_may_be_in_two_rooms(harness):
    first = join(harness)
    second = harness.rooms.join(JoinSpec("other", "ada"))
    assert not first.has_left
    assert second.room is not first.room


def test_somebody_whose_media_never_connects_is_removed(harness):
    ada = join(harness)
    bob = join(harness, "bob")
    harness.rooms.connected(bob.sid)
    harness.advance(60)
    assert ada.has_left
    assert not bob.has_left


def test_a_room_ends_some_time_after_its_last_participant(harness):
    ada = join(harness)
    harness.rooms.leave(ada, LeaveReason.CLIENT_LEFT)
    harness.advance(19)
    assert harness.rooms.room("lesson") is ada.room
    harness.advance(1)
    assert harness.rooms.room("lesson") is None
    assert kinds(harness)[-1] is RoomFinished


def test_coming_back_keeps_the_room(harness):
    ada = join(harness)
    harness.rooms.connected(ada.sid)
    harness.rooms.leave(ada, LeaveReason.CLIENT_LEFT)
    harness.advance(19)
    again = join(harness)
    harness.rooms.connected(again.sid)
    harness.advance(600)
    assert harness.rooms.room("lesson") is ada.room


def test_a_room_that_nobody_joins_ends(harness):
    harness.rooms.open_room("empty", RoomConfig(empty_timeout_s=300))
    harness.advance(299)
    assert harness.rooms.room("empty")
    harness.advance(1)
    assert not harness.rooms.room("empty")


def test_recorders_and_agents_neither_hold_a_room_nor_take_a_place(harness):
    config = RoomConfig(max_participants=1)
    recorder = join(harness, "rec", permissions=Permissions(recorder=True), room_config=config)
    agent = join(harness, "bot", kind="agent")
    ada = join(harness)
    with pytest.raises(RoomFullError):
        join(harness, "bob")
    for person in (recorder, agent, ada):
        harness.rooms.connected(person.sid)
    harness.rooms.leave(ada, LeaveReason.CLIENT_LEFT)
    harness.advance(20)
    assert harness.rooms.room("lesson") is None
    assert recorder.has_left
    assert agent.has_left


def test_a_full_room_lets_the_same_identity_back_in(harness):
    join(harness, room_config=RoomConfig(max_participants=1))
    assert not join(harness).has_left
    with pytest.raises(RoomFullError):
        join(harness, "bob")


def test_the_configuration_of_a_later_token_does_not_change_the_room(harness):
    ada = join(harness, room_config=RoomConfig(metadata="maths"))
    join(harness, "bob", room_config=RoomConfig(metadata="physics", max_participants=1))
    assert ada.room.metadata == "maths"
    assert ada.room.config.max_participants == 0


def test_a_profile_changes_in_parts(harness):
    ada = join(harness, name="Ada", attributes={"hand": "up", "seat": "3"})
    harness.rooms.update_profile(ada, metadata="m", attributes={"hand": "", "mood": "good"})
    assert (ada.name, ada.metadata) == ("Ada", "m")
    assert ada.attributes == {"seat": "3", "mood": "good"}
    assert ada.version == 2
    assert harness.events[-1] == ParticipantChanged(ada, to_self=True)
    harness.rooms.update_profile(ada, metadata="m")
    assert ada.version == 2


@pytest.mark.parametrize(
    "change",
    [{"name": "n" * 257}, {"metadata": "ü" * 300_000}, {"attributes": {"a": "v" * 66_000}}],
)
def test_a_profile_has_limits_and_nothing_of_it_is_taken_when_it_passes_them(harness, change):
    ada = join(harness)
    with pytest.raises(LimitError):
        harness.rooms.update_profile(ada, **{"name": "other", **change})
    assert (ada.name, ada.metadata, ada.attributes, ada.version) == ("", "", {}, 1)


def test_room_metadata_changes(harness):
    room = join(harness).room
    harness.rooms.update_metadata(room, "maths")
    harness.rooms.update_metadata(room, "maths")
    assert room.metadata == "maths"
    assert harness.events[-1] == RoomChanged(room)
    assert kinds(harness).count(RoomChanged) == 1
    with pytest.raises(LimitError):
        harness.rooms.update_metadata(room, "m" * 600_000)
    assert room.metadata == "maths"


def test_shutting_down_ends_everything(harness):
    ada = join(harness)
    bob = harness.rooms.join(JoinSpec("other", "bob"))
    harness.rooms.shut_down()
    assert harness.rooms.rooms == ()
    reasons = [event.reason for event in harness.events if isinstance(event, ParticipantLeft)]
    assert reasons == [LeaveReason.SERVER_SHUTDOWN] * 2
    assert ada.has_left
    assert bob.has_left
    assert harness.timers.next_at is None


@pytest.mark.parametrize(
    ("config", "own", "stay_s"),
    [
        (RoomConfig(), None, None),
        (RoomConfig(), 30, 30),
        (RoomConfig(max_attendance_s=20), None, 20),
        (RoomConfig(max_attendance_s=20), 30, 30),
    ],
)
def test_a_stay_may_be_limited(harness, config, own, stay_s):
    harness.rooms.open_room("lesson", config)
    ada = join(harness, leaves_at=None if own is None else harness.wall_clock() + own)
    harness.rooms.connected(ada.sid)
    # what is changed later is for those who join later
    harness.rooms.configure(ada.room, RoomConfig(max_attendance_s=1))
    if stay_s is None:
        assert ada.leaves_at is None
        harness.advance(100_000)
        assert not ada.has_left
        return
    harness.advance(stay_s - 1)
    assert not ada.has_left
    harness.advance(1)
    assert harness.events[-1] == ParticipantLeft(ada, LeaveReason.TIME_UP, was_publisher=False)


def test_the_earlier_of_two_limits_counts(harness):
    now = harness.wall_clock()
    assert RoomConfig(ends_at=now + 5, max_attendance_s=9).leaves_at(now) == now + 5
    assert RoomConfig(ends_at=now + 5, max_attendance_s=2).leaves_at(now) == now + 2
    harness.rooms.open_room("lesson", RoomConfig(ends_at=now - 5))
    late = join(harness)
    harness.advance(0)
    assert late.has_left


def test_some_attributes_are_the_servers():
    check_own_attributes({"hand": "up", "lectern": "x"})
    with pytest.raises(NotAllowedError):
        check_own_attributes({"hand": "up", "lectern.is_owner": "true"})


def test_other_times_count_for_a_room_that_is_empty_already(room):
    rooms = room.harness.rooms
    maths = rooms.open_room("maths", RoomConfig(empty_timeout_s=60, departure_timeout_s=20))
    rooms.configure(maths, RoomConfig(empty_timeout_s=10, departure_timeout_s=5))
    room.harness.advance(9)
    assert rooms.room("maths") is maths
    room.harness.advance(2)
    assert rooms.room("maths") is None

    ada = room.join("ada")
    rooms.leave(ada, LeaveReason.CLIENT_LEFT)
    rooms.configure(ada.room, RoomConfig(departure_timeout_s=40))
    room.harness.advance(39)
    assert rooms.room("lesson") is ada.room
    room.harness.advance(2)
    assert rooms.room("lesson") is None


def test_other_times_do_not_end_a_room_with_people(room):
    ada = room.join("ada")
    room.harness.rooms.configure(ada.room, RoomConfig(empty_timeout_s=1, departure_timeout_s=1))
    room.harness.advance(5)
    assert not ada.has_left


def test_changed_permissions_come_before_what_an_older_token_says(harness):
    granted_at = harness.wall_clock()
    harness.advance(10)
    ada = join(harness)
    restricted = Permissions(can_publish=False)
    harness.rooms.set_permissions(ada, restricted)
    assert join(harness, granted_at=granted_at).permissions == restricted
    assert join(harness, "bob", granted_at=granted_at).permissions == Permissions()
    harness.advance(10)
    assert join(harness, granted_at=harness.wall_clock()).permissions == Permissions()


def test_the_tokens_of_a_clock_that_is_ahead_may_be_a_minute_older_than_they_say(harness):
    rooms, now = harness.rooms, harness.wall_clock()
    assert rooms.granted_at("slow", now - 5) == now - 5
    # This one shows that its clock is ahead by half a minute at least, and then others of its key can be as well.
    assert rooms.granted_at("fast", now + 30) == now - 30
    assert rooms.granted_at("fast", now - 5) == now - 65
    assert rooms.granted_at("slow", now - 5) == now - 5
    rooms.note_token("slow", now + 1)  # of a call to the API
    assert rooms.granted_at("slow", now - 5) == now - 65
    harness.advance(TOKEN_MEMORY_S + 1)
    assert rooms.granted_at("fast", now) == now


@pytest.mark.parametrize("used_after_s", [0, 5, 59])
def test_a_token_of_a_fast_clock_undoes_no_demotion_however_late_it_is_used(harness, used_after_s):
    made_at = harness.wall_clock()
    says = made_at + 60
    ada = join(harness)
    harness.advance(0.1)
    harness.rooms.set_permissions(ada, Permissions(can_publish=False))
    harness.advance(used_after_s)
    assert not join(harness, granted_at=harness.rooms.granted_at("key", says)).permissions.can_publish


def test_a_demotion_outlives_the_room(harness, room):
    ada = room.join("ada", granted_at=harness.wall_clock())
    ada.room.revoked["eve"] = harness.wall_clock() + 1
    harness.advance(1)
    harness.rooms.set_permissions(ada, Permissions(can_publish=False))
    before = harness.wall_clock()
    harness.rooms.close_room(ada.room)
    assert harness.rooms.revoked_at("lesson", "eve") == before
    again = room.join("ada", granted_at=before - 1)
    assert not again.permissions.can_publish
    assert again.room.revoked == {"eve": before}
    harness.rooms.close_room(again.room)
    assert room.join("ada", granted_at=before + 1).permissions.can_publish
    harness.rooms.close_room(harness.rooms.room("lesson"))
    harness.advance(TOKEN_MEMORY_S + 1)
    assert room.join("ada", granted_at=before - 1).permissions.can_publish


def test_a_demotion_goes_along_to_another_room(harness, room):
    ada = room.join("ada", granted_at=harness.wall_clock())
    harness.advance(1)
    harness.rooms.set_permissions(ada, Permissions(can_publish=False))
    harness.rooms.move(ada, harness.rooms.open_room("group"))
    harness.rooms.leave(ada, LeaveReason.SIGNAL_LOST)
    again = room.join("ada", room="group", granted_at=harness.wall_clock() - 1)
    assert not again.permissions.can_publish


def test_an_identity_of_one_stay_is_refused_everywhere(harness, room):
    room.join("ben")
    harness.rooms.refuse_again("ada")
    for name in ("lesson", "other"):
        with pytest.raises(BannedError):
            room.join("ada", room=name)


def test_the_rules_of_a_room_hold_for_whoever_is_moved_there(harness, room):
    config = RoomConfig(max_attendance_s=30, unique_users=True)
    destination = harness.rooms.open_room("group", config)
    twin = room.join("twin", room="group", attributes={USER_ID: "u"})
    ada = room.join("ada", attributes={USER_ID: "u"})
    own = room.join("own", leaves_at=harness.wall_clock() + 90)
    harness.rooms.connected(ada.sid)
    harness.rooms.connected(own.sid)
    for person in (ada, own):
        harness.rooms.move(person, destination)
    assert twin.has_left
    assert ada.leaves_at == harness.wall_clock() + 30
    harness.advance(30)
    assert ada.has_left
    assert not own.has_left
    harness.advance(60)
    assert own.has_left


def test_a_limit_of_a_room_ends_with_the_move_to_another(harness, room):
    harness.rooms.open_room("lesson", RoomConfig(max_attendance_s=30))
    ada = room.join("ada")
    harness.rooms.connected(ada.sid)
    harness.rooms.move(ada, harness.rooms.open_room("group"))
    harness.advance(60)
    assert not ada.has_left
    assert ada.leaves_at is None


def test_a_demotion_in_a_room_holds_for_whoever_is_moved_there(harness, room):
    before = room.join("ada", room="group")
    room.join("eve", room="group")
    harness.rooms.set_permissions(before, Permissions(can_publish=False))
    harness.rooms.leave(before, LeaveReason.CLIENT_LEFT)
    harness.advance(1)
    ada = room.join("ada")
    harness.rooms.move(ada, harness.rooms.open_room("group"))
    assert not ada.permissions.can_publish
    # What was decided last counts, wherever.
    harness.rooms.move(ada, harness.rooms.open_room("lesson"))
    harness.advance(1)
    harness.rooms.set_permissions(ada, Permissions())
    harness.rooms.move(ada, harness.rooms.open_room("group"))
    assert ada.permissions.can_publish


def test_nobody_enters_a_room_outside_its_hours(harness, room):
    now = harness.wall_clock()
    hours = RoomConfig(opens_at=now + 10, closes_at=now + 20)
    ada = room.join("ada")
    group = harness.rooms.open_room("group", hours)
    for allowed in (False, True, False):
        if allowed:
            stays = room.join("bob", room="group")
            harness.rooms.connected(stays.sid)
            room.join("carl", room="other", room_config=hours)
        else:
            with pytest.raises(OutsideHoursError):
                room.join("eve", room="group")
            with pytest.raises(OutsideHoursError):
                room.join("eve", room="not open", room_config=hours)
            with pytest.raises(OutsideHoursError):
                harness.rooms.move(ada, group)
            with pytest.raises(OutsideHoursError):
                harness.forwarding.forward(ada, group)
        harness.advance(10)
    assert harness.rooms.room("not open") is None
    assert not stays.has_left
    assert not ada.has_left
