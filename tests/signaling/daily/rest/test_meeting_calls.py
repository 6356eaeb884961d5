import time
import uuid

from signaling.daily.meetings import meeting_id
from signaling.store import DurableRoom


async def test_meetings_under_way_and_past(daily):
    rooms, journal = daily.server.services.rooms, daily.server.background.journal
    assert await daily.get("/meetings") == {"total_count": 0, "data": []}
    rooms.open_room("nobody-comes")
    await daily.world.join("ada", name="Ada", attributes={"lectern.user_id": "u-1"})
    await daily.world.join("bob")
    await journal.committed()
    page = await daily.get("/meetings")
    assert page["total_count"] == 1
    [meeting] = page["data"]
    assert list(meeting) == [
        "id",
        "room",
        "start_time",
        "duration",
        "ongoing",
        "max_participants",
        "participants",
    ]
    assert uuid.UUID(meeting["id"])
    assert (meeting["room"], meeting["ongoing"], meeting["max_participants"]) == ("lesson", True, 2)
    assert abs(meeting["start_time"] - time.time()) < 60
    ada, bob = meeting["participants"]
    assert list(ada) == ["user_id", "participant_id", "user_name", "join_time", "duration"]
    assert (ada["user_id"], ada["participant_id"], ada["user_name"]) == ("u-1", "ada", "Ada")
    assert (bob["user_id"], bob["user_name"]) == (None, None)

    path = f"/meetings/{meeting['id']}"
    without = {key: value for key, value in meeting.items() if key != "participants"}
    assert await daily.get(path) == without
    assert (await daily.get("/meetings?no_participants=true"))["data"] == [without]
    assert await daily.get(f"{path}/participants") == {"data": [ada, bob]}
    assert await daily.get(f"{path}/participants?joined_after=ada") == {"data": [bob]}
    assert await daily.get(f"{path}/participants?joined_before=bob") == {"data": [ada]}
    assert await daily.get(f"{path}/participants?limit=1") == {"data": [ada]}
    assert (await daily.refused("GET", f"{path}/participants?joined_after=eve"))[0] == 400

    rooms.close_room(rooms.room("lesson"))
    await journal.committed()
    assert (await daily.get(path))["ongoing"] is False


async def test_meetings_are_found_by_room_time_and_page(daily):
    rooms, journal = daily.server.services.rooms, daily.server.background.journal
    ids = []
    for name in ("a", "b", "c", "a"):
        await daily.world.join("ada", video={"room": name, "roomJoin": True})
        if name != "c":
            rooms.close_room(rooms.room(name))
        await journal.committed()
        ids.insert(0, (await daily.get("/meetings?limit=1"))["data"][0]["id"])
    assert len(set(ids)) == 4

    async def found(query):
        page = await daily.get(f"/meetings?{query}")
        return page["total_count"], [ids.index(meeting["id"]) for meeting in page["data"]]

    assert await found("") == (4, [0, 1, 2, 3])
    assert await found("room=a") == (2, [0, 3])
    assert await found("ongoing=true") == (1, [1])
    assert await found("ongoing=false") == (3, [0, 2, 3])
    assert await found("timeframe_start=0") == (4, [0, 1, 2, 3])
    assert await found(f"timeframe_start={int(time.time()) + 60}") == (0, [])
    assert await found("timeframe_end=1000") == (0, [])
    assert await found(f"starting_after={ids[1]}&limit=1") == (4, [2])
    assert await found(f"ending_before={ids[2]}&limit=1") == (4, [1])
    assert await found("ending_before=OLDEST&limit=2") == (4, [2, 3])
    for query in ("starting_after=x", "limit=0", "timeframe_start=x", "ongoing=maybe"):
        assert (await daily.refused("GET", f"/meetings?{query}"))[:2] == (400, "invalid-request-error")


async def test_meetings_that_are_not_there(daily):
    for meeting in ("x", str(uuid.uuid4()), "RM_1"):
        for suffix in ("", "/participants"):
            assert (await daily.refused("GET", f"/meetings/{meeting}{suffix}"))[:2] == (404, "not-found")


async def test_a_domain_sees_no_meeting_of_anothers_room(daily):
    store, journal = daily.server.store, daily.server.background.journal
    settings = {"id": "x", "privacy": "public", "properties": {}}
    await store.rooms.put(DurableRoom("lesson", "daily", "another", 1.0, settings))
    await daily.world.join("ada")
    await journal.committed()
    [session] = await store.sessions.of_room("lesson")
    refused = [("GET", f"/meetings/{meeting_id(session.sid)}"), ("GET", "/rooms/lesson/presence")]
    for call in refused:
        assert (await daily.refused(*call))[0] == 404
    for path in ("/meetings", "/rooms"):
        assert (await daily.get(path))["data"] == []
    assert await daily.get("/presence") == {}

    # not when the room is no more, either, or is made anew by this domain
    await store.rooms.delete("lesson")
    assert (await daily.get("/meetings"))["data"] == []
    await store.rooms.put(DurableRoom("lesson", "daily", "devkey", 1.0, settings))
    assert (await daily.get("/meetings"))["data"] == []
