"""Daily's calls about recordings: start and stop, list, delete, and links to the file."""

import asyncio
from dataclasses import replace
from typing import Annotated, Any, Final, Literal

import msgspec

from sfu.values import RecordingId
from signaling.daily.meetings import meeting_id, meetings
from signaling.daily.recordings import (
    DETAIL,
    RAW,
    DailyRecordings,
    Kind,
    RecordingParts,
    kind_of,
    s3_key,
    status_of,
)
from signaling.daily.rest.errors import DailyError, invalid, not_found
from signaling.daily.rest.pages import PageQuery
from signaling.daily.rest.people_calls import Status, hosting
from signaling.daily.rest.room_calls import RoomNameParameter
from signaling.daily.rest.style import Caller
from signaling.daily.rooms import DailyRooms
from signaling.errors import UnsupportedError
from signaling.http.api import ApiError, Route
from signaling.ids import RoomName
from signaling.recordings.deletion import Deletion
from signaling.recordings.files import FilesError, RecordingFiles
from signaling.recordings.links import Target
from signaling.recordings.recordings import AlreadyRecordedError
from signaling.recordings.statuses import ACTIVE, DELETED
from signaling.rooms.services import Services
from signaling.store import Meeting, Store
from signaling.store.records import Recording, RecordingFilter

Id = Annotated[str, msgspec.Meta(max_length=128)]

# Daily's reference names no default; an hour is what signed links of other services have.
_LINK_S: Final = 3600
_MAX_LINK_S: Final = 7 * 86_400


class StartOptions(msgspec.Struct, frozen=True, rename="camel"):
    """What to record; other options are accepted, and have no effect."""

    type: Kind = "cloud"
    instance_id: Annotated[str, msgspec.Meta(max_length=64)] | None = None


class RecordingQuery(PageQuery, frozen=True, kw_only=True):
    """Which recordings."""

    room_name: RoomName | None = None


class LinkQuery(msgspec.Struct, frozen=True):
    """How long a link is valid."""

    valid_for_secs: Annotated[int, msgspec.Meta(ge=1, le=_MAX_LINK_S)] = _LINK_S


class TrackAnswer(msgspec.Struct, frozen=True):
    """A recorded track; both spellings of the key are in use."""

    type: str
    s3key: str
    s3_key: str = msgspec.field(name="s3Key")
    size: int = 0


class RecordingAnswer(msgspec.Struct, frozen=True, omit_defaults=True):
    """A recording."""

    id: str
    room_name: str
    start_ts: int
    "Seconds since 1970."
    status: Literal["finished", "in-progress", "canceled"]
    max_participants: int
    share_token: str
    s3key: str
    type: Kind
    meeting: str = msgspec.field(name="mtgSessionId")
    duration: int | None = None
    "Seconds; absent while it is in progress."
    tracks: list[TrackAnswer] | None = None


class RecordingPage(msgspec.Struct, frozen=True):
    """Some of the recordings, newest first."""

    total_count: int
    data: list[RecordingAnswer]


class DeletedRecording(msgspec.Struct, frozen=True):
    """A recording that has been deleted; there is no bucket."""

    deleted: bool
    id: str
    s3_key: str
    s3_bucket: str = ""
    s3_region: str = ""


class AccessLink(msgspec.Struct, frozen=True):
    """A link that needs no key."""

    download_link: str
    expires: int
    "Seconds since 1970."


class RecordingCalls:
    """The handlers."""

    def __init__(
        self,
        services: Services,
        rooms: DailyRooms,
        store: Store,
        daily: DailyRecordings,
        parts: RecordingParts,
    ) -> None:
        """`daily` starts and stops recordings, here and at the door."""
        self._services = services
        self._rooms = rooms
        self._store = store
        self._daily = daily
        self._recordings = parts.recordings
        self._files = parts.files
        self._links = parts.links
        self._deletion = Deletion(parts.recordings.changes, parts.recordings.keys, parts.files, parts.films)

    def routes(self) -> list[Route]:
        """Return the routes."""
        absent = {404: "there is no such recording"}
        running = {403: "this server records nothing", 404: "there is no such room, or no call in it"}
        room, one = "/rooms/{name}/recordings", "/recordings/{recording}"
        return [
            Route("POST", f"{room}/start", self.start, running),
            Route("POST", f"{room}/update", self.update, running),
            Route("POST", f"{room}/stop", self.stop, running),
            Route("GET", "/recordings", self.list_recordings),
            Route("GET", one, self.get, absent),
            Route("DELETE", one, self.delete, absent),
            Route("GET", f"{one}/access-link", self.access_link, absent),
        ]

    async def start(self, caller: Caller, name: RoomNameParameter, body: StartOptions) -> Status:
        """Record the call in a room from now on."""
        await self._rooms.get(caller.domain, name)
        hosting(self._services, name)
        try:
            await self._daily.start(caller.domain.name, name, body.type, body.instance_id or "")
        except AlreadyRecordedError as error:
            raise invalid(f"room {name} is already being recorded") from error
        except UnsupportedError as error:
            raise DailyError(403, "forbidden-error", str(error)) from error
        return Status()

    async def update(self, caller: Caller, name: RoomNameParameter, body: dict[str, Any]) -> Status:
        """Refuse: the composed file follows screens and who speaks."""
        del body  # accepted, so that invalid JSON is refused as such
        await self._rooms.get(caller.domain, name)
        hosting(self._services, name)
        self._daily.check_running(name)
        raise DailyError(
            403, "forbidden-error", "this server has one layout, which follows screens and who speaks"
        )

    async def stop(self, caller: Caller, name: RoomNameParameter, body: dict[str, Any]) -> Status:
        """End the recording of a room."""
        del body  # a room has one recording, whatever its instance
        await self._rooms.get(caller.domain, name)
        hosting(self._services, name)
        self._daily.stop(name)
        return Status()

    async def list_recordings(self, caller: Caller, query: RecordingQuery) -> RecordingPage:
        """List recordings."""
        wanted = self._wanted(caller, query.room_name)
        total = await self._store.recordings.count(wanted)
        if query.cursor is not None:
            at = await self._find(caller, query.cursor)
            if at is None:
                raise invalid(f"there is no recording with the id {query.cursor[:64]}")
            wanted = replace(wanted, newer_than=at) if query.backwards else replace(wanted, older_than=at)
        rows = await self._store.recordings.page(wanted, query.limit, oldest=query.backwards)
        return RecordingPage(total, await self._answers(caller, rows))

    async def get(self, caller: Caller, recording: Id) -> RecordingAnswer:
        """Return a recording."""
        [found] = await self._answers(caller, [await self._found(caller, recording)])
        return found

    async def delete(self, caller: Caller, recording: Id) -> DeletedRecording:
        """Delete a recording with its files; one that is being made is ended first by `stop`."""
        row = await self._found(caller, recording)
        if row.status in ACTIVE:
            raise invalid(f"recording {row.id} is in progress")
        try:
            await self._deletion.delete(row, "", self._services.wall_clock())
        except FilesError as error:
            raise ApiError(503, "server-error", str(error)) from error
        return DeletedRecording(True, row.id, s3_key(caller.domain.name, row))

    async def access_link(self, caller: Caller, recording: Id, query: LinkQuery) -> AccessLink:
        """Return a link to the file of a recording."""
        row = await self._found(caller, recording)
        if status_of(row) != "finished":
            raise invalid(f"recording {row.id} is not finished")
        target = Target(film=kind_of(row) != RAW)
        path, expires = self._links.download(caller.domain.name, row.id, query.valid_for_secs, target)
        return AccessLink(f"{caller.origin}{path}", expires)

    # --- parts -----------------------------------------------------------------------------------

    @staticmethod
    def _wanted(caller: Caller, room: RoomName | None) -> RecordingFilter:
        return RecordingFilter(caller.domain.name, DETAIL, DELETED, room)

    async def _find(self, caller: Caller, recording: str) -> Recording | None:
        row = await self._store.recordings.get(RecordingId(recording))
        is_own = row is not None and row.details.get("tenant") == caller.domain.name
        if row is None or not is_own or DETAIL not in row.details or row.status == DELETED:
            return None
        return self._recordings.latest(row)

    async def _found(self, caller: Caller, recording: str) -> Recording:
        row = await self._find(caller, recording)
        if row is None:
            raise not_found(f"{recording} not found")
        return row

    async def _answers(self, caller: Caller, rows: list[Recording]) -> list[RecordingAnswer]:
        stays = await self._store.sessions.stays(*{row.session_sid for row in rows})
        found = [Meeting(row.session_sid, row.room, row.started_at, row.ended_at) for row in rows]
        most = [each.max_participants for each in meetings(found, stays)]
        return [await self._answer(caller, row, people) for row, people in zip(rows, most, strict=True)]

    async def _answer(self, caller: Caller, row: Recording, people: int) -> RecordingAnswer:
        status = status_of(row)
        key = s3_key(caller.domain.name, row)
        tracks = None
        if status == "finished" and kind_of(row) == RAW and self._files is not None:
            tracks = await asyncio.to_thread(_tracks, self._files, row.id, key)
        return RecordingAnswer(
            id=row.id,
            room_name=row.room,
            start_ts=int(row.started_at),
            status=status,
            max_participants=people,
            share_token="",
            s3key=key,
            meeting=meeting_id(row.session_sid),
            type=kind_of(row),
            duration=None if status == "in-progress" else round(row.details.get("length_s", 0.0)),
            tracks=tracks,
        )


def _tracks(files: RecordingFiles, recording_id: RecordingId, key: str) -> list[TrackAnswer]:
    try:
        manifest = files.manifest(recording_id)
    except FilesError:
        return []
    return [
        TrackAnswer(
            track.kind, f"{key}-{track.number}", f"{key}-{track.number}", sum(p.octets for p in track.parts)
        )
        for track in manifest.tracks
    ]
