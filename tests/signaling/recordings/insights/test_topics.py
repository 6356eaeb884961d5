import pytest

from signaling.recordings.insights.topics import Topics
from tests.signaling.recordings.insights.texts import CELLS, lesson, line


def test_the_topic_changes_once_where_the_words_do():
    lines = lesson()
    [change] = Topics(lines).changes()
    assert change == pytest.approx(320, abs=24)  # of 640 s


def test_one_topic_and_few_words_have_no_change():
    assert Topics(lesson((CELLS,))).changes() == []
    assert Topics([]).changes() == []
    assert Topics([line(0, "Hello")]).changes() == []


def test_a_stretch_is_named_after_its_words():
    topics = Topics(lesson())
    assert "cell" in topics.title(0, 320)
    assert "valley" in topics.title(320, 640)
    assert topics.title(1000, 2000) == ""


def test_notes_are_sentences_that_were_said_in_their_order():
    lines = [
        line(0, "Well then okay"),
        line(10, "Photosynthesis turns sunlight into sugar"),
        line(20, "So yes anyway"),
        line(30, "Plants need sunlight for photosynthesis and sugar"),
        line(40, "See you tomorrow"),
    ]
    assert [each.start_s for each in Topics(lines).central(0, 100, 2)] == [10, 30]
    assert Topics(lines).central(50, 100, 2) == []
