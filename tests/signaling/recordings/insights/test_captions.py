from signaling.recordings.insights.captions import web_vtt
from tests.signaling.recordings.insights.texts import line


def test_captions_have_names_times_and_no_markup_of_what_was_said():
    lines = [line(3661.25, "Is a <b> & c?", "sam/microphone"), line(1.0, "Hello everybody", "tia/microphone")]
    names = {"tia/microphone": "Tia <T>", "sam/microphone": ""}
    assert web_vtt(lines, names.__getitem__) == (
        "WEBVTT\n"
        "\n"
        "00:00:01.000 --> 00:00:01.800\n"
        "<v Tia &lt;T&gt;>Hello everybody\n"
        "\n"
        "01:01:01.250 --> 01:01:03.250\n"
        "Is a &lt;b&gt; &amp; c?\n"
    )


def test_a_long_line_becomes_cues_that_can_be_read():
    text = " ".join(f"word{number:02}" for number in range(40))
    cues = web_vtt([line(0.0, text)], lambda _track: "").split("\n\n")[1:]
    shown = [cue.split("\n")[1] for cue in cues]
    assert " ".join(shown) == text
    assert max(map(len, shown)) <= 84
    assert all(cue.split(" --> ")[1][:12] > cue[:12] for cue in cues)
