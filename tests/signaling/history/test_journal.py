import asyncio
from contextlib import asynccontextmanager
from typing import get_args

from signaling.errors import StoreError, UnstorableError
from signaling.history.journal import _ENTRIES, _NOT_LOGGED, MAX_BATCH, Journal
from signaling.rooms.events import (
    EventHub,
    ParticipantActive,
    ParticipantJoined,
    ParticipantLeft,
    ParticipantMoved,
    RoomChanged,
    RoomEvent,
    RoomFinished,
    RoomOccupied,
    RoomStarted,
    TrackPublished,
    TrackUnpublished,
    VisitorArrived,
    VisitorLeft,
)
from signaling.rooms.model import LeaveReason, Participant, Room, RoomConfig, Track, TrackSpec, Visitor
from signaling.rooms.permissions import Permissions, Source
from signaling.store import Store
from signaling.store.store import MEMORY_URL


def room(sid):
    return Room(sid, "algebra", RoomConfig(), 0.0)


def person(where, sid="PA_1"):
    return Participant(sid, "ada", where, "Ada", "", {}, Permissions(), 0.0)


class FakeLog:
    def __init__(self, failures=0):
        self.batches = []
        self.failures = failures
        self.pauses = []

    async def append(self, entries):
        if self.failures:
            self.failures -= 1
            raise StoreError("locked")
        self.batches.append(list(entries))

    async def pause(self, delay_s):
        self.pauses.append(delay_s)

    @property
    def entries(self):
        return [(entry.session_sid, entry.seq, entry.kind) for batch in self.batches for entry in batch]


@asynccontextmanager
async def journal_on(append, pause=asyncio.sleep):
    hub = EventHub()
    journal = Journal(hub, append, lambda: 7.0, pause)
    writer = asyncio.create_task(journal.run())
    try:
        yield hub, journal
    finally:
        writer.cancel()
        await asyncio.gather(writer, return_exceptions=True)


async def test_each_session_is_numbered_from_one():
    log, one, two = FakeLog(), room("RM_1"), room("RM_2")
    async with journal_on(log.append) as (hub, journal):
        for event in (RoomStarted(one), RoomStarted(two), RoomFinished(one), RoomFinished(two)):
            hub.emit(event)
        assert journal.backlog == 4
        await journal.committed()
        assert journal.backlog == 0
    assert log.entries == [
        ("RM_1", 1, "room_started"),
        ("RM_2", 1, "room_started"),
        ("RM_1", 2, "room_finished"),
        ("RM_2", 2, "room_finished"),
    ]


async def test_a_failing_database_delays_entries_and_loses_none():
    log, one = FakeLog(failures=3), room("RM_1")
    async with journal_on(log.append, log.pause) as (hub, journal):
        hub.emit(RoomStarted(one))
        hub.emit(ParticipantJoined(person(one)))
        await journal.committed()
    assert log.pauses == [1.0, 1.0, 1.0]
    assert [seq for _, seq, _ in log.entries] == [1, 2]


async def test_a_fault_of_the_program_is_tried_again_too(caplog):
    log, one = FakeLog(), room("RM_1")
    faults = [ValueError("fault")]

    async def append(entries):
        if faults:
            raise faults.pop()
        await log.append(entries)

    async with journal_on(append, log.pause) as (hub, journal):
        hub.emit(RoomStarted(one))
        await journal.committed()
    assert log.pauses == [1.0]
    assert log.entries == [("RM_1", 1, "room_started")]
    assert "1 entries are waiting" in caplog.text


async def test_one_entry_that_no_database_takes_is_given_up_and_the_others_are_kept(caplog):
    log, one = FakeLog(), room("RM_1")

    async def append(entries):
        if any(entry.kind == "participant_joined" for entry in entries):
            raise UnstorableError("no")
        await log.append(entries)

    async with journal_on(append) as (hub, journal):
        for event in (RoomStarted(one), ParticipantJoined(person(one)), RoomFinished(one)):
            hub.emit(event)
        await journal.committed()
        assert journal.backlog == 0
    assert [(seq, kind) for _, seq, kind in log.entries] == [
        (1, "room_started"),
        (2, "unstorable"),
        (3, "room_finished"),
    ]
    assert "entry 2 of RM_1 (participant_joined) is lost" in caplog.text


async def test_a_fault_that_stays_is_one_of_an_entry(caplog):
    log, one = FakeLog(), room("RM_1")

    async def append(entries):
        if any(entry.kind == "participant_joined" for entry in entries):
            raise KeyError("fault")
        await log.append(entries)

    async with journal_on(append, log.pause) as (hub, journal):
        for event in (RoomStarted(one), ParticipantJoined(person(one)), RoomFinished(one)):
            hub.emit(event)
        await journal.committed()
    assert [kind for _, _, kind in log.entries] == ["room_started", "unstorable", "room_finished"]
    assert log.pauses == [1.0] * 4
    assert "entry 2 of RM_1 (participant_joined) is lost" in caplog.text


async def test_what_takes_nothing_at_all_does_not_hold_up_the_journal():
    async def append(_entries):
        raise UnstorableError("no")

    async with journal_on(append) as (hub, journal):
        hub.emit(RoomStarted(room("RM_1")))
        await journal.committed()
        assert journal.backlog == 0


async def test_a_burst_is_written_in_batches():
    log, one = FakeLog(), room("RM_1")
    async with journal_on(log.append) as (hub, journal):
        hub.emit(RoomStarted(one))
        for index in range(MAX_BATCH):
            hub.emit(ParticipantJoined(person(one, f"PA_{index}")))
        await journal.committed()
    assert [len(batch) for batch in log.batches] == [MAX_BATCH, 1]


async def test_what_happens_in_a_room_that_is_over_is_not_written():
    log, one = FakeLog(), room("RM_1")
    async with journal_on(log.append) as (hub, journal):
        hub.emit(RoomStarted(one))
        hub.emit(RoomFinished(one))
        hub.emit(ParticipantJoined(person(one)))
        await journal.committed()
    assert [kind for _, _, kind in log.entries] == ["room_started", "room_finished"]


async def test_a_move_is_written_for_both_rooms_and_sessions_follow():
    store, one, two = await Store.open(MEMORY_URL), room("RM_1"), room("RM_2")
    async with journal_on(store.events.append) as (hub, journal):
        ada = person(one)
        for event in (RoomStarted(one), RoomStarted(two), ParticipantJoined(ada)):
            hub.emit(event)
        ada.room = two
        hub.emit(ParticipantMoved(ada, one))
        hub.emit(ParticipantLeft(ada, LeaveReason.CLIENT_LEFT, was_publisher=False))
        await journal.committed()
    kinds = [entry.kind for entry in await store.events.read("RM_1")]
    assert kinds == ["room_started", "participant_joined", "participant_moved_out"]
    kinds = [entry.kind for entry in await store.events.read("RM_2")]
    assert kinds == ["room_started", "participant_moved_in", "participant_left"]
    assert (await store.sessions.stays("RM_2"))[0].left_at == 7.0
    await store.close()


async def test_it_says_when_its_writes_fail():
    failed = asyncio.Event()

    async def pause(_delay_s):
        failed.set()
        await asyncio.Event().wait()

    async with journal_on(FakeLog(failures=1).append, pause) as (hub, journal):
        assert not journal.failing
        hub.emit(RoomStarted(room("RM_1")))
        await failed.wait()
        assert journal.failing

    log = FakeLog(failures=2)
    async with journal_on(log.append, log.pause) as (hub, journal):
        hub.emit(RoomStarted(room("RM_1")))
        await journal.committed()
        assert log.pauses
        assert not journal.failing


def test_every_event_of_a_room_is_logged_or_known_not_to_be():
    assert _ENTRIES.keys() | _NOT_LOGGED == set(get_args(RoomEvent))
    assert not _ENTRIES.keys() & _NOT_LOGGED


async def test_each_logged_event_makes_an_entry_of_its_own_kind_about_its_subject():
    log, one, two = FakeLog(), room("RM_1"), room("RM_2")
    ada = person(one)
    knocking = Visitor("knock-1", "Bob", {}, Permissions(), None, 5.0)
    cam = Track.from_spec("TR_1", ada.sid, TrackSpec("video", Source.CAMERA, client_id="cam"))
    happened = [
        (RoomStarted(one), "room_started"),
        (RoomChanged(one), "room_changed"),
        (RoomOccupied(one), "room_visited"),
        (VisitorArrived(one, knocking), "visitor_came"),
        (VisitorLeft(one, knocking), "visitor_gone"),
        (ParticipantJoined(ada), "participant_joined"),
        (ParticipantActive(ada), "participant_active"),
        (TrackPublished(ada, cam), "track_published"),
        (TrackUnpublished(ada, cam, by_server=False), "track_unpublished"),
        (ParticipantMoved(ada, two), "participant_moved_in"),
        (ParticipantLeft(ada, LeaveReason.CLIENT_LEFT, was_publisher=True), "participant_left"),
        (RoomFinished(one), "room_finished"),
    ]
    assert {type(event) for event, _ in happened} == _ENTRIES.keys()
    async with journal_on(log.append) as (hub, journal):
        for event, _ in happened:
            hub.emit(event)
        await journal.committed()
    (batch,) = log.batches
    assert [entry.kind for entry in batch] == [kind for _, kind in happened]
    entries = {entry.kind: entry.entry for entry in batch}
    assert entries["visitor_came"].visitor.name == "Bob"
    assert entries["track_published"].track.sid == "TR_1"
    assert entries["track_unpublished"].participant.sid == "PA_1"
    assert entries["participant_active"].participant.identity == "ada"
    assert entries["room_finished"].reason == "ROOM_CLOSED"
