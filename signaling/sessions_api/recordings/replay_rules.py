"""Who may watch a recording, and which of its tracks: pure functions over a session's state."""

from classroom.features.people import Person
from classroom.ids import PersonId
from classroom.roles import STAFF
from classroom.state import Classroom
from classroom.visibility import is_participant

_CAMERAS = frozenset({"camera"})
_SCREENS = frozenset({"screen_share", "screen_share_audio"})
_VOICES = frozenset({"microphone"})


def may_watch(room: Classroom, viewer_id: PersonId, *, staff_only: bool) -> bool:
    """Return whether a person may watch a session's recordings: everybody who takes or took part, or only staff."""
    person = room.people.everyone.get(viewer_id)
    if person is None or not is_participant(room, viewer_id):
        return False
    return person.role in STAFF or not staff_only


def may_watch_track(room: Classroom, viewer: Person, publisher_id: str, source: str) -> bool:
    """Return whether a person who may watch may see a track: the session's settings must let them see it live.

    A student's camera or screen that everybody saw for a while is treated like any other one, since a track is replayed
    as a whole.
    """
    publisher = room.people.everyone.get(PersonId(publisher_id))
    if viewer.role in STAFF or publisher_id == viewer.id:
        return True
    if publisher is None:
        return False
    if publisher.role in STAFF or source in _VOICES:
        return True
    settings = room.session.settings
    return (source in _CAMERAS and settings.student_cameras) or (
        source in _SCREENS and settings.student_screens
    )
