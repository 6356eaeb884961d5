"""One tenant's rows, on each database: logs with an optimistic lock, the index, repeated calls."""

from dataclasses import replace

import pytest

from signaling.errors import UnstorableError
from signaling.store.classroom.records import (
    LoggedEvent,
    SavedAnswer,
    SessionQuery,
    SessionRow,
    Snapshot,
    Timer,
)
from signaling.store.classroom.shelf import session_log
from signaling.store.records import NewDelivery, WebhookEndpoint

LOG = session_log("ses_1")
DATA = b'{"text":"\\u0000 \xc3\xa9"}'


def row(session_id="ses_1", **fields):
    values = {
        "tenant": "north",
        "id": session_id,
        "external_id": "",
        "owner": "tutor",
        "title": "Algebra",
        "phase": "live",
        "code": f"code {session_id}",
        "seq": 1,
        "created_at": 10.0,
        "starts_at": None,
        "started_at": None,
        "ended_at": None,
        "due_at": None,
        "present": 0,
        "taught_s": 0.0,
        **fields,
    }
    return SessionRow(**values)


def events(first, last):
    return [
        LoggedEvent(seq, "chat.sent", b'{"text":"\\u0000 \xc3\xa9"}', 10.0 + seq)
        for seq in range(first, last + 1)
    ]


async def test_a_log_is_appended_read_and_never_written_twice(store):
    shelf = store.classroom.of("north")
    await shelf.append(LOG, events(1, 3), row=row(seq=3), people={"tutor": "owner"})
    assert await shelf.read(LOG) == events(1, 3)
    assert await shelf.read(LOG, after=1, limit=1) == events(2, 2)
    assert await shelf.read(LOG, after=1, upto=2) == events(2, 2)
    with pytest.raises(UnstorableError):
        await shelf.append(LOG, events(3, 4), row=row(seq=4, title="Lost"))
    assert await shelf.read(LOG) == events(1, 3)
    assert (await shelf.session("ses_1")).title == "Algebra"
    await shelf.append(LOG, events(4, 4), snapshot=Snapshot(3, b"{}"))
    await shelf.append(LOG, events(5, 5), snapshot=Snapshot(5, b"[]"))
    assert await shelf.snapshot(LOG) == Snapshot(5, b"[]")
    assert await shelf.logs("session/") == [LOG]
    assert await shelf.logs("session_") == []


async def test_what_belongs_to_one_tenant_does_not_exist_for_another(store):
    mine, other = store.classroom.of("north"), store.classroom.of("south")
    await mine.append(LOG, events(1, 1), row=row(), people={"sam": "student"}, snapshot=Snapshot(1, b"{}"))
    await mine.save_answer("sam", "k", SavedAnswer("f", 200, "{}"), 1.0)
    assert await other.read(LOG) == []
    assert await other.snapshot(LOG) is None
    assert await other.session("ses_1") is None
    assert await other.by_code("code ses_1") is None
    assert await other.answer("sam", "k") is None
    assert await other.sessions(SessionQuery(), 10) == []
    assert await other.logs("") == []
    assert await other.delete_session("ses_1") is False
    assert await mine.session("ses_1") == row()
    assert await store.classroom.tenant_of("ses_1") == "north"
    assert await store.classroom.tenant_of_code("code ses_1") == "north"
    # Another tenant's session of the same name would be another row; ids are unique among all all the same.
    with pytest.raises(UnstorableError):
        await other.append(LOG, events(1, 1), row=row(code="else"))


async def test_sessions_are_found_by_what_the_index_knows(store):
    shelf = store.classroom.of("north")
    for number, fields in enumerate(
        [{"owner": "eve"}, {"phase": "ended", "code": None}, {"external_id": "L7", "starts_at": 100.0}, {}]
    ):
        made = row(f"ses_{number}", **{"created_at": 10.0 + number // 2, **fields})
        await shelf.append(
            session_log(made.id), events(1, 1), row=made, people={"sam": "student"} if number else {}
        )

    async def found(limit=10, **query):
        return [each.id for each in await shelf.sessions(SessionQuery(**query), limit)]

    assert await found() == ["ses_3", "ses_2", "ses_1", "ses_0"]
    assert await found(person="sam", limit=2) == ["ses_3", "ses_2"]
    assert await found(before=(11.0, "ses_2")) == ["ses_1", "ses_0"]
    assert await found(owner="eve") == ["ses_0"]
    assert await found(phases=("ended",)) == ["ses_1"]
    assert await found(starts_from=100.0, starts_until=101.0) == ["ses_2"]
    assert (await shelf.by_external_id("L7")).id == "ses_2"
    assert await shelf.delete_session("ses_2") is True
    assert await shelf.read(session_log("ses_2")) == []
    assert await found(person="sam") == ["ses_3", "ses_1"]


async def test_deadlines_and_people_are_found_across_tenants(store):
    for tenant, due_at, present in (("north", 50.0, 0), ("south", 20.0, 2), ("west", None, 0)):
        made = replace(row(f"ses_{tenant}"), tenant=tenant, due_at=due_at, present=present)
        await store.classroom.of(tenant).append(session_log(made.id), events(1, 1), row=made)
    assert await store.classroom.next_due_at() == 20.0
    assert await store.classroom.due(50.0, 10) == [("south", "ses_south"), ("north", "ses_north")]
    assert await store.classroom.due(49.0, 10) == [("south", "ses_south")]
    assert [each.tenant for each in await store.classroom.occupied()] == ["south"]


async def test_answers_are_forgotten_by_age_and_webhooks_are_stored_with_events(store):
    shelf = store.classroom.of("north")
    await store.endpoints.put(WebhookEndpoint("hook", "sessions", "https://school.example", {}, 1.0))
    await shelf.append(
        LOG, events(1, 1), row=row(), deliveries=[NewDelivery("hook", "r", "e", "session.created", "{}")]
    )
    assert await store.outbox.count() == 1
    answer = SavedAnswer("f", 201, '{"a":1}', {"ETag": '"x"'})
    await shelf.save_answer("sam", "old", answer, 1.0)
    await shelf.save_answer("sam", "new", answer, 9.0)
    assert await shelf.answer("sam", "new") == answer
    assert await store.classroom.forget_answers(5.0) == 1
    assert await shelf.answer("sam", "old") is None


async def test_usage_is_summed_by_tutor_over_the_sessions_of_a_time(store):
    shelf = store.classroom.of("north")
    times = [("eve", 99.0), ("eve", 100.0), ("ada", 150.0), ("eve", 199.0), ("ada", 200.0), ("ada", None)]
    for number, (owner, ended_at) in enumerate(times):
        fields = {"owner": owner, "ended_at": ended_at, "taught_s": 60.0 + number, "attended_s": 0.1}
        made = row(f"ses_{number}", **fields)
        await shelf.append(session_log(made.id), events(1, 1), row=made)
    found = await shelf.usage(100.0, 200.0)
    assert [(each.owner, each.sessions, each.taught_s) for each in found] == [
        ("ada", 1, 62.0),
        ("eve", 2, 124.0),
    ]
    assert [type(each.sessions) for each in found] == [int, int]
    assert found[1].attended_s == pytest.approx(0.2)
    assert await store.classroom.of("south").usage(0.0, 1e9) == []
    assert await store.classroom.names(("", ""), 2) == [("north", "ses_0"), ("north", "ses_1")]
    assert len(await store.classroom.names(("north", "ses_1"), 10)) == 4


async def test_a_rewritten_log_has_its_new_events_no_snapshot_and_another_person_in_the_index(store):
    shelf, other = store.classroom.of("north"), store.classroom.of("south")
    for each in (shelf, other):
        tenant, session_id = each.tenant, f"ses_{each.tenant}"
        made = replace(row(session_id, owner="eve"), tenant=tenant)
        people = {"eve": "owner", "sam": "student"}
        await each.append("session/x", events(1, 3), row=made, people=people, snapshot=Snapshot(3, b"{}"))
    new = {2: '{"text":"erased é 🎓"}'.encode()}
    await shelf.rewrite("session/x", new, session="ses_north", person="eve", other="erased-1")
    assert [each.data for each in await shelf.read("session/x")] == [DATA, new[2], DATA]
    assert await shelf.snapshot("session/x") is None
    assert (await shelf.session("ses_north")).owner == "erased-1"
    for person, count in (("eve", 0), ("erased-1", 1), ("sam", 1)):
        assert len(await shelf.sessions(SessionQuery(person=person), 10)) == count
    assert await other.read("session/x") == events(1, 3)
    assert await other.snapshot("session/x") == Snapshot(3, b"{}")
    assert (await other.session("ses_south")).owner == "eve"


async def test_timers_are_replaced_found_and_deleted_with_their_log(store):
    shelf = store.classroom.of("north")
    await shelf.append("schedule/eve", events(1, 1), timer=Timer(50.0))
    await shelf.append("schedule/eve", events(2, 2), timer=Timer(20.0))
    await store.classroom.of("south").append("schedule/eve", [], timer=Timer(30.0))
    assert await store.classroom.next_timer_at() == 20.0
    assert await store.classroom.timers_due(29.0, 10) == [("north", "schedule/eve")]
    assert len(await store.classroom.timers_due(30.0, 10)) == 2
    await shelf.append("schedule/eve", events(3, 3))
    assert await store.classroom.next_timer_at() == 20.0
    await shelf.delete_log("schedule/eve")
    await store.classroom.of("south").append("schedule/eve", [], timer=Timer(None))
    assert await store.classroom.next_timer_at() is None
