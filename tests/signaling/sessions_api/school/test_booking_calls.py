"""Appointments: a slot that a student books is a scheduled session, once."""

import asyncio
import time
from collections import Counter

from signaling.errors import StoreError
from signaling.sessions_api.desk import Desk

DAY = 86_400


def always(**more):
    """An offer around the clock."""
    weekly = [{"weekday": each, "from_minute": 0, "to_minute": 1_440} for each in range(7)]
    return {"hours": {"time_zone": "UTC", "weekly": weekly, **more}, "slot_s": 3_600}


async def offered(school, **more):
    """The slots of the next days of a tutor who offers them around the clock."""
    tutor = school.person("tutor", "tutor")
    assert (await tutor.call("PUT", "/availability/tutor", always(**more)))["name"] == "Tutor"
    return await slots(school)


async def slots(school, query=""):
    return (await school.person("sam").get(f"/availability/tutor/slots?{query}"))["data"]


async def test_a_booked_slot_is_a_scheduled_session_of_both(school):
    free = await offered(school)
    sam, tutor = school.person("sam"), school.person("tutor", "tutor")
    body = {"starts_at": free[2]["starts_at"], "topic": "Fractions", "title": "Help with fractions"}
    made = await sam.post("/availability/tutor/bookings", body, 201)
    for each in (sam, tutor):
        session = await each.get(f"/sessions/{made['session']}")
        found = (session["phase"], session["starts_at"], session["title"], session["description"])
        assert found == ("scheduled", free[2]["starts_at"], "Help with fractions", "Fractions")
    assert [each["starts_at"] for each in await slots(school)][:3] == [
        free[at]["starts_at"] for at in (0, 1, 3)
    ]
    assert (await school.person("eve").get("/availability/tutor/bookings"))["data"] == []
    assert (await sam.get("/availability/tutor/bookings"))["data"] == [made]
    assert (await tutor.get("/availability/tutor/bookings"))["data"] == [made]
    assert (await school.person("eve").get(f"/sessions/{made['session']}", 404))[
        "code"
    ] == "session_not_found"
    assert (await sam.post("/availability/tutor/bookings", body, 409))["code"] == "slot_not_free"


async def test_people_find_the_tutors_who_can_be_booked(school):
    sam, now = school.person("sam"), time.time()
    assert (await sam.get("/availability"))["data"] == []
    never = {**always(), "hours": {"time_zone": "UTC", "weekly": []}}
    over = {**always(), "hours": {"time_zone": "UTC", "weekly": [], "extra": [[now - 7_200, now - 3_600]]}}
    later = {**always(), "hours": {"time_zone": "UTC", "weekly": [], "extra": [[now + 7_200, now + 9_000]]}}
    for tutor, offer in (("zoe", always()), ("abe", later), ("ida", never), ("max", over)):
        await school.person(tutor, "tutor").call("PUT", f"/availability/{tutor}", offer)
    found = (await sam.get("/availability"))["data"]
    assert [(each["tutor"], each["name"], each["slot_s"]) for each in found] == [
        ("abe", "Abe", 3_600),
        ("zoe", "Zoe", 3_600),
    ]
    assert (await school.person("sam", tenant="other").get("/availability"))["data"] == []


async def test_students_set_times_that_tutors_compare_and_nobody_books(school):
    tutor, now = school.person("tutor", "tutor"), time.time()
    hour = now - now % 3_600 + 86_400
    times = {"sam": (0, 3), "eve": (1, 5), "tutor": (2, 9)}
    for person, (since, until) in times.items():
        extra = [[hour + since * 3_600, hour + until * 3_600]]
        offer = {"hours": {"time_zone": "UTC", "weekly": [], "extra": extra}, "slot_s": 3_600}
        caller = tutor if person == "tutor" else school.person(person)
        await caller.call("PUT", f"/availability/{person}", offer)
    found = await tutor.get("/availability/common?people=sam,eve,tutor,max,sam")
    assert found == {
        "data": [{"starts_at": hour + 7_200, "ends_at": hour + 10_800}],
        "unknown": ["max"],
    }
    assert (await tutor.get("/availability/common?people=sam,eve&duration_s=7201"))["data"] == []
    assert (await tutor.get("/availability/common?people=sam&since=1e15"))["data"] == []
    people = ",".join(map(str, range(51)))
    assert (await tutor.get(f"/availability/common?people={people}", 409))["code"] == "too_many"
    assert (await tutor.get("/availability/common?people=sam&since=9&until=9", 400))["code"] == "bad_time"
    assert (await school.person("sam").get("/availability/common?people=eve", 403))["code"] == "not_allowed"
    assert [each["tutor"] for each in (await tutor.get("/availability"))["data"]] == ["tutor"]
    assert await slots(school, "time_zone=UTC") != []
    assert (await tutor.get("/availability/sam/slots"))["data"] == []
    body = {"starts_at": hour}
    assert (await school.person("eve").post("/availability/sam/bookings", body, 409))[
        "code"
    ] == "slot_not_free"


async def test_of_many_who_book_a_slot_at_once_one_gets_it(school):
    free = (await offered(school))[:3]

    async def book(number):
        body = {"starts_at": free[number % 3]["starts_at"]}
        return await school.person(f"p{number}").attempt("POST", "/availability/tutor/bookings", body)

    answers = Counter(await asyncio.gather(*map(book, range(30))))
    assert answers == {(201, ""): 3, (409, "slot_not_free"): 27}
    made = (await school.application.get("/availability/tutor/bookings"))["data"]
    assert [each["starts_at"] for each in made] == [each["starts_at"] for each in free]
    scheduled = (await school.application.get("/sessions?owner=tutor&phase=scheduled"))["data"]
    assert {each["id"] for each in scheduled} == {each["session"] for each in made}


async def test_a_call_that_is_repeated_books_once(school):
    free = await offered(school)
    sam, body = school.person("sam"), {"starts_at": free[0]["starts_at"]}
    first = await sam.post("/availability/tutor/bookings", body, 201, Idempotency_Key="k1")
    assert await sam.post("/availability/tutor/bookings", body, 201, Idempotency_Key="k1") == first


async def test_a_repetition_completes_a_booking_whose_session_could_not_be_stored(school, monkeypatch):
    free = await offered(school)
    sam, body = school.person("sam"), {"starts_at": free[0]["starts_at"]}

    async def broken(*_arguments):
        raise StoreError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(Desk, "create", broken)
        await sam.post("/availability/tutor/bookings", body, 503, Idempotency_Key="k1")
    # The slot is held for a minute.
    refused = await school.person("eve").post("/availability/tutor/bookings", body, 409)
    assert refused["code"] == "slot_not_free"
    made = await sam.post("/availability/tutor/bookings", body, 201, Idempotency_Key="k1")
    assert (await sam.get(f"/sessions/{made['session']}"))["phase"] == "scheduled"
    assert (await sam.get("/availability/tutor/bookings"))["data"] == [made]


async def test_a_booking_whose_session_is_refused_leaves_the_slot_free(school):
    free = await offered(school)
    sam, body = school.person("sam"), {"starts_at": free[0]["starts_at"]}
    refused = await sam.post("/availability/tutor/bookings", {**body, "title": "x" * 1_000}, 400)
    assert refused["code"] == "text_too_long"
    await sam.post("/availability/tutor/bookings", body, 201)


async def test_a_slot_is_free_again_after_a_cancellation_on_either_way(school):
    free = await offered(school)
    sam, tutor = school.person("sam"), school.person("tutor", "tutor")
    body = {"starts_at": free[0]["starts_at"]}
    first = (await sam.post("/availability/tutor/bookings", body))["session"]
    path = f"/availability/tutor/bookings/{first}"
    assert (await school.person("eve").call("DELETE", path, status=404))["code"] == "booking_not_found"
    await sam.call("DELETE", path)
    assert (await sam.get(f"/sessions/{first}"))["phase"] == "cancelled"
    second = (await sam.post("/availability/tutor/bookings", body))["session"]
    await tutor.post(f"/sessions/{second}/cancel")
    assert (await sam.get("/availability/tutor/bookings"))["data"] == []
    third = (await sam.post("/availability/tutor/bookings", body))["session"]
    await tutor.call("PATCH", f"/sessions/{third}", {"starts_at": free[1]["starts_at"]})
    found = await slots(school)
    assert [each["starts_at"] for each in found][:2] == [free[at]["starts_at"] for at in (0, 2)]


async def test_other_sessions_and_the_timetable_take_slots(school):
    free = await offered(school)
    tutor = school.person("tutor", "tutor")
    await tutor.post("/sessions", {"title": "Algebra", "starts_at": free[1]["starts_at"]})
    starts = time.strftime("%Y-%m-%dT%H:%M", time.gmtime(free[3]["starts_at"]))
    lesson = {"title": "Optics", "starts": starts, "time_zone": "UTC", "duration_s": 7_200}
    await tutor.post("/schedule/tutor/series", {**lesson, "rule": "FREQ=DAILY"})
    taken = [free[at]["starts_at"] for at in (1, 3, 4)]
    found = [each["starts_at"] for each in await slots(school)]
    assert [each["starts_at"] for each in free[:6] if each["starts_at"] not in found] == taken
    sam = school.person("sam")
    for start in taken:
        refused = await sam.post("/availability/tutor/bookings", {"starts_at": start}, 409)
        assert refused["code"] == "slot_not_free"


async def test_slots_are_told_in_any_time_zone_and_absences_to_nobody(school):
    since = time.time()
    free = await offered(school, away=[[since, since + 2 * DAY]])
    assert free[0]["starts_at"] >= since + 2 * DAY
    (first, *_) = await slots(school, "time_zone=Asia/Kathmandu")
    assert first["local"].endswith(":45:00+05:45")
    seen = (await school.person("sam").get("/availability/tutor"))["offer"]
    assert seen["hours"]["away"] == []
    assert len((await school.application.get("/availability/tutor"))["offer"]["hours"]["away"]) == 1
    sam = school.person("sam")
    for query, code in (
        ("time_zone=Nowhere", "bad_time_zone"),
        ("since=5&until=1", "bad_time"),
        ("since=0&until=99999999", "bad_time"),
        ("since=nan", "bad_time"),
    ):
        assert (await sam.get(f"/availability/tutor/slots?{query}", 400))["code"] == code
    assert await slots(school, "since=1e12&until=1000000000001") == []
    assert (await sam.call("PUT", "/availability/tutor", always(), 403))["code"] == "not_yours"
    for start in (1e15, -5.0, 0.0):
        refused = await sam.post("/availability/tutor/bookings", {"starts_at": start}, 400)
        assert refused["code"] == "bad_time"


async def test_administrators_book_for_others_and_reminders_come(school):
    free = await offered(school)
    body = {"starts_at": free[0]["starts_at"], "person": "kim", "name": "Kim"}
    made = await school.application.post("/availability/tutor/bookings", body)
    assert (made["person"], made["name"]) == ("kim", "Kim")
    settings = (await school.application.get(f"/sessions/{made['session']}"))["settings"]
    assert (settings["reminders"], settings["lobby"]) == ([900], "invited")
    own = await school.person("sam").post(
        "/availability/tutor/bookings", {**body, "starts_at": free[1]["starts_at"]}
    )
    assert own["person"] == "sam"


async def test_other_tenants_and_erased_people_have_no_bookings(school):
    free = await offered(school)
    await school.person("sam").post(
        "/availability/tutor/bookings", {"starts_at": free[0]["starts_at"], "topic": "My divorce"}
    )
    stranger = school.person("tutor", "admin", tenant="other")
    assert (await stranger.get("/availability/tutor"))["offer"] is None
    assert (await stranger.get("/availability/tutor/slots"))["data"] == []
    refused = await stranger.post("/availability/tutor/bookings", {"starts_at": free[1]["starts_at"]}, 403)
    assert refused["code"] == "not_allowed"
    found = await school.application.get("/privacy/sam")
    assert "bookings/tutor" in [each["log"] for each in found["school"]]
    await school.application.post("/privacy/sam/erase")
    (kept,) = (await school.application.get("/availability/tutor/bookings"))["data"]
    assert (kept["name"], kept["topic"]) == ("erased", "")
    assert kept["person"].startswith("erased-")
