"""Entries of the event log for tests: every field has a value, and a test names those that matter to it."""

from signaling.rooms.permissions import Permissions, Source
from signaling.store import LogEntry
from signaling.store.meetings import entries

RM = "RM_1"


def logged(seq, entry, sid=RM, at=None):
    """Return an entry in its place in the log; without `at`, its time is its number."""
    return LogEntry(sid, seq, entry, float(seq) if at is None else at)


def log(*listed, sid=RM):
    """Return entries numbered from 1."""
    return [logged(seq, entry, sid) for seq, entry in enumerate(listed, 1)]


def room(name="algebra", **fields):
    defaults = {
        "sid": RM,
        "metadata": "",
        "owner": "",
        "created_at": 0.0,
        "visited_at": None,
        "empty_timeout_s": 300,
        "departure_timeout_s": 20,
        "max_participants": 0,
        "participants": 0,
        "publishers": 0,
    }
    return entries.RoomSnapshot(name=name, **{**defaults, **fields})


def person(identity="ada", **fields):
    defaults = {
        "sid": f"PA_{identity}",
        "name": identity.title(),
        "metadata": "",
        "attributes": {},
        "permissions": Permissions(),
        "joined_at": 1.0,
        "leaves_at": None,
        "connected_at": 0.0,
        "kind": "standard",
        "is_publisher": False,
        "state": "JOINED",
        "version": 1,
    }
    return entries.ParticipantSnapshot(identity=identity, **{**defaults, **fields})


def track(sid="TR_1", **fields):
    defaults = {
        "kind": "video",
        "source": Source.CAMERA,
        "name": "",
        "muted": False,
        "width": 0,
        "height": 0,
        "codec": "",
        "mid": "",
        "layers": (),
        "stereo": False,
        "dtx": True,
        "red": True,
    }
    return entries.TrackSnapshot(sid=sid, **{**defaults, **fields})


def visitor(identity="eve", **fields):
    defaults = {
        "name": identity.title(),
        "attributes": {},
        "permissions": Permissions(),
        "joined_at": 1.0,
        "leaves_at": None,
    }
    return entries.VisitorSnapshot(identity=identity, **{**defaults, **fields})


def started(name="algebra", **fields):
    return entries.RoomStarted(room(name, **fields))


def changed(metadata=""):
    """Stands for any entry where a test does not care what it says."""
    return entries.RoomChanged(room(metadata=metadata))


def finished(reason="ROOM_CLOSED", **fields):
    return entries.RoomFinished(room(**fields), reason)


def joined(identity="ada", **fields):
    return entries.ParticipantJoined(room(), person(identity, **fields))


def active(identity="ada", **fields):
    return entries.ParticipantActive(room(), person(identity, **{"connected_at": 3.0, **fields}))


def left(identity="ada", reason="CLIENT_LEFT", **fields):
    return entries.ParticipantLeft(room(), person(identity, **fields), reason)


def moved_out(identity="ada", to="RM_2", **fields):
    return entries.ParticipantMovedOut(room(), person(identity, **fields), to)


def moved_in(identity="ada", origin="RM_2", **fields):
    return entries.ParticipantMovedIn(room(), person(identity, **fields), origin)


def published(sid="TR_1", identity="ada"):
    return _of_track(entries.TrackPublished, sid, identity)


def unpublished(sid="TR_1", identity="ada"):
    return _of_track(entries.TrackUnpublished, sid, identity)


def _of_track(of, sid, identity):
    publisher = entries.ParticipantReference(f"PA_{identity}", identity, identity.title())
    return of(entries.RoomReference(RM, "algebra"), publisher, track(sid))
