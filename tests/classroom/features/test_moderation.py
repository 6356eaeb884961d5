import pytest

from classroom import limits
from classroom.errors import Code
from classroom.features import hands, moderation, people, session
from classroom.features.moderation import BanScope, Source
from classroom.roles import Role, Why
from classroom.visibility import visible_to
from tests.classroom.lesson import Lesson


def lesson_of(**settings):
    lesson = Lesson(students=["ada", "ben"], **settings)
    lesson.join("kim", Role.ASSISTANT)
    lesson.join("coco", Role.CO_TUTOR)
    return lesson


def test_muting_one_or_all_is_told_to_all():
    lesson = lesson_of()
    (one,) = lesson.do(moderation.Mute(by="kim", person="ada"))
    (everybody,) = lesson.do(moderation.Mute(by="tutor", source=Source.SCREEN))
    assert (one.person, one.source, everybody.person) == ("ada", Source.MICROPHONE, "")
    assert lesson.refusal(moderation.Mute(by="ada", person="ben")) is Code.NOT_ALLOWED
    lesson.do(people.Leave(by="ben"))
    assert lesson.refusal(moderation.Mute(by="tutor", person="ben")) is Code.NOT_PRESENT


@pytest.mark.parametrize(
    ("by", "person", "fine"),
    [
        ("tutor", "coco", True),
        ("coco", "kim", True),
        ("kim", "ada", True),
        ("", "coco", True),
        ("coco", "tutor", False),
        ("kim", "coco", False),
        ("kim", "kim", False),
        ("", "tutor", False),
    ],
)
def test_nobody_moderates_their_equals(by, person, fine):
    lesson = lesson_of()
    command = moderation.Remove(by=by, person=person)
    if fine:
        lesson.do(command)
    else:
        assert lesson.refusal(command) is Code.NOT_ALLOWED


def test_permissions_are_given_taken_and_reset():
    lesson = lesson_of()
    command = moderation.Allow(by="tutor", person="ada", permission="media.unmute", allowed=False)
    (event,) = lesson.do(command)
    assert not visible_to(lesson.room, event, "ben")
    assert visible_to(lesson.room, event, "ada")
    assert lesson.view("ada").moderation.my_grants == {"media.unmute": False}
    assert lesson.refusal(command) is Code.NOTHING_TO_CHANGE
    lesson.do(moderation.Allow(by="tutor", person="ada", permission="media.unmute", allowed=None))
    assert lesson.room.moderation.grants == {}
    reset = moderation.Allow(by="tutor", person="ada", permission="media.unmute", allowed=None)
    assert lesson.refusal(reset) is Code.NOTHING_TO_CHANGE
    (event,) = lesson.do(moderation.Allow(by="tutor", permission="chat.send", allowed=False))
    assert visible_to(lesson.room, event, "ben")


@pytest.mark.parametrize("permission", ["session.end", "moderation.ban", "nonsense"])
def test_not_every_permission_is_for_granting(permission):
    command = moderation.Allow(by="tutor", person="ada", permission=permission, allowed=True)
    assert lesson_of().refusal(command) is Code.NOT_GRANTABLE


def test_somebody_is_renamed_by_staff_only():
    lesson = lesson_of()
    lesson.do(moderation.Rename(by="kim", person="ada", name="Ada L."))
    assert lesson.room.people.everyone["ada"].name == "Ada L."
    same = moderation.Rename(by="kim", person="ada", name="Ada L.")
    assert lesson.refusal(same) is Code.NOTHING_TO_CHANGE
    lesson.do(moderation.Rename(by="tutor", person="tutor", name="Ms N."))
    assert lesson.refusal(moderation.Rename(by="ada", person="ben", name="B")) is Code.NOT_ALLOWED


def test_who_was_removed_has_to_knock():
    lesson = lesson_of()
    lesson.do(moderation.Remove(by="tutor", person="ada"))
    assert lesson.refusal(hands.Raise(by="ada")) is Code.NOT_PRESENT
    assert lesson.join("ada")[0].why is Why.KNOCK
    lesson.do(people.Admit(by="tutor", person="ada"))
    assert "ada" in lesson.room.people.present
    assert lesson.room.moderation.removed == {}


def test_staff_who_were_removed_have_to_knock_too_and_need_no_place():
    lesson = lesson_of(capacity=2)
    lesson.do(moderation.Remove(by="tutor", person="kim"))
    assert lesson.join("kim")[0].why is Why.KNOCK
    assert lesson.refusal(moderation.Lock(by="kim", locked=True)) is Code.NOT_PRESENT
    lesson.do(people.AdmitAll(by="tutor"))
    lesson.do(moderation.Lock(by="kim", locked=True))


def test_who_is_banned_stays_out_until_the_ban_is_lifted():
    lesson = lesson_of()
    banned, left = lesson.do(moderation.Ban(by="tutor", person="ada", scope=BanScope.FOREVER))
    assert (banned.scope, left.reason) == (BanScope.FOREVER, people.LeaveReason.BANNED)
    again = moderation.Ban(by="tutor", person="ada", scope=BanScope.FOREVER)
    assert lesson.refusal(again) is Code.NOTHING_TO_CHANGE
    assert lesson.view("tutor").moderation.banned == {"ada": BanScope.FOREVER}
    assert lesson.view("ben").moderation.banned == {}
    join = people.Join(by="ada", name="Ada", visit="v9")
    assert lesson.refusal(join) is Code.BANNED
    lesson.do(moderation.Unban(by="tutor", person="ada"))
    assert lesson.refusal(moderation.Unban(by="tutor", person="ada")) is Code.NOTHING_TO_CHANGE
    lesson.do(join)


def test_somebody_who_is_not_there_can_be_banned():
    lesson = lesson_of()
    lesson.do(people.Leave(by="ada"))
    (banned,) = lesson.do(moderation.Ban(by="tutor", person="ada"))
    assert banned.person == "ada"


def test_a_locked_door_opens_again():
    lesson = lesson_of()
    lesson.do(moderation.Lock(by="kim", locked=True))
    assert lesson.refusal(moderation.Lock(by="kim", locked=True)) is Code.NOTHING_TO_CHANGE
    assert lesson.refusal(people.Join(by="new", name="New", visit="v9")) is Code.SESSION_LOCKED
    lesson.do(people.Join(by="staff", name="Staff", visit="v10", role=Role.ASSISTANT))
    lesson.do(moderation.Lock(by="kim", locked=False))
    lesson.join("new")


def test_spotlight_and_pins_go_with_the_person_and_survive_a_reload():
    lesson = lesson_of()
    lesson.do(moderation.Spotlight(by="tutor", person="ada"))
    lesson.do(moderation.Pin(by="tutor", person="ada"))
    assert lesson.refusal(moderation.Spotlight(by="tutor", person="ada")) is Code.NOTHING_TO_CHANGE
    assert lesson.refusal(moderation.Pin(by="tutor", person="ada")) is Code.NOTHING_TO_CHANGE
    lesson.join("ada")
    state = lesson.room.moderation
    assert (state.spotlight, list(state.pins)) == ("ada", ["ada"])
    lesson.do(people.Leave(by="ada"))
    assert (state.spotlight, list(state.pins)) == ("", [])
    assert lesson.refusal(moderation.Spotlight(by="tutor", person="ada")) is Code.NOT_PRESENT


def test_the_stage_has_few_places():
    lesson = Lesson(students=["a", "b", "c", "d", "e"])
    for person in ["a", "b", "c", "d"]:
        lesson.do(moderation.Pin(by="tutor", person=person))
    assert limits.PINS == 4
    assert lesson.refusal(moderation.Pin(by="tutor", person="e")) is Code.TOO_MANY
    lesson.do(moderation.Unpin(by="tutor", person="a"))
    assert lesson.refusal(moderation.Unpin(by="tutor", person="a")) is Code.NOTHING_TO_CHANGE
    lesson.do(moderation.Spotlight(by="tutor", person="a"))
    lesson.do(moderation.Spotlight(by="tutor"))
    assert lesson.room.moderation.spotlight == ""


def test_nobody_is_moderated_after_the_end():
    lesson = lesson_of()
    lesson.do(session.End(by="tutor"))
    assert lesson.refusal(moderation.Lock(by="tutor", locked=True)) is Code.WRONG_PHASE
