"""Replay: the recordings of a session, marks from its log, and the segments that a player appends.

A viewing begins with a call by the person, which adds one entry to the audit log. The response has a signed token that
expires; with it, this person's players load the recording's segments, as long as the person may watch.
"""

import asyncio
from collections.abc import Callable
from typing import Annotated, Any, Final, TypeVar
from urllib.parse import quote

import msgspec
from aiohttp import hdrs, web

from classroom.errors import Code, NotAllowed
from classroom.features.people import Person
from classroom.ids import PersonId, SessionId
from classroom.state import Classroom
from classroom.visibility import shown_to
from sfu.values import RecordingId
from signaling.http.api import Answer, ApiError, Route
from signaling.http.headers import SECURITY_HEADERS
from signaling.ids import RoomName
from signaling.recordings.files import FilesError
from signaling.recordings.links import REPLAY, Links
from signaling.recordings.recordings import Recordings
from signaling.recordings.replay import MAX_SEGMENTS, ReplayFiles, ReplayTrack, SegmentPage
from signaling.recordings.rules import parse_track_id
from signaling.recordings.statuses import DELETED
from signaling.recordings.storage.archive import Archive
from signaling.sessions_api.callers import Caller
from signaling.sessions_api.desk import Desk, known
from signaling.sessions_api.path_ids import RecordingPath, SessionPath
from signaling.sessions_api.recordings.marks import Mark, mark
from signaling.sessions_api.recordings.recording_calls import is_of, require_role
from signaling.sessions_api.recordings.replay_rules import may_watch, may_watch_track
from signaling.sessions_api.recordings.sending import send_file
from signaling.sessions_api.style import PREFIX
from signaling.store import Store
from signaling.store.people.audit import AuditEntry
from signaling.store.records import Recording
from signaling.teaching.names import room_name, session_of

T = TypeVar("T")

_MAX_LISTED: Final = 200
_MAX_EVENTS: Final = 1000
_MAX_ASKED: Final = 200
# A player that is open for longer starts another viewing.
_EXPIRES_S: Final = 6 * 3600
_STAFF_ONLY: Final = "replay for staff alone"

Number = Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]


class ReplayAccess(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who may watch the recordings of a session."""

    staff_only: bool


class ReplayRecording(msgspec.Struct, frozen=True):
    """A recording that can be watched."""

    id: str
    status: str
    live: bool
    "The recording is in progress and grows."
    started_at: float
    length_s: float


class Replay(msgspec.Struct, frozen=True):
    """The recordings of a session."""

    session: str
    title: str
    staff_only: bool
    recordings: list[ReplayRecording]
    "Oldest first."
    page: str
    "URL of the page that plays them, for people who are signed in."


class RecordedQuery(msgspec.Struct, frozen=True, kw_only=True):
    """The sessions to look up."""

    sessions: Annotated[str, msgspec.Meta(max_length=_MAX_ASKED * 32)]
    "Ids separated by commas."


class Recorded(msgspec.Struct, frozen=True):
    """The given sessions that have recordings."""

    data: list[str]


class Viewing(msgspec.Struct, frozen=True):
    """The data that a player needs to start."""

    session: str
    title: str
    recording: ReplayRecording
    url: str
    "Base of the recording's URLs: `{url}?token=`, `{url}/tracks/{number}/segments?token=`, ..."
    token: str
    "Value of the parameter `token`."
    expires_at: float
    tracks: list[ReplayTrack]
    "The tracks that the caller may watch."


class Progress(msgspec.Struct, frozen=True):
    """The current tracks and length of a recording."""

    recording: ReplayRecording
    tracks: list[ReplayTrack]


class MarksQuery(msgspec.Struct, frozen=True, kw_only=True):
    """The range of marks."""

    recording: RecordingPath
    after: Annotated[int, msgspec.Meta(ge=0)] = 0
    "Number of the last event that the caller has received."
    limit: Annotated[int, msgspec.Meta(ge=1, le=_MAX_EVENTS)] = _MAX_EVENTS
    "Maximum number of events to examine."


class MarkPage(msgspec.Struct, frozen=True):
    """A page of marks, oldest first."""

    marks: list[Mark]
    upto: int
    "Continue after this number."
    more: bool


class TokenQuery(msgspec.Struct, frozen=True, kw_only=True):
    """The token of a viewing."""

    token: Annotated[str, msgspec.Meta(max_length=2000)] = ""


class SegmentQuery(TokenQuery, frozen=True, kw_only=True):
    """The range of segments."""

    at_s: Annotated[float, msgspec.Meta(ge=0, le=10_000_000)] | None = None
    "Start with the segment from which a decoder has to begin to show this time."
    index: Annotated[int, msgspec.Meta(ge=0, le=1_000_000_000)] = 0
    "The first segment, if no time is given."
    limit: Annotated[int, msgspec.Meta(ge=1, le=MAX_SEGMENTS)] = 30


class ReplayCalls:
    """The handlers of replay."""

    def __init__(  # noqa: PLR0913, PLR0917 - the parts of the server that replay uses
        self,
        desk: Desk,
        recordings: Recordings,
        store: Store,
        files: ReplayFiles | None,
        links: Links,
        archive: Archive | None,
    ) -> None:
        """`files` is None on a server without recordings; `archive` where media stay in the folder."""
        self._archive = archive
        self._desk = desk
        self._recordings = recordings
        self._store = store
        self._files = files
        self._links = links

    def routes(self) -> list[Route]:
        """Return the routes."""
        absent = {404: "there is no such session or recording"}
        expired = {**absent, 403: "the token is not valid, or the person may not watch any more"}
        session, one = "/sessions/{session}/replay", "/recordings/{recording}/replay"
        track = f"{one}/tracks/{{track}}"
        return [
            Route("GET", "/replays", self.recorded),
            Route("GET", session, self.replay, absent),
            Route("GET", f"{session}/marks", self.marks, absent),
            Route("PUT", f"{session}/access", self.access, absent),
            Route("POST", f"{one}/viewings", self.view, absent, status=201),
            Route("GET", one, self.progress, expired, open=True),
            Route("GET", f"{track}/segments", self.segments, expired, open=True),
            Route(
                "GET",
                f"{track}/parts/{{part}}",
                self.part,
                {**expired, 206: "a range", 410: "the range is damaged"},
                open=True,
                long_lived=True,
            ),
        ]

    # --- by people ---------------------------------------------------------------------------------

    async def replay(self, caller: Caller, session: SessionPath) -> Replay:
        """List the recordings of a session that can be watched, including one in progress."""
        staff_only = await self._staff_only(session)
        title = await self._watched(caller, session, staff_only, lambda room, _viewer: room.session.title)
        rows = await self._store.recordings.find(room_name(session), _MAX_LISTED)
        shown = [self._shown(row) for row in reversed(rows) if is_of(row, caller) and row.status != DELETED]
        return Replay(session, title, staff_only, shown, f"{caller.origin}/replay/{quote(session)}")

    async def recorded(self, caller: Caller, query: RecordedQuery) -> Recorded:
        """Return which of the given sessions have recordings, for lists; does not check who may watch them."""
        rooms = [room_name(SessionId(each)) for each in query.sessions.split(",")[:_MAX_ASKED]]
        rows = await self._store.recordings.of_rooms(rooms)
        found = {row.room for row in rows if is_of(row, caller) and row.status != DELETED}
        return Recorded(sorted(found))

    async def access(self, caller: Caller, session: SessionPath, body: ReplayAccess) -> Answer[None]:
        """Let everybody who took part watch the session's recordings, or only its staff."""
        await self._desk.look(caller, session, lambda room, _viewer: require_role(room, caller, tutor=True))
        if body.staff_only:
            await self._store.documents.put(_STAFF_ONLY, session, True)
        else:
            await self._store.documents.delete(_STAFF_ONLY, session)
        return Answer(None)

    async def view(self, caller: Caller, recording: RecordingPath) -> Viewing:
        """Begin to watch a recording; adds one entry to the audit log."""
        row, session = await self._found(caller, recording)
        files = self._readable()
        staff_only = await self._staff_only(session)

        def look(room: Classroom, person: Person) -> tuple[str, str]:
            return room.session.title, person.id

        title, person = await self._watched(caller, session, staff_only, look)
        tracks = await self._tracks(files, row)
        tracks = await self._watched(caller, session, staff_only, _filter(tracks))
        entry = AuditEntry(self._desk.now, "recording.viewed", caller.person, row.id, session)
        await self._store.audit.add(caller.tenant, entry)
        claims = {"tenant": caller.tenant, "session": session, "person": person}
        token, expires_at = self._links.sign(caller.key, REPLAY, row.id, _EXPIRES_S, claims)
        url = f"{PREFIX}/recordings/{quote(row.id)}/replay"
        return Viewing(session, title, self._shown(row), url, token, expires_at, tracks)

    async def marks(self, caller: Caller, session: SessionPath, query: MarksQuery) -> MarkPage:
        """Return marks of the session's events, with times of a recording, in the form that the caller may see."""
        await self._watched(caller, session, await self._staff_only(session), lambda _room, _viewer: None)
        row, of = await self._found(caller, query.recording)
        if of != session:
            raise ApiError(404, "recording_not_found", "There is no such recording.")
        started_at = await self._in_thread(self._readable().started_at, row.id)
        live = self._desk.session(caller, session)
        events = await live.events(query.after, limit=query.limit)

        def show(room: Classroom) -> tuple[list[Mark], int]:
            person = known(room, caller)
            seen = (
                (seq, shown_to(room, event, person.id)) for seq, event in enumerate(events, query.after + 1)
            )
            marks = (mark(seq, event, started_at) for seq, event in seen if event is not None)
            return [each for each in marks if each is not None], room.seq

        marks, last = await live.read(show)
        upto = query.after + len(events)
        return MarkPage(marks, upto, bool(events) and upto < last)

    # --- by players --------------------------------------------------------------------------------

    async def progress(self, recording: RecordingPath, query: TokenQuery) -> Progress:
        """Return the current tracks and length of a recording."""
        claims = self._links.verify(query.token, REPLAY, recording)
        row = await self._store.recordings.get(recording)
        if row is None or row.status == DELETED:
            raise ApiError(404, "recording_not_found", "There is no such recording.")
        tracks = await self._tracks(self._readable(), row)
        return Progress(self._shown(row), await self._allowed(claims, _filter(tracks)))

    async def segments(self, recording: RecordingPath, track: Number, query: SegmentQuery) -> SegmentPage:
        """Return consecutive segments of a track, and the gaps between them."""
        live = await self._check(query.token, recording, track)
        files = self._readable()
        if query.at_s is None:
            return await self._in_thread(
                lambda: files.segments_from(recording, track, query.index, query.limit, live=live)
            )
        at_s = query.at_s
        return await self._in_thread(
            lambda: files.segments_at(recording, track, at_s, query.limit, live=live)
        )

    async def part(
        self,
        recording: RecordingPath,
        track: Number,
        part: Number,
        query: TokenQuery,
        request: web.Request,
    ) -> web.StreamResponse:
        """Return the bytes of a part of a track, or ranges of them (RFC 9110, section 14)."""
        await self._check(query.token, recording, track)
        found = await self._in_thread(self._readable().part, recording, track, part)
        # The file of a recording in progress grows, so it must not be cached.
        headers = {
            **SECURITY_HEADERS,
            hdrs.CONTENT_TYPE: found.mime_type,
            hdrs.CACHE_CONTROL: "private, no-store",
        }
        return await send_file(found, self._archive, request, headers)

    # --- for other calls ---------------------------------------------------------------------------

    async def watched(
        self, caller: Caller, recording_id: RecordingId, look: Callable[[Classroom, Person], T]
    ) -> tuple[Recording, SessionId, T]:
        """Return a recording, its session, and the result of `look` for somebody who may watch. `Refused`, ApiError."""
        row, session = await self._found(caller, recording_id)
        return row, session, await self._watched(caller, session, await self._staff_only(session), look)

    async def started_at(self, row: Recording) -> float:
        """Return the time 0 of a recording in seconds since 1970. ApiError."""
        return await self._in_thread(self._readable().started_at, row.id)

    # --- shared parts ------------------------------------------------------------------------------

    async def _found(self, caller: Caller, recording_id: RecordingId) -> tuple[Recording, SessionId]:
        """Return a recording of the caller's tenant, and its session. ApiError."""
        row = await self._store.recordings.get(recording_id)
        session = None if row is None else session_of(row.room)
        if row is None or session is None or not is_of(row, caller) or row.status == DELETED:
            raise ApiError(404, "recording_not_found", "There is no such recording.")
        return row, session

    async def _staff_only(self, session: str) -> bool:
        return await self._store.documents.get(_STAFF_ONLY, session) is not None

    async def _watched(
        self, caller: Caller, session: SessionId, staff_only: bool, look: Callable[[Classroom, Person], T]
    ) -> T:
        """Return the result of `look` for a person who may watch. `Refused`."""

        def checked(room: Classroom, person: Person) -> T:
            if not may_watch(room, person.id, staff_only=staff_only):
                raise NotAllowed(Code.NOT_ALLOWED, "Only staff of the session may watch its recordings.")
            return look(room, person)

        return await self._desk.look(caller, session, checked)

    async def _check(self, token: str, recording_id: RecordingId, track: int) -> bool:
        """Check that the holder of a token may watch a track; return whether it is being recorded. ApiError."""
        claims = self._links.verify(token, REPLAY, recording_id)
        track_id = await self._in_thread(self._readable().track_id, recording_id, track)
        publisher, source = parse_track_id(track_id)

        def look(room: Classroom, person: Person) -> None:
            if not may_watch_track(room, person, publisher, source):
                raise ApiError(403, "not_allowed", "This track is not for this person.")

        await self._allowed(claims, look)
        return self._is_live(room_name(SessionId(claims["session"])), recording_id)

    async def _allowed(self, claims: Any, look: Callable[[Classroom, Person], T]) -> T:
        """Return the result of `look` for the person of a token if they may still watch. ApiError, `Refused`."""
        session, person_id = SessionId(claims["session"]), PersonId(claims["person"])
        staff_only = await self._staff_only(session)

        def checked(room: Classroom) -> T:
            person = room.people.everyone.get(person_id)
            if person is None or not may_watch(room, person_id, staff_only=staff_only):
                raise ApiError(403, "not_allowed", "This person may not watch the recording any more.")
            return look(room, person)

        return await self._desk.registry.session(claims["tenant"], session).read(checked)

    async def _tracks(self, files: ReplayFiles, row: Recording) -> list[ReplayTrack]:
        live = self._is_live(row.room, row.id)
        try:
            return await asyncio.to_thread(lambda: files.tracks(row.id, live=live))
        except FilesError:
            if live:  # the recorder has not written anything yet
                return []
            raise ApiError(404, "no_files", "The recording cannot be read.") from None

    async def _in_thread(self, read: Callable[..., T], *arguments: Any) -> T:
        try:
            return await asyncio.to_thread(read, *arguments)
        except FilesError as error:
            raise ApiError(404, "no_files", f"The recording cannot be read: {error}.") from error

    def _readable(self) -> ReplayFiles:
        if self._files is None:
            raise ApiError(404, "recordings_off", "This server has no folder for recordings.")
        return self._files

    def _is_live(self, room: RoomName, recording_id: RecordingId) -> bool:
        active = self._recordings.active(room)
        return active is not None and active.id == recording_id

    def _shown(self, row: Recording) -> ReplayRecording:
        live = self._is_live(row.room, row.id)
        latest = self._recordings.latest(row)
        length_s = latest.details.get("length_s", 0.0)
        return ReplayRecording(row.id, latest.status, live, row.started_at, length_s)


def _filter(tracks: list[ReplayTrack]) -> Callable[[Classroom, Person], list[ReplayTrack]]:
    def look(room: Classroom, person: Person) -> list[ReplayTrack]:
        return [each for each in tracks if may_watch_track(room, person, each.person, each.source)]

    return look
