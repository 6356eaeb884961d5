"""LiveKit's Egress service, implemented by this server's recordings: it only writes files in the folder of recordings.

A room has one egress at a time. A track egress is the recorded file itself; all others are composed to one MP4 file
after they end (`signaling.recordings.films`). People who declined to be recorded are in none of them.
"""

import base64
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from google.protobuf.message import Message
from livekit.protocol import egress

from sfu.values import RecordingId
from signaling.access.tokens import Claims
from signaling.errors import NotFoundError, UnsupportedError
from signaling.ids import RoomName
from signaling.livekit.server_api.room_service import granted
from signaling.livekit.server_api.twirp import Method, TwirpError
from signaling.recordings.files import FilesError, RecordingFiles
from signaling.recordings.films import Films, FilmStatus, TooManyFilmsError
from signaling.recordings.recordings import (
    ACTIVE,
    FAILED,
    FINISHED,
    STOPPING,
    AlreadyRecordedError,
    Purpose,
    Recordings,
)
from signaling.recordings.rules import Options
from signaling.rooms.model import Room
from signaling.rooms.rooms import Rooms
from signaling.store import Store
from signaling.store.records import Recording

NAME: Final = "livekit.Egress"

_PREFIX: Final = "EG_"
_MAX_LISTED: Final = 200
_DETAIL: Final = "egress"
_NS: Final = 1_000_000_000

_REQUESTS: Final[dict[str, type[Message]]] = {
    "room_composite": egress.RoomCompositeEgressRequest,
    "participant": egress.ParticipantEgressRequest,
    "track_composite": egress.TrackCompositeEgressRequest,
    "track": egress.TrackEgressRequest,
}
# Outputs that are not files, and options that need another server or another layout.
_REFUSED: Final = (
    "stream",
    "segments",
    "stream_outputs",
    "segment_outputs",
    "image_outputs",
    "websocket_url",
    "custom_base_url",
    "advanced",
    "webhooks",
)
_CLOUDS: Final = ("s3", "gcp", "azure", "aliOSS")


class EgressService:
    """The methods of the service."""

    def __init__(
        self,
        recordings: Recordings,
        rooms: Rooms,
        store: Store,
        files: RecordingFiles | None,
        films: Films | None,
    ) -> None:
        """`files` and `films` are None on a server without recordings."""
        self._recordings = recordings
        self._rooms = rooms
        self._store = store
        self._files = files
        self._films = films
        recordings.observe(self._ended)

    async def start_room_composite(
        self, claims: Claims, request: egress.RoomCompositeEgressRequest
    ) -> egress.EgressInfo:
        """Record everybody in a room, and compose one file of the recording."""
        options = Options(audio_only=request.audio_only, video_only=request.video_only)
        return await self._start(claims, "room_composite", request, options)

    async def start_participant(
        self, claims: Claims, request: egress.ParticipantEgressRequest
    ) -> egress.EgressInfo:
        """Record one participant, with or without their screen, and compose one file of the recording."""
        if not request.identity:
            raise TwirpError("invalid_argument", "the identity of a participant is missing")
        options = Options(identity=request.identity, no_screens=not request.screen_share)
        return await self._start(claims, "participant", request, options)

    async def start_track_composite(
        self, claims: Claims, request: egress.TrackCompositeEgressRequest
    ) -> egress.EgressInfo:
        """Record an audio track, a video track or both, and compose one file of the recording."""
        tracks = [each for each in (request.audio_track_id, request.video_track_id) if each]
        return await self._start(
            claims, "track_composite", request, self._of_tracks(request.room_name, tracks)
        )

    async def start_track(self, claims: Claims, request: egress.TrackEgressRequest) -> egress.EgressInfo:
        """Record one track without composing it."""
        tracks = [request.track_id] if request.track_id else []
        return await self._start(claims, "track", request, self._of_tracks(request.room_name, tracks))

    async def list(self, claims: Claims, request: egress.ListEgressRequest) -> egress.ListEgressResponse:
        """List the latest egresses of this API key, the newest first."""
        rows = await self._store.recordings.find(request.room_name, _MAX_LISTED)
        infos = [self._info(self._recordings.latest(row)) for row in rows if _is_of(row, claims)]
        running = {egress.EGRESS_ACTIVE, egress.EGRESS_ENDING}
        return egress.ListEgressResponse(
            items=[
                info
                for info in infos
                if request.egress_id in {"", info.egress_id}
                and (not request.active or info.status in running)
            ]
        )

    async def stop(self, claims: Claims, request: egress.StopEgressRequest) -> egress.EgressInfo:
        """End an egress."""
        row = await self._found(claims, request.egress_id)
        if row.status not in ACTIVE:
            raise TwirpError("failed_precondition", f"egress {row.id} has ended")
        return self._info(self._recordings.stop(row.room))

    async def update_layout(self, claims: Claims, request: egress.UpdateLayoutRequest) -> egress.EgressInfo:
        """Refuse: the composed file has one layout, which follows screens and the speaker."""
        await self._found(claims, request.egress_id)
        raise TwirpError("unimplemented", "this server has one layout, which follows screens and who speaks")

    async def refuse_web(self, _claims: Claims, _request: egress.WebEgressRequest) -> egress.EgressInfo:
        """Refuse: this server runs no browser."""
        raise TwirpError("unimplemented", "this server records rooms, not web pages")

    async def refuse_stream(self, _claims: Claims, _request: egress.UpdateStreamRequest) -> egress.EgressInfo:
        """Refuse: this server writes only files."""
        raise TwirpError("unimplemented", "this server writes files and sends no streams")

    # --- parts -----------------------------------------------------------------------------------

    def _room(self, name: str) -> Room:
        room = self._rooms.room(RoomName(name))
        if room is None:
            raise NotFoundError("requested room does not exist")
        if room.config.sealed:
            raise TwirpError("permission_denied", "sessions are recorded by /api/v1, which asks for consent")
        return room

    def _of_tracks(self, room_name: str, tracks: Sequence[str]) -> Options:
        published = {sid for person in self._room(room_name).participants.values() for sid in person.tracks}
        if not tracks or not published.issuperset(tracks):
            raise TwirpError("not_found", "track not found")
        return Options(camera_layer=2, tracks=tuple(tracks))

    async def _start(self, claims: Claims, kind: str, request: Any, options: Options) -> egress.EgressInfo:
        self._room(request.room_name)
        _check(request)
        more = {_DETAIL: {"kind": kind, "request": base64.b64encode(request.SerializeToString()).decode()}}
        try:
            purpose = Purpose(_PREFIX, more)
            row = await self._recordings.start(claims.key, request.room_name, "", options, purpose)
        except AlreadyRecordedError as error:
            raise TwirpError(
                "failed_precondition", "the room is being recorded; a room has one egress"
            ) from error
        except UnsupportedError as error:
            raise TwirpError("failed_precondition", str(error)) from error
        return self._info(row)

    async def _found(self, claims: Claims, egress_id: str) -> Recording:
        row = await self._store.recordings.get(RecordingId(egress_id))
        if row is None or not _is_of(row, claims):
            raise TwirpError("not_found", "egress not found")
        return self._recordings.latest(row)

    def _ended(self, row: Recording) -> None:
        kind = row.details.get(_DETAIL, {}).get("kind")
        if kind is None or kind == "track" or row.status != FINISHED or self._films is None:
            return
        try:
            self._films.start(row.id, "", [], [])
        except (FilesError, TooManyFilmsError):
            return  # reported as failed, since there is no file

    def _info(self, row: Recording) -> egress.EgressInfo:
        detail = row.details[_DETAIL]
        kind = detail["kind"]
        request: Any = _REQUESTS[kind]()
        request.ParseFromString(base64.b64decode(detail["request"]))
        status, error, files = self._outcome(row, kind)
        info = egress.EgressInfo(
            egress_id=row.id,
            room_id=row.session_sid,
            room_name=row.room,
            status=status,
            started_at=int(row.started_at * _NS),
            ended_at=int((row.ended_at or 0) * _NS),
            error=error,
        )
        getattr(info, kind).CopyFrom(request)
        wanted = _filepath(request) or "{room_name}-{time}"
        for path in files:
            info.file_results.append(
                egress.FileInfo(
                    filename=_named(wanted, row) + path.suffix,
                    location=str(path),
                    size=path.stat().st_size,
                    started_at=info.started_at,
                    ended_at=info.ended_at,
                    duration=int(row.details.get("length_s", 0.0) * _NS),
                )
            )
        return info

    def _outcome(self, row: Recording, kind: str) -> tuple[Any, str, Sequence[Path]]:
        """Return the status, the error and the files."""
        if row.status in ACTIVE:
            return (egress.EGRESS_ENDING if row.status == STOPPING else egress.EGRESS_ACTIVE), "", ()
        if row.status == FAILED or self._films is None or self._files is None:
            return egress.EGRESS_FAILED, str(row.details.get("reason", "")), ()
        if kind == "track":
            return self._of_track(self._files, row)
        film = self._films.state(row.id)
        if film.status is FilmStatus.FINISHED:
            return egress.EGRESS_COMPLETE, "", [self._films.file(row.id).path]
        if film.status in {FilmStatus.WAITING, FilmStatus.COMPOSING}:
            return egress.EGRESS_ENDING, "", ()
        return egress.EGRESS_FAILED, film.error or "there is no file", ()

    @staticmethod
    def _of_track(files: RecordingFiles, row: Recording) -> tuple[Any, str, Sequence[Path]]:
        try:
            tracks = files.manifest(row.id).tracks
            parts = [(track.number, part.number) for track in tracks for part in track.parts]
            paths = [files.part(row.id, *numbers).path for numbers in parts]
        except FilesError as error:
            return egress.EGRESS_FAILED, str(error), ()
        return (egress.EGRESS_COMPLETE if paths else egress.EGRESS_ABORTED), "", paths


def _is_of(row: Recording, claims: Claims) -> bool:
    return _DETAIL in row.details and row.details.get("tenant") == claims.key


def _check(request: Any) -> None:
    """Refuse a request for something unsupported, and name it. TwirpError."""
    present = {field.name for field, _ in request.ListFields()}
    for name in _REFUSED:
        if name in present:
            raise TwirpError("unimplemented", f"this server does not support {name}; it writes files")
    outputs = _outputs(request)
    if len(outputs) > 1:
        raise TwirpError("unimplemented", "this server writes one file for each egress")
    for output in outputs:
        for cloud in _CLOUDS:
            if output.HasField(cloud):
                raise TwirpError("unimplemented", f"this server does not upload to {cloud}; it keeps files")
        if getattr(output, "file_type", egress.DEFAULT_FILETYPE) not in {
            egress.DEFAULT_FILETYPE,
            egress.MP4,
        }:
            raise TwirpError("unimplemented", "this server writes MP4 files")


def _outputs(request: Any) -> list[Any]:
    """Return the files that a request asks for; a request has a field for one, for several, or for both."""
    has_file = "file" in request.DESCRIPTOR.fields_by_name and request.HasField("file")
    return [*getattr(request, "file_outputs", ()), *([request.file] if has_file else [])]


def _filepath(request: Any) -> str:
    return next((output.filepath for output in _outputs(request) if output.filepath), "")


def _named(template: str, row: Recording) -> str:
    """Return the requested name without its suffix; it does not name a file on this server's disk."""
    stamp = time.strftime("%Y-%m-%dT%H%M%S", time.gmtime(row.started_at))
    values = {"{room_name}": row.room, "{room_id}": row.session_sid, "{time}": stamp}
    for name, value in values.items():
        template = template.replace(name, value)
    return template.removesuffix(".mp4")


def methods(service: EgressService) -> dict[str, Method]:
    """Return the methods of a service by name."""
    records: Callable[[Claims], None] = granted("roomRecord")
    return {
        "StartRoomCompositeEgress": Method(
            egress.RoomCompositeEgressRequest, service.start_room_composite, records
        ),
        "StartParticipantEgress": Method(egress.ParticipantEgressRequest, service.start_participant, records),
        "StartTrackCompositeEgress": Method(
            egress.TrackCompositeEgressRequest, service.start_track_composite, records
        ),
        "StartTrackEgress": Method(egress.TrackEgressRequest, service.start_track, records),
        "StartWebEgress": Method(egress.WebEgressRequest, service.refuse_web, records),
        "ListEgress": Method(egress.ListEgressRequest, service.list, records),
        "StopEgress": Method(egress.StopEgressRequest, service.stop, records),
        "UpdateLayout": Method(egress.UpdateLayoutRequest, service.update_layout, records),
        "UpdateStream": Method(egress.UpdateStreamRequest, service.refuse_stream, records),
    }
