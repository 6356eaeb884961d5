from signaling.recordings.insights.highlights import Highlight, bursts, ordered


def test_a_burst_is_far_more_chat_than_usual():
    steady = [index * 60.0 for index in range(60)]
    burst = [1000.0 + index for index in range(8)]
    [found] = bursts(sorted(steady + burst), 3600)
    assert (found.kind, found.text) == ("chat", "9")
    assert found.at_s == 1000.0
    assert bursts(steady, 3600) == []
    assert bursts([], 0) == []
    assert bursts([5.0, 6.0, 7.0], 3600) == []  # too few


def test_a_lively_chat_has_no_bursts():
    assert bursts([index * 2.0 for index in range(300)], 600) == []


def test_highlights_are_those_within_the_recording_in_order():
    found = [
        Highlight(9, "poll", "b"),
        Highlight(-1, "question", "before"),
        Highlight(3, "question", "a"),
        Highlight(99, "poll", "after"),
    ]
    assert [each.text for each in ordered(found, 10)] == ["a", "b"]
