import json
from dataclasses import replace

import pytest

from signaling.daily.door import entry
from signaling.daily.notices import TOPIC, Notices, app_message
from signaling.rooms.events import DataSent
from signaling.rooms.moderation import Moderation
from signaling.rooms.permissions import ALL_ADMIN_RIGHTS, Permissions

BY_DAILY = {entry.DOOR: entry.DAILY}


@pytest.fixture
def moderation(harness):
    made = Moderation(harness.rooms, harness.hub)
    harness.hub.observe(Notices(made, harness.rooms).on_event)
    return made


def sent(harness):
    return [
        (json.loads(event.message.payload), [person.identity for person in event.recipients])
        for event in harness.events
        if isinstance(event, DataSent) and event.message.topic == TOPIC
    ]


def test_pages_hear_of_permissions_and_session_data(harness, room, moderation):
    ada, bob = room.join("ada", attributes=BY_DAILY), room.join("bob", attributes=BY_DAILY)
    eve = room.join("eve")
    harness.rooms.set_permissions(eve, replace(eve.permissions, can_publish=False))
    moderation.set_session_data(ada.room, {"page": 1})
    [permissions, data] = sent(harness)
    assert permissions[0]["kind"] == "permissions"
    assert (permissions[0]["session_id"], permissions[0]["permissions"]["canSend"]) == ("eve", False)
    assert data[0] == {"kind": "session-data", "data": {"page": 1}}
    assert permissions[1] == data[1] == [ada.identity, bob.identity]


def test_who_comes_later_is_told_what_is_kept_with_the_room(harness, room, moderation):
    ada = room.join("ada", attributes=BY_DAILY)
    harness.rooms.connected(ada.sid)
    assert sent(harness) == []
    moderation.set_session_data(ada.room, {"page": 1})
    harness.rooms.connected(room.join("bob", attributes=BY_DAILY).sid)
    harness.rooms.connected(room.join("eve").sid)
    data = {"kind": "session-data", "data": {"page": 1}}
    assert sent(harness) == [(data, ["ada"]), (data, ["bob"])]


def test_what_somebody_may_do_about_others_is_shown_to_those_who_come_later(harness, room, moderation):
    ada, eve = room.join("ada", attributes=BY_DAILY), room.join("eve")
    for rights, shown in ((ALL_ADMIN_RIGHTS, "participants,streaming,transcription"), (frozenset(), None)):
        for person in (ada, eve):
            harness.rooms.set_permissions(person, replace(person.permissions, admin=rights))
        assert ada.attributes.get(entry.CAN_ADMIN) == shown
        assert eve.attributes == {}


def test_of_the_hidden_only_they_themselves_hear(harness, room, moderation):
    ghost = room.join("ghost", attributes=BY_DAILY)
    room.join("bob", attributes=BY_DAILY)
    harness.rooms.set_permissions(ghost, Permissions(hidden=True))
    assert [told for _, told in sent(harness)] == [["ghost"]]


def test_clients_of_livekit_alone_are_told_nothing(harness, room, moderation):
    eve = room.join("eve")
    harness.rooms.set_permissions(eve, Permissions(can_publish=False))
    moderation.set_session_data(eve.room, {"page": 1})
    assert sent(harness) == []


def test_an_applications_message_is_for_whom_it_names():
    message = app_message({"a": "ä"}, ["s-1"])
    assert json.loads(message.payload) == {"kind": "app-message", "data": {"a": "ä"}}
    assert (message.topic, message.identities, message.reliable) == (TOPIC, ("s-1",), True)
