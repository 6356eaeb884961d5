import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from classroom import limits
from classroom.errors import Code
from classroom.school import office_hours
from classroom.school.availability import Availability, Weekly
from classroom.school.office_hours import OFFICE_HOURS, Outcome, State, position, wait_s
from tests.classroom.school.school import NOW, Part

PEOPLE = ["ada", "ben", "cem"]


def opened(*people):
    part = Part(OFFICE_HOURS, State(tutor="tutor"))
    part.do(office_hours.Open(by="tutor"))
    for person in people:
        part.do(join(person))
    return part


def join(person, **fields):
    return office_hours.Join(by=person, name=person.title(), **fields)


def admit(session="s1", **fields):
    return office_hours.Admit(by="tutor", session=session, **fields)


def test_who_comes_first_is_served_first():
    part = opened(*PEOPLE)
    assert [position(part.state, person) for person in [*PEOPLE, "dan"]] == [1, 2, 3, 0]
    (admitted,) = part.do(admit())
    assert (admitted.person, admitted.session) == ("ada", "s1")
    assert position(part.state, "ben") == 1
    assert part.refusal(admit("s2")) is Code.TUTOR_BUSY
    part.do(office_hours.Complete(by="tutor"), after=60)
    (admitted,) = part.do(admit("s2", person="cem"))
    assert admitted.person == "cem"
    part.check_replay()


def test_the_wait_is_judged_by_the_visits_so_far():
    part = opened(*PEOPLE)
    assert wait_s(part.state, "cem", part.now) == 2 * office_hours.TYPICAL_S
    part.do(admit())
    part.do(office_hours.Complete(by="tutor"), after=100)
    part.do(admit("s2"))
    assert wait_s(part.state, "cem", part.now + 30) == 70
    assert wait_s(part.state, "cem", part.now + 500) == 0
    assert wait_s(part.state, "dan", part.now) == 100


def test_a_no_show_does_not_count_as_a_visit():
    part = opened("ada")
    part.do(admit())
    (ended,) = part.do(office_hours.NoShow(by="tutor"), after=5)
    assert (ended.person, ended.outcome) == ("ada", Outcome.NO_SHOW)
    assert part.state.lasted_s == []
    assert part.refusal(office_hours.Complete(by="tutor")) is Code.NOT_QUEUED


def test_they_are_open_at_the_weekly_times():
    part = Part(OFFICE_HOURS, State(tutor="tutor"))
    assert part.refusal(join("ada")) is Code.HOURS_CLOSED
    hours = Availability("UTC", (Weekly(4, 8 * 60, 9 * 60),))
    part.do(office_hours.SetHours(by="tutor", hours=hours))
    part.now = NOW - 1
    assert part.refusal(join("ada")) is Code.HOURS_CLOSED
    part.now = NOW  # Friday, 15 January 2027, 8:00 UTC
    assert office_hours.is_open(part.state, NOW)
    assert not office_hours.is_open(part.state, NOW + 3_600)
    part.do(join("ada"))


def test_they_can_be_opened_and_closed_out_of_turn():
    part = opened("ada")
    assert part.refusal(office_hours.Open(by="tutor")) is Code.NOTHING_TO_CHANGE
    part.do(office_hours.Close(by="tutor"))
    assert part.refusal(office_hours.Close(by="tutor")) is Code.HOURS_CLOSED
    assert part.refusal(join("ben")) is Code.HOURS_CLOSED
    part.do(admit())  # who waits is still served


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (join("ada"), Code.ALREADY_QUEUED),
        (join("tutor"), Code.NOT_ALLOWED),
        (office_hours.Join(by="ben", name=""), Code.TEXT_EMPTY),
        (office_hours.Leave(by="ben"), Code.NOT_QUEUED),
        (office_hours.Admit(by="ada", session="s1"), Code.NOT_YOURS),
        (admit(person="ben"), Code.NOT_QUEUED),
        (admit(""), Code.BAD_IDENTIFIER),
        (office_hours.NoShow(by="tutor"), Code.NOT_QUEUED),
        (office_hours.Close(by="ada"), Code.NOT_YOURS),
    ],
)
def test_what_does_not_fit_is_refused(command, code):
    assert opened("ada").refusal(command) is code


def test_who_is_with_the_tutor_does_not_queue_and_the_queue_is_limited(monkeypatch):
    part = opened("ada")
    part.do(admit())
    assert part.refusal(join("ada")) is Code.ALREADY_QUEUED
    monkeypatch.setattr(limits, "QUEUE", 1)
    part.do(join("ben"))
    assert part.refusal(join("cem")) is Code.TOO_MANY
    monkeypatch.setattr(limits, "VISITS_KEPT", 2)
    for person in ["cem", "ben", "cem", "ben"]:
        part.do(office_hours.Complete(by="tutor"), after=1)
        part.do(admit())
        part.do(join(person))
    assert len(part.state.lasted_s) == 2


class OfficeHours(RuleBasedStateMachine):
    """Against a list: joining, leaving, admitting and completing in any order."""

    def __init__(self):
        super().__init__()
        self.part = opened()
        self.queue, self.visitor = [], None

    @rule(person=st.sampled_from(PEOPLE))
    def join(self, person):
        if person in self.queue or person == self.visitor:
            assert self.part.refusal(join(person)) is Code.ALREADY_QUEUED
        else:
            self.part.do(join(person), after=1)
            self.queue.append(person)

    @rule(person=st.sampled_from(PEOPLE))
    def leave(self, person):
        if person in self.queue:
            self.part.do(office_hours.Leave(by=person))
            self.queue.remove(person)
        else:
            assert self.part.refusal(office_hours.Leave(by=person)) is Code.NOT_QUEUED

    @rule()
    def admit(self):
        if self.visitor is not None:
            assert self.part.refusal(admit()) is Code.TUTOR_BUSY
        elif not self.queue:
            assert self.part.refusal(admit()) is Code.NOT_QUEUED
        else:
            self.part.do(admit())
            self.visitor = self.queue.pop(0)

    @rule(kind=st.sampled_from([office_hours.Complete, office_hours.NoShow]))
    def end(self, kind):
        if self.visitor is not None:
            self.part.do(kind(by="tutor"), after=10)
            self.visitor = None

    @invariant()
    def in_order(self):
        state = self.part.state
        assert list(state.queue) == self.queue
        assert (state.visit.person if state.visit else None) == self.visitor

    def teardown(self):
        self.part.check_replay()


TestOfficeHours = OfficeHours.TestCase
TestOfficeHours.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
