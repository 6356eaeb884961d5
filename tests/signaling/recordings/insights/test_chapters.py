from signaling.recordings.insights.chapters import chapters
from signaling.recordings.insights.topics import Topics
from tests.signaling.recordings.insights.texts import lesson

NOTHING = Topics([])


def shown(found):
    return [(each.start_s, each.end_s, each.kind, each.page) for each in found]


def test_slides_divide_a_recording_without_holes():
    slides = [(at_s, "slide", "", page) for at_s, page in ((-5, 1), (70, 2), (75, 3), (999, 9))]
    changes = [*slides[:3], (200, "scene", "Lab", 0), slides[3]]
    found = chapters(changes, NOTHING, 300)
    assert shown(found) == [
        (0, 70, "start", 0),
        (70, 200, "slide", 3),  # leafed through
        (200, 300, "scene", 0),
    ]
    assert [each.title for each in found] == ["", "", "Lab"]


def test_a_change_of_topic_divides_what_has_no_slides():
    topics = Topics(lesson())
    first, second = chapters([], topics, 640)
    assert (first.kind, second.kind) == ("start", "topic")
    assert "cell" in first.title
    assert "valley" in second.title
    # A slide at nearly the same time is that change.
    assert [each.kind for each in chapters([(300, "slide", "", 2)], topics, 640)] == ["start", "slide"]


def test_an_empty_recording_has_one_chapter():
    assert shown(chapters([], NOTHING, 0)) == [(0, 0, "start", 0)]
