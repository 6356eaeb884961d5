import csv
import io
from datetime import UTC, datetime

import pytest

from signaling.sessions_api.people import usage_calls
from signaling.store.classroom.records import SessionRow


def row(number, ended_at, *, owner="ada", tenant="devkey"):
    return SessionRow(
        tenant=tenant,
        id=f"ses_{number}",
        external_id="",
        owner=owner,
        title="=1+1" if number == 0 else f"<b>{number}</b>",
        phase="ended",
        code=None,
        seq=1,
        created_at=1.0,
        starts_at=None,
        started_at=ended_at - 3600,
        ended_at=ended_at,
        due_at=None,
        present=0,
        taught_s=600.0,
        attended_s=1800.0,
    )


def at(*date):
    return datetime(*date, tzinfo=UTC).timestamp()


@pytest.fixture
async def month(school):
    rows = [
        row(0, at(2026, 10, 31, 23, 59)),
        row(1, at(2026, 11, 1)),
        row(2, at(2026, 11, 15)),
        row(3, at(2026, 11, 15), owner="<script>"),
        row(4, at(2026, 12, 1)),
        row(5, at(2026, 11, 2), tenant="devkey:other"),
    ]
    for each in rows:
        await school.world.server.store.classroom.of(each.tenant).append(f"session/{each.id}", [], row=each)


async def test_a_month_has_the_sessions_that_ended_in_it(school, month):
    found = await school.application.get("/usage?month=2026-11")
    assert found["total"] == {"tutor": "", "sessions": 3, "lesson_minutes": 30.0, "attended_minutes": 90.0}
    assert [(line["tutor"], line["sessions"]) for line in found["tutors"]] == [("<script>", 1), ("ada", 2)]
    assert (await school.application.get("/usage?month=2027-01"))["total"]["sessions"] == 0


async def test_sessions_of_a_month_come_by_pages(school, month):
    first = await school.application.get("/usage/sessions?month=2026-11&limit=2")
    rest = await school.application.get(
        f"/usage/sessions?month=2026-11&limit=2&cursor={first['next_cursor']}"
    )
    assert [each["session"] for each in first["data"] + rest["data"]] == ["ses_1", "ses_2", "ses_3"]
    assert rest["next_cursor"] is None


async def test_the_table_is_read_by_pages_and_has_no_formulas(school, month, monkeypatch):
    monkeypatch.setattr(usage_calls, "_PAGE", 1)
    text = await school.application.get("/usage.csv?month=2026-11")
    rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))
    assert [each["session"] for each in rows] == ["ses_1", "ses_2", "ses_3"]
    assert rows[0]["ended_at"] == "2026-11-01T00:00:00+00:00"
    october = await school.application.get("/usage.csv?month=2026-10")
    assert "'=1+1" in october


async def test_the_report_is_a_page_without_scripts(school, month):
    page = await school.application.get("/usage.html?month=2026-11")
    assert "&lt;script&gt;" in page
    assert "<script" not in page
    assert "<td>Total</td><td>3</td><td>30.00</td><td>90.00</td>" in page
    policy = school.application.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'unsafe-inline'; sandbox")


async def test_what_is_no_month_is_refused(school):
    for month in ["2026-13", "2026-1", "26-11", "", "2026-11-"]:
        assert (await school.application.get(f"/usage?month={month}", 400))["code"] == "invalid", month


async def test_a_session_that_ends_is_recorded_with_what_people_attended(school):
    session = await school.lesson()
    await school.person("tutor", "tutor").post(f"/sessions/{session}/end")
    line = (await school.application.get(f"/sessions/{session}/attendance"))["lines"][0]
    shelf = school.world.server.store.classroom.of("devkey")
    stored = await shelf.session(session)
    assert stored.attended_s == pytest.approx(line["total_s"], abs=0.001)
    assert stored.attended_s > 0
