import pytest

from classroom import limits
from classroom.errors import Code
from classroom.features import moderation, people, slides, studio
from classroom.features.studio import Kind, may_watch
from classroom.roles import Role
from classroom.visibility import visible_to
from tests.classroom.lesson import Lesson


def lesson_of(**settings):
    return Lesson(students=["ada", "ben"], **settings)


def add(scene="s1", kind=Kind.STUDENT_WORK, source="ada", **fields):
    return studio.AddScene(by="tutor", scene=scene, kind=kind, source=source, **fields)


def test_a_scene_is_prepared_and_then_shown_to_all():
    lesson = lesson_of()
    (added,) = lesson.do(add(title="Ada's proof"))
    assert not visible_to(lesson.room, added, "ada")
    (switched,) = lesson.do(studio.Switch(by="tutor", scene="s1"))
    assert (switched.kind, switched.source, switched.title) == (Kind.STUDENT_WORK, "ada", "Ada's proof")
    assert lesson.view("ben").studio.current.id == "s1"
    assert lesson.view("ben").studio.scenes == []
    assert len(lesson.view("tutor").studio.scenes) == 1
    assert lesson.refusal(studio.Switch(by="tutor", scene="s1")) is Code.NOTHING_TO_CHANGE
    assert lesson.refusal(studio.RemoveScene(by="tutor", scene="s1")) is Code.SCENE_IN_USE
    lesson.do(studio.Switch(by="tutor"))
    lesson.do(studio.RemoveScene(by="tutor", scene="s1"))
    assert studio.current(lesson.room) is None
    lesson.check_replay()


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (add(source="nobody"), Code.PERSON_NOT_FOUND),
        (add(source="tutor"), Code.BAD_CHOICE),
        (add(kind=Kind.SCREEN), Code.BAD_CHOICE),
        (add(kind=Kind.SLIDES, source="d9"), Code.DECK_NOT_FOUND),
        (add(kind=Kind.WHITEBOARD, source="x"), Code.BAD_CHOICE),
        (add(title="x" * 101), Code.TEXT_TOO_LONG),
        (studio.Switch(by="tutor", scene="s9"), Code.SCENE_NOT_FOUND),
        (studio.RemoveScene(by="tutor", scene="s9"), Code.SCENE_NOT_FOUND),
        (studio.Switch(by="ada", scene="s9"), Code.NOT_ALLOWED),
    ],
)
def test_bad_scenes_are_refused(command, code):
    assert lesson_of().refusal(command) is code


def test_every_kind_of_scene_can_be_shown():
    lesson = lesson_of()
    lesson.do(slides.AddDeck(by="tutor", deck="d1", title="Deck", pages=3, file="f1"))
    scenes = {
        Kind.SCREEN: "tutor",
        Kind.CAMERA: "ada",
        Kind.SLIDES: "d1",
        Kind.WHITEBOARD: "",
        Kind.STUDENT_WORK: "ben",
    }
    for kind, source in scenes.items():
        lesson.do(add(scene=kind, kind=kind, source=source))
        lesson.do(studio.Switch(by="tutor", scene=kind))
    assert lesson.refusal(add(scene="camera")) is Code.ALREADY_EXISTS
    lesson.do(slides.RemoveDeck(by="tutor", deck="d1"))
    assert lesson.refusal(studio.Switch(by="tutor", scene="slides")) is Code.DECK_NOT_FOUND
    lesson.do(people.Leave(by="ada"))
    assert lesson.refusal(studio.Switch(by="tutor", scene="camera")) is Code.NOT_PRESENT


def test_the_number_of_scenes_is_limited(monkeypatch):
    monkeypatch.setattr(limits, "SCENES", 1)
    lesson = lesson_of()
    lesson.do(add())
    assert lesson.refusal(add("s2")) is Code.TOO_MANY


def test_a_students_screen_reaches_staff_only_unless_the_scene_shows_it():
    lesson = lesson_of()
    lesson.do(add())
    assert may_watch(lesson.room, "tutor", "ada", "screen")
    assert not may_watch(lesson.room, "ben", "ada", "screen")
    lesson.do(studio.Switch(by="tutor", scene="s1"))
    assert may_watch(lesson.room, "ben", "ada", "screen")
    assert not may_watch(lesson.room, "ada", "ben", "screen")
    lesson.do(studio.Switch(by="tutor"))
    assert not may_watch(lesson.room, "ben", "ada", "screen")
    assert may_watch(lesson.room, "ben", "tutor", "screen")
    assert may_watch(lesson.room, "ada", "ada", "screen")


def test_who_comes_back_is_not_shown_by_an_old_scene():
    lesson = lesson_of()
    lesson.do(add())
    lesson.do(studio.Switch(by="tutor", scene="s1"))
    lesson.join("ada")  # a reload goes on
    assert studio.current(lesson.room) is not None
    lesson.do(people.Leave(by="ada"))
    lesson.join("ada")
    assert studio.current(lesson.room) is None
    assert not may_watch(lesson.room, "ben", "ada", "screen")


def test_a_session_may_share_screens_among_students():
    assert may_watch(lesson_of(student_screens=True).room, "ben", "ada", "screen")


def test_cameras_can_be_for_staff_only_but_for_the_stage():
    assert may_watch(lesson_of().room, "ben", "ada", "camera")
    lesson = lesson_of(student_cameras=False)
    assert not may_watch(lesson.room, "ben", "ada", "camera")
    lesson.do(moderation.Pin(by="tutor", person="ada"))
    assert may_watch(lesson.room, "ben", "ada", "camera")
    lesson.do(moderation.Unpin(by="tutor", person="ada"))
    lesson.do(moderation.Spotlight(by="tutor", person="ada"))
    assert may_watch(lesson.room, "ben", "ada", "camera")
    lesson.do(moderation.Spotlight(by="tutor"))
    lesson.do(add(kind=Kind.CAMERA))
    lesson.do(studio.Switch(by="tutor", scene="s1"))
    assert may_watch(lesson.room, "ben", "ada", "camera")


def test_who_is_not_there_receives_nothing_and_sends_nothing():
    lesson = lesson_of()
    lesson.join("eve", Role.OBSERVER)
    lesson.do(people.Leave(by="eve"))
    assert not may_watch(lesson.room, "eve", "tutor", "screen")
    assert not may_watch(lesson.room, "tutor", "eve", "camera")
    assert not may_watch(lesson.room, "stranger", "tutor", "camera")
    assert not may_watch(lesson.room, "tutor", "stranger", "camera")
