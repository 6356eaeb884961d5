"""LiveKit's Egress service, implemented by this server's recordings: it writes files, and uploads them to S3.

A room has one egress at a time. A track egress is the recorded file itself; all others are composed to one MP4 file
after they end (`signaling.recordings.outputs.films`). People who declined to be recorded are in none of them.
"""

from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
from livekit.protocol import egress

from sfu.values import RecordingId
from signaling.access.tokens import Claims
from signaling.errors import NotFoundError, UnsupportedError
from signaling.ids import RoomName
from signaling.livekit.messages.egress_info import EGRESS, egress_detail, egress_info, file_outputs, file_path
from signaling.livekit.server_api.egress_upload import requested_upload
from signaling.livekit.server_api.room_service import granted
from signaling.livekit.server_api.twirp import Method, TwirpError
from signaling.recordings.output_state import FILE_NAME, UPLOAD, OutputKind
from signaling.recordings.recordings import AlreadyRecordedError, Purpose, Recordings
from signaling.recordings.rules import Options
from signaling.recordings.statuses import ACTIVE
from signaling.rooms.model import Room
from signaling.rooms.rooms import Rooms
from signaling.store import Store
from signaling.store.records import Recording

NAME: Final = "livekit.Egress"

_PREFIX: Final = "EG_"
_MAX_LISTED: Final = 200

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


class EgressService:
    """The methods of the service."""

    def __init__(
        self,
        recordings: Recordings,
        rooms: Rooms,
        store: Store,
        folder: Path | None,
        endpoints: Collection[str],
    ) -> None:
        """`folder` is None on a server without recordings; `endpoints` are servers that files may be uploaded to."""
        self._endpoints = endpoints
        self._recordings = recordings
        self._rooms = rooms
        self._store = store
        self._folder = folder or Path()

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

    def check(self, request: egress.RoomCompositeEgressRequest) -> None:
        """Refuse a request that cannot be met whatever happens in the room. TwirpError."""
        _check(request)
        requested_upload(request, self._store.vault, self._endpoints)
        if not self._recordings.is_on:
            raise TwirpError("failed_precondition", "this server has no folder for recordings")

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
        upload = requested_upload(request, self._store.vault, self._endpoints)
        output = OutputKind.TRACKS if kind == "track" else OutputKind.FILM
        details: dict[str, Any] = {
            EGRESS: egress_detail(kind, request),
            FILE_NAME: file_path(request),
        }
        if upload is not None:
            details[UPLOAD] = msgspec.to_builtins(upload)
        # Without an upload, `location` is a path, and the application opens the file there.
        purpose = Purpose(_PREFIX, details, output, read_by_path=upload is None)
        try:
            row = await self._recordings.start(claims.key, request.room_name, "", options, purpose)
        except AlreadyRecordedError as error:
            raise TwirpError(
                "failed_precondition", "the room is being recorded; a room has one egress"
            ) from error
        except UnsupportedError as error:
            raise TwirpError("failed_precondition", str(error)) from error
        return self._info(row)

    def _info(self, row: Recording) -> egress.EgressInfo:
        return egress_info(row, self._folder)

    async def _found(self, claims: Claims, egress_id: str) -> Recording:
        row = await self._store.recordings.get(RecordingId(egress_id))
        if row is None or not _is_of(row, claims):
            raise TwirpError("not_found", "egress not found")
        return self._recordings.latest(row)


def _is_of(row: Recording, claims: Claims) -> bool:
    return EGRESS in row.details and row.details.get("tenant") == claims.key


def _check(request: Any) -> None:
    """Refuse a request for something unsupported, and name it. TwirpError."""
    present = {field.name for field, _ in request.ListFields()}
    for name in _REFUSED:
        if name in present:
            raise TwirpError("unimplemented", f"this server does not support {name}; it writes files")
    outputs = file_outputs(request)
    # LiveKit's SDK for Node names the same file in the old field and in the new one.
    if any(output != outputs[0] for output in outputs):
        raise TwirpError("unimplemented", "this server writes one file for each egress")
    for output in outputs:
        if getattr(output, "file_type", egress.DEFAULT_FILETYPE) not in {
            egress.DEFAULT_FILETYPE,
            egress.MP4,
        }:
            raise TwirpError("unimplemented", "this server writes MP4 files")


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
