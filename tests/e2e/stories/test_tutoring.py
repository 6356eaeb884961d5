"""A tutoring application: a session with a code, unchanged clients in its room, attendance as a table."""

import asyncio
import csv
import io
import time

import pytest

from tests.e2e.conftest import eventually
from tests.e2e.native import publishing
from tests.e2e.stories.page import Page, connect

pytestmark = pytest.mark.timeout(180)


async def test_create_code_join_share_attendance_export(school):
    backend = school.application
    # The application creates the session and shows the code to the tutor.
    made = await backend.post(
        "/sessions",
        {"title": "Algebra", "owner": {"id": "t-1", "name": "Ms Noether"}, "external_id": "booking-7"},
        Idempotency_Key="booking-7",
    )
    session = f"/sessions/{made['id']}"
    tutor = await backend.post(f"{session}/join", {"person": "t-1"})
    ms_noether, _ = await connect(tutor)
    await backend.post(f"{session}/start")

    # The student types the code.
    student = school.person("s-1", name="Sam")
    joined = await student.post("/sessions/join-by-code", {"code": made["code"].lower()})
    sam, seen_by_sam = await connect(joined)
    page = await Page.open(student, joined)
    assert page.state["people"]["count"] == 2

    # Media flows, and the student sees what the tutor shows.
    async with publishing(ms_noether):
        await eventually(lambda: seen_by_sam.frames >= 10, "the student sees the tutor")

        # The tutor takes the student's right to share; the client is told.
        right = {"permission": "media.share_screen", "allowed": False, "person": "s-1"}
        await school.person("t-1", "tutor").post(f"{session}/moderation/allow", right)
        await page.event("moderation.allowed", allowed=False)

        # The student leaves; the visit ends then.
        left_at = time.time()
        await page.ws.close()
        await sam.disconnect()

        async def has_left():
            lines = (await backend.get(f"{session}/attendance"))["lines"]
            return next(line["last_left_at"] for line in lines if line["person"] == "s-1")

        assert abs(await eventually(has_left, "the student has left") - left_at) < 1

    # The tutor ends the session, which ends everybody's connection, and the application exports the attendance.
    gone = asyncio.Event()
    ms_noether.on("disconnected", lambda _reason: gone.set())
    await backend.post(f"{session}/end")
    async with asyncio.timeout(15):
        await gone.wait()
    table = await backend.get(f"{session}/attendance.csv")
    rows = {row["person"]: row for row in csv.DictReader(io.StringIO(table.lstrip("\ufeff")))}
    assert rows.keys() == {"t-1", "s-1"}
    assert (rows["s-1"]["name"], rows["s-1"]["visits"]) == ("Sam", "1")
    assert int(rows["t-1"]["total seconds"]) >= int(rows["s-1"]["total seconds"]) >= 0
    past = (await backend.get("/sessions?phase=over&external_id=booking-7"))["data"]
    assert [row["id"] for row in past] == [made["id"]]
