import pytest

from classroom import limits
from classroom.errors import Code
from classroom.school import study_groups
from classroom.school.study_groups import STUDY_GROUPS, Role, groups_of, may_enter
from tests.classroom.school.school import Part


def create(by="ada", group="g1", **fields):
    return study_groups.Create(by=by, group=group, course="c1", name="Proofs", room="g1-room", **fields)


def founded(**fields):
    part = Part(STUDY_GROUPS)
    part.do(create(**fields))
    return part


def members(part):
    return part.state.groups["g1"].members


def test_who_founds_a_group_leads_it():
    part = founded()
    assert members(part) == {"ada": Role.LEADER}
    part.do(study_groups.Join(by="ben", group="g1"))
    assert [group.id for group in groups_of(part.state, "c1")] == ["g1"]
    assert groups_of(part.state, "c2") == []
    assert [may_enter(part.state, group, "ben") for group in ["g1", "g2"]] == [True, False]
    assert not may_enter(part.state, "g1", "eve")
    part.check_replay()


def test_the_first_member_of_a_group_that_the_application_made_leads_it():
    part = founded(by="")
    part.do(study_groups.Join(by="ben", group="g1"))
    part.do(study_groups.Add(group="g1", person="cem"))
    assert members(part) == {"ben": Role.LEADER, "cem": Role.MEMBER}


def test_a_closed_group_is_joined_by_invitation():
    part = founded(open=False)
    assert part.refusal(study_groups.Join(by="ben", group="g1")) is Code.NOT_INVITED
    part.do(study_groups.Add(by="ada", group="g1", person="ben"))
    assert part.refusal(study_groups.Add(by="ben", group="g1", person="cem")) is Code.NOT_YOURS


def test_a_group_keeps_a_leader():
    part = founded()
    for person in ["ben", "cem"]:
        part.do(study_groups.Join(by=person, group="g1"))
    demote = study_groups.SetRole(by="ada", group="g1", person="ada", role=Role.MEMBER)
    assert part.refusal(demote) is Code.OWNER_STAYS
    part.do(study_groups.SetRole(by="ada", group="g1", person="cem", role=Role.LEADER))
    part.do(demote)
    assert part.refusal(demote) is Code.NOT_YOURS
    part.do(study_groups.Leave(by="cem", group="g1"))
    assert members(part) == {"ada": Role.LEADER, "ben": Role.MEMBER}  # the oldest member leads
    part.do(study_groups.Remove(by="ada", group="g1", person="ben"))
    part.do(study_groups.Leave(by="ada", group="g1"))
    assert members(part) == {}
    part.check_replay()


def test_a_group_has_places():
    part = founded(capacity=2)
    part.do(study_groups.Join(by="ben", group="g1"))
    assert part.refusal(study_groups.Join(by="ben", group="g1")) is Code.ALREADY_MEMBER
    assert part.refusal(study_groups.Join(by="cem", group="g1")) is Code.GROUP_FULL


def test_a_group_is_dissolved_by_its_leader():
    part = founded()
    part.do(study_groups.Join(by="ben", group="g1"))
    assert part.refusal(study_groups.Dissolve(by="ben", group="g1")) is Code.NOT_YOURS
    part.do(study_groups.Dissolve(by="ada", group="g1"))
    assert part.refusal(study_groups.Join(by="ben", group="g1")) is Code.GROUP_NOT_FOUND


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (create(), Code.ALREADY_EXISTS),
        (create(group="g2", capacity=51), Code.BAD_NUMBER),
        (create(group="g2", capacity=1), Code.BAD_NUMBER),
        (create(group="a b"), Code.BAD_IDENTIFIER),
        (study_groups.Leave(by="eve", group="g1"), Code.NOT_A_MEMBER),
        (study_groups.Join(by="", group="g1"), Code.BAD_IDENTIFIER),
        (study_groups.SetRole(by="ada", group="g1", person="ada", role=Role.LEADER), Code.NOTHING_TO_CHANGE),
        (study_groups.SetRole(by="ada", group="g1", person="eve", role=Role.LEADER), Code.NOT_A_MEMBER),
    ],
)
def test_what_does_not_fit_is_refused(command, code):
    assert founded().refusal(command) is code


def test_the_number_of_groups_is_limited(monkeypatch):
    monkeypatch.setattr(limits, "GROUPS", 1)
    assert founded().refusal(create(group="g2")) is Code.TOO_MANY
