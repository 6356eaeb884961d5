"""Starting, stopping, listing and deleting recordings of sessions; consent of people."""

import asyncio
from typing import Annotated, Final, Literal

import msgspec

from classroom.errors import Code, NotAllowed
from classroom.roles import STAFF, TUTORS
from classroom.state import Classroom
from sfu.values import RecordingId
from signaling.errors import NotFoundError, UnsupportedError
from signaling.http.api import Answer, ApiError, Route
from signaling.ids import Identity
from signaling.recordings.deletion import Deletion
from signaling.recordings.files import FilesError, Manifest, RecordingFiles
from signaling.recordings.outputs.films import Films
from signaling.recordings.recordings import AlreadyRecordedError, Recordings
from signaling.recordings.room_keys import Derivation, frame_key, material_of
from signaling.recordings.rules import Options
from signaling.recordings.statuses import ACTIVE, DELETED
from signaling.sessions_api.callers import Caller
from signaling.sessions_api.desk import Desk, viewer
from signaling.sessions_api.path_ids import RecordingPath, SessionPath
from signaling.store import Store
from signaling.store.people.audit import AuditEntry
from signaling.store.records import Recording
from signaling.teaching.names import room_name, session_of

_MAX_LISTED: Final = 200


class StartRecording(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to record."""

    camera_layer: Annotated[int, msgspec.Meta(ge=0, le=2)] = 1
    "Highest spatial layer of cameras, up to 2; screens are always recorded in the highest layer."
    audio_only: bool = False
    require_consent: bool = False
    "Record only people who have agreed; otherwise everybody except those who declined."


class Automatic(StartRecording, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whether and how the session is recorded without a call."""

    on: bool


class Consent(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A person's answer."""

    granted: bool


class RoomKey(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The key of a session whose media are encrypted end to end."""

    key: Annotated[str, msgspec.Meta(min_length=1, max_length=1024)]
    "What the key provider of LiveKit's clients was given."
    encoding: Literal["text", "base64"] = "text"
    "Whether `key` is a passphrase, or the bytes of a key in base64."
    derivation: Derivation | None = None
    "How frame keys are derived; absent: `pbkdf2` of a passphrase and `hkdf` of bytes, as LiveKit's clients do."
    index: Annotated[int, msgspec.Meta(ge=0, le=255)] = 0
    "Its place in the ring of keys."
    person: Annotated[str, msgspec.Meta(max_length=256)] = ""
    "Whose media it encrypts; empty: those of everybody (a shared key)."


class RecordingAnswer(msgspec.Struct, frozen=True):
    """A recording."""

    id: str
    session: str
    status: str
    "`recording`, `paused`, `stopping`, `finished`, `failed` or `deleted`."
    started_at: float
    ended_at: float | None
    length_s: float
    "Seconds stored on the disk."
    octets: int
    reason: str
    "Why the recording ended by itself; empty if it was stopped."
    not_recorded: dict[str, str]
    "Tracks that cannot be recorded, with the reason: `encrypted` or `codec`."


class RecordingList(msgspec.Struct, frozen=True):
    """Recordings, the newest first."""

    data: list[RecordingAnswer]


class RecordingCalls:
    """The handlers of recordings."""

    def __init__(
        self,
        desk: Desk,
        recordings: Recordings,
        store: Store,
        files: RecordingFiles | None,
        films: Films | None,
    ) -> None:
        """`files` and `films` are None on a server without recordings."""
        self._desk = desk
        self._recordings = recordings
        self._store = store
        self._files = files
        self._deletion = Deletion(recordings.changes, recordings.keys, files, films)

    def routes(self) -> list[Route]:
        """Return the routes."""
        absent = {404: "there is no such session or recording"}
        state = {**absent, 409: "the present state does not allow this"}
        session, one = "/sessions/{session}/recordings", "/recordings/{recording}"
        return [
            Route("POST", session, self.start, {**state, 501: "this server records nothing"}, status=201),
            Route("GET", session, self.list, absent),
            Route("PUT", f"{session}/consent", self.consent, absent),
            Route("PUT", f"{session}/automatic", self.automatic, absent),
            Route("PUT", f"{session}/key", self.give_key, {**state, 501: "this server records nothing"}),
            Route("DELETE", f"{session}/key", self.forget_keys, absent),
            Route("GET", one, self.get, absent),
            Route("GET", f"{one}/manifest", self.manifest, state),
            Route("POST", f"{one}/stop", self.stop, state),
            Route("POST", f"{one}/pause", self.pause, state),
            Route("POST", f"{one}/resume", self.resume, state),
            Route("DELETE", one, self.delete, state),
        ]

    async def start(self, caller: Caller, session: SessionPath, body: StartRecording) -> RecordingAnswer:
        """Record the session from now on; the people in its room see that it is recorded."""
        await self.require_tutor(caller, session)
        options = Options(body.camera_layer, body.audio_only, body.require_consent)
        try:
            row = await self._recordings.start(caller.tenant, room_name(session), caller.person, options)
        except AlreadyRecordedError as error:
            raise ApiError(409, "already_recorded", "The session is being recorded.") from error
        except NotFoundError as error:
            raise ApiError(409, "room_empty", "Nobody is in the session's room.") from error
        except UnsupportedError as error:
            raise ApiError(501, "recordings_off", "This server has no folder for recordings.") from error
        return answer(row)

    async def list(self, caller: Caller, session: SessionPath) -> RecordingList:
        """List the recordings of a session to the people who take part in it."""
        await self._desk.look(caller, session, lambda _room, _viewer: None)
        rows = await self._store.recordings.find(room_name(session), _MAX_LISTED)
        return RecordingList([answer(self._recordings.latest(row)) for row in rows if is_of(row, caller)])

    async def consent(self, caller: Caller, session: SessionPath, body: Consent) -> Answer[None]:
        """Agree to be recorded in this session, or decline; a person who declines is no longer recorded."""
        await self._desk.look(caller, session, lambda _room, _viewer: None)
        await self._recordings.consent(room_name(session), Identity(caller.person), granted=body.granted)
        return Answer(None)

    async def automatic(self, caller: Caller, session: SessionPath, body: Automatic) -> Answer[None]:
        """Record the session automatically whenever people are in its room, or not. This call starts no recording."""
        await self.require_tutor(caller, session)
        options = Options(body.camera_layer, body.audio_only, body.require_consent) if body.on else None
        await self._recordings.record_automatically(caller.tenant, room_name(session), caller.person, options)
        return Answer(None)

    async def give_key(self, caller: Caller, session: SessionPath, body: RoomKey) -> Answer[None]:
        """Give the server a key of media that are encrypted end to end, to record them until the room ends."""
        await self.require_tutor(caller, session)
        room = room_name(session)
        if not self._recordings.is_on:
            raise ApiError(501, "recordings_off", "This server has no folder for recordings.")
        if not self._recordings.has_room_for_key(room):
            raise ApiError(409, "too_many_keys", "The session has too many keys; delete them first.")
        try:
            material = material_of(body.key, body.encoding)
        except ValueError as error:
            raise ApiError(400, "bad_key", "The key is not base64.") from error
        derivation = body.derivation or ("pbkdf2" if body.encoding == "text" else "hkdf")
        key = await asyncio.to_thread(frame_key, material, derivation)
        details = {"index": body.index, **({"person": body.person} if body.person else {})}
        entry = AuditEntry(self._desk.now, "recording.key_given", caller.person, session, session, details)
        await self._store.audit.add(caller.tenant, entry)
        await self._recordings.use_key(room, Identity(body.person), body.index, key)
        return Answer(None)

    async def forget_keys(self, caller: Caller, session: SessionPath) -> Answer[None]:
        """Delete the keys of media that are encrypted end to end: such media are no longer recorded."""
        await self.require_tutor(caller, session)
        await self._recordings.forget_keys(room_name(session))
        return Answer(None)

    async def get(self, caller: Caller, recording: RecordingPath) -> RecordingAnswer:
        """Return a recording."""
        return answer(await self.found(caller, recording))

    async def manifest(self, caller: Caller, recording: RecordingPath) -> Manifest:
        """List the tracks of a recording with their files and gaps."""
        row = await self.found(caller, recording)
        if row.status == DELETED or self._files is None:
            raise ApiError(409, "recording_deleted", "The recording has been deleted.")
        try:
            return await asyncio.to_thread(self._files.manifest, row.id)
        except FilesError as error:
            raise ApiError(409, "no_files", f"The recording cannot be read: {error}.") from error

    async def stop(self, caller: Caller, recording: RecordingPath) -> RecordingAnswer:
        """End a recording."""
        row = await self._active(caller, recording)
        return answer(self._recordings.stop(row.room))

    async def pause(self, caller: Caller, recording: RecordingPath) -> RecordingAnswer:
        """Pause a recording: nothing is recorded until it is resumed."""
        row = await self._active(caller, recording)
        return answer(self._recordings.pause(row.room, paused=True))

    async def resume(self, caller: Caller, recording: RecordingPath) -> RecordingAnswer:
        """Resume a paused recording."""
        row = await self._active(caller, recording)
        return answer(self._recordings.pause(row.room, paused=False))

    async def delete(self, caller: Caller, recording: RecordingPath) -> RecordingAnswer:
        """Delete all files of a recording; its record remains visible."""
        row = await self.found(caller, recording, tutor=True)
        if row.status in ACTIVE:
            raise ApiError(409, "still_recording", "The recording has to be stopped first.")
        try:
            return answer(await self._deletion.delete(row, caller.person, self._desk.now))
        except FilesError as error:
            raise ApiError(503, "not_deleted", str(error)) from error

    async def _active(self, caller: Caller, recording_id: RecordingId) -> Recording:
        row = await self.found(caller, recording_id, tutor=True)
        active = self._recordings.active(row.room)
        if active is None or active.id != row.id:
            raise ApiError(409, "not_recording", "The recording has ended.")
        return row

    async def require_tutor(self, caller: Caller, session: SessionPath) -> None:
        """Refuse callers who are not tutors of a session. `Refused`."""
        await self._desk.look(caller, session, lambda room, _viewer: require_role(room, caller, tutor=True))

    async def found(self, caller: Caller, recording_id: RecordingId, *, tutor: bool = False) -> Recording:
        """Return a recording of the caller's tenant to staff of its session, or only to its tutors. `Refused`."""
        row = await self._store.recordings.get(recording_id)
        session = None if row is None else session_of(row.room)
        if row is None or session is None or not is_of(row, caller):
            raise ApiError(404, "recording_not_found", "There is no such recording.")
        await self._desk.look(caller, session, lambda room, _viewer: require_role(room, caller, tutor=tutor))
        return self._recordings.latest(row)


def is_of(row: Recording, caller: Caller) -> bool:
    """Return whether a recording belongs to the caller's tenant."""
    return row.details.get("tenant") == caller.tenant


def require_role(room: Classroom, caller: Caller, *, tutor: bool) -> None:
    """Refuse callers who are not staff of the session (with `tutor`: not its tutors). `NotFound`, `NotAllowed`."""
    if viewer(room, caller).role not in (TUTORS if tutor else STAFF):
        who = "tutors" if tutor else "staff"
        raise NotAllowed(Code.NOT_ALLOWED, f"Only {who} of the session may do this.")


def answer(row: Recording) -> RecordingAnswer:
    """Return a row in the form of the API."""
    details = row.details
    return RecordingAnswer(
        id=row.id,
        session=row.room,
        status=row.status,
        started_at=row.started_at,
        ended_at=row.ended_at,
        length_s=details.get("length_s", 0.0),
        octets=details.get("octets", 0),
        reason=details.get("reason", ""),
        not_recorded=dict(details.get("not_recorded", {})),
    )
