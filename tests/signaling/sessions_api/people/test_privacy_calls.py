import asyncio
import logging
import sqlite3
from itertools import product

import pytest

from signaling.sessions_api.desk import Desk
from signaling.store.classroom.shelf import TenantShelf
from tests.signaling.school_client import eventually
from tests.signaling.session_files import PNG, Files, on_disk

SECRETS = (
    "Sam Smith",
    "my secret message",
    "my secret question",
    "my secret answer",
    "a note about Sam",
    "sam.png",
)


@pytest.fixture
async def lesson(school):
    """An ended session in which Sam did something of everything, and Eve too."""
    session = await school.lesson(people=[{"id": "sam", "name": "Sam Smith"}, {"id": "eve", "name": "Eve"}])
    path, tutor = f"/sessions/{session}", school.person("tutor", "tutor")
    sam, eve = school.person("sam", name="Sam Smith"), school.person("eve")
    for person in (sam, eve):
        await person.post(f"{path}/join")
    await sam.post(f"{path}/chat", {"text": "my secret message"})
    await eve.post(f"{path}/chat", {"text": "what Eve said"})
    await sam.post(f"{path}/questions", {"text": "my secret question"})
    poll = (await tutor.post(f"{path}/polls", {"question": "Why?", "kind": "short"}))["id"]
    await tutor.post(f"{path}/polls/{poll}/open")
    await sam.post(f"{path}/polls/{poll}/answer", {"text": "my secret answer"})
    exercise = {"exercise": {"id": "x1", "title": "Rings", "text": "Prove it."}}
    await tutor.post(f"{path}/exercises", exercise)
    await tutor.post(f"{path}/exercises/x1/assign", {"people": ["sam"]})
    await sam.post(f"{path}/exercises/x1/submit", {"text": "my secret answer"})
    await tutor.post(f"{path}/exercises/x1/give-back", {"person": "sam", "note": "a note about Sam"})
    await Files(school, session).add(sam, PNG, "sam.png")
    await tutor.post(f"{path}/end")
    return session


async def test_a_person_gets_all_that_is_kept_about_them(school, lesson):
    for found in (
        await school.application.get("/privacy/sam"),
        await school.person("sam").get("/me/data"),
    ):
        text = str(found)
        assert [secret for secret in SECRETS if secret not in text] == []
        assert "what Eve said" not in text
        assert found["sessions"][0]["session"] == lesson
    assert (await school.application.get("/audit?action=person.exported"))["data"][0]["subject"] == "sam"


async def test_erasure_leaves_counts_and_the_history_of_others(school, lesson, world, tmp_path):
    before = (await school.application.get(f"/sessions/{lesson}/attendance"))["lines"]
    done = await school.application.post("/privacy/sam/erase")
    assert (done["sessions"], done["files"]) == (1, 1)
    after = (await school.application.get(f"/sessions/{lesson}/attendance"))["lines"]
    assert [line["person"] for line in after] == ["tutor", done["pseudonym"], "eve"]
    assert [line["total_s"] for line in after] == [line["total_s"] for line in before]
    assert (await school.application.get(f"/sessions/{lesson}"))["phase"] == "ended"
    events = str(await school.application.get(f"/sessions/{lesson}/events?limit=1000"))
    assert "what Eve said" in events
    assert "Ms Noether" in events
    await world.server.teaching.files.finish()
    assert on_disk(world) == []
    # Nowhere in the tables of sessions, not only not in the answers.
    with sqlite3.connect(tmp_path / "lectern.db") as database:
        tables = (
            "classroom_events",
            "classroom_snapshots",
            "classroom_sessions",
            "classroom_people",
            "audit_entries",
        )
        rows = str([database.execute(f"SELECT * FROM {table}").fetchall() for table in tables])
    database.close()
    assert [secret for secret in (*SECRETS, "'sam'", '"sam"') if secret in rows] == []
    found = await school.application.get("/privacy/sam")
    assert (found["sessions"], found["audit"], found["account"]) == ([], [], None)


async def test_erasing_a_tutor_leaves_what_students_wrote_and_are_called(school, lesson):
    await school.application.post("/privacy/tutor/erase")
    events = str(await school.application.get(f"/sessions/{lesson}/events?limit=1000"))
    assert "Ms Noether" not in events
    for kept in ("Sam Smith", "my secret message", "what Eve said"):
        assert kept in events
    assert (await school.application.get(f"/sessions/{lesson}"))["owner"]["id"].startswith("erased-")


async def test_commands_during_an_erasure_wait_and_find_the_log_as_it_is_then(school, world, monkeypatch):
    """A command decided on the state before would add an event that nobody could replay."""
    body = {"title": "Later", "owner": {"id": "tutor", "name": "T"}, "people": [{"id": "sam", "name": "Sam"}]}
    session = (await school.application.post("/sessions", body))["id"]
    await school.person("sam").post(f"/sessions/{session}/join")
    begun, go_on = asyncio.Event(), asyncio.Event()
    rewrite = TenantShelf.rewrite

    async def slow(*given, **named):
        begun.set()
        await go_on.wait()
        await rewrite(*given, **named)

    monkeypatch.setattr(TenantShelf, "rewrite", slow)
    erasing = asyncio.create_task(school.application.post("/privacy/sam/erase"))
    await begun.wait()
    leaving = asyncio.create_task(school.person("sam").attempt("POST", f"/sessions/{session}/leave", {}))
    live = world.server.teaching.registry.session("devkey", session)
    await eventually(lambda: asyncio.sleep(0, bool(live._queue)))
    assert not leaving.done()
    go_on.set()
    await erasing
    assert (await leaving)[0] in {403, 404}, "there is no such person any more"
    live._room = None
    assert (await school.application.get(f"/sessions/{session}"))["phase"] == "draft", (
        "the log can be replayed"
    )


async def test_nobody_is_erased_out_of_an_open_session(school):
    await school.lesson(people=[{"id": "sam", "name": "Sam"}])
    assert (await school.application.post("/privacy/sam/erase", status=409))["code"] == "wrong_phase"
    assert (await school.application.get("/privacy/sam"))["sessions"] != []


async def test_the_school_around_sessions_is_exported_and_erased_too(school):
    tutor = school.person("tutor", "tutor")
    course = (await school.application.post("/courses", {"title": "Physics"}))["id"]
    await school.application.post(f"/courses/{course}/enrolments", {"person": "sam"})
    await tutor.post("/office-hours/tutor/open")
    await school.person("sam", name="Sam Smith").post(
        "/office-hours/tutor/join", {"topic": "my secret question"}
    )
    found = await school.application.get("/privacy/sam")
    assert {each["log"] for each in found["school"]} == {"courses", "office_hours/tutor"}
    assert "my secret question" in str(found)
    done = await school.application.post("/privacy/sam/erase")
    people = (await school.application.get(f"/courses/{course}"))["people"]
    assert list(people) == [done["pseudonym"]]
    queue = str(await tutor.get("/office-hours/tutor"))
    assert "my secret question" not in queue
    assert (await school.application.get("/privacy/sam"))["school"] == []


async def test_others_learn_and_erase_nothing(school):
    calls = [
        ("GET", "/privacy/sam", None),
        ("POST", "/privacy/sam/erase", {}),
        ("GET", "/audit", None),
        ("GET", "/tenants", None),
        ("GET", "/tenants/current", None),
        ("PATCH", "/tenants/current", {"retention_days": 1}),
        ("GET", "/usage?month=2026-11", None),
        ("GET", "/usage/sessions?month=2026-11", None),
        ("GET", "/usage.csv?month=2026-11", None),
        ("GET", "/usage.html?month=2026-11", None),
    ]
    for role, (method, path, body) in product(("tutor", "assistant", "student"), calls):
        answer = await school.person("eve", role).attempt(method, path, body)
        assert answer == (403, "not_allowed"), (role, path)


async def test_tenants_are_those_of_the_key_and_for_administrators_their_own(school):
    await school.lesson()
    await school.person("t", "tutor", tenant="north").post("/sessions", {"title": "x"}, 201)
    assert [each["id"] for each in (await school.application.get("/tenants"))["data"]] == [
        "devkey",
        "devkey:north",
    ]
    boss = school.person("boss", "admin", tenant="north")
    assert [each["id"] for each in (await boss.get("/tenants"))["data"]] == ["devkey:north"]
    assert (await boss.call("PATCH", "/tenants/current", {"retention_days": 30}))["retention_days"] == 30
    assert (await school.application.get("/tenants/current"))["retention_days"] == 0


@pytest.fixture
def log(caplog):
    """What the server logs from the setup of a test on, with what only developers see."""
    caplog.set_level(logging.DEBUG, "signaling")
    return caplog


async def test_names_and_texts_are_in_no_log_line_not_even_of_a_fault(log, lesson, school, monkeypatch):
    account = {"email": "sam.smith@school.example", "name": "Sam Smith"}
    await school.application.post("/users", account)
    wrong = {"email": account["email"], "password": "my secret password"}
    await school.application.post("/sign-in", wrong, 401)

    async def fails(*_arguments):
        raise RuntimeError("a fault of this test")

    monkeypatch.setattr(Desk, "carry_out", fails)
    sam = school.person("sam", name="Sam Smith")
    await sam.post(f"/sessions/{lesson}/chat", {"text": "my secret message"}, 500)
    records = [*log.get_records("setup"), *log.get_records("call")]
    written = "\n".join(map(logging.Formatter().format, records))
    assert "a fault of this test" in written
    for text in (*SECRETS, *wrong.values()):
        assert text not in written, text
