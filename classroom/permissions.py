"""Who may do what, and when: one row for each kind of command, and for each use of media.

A row names the roles that have the permission. Students and observers must be present; staff may also act from outside,
since they prepare and supervise a session through the API. Permissions marked `grantable` can be given to, or taken
from, one person or all students (`moderation.allow`): the person's grant has precedence, then that of all students.
"""

from typing import TYPE_CHECKING, Final, NamedTuple

from classroom.base import SERVER, Command
from classroom.errors import Code, Conflict, NotAllowed, NotFound
from classroom.ids import PersonId
from classroom.roles import ANY, BEFORE, EVERYBODY, LEARNERS, OPEN, STAFF, TUTORS, UNFINISHED, Phase, Role

if TYPE_CHECKING:
    from classroom.features.people import Person
    from classroom.state import Classroom


class Rule(NamedTuple):
    """One row of the table."""

    roles: frozenset[Role]
    "Roles that have the permission."
    phases: frozenset[Phase] = OPEN
    "Phases in which it applies."
    server: bool = False
    "The application and the server itself have it, too."
    grantable: bool = False
    "Grants may change it."
    strangers: bool = False
    "People who do not belong to the session yet have it, too."
    absent: bool = False
    "Students and observers need not be present."


_STUDENT: Final = frozenset({Role.STUDENT})
_OWNER: Final = frozenset({Role.OWNER})
_NOBODY: Final = frozenset[Role]()
_SPEAKERS: Final = STAFF | _STUDENT
_AFTER: Final = OPEN | {Phase.ENDED}

RULES: Final[dict[str, Rule]] = {
    "session.create": Rule(_NOBODY, ANY, server=True),
    "session.update": Rule(TUTORS, UNFINISHED, server=True),
    "session.schedule": Rule(TUTORS, BEFORE, server=True),
    "session.renew_code": Rule(TUTORS, UNFINISHED, server=True),
    "session.start": Rule(TUTORS, BEFORE, server=True),
    "session.pause": Rule(TUTORS, frozenset({Phase.LIVE}), server=True),
    "session.resume": Rule(TUTORS, frozenset({Phase.PAUSED}), server=True),
    "session.end": Rule(TUTORS, OPEN, server=True),
    "session.cancel": Rule(TUTORS, BEFORE, server=True),
    "people.invite": Rule(TUTORS, UNFINISHED, server=True),
    "people.join": Rule(EVERYBODY, UNFINISHED, strangers=True, absent=True),
    "people.admit": Rule(STAFF, UNFINISHED, server=True),
    "people.admit_all": Rule(STAFF, UNFINISHED, server=True),
    "people.refuse": Rule(STAFF, UNFINISHED, server=True),
    "people.leave": Rule(EVERYBODY, UNFINISHED, absent=True),
    "people.lose_connection": Rule(_NOBODY, UNFINISHED, server=True),
    "people.restore_connection": Rule(_NOBODY, UNFINISHED, server=True),
    "people.recover": Rule(_NOBODY, UNFINISHED, server=True),
    "people.set_role": Rule(TUTORS, UNFINISHED, server=True),
    "grades.set": Rule(TUTORS, UNFINISHED, server=True),
    "attendance.set_activity": Rule(EVERYBODY, UNFINISHED),
    "attendance.record_talk": Rule(_NOBODY, _AFTER, server=True),
    "chat.send": Rule(_SPEAKERS, grantable=True),
    "chat.edit": Rule(_SPEAKERS),
    "chat.delete": Rule(_SPEAKERS, _AFTER, server=True),
    "chat.pin": Rule(STAFF, grantable=True),
    "chat.unpin": Rule(STAFF, grantable=True),
    "chat.approve": Rule(STAFF),
    "chat.set_mode": Rule(STAFF, UNFINISHED, server=True),
    "files.add": Rule(_SPEAKERS, UNFINISHED, grantable=True),
    "files.remove": Rule(_SPEAKERS, UNFINISHED | {Phase.ENDED}, server=True),
    "reactions.react": Rule(EVERYBODY, grantable=True),
    "hands.raise": Rule(_STUDENT, grantable=True),
    "hands.lower": Rule(EVERYBODY),
    "hands.lower_all": Rule(STAFF),
    "questions.ask": Rule(_STUDENT, grantable=True),
    "questions.upvote": Rule(_STUDENT, grantable=True),
    "questions.take_back": Rule(_STUDENT),
    "questions.answer": Rule(STAFF, grantable=True),
    "questions.resolve": Rule(STAFF),
    "questions.dismiss": Rule(STAFF),
    "questions.reopen": Rule(STAFF),
    "polls.create": Rule(TUTORS, UNFINISHED),
    "polls.open": Rule(TUTORS),
    "polls.answer": Rule(_STUDENT, grantable=True),
    "polls.close": Rule(TUTORS),
    "polls.publish": Rule(TUTORS, _AFTER),
    "polls.discard": Rule(TUTORS, UNFINISHED),
    "help_requests.ask": Rule(_STUDENT, grantable=True),
    "help_requests.respond": Rule(STAFF),
    "help_requests.resolve": Rule(_SPEAKERS),
    "help_requests.dismiss": Rule(STAFF),
    "studio.add_scene": Rule(TUTORS, UNFINISHED),
    "studio.remove_scene": Rule(TUTORS, UNFINISHED),
    "studio.switch": Rule(TUTORS, UNFINISHED, grantable=True),
    "slides.add_deck": Rule(TUTORS, UNFINISHED, server=True, grantable=True),
    "slides.remove_deck": Rule(TUTORS, UNFINISHED),
    "slides.go_to": Rule(TUTORS, UNFINISHED, grantable=True),
    "whiteboard.draw": Rule(STAFF, UNFINISHED, grantable=True),
    "whiteboard.save_snapshot": Rule(_NOBODY, ANY, server=True),
    "whiteboard.add_page": Rule(STAFF, UNFINISHED, grantable=True),
    "whiteboard.remove_page": Rule(STAFF, UNFINISHED),
    "whiteboard.go_to": Rule(STAFF, UNFINISHED, grantable=True),
    "exercises.add": Rule(STAFF, UNFINISHED),
    "exercises.assign": Rule(STAFF, UNFINISHED),
    "exercises.report": Rule(_STUDENT),
    "exercises.submit": Rule(_STUDENT),
    "exercises.give_back": Rule(STAFF, _AFTER),
    "exercises.accept": Rule(STAFF, _AFTER),
    "exercises.set_mode": Rule(STAFF),
    "breakouts.make": Rule(TUTORS, UNFINISHED),
    "breakouts.assign": Rule(TUTORS, UNFINISHED),
    "breakouts.shuffle": Rule(TUTORS, UNFINISHED),
    "breakouts.open": Rule(TUTORS),
    "breakouts.choose": Rule(_STUDENT, grantable=True),
    "breakouts.visit": Rule(STAFF),
    "breakouts.broadcast": Rule(TUTORS),
    "breakouts.call_back": Rule(TUTORS),
    "breakouts.close": Rule(TUTORS),
    "moderation.mute": Rule(STAFF, server=True),
    "moderation.allow": Rule(STAFF, UNFINISHED, server=True),
    "moderation.rename": Rule(STAFF, UNFINISHED, server=True),
    "moderation.remove": Rule(STAFF, UNFINISHED, server=True),
    "moderation.ban": Rule(TUTORS, UNFINISHED, server=True),
    "moderation.unban": Rule(TUTORS, UNFINISHED, server=True),
    "moderation.lock": Rule(STAFF, UNFINISHED, server=True),
    "moderation.spotlight": Rule(STAFF),
    "moderation.pin": Rule(STAFF),
    "moderation.unpin": Rule(STAFF),
    # Media is not sent by commands; the media server calls `may`.
    "media.unmute": Rule(_SPEAKERS, UNFINISHED, grantable=True),
    "media.camera": Rule(_SPEAKERS, UNFINISHED, grantable=True),
    "media.share_screen": Rule(_SPEAKERS, UNFINISHED, grantable=True),
}

GRANTABLE: Final = frozenset(name for name, rule in RULES.items() if rule.grantable)


def may(room: "Classroom", person_id: PersonId, permission: str) -> bool:
    """Return whether a person of the session has a permission, in any phase."""
    person = room.people.everyone.get(person_id)
    return person is not None and _may(room, person, permission)


def _may(room: "Classroom", person: "Person", permission: str) -> bool:
    rule = RULES[permission]
    if rule.grantable and person.role is not Role.OWNER:
        granted = room.moderation.grants.get(person.id, {}).get(permission)
        if granted is None and person.role is Role.STUDENT:
            granted = room.moderation.class_grants.get(permission)
        if granted is not None:
            return granted
    return person.role in rule.roles


def check(room: "Classroom", command: Command) -> None:
    """Refuse a command that its author may not give, or not now: raises `NotFound`, `NotAllowed` or `Conflict`."""
    name = str(command.__struct_config__.tag)
    rule = RULES[name]
    if not room.session.id and name != "session.create":
        raise NotFound(Code.SESSION_NOT_FOUND, "There is no such session.")
    if command.by == SERVER:
        if not rule.server:
            raise NotAllowed(Code.NOT_ALLOWED, "Only a person of the session can do this.")
    else:
        _check_person(room, rule, name, command.by)
    if room.session.phase not in rule.phases:
        raise Conflict(Code.WRONG_PHASE, f"This cannot be done while the session is {room.session.phase}.")


def _check_person(room: "Classroom", rule: Rule, name: str, person_id: PersonId) -> None:
    person = room.people.everyone.get(person_id)
    if person is None:
        if rule.strangers:
            return
        raise NotAllowed(Code.NOT_A_PARTICIPANT, "This person does not belong to the session.")
    if person_id in room.moderation.removed and not rule.absent:
        raise NotAllowed(Code.NOT_PRESENT, "This person was removed from the session.")
    if not _may(room, person, name):
        raise NotAllowed(Code.NOT_ALLOWED, f"The role {person.role} does not allow this here.")
    if person.role in LEARNERS and not rule.absent and person_id not in room.people.present:
        # After the end, nobody is present; whatever is still allowed is then allowed to those who took part.
        if room.session.phase is Phase.ENDED and person.visited:
            return
        raise NotAllowed(Code.NOT_PRESENT, "This person is not in the session now.")


def require_role(room: "Classroom", person_id: PersonId, roles: frozenset[Role]) -> None:
    """Refuse a person with none of these roles; the server is allowed. For rules that a row cannot express."""
    person = room.people.everyone.get(person_id)
    if person_id != SERVER and (person is None or person.role not in roles):
        raise NotAllowed(Code.NOT_YOURS, "This belongs to another person.")
