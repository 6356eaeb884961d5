"""A learning-management system: a course, a live session of it, presence, and office hours with a queue."""

import pytest

from tests.e2e.stories.page import Page, connect

pytestmark = pytest.mark.timeout(180)


async def test_live_session_with_presence_and_an_office_hours_queue(school):
    lms = school.application
    tutor, sam, kim = school.person("t-1", "tutor"), school.person("s-1"), school.person("s-2")

    # The course belongs to the system, which keeps its own id.
    course = (await lms.post("/courses", {"title": "Physics", "external_id": "PHY-1"}))["id"]
    for person, role in (("t-1", "tutor"), ("s-1", "student"), ("s-2", "student")):
        await lms.post(f"/courses/{course}/enrolments", {"person": person, "role": role})

    # A scheduled session with its roster; students who come early wait for the start.
    roster = [{"id": "s-1", "name": "Sam"}, {"id": "s-2", "name": "Kim"}]
    made = await lms.post(
        "/sessions",
        {
            "title": "Optics",
            "owner": {"id": "t-1", "name": "Ms Noether"},
            "people": roster,
            "settings": {"lobby": "invited"},
        },
    )
    session = f"/sessions/{made['id']}"
    assert (await school.person("s-9").post(f"{session}/join", status=403))["code"] == "not_invited"
    early = await sam.post(f"{session}/join")
    assert (early["standing"], early["why"]) == ("waiting", "not_started")
    page = await Page.open(sam, early)
    assert page.state["place"] == 1
    taught = await tutor.post(f"{session}/join")
    ms_noether, _ = await connect(taught)
    await tutor.post(f"{session}/start")
    state = await page.ws.receive_json()
    while state["type"] != "state":
        state = await page.ws.receive_json()
    assert state["state"]["session"]["phase"] == "live"
    room, _ = await connect(await sam.post(f"{session}/token"))
    assert "t-1" in room.remote_participants

    # Who is online, by course.
    await kim.post("/presence/heartbeat")
    await sam.post("/presence/status", {"status": "busy"})
    online = {
        line["person"]: line["status"] for line in (await tutor.get(f"/presence/course/{course}"))["data"]
    }
    assert online == {"t-1": "offline", "s-1": "busy", "s-2": "online"}
    await page.ws.close()
    await room.disconnect()
    await tutor.post(f"{session}/end")

    # Office hours: two queue up, the first is admitted into a session of two.
    hours = "/office-hours/t-1"
    await tutor.post(f"{hours}/open")
    await sam.post(f"{hours}/join", {"topic": "Lenses"})
    assert (await kim.post(f"{hours}/join"))["position"] == 2
    visit = await tutor.post(f"{hours}/admit")
    assert (await sam.get(hours))["session"] == visit["session"]
    rooms = [
        (await connect(await each.post(f"/sessions/{visit['session']}/join")))[0] for each in (tutor, sam)
    ]
    assert rooms[1].name == visit["session"]
    await tutor.post(f"{hours}/complete")
    assert (await kim.get(hours))["position"] == 1
    for each in (*rooms, ms_noether):
        await each.disconnect()
    mine = (await sam.get("/sessions?phase=over"))["data"]
    assert [row["id"] for row in mine] == [made["id"]]
