"""What somebody may do with media, from the rules of the session."""

from typing import Final

from classroom.features import studio
from classroom.ids import PersonId
from classroom.permissions import may
from classroom.roles import LEARNERS, STAFF, TUTORS
from classroom.state import Classroom
from signaling.ids import Identity
from signaling.rooms.permissions import ALL_SOURCES, AdminRight, Permissions, Receiving, Source

_SENT_WITH: Final = {
    "media.unmute": {Source.MICROPHONE},
    "media.camera": {Source.CAMERA},
    "media.share_screen": {Source.SCREEN_SHARE, Source.SCREEN_SHARE_AUDIO},
}

# The engine gives tracks of those who lead a room precedence, and knows them by having any right over others. This one
# gives no power over people: that is what the session's own commands are for.
_LEADS: Final = frozenset({AdminRight.STREAMING})


def permissions_of(room: Classroom, person_id: PersonId) -> Permissions:
    """Return what somebody may send and receive now."""
    sources = {source for name, given in _SENT_WITH.items() if may(room, person_id, name) for source in given}
    person = room.people.everyone.get(person_id)
    return Permissions(
        can_publish=bool(sources),
        can_publish_sources=tuple(sorted(sources)),
        can_publish_data=may(room, person_id, "chat.send"),
        receiving=_receiving(room, person_id),
        admin=_LEADS if person is not None and person.role in TUTORS else frozenset(),
    )


def _receiving(room: Classroom, person_id: PersonId) -> Receiving:
    viewer = room.people.everyone.get(person_id)
    if viewer is None or viewer.role in STAFF:
        return Receiving()
    settings = room.session.settings
    base = {Source.MICROPHONE, Source.UNKNOWN}
    if settings.student_cameras:
        base.add(Source.CAMERA)
    if settings.student_screens:
        base |= {Source.SCREEN_SHARE, Source.SCREEN_SHARE_AUDIO}
    by_person = {person.id: ALL_SOURCES for person in room.people.everyone.values() if person.role in STAFF}
    for person_on_stage in _on_stage(room):
        if person_on_stage in by_person or person_on_stage == person_id:
            continue
        shown = frozenset(base | _shown(room, person_id, person_on_stage))
        if shown != base:
            by_person[person_on_stage] = shown
    by_identity = {Identity(person): sources for person, sources in by_person.items()}
    return Receiving(frozenset(base), {}, by_identity)


def _on_stage(room: Classroom) -> list[PersonId]:
    """Return the students whom a scene, the spotlight or a pin shows to all."""
    scene = studio.current(room)
    shown = PersonId("" if scene is None else scene.source)  # which may also be a file or a slide
    named = [room.moderation.spotlight, *room.moderation.pins, shown]
    everyone = room.people.everyone
    return [name for name in named if name in everyone and everyone[name].role in LEARNERS]


def _shown(room: Classroom, viewer: PersonId, publisher: PersonId) -> set[Source]:
    sources: set[Source] = set()
    if studio.may_watch(room, viewer, publisher, "camera"):
        sources.add(Source.CAMERA)
    if studio.may_watch(room, viewer, publisher, "screen"):
        sources |= {Source.SCREEN_SHARE, Source.SCREEN_SHARE_AUDIO}
    return sources
