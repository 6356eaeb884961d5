import pytest

from classroom import permissions
from classroom.catalogue import COMMANDS
from classroom.errors import Code
from classroom.features import chat, hands, moderation, people, session
from classroom.permissions import GRANTABLE, RULES, may
from classroom.roles import Role
from tests.classroom.lesson import Lesson

MEDIA = {"media.unmute", "media.camera", "media.share_screen"}


def test_each_command_has_its_row_and_each_row_its_command():
    assert set(RULES) == set(COMMANDS) | MEDIA


def test_nobody_can_be_granted_the_power_over_others():
    assert not {name for name in GRANTABLE if name.startswith(("session.", "people.", "moderation."))}


def lesson_with_all_roles():
    lesson = Lesson()
    for role in Role:
        if role is not Role.OWNER:
            lesson.join(role.value, role)
    return lesson


@pytest.mark.parametrize("role", list(Role))
def test_a_role_may_what_its_rows_say(role):
    lesson = lesson_with_all_roles()
    person = "tutor" if role is Role.OWNER else role.value
    allowed = {name for name in RULES if may(lesson.room, person, name)}
    assert allowed == {name for name, rule in RULES.items() if role in rule.roles}


def test_strangers_may_nothing():
    lesson = Lesson()
    assert not may(lesson.room, "stranger", "media.unmute")
    assert lesson.refusal(hands.Raise(by="stranger")) is Code.NOT_A_PARTICIPANT


def test_the_server_gives_only_commands_that_need_no_person():
    lesson = Lesson()
    assert lesson.refusal(hands.Raise()) is Code.NOT_ALLOWED
    assert lesson.refusal(people.LoseConnection(by="tutor", person="tutor", lost_at=0)) is Code.NOT_ALLOWED
    lesson.do(session.Pause())


def test_a_grant_to_one_counts_before_that_to_all_and_that_before_the_role():
    lesson = Lesson(students=["ada", "ben"])
    name = "media.camera"

    def allowed():
        return [may(lesson.room, person, name) for person in ["ada", "ben", "tutor"]]

    assert allowed() == [True, True, True]
    lesson.do(moderation.Allow(by="tutor", permission=name, allowed=False))
    assert allowed() == [False, False, True]
    lesson.do(moderation.Allow(by="tutor", permission=name, allowed=True, person="ada"))
    assert allowed() == [True, False, True]
    lesson.do(moderation.Allow(by="tutor", permission=name, allowed=None))
    lesson.do(moderation.Allow(by="tutor", permission=name, allowed=False, person="ada"))
    assert allowed() == [False, True, True]


def test_a_grant_lets_a_student_do_a_tutors_work():
    lesson = Lesson(students=["ada"])
    message = chat.Send(by="ada", message="m1", text="x")
    lesson.do(message)
    assert lesson.refusal(chat.Pin(by="ada", message="m1")) is Code.NOT_ALLOWED
    lesson.do(moderation.Allow(by="tutor", permission="chat.pin", allowed=True, person="ada"))
    lesson.do(chat.Pin(by="ada", message="m1"))


def test_students_have_to_be_there_and_staff_need_not():
    lesson = Lesson(students=["ada"])
    lesson.do(people.Leave(by="ada"))
    assert lesson.refusal(hands.Raise(by="ada")) is Code.NOT_PRESENT
    lesson.do(people.Leave(by="tutor"))
    lesson.do(chat.Send(by="tutor", message="m1", text="x"))


def test_staff_who_were_removed_do_nothing_from_outside():
    lesson = Lesson()
    lesson.join("kim", Role.ASSISTANT)
    lesson.do(moderation.Remove(by="tutor", person="kim"))
    assert lesson.refusal(chat.Send(by="kim", message="m1", text="x")) is Code.NOT_PRESENT


def test_after_the_end_only_tidying_up_is_left():
    lesson = Lesson(students=["ada"])
    lesson.do(chat.Send(by="ada", message="m1", text="x"))
    lesson.do(session.End(by="tutor"))
    assert lesson.refusal(chat.Send(by="ada", message="m2", text="x")) is Code.WRONG_PHASE
    lesson.do(chat.Delete(by="ada", message="m1"))


def test_what_a_row_cannot_say_is_asked_by_role():
    lesson = Lesson(students=["ada"])
    permissions.require_role(lesson.room, "", frozenset())
    permissions.require_role(lesson.room, "ada", frozenset({Role.STUDENT}))
    with pytest.raises(permissions.NotAllowed):
        permissions.require_role(lesson.room, "ada", frozenset({Role.OWNER}))
