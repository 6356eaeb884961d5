"""Who sees the whole server, and what they see."""

import pytest

from signaling.rooms.model import LINK
from signaling.sessions_api import operator_calls
from tests.signaling.school_client import School, eventually


async def test_an_operator_sees_rooms_people_workers_and_keys(school):
    ada = await school.world.join("ada", room="maths")
    await school.world.join("ben", room="maths")
    await school.world.join("cy", room="art")
    rooms = school.world.server.services.rooms
    rooms.update_profile(
        rooms.room("maths").participants["ada"], attributes={LINK: '{"kbps":300,"loss":2.5}'}
    )
    await school.world.server.store.api_keys.add("lms", "s" * 32, "the school's LMS", 5.0)
    await school.world.server.store.api_keys.revoke("lms", 6.0)
    now = await school.person("boss", "admin").get("/server")
    assert (now["room_count"], now["person_count"]) == (2, 3)
    assert [(room["name"], room["count"], room["recorded"]) for room in now["rooms"]] == [
        ("maths", 2, False),
        ("art", 1, False),
    ]
    people = {person["identity"]: person for person in now["rooms"][0]["people"]}
    assert (people["ada"]["kbps"], people["ada"]["loss_percent"]) == (300, 2.5)
    assert (people["ben"]["kbps"], people["ben"]["loss_percent"]) == (None, 0.0)
    assert people["ada"]["state"] in {"joining", "joined", "active"}
    assert now["workers"] == [
        {
            "peers": 3,
            "publications": 0,
            "packets_received": 0,
            "packets_forwarded": 7,
            "packets_retransmitted": 0,
            "packets_dropped": 2,
        }
    ]
    assert [(key["key"], key["configured"], key["revoked_at"]) for key in now["keys"]] == [
        ("devkey", True, None),
        ("lms", False, 6.0),
    ]
    assert "secret" not in str(now)
    assert ada is not None


async def test_rooms_and_people_are_bounded(school, monkeypatch):
    monkeypatch.setattr(operator_calls, "MAX_ROOMS", 2)
    monkeypatch.setattr(operator_calls, "MAX_PEOPLE", 2)
    for name, room in (("ada", "a"), ("ben", "a"), ("cy", "b"), ("di", "c")):
        await school.world.join(name, room=room)
    now = await school.application.get("/server")
    assert [(room["count"], len(room["people"])) for room in now["rooms"]] == [(2, 2), (1, 0)]
    assert (now["room_count"], now["person_count"]) == (3, 4)


async def test_the_event_log_of_a_meeting_can_be_read(school):
    await school.world.join("ada", room="maths")

    async def logged():
        meetings = (await school.application.get("/server/meetings"))["data"]
        if not meetings:
            return None
        log = await school.application.get(f"/server/meetings/{meetings[0]['sid']}/events")
        return log if len(log["data"]) > 1 else None

    log = await eventually(logged)
    assert [entry["seq"] for entry in log["data"]][:2] == [1, 2]
    assert {"room_started", "participant_joined"} <= {entry["kind"] for entry in log["data"]}
    assert log["more"] is False
    absent = await school.application.get("/server/meetings/RM_none/events", 404)
    assert absent["code"] == "meeting_not_found"


@pytest.mark.parametrize("path", ["/server", "/server/meetings", "/server/meetings/RM_1/events"])
async def test_nobody_else_sees_the_server(school, path):
    strangers = [
        school.person("eve", "tutor"),
        school.person("sam"),
        school.person("boss", "admin", tenant="other"),
        School(school.http, school.url, "other").application,
    ]
    for stranger in strangers:
        assert (await stranger.get(path, 403))["code"] == "not_allowed"
