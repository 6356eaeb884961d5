"""LiveKit's RoomService: one small function per method. The table at the end is the whole service."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Protocol

from livekit.protocol import models, room

from signaling.access.tokens import Claims
from signaling.errors import BannedError, NotFoundError, OutsideHoursError, RoomFullError
from signaling.ids import Identity, ParticipantSid, RoomName, TrackSid
from signaling.livekit.connections import packets
from signaling.livekit.connections.rpc import (
    CONNECTION_TIMEOUT,
    RECIPIENT_DISCONNECTED,
    RESPONSE_TIMEOUT,
    RpcError,
)
from signaling.livekit.frontend import LiveKitFrontend
from signaling.livekit.messages import convert
from signaling.livekit.server_api.twirp import Method, TwirpError
from signaling.rooms.events import Message
from signaling.rooms.model import LeaveReason, Participant, Room, RoomConfig
from signaling.rooms.rooms import MAX_NAME_CHARS
from signaling.rooms.sids import random_sid
from signaling.store.catalogue import Catalogue

# LiveKit's default for calls that do not say.
RPC_TIMEOUT_S = 10.0
# A caller that waits longer has lost its connection long before.
MAX_RPC_TIMEOUT_S = 60.0

NAME = "livekit.RoomService"

# Of the names that the server gives to rooms.
_NAME_PREFIX = "room-"

_RPC_CODES = {
    CONNECTION_TIMEOUT: "deadline_exceeded",
    RESPONSE_TIMEOUT: "deadline_exceeded",
    RECIPIENT_DISCONNECTED: "unavailable",
}


class RoomRecorder(Protocol):
    """Records new rooms; implemented by the Egress service."""

    def check(self, request: room.RoomEgress) -> None:
        """Refuse what cannot be recorded. TwirpError."""

    def await_tracks(self, claims: Claims, here: Room, request: room.RoomEgress) -> None:
        """Record a room that has just been opened, from its first track on. TwirpError."""


class RoomService:
    """The methods, over the domain and LiveKit's front end."""

    def __init__(self, frontend: LiveKitFrontend, catalogue: Catalogue, recorder: RoomRecorder) -> None:
        """Act on the rooms behind `frontend`, and on those of other APIs."""
        self._recorder = recorder
        self._catalogue = catalogue
        self._services = frontend.services
        self._relay = frontend.relay
        self._rooms = frontend.services.rooms
        self._forwarding = frontend.services.forwarding

    # --- rooms -----------------------------------------------------------------------------------

    async def create_room(self, claims: Claims, request: room.CreateRoomRequest) -> models.Room:
        """Open a room with these settings, or return an existing one unchanged; the default name is random."""
        need(_video(claims).get("roomCreate"))
        if len(request.name) > MAX_NAME_CHARS:
            raise TwirpError("invalid_argument", f"a room name must not exceed {MAX_NAME_CHARS} characters")
        name = RoomName(request.name or random_sid(_NAME_PREFIX))
        self._recorder.check(request.egress)
        known = self._rooms.room(name)
        if known is None:
            made = await self._catalogue.config(name)
            default = RoomConfig()
            config = made or replace(
                default,
                empty_timeout_s=request.empty_timeout or default.empty_timeout_s,
                departure_timeout_s=request.departure_timeout or default.departure_timeout_s,
                max_participants=request.max_participants,
                metadata=request.metadata,
            )
            opens = self._rooms.room(name) is None
            known = self._rooms.open_room(name, config)  # or the room that was opened meanwhile
            if opens:
                self._recorder.await_tracks(claims, known, request.egress)
        return convert.room_info(known)

    async def list_rooms(self, claims: Claims, request: room.ListRoomsRequest) -> room.ListRoomsResponse:
        """List open rooms and those of other APIs: all, or the named ones."""
        need(_video(claims).get("roomList"))
        infos = {each.name: convert.room_info(each) for each in self._rooms.rooms}
        for durable in await self._catalogue.list():
            closed = models.Room(name=durable.name, creation_time=int(durable.created_at))
            infos.setdefault(durable.name, closed)
        names = set(request.names)
        return room.ListRoomsResponse(
            rooms=[info for name, info in infos.items() if not names or name in names]
        )

    async def delete_room(self, claims: Claims, request: room.DeleteRoomRequest) -> room.DeleteRoomResponse:
        """End a room of any API, and remove its participants."""
        need(_video(claims).get("roomCreate"))
        name = RoomName(request.room)
        was_made = await self._catalogue.delete(name)
        if not was_made or self._rooms.room(name) is not None:
            detail = f"DeleteRoom by API key {claims.key}"
            self._rooms.close_room(self._room(name), LeaveReason.ROOM_DELETED, detail)
        return room.DeleteRoomResponse()

    def update_room_metadata(self, claims: Claims, request: room.UpdateRoomMetadataRequest) -> models.Room:
        """Change a room's metadata."""
        here = self._administered(claims, request.room)
        self._rooms.update_metadata(here, request.metadata)
        return convert.room_info(here)

    # --- participants ----------------------------------------------------------------------------

    def list_participants(
        self, claims: Claims, request: room.ListParticipantsRequest
    ) -> room.ListParticipantsResponse:
        """List the participants of a room, including hidden ones; a room that is not open has none."""
        name = RoomName(request.room)
        self._check_administers(claims, name)
        here = self._rooms.room(name)
        people = here.participants.values() if here is not None else ()
        return room.ListParticipantsResponse(participants=map(convert.participant_info, people))

    def get_participant(
        self, claims: Claims, request: room.RoomParticipantIdentity
    ) -> models.ParticipantInfo:
        """Tell of one participant."""
        return convert.participant_info(self._person(claims, request))

    def remove_participant(
        self, claims: Claims, request: room.RoomParticipantIdentity
    ) -> room.RemoveParticipantResponse:
        """Remove a participant from a room; the token admits again, unless it is revoked for the room's lifetime.

        A token can be revoked in the participant's absence.
        """
        here = self._administered(claims, request.room)
        identity = Identity(request.identity)
        if request.revoke_token_ts:
            here.revoked[identity] = float(request.revoke_token_ts)
        person = here.participants.get(identity)
        if person is not None:
            self._rooms.leave(person, LeaveReason.REMOVED, f"RemoveParticipant by API key {claims.key}")
        elif not request.revoke_token_ts:
            raise NotFoundError("participant does not exist")
        return room.RemoveParticipantResponse()

    def mute_published_track(
        self, claims: Claims, request: room.MuteRoomTrackRequest
    ) -> room.MuteRoomTrackResponse:
        """Mute a track; only its publisher may unmute it (LiveKit's default)."""
        person = self._person(claims, request)
        person = person.source or person
        track = person.tracks.get(TrackSid(request.track_sid))
        if track is None:
            raise NotFoundError("track is not found")
        if track.muted and not request.muted:
            raise TwirpError("failed_precondition", "remote unmute not enabled")
        self._services.publishing.set_muted(person, track.sid, request.muted, by_server=True)
        return room.MuteRoomTrackResponse(track=convert.track_info(person.tracks[track.sid]))

    def update_participant(
        self, claims: Claims, request: room.UpdateParticipantRequest
    ) -> models.ParticipantInfo:
        """Change the given parts of a participant's profile and permissions."""
        person = self._present(self._person(claims, request))
        self._rooms.update_profile(
            person,
            name=request.name or None,
            metadata=request.metadata or None,
            attributes=dict(request.attributes),
        )
        if request.HasField("permission"):
            # Permissions that LiveKit does not have stay unchanged.
            before = person.permissions
            wanted = convert.permissions(request.permission)
            self._rooms.set_permissions(
                person, replace(wanted, receiving=before.receiving, admin=before.admin)
            )
        return convert.participant_info(person)

    def update_subscriptions(
        self, claims: Claims, request: room.UpdateSubscriptionsRequest
    ) -> room.UpdateSubscriptionsResponse:
        """Subscribe a participant to tracks, or unsubscribe it."""
        person = self._present(self._person(claims, request))
        sids = [*request.track_sids, *(sid for each in request.participant_tracks for sid in each.track_sids)]
        for sid in dict.fromkeys(map(TrackSid, sids)):
            self._services.subscribing.request(person, sid, request.subscribe)
        return room.UpdateSubscriptionsResponse()

    def send_data(self, claims: Claims, request: room.SendDataRequest) -> room.SendDataResponse:
        """Send a packet to all participants of a room, or to the named ones."""
        here = self._administered(claims, request.room)
        message = Message(
            request.data,
            topic=request.topic if request.HasField("topic") else None,
            identities=tuple(map(Identity, request.destination_identities)),
            sids=tuple(map(ParticipantSid, request.destination_sids)),
            reliable=request.kind == models.DataPacket.RELIABLE,
            nonce=request.nonce,
        )
        if packets.packet(message).ByteSize() > packets.MAX_PACKET_BYTES:
            raise TwirpError("invalid_argument", f"a packet must not exceed {packets.MAX_PACKET_BYTES} bytes")
        self._services.moderation.send(here, message)
        return room.SendDataResponse()

    async def move_participant(
        self, claims: Claims, request: room.MoveParticipantRequest
    ) -> room.MoveParticipantResponse:
        """Move a participant with its tracks to another room, without a new join."""
        person, destination = await self._bound_for(claims, request)
        try:
            self._rooms.move(person, destination)
        except RoomFullError as error:
            raise TwirpError("resource_exhausted", str(error)) from error
        except (BannedError, OutsideHoursError) as error:
            raise TwirpError("permission_denied", str(error)) from error
        return room.MoveParticipantResponse()

    async def forward_participant(
        self, claims: Claims, request: room.ForwardParticipantRequest
    ) -> room.ForwardParticipantResponse:
        """Forward a participant's tracks to another room, until the participant leaves or is removed there."""
        person, destination = await self._bound_for(claims, request)
        try:
            self._forwarding.forward(person, destination)
        except (BannedError, OutsideHoursError) as error:
            raise TwirpError("permission_denied", str(error)) from error
        return room.ForwardParticipantResponse()

    async def perform_rpc(self, claims: Claims, request: room.PerformRpcRequest) -> room.PerformRpcResponse:
        """Call a method of a participant's client."""
        here = self._administered(claims, request.room)
        person = self._present(self._find(here, Identity(request.destination_identity)))
        timeout_s = min(request.response_timeout_ms / 1000 or RPC_TIMEOUT_S, MAX_RPC_TIMEOUT_S)
        try:
            payload = await self._relay.rpc.call(
                person.sid,
                request.method,
                request.payload,
                timeout_s,
                lambda packet: self._relay.send_packet([person.sid], packet),
            )
        except RpcError as error:
            code = _RPC_CODES.get(error.code, "unknown")
            raise TwirpError(code, str(error), rpc_code=str(error.code)) from error
        return room.PerformRpcResponse(payload=payload)

    # --- finding things --------------------------------------------------------------------------

    def _room(self, name: RoomName) -> Room:
        here = self._rooms.room(name)
        if here is None:
            raise NotFoundError("requested room does not exist")
        return here

    @staticmethod
    def _check_administers(claims: Claims, name: str) -> None:
        video = _video(claims)
        need(video.get("roomAdmin") is True and video.get("room") == name)

    def _administered(self, claims: Claims, name: str) -> Room:
        self._check_administers(claims, name)
        return self._room(RoomName(name))

    def _person(self, claims: Claims, request: Any) -> Participant:
        return self._find(self._administered(claims, request.room), Identity(request.identity))

    def _elsewhere(self, claims: Claims, request: Any) -> Participant:
        """Return the participant that a request moves to another room."""
        person = self._present(self._person(claims, request))
        need(_video(claims).get("destinationRoom") == request.destination_room)
        if (
            not 0 < len(request.destination_room) <= MAX_NAME_CHARS
            or request.destination_room == request.room
        ):
            raise TwirpError("invalid_argument", "the destination must be a named room other than the source")
        return person

    async def _bound_for(self, claims: Claims, request: Any) -> tuple[Participant, Room]:
        """Return the participant to move or forward, and the destination, opened with the settings of its creator."""
        person = self._elsewhere(claims, request)
        config = None
        if self._rooms.room(request.destination_room) is None:
            config = await self._catalogue.config(request.destination_room)
            person = self._elsewhere(claims, request)  # they may have left meanwhile
        return person, self._rooms.open_room(request.destination_room, config)

    @staticmethod
    def _present(person: Participant) -> Participant:
        if person.source is not None:
            text = f"this participant is forwarded from room {person.source.room.name}, and changes there"
            raise TwirpError("failed_precondition", text)
        return person

    @staticmethod
    def _find(here: Room, identity: Identity) -> Participant:
        person = here.participants.get(identity)
        if person is None:
            raise NotFoundError("participant does not exist")
        return person


def _video(claims: Claims) -> Mapping[str, Any]:
    video = claims.raw.get("video")
    return video if isinstance(video, Mapping) else {}


def need(grant: object) -> None:
    """Refuse a call without a grant. TwirpError, with the real server's status and words."""
    if grant is not True:
        raise TwirpError("unauthenticated", "permissions denied")


def granted(name: str) -> Callable[[Claims], None]:
    """Return a check for a grant."""
    return lambda claims: need(_video(claims).get(name))


# Metadata of LiveKit's 512 KiB as JSON in JSON, where each quote takes a byte more; attributes. See MAX_TEXT_BYTES.
_PROFILE_BYTES = 1088 * 1024


def methods(frontend: LiveKitFrontend, catalogue: Catalogue, recorder: RoomRecorder) -> dict[str, Method]:
    """Return the service's methods by name."""
    service = RoomService(frontend, catalogue, recorder)
    creates, lists, administers = granted("roomCreate"), granted("roomList"), granted("roomAdmin")
    person = room.RoomParticipantIdentity
    return {
        "CreateRoom": Method(room.CreateRoomRequest, service.create_room, creates, _PROFILE_BYTES),
        "ListRooms": Method(room.ListRoomsRequest, service.list_rooms, lists),
        "DeleteRoom": Method(room.DeleteRoomRequest, service.delete_room, creates),
        "ListParticipants": Method(room.ListParticipantsRequest, service.list_participants, administers),
        "GetParticipant": Method(person, service.get_participant, administers),
        "RemoveParticipant": Method(person, service.remove_participant, administers),
        "MutePublishedTrack": Method(room.MuteRoomTrackRequest, service.mute_published_track, administers),
        "UpdateParticipant": Method(
            room.UpdateParticipantRequest, service.update_participant, administers, _PROFILE_BYTES
        ),
        "UpdateSubscriptions": Method(
            room.UpdateSubscriptionsRequest, service.update_subscriptions, administers
        ),
        "SendData": Method(room.SendDataRequest, service.send_data, administers),
        "UpdateRoomMetadata": Method(
            room.UpdateRoomMetadataRequest, service.update_room_metadata, administers, _PROFILE_BYTES
        ),
        "PerformRpc": Method(room.PerformRpcRequest, service.perform_rpc, administers),
        "MoveParticipant": Method(room.MoveParticipantRequest, service.move_participant, administers),
        "ForwardParticipant": Method(
            room.ForwardParticipantRequest, service.forward_participant, administers
        ),
    }
