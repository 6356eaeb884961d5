"""The load's options."""

from argparse import ArgumentParser

import pytest

from bench.load.plan import Plan, add_options, read_options


def parsed(*words):
    parser = ArgumentParser()
    parser.add_argument("--host")
    add_options(parser)
    return read_options(parser.parse_args(words))


def test_a_plan_survives_its_command_line():
    plan = Plan("wss://x", rooms=3, mesh=True, joins_per_s=2.5, stay=1.0, joins=9, media="audio", pid=7)
    assert parsed(*plan.options()) == plan
    assert parsed() == Plan("ws://127.0.0.1:7880")


def test_rooms_are_filled_in_turn():
    plan = Plan("ws://x", rooms=2, viewers=3, prefix="p")
    assert plan.seated == 6
    assert [plan.room(number) for number in range(3)] == ["p-0", "p-1", "p-0"]


def test_everybody_in_a_mesh_sends_to_everybody_else():
    plan = Plan("ws://x", rooms=25, viewers=4, mesh=True, voice=50.0)
    assert (plan.publishers, plan.seated, plan.streams) == (0, 100, 100 * 3 * 2)
    lecture = Plan("ws://x", rooms=2, viewers=3)
    assert (lecture.publishers, lecture.seated, lecture.streams) == (2, 6, 6)


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["--rooms", "0"], "--rooms"),
        (["--viewers", "-1"], "--viewers must not be negative"),
        (["--mesh", "--viewers", "1"], "at least two"),
        (["--joins", "5"], "--joins needs --stay"),
        (["--media", "smell"], "--media must be video or audio"),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(words, reason):
    with pytest.raises(ValueError, match=reason):
        parsed(*words)
