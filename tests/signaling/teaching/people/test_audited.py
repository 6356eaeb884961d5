import pytest

from classroom.features import chat, files, moderation, people
from classroom.features.moderation import BanScope
from classroom.roles import Role
from signaling.teaching.people.audited import audited

FILE = files.File("f1", "sam", 1.0, "Sam's diary.pdf", 9, "application/pdf", "0" * 64, files.Scope.STAFF, "")


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (people.Joined(at=1.0, by="sam", person="sam", name="Sam", role=Role.STUDENT, visit="v"), None),
        (
            people.Joined(at=1.0, by="t", person="sam", name="Sam", role=Role.STUDENT, visit="v"),
            ("participant.admitted", "t", "sam", {"role": "student"}),
        ),
        (people.TurnedAway(at=1.0, by="t", person="sam"), ("participant.refused", "t", "sam", {})),
        (
            people.Left(
                at=1.0, by="sam", person="sam", visit="v", reason=people.LeaveReason.LEFT, left_at=1.0
            ),
            None,
        ),
        (
            people.Left(
                at=1.0, by="t", person="sam", visit="v", reason=people.LeaveReason.REMOVED, left_at=1.0
            ),
            ("participant.removed", "t", "sam", {"reason": "removed"}),
        ),
        (moderation.Unbanned(at=1.0, by="t", person="sam"), ("participant.unbanned", "t", "sam", {})),
        (moderation.Locked(at=1.0, by="t", locked=True), ("session.locked", "t", "", {})),
        (
            files.Added(at=1.0, by="sam", file=FILE),
            ("file.added", "sam", "f1", {"kind": FILE.kind, "scope": "staff"}),
        ),
        (files.Removed(at=1.0, by="t", file=FILE), ("file.removed", "t", "f1", {})),
        (
            chat.Deleted(
                at=1.0, by="t", message="m", author="sam", scope=chat.Scope.ALL, target="", held=False
            ),
            None,
        ),
    ],
)
def test_events_about_rights_and_files_are_entries_without_names(event, expected):
    entries = audited("ses_1", [event])
    found = [(each.action, each.actor, each.subject, dict(each.details)) for each in entries]
    assert found == ([] if expected is None else [expected])
    assert all(each.session == "ses_1" and each.at == 1.0 for each in entries)
    assert "diary" not in str(entries)


def test_a_ban_tells_for_how_long():
    (entry,) = audited("s", [moderation.Banned(at=1.0, by="t", person="sam", scope=BanScope.FOREVER)])
    assert entry.details == {"scope": "forever"}
