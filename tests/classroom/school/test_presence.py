import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classroom import limits
from classroom.errors import Code
from classroom.school import presence
from classroom.school.presence import PRESENCE, Status
from tests.classroom.school.school import NOW, Part


def beat(part, person="ada", after=0.0):
    events = part.do(presence.Heartbeat(by=person), after)
    presence.seen(part.state, person, part.now)
    return events


def status(part, person="ada"):
    return presence.line(part.state, person).status


def test_the_first_heartbeat_brings_somebody_online_and_the_others_are_no_news():
    part = Part(PRESENCE)
    assert status(part) is Status.OFFLINE
    assert presence.line(part.state, "ada").seen_at is None
    assert len(beat(part)) == 1
    assert beat(part, after=60) == []
    assert presence.line(part.state, "ada") == presence.Line("ada", Status.ONLINE, "", NOW + 60)


def test_silence_of_five_minutes_is_offline():
    part = Part(PRESENCE)
    beat(part, "ada")
    beat(part, "ben", after=100)
    assert presence.due(part.state) == NOW + 300
    assert presence.silent(part.state, NOW + 299.9) == []
    (gone,) = presence.silent(part.state, NOW + 300)
    part.keep([gone])
    assert (gone.by, gone.status) == ("ada", Status.OFFLINE)
    assert presence.silent(part.state, NOW + 300) == []
    assert presence.due(part.state) == NOW + 400
    assert presence.line(part.state, "ada").seen_at == NOW  # last seen then, not when it was noticed
    assert [line.person for line in presence.online(part.state)] == ["ben"]
    assert len(beat(part, "ada", after=500)) == 1
    assert status(part) is Status.ONLINE


def test_who_chose_a_status_keeps_it():
    part = Part(PRESENCE)
    beat(part)
    for chosen in [Status.BUSY, Status.AWAY, Status.OFFLINE]:
        part.do(presence.SetStatus(by="ada", status=chosen))
        assert beat(part, after=60) == []
        assert status(part) is chosen
    assert part.refusal(presence.SetStatus(by="ada", status=Status.OFFLINE)) is Code.NOTHING_TO_CHANGE
    part.do(presence.SetStatus(by="ada", status=Status.ONLINE))
    assert status(part) is Status.ONLINE


def test_an_activity_is_one_line():
    part = Part(PRESENCE)
    part.do(presence.SetActivity(by="ada", activity="Reading 📖"))
    assert presence.line(part.state, "ada").activity == "Reading 📖"
    assert status(part) is Status.ONLINE
    same = presence.SetActivity(by="ada", activity="Reading 📖")
    assert part.refusal(same) is Code.NOTHING_TO_CHANGE
    assert part.refusal(presence.SetActivity(by="ada", activity="x" * 141)) is Code.TEXT_TOO_LONG
    part.do(presence.SetStatus(by="ada", status=Status.BUSY))
    assert presence.line(part.state, "ada").activity == "Reading 📖"
    part.do(presence.SetStatus(by="ada", status=Status.OFFLINE))
    assert presence.line(part.state, "ada").activity == ""


def test_several_at_once():
    part = Part(PRESENCE)
    beat(part, "ada")
    found = presence.lines(part.state, ["ada", "ben"])
    assert [line.status for line in found] == [Status.ONLINE, Status.OFFLINE]


def test_the_offline_are_forgotten_in_the_end():
    part = Part(PRESENCE)
    for person in ["ada", "ben"]:
        beat(part, person)
    part.do(presence.SetStatus(by="ada", status=Status.OFFLINE))
    presence.forget(part.state, NOW + 1)
    assert list(part.state.people) == ["ben"]
    presence.seen(part.state, "nobody", NOW)
    assert list(part.state.people) == ["ben"]


def test_the_number_of_people_is_limited(monkeypatch):
    monkeypatch.setattr(limits, "PRESENCES", 1)
    part = Part(PRESENCE)
    beat(part, "ada")
    assert part.refusal(presence.Heartbeat(by="ben")) is Code.TOO_MANY
    beat(part, "ada")


@pytest.mark.parametrize("kind", [presence.Heartbeat, presence.SetActivity])
def test_who_has_no_id_is_refused(kind):
    fields = {"activity": "x"} if kind is presence.SetActivity else {}
    assert Part(PRESENCE).refusal(kind(by="", **fields)) is Code.BAD_IDENTIFIER


STEPS = st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 400), st.booleans()), max_size=25)


@given(STEPS)
@settings(deadline=None)
def test_nobody_stays_online_after_five_minutes_of_silence(steps):
    part, seen = Part(PRESENCE), {}
    for person, after, beats in steps:
        part.now += after
        if beats:
            beat(part, person)
            seen[person] = part.now
        part.keep(presence.silent(part.state, part.now))
        for other, last in seen.items():
            assert (status(part, other) is Status.ONLINE) == (part.now - last < limits.OFFLINE_S)
