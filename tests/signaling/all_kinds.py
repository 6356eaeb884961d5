"""Two meetings that put an entry of every kind into the event log, with fixed ids and times.

The database below was made of them by the release before entries were typed, so what happens here must not change.
"""

import asyncio
from pathlib import Path

from sfu.values import Layer
from signaling.errors import UnstorableError
from signaling.history.journal import Journal
from signaling.rooms.events import (
    EventHub,
    ParticipantActive,
    ParticipantJoined,
    ParticipantLeft,
    ParticipantMoved,
    RoomChanged,
    RoomFinished,
    RoomOccupied,
    RoomStarted,
    TrackPublished,
    TrackUnpublished,
    VisitorArrived,
    VisitorLeft,
)
from signaling.rooms.model import (
    USER_ID,
    LeaveReason,
    Participant,
    ParticipantState,
    Room,
    RoomConfig,
    Track,
    TrackSpec,
    Visitor,
)
from signaling.rooms.permissions import AdminRight, Permissions, Receiving, Source

CAMERA = TrackSpec(
    "video", Source.CAMERA, name="cam", layers=(Layer("q", 320, 180, 90_000), Layer("h", 640, 360))
)
MICROPHONE = TrackSpec("audio", Source.MICROPHONE, stereo=True, dtx=False)
LIMITED = Permissions(
    can_publish_sources=(Source.CAMERA,),
    can_update_own_metadata=True,
    receiving=Receiving(base=frozenset(), by_identity={"ada": frozenset({Source.MICROPHONE, Source.CAMERA})}),
    admin=frozenset({AdminRight.PARTICIPANTS}),
)

# SQL, as `iterdump` of Python's sqlite3 writes it. Two deliveries wait in it, for an endpoint of LiveKit's and one of
# Daily's, and its server lived until 2000.
DATABASE = Path(__file__).parent / "store" / "databases" / "before_typed_entries.sql"
MASTER_KEY = "the master key of a test"

# The journal gives this entry up.
REFUSED = ("RM_algebra", 9)


class Clock:
    """Each reading is a second later."""

    now = 1000.25

    def __call__(self):
        self.now += 1.0
        return self.now


def emit_all(hub):
    """Play both meetings: algebra from start to end; logic, in which one participant remains."""
    algebra = Room(
        "RM_algebra", "algebra", RoomConfig(owner="school", max_participants=9), 1000.5, metadata="m\u00fc"
    )
    logic = Room("RM_logic", "logic", RoomConfig(owner="school"), 1003.5)
    ada = Participant(
        "PA_ada", "ada", algebra, "Ada", "meta", {USER_ID: "u-1", "a": "b"}, Permissions(), 1001.0
    )
    ben = Participant("PA_ben", "ben", algebra, "Ben", "", {}, LIMITED, 1002.0, leaves_at=9000.0)
    eve = Visitor("K_eve", "Eve", {USER_ID: "u-3"}, LIMITED, 9000.0, 1002.5)
    camera = Track.from_spec("TR_camera", "PA_ada", CAMERA)
    microphone = Track.from_spec("TR_mic", "PA_ben", MICROPHONE)

    hub.emit(RoomStarted(algebra))
    algebra.visited_at = 1001.0
    hub.emit(RoomOccupied(algebra))
    for person in (ada, ben):
        algebra.participants[person.identity] = person
        hub.emit(ParticipantJoined(person))
    for person in (ada, ben):
        person.state, person.connected_at, person.version = ParticipantState.ACTIVE, 1005.0, 2
        hub.emit(ParticipantActive(person))
    ada.tracks["TR_camera"] = camera
    hub.emit(TrackPublished(ada, camera))
    hub.emit(VisitorArrived(algebra, eve))
    hub.emit(VisitorLeft(algebra, eve))  # given up, see REFUSED
    hub.emit(VisitorLeft(algebra, eve))
    algebra.metadata = "changed"
    hub.emit(RoomChanged(algebra))

    hub.emit(RoomStarted(logic))
    del algebra.participants["ben"]
    logic.participants["ben"] = ben
    ben.room, logic.visited_at = logic, 1014.0
    hub.emit(RoomOccupied(logic))
    hub.emit(ParticipantMoved(ben, algebra))
    ben.tracks["TR_mic"] = microphone
    hub.emit(TrackPublished(ben, microphone))

    del ada.tracks["TR_camera"]
    hub.emit(TrackUnpublished(ada, camera, by_server=False))
    del algebra.participants["ada"]
    hub.emit(ParticipantLeft(ada, LeaveReason.CLIENT_LEFT, was_publisher=True))
    hub.emit(RoomFinished(algebra, LeaveReason.ROOM_CLOSED))


class Log:
    """Takes what a journal writes, but for the refused entry; passes it on to `append`."""

    def __init__(self, append=None):
        self.entries = []
        self._append = append

    async def append(self, entries):
        if any((entry.session_sid, entry.seq) == REFUSED and entry.kind != "unstorable" for entry in entries):
            raise UnstorableError("refused")
        self.entries += entries
        if self._append is not None:
            await self._append(entries)


async def record(log):
    """Play both meetings and write them to a log."""
    hub = EventHub()
    journal = Journal(hub, log.append, Clock())
    writer = asyncio.create_task(journal.run())
    emit_all(hub)
    await journal.committed()
    writer.cancel()
