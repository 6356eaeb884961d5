import msgspec
from hypothesis import HealthCheck, given, settings

from classroom import engine
from classroom.batch import Batch, batches, fold, unfold
from classroom.features import chat, exercises, hands, people, polls, reactions
from classroom.visibility import shown_to
from tests.classroom.histories import PEOPLE, busy_lesson, play, steps
from tests.classroom.lesson import Lesson

RELAXED = settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))


def a_thousand_hands():
    lesson = Lesson(students=[f"s{index}" for index in range(1_000)], capacity=1_000)
    after = lesson.room.seq
    events = []
    for index in range(1_000):
        lesson.now += 0.002
        events += lesson.keep(engine.decide(lesson.room, hands.Raise(by=f"s{index}"), lesson.now))
    return lesson, after, events


def test_1_000_raised_hands_are_one_value():
    lesson, after, events = a_thousand_hands()
    result = batches(lesson.room, after, events, lesson.room.people.present)
    assert len(result) == 1_001
    (batch,) = {id(value): value for value in result.values()}.values()  # one object for all pages
    (run,) = batch.runs
    assert (run.type, run.count, batch.after, batch.upto) == ("hands.raised", 1_000, after, after + 1_000)
    assert set(run.columns) == {"at", "by"}
    one_by_one = sum(len(msgspec.json.encode(event)) for event in events)
    assert len(msgspec.json.encode(batch)) < one_by_one / 2


@RELAXED
@given(steps())
def test_folding_loses_nothing(history):
    lesson = busy_lesson()
    play(lesson, history)
    runs = msgspec.json.decode(msgspec.json.encode(fold(lesson.events)), type=tuple)
    assert unfold(msgspec.convert(runs, Batch.__annotations__["runs"])) == lesson.events


@RELAXED
@given(steps())
def test_a_batch_is_what_the_person_may_see(history):
    lesson = busy_lesson(private_chat=True)
    after = lesson.room.seq
    play(lesson, history)
    events = lesson.events[after:]
    result = batches(lesson.room, after, events, PEOPLE)
    for person in PEOPLE:
        seen = [shown for event in events if (shown := shown_to(lesson.room, event, person)) is not None]
        assert (unfold(result[person].runs) if person in result else []) == seen


def test_those_who_see_the_same_share_a_batch():
    lesson = Lesson(students=["ada", "ben", "cem"])
    lesson.do(polls.Create(by="tutor", poll="p1", question="Ready?", kind=polls.Kind.RATING))
    after = lesson.room.seq
    events = lesson.do(polls.Open(by="tutor", poll="p1"))
    events += lesson.do(polls.Answer(by="ada", poll="p1", rating=3))
    result = batches(lesson.room, after, events, ["tutor", "ada", "ben", "cem"])
    assert result["ben"] is result["cem"]
    assert result["ada"] is result["tutor"]
    assert len(result["ben"].runs) == 1


def test_what_is_cut_out_for_one_goes_to_nobody_else():
    lesson = Lesson(students=["ada", "ben", "cem"])
    lesson.do(exercises.Add(by="tutor", exercise=exercises.Exercise("e1", "Sums")))
    after = lesson.room.seq
    events = lesson.do(exercises.Assign(by="tutor", exercise="e1"))
    result = batches(lesson.room, after, events, ["ada", "ben", "cem"])
    assert {person: batch.runs[0].same["people"] for person, batch in result.items()} == {
        person: (person,) for person in ["ada", "ben", "cem"]
    }


def test_who_may_see_nothing_gets_nothing():
    lesson = Lesson(students=["ada"])
    events = lesson.do(reactions.React(by="ada", expression="👍"))
    assert batches(lesson.room, 0, events, ["stranger"]) == {}
    private = lesson.do(chat.Send(by="ada", message="m1", text="x", scope=chat.Scope.STAFF))
    lesson.join("ben")
    assert set(batches(lesson.room, 0, private, ["ben", "tutor"])) == {"tutor"}


def test_runs_keep_the_order():
    lesson = Lesson(students=["ada", "ben"])
    events = lesson.do(hands.Raise(by="ada")) + lesson.do(people.Leave(by="ada"))
    events += lesson.do(hands.Raise(by="ben"))
    assert [run.type for run in fold(events)] == ["hands.raised", "people.left", "hands.raised"]
