"""Downloads: links that expire, and the files they point to: one file of a track, or everything in one ZIP archive."""

import asyncio
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final

import msgspec
from aiohttp import hdrs, web

from classroom.ids import SessionId
from sfu.values import RecordingId
from signaling.http.api import Answer, ApiError, Route
from signaling.http.headers import SECURITY_HEADERS
from signaling.recordings.files import FilesError, RecordingFiles
from signaling.recordings.links import DOWNLOAD, Links, Maker, Target
from signaling.recordings.outputs.films import Films
from signaling.recordings.statuses import ACTIVE, DELETED
from signaling.recordings.storage.address import StorageError
from signaling.recordings.storage.archive import local
from signaling.sessions_api.callers import Caller, Callers
from signaling.sessions_api.path_ids import RecordingPath, SessionPath
from signaling.sessions_api.recordings.recording_calls import RecordingCalls
from signaling.sessions_api.recordings.sending import send_file
from signaling.store import Store
from signaling.store.people.audit import AuditEntry
from signaling.store.records import Recording
from signaling.teaching.names import session_of

_MAX_EXPIRY_S: Final = 7 * 86_400
_FORBIDDEN: Final = "downloads forbidden"


class LinkRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The file that a link points to."""

    track: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)] = 0
    "Number of a track, as in the manifest; 0: everything, as a ZIP archive with the manifest."
    part: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)] = 0
    "Number of a part of the track; 0: the only part."
    film: bool = False
    "The composed film instead of tracks."
    expires_s: Annotated[int, msgspec.Meta(ge=1, le=_MAX_EXPIRY_S)] = 3600
    bound: bool = False
    "Only the caller can use the link, and has to be signed in or to send a token."


class Downloads(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whether the recordings of a session may be downloaded."""

    allowed: bool


class Link(msgspec.Struct, frozen=True):
    """A link to a download; no other token is needed."""

    url: str
    expires_at: float


class DownloadQuery(msgspec.Struct, frozen=True, kw_only=True):
    """The signature of a link."""

    token: Annotated[str, msgspec.Meta(max_length=2000)] = ""


class DownloadCalls:
    """The handlers of downloads."""

    def __init__(  # noqa: PLR0913, PLR0917 - the parts of the server that downloads use
        self,
        calls: RecordingCalls,
        store: Store,
        files: RecordingFiles | None,
        films: Films | None,
        links: Links,
        callers: Callers,
    ) -> None:
        """`files` and `films` are None on a server without recordings."""
        self._calls = calls
        self._store = store
        self._files = files
        self._films = films
        self._archive = None if films is None else films.archive
        self._links = links
        self._callers = callers

    def routes(self) -> list[Route]:
        """Return the routes."""
        absent = {404: "there is no such recording or track", 409: "the recording has not ended"}
        expired = {**absent, 403: "the link is not valid, or not any more"}
        allowed = {404: "there is no such session"}
        return [
            Route("PUT", "/sessions/{session}/recordings/downloads", self.allow, allowed),
            Route("POST", "/recordings/{recording}/links", self.link, absent, status=201),
            Route(
                "GET", "/recordings/{recording}/download", self.download, expired, open=True, long_lived=True
            ),
        ]

    async def allow(self, caller: Caller, session: SessionPath, body: Downloads) -> Answer[None]:
        """Allow downloads of the session's recordings, or forbid them, also by links that exist."""
        await self._calls.require_tutor(caller, session)
        if body.allowed:
            await self._store.documents.delete(_FORBIDDEN, session)
        else:
            await self._store.documents.put(_FORBIDDEN, session, True)
        return Answer(None)

    async def link(self, caller: Caller, recording: RecordingPath, body: LinkRequest) -> Link:
        """Create a link to a file of a recording, or to the whole recording."""
        row = await self._calls.found(caller, recording)
        self._check(row.status)
        await self._check_allowed(row)
        target = Target(body.track, body.part, body.film)
        maker = Maker(caller.tenant, caller.person, body.bound)
        path, expires_at = self._links.download(caller.key, row.id, body.expires_s, target, maker)
        details = {"track": body.track, "film": body.film}
        entry = AuditEntry(
            self._links.now,
            "recording.link_made",
            caller.person,
            row.id,
            session_of(row.room) or SessionId(""),
            details,
        )
        await self._store.audit.add(caller.tenant, entry)
        return Link(f"{caller.origin}{path}", expires_at)

    async def download(
        self, recording: RecordingPath, query: DownloadQuery, request: web.Request
    ) -> web.StreamResponse:
        """Send the file of a link; ranges of single files can be requested (RFC 9110 section 14)."""
        claims = self._links.verify(query.token, DOWNLOAD, recording)
        row = await self._store.recordings.get(recording)
        if row is None or self._files is None:
            raise ApiError(404, "not_found", "There is no such recording.")
        self._check(row.status)
        await self._check_allowed(row)
        await self._check_person(claims, request)
        await self._audit(row, claims, request)
        if claims.get("film") and self._films is not None:
            return await self._send_film(self._films, row.id, request)
        if claims["track"]:
            return await self._send_part(self._files, row.id, claims, request)
        try:
            async with local(self._archive, row.id):
                return await self._send_archive(self._files.archive(row.id), row.id, request)
        except StorageError as error:
            raise ApiError(503, "storage_unavailable", f"{error}.") from error

    async def _check_allowed(self, row: Recording) -> None:
        session = session_of(row.room)
        if session is not None and await self._store.documents.get(_FORBIDDEN, session):
            raise ApiError(403, "downloads_forbidden", "A tutor has forbidden downloads of this session.")

    async def _check_person(self, claims: Mapping[str, Any], request: web.Request) -> None:
        """Refuse a caller who is not the person that the link is bound to. ApiError."""
        if not claims.get("bound"):
            return
        caller = await self._callers.authenticate(request)
        if (caller.tenant, caller.person) != (claims["tenant"], claims["by"]):
            raise ApiError(403, "bad_link", "The link is for another person.")

    async def _audit(self, row: Recording, claims: Mapping[str, Any], request: web.Request) -> None:
        """Record a download, but not the ranges that continue it."""
        session = session_of(row.room)
        continues = not request.headers.get(hdrs.RANGE, "bytes=0-").startswith("bytes=0-")
        if session is None or continues:
            return
        details = {"track": claims["track"], "film": bool(claims.get("film"))}
        entry = AuditEntry(
            self._links.now, "recording.downloaded", claims.get("by", ""), row.id, session, details
        )
        await self._store.audit.add(row.details["tenant"], entry)

    @staticmethod
    def _check(status: str) -> None:
        if status in ACTIVE:
            raise ApiError(409, "still_recording", "The recording has not ended.")
        if status == DELETED:
            raise ApiError(404, "recording_deleted", "The recording has been deleted.")

    async def _send_film(
        self, films: Films, recording_id: RecordingId, request: web.Request
    ) -> web.StreamResponse:
        try:
            found = films.file(recording_id)
        except FilesError as error:
            raise ApiError(404, "no_file", f"There is no such file: {error}.") from error
        headers = _attachment(f"{recording_id}.mp4", found.mime_type)
        return await send_file(found, self._archive, request, headers, zeros=True)

    async def _send_part(
        self,
        files: RecordingFiles,
        recording_id: RecordingId,
        claims: Mapping[str, Any],
        request: web.Request,
    ) -> web.StreamResponse:
        try:
            found = await asyncio.to_thread(files.part, recording_id, claims["track"], claims["part"])
        except FilesError as error:
            raise ApiError(404, "no_file", f"There is no such file: {error}.") from error
        name = f"{recording_id}-{claims['track']}{found.path.suffix}"
        headers = _attachment(name, found.mime_type)
        return await send_file(found, self._archive, request, headers, zeros=True)

    @staticmethod
    async def _send_archive(
        pieces: Iterator[bytes], recording_id: RecordingId, request: web.Request
    ) -> web.StreamResponse:
        try:
            first = await asyncio.to_thread(next, pieces, b"")
        except FilesError as error:
            raise ApiError(404, "no_file", f"The recording cannot be read: {error}.") from error
        response = web.StreamResponse(headers=_attachment(f"{recording_id}.zip", "application/zip"))
        await response.prepare(request)
        piece: bytes | None = first
        while piece is not None:
            await response.write(piece)
            piece = await asyncio.to_thread(next, pieces, None)
        await response.write_eof()
        return response


def _attachment(name: str, mime_type: str) -> dict[str, str]:
    """Return the headers of a download; `name` must contain no characters that need escaping."""
    return {
        **SECURITY_HEADERS,
        hdrs.CONTENT_TYPE: mime_type,
        hdrs.CACHE_CONTROL: "private, no-store",
        hdrs.CONTENT_DISPOSITION: f'attachment; filename="{name}"',
    }
