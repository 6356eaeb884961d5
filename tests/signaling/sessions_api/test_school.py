"""The school around the sessions: courses, presence, office hours, study groups, timetables, calendars."""

import time
from datetime import datetime
from zoneinfo import ZoneInfo

import icalendar


async def test_a_course_shows_its_people_to_those_who_teach(school):
    made = await school.application.post("/courses", {"title": "Physics", "external_id": "PHY1"}, 201)
    path = f"/courses/{made['id']}"
    for person, role in (("tutor", "tutor"), ("sam", "student"), ("kim", "student")):
        await school.application.post(f"{path}/enrolments", {"person": person, "role": role})
    sam, tutor = school.person("sam"), school.person("tutor", "tutor")
    assert (await tutor.get(path))["people"] == {"tutor": "tutor", "sam": "student", "kim": "student"}
    assert (await sam.get(path))["people"] == {"tutor": "tutor", "sam": "student"}
    assert [course["id"] for course in (await sam.get("/courses"))["data"]] == [made["id"]]
    assert (await school.person("eve").get(path, 404))["code"] == "course_not_found"
    assert (await sam.post("/courses", {"title": "Mine"}, 403))["code"] == "not_allowed"
    assert (await sam.call("PATCH", path, {"title": "Mine"}, 403))["code"] == "not_yours"
    await sam.call("DELETE", f"{path}/enrolments/sam")
    assert (await sam.get("/courses"))["data"] == []


async def test_presence_of_one_of_many_and_of_a_course(school):
    made = await school.application.post("/courses", {"title": "Physics"})
    for person in ("sam", "kim"):
        await school.application.post(f"/courses/{made['id']}/enrolments", {"person": person})
    sam = school.person("sam")
    assert (await sam.post("/presence/heartbeat"))["status"] == "online"
    await sam.post("/presence/status", {"status": "busy"})
    await sam.post("/presence/activity", {"activity": "Writing an essay"})
    assert (await sam.post("/presence/heartbeat"))["status"] == "busy"
    seen = await school.person("tutor", "tutor").get("/presence/user/sam")
    assert (seen["status"], seen["activity"]) == ("busy", "Writing an essay")
    people = (await sam.get(f"/presence/course/{made['id']}"))["data"]
    assert {line["person"]: line["status"] for line in people} == {"sam": "busy", "kim": "offline"}
    bulk = (await school.application.post("/presence/bulk", {"people": ["sam", "eve"]}))["data"]
    assert [line["status"] for line in bulk] == ["busy", "offline"]
    online = (await sam.get("/presence/online"))["data"]
    assert [(line["person"], line["name"]) for line in online] == [("sam", "Sam")]
    assert [line["name"] for line in bulk] == ["Sam", ""]
    assert (await school.person("sam", tenant="other").get("/presence/online"))["data"] == []
    assert (await school.application.post("/presence/heartbeat", status=403))["code"] == "not_allowed"


async def test_office_hours_from_the_queue_to_a_session(school):
    tutor, sam, kim = school.person("tutor", "tutor"), school.person("sam"), school.person("kim")
    path = "/office-hours/tutor"
    assert (await sam.post(f"{path}/join", {}, 409))["code"] == "hours_closed"
    assert (await sam.post(f"{path}/open", status=403))["code"] == "not_allowed"
    assert (await school.person("eve", "tutor").post(f"{path}/open", status=403))["code"] == "not_yours"
    await tutor.post(f"{path}/open")
    assert (await sam.post(f"{path}/join", {"topic": "Exercise 3"}))["position"] == 1
    assert (await kim.post(f"{path}/join"))["position"] == 2
    seen = await kim.get(path)
    assert (seen["waiting"], seen["queue"], seen["wait_s"] > 0) == (2, [], True)
    assert [place["topic"] for place in (await tutor.get(path))["queue"]] == ["Exercise 3", ""]
    visit = await tutor.post(f"{path}/admit")
    assert visit["person"] == "sam"
    assert (await sam.get(path))["session"] == visit["session"]
    assert (await sam.post(f"/sessions/{visit['session']}/join"))["standing"] == "present"
    assert (await tutor.post(f"/sessions/{visit['session']}/join"))["role"] == "owner"
    assert (await kim.get(f"/sessions/{visit['session']}", 404))["code"] == "session_not_found"
    await tutor.post(f"{path}/complete")
    assert (await kim.get(path))["position"] == 1
    # Kim is asked in and does not come: Sam is next, with nobody to wait for.
    await sam.post(f"{path}/join")
    assert (await tutor.post(f"{path}/admit"))["person"] == "kim"
    await tutor.post(f"{path}/no-show")
    assert (await kim.get(path))["position"] == 0
    assert ((await sam.get(path))["position"], (await sam.get(path))["wait_s"]) == (1, 0)
    await kim.post(f"{path}/join")
    await sam.post(f"{path}/leave")
    assert [each["tutor"] for each in (await kim.get("/office-hours"))["data"]] == ["tutor"]
    # A tutor whose page was seen has a name for the others.
    assert (await kim.get(path))["name"] == ""
    await tutor.post("/presence/heartbeat")
    assert (await kim.get(path))["name"] == "Tutor"


async def test_a_study_group_meets_in_a_session_of_its_own(school):
    sam, kim = school.person("sam"), school.person("kim")
    group = (await sam.post("/study-groups", {"course": "PHY1", "name": "Optics", "capacity": 3}))["id"]
    await kim.post(f"/study-groups/{group}/join")
    assert (await school.person("eve").post(f"/study-groups/{group}/meet", status=403))[
        "code"
    ] == "not_allowed"
    meeting = await kim.post(f"/study-groups/{group}/meet")
    assert await sam.post(f"/study-groups/{group}/meet") == meeting
    joined = [await each.post(f"/sessions/{meeting['session']}/join") for each in (sam, kim)]
    assert [each["role"] for each in joined] == ["owner", "student"]
    assert (await school.person("eve").get(f"/study-groups/{group}"))["members"] == {}
    groups = (await kim.get("/study-groups?course=PHY1&mine=true"))["data"]
    assert groups[0]["members"] == {"sam": "leader", "kim": "member"}
    await sam.call("DELETE", f"/study-groups/{group}")
    assert (await kim.get(f"/study-groups/{group}", 404))["code"] == "group_not_found"


async def test_a_timetable_reports_conflicts_and_feeds_a_calendar(school):
    tutor = school.person("tutor", "tutor")
    day = time.strftime("%Y-%m-%d", time.gmtime(time.time() + 86_400))
    weekly = {
        "title": "Algebra; part 1",
        "starts": f"{day}T09:00",
        "time_zone": "Europe/Berlin",
        "duration_s": 3600,
        "rule": "FREQ=WEEKLY;COUNT=3",
    }
    first = await tutor.post("/schedule/tutor/series", weekly, 201)
    assert first["conflicts"] == []
    second = await tutor.post("/schedule/tutor/series", {**weekly, "title": "Optics", "rule": ""})
    assert len(second["conflicts"]) == 1
    table = await tutor.get("/schedule/tutor")
    assert len(table["occurrences"]) == 4
    key = table["occurrences"][-1]["key"]
    series = first["series"]["id"]
    await tutor.post(f"/schedule/tutor/series/{series}/occurrences/{key}/cancel")
    assert len((await tutor.get("/schedule/tutor"))["occurrences"]) == 3
    assert (await school.person("eve", "tutor").get("/schedule/tutor", 403))["code"] == "not_yours"
    bad = {**weekly, "rule": "FREQ=SECONDLY"}
    assert (await tutor.post("/schedule/tutor/series", bad, 400))["code"] == "bad_recurrence"

    soon = time.time() + 3600
    await tutor.post("/sessions", {"title": "A lesson, planned", "starts_at": soon})
    url = (await tutor.post("/me/calendar"))["url"]
    async with school.http.get(url) as response:
        assert (response.status, response.content_type) == (200, "text/calendar")
        feed = await response.read()
    calendar = icalendar.Calendar.from_ical(feed)
    events = calendar.walk("VEVENT")
    titles = ["A lesson, planned", "Algebra; part 1", "Algebra; part 1", "Optics"]
    assert sorted(str(event["summary"]) for event in events) == titles
    # RFC 5545, 3.6 and 3.6.1: what each calendar and each event has to have.
    assert all(name in calendar for name in ("prodid", "version"))
    assert all(name in event for event in events for name in ("uid", "dtstamp", "dtstart"))
    assert [event.errors for event in calendar.walk()] == [[]] * (1 + len(events))
    assert len({str(event["uid"]) for event in events}) == 4
    (lesson,) = (event for event in events if event["summary"] == titles[0])
    assert lesson.decoded("dtstart").timestamp() == int(soon)
    (optics,) = (event for event in events if event["summary"] == "Optics")
    berlin = datetime.fromisoformat(f"{day}T09:00").replace(tzinfo=ZoneInfo("Europe/Berlin"))
    assert optics.decoded("dtstart") == berlin
    # A program that reads the feed and writes it again has lost nothing.
    assert icalendar.Calendar.from_ical(calendar.to_ical()) == calendar
    async with school.http.get(url.replace(".ics", "x.ics")) as response:
        assert response.status == 404
