import pytest

from classroom import engine, limits
from classroom.errors import Code
from classroom.features import moderation, people, session
from classroom.features.people import LeaveReason
from classroom.features.session import Lobby
from classroom.roles import Role, Standing, Why
from tests.classroom.lesson import START, Lesson


def standing(lesson, person):
    return lesson.room.people.everyone[person].standing


def join(person, visit="v99", role=Role.STUDENT):
    return people.Join(by=person, name=person, visit=visit, role=role)


def test_with_an_open_lobby_everybody_comes_in():
    lesson = Lesson(students=["ada", "ben"])
    assert list(lesson.room.people.present) == ["tutor", "ada", "ben"]


def test_students_wait_until_the_session_starts_and_then_come_in_by_themselves():
    lesson = Lesson(live=False)
    (waits,) = lesson.join("ada")
    assert waits.why is Why.NOT_STARTED
    lesson.join("tutor")
    assert lesson.wait(60) == []
    lesson.do(session.Start(by="tutor"))
    (joined,) = lesson.wait(0)
    assert joined.person == "ada"
    assert standing(lesson, "ada") is Standing.PRESENT


def test_when_it_starts_as_many_come_in_as_there_are_places():
    lesson = Lesson(live=False, capacity=2)
    for person in ["ada", "ben", "cem"]:
        lesson.join(person)
    lesson.do(session.Start())
    assert [event.person for event in lesson.wait(0)] == ["ada", "ben"]
    lesson.do(people.Leave(by="ada"), after=5)
    assert [event.person for event in lesson.wait(0)] == ["cem"]


def test_with_a_knocking_lobby_strangers_wait_and_the_invited_come_in():
    lesson = Lesson(lobby=Lobby.KNOCK)
    lesson.do(people.Invite(by="tutor", person="ada", name="Ada"))
    assert isinstance(lesson.join("ada")[0], people.Joined)
    assert lesson.join("ben")[0].why is Why.KNOCK
    lesson.do(people.Admit(by="tutor", person="ben"))
    lesson.do(people.Leave(by="ben"))
    assert isinstance(lesson.join("ben")[0], people.Joined)  # admitted once, known from then on


def test_the_queue_of_the_lobby_keeps_its_order_when_a_page_reloads():
    lesson = Lesson(lobby=Lobby.KNOCK, students=["ada", "ben"])
    lesson.join("ada")
    assert [lesson.view(person).place for person in ["ada", "ben"]] == [1, 2]


def test_who_is_turned_away_does_not_wait_any_more():
    lesson = Lesson(lobby=Lobby.KNOCK, students=["ada"])
    lesson.do(people.Refuse(by="tutor", person="ada"))
    assert standing(lesson, "ada") is Standing.GONE
    assert lesson.refusal(people.Admit(by="tutor", person="ada")) is Code.NOT_WAITING


def test_all_who_wait_are_admitted_while_there_are_places():
    lesson = Lesson(lobby=Lobby.KNOCK, capacity=2, students=["ada", "ben", "cem"])
    assert len(lesson.do(people.AdmitAll(by="tutor"))) == 2
    assert lesson.refusal(people.AdmitAll(by="tutor")) is Code.SESSION_FULL
    assert lesson.refusal(people.Admit(by="tutor", person="cem")) is Code.SESSION_FULL
    lesson.do(people.Leave(by="cem"))
    assert lesson.refusal(people.AdmitAll(by="tutor")) is Code.NOT_WAITING


def test_a_session_for_the_invited_refuses_strangers():
    lesson = Lesson(lobby=Lobby.INVITED)
    assert lesson.refusal(join("ada")) is Code.NOT_INVITED
    lesson.do(people.Invite(by="tutor", person="ada", name="Ada"))
    lesson.do(join("ada"))
    assert lesson.refusal(people.Invite(by="tutor", person="ada", name="Ada")) is Code.ALREADY_EXISTS


def test_staff_always_get_in_and_students_only_while_there_are_places():
    lesson = Lesson(capacity=1, students=["ada"])
    assert lesson.refusal(join("ben")) is Code.SESSION_FULL
    lesson.join("kim", Role.ASSISTANT)
    assert standing(lesson, "kim") is Standing.PRESENT


def test_the_roster_decides_about_the_role():
    lesson = Lesson()
    lesson.do(people.Invite(by="tutor", person="kim", name="Kim", role=Role.CO_TUTOR))
    lesson.join("kim", Role.OBSERVER)
    assert lesson.room.people.everyone["kim"].role is Role.CO_TUTOR
    assert lesson.refusal(join("eve", role=Role.OWNER)) is Code.NOT_ALLOWED
    owner = people.Invite(by="tutor", person="eve", name="Eve", role=Role.OWNER)
    assert lesson.refusal(owner) is Code.BAD_CHOICE


def test_a_second_visit_of_the_same_person_replaces_the_first():
    lesson = Lesson(students=["ada"])
    left, joined = lesson.join("ada", after=10)
    assert (left.reason, left.visit, joined.visit) == (LeaveReason.REPLACED, "v2", "v3")
    assert list(lesson.room.people.present) == ["tutor", "ada"]
    assert lesson.refusal(join("ada", "v3")) is Code.ALREADY_PRESENT


def test_a_lost_connection_is_not_a_leave_until_the_grace_time_ends():
    lesson = Lesson(students=["ada"], grace_s=30)
    lesson.do(people.LoseConnection(person="ada", lost_at=START + 95), after=100)
    assert standing(lesson, "ada") is Standing.PRESENT
    assert lesson.refusal(people.LoseConnection(person="ada", lost_at=START)) is Code.NOTHING_TO_CHANGE
    lesson.do(people.RestoreConnection(person="ada"), after=20)
    assert lesson.wait(60) == []
    assert lesson.refusal(people.RestoreConnection(person="ada")) is Code.NOT_LOST


def test_when_the_grace_time_ends_the_visit_ended_with_the_loss():
    lesson = Lesson(students=["ada"], grace_s=30)
    lesson.do(people.LoseConnection(person="ada", lost_at=START + 95), after=100)
    (left,) = lesson.wait(100)
    assert (left.reason, left.left_at, left.at) == (LeaveReason.CONNECTION_LOST, START + 95, START + 125)


def test_a_loss_is_neither_before_the_visit_nor_in_the_future():
    lesson = Lesson(students=["ada"])
    (lost,) = lesson.do(people.LoseConnection(person="ada", lost_at=0.0), after=9)
    assert lost.lost_at == START
    (lost,) = lesson.do(people.LoseConnection(person="tutor", lost_at=START + 500))
    assert lost.lost_at == START + 9


def test_after_a_crash_everybody_has_the_grace_time_from_the_recovery_on():
    lesson = Lesson(students=["ada", "ben"], grace_s=30)
    lesson.now += 1_000  # nobody carries deadlines out meanwhile
    lesson.keep(engine.decide(lesson.room, people.Recover(alive_at=START + 50), lesson.now))
    assert lesson.wait(0) == []  # the time without a server is not held against the tutor either
    lesson.do(people.RestoreConnection(person="ada"), after=29)
    left = [event for event in lesson.wait(2) if isinstance(event, people.Left)]
    assert {event.person: event.left_at for event in left} == {"tutor": START + 50, "ben": START + 50}


def test_who_waited_during_a_crash_knocks_again():
    lesson = Lesson(lobby=Lobby.KNOCK, students=["ada"])
    lesson.do(people.Recover(alive_at=START))
    assert standing(lesson, "ada") is Standing.GONE
    assert lesson.join("ada")[0].why is Why.KNOCK


def test_only_the_owner_makes_and_dismisses_co_tutors_and_the_owner_stays():
    lesson = Lesson(students=["ada"])
    lesson.do(people.SetRole(by="tutor", person="ada", role=Role.CO_TUTOR))
    lesson.join("ben")
    assert lesson.refusal(people.SetRole(by="ada", person="ben", role=Role.CO_TUTOR)) is Code.NOT_ALLOWED
    lesson.do(people.SetRole(by="ada", person="ben", role=Role.ASSISTANT))
    assert lesson.refusal(people.SetRole(by="ada", person="tutor", role=Role.STUDENT)) is Code.OWNER_STAYS
    same = people.SetRole(by="tutor", person="ben", role=Role.ASSISTANT)
    assert lesson.refusal(same) is Code.NOTHING_TO_CHANGE


def test_a_tutor_who_becomes_a_student_no_longer_keeps_the_session_open():
    lesson = Lesson(students=["ada"])
    lesson.do(people.SetRole(by="tutor", person="ada", role=Role.CO_TUTOR))
    lesson.do(people.Leave(by="tutor"), after=10)
    assert lesson.room.people.tutors_away_since is None
    lesson.do(people.SetRole(person="ada", role=Role.STUDENT), after=10)
    assert lesson.room.people.tutors_away_since == START + 20


@pytest.mark.parametrize("name", ["<img src=x onerror=alert(1)>", "محمد عبد الله", "👩‍🏫 Zoë", "x" * 100])
def test_names_are_kept_as_text(name):
    lesson = Lesson()
    lesson.do(people.Join(by="ada", name=name, visit="v1a"))
    assert lesson.room.people.everyone["ada"].name == name


def test_the_number_of_people_is_limited():
    lesson = Lesson()
    for index in range(limits.PEOPLE - 1):
        lesson.room.people.everyone[f"p{index}"] = people.Person(f"p{index}", "P", Role.STUDENT)
    assert lesson.refusal(join("new")) is Code.TOO_MANY
    assert lesson.refusal(people.Invite(by="tutor", person="new", name="New")) is Code.TOO_MANY


def test_who_is_not_there_cannot_leave():
    lesson = Lesson(students=["ada"])
    lesson.do(people.Leave(by="ada"))
    assert lesson.refusal(people.Leave(by="ada")) is Code.NOT_PRESENT


def test_when_the_session_is_over_nobody_is_there():
    lesson = Lesson(students=["ada"])
    lesson.do(session.End(by="tutor"))
    assert lesson.room.people.present == {}
    assert lesson.refusal(join("ada")) is Code.WRONG_PHASE


def test_the_lobby_is_seen_by_staff_only():
    lesson = Lesson(lobby=Lobby.KNOCK)
    lesson.do(people.Invite(by="tutor", person="ada", name="Ada"))
    lesson.join("ada")
    lesson.join("ben")
    assert [seen.id for seen in lesson.view("tutor").people.waiting] == ["ben"]
    assert lesson.view("ada").people.waiting == []


def test_who_gave_up_waiting_never_was_there_for_the_others():
    from classroom.visibility import visible_to

    lesson = Lesson(lobby=Lobby.KNOCK, students=["ben"])
    lesson.do(people.Invite(by="tutor", person="ada", name="Ada"))
    lesson.join("ada")
    (left,) = lesson.do(people.Leave(by="ben"))
    assert left.waited
    assert [visible_to(lesson.room, left, person) for person in ["tutor", "ada", "ben"]] == [
        True,
        False,
        True,
    ]


def test_a_locked_session_lets_back_in_who_was_there():
    lesson = Lesson(students=["ada"])
    lesson.do(moderation.Lock(by="tutor", locked=True))
    lesson.do(people.Leave(by="ada"))
    lesson.join("ada")
    assert lesson.refusal(join("ben")) is Code.SESSION_LOCKED
