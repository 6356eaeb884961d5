"""Running recordings: rooms and consents on one side, the media engine on the other."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from typing import Any, Final

import msgspec

from recording.files.layout import LayoutError
from sfu.values import RecordedTrackId, RecordingId, RecordingStopped, SegmentRecorded, TrackNotRecorded
from signaling.errors import NotFoundError, RequestError, StoreError, UnsupportedError
from signaling.ids import Identity, RoomName, TrackSid
from signaling.recordings.changes import Announcer, Changes, numbered
from signaling.recordings.keys import RecordingKeys
from signaling.recordings.output_state import OUTPUT, Output, OutputKind
from signaling.recordings.room_keys import RoomKeys
from signaling.recordings.rules import Options, may_record, recorded_track
from signaling.recordings.statuses import ACTIVE, FAILED, FINISHED, PAUSED, RECORDING, STOPPING
from signaling.rooms.demand import NOTHING
from signaling.rooms.events import (
    ParticipantMoved,
    RoomEvent,
    RoomFinished,
    RoomStarted,
    TrackPublished,
    TrackUnpublished,
)
from signaling.rooms.model import LeaveReason, Participant, Room, Track
from signaling.rooms.services import Services
from signaling.store import Store
from signaling.store.records import Recording, RecordingChange

log = logging.getLogger(__name__)

# A recording that a server left unfinished is continued when the room is opened again in this time.
CONTINUED_FOR_S: Final = 120.0
_CONSENTS: Final = "recording consents"
_AUTOMATIC: Final = "automatic recordings"


class AlreadyRecordedError(UnsupportedError):
    """The room is being recorded."""


@dataclass(frozen=True, slots=True)
class Purpose:
    """What an API adds to a recording that it starts."""

    prefix: str = "rec_"
    "Begins the id."
    details: Mapping[str, Any] = field(default_factory=dict)
    "Of the row, besides the recording's own."
    output: OutputKind = OutputKind.NONE
    "The files to make after the end."
    read_by_path: bool = False
    "The application opens the files in the folder itself, so they are not encrypted."


@dataclass(slots=True)
class Running:
    """A recording that has not ended."""

    row: Recording
    options: Options
    consents: dict[Identity, bool]
    "What people of the session have answered, by identity."
    tracks: dict[TrackSid, RecordedTrackId] = field(default_factory=dict)
    "Recorded track by published track (sid)."
    octets: int = 0
    length_ns: int = 0
    not_recorded: dict[TrackSid, str] = field(default_factory=dict)
    "Reason by published track."

    @property
    def id(self) -> RecordingId:
        """Its id."""
        return self.row.id

    def current(self, **changes: Any) -> Recording:
        """Return its row with the present figures, and these details."""
        figures = {
            "octets": self.octets,
            "length_s": self.length_ns / 1e9,
            "not_recorded": dict(self.not_recorded),
        }
        return replace(self.row, details={**self.row.details, **figures, **changes})


class Recordings:
    """Starts and stops recordings, and decides for each published track whether it is recorded."""

    def __init__(  # noqa: PLR0913, PLR0917 - the parts of the server that recordings use
        self,
        services: Services,
        store: Store,
        new_id: Callable[[str], str],
        folder: str,
        announcer: Announcer | None = None,
        keys: RecordingKeys | None = None,
    ) -> None:
        """Listen to rooms and to the engine; `folder` is empty where nothing is recorded."""
        self.keys = keys or RecordingKeys(store, encrypts=False)
        self._room_keys = RoomKeys(store)
        self._services = services
        self._store = store
        self._new_id = new_id
        self._running: dict[RoomName, Running] = {}
        "By name of the room."
        self.changes = Changes(store, services.wall_clock, announcer or Announcer())
        self._starting: set[asyncio.Task[None]] = set()
        self._listeners: list[Callable[[Recording], None]] = []
        self._consent_listeners: list[Callable[[RoomName, Identity, bool], None]] = []
        self.is_on = bool(folder)
        services.hub.observe(self._on_event)
        services.media_events.on(RecordingStopped, self._stopped)
        services.media_events.on(SegmentRecorded, self._progress)
        services.media_events.on(TrackNotRecorded, self._refused)

    # --- life ------------------------------------------------------------------------------------

    async def load(self) -> None:
        """Be ready to continue what an earlier server was recording. StoreError."""
        await self._room_keys.load()
        for row in await self._store.recordings.find(limit=1000):
            if row.status not in ACTIVE:
                continue
            running = Running(row, Options(**row.details.get("options", {})), await self.consents(row.room))
            running.octets = row.details.get("octets", 0)
            self._running[row.room] = running
            delay_s = 0.0 if row.status == STOPPING or not self.is_on else CONTINUED_FOR_S
            self._services.timers.set(row.id, "continue", delay_s, partial(self._give_up, running))

    async def finish(self) -> None:
        """Wait until all rows are stored."""
        await self.changes.written()

    def observe(self, listener: Callable[[Recording], None]) -> None:
        """Call a function with each recording that has ended."""
        self._listeners.append(listener)

    def observe_consents(self, listener: Callable[[RoomName, Identity, bool], None]) -> None:
        """Call a function with each answer about consent, before it is stored."""
        self._consent_listeners.append(listener)

    # --- commands --------------------------------------------------------------------------------

    def active(self, room_name: RoomName) -> Running | None:
        """Return the running recording of a room; None if there is none."""
        return self._running.get(room_name)

    def latest(self, row: Recording) -> Recording:
        """Return a recording's row, with the present figures while it runs."""
        running = self._running.get(row.room)
        return running.current() if running is not None and running.id == row.id else row

    async def start(
        self,
        tenant: str,
        room_name: RoomName,
        by: str,
        options: Options,
        purpose: Purpose | None = None,
    ) -> Recording:
        """Record an open room. NotFoundError, AlreadyRecordedError, UnsupportedError, StoreError."""
        purpose = purpose or Purpose()
        if not self.is_on:
            raise UnsupportedError("this server has no folder for recordings")
        consents = await self.consents(room_name)
        room = self._services.rooms.room(room_name)
        if room is None:
            raise NotFoundError("nobody is in the room")
        if room_name in self._running:
            raise AlreadyRecordedError("the room is being recorded")
        details = {**purpose.details, "tenant": tenant, "by": by, "options": asdict(options)}
        if purpose.output is not OutputKind.NONE:
            details[OUTPUT] = msgspec.to_builtins(Output(purpose.output))
        row = Recording(
            RecordingId(self._new_id(purpose.prefix)),
            room_name,
            room.sid,
            RECORDING,
            self._services.wall_clock(),
            None,
            details,
        )
        running = self._running[room_name] = Running(row, options, consents)
        try:
            if not purpose.read_by_path:
                await self.keys.create(row.id)
            await self.changes.add(row)
        except StoreError:
            del self._running[room_name]
            raise
        if room_name in self._running:
            self._begin(running, room)
        return running.row

    async def record_automatically(
        self, tenant: str, room_name: RoomName, by: str, options: Options | None
    ) -> None:
        """Record a room whenever it opens, from now on; None: do so no longer. StoreError."""
        if options is None:
            await self._store.documents.delete(_AUTOMATIC, room_name)
        else:
            value = {"tenant": tenant, "by": by, "options": asdict(options)}
            await self._store.documents.put(_AUTOMATIC, room_name, value)

    async def _start_automatically(self, room_name: RoomName) -> None:
        try:
            found = await self._store.documents.get(_AUTOMATIC, room_name)
            if found is not None:
                await self.start(found["tenant"], room_name, found["by"], Options(**found["options"]))
        except (RequestError, StoreError) as error:
            log.error("the room %s is not recorded: %s", room_name, error)  # noqa: TRY400 - the cause is in the message

    def pause(self, room_name: RoomName, *, paused: bool) -> Recording:
        """Pause or resume the recording of a room. NotFoundError."""
        running = self._found(room_name)
        if running.row.status in {RECORDING, PAUSED}:
            self._services.media.pause_recording(running.id, paused)
            now = self._services.wall_clock()
            pauses = [*running.row.details.get("pauses", ()), ["pause" if paused else "resume", now]]
            change = RecordingChange.PAUSED if paused else RecordingChange.RESUMED
            self._change(running, PAUSED if paused else RECORDING, change, pauses=pauses)
            self._show(room_name, recorded=not paused)
        return running.row

    def stop(self, room_name: RoomName) -> Recording:
        """End the recording of a room. NotFoundError."""
        running = self._found(room_name)
        if running.row.status != STOPPING:
            self._change(running, STOPPING, RecordingChange.STOPPING)
            self._services.media.stop_recording(running.id)
            self._show(room_name, recorded=False)
        return running.row

    async def edit(self, row: Recording, **details: Any) -> None:
        """Change details of a recording, which may be running. StoreError."""
        running = self._by_id(row.id)
        if running is not None:
            self._change(running, running.row.status, RecordingChange.EDITED, **details)
            return
        changed = numbered(replace(row, details={**row.details, **details}))
        await self.changes.replace(changed, RecordingChange.EDITED)

    async def consents(self, room_name: RoomName) -> dict[Identity, bool]:
        """Return the answers about consent to recording, by identity. StoreError."""
        found = await self._store.documents.get(_CONSENTS, room_name)
        return dict(found) if isinstance(found, dict) else {}

    async def consent(self, room_name: RoomName, identity: Identity, *, granted: bool) -> None:
        """Store a person's answer, which takes effect at once. StoreError."""
        running = self._running.get(room_name)
        if running is not None:
            running.consents[identity] = granted
            self._apply_consent(running, identity)
        for listener in self._consent_listeners:
            listener(room_name, identity, granted)
        answers = {**await self.consents(room_name), identity: granted}
        await self._store.documents.put(_CONSENTS, room_name, answers)

    def has_room_for_key(self, room_name: RoomName) -> bool:
        """Whether a room can be given a further key."""
        return not self._room_keys.is_full(room_name)

    async def use_key(self, room_name: RoomName, person: Identity, number: int, key: bytes) -> None:
        """Record frames that are encrypted end to end with a key; `person` empty: those of everybody. StoreError."""
        await self._room_keys.put(room_name, person, number, key)
        self._apply_keys(room_name)

    async def forget_keys(self, room_name: RoomName) -> None:
        """Record frames that are encrypted end to end no longer. StoreError."""
        await self._room_keys.forget(room_name)
        self._apply_keys(room_name)

    def _apply_keys(self, room_name: RoomName) -> None:
        running, room = self._running.get(room_name), self._services.rooms.room(room_name)
        if running is None or room is None or running.row.status == STOPPING:
            return
        for person in tuple(room.participants.values()):
            for track in tuple(person.tracks.values()):
                if track.spec.encrypted and track.sid in running.tracks:
                    self._leave_out(running, track.sid)
                    running.not_recorded.pop(track.sid, None)
                    self._record(running, person, track)

    async def forget_consent(self, room_name: RoomName, identity: Identity) -> None:
        """Remove a person's answer. StoreError."""
        answers = await self.consents(room_name)
        if answers.pop(identity, None) is not None:
            await self._store.documents.put(_CONSENTS, room_name, answers)

    def _found(self, room_name: RoomName) -> Running:
        running = self._running.get(room_name)
        if running is None:
            raise NotFoundError("the room is not being recorded")
        return running

    # --- tracks ----------------------------------------------------------------------------------

    def _begin(self, running: Running, room: Room) -> None:
        self._services.timers.cancel(running.id, "continue")
        try:
            key = self.keys.get(running.id)
        except LayoutError as error:
            log.error("recording %s has ended: %s", running.id, error)  # noqa: TRY400 - the cause is in the message
            self._end(running, FAILED, "no-key")
            return
        self._services.media.start_recording(running.id, room.sid, key)
        self._show(room.name, recorded=running.row.status == RECORDING)
        if running.row.status == PAUSED:
            self._services.media.pause_recording(running.id, True)
        for person in tuple(room.participants.values()):
            for track in tuple(person.tracks.values()):
                self._record(running, person, track)

    def _record(self, running: Running, person: Participant, track: Track) -> None:
        if person.source is not None or track.sid in running.tracks:
            return  # a mirror's tracks are its source's
        if not may_record(running.options, running.consents, person.identity):
            return
        recorded = recorded_track(running.options, person, track, running.tracks.values())
        if recorded is not None:
            if track.spec.encrypted:
                recorded = replace(recorded, frame_keys=self._room_keys.of(running.row.room, person.identity))
            running.tracks[track.sid] = recorded.id
            top = max(len(track.spec.layers) - 1, 0)
            self._services.demand.record(track.sid, min(recorded.max_spatial, top))
            self._services.media.record_track(running.id, track.sid, recorded)

    def _leave_out(self, running: Running, track_sid: TrackSid) -> None:
        if running.tracks.pop(track_sid, None) is not None:
            self._services.demand.record(track_sid, NOTHING)
            self._services.media.stop_recording_track(running.id, track_sid)

    def _apply_consent(self, running: Running, identity: Identity) -> None:
        room = self._services.rooms.room(running.row.room)
        person = None if room is None else room.participants.get(identity)
        if person is None:
            return
        allowed = may_record(running.options, running.consents, identity)
        for track in tuple(person.tracks.values()):
            if allowed:
                self._record(running, person, track)
            else:
                self._leave_out(running, track.sid)

    def _on_event(self, event: RoomEvent) -> None:
        if isinstance(event, TrackPublished):
            running = self._running.get(event.participant.room.name)
            if running is not None and running.row.status != STOPPING:
                self._record(running, event.participant, event.track)
        elif isinstance(event, TrackUnpublished):
            running = self._running.get(event.participant.room.name)
            if running is not None and running.tracks.pop(event.track.sid, None) is not None:
                self._services.demand.record(event.track.sid, NOTHING)
        elif isinstance(event, ParticipantMoved):
            self._moved(event)
        elif isinstance(event, RoomStarted):
            running = self._running.get(event.room.name)
            if running is not None and running.row.session_sid != event.room.sid:
                running.row = replace(running.row, session_sid=event.room.sid)
                self._begin(running, event.room)
            elif running is None and self.is_on:
                self._later(self._start_automatically(event.room.name))
        elif (
            isinstance(event, RoomFinished)
            and event.reason is not LeaveReason.SERVER_SHUTDOWN  # the next server continues
        ):
            if event.room.name in self._running:
                self.stop(event.room.name)
            if event.room.name in self._room_keys:
                self._later(self._room_keys.forget(event.room.name))

    def _later(self, work: Coroutine[Any, Any, None]) -> None:
        async def done() -> None:
            try:
                await work
            except StoreError as error:
                log.error("recordings: %s", error)  # noqa: TRY400 - the cause is in the message

        task = asyncio.get_running_loop().create_task(done())
        self._starting.add(task)
        task.add_done_callback(self._starting.discard)

    def _moved(self, event: ParticipantMoved) -> None:
        before = self._running.get(event.origin.name)
        after = self._running.get(event.participant.room.name)
        for track in tuple(event.participant.tracks.values()):
            if before is not None:
                self._leave_out(before, track.sid)
            if after is not None and after.row.status != STOPPING:
                self._record(after, event.participant, track)

    # --- what the engine reports -----------------------------------------------------------------

    def _by_id(self, recording_id: RecordingId) -> Running | None:
        return next((each for each in self._running.values() if each.id == recording_id), None)

    def _progress(self, event: SegmentRecorded) -> None:
        running = self._by_id(event.recording_id)
        if running is not None:
            running.octets += event.octets
            running.length_ns = max(running.length_ns, event.end_ns)

    def _refused(self, event: TrackNotRecorded) -> None:
        running = self._by_id(event.recording_id)
        if running is not None:
            running.not_recorded[event.publication_id] = event.reason

    def _stopped(self, event: RecordingStopped) -> None:
        running = self._by_id(event.recording_id)
        if running is None:
            return
        if event.reason:
            log.error("recording %s has ended: %s (%s)", running.id, event.reason, event.detail)
        self._end(running, FAILED if event.reason else FINISHED, event.reason)

    def _give_up(self, running: Running) -> None:
        self._end(running, FINISHED, "server-stopped")

    def _end(self, running: Running, status: str, reason: str) -> None:
        self._running.pop(running.row.room, None)
        for track_sid in tuple(running.tracks):
            self._services.demand.record(track_sid, NOTHING)
        running.row = replace(running.row, ended_at=self._services.wall_clock())
        self._change(running, status, RecordingChange.ENDED, reason=reason)
        self._show(running.row.room, recorded=False)
        for listener in self._listeners:
            listener(running.row)

    # --- what others see -------------------------------------------------------------------------

    def _show(self, room_name: RoomName, *, recorded: bool) -> None:
        room = self._services.rooms.room(room_name)
        if room is not None:
            self._services.rooms.show_recording(room, recorded=recorded)

    def _change(self, running: Running, status: str, change: RecordingChange, **details: Any) -> None:
        running.row = numbered(replace(running.current(**details), status=status))
        self.changes.put(running.row, change)
