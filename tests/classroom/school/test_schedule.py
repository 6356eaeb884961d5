import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classroom import limits
from classroom.errors import Code
from classroom.school import schedule
from classroom.school.recurrence import local, timestamp, zone
from classroom.school.schedule import SCHEDULE, Move, Occurrence, Series, State
from tests.classroom.school.school import Part

BERLIN = zone("Europe/Berlin")


def at(text):
    return timestamp(local(text), BERLIN)


SINCE, UNTIL = at("2026-09-01T00:00"), at("2026-12-01T00:00")
WEEKLY = Series("s1", "Algebra", "2026-09-07T09:00", "Europe/Berlin", 3_600, "FREQ=WEEKLY;COUNT=4")


def timetable(*series):
    part = Part(SCHEDULE, State(tutor="tutor"))
    for item in series:
        part.do(schedule.Add(by="tutor", series=item))
    return part


def starts(part):
    return [(item.starts_at, item.ends_at) for item in schedule.all_occurrences(part.state, SINCE, UNTIL)]


def test_a_series_has_its_occurrences():
    expected = [f"2026-09-{day:02d}T09:00" for day in (7, 14, 21, 28)]
    assert starts(timetable(WEEKLY)) == [(at(text), at(text) + 3_600) for text in expected]


def test_one_occurrence_is_cancelled_moved_and_restored():
    part = timetable(WEEKLY)
    part.do(schedule.CancelOne(by="tutor", series="s1", key="2026-09-14T09:00"))
    part.do(
        schedule.MoveOne(
            by="tutor", series="s1", key="2026-09-21T09:00", move=Move("2026-11-02T15:00", 1_800)
        )
    )
    assert [item[0] for item in starts(part)] == [
        at("2026-09-07T09:00"),
        at("2026-09-28T09:00"),
        at("2026-11-02T15:00"),
    ]
    assert starts(part)[-1][1] == at("2026-11-02T15:30")
    moved = schedule.all_occurrences(part.state, at("2026-11-01T00:00"), UNTIL)
    assert [item.key for item in moved] == [
        "2026-09-21T09:00:00"
    ]  # found though the rule's time lies outside
    cancel = schedule.CancelOne(by="tutor", series="s1", key="2026-09-14T09:00")
    assert part.refusal(cancel) is Code.NOTHING_TO_CHANGE
    part.do(schedule.RestoreOne(by="tutor", series="s1", key="2026-09-14T09:00"))
    assert len(starts(part)) == 4
    restore = schedule.RestoreOne(by="tutor", series="s1", key="2026-09-14T09:00")
    assert part.refusal(restore) is Code.NOTHING_TO_CHANGE
    part.check_replay()


def test_a_changed_series_keeps_the_exceptions_that_still_fit():
    part = timetable(WEEKLY)
    for key in ["2026-09-14T09:00", "2026-09-28T09:00"]:
        part.do(schedule.CancelOne(by="tutor", series="s1", key=key))
    shorter = Series("s1", "Algebra", "2026-09-07T09:00", "Europe/Berlin", 3_600, "FREQ=WEEKLY;COUNT=3")
    part.do(schedule.Change(by="tutor", series=shorter))
    assert list(part.state.entries["s1"].exceptions) == ["2026-09-14T09:00:00"]
    assert part.refusal(schedule.Change(by="tutor", series=shorter)) is Code.NOTHING_TO_CHANGE
    part.do(schedule.Remove(by="tutor", series="s1"))
    assert part.refusal(schedule.Remove(by="tutor", series="s1")) is Code.OCCURRENCE_NOT_FOUND
    part.check_replay()


@pytest.mark.parametrize("key", ["2026-09-08T09:00", "2026-10-05T09:00", "2026-09-14T09:30"])
def test_only_what_the_rule_has_gets_an_exception(key):
    part = timetable(WEEKLY)
    assert part.refusal(schedule.CancelOne(by="tutor", series="s1", key=key)) is Code.OCCURRENCE_NOT_FOUND


def test_a_single_lesson_can_be_moved_too():
    part = timetable(Series("s1", "Exam", "2026-09-07T09:00", "Europe/Berlin", 3_600))
    part.do(
        schedule.MoveOne(by="tutor", series="s1", key="2026-09-07T09:00", move=Move("2026-09-08T09:00", 60))
    )
    assert [item[0] for item in starts(part)] == [at("2026-09-08T09:00")]


def test_exceptions_are_limited(monkeypatch):
    monkeypatch.setattr(limits, "EXCEPTIONS", 1)
    part = timetable(WEEKLY)
    part.do(schedule.CancelOne(by="tutor", series="s1", key="2026-09-14T09:00"))
    move = Move("2026-09-15T09:00", 3_600)
    part.do(schedule.MoveOne(by="tutor", series="s1", key="2026-09-14T09:00", move=move))
    other = schedule.CancelOne(by="tutor", series="s1", key="2026-09-21T09:00")
    assert part.refusal(other) is Code.TOO_MANY


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"id": "a/b"}, Code.BAD_IDENTIFIER),
        ({"title": ""}, Code.TEXT_EMPTY),
        ({"starts": "soon"}, Code.BAD_TIME),
        ({"time_zone": "Mars/Olympus"}, Code.BAD_TIME_ZONE),
        ({"duration_s": 10}, Code.BAD_NUMBER),
        ({"rule": "FREQ=MINUTELY"}, Code.BAD_RECURRENCE),
        ({"rule": "FREQ=DAILY;COUNT=10000000"}, Code.BAD_RECURRENCE),
        ({"rule": "FREQ=DAILY;UNTIL=20200101"}, Code.BAD_RECURRENCE),
        ({"reminders": tuple(range(6))}, Code.TOO_MANY),
        ({"reminders": (-1,)}, Code.BAD_NUMBER),
        ({"course": "a b"}, Code.BAD_IDENTIFIER),
    ],
)
def test_bad_series_are_refused(change, code):
    series = schedule.structs.replace(WEEKLY, **change)
    assert timetable().refusal(schedule.Add(by="tutor", series=series)) is code


def test_a_timetable_is_its_tutors():
    part = timetable()
    assert part.refusal(schedule.Add(by="eve", series=WEEKLY)) is Code.NOT_YOURS
    part.do(schedule.Add(series=WEEKLY))  # the application
    assert part.refusal(schedule.Add(by="tutor", series=WEEKLY)) is Code.ALREADY_EXISTS


def test_the_number_of_series_is_limited(monkeypatch):
    monkeypatch.setattr(limits, "SERIES_COMPARED", 1)
    part = timetable(WEEKLY)
    other = schedule.structs.replace(WEEKLY, id="s2")
    assert part.refusal(schedule.Add(by="tutor", series=other)) is Code.TOO_MANY


def test_conflicts_are_told_across_time_zones():
    london = Series("s2", "Geometry", "2026-09-14T08:30", "Europe/London", 3_600)  # 9:30 in Berlin
    part = timetable(WEEKLY)
    (found,) = schedule.conflicts_of(part.state, london, SINCE, UNTIL)
    assert (found.first.series, found.second.series) == ("s1", "s2")
    assert found.first.starts_at == at("2026-09-14T09:00")
    after = schedule.structs.replace(london, starts="2026-09-14T09:00")  # begins as the other ends
    assert schedule.conflicts_of(part.state, after, SINCE, UNTIL) == []
    assert schedule.conflicts_of(part.state, WEEKLY, SINCE, UNTIL) == []  # not with itself
    part.do(schedule.Add(by="tutor", series=london))
    assert len(schedule.conflicts(schedule.all_occurrences(part.state, SINCE, UNTIL))) == 1


TIMES = st.tuples(st.integers(0, 50), st.integers(1, 20))


@given(st.lists(TIMES, max_size=12))
@settings(deadline=None)
def test_conflicts_and_gaps_against_a_plain_grid(times):
    items = sorted(
        Occurrence(float(first), float(first + length), f"s{index}", "k")
        for index, (first, length) in enumerate(times)
    )
    pairs = [
        (one, other)
        for index, one in enumerate(items)
        for other in items[index + 1 :]
        if other.starts_at < one.ends_at and one.starts_at < other.ends_at
    ]
    found = schedule.conflicts(items)
    assert {item.second for item in found} == {other for _, other in pairs}
    assert all((item.first, item.second) in pairs for item in found)
    free = {
        second for second in range(60) if not any(item.starts_at <= second < item.ends_at for item in items)
    }
    gaps = schedule.gaps(items, 0.0, 60.0)
    assert {second for second in range(60) if any(a <= second < b for a, b in gaps)} == free


def reminding(*before_s):
    """A timetable that was made in August 2026, and what carries out its reminders."""
    part = Part(schedule.SCHEDULE, schedule.State(tutor="tutor"))
    part.now = at("2026-08-01T09:00")
    part.do(schedule.Add(by="tutor", series=schedule.structs.replace(WEEKLY, reminders=before_s)))

    def remind(now):
        part.now = now
        events = list(schedule.SCHEDULE.expire(part.state, now))
        part.keep(events)
        return [(each.before_s, each.occurrence.starts_at) for event in events for each in event.reminders]

    return part, remind


def test_reminders_come_once_in_order_and_when_they_are_due():
    part, remind = reminding(3_600, 600)
    first = at("2026-09-07T09:00")
    found, now = [], part.now
    while now < first + 1_000:
        now = schedule.SCHEDULE.due(part.state, now)
        found.append((now, remind(now)))
    assert [each for each in found if each[1]] == [
        (first - 3_600, [(3_600, first)]),
        (first - 600, [(600, first)]),
        (first + 7 * 86_400 - 3_600, [(3_600, first + 7 * 86_400)]),
    ]
    assert remind(now) == []


def test_a_reminder_that_is_a_day_late_is_left_out():
    monday = at("2026-09-14T09:00")
    assert len(reminding(0)[1](monday + 3_600)) == 1
    assert reminding(0)[1](monday + 2 * 86_400) == []


def test_a_cancelled_occurrence_is_not_reminded_of():
    part, remind = reminding(0)
    part.do(schedule.CancelOne(by="tutor", series="s1", key="2026-09-14T09:00"))
    assert remind(at("2026-09-14T09:00") + 10) == []


def test_a_lesson_that_is_made_or_moved_too_late_for_a_reminder_has_none():
    part, remind = reminding(600)
    part.now = at("2026-09-14T08:00")
    moved = schedule.Move("2026-09-14T08:05", 3_600)
    part.do(schedule.MoveOne(by="tutor", series="s1", key="2026-09-14T09:00", move=moved))
    assert remind(at("2026-09-14T08:10")) == []


def test_a_timetable_without_reminders_has_nothing_to_do():
    part, _ = reminding()
    assert schedule.SCHEDULE.due(part.state, part.now) is None


@pytest.mark.parametrize("window", [(-1.0, 5.0), (5.0, 4.0), (0.0, float("inf")), (float("nan"), 1.0)])
def test_windows_that_are_none_are_refused(window):
    part = timetable(WEEKLY)
    with pytest.raises(schedule.Malformed):
        schedule.all_occurrences(part.state, *window)
