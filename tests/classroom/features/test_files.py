import pytest

from classroom import limits
from classroom.errors import Code, LimitReached
from classroom.features import files, moderation, session
from classroom.features.files import KINDS, Scope, is_inline, may_read
from classroom.visibility import visible_to
from tests.classroom.lesson import Lesson

PDF = "application/pdf"


def add(by="ada", file="f1", name="homework.pdf", size=1_000, kind=PDF, digest="0" * 64, **fields):
    return files.Add(by=by, file=file, name=name, size=size, kind=kind, digest=digest, **fields)


def lesson_of(**settings):
    return Lesson(students=["ada", "ben"], **settings)


def test_a_file_is_known_by_what_its_content_shows():
    lesson = lesson_of()
    (added,) = lesson.do(add(name="Übung 1.PDF"))
    assert (added.file.name, added.file.kind, added.file.by) == ("Übung 1.PDF", PDF, "ada")
    assert lesson.view("ben").files.files == [added.file]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"kind": "application/zip"}, Code.FILE_NAME_MISMATCH),  # a zip named .pdf
        ({"kind": "image/svg+xml", "name": "x.svg"}, Code.FILE_TYPE_REFUSED),
        ({"kind": "text/html", "name": "x.html"}, Code.FILE_TYPE_REFUSED),
        ({"kind": "text/plain", "name": "x.html"}, Code.FILE_NAME_MISMATCH),
        ({"name": "../x.pdf"}, Code.BAD_TEXT),
        ({"name": "a\\x.pdf"}, Code.BAD_TEXT),
        ({"name": ".pdf"}, Code.BAD_TEXT),
        ({"name": "fdp.\u202exe.pdf"}, Code.BAD_TEXT),
        ({"name": "x" * 200 + ".pdf"}, Code.TEXT_TOO_LONG),
        ({"digest": "zz"}, Code.BAD_TEXT),
        ({"digest": "G" * 64}, Code.BAD_TEXT),
        ({"size": -1}, Code.BAD_NUMBER),
        ({"size": limits.FILE_SIZE + 1}, Code.TOO_LARGE),
        ({"kind": "image/png", "name": "x.png", "size": limits.IMAGE_SIZE + 1}, Code.TOO_LARGE),
        ({"scope": Scope.PERSON, "target": "ben"}, Code.PRIVATE_CHAT_OFF),
        ({"scope": Scope.PERSON, "target": "nobody"}, Code.PERSON_NOT_FOUND),
        ({"target": "ben"}, Code.PERSON_NOT_FOUND),
    ],
)
def test_bad_files_are_refused(change, code):
    assert lesson_of().refusal(add(**change)) is code


def test_only_what_is_safe_is_shown_in_place():
    assert is_inline("image/png")
    assert not is_inline("text/plain")
    assert not is_inline("text/html")
    assert {kind for kind in KINDS if "html" in kind or "svg" in kind or "script" in kind} == set()


def test_quotas_of_a_person_and_of_the_session():
    lesson = lesson_of()
    lesson.do(add(file="f1", size=limits.FILE_SIZE))
    lesson.do(add(file="f2", size=limits.FILE_SIZE))
    assert lesson.refusal(add(file="f3", size=1)) is Code.QUOTA_EXCEEDED
    lesson.do(files.Remove(by="ada", file="f1"))
    lesson.do(add(file="f3", size=1))
    lesson.room.files.size = limits.SESSION_QUOTA
    assert lesson.refusal(add(by="ben", file="f4", size=1)) is Code.QUOTA_EXCEEDED


def test_the_number_of_files_is_limited(monkeypatch):
    monkeypatch.setattr(limits, "FILES", 1)
    lesson = lesson_of()
    lesson.do(add())
    assert lesson.refusal(add()) is Code.ALREADY_EXISTS
    assert lesson.refusal(add(file="f2")) is Code.TOO_MANY


def test_a_file_reaches_those_for_whom_it_is():
    lesson = lesson_of(private_chat=True)
    lesson.join("kim", "assistant")
    cases = {
        Scope.ALL: {"ada", "ben", "kim", "tutor"},
        Scope.STAFF: {"ada", "kim", "tutor"},
        Scope.PERSON: {"ada", "ben"},
    }
    for scope, expected in cases.items():
        target = "ben" if scope is Scope.PERSON else ""
        (added,) = lesson.do(add(file=scope, scope=scope, target=target))
        for person in cases[Scope.ALL]:
            assert visible_to(lesson.room, added, person) == (person in expected)
            assert may_read(lesson.room, scope, person) == (person in expected)
            assert (added.file in lesson.view(person).files.files) == (person in expected)
    assert not may_read(lesson.room, "nothing", "ada")
    assert not may_read(lesson.room, "all", "stranger")


def test_who_may_remove_a_file():
    lesson = lesson_of(private_chat=True)
    lesson.do(add())
    lesson.do(add(file="f2", scope=Scope.PERSON, target="ben"))
    assert lesson.refusal(files.Remove(by="ben", file="f1")) is Code.NOT_YOURS
    assert lesson.refusal(files.Remove(by="tutor", file="f2")) is Code.FILE_NOT_FOUND
    assert lesson.refusal(files.Remove(by="tutor", file="f9")) is Code.FILE_NOT_FOUND
    lesson.do(files.Remove(by="tutor", file="f1"))
    lesson.do(session.End(by="tutor"))
    (removed,) = lesson.do(files.Remove(file="f2"))  # the application, for instance to erase a person
    assert not visible_to(lesson.room, removed, "tutor")
    assert lesson.room.files == files.State(by_person={"ada": 0})
    lesson.check_replay()


def test_sending_files_can_be_forbidden():
    lesson = lesson_of()
    lesson.do(moderation.Allow(by="tutor", permission="files.add", allowed=False))
    assert lesson.refusal(add()) is Code.NOT_ALLOWED


def test_an_image_with_too_many_pixels_is_refused():
    files.check_pixels(10_000, 5_000)
    with pytest.raises(LimitReached) as refused:
        files.check_pixels(10_000, 5_001)
    assert refused.value.code is Code.TOO_LARGE
