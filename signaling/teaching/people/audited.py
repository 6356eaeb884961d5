"""Which events of a session the audit log has: admissions, removals, changes of permissions and roles, files.

Entries name people by their ids and have no names or texts. They are stored in the transaction of their events.
"""

from collections.abc import Sequence

from classroom.base import Event
from classroom.features import files, moderation, people
from classroom.features.people import LeaveReason
from classroom.ids import SessionId
from signaling.store.people.audit import AuditEntry

_REMOVALS = frozenset({LeaveReason.REMOVED, LeaveReason.BANNED})


def audited(session_id: SessionId, events: Sequence[Event]) -> list[AuditEntry]:
    """Return the entries about new events of a session."""
    entries = []
    for event in events:
        found = _entry(event)
        if found is not None:
            action, subject, details = found
            entries.append(AuditEntry(event.at, action, event.by, subject, session_id, details))
    return entries


def _entry(event: Event) -> tuple[str, str, dict[str, object]] | None:  # noqa: PLR0911 - a table of events
    """Return action, subject and details."""
    match event:
        case people.Joined() if event.by != event.person:
            return "participant.admitted", event.person, {"role": event.role.value}
        case people.TurnedAway():
            return "participant.refused", event.person, {}
        case people.Left() if event.reason in _REMOVALS:
            return "participant.removed", event.person, {"reason": event.reason.value}
        case people.RoleChanged():
            return "participant.role_changed", event.person, {"role": event.role.value}
        case moderation.Banned():
            return "participant.banned", event.person, {"scope": event.scope.value}
        case moderation.Unbanned():
            return "participant.unbanned", event.person, {}
        case moderation.Allowed():
            return (
                "permission.changed",
                event.person,
                {"permission": event.permission, "allowed": event.allowed},
            )
        case moderation.Locked():
            return "session.locked" if event.locked else "session.unlocked", "", {}
        case files.Added():
            return "file.added", event.file.id, {"kind": event.file.kind, "scope": event.file.scope.value}
        case files.Removed():
            return "file.removed", event.file.id, {}
        case _:
            return None
