from signaling.store import Attendance, Meeting, MeetingFilter
from tests.signaling.entries import finished, joined, left, logged, moved_in, moved_out, started

BEGUN = [logged(1, started()), logged(2, joined())]


async def test_sessions_and_stays_follow_from_the_log(store):
    await store.events.append(BEGUN)
    assert await store.sessions.of_room("algebra") == [Meeting("RM_1", "algebra", 1.0, None)]
    assert await store.sessions.stays("RM_1") == [Attendance("RM_1", "PA_ada", "ada", "Ada", 2.0, None)]
    await store.events.append([logged(3, left()), logged(4, finished())])
    assert await store.sessions.of_room("algebra") == [Meeting("RM_1", "algebra", 1.0, 4.0)]
    assert (await store.sessions.stays("RM_1"))[0].left_at == 3.0


async def test_who_is_moved_away_and_back_has_one_stay(store):
    moves = [logged(3, moved_out()), logged(4, moved_in())]
    await store.events.append([*BEGUN, *moves])
    assert await store.sessions.stays("RM_1") == [Attendance("RM_1", "PA_ada", "ada", "Ada", 2.0, None)]


async def start(store, *names):
    for at, name in enumerate(names, 1):
        await store.events.append([logged(1, started(name), f"RM_{at}", float(at))])


def sids(found):
    return [session.sid for session in found]


async def test_sessions_are_found_by_what_is_asked_for(store):
    await start(store, "algebra", "logic", "algebra")
    await store.events.append([logged(2, finished(), at=5.0)])
    everything = await store.sessions.find(MeetingFilter())
    assert sids(everything) == ["RM_3", "RM_2", "RM_1"]
    for wanted, expected in [
        (MeetingFilter(room="algebra"), ["RM_3", "RM_1"]),
        (MeetingFilter(started_from=2.0), ["RM_3", "RM_2"]),
        (MeetingFilter(ended_until=5.0), ["RM_1"]),
        (MeetingFilter(ended_until=4.9), []),
        (MeetingFilter(ongoing=True), ["RM_3", "RM_2"]),
        (MeetingFilter(room="algebra", ongoing=False), ["RM_1"]),
    ]:
        assert sids(await store.sessions.find(wanted)) == expected
        assert await store.sessions.count(wanted) == len(expected)
    assert await store.sessions.get("RM_2") == everything[1]
    assert await store.sessions.get("RM_4") is None


async def test_sessions_are_read_page_by_page_in_both_directions(store):
    await start(store, *("algebra" for _ in range(5)))
    every = MeetingFilter()
    assert sids(await store.sessions.find(every, 2)) == ["RM_5", "RM_4"]
    assert sids(await store.sessions.find(every, 2, older_than="RM_4")) == ["RM_3", "RM_2"]
    assert sids(await store.sessions.find(every, 2, newer_than="RM_2")) == ["RM_4", "RM_3"]
    assert sids(await store.sessions.find(every, 9, older_than="RM_5", newer_than="RM_2")) == ["RM_4", "RM_3"]
    assert await store.sessions.find(every, 2, older_than="RM_9") == []


async def test_stays_of_several_sessions_are_read_at_once(store):
    await start(store, "algebra", "logic")
    for sid in ("RM_2", "RM_1"):
        await store.events.append([logged(2, joined(), sid, 3.0)])
    assert {stay.session_sid for stay in await store.sessions.stays("RM_1", "RM_2")} == {"RM_1", "RM_2"}
    assert await store.sessions.stays() == []


async def test_sessions_with_somebody_in_them_of_rooms_that_a_key_may_see(store):
    for number, (name, owner) in enumerate([("a", ""), ("b", "school"), ("c", "other"), ("d", "")], 1):
        begun = logged(1, started(name, owner=owner), f"RM_{number}", float(number))
        await store.events.append([begun])
    for number in (1, 2, 3):
        await store.events.append([logged(2, joined(), f"RM_{number}", 9.0)])

    async def found(**wanted):
        sessions = await store.sessions.find(MeetingFilter(**wanted))
        assert await store.sessions.count(MeetingFilter(**wanted)) == len(sessions)
        return "".join(session.room for session in sessions)

    assert await found(attended=True) == "cba"
    assert await found(attended=True, visible_to="school") == "ba"
    assert await found(visible_to="none") == "da"
    assert await found(sid="RM_2", visible_to="school") == "b"
    assert await found(sid="RM_3", visible_to="school") == ""
    oldest = await store.sessions.oldest(MeetingFilter(attended=True), 2)
    assert [session.room for session in oldest] == ["b", "a"]


async def test_a_stay_knows_the_applications_user(store):
    known = joined(attributes={"lectern.user_id": "u-1"})
    await store.events.append([BEGUN[0], logged(2, known)])
    assert (await store.sessions.stays("RM_1"))[0].user_id == "u-1"


async def test_old_sessions_are_forgotten_part_by_part(store):
    await start(store, *("algebra" for _ in range(5)))
    for at in range(1, 5):
        await store.events.append([logged(2, finished(), f"RM_{at}", float(at))])
    assert [await store.sessions.forget(4.0, limit=2) for _ in range(3)] == [2, 1, 0]
    assert sids(await store.sessions.find(MeetingFilter())) == ["RM_5", "RM_4"]
    assert await store.events.read("RM_1") == []
    assert len(await store.events.read("RM_4")) == 2
