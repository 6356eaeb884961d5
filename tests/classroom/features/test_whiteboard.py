import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classroom import codec, limits
from classroom.errors import Code
from classroom.features import moderation, people, whiteboard
from classroom.features.whiteboard import content, needs_snapshot
from classroom.visibility import visible_to
from tests.classroom.lesson import Lesson


def lesson_of():
    lesson = Lesson(students=["ada"])
    lesson.do(whiteboard.AddPage(by="tutor", page="p1", title="One"))
    return lesson


def draw(update=b"stroke", page="p1", by="tutor"):
    return whiteboard.Draw(by=by, page=page, update=update)


def test_a_page_is_its_updates_in_order():
    lesson = lesson_of()
    for update in [b"a", b"b", b"c"]:
        lesson.do(draw(update))
    assert content(lesson.room, "p1") == (b"a", b"b", b"c")
    lesson.do(people.Leave(by="tutor"))
    lesson.do(people.Leave(by="ada"))
    assert content(lesson.room, "p1") == (b"a", b"b", b"c")  # survives everybody leaving


def test_a_snapshot_takes_the_place_of_what_it_contains():
    lesson = lesson_of()
    for update in [b"a", b"b", b"c"]:
        lesson.do(draw(update))
    (saved,) = lesson.do(whiteboard.SaveSnapshot(page="p1", snapshot=b"A+B", count=2))
    assert content(lesson.room, "p1") == (b"A+B", b"c")
    page = lesson.room.whiteboard.pages["p1"]
    assert page.size == lesson.room.whiteboard.size == 4
    assert not visible_to(lesson.room, saved, "ada")
    lesson.check_replay()


@given(st.lists(st.tuples(st.booleans(), st.binary(min_size=1, max_size=9)), max_size=30))
def test_sizes_add_up(steps):
    lesson = lesson_of()
    for is_snapshot, data in steps:
        page = lesson.room.whiteboard.pages["p1"]
        if not is_snapshot:
            lesson.do(draw(data))
        elif page.updates:
            lesson.do(whiteboard.SaveSnapshot(page="p1", snapshot=data, count=(len(page.updates) + 1) // 2))
    size = sum(map(len, content(lesson.room, "p1")))
    assert lesson.room.whiteboard.size == lesson.room.whiteboard.pages["p1"].size == size


@pytest.mark.parametrize(
    ("snapshot", "count", "code"),
    [(b"x", 0, Code.BAD_NUMBER), (b"x", 2, Code.BAD_NUMBER), (b"", 1, Code.BAD_NUMBER)],
)
def test_a_snapshot_of_what_is_not_there_is_refused(snapshot, count, code):
    lesson = lesson_of()
    lesson.do(draw())
    assert lesson.refusal(whiteboard.SaveSnapshot(page="p1", snapshot=snapshot, count=count)) is code


def test_merging_is_asked_for_in_time(monkeypatch):
    monkeypatch.setattr(limits, "BOARD_UPDATES_KEPT", 8)
    lesson = lesson_of()
    lesson.do(draw())
    assert needs_snapshot(lesson.room.whiteboard) == []
    lesson.do(draw())
    assert needs_snapshot(lesson.room.whiteboard) == ["p1"]
    lesson.do(whiteboard.SaveSnapshot(page="p1", snapshot=b"x", count=2))
    assert needs_snapshot(lesson.room.whiteboard) == []
    for _ in range(8):
        lesson.do(draw())
    assert lesson.refusal(draw()) is Code.TOO_MANY


def test_a_large_page_is_not_merged_again_after_each_stroke(monkeypatch):
    monkeypatch.setattr(limits, "BOARD_PAGE_SIZE", 400)
    lesson = lesson_of()
    lesson.do(draw(b"x" * 150))
    assert needs_snapshot(lesson.room.whiteboard) == ["p1"]
    lesson.do(whiteboard.SaveSnapshot(page="p1", snapshot=b"x" * 150, count=1))
    lesson.do(draw(b"x" * 99))
    assert needs_snapshot(lesson.room.whiteboard) == []
    lesson.do(draw(b"x"))
    assert needs_snapshot(lesson.room.whiteboard) == ["p1"]


def test_sizes_are_limited(monkeypatch):
    lesson = lesson_of()
    assert lesson.refusal(draw(b"")) is Code.TOO_LARGE
    assert lesson.refusal(draw(b"x" * (limits.BOARD_UPDATE_SIZE + 1))) is Code.TOO_LARGE
    monkeypatch.setattr(limits, "BOARD_PAGE_SIZE", 100)
    monkeypatch.setattr(limits, "BOARD_SIZE", 150)
    lesson.do(draw(b"x" * 100))
    assert lesson.refusal(draw(b"x")) is Code.TOO_LARGE
    assert lesson.refusal(whiteboard.SaveSnapshot(page="p1", snapshot=b"x" * 101, count=1)) is Code.TOO_LARGE
    lesson.do(whiteboard.AddPage(by="tutor", page="p2"))
    assert lesson.refusal(draw(b"x" * 51, "p2")) is Code.TOO_LARGE
    lesson.do(whiteboard.RemovePage(by="tutor", page="p1"))
    lesson.do(draw(b"x" * 51, "p2"))


def test_pages_are_added_turned_and_removed(monkeypatch):
    lesson = lesson_of()
    assert lesson.room.whiteboard.current == "p1"
    lesson.do(whiteboard.AddPage(by="tutor", page="p2"))
    lesson.do(whiteboard.GoTo(by="tutor", page="p2"))
    assert lesson.refusal(whiteboard.GoTo(by="tutor", page="p2")) is Code.NOTHING_TO_CHANGE
    assert lesson.view("ada").whiteboard.current == "p2"
    assert lesson.refusal(whiteboard.AddPage(by="tutor", page="p2")) is Code.ALREADY_EXISTS
    lesson.do(whiteboard.RemovePage(by="tutor", page="p2"))
    assert lesson.room.whiteboard.current == "p1"
    assert lesson.refusal(draw(page="p2")) is Code.PAGE_NOT_FOUND
    monkeypatch.setattr(limits, "BOARD_PAGES", 1)
    assert lesson.refusal(whiteboard.AddPage(by="tutor", page="p3")) is Code.TOO_MANY


def test_students_draw_when_they_may():
    lesson = lesson_of()
    assert lesson.refusal(draw(by="ada")) is Code.NOT_ALLOWED
    lesson.do(moderation.Allow(by="tutor", permission="whiteboard.draw", allowed=True))
    (drawn,) = lesson.do(draw(by="ada"))
    assert visible_to(lesson.room, drawn, "ada")


def test_updates_are_base64_in_json():
    lesson = lesson_of()
    (drawn,) = lesson.do(draw(bytes(range(256))))
    assert isinstance(json.loads(codec.encode(drawn))["update"], str)
    assert codec.decode_event(codec.encode(drawn)) == drawn
