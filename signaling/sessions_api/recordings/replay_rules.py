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
    """Return whether somebody may watch recordings of a session: who takes part or took part, or its staff alone."""
    person = room.people.everyone.get(viewer_id)
    if person is None or not is_participant(room, viewer_id):
        return False
    return person.role in STAFF or not staff_only


def may_watch_track(room: Classroom, viewer: Person, publisher_id: str, source: str) -> bool:
    """Return whether somebody who may watch may have a track: what the session's settings let them see live.

    A student's camera or screen that was shown to all for a while counts as one that was not, since a track is shown as
    a whole.
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
