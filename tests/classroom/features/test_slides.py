import pytest

from classroom import limits
from classroom.errors import Code
from classroom.features import moderation, slides
from tests.classroom.lesson import Lesson


def add(deck="d1", pages=10, **fields):
    return slides.AddDeck(by="tutor", deck=deck, title="Deck", pages=pages, file="f1", **fields)


def test_all_see_the_page_and_each_deck_remembers_its_own():
    lesson = Lesson(students=["ada"])
    lesson.do(add())
    lesson.do(add("d2"))
    lesson.do(slides.GoTo(by="tutor", deck="d1", page=7))
    lesson.do(slides.GoTo(by="tutor", deck="d2", page=1))
    view = lesson.view("ada").slides
    assert view.current == "d2"
    assert [(deck.id, deck.page) for deck in view.decks] == [("d2", 1), ("d1", 7)]
    assert lesson.refusal(slides.GoTo(by="tutor", deck="d2", page=1)) is Code.NOTHING_TO_CHANGE
    lesson.do(slides.RemoveDeck(by="tutor", deck="d1"))
    assert lesson.room.slides.current == "d2"
    lesson.do(slides.RemoveDeck(by="tutor", deck="d2"))
    assert lesson.room.slides == slides.State()
    lesson.check_replay()


@pytest.mark.parametrize("page", [0, -1, 11])
def test_pages_outside_the_deck_are_not_found(page):
    lesson = Lesson()
    lesson.do(add())
    assert lesson.refusal(slides.GoTo(by="tutor", deck="d1", page=page)) is Code.PAGE_NOT_FOUND


def test_bad_decks_are_refused(monkeypatch):
    lesson = Lesson()
    assert lesson.refusal(add(pages=limits.DECK_PAGES + 1)) is Code.BAD_NUMBER
    assert lesson.refusal(add(pages=0)) is Code.BAD_NUMBER
    assert lesson.refusal(slides.RemoveDeck(by="tutor", deck="d1")) is Code.DECK_NOT_FOUND
    lesson.do(add())
    assert lesson.refusal(add()) is Code.ALREADY_EXISTS
    monkeypatch.setattr(limits, "DECKS", 1)
    assert lesson.refusal(add("d2")) is Code.TOO_MANY


def test_a_student_who_presents_turns_the_pages():
    lesson = Lesson(students=["ada"])
    lesson.do(add())
    turn = slides.GoTo(by="ada", deck="d1", page=2)
    assert lesson.refusal(turn) is Code.NOT_ALLOWED
    lesson.do(moderation.Allow(by="tutor", person="ada", permission="slides.go_to", allowed=True))
    lesson.do(turn)
