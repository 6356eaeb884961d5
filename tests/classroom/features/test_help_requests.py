import pytest

from classroom import limits
from classroom.errors import Code
from classroom.features import help_requests, people, session
from classroom.features.help_requests import Status, Urgency, queue, waited_s
from classroom.roles import Role
from classroom.visibility import visible_to
from tests.classroom.lesson import Lesson

PEOPLE = ["ada", "ben", "cem"]


def ask(by="ada", request="h1", **fields):
    return help_requests.Ask(by=by, request=request, **fields)


def lesson_of():
    return Lesson(students=PEOPLE)


def request(lesson, key="h1"):
    return lesson.room.help_requests.requests[key]


def test_the_most_urgent_comes_first_and_then_who_has_waited_longest():
    lesson = lesson_of()
    lesson.do(ask("ada", "h1"))
    lesson.do(ask("ben", "h2", urgency=Urgency.URGENT), after=5)
    lesson.do(ask("cem", "h3"), after=5)
    assert [item.id for item in queue(lesson.room.help_requests)] == ["h2", "h1", "h3"]
    assert [item.id for item in lesson.view("tutor").help_requests.requests] == ["h2", "h1", "h3"]
    assert [item.id for item in lesson.view("ada").help_requests.requests] == ["h1"]


def test_the_waiting_time_ends_with_the_response():
    lesson = lesson_of()
    lesson.do(ask())
    assert waited_s(request(lesson), lesson.now + 7) == 7
    lesson.do(help_requests.Respond(by="tutor", request="h1"), after=10)
    assert lesson.refusal(help_requests.Respond(by="tutor", request="h1")) is Code.NOTHING_TO_CHANGE
    lesson.do(help_requests.Resolve(by="tutor", request="h1"), after=50)
    assert waited_s(request(lesson), lesson.now) == 10
    assert request(lesson).status is Status.RESOLVED


def test_a_request_without_response_waited_until_it_was_closed():
    lesson = lesson_of()
    lesson.do(ask())
    lesson.do(help_requests.Dismiss(by="tutor", request="h1"), after=10)
    assert waited_s(request(lesson), lesson.now + 100) == 10
    assert lesson.refusal(help_requests.Dismiss(by="tutor", request="h1")) is Code.HELP_CLOSED


def test_each_student_has_one_request_at_a_time():
    lesson = lesson_of()
    lesson.do(ask())
    assert lesson.refusal(ask(request="h2")) is Code.HELP_PENDING
    assert lesson.refusal(ask("ben", "h1")) is Code.ALREADY_EXISTS
    lesson.do(help_requests.Resolve(by="ada", request="h1"))
    lesson.do(ask(request="h2"))


def test_a_student_settles_only_the_own_request():
    lesson = lesson_of()
    lesson.do(ask())
    assert lesson.refusal(help_requests.Resolve(by="ben", request="h1")) is Code.NOT_YOURS
    assert lesson.refusal(help_requests.Dismiss(by="ada", request="h1")) is Code.NOT_ALLOWED
    lesson.do(people.SetRole(by="tutor", person="ada", role=Role.ASSISTANT))
    assert lesson.refusal(help_requests.Dismiss(by="ada", request="h1")) is Code.NOT_YOURS


@pytest.mark.parametrize("kind", [help_requests.Respond, help_requests.Resolve, help_requests.Dismiss])
def test_unknown_requests_are_not_found(kind):
    assert lesson_of().refusal(kind(by="tutor", request="h9")) is Code.HELP_REQUEST_NOT_FOUND


def test_only_staff_and_the_student_know():
    lesson = lesson_of()
    events = lesson.do(ask(text="I am lost"))
    events += lesson.do(help_requests.Respond(by="tutor", request="h1"))
    events += lesson.do(help_requests.Resolve(by="tutor", request="h1"))
    for event in events:
        assert [visible_to(lesson.room, event, who) for who in ["tutor", "ada", "ben"]] == [True, True, False]


def test_who_leaves_needs_no_help_and_who_is_cut_off_still_does():
    lesson = lesson_of()
    for person in PEOPLE:
        lesson.do(ask(person, f"h-{person}"))
    lesson.do(people.Leave(by="ada"))
    lesson.join("ben")  # a reloaded page
    lesson.do(people.LoseConnection(person="cem", lost_at=lesson.now))
    lesson.wait(60)
    assert [item.by for item in queue(lesson.room.help_requests)] == ["ben", "cem"]
    assert request(lesson, "h-ada").status is Status.GONE
    lesson.do(session.End(by="tutor"))
    assert queue(lesson.room.help_requests) == []
    lesson.check_replay()


def test_requests_are_limited(monkeypatch):
    monkeypatch.setattr(limits, "HELP_REQUESTS", 1)
    lesson = lesson_of()
    assert lesson.refusal(ask(text="x" * 501)) is Code.TEXT_TOO_LONG
    lesson.do(ask())
    assert lesson.refusal(ask("ben", "h2")) is Code.TOO_MANY
