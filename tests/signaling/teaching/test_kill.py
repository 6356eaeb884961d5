"""The server is killed in the middle of a busy session: what it acknowledged is there, and attendance is exact."""

import asyncio
import time
from contextlib import suppress

import aiohttp

from tests.signaling.school_client import School, eventually
from tests.signaling.test_kill import lectern

STUDENTS = 8


async def test_nothing_acknowledged_is_lost_and_attendance_is_right_to_the_second(tmp_path):
    acknowledged = []

    async def chatter(school, session, student):
        with suppress(aiohttp.ClientError, ConnectionError):
            for number in range(1000):
                text = f"{student.token[-6:]} {number}"
                await student.post(f"/sessions/{session}/chat", {"text": text})
                acknowledged.append(text)

    async with lectern(tmp_path) as (process, url), aiohttp.ClientSession() as http:
        school = School(http, url)
        session = await school.lesson()
        students = [school.person(f"s{number}") for number in range(STUDENTS)]
        for student in students:
            await student.post(f"/sessions/{session}/join")
        joined_at = time.time()
        talking = [asyncio.create_task(chatter(school, session, student)) for student in students]

        async def busy():
            return len(acknowledged) >= 100

        await eventually(busy, 30)
        assert not any(task.done() for task in talking), "everybody is in the middle of a call"
        process.kill()
        killed_at = time.time()
        await asyncio.gather(*talking)
    async with lectern(tmp_path) as (process, url), aiohttp.ClientSession() as http:
        school = School(http, url)
        texts, after, more = set(), 0, True
        while more:
            page = await school.application.get(f"/sessions/{session}/events?after={after}&limit=1000")
            texts |= {
                each["event"]["text"] for each in page["events"] if each["event"]["type"] == "chat.sent"
            }
            after, more = page["upto"], page["more"]
        assert set(acknowledged) <= texts
        assert (await school.application.get(f"/sessions/{session}"))["phase"] == "live"
        await school.application.post(f"/sessions/{session}/end")
        lines = (await school.application.get(f"/sessions/{session}/attendance"))["lines"]
        spent = [line["total_s"] for line in lines if line["person"].startswith("s")]
        assert len(spent) == STUDENTS
        assert all(abs(each - (killed_at - joined_at)) < 1.5 for each in spent), (
            spent,
            killed_at - joined_at,
        )
