"""The LiveKit front end: its connections, and what they are told when something happens in their rooms."""

import asyncio
import logging
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from livekit.protocol import models, rtc

from sfu.values import (
    DataReceived,
    DataRefused,
    OfferNeeded,
    PeerClosed,
    PeerConnected,
    QualityChanged,
    SectionsNeeded,
    SpeakersChanged,
    SubscriptionPaused,
)
from signaling.access import tokens
from signaling.errors import WireError
from signaling.livekit import convert, data_streams, relay
from signaling.livekit.connection import ClientSocket, Connection
from signaling.livekit.data_streams import LostStreams
from signaling.livekit.downstream_offers import DownstreamOffers
from signaling.livekit.rpc import RpcCalls
from signaling.livekit.speakers import Loudness
from signaling.livekit.updates import WINDOW_S, SeenVersions, UpdateBatch, chunks
from signaling.livekit.wire import EncodedResponse, decode_data_packet
from signaling.rooms import events
from signaling.rooms.model import LeaveReason, Participant, ParticipantState, Room
from signaling.rooms.rooms import JoinSpec
from signaling.rooms.services import Services
from turn_config.credentials import IceServer

log = logging.getLogger(__name__)

# LiveKit's values; clients take the first two from Join.
PING_INTERVAL_S = 5
PING_TIMEOUT_S = 15
REFRESH_INTERVAL_S = 300.0

# The version of the protocol from which clients can be moved to another room.
ROOM_MOVES_PROTOCOL = 16
ROOM_UPDATE_DELAY_S = 5.0

# A participant without WebSocket is kept while media flows, for as long as clients try to come back:
# browsers give
# up after ten tries in about 45 s.
SIGNAL_TIMEOUT_S = 60.0

# Time between the end of a client's media and its word on it.
GOODBYE_S = 1.0


@dataclass(frozen=True, slots=True)
class LiveKitSettings:
    """What the front end has to know of the configuration."""

    signer: Callable[[str], tokens.Signer]
    "Returns what signs a refreshed token, whose predecessor was signed by this API key."
    node_id: str
    "Tells this process from others in clients' logs."
    ice_servers: Callable[[str], tuple[IceServer, ...]]
    "Relays for one participant, by sid."


class LiveKitFrontend:
    """Links connections and the domain: requests go in through `livekit.handlers`, events come out here."""

    def __init__(self, services: Services, settings: LiveKitSettings) -> None:
        """Listen to the domain and to the media engine."""
        self.rooms = services.rooms
        self.publishing = services.publishing
        self.subscribing = services.subscribing
        self.moderation = services.moderation
        self.forwarding = services.forwarding
        self.data_tracks = services.data_tracks
        self.media = services.media
        self._timers = services.timers
        self._wall_clock = services.wall_clock
        self._settings = settings
        self._connections: dict[str, Connection] = {}
        self._batches: dict[str, UpdateBatch] = {}
        self._told_rooms: dict[str, bytes] = {}
        self._loudness = Loudness()
        self._tasks: set[asyncio.Task[None]] = set()
        self.rpc = RpcCalls(lambda: str(uuid.uuid4()))
        "The server's own calls to participants."
        self._lost_streams = LostStreams()
        self.dropped_packets: dict[str, int] = {}
        "Data packets that were not relayed, by reason."
        self._reactions: dict[type, Callable[[Any], None]] = {
            events.ParticipantJoined: self._on_joined,
            events.ParticipantActive: self._on_active,
            events.ParticipantChanged: self._on_changed,
            events.PermissionsChanged: self._on_permissions,
            events.ParticipantLeft: self._on_left,
            events.ParticipantMoved: self._on_moved,
            events.TrackMuted: self._on_muted,
            events.TrackUnpublished: self._on_unpublished,
            events.TrackSubscribed: self._on_subscribed,
            events.DemandChanged: self._on_demanded,
            events.DataTracksReceived: self._on_data_tracks,
            events.SubscriptionPermissionChanged: self._on_subscription_permission,
            events.SubscriptionFailed: self._on_subscription_failed,
            events.DataSent: self._on_data_sent,
            events.RoomChanged: lambda event: self._send_room(event.room),
            events.RoomFinished: self._on_room_finished,
        }
        services.hub.observe(self._on_event)
        services.media_events.on(PeerConnected, self._on_peer_connected)
        services.media_events.on(PeerClosed, self._on_peer_closed)
        services.media_events.on(SectionsNeeded, self._on_sections_needed)
        services.media_events.on(OfferNeeded, self._on_offer_needed)
        services.media_events.on(DataReceived, self._on_data)
        services.media_events.on(DataRefused, self._on_data_refused)
        services.media_events.on(SpeakersChanged, self._on_speakers)
        services.media_events.on(QualityChanged, self._on_quality)
        services.media_events.on(SubscriptionPaused, self._on_paused)

    # --- connections --------------------------------------------------------------------------------

    def connection(self, participant_sid: str) -> Connection | None:
        """Return the connection of somebody who joined through this front end."""
        return self._connections.get(participant_sid)

    def join(
        self, claims: tokens.Claims, request: rtc.JoinRequest, outbox: ClientSocket, *, dual: bool = False
    ) -> Connection:
        """Make a participant of an admitted client and send Join and what belongs to it. RoomFullError, BannedError.

        In dual-connection mode (`dual`) the caller makes the first offer then.
        """
        client = request.client_info
        person = self.rooms.join(
            JoinSpec(
                room_name=claims.room,
                identity=claims.identity,
                name=claims.name,
                metadata=request.metadata or claims.metadata,
                attributes={**claims.attributes, **request.participant_attributes},
                permissions=claims.permissions,
                kind=claims.kind,
                kind_details=claims.kind_details,
                auto_subscribe=request.connection_settings.auto_subscribe,
                room_config=claims.room_config,
                granted_at=self.rooms.granted_at(claims.room, claims.identity, claims.valid_from),
                leaves_at=claims.leaves_at,
                receiving_channels=relay.CHANNELS if dual else None,
                frontend_info=convert.ClientTraits(client.client_protocol, tuple(client.capabilities)),
            )
        )
        connection = Connection(person, client, claims, outbox)
        if dual:
            connection.offers = DownstreamOffers(
                connection,
                self.media,
                self._timers,
                lambda subscribed: self.subscribing.negotiated(person, subscribed),
                lambda reason: self.rooms.leave(person, reason),
            )
        self._connections[person.sid] = connection
        self._send_join(connection)
        self._send_token(connection)
        self.subscribing.start(person)
        return connection

    def resume(self, claims: tokens.Claims, participant_sid: str, outbox: ClientSocket) -> Connection | None:
        """Give a connection its new WebSocket and repeat the state; None if this token has no such connection."""
        connection = self._connections.get(participant_sid)
        if connection is None:
            return None
        person = connection.participant
        if (person.identity, person.room.name) != (claims.identity, claims.room):
            return None
        if connection.outbox is not None:
            connection.outbox.drop()
        connection.outbox = outbox
        connection.claims = claims
        self._timers.cancel(person.sid, "signal")
        reconnect = rtc.ReconnectResponse(
            ice_servers=convert.ice_server_list(self._settings.ice_servers(person.sid)),
            server_info=convert.server_info(self._settings.node_id),
            last_message_seq=connection.last_sequence,
        )
        connection.send(rtc.SignalResponse(reconnect=reconnect))
        self._send_everybody(connection)
        self._send_room_to(connection)
        connection.paused &= person.subscriptions.active
        self._send_stream_states(connection, connection.paused)
        self._send_token(connection)
        return connection

    def socket_closed(self, connection: Connection, outbox: ClientSocket) -> None:
        """Note that a WebSocket is gone; the participant stays for a while if media is up."""
        if connection.outbox is not outbox:
            return
        connection.outbox = None
        person = connection.participant
        if person.state is ParticipantState.ACTIVE and not connection.closes_media:
            self._timers.set(
                person.sid,
                "signal",
                SIGNAL_TIMEOUT_S,
                lambda: self.rooms.leave(person, LeaveReason.SIGNAL_LOST),
            )
        else:
            self.rooms.leave(person, LeaveReason.SIGNAL_LOST)

    def send_packet(self, participant_sids: list[str], packet: models.DataPacket) -> None:
        """Send a packet of the server's own, reliably or not, as its `kind` says."""
        lossy = packet.kind == models.DataPacket.LOSSY
        label = relay.LOSSY_LABEL if lossy else relay.RELIABLE_LABEL
        self.media.send_data(participant_sids, label, packet.SerializeToString())

    def now(self) -> float:
        """Return seconds since 1970."""
        return self._wall_clock()

    def now_ms(self) -> int:
        """Return milliseconds since 1970, the unit of pongs."""
        return int(self.now() * 1000)

    # --- messages --------------------------------------------------------------------------------

    def simulate_speaker(self, connection: Connection, seconds: int) -> None:
        """Let a participant look like a speaker to itself for some seconds."""
        sid = connection.participant.sid

        def tell(level: float, *, active: bool) -> None:
            speaker = models.SpeakerInfo(sid=sid, level=level, active=active)
            connection.send(rtc.SignalResponse(speakers_changed=rtc.SpeakersChanged(speakers=[speaker])))

        tell(1.0, active=True)
        self._timers.set(sid, "simulated speaker", seconds, lambda: tell(0.0, active=False))

    def _send_join(self, connection: Connection) -> None:
        person = connection.participant
        others = [convert.participant_info(other) for other in person.room.visible() if other is not person]
        own = convert.participant_info(person)
        for info in (own, *others):
            connection.seen.news(info)
        join = rtc.JoinResponse(
            room=convert.room_info(person.room),
            participant=own,
            other_participants=others,
            server_version=convert.SERVER_VERSION,
            server_info=convert.server_info(self._settings.node_id),
            ice_servers=convert.ice_server_list(self._settings.ice_servers(person.sid)),
            ping_interval=PING_INTERVAL_S,
            ping_timeout=PING_TIMEOUT_S,
            enabled_publish_codecs=convert.enabled_codecs(),
            # who cannot receive connects the publishing side first, which is the client's to offer
            subscriber_primary=connection.offers is not None and person.permissions.can_subscribe,
        )
        connection.send(rtc.SignalResponse(join=join))

    def _send_everybody(self, connection: Connection) -> None:
        person = connection.participant
        present = [*(other for other in person.room.visible() if other is not person), person]
        gone = connection.seen.start_over({other.identity for other in present})
        for part in chunks(gone):
            connection.send(rtc.SignalResponse(update=rtc.ParticipantUpdate(participants=part)))
        connection.send_participants([convert.participant_info(other) for other in present])

    def _send_token(self, connection: Connection) -> None:
        connection.send(rtc.SignalResponse(refresh_token=self._token(connection)))
        sid = connection.participant.sid
        self._timers.set(sid, "refresh", REFRESH_INTERVAL_S, lambda: self._send_token(connection))

    def _token(self, connection: Connection) -> str:
        person = connection.participant
        return tokens.refresh(
            connection.claims,
            tokens.Bearer(
                person.name,
                person.metadata,
                person.attributes,
                person.permissions,
                person.leaves_at,
                # Where they are now, also when an application took them there.
                None if connection.claims.room_id is None else person.room.config.id,
            ),
            self._settings.signer(connection.claims.key),
            self._wall_clock(),
        )

    def _send_room_to(self, connection: Connection) -> None:
        room = convert.room_info(connection.participant.room)
        connection.send(rtc.SignalResponse(room_update=rtc.RoomUpdate(room=room)))

    def _send_room(self, room: Room) -> None:
        self._timers.cancel(room.sid, "room update")
        outgoing = EncodedResponse(
            rtc.SignalResponse(room_update=rtc.RoomUpdate(room=convert.room_info(room)))
        )
        if outgoing.binary() == self._told_rooms.get(room.sid):
            return
        self._told_rooms[room.sid] = outgoing.binary()
        for connection in self._in_room(room):
            connection.deliver(outgoing)

    def _in_room(self, room: Room) -> list[Connection]:
        """Return the connections that can be told something; the others catch up when they resume."""
        connections = (self._connections.get(person.sid) for person in room.participants.values())
        return [
            connection
            for connection in connections
            if connection is not None and connection.outbox is not None
        ]

    # --- events of the domain --------------------------------------------------------------------

    def _on_event(self, event: events.RoomEvent) -> None:
        reaction = self._reactions.get(type(event))
        if reaction is not None:
            reaction(event)

    def _on_joined(self, event: events.ParticipantJoined) -> None:
        self._announce(event.participant, None, to_self=False)

    def _on_changed(self, event: events.ParticipantChanged) -> None:
        self._announce(event.participant, None, to_self=event.to_self)
        connection = self._connections.get(event.participant.sid)
        if connection is not None and event.to_self:
            # What the participant did not do itself, or has to see confirmed, is in its token as well.
            self._send_token(connection)

    def _on_permissions(self, event: events.PermissionsChanged) -> None:
        if event.participant.permissions.hidden and not event.before.hidden:
            # for the others it is as if they had left
            self._tell_others(event.participant, LeaveReason.CLIENT_LEFT, urgent=True)

    def _on_active(self, event: events.ParticipantActive) -> None:
        self._announce(event.participant, None, to_self=True)

    def _on_left(self, event: events.ParticipantLeft) -> None:
        person = event.participant
        self._loudness.forget(person.sid)
        self.rpc.left(person.sid)
        self._lost_streams.left(person.sid)
        connection = self._connections.pop(person.sid, None)
        if connection is not None and connection.outbox is not None:
            if event.reason is not LeaveReason.CLIENT_LEFT:
                connection.send(rtc.SignalResponse(leave=convert.leave(event.reason)))
            connection.outbox.finish()
            connection.outbox = None
        self._announce(person, event.reason, to_self=False, urgent=event.was_publisher)

    def _on_moved(self, event: events.ParticipantMoved) -> None:
        person = event.participant
        self._loudness.forget(person.sid)
        if not person.permissions.hidden:
            self._broadcast(event.origin, [convert.participant_info(person, LeaveReason.MOVED)])
            self._send_room(event.origin)
        connection = self._connections.get(person.sid)
        if connection is None:
            return
        connection.claims = tokens.moved(connection.claims, person.room.name)
        if connection.client.protocol < ROOM_MOVES_PROTOCOL:
            # It comes back by itself, with the token that names the other room.
            self._send_token(connection)
            self.rooms.leave(person, LeaveReason.MOVED)
            return
        others = [convert.participant_info(other) for other in person.room.visible() if other is not person]
        own = convert.participant_info(person)
        connection.seen = SeenVersions()
        for info in (own, *others):
            connection.seen.news(info)
        moved = rtc.RoomMovedResponse(
            room=convert.room_info(person.room), token=self._token(connection), participant=own
        )
        moved.other_participants.extend(others)
        connection.send(rtc.SignalResponse(room_moved=moved))
        self._send_token(connection)  # not every client takes the one in the move for its next join
        self._announce(person, None, to_self=False)

    def _on_muted(self, event: events.TrackMuted) -> None:
        connection = self._connections.get(event.participant.sid)
        if connection is not None:
            mute = rtc.MuteTrackRequest(sid=event.track.sid, muted=event.track.muted)
            connection.send(rtc.SignalResponse(mute=mute))
            connection.send_participants([convert.participant_info(event.participant)])

    def _on_unpublished(self, event: events.TrackUnpublished) -> None:
        connection = self._connections.get(event.participant.sid)
        if connection is not None and event.by_server:
            message = rtc.TrackUnpublishedResponse(track_sid=event.track.sid)
            connection.send(rtc.SignalResponse(track_unpublished=message))

    def _on_subscribed(self, event: events.TrackSubscribed) -> None:
        connection = self._connections.get(event.publisher.sid)
        if connection is not None:
            message = rtc.TrackSubscribed(track_sid=event.track.sid)
            connection.send(rtc.SignalResponse(track_subscribed=message))

    def _on_demanded(self, event: events.DemandChanged) -> None:
        connection = self._connections.get(event.publisher.sid)
        if connection is not None:
            update = convert.quality_update(event.track, event.spatial, event.backup, event.layers)
            connection.send(rtc.SignalResponse(subscribed_quality_update=update))

    def _on_subscription_permission(self, event: events.SubscriptionPermissionChanged) -> None:
        connection = self._connections.get(event.subscriber.sid)
        if connection is not None:
            message = rtc.SubscriptionPermissionUpdate(
                participant_sid=event.track.publisher_sid, track_sid=event.track.sid, allowed=event.allowed
            )
            connection.send(rtc.SignalResponse(subscription_permission_update=message))

    def _on_subscription_failed(self, event: events.SubscriptionFailed) -> None:
        connection = self._connections.get(event.subscriber.sid)
        if connection is not None:
            message = rtc.SubscriptionResponse(
                track_sid=event.track_sid, err=models.SubscriptionError.SE_TRACK_NOTFOUND
            )
            connection.send(rtc.SignalResponse(subscription_response=message))

    def _on_data_sent(self, event: events.DataSent) -> None:
        self.send_packet([person.sid for person in event.recipients], relay.packet(event.message))

    def _on_room_finished(self, event: events.RoomFinished) -> None:
        self._batches.pop(event.room.sid, None)
        self._told_rooms.pop(event.room.sid, None)

    def _announce(
        self, person: Participant, reason: LeaveReason | None, *, to_self: bool, urgent: bool = False
    ) -> None:
        own = self._connections.get(person.sid)
        if own is not None and to_self:
            own.send_participants([convert.participant_info(person)])
        if not person.permissions.hidden:
            self._tell_others(person, reason, urgent=urgent)

    def _tell_others(self, person: Participant, reason: LeaveReason | None, *, urgent: bool) -> None:
        room = person.room
        batch = self._batches.setdefault(room.sid, UpdateBatch())
        if batch.add(person, reason, urgent=urgent or person.is_publisher):
            self._broadcast(room, [convert.participant_info(person, reason)])
        if batch.is_open and not self._timers.is_set(room.sid, "updates"):
            self._timers.set(room.sid, "updates", WINDOW_S, lambda: self._flush(room))
        if not self._timers.is_set(room.sid, "room update"):
            self._timers.set(room.sid, "room update", ROOM_UPDATE_DELAY_S, lambda: self._send_room(room))

    def _flush(self, room: Room) -> None:
        batch = self._batches.get(room.sid)
        if batch is None:
            return
        waiting = batch.flush()
        if waiting:
            self._broadcast(room, [convert.participant_info(person, reason) for person, reason in waiting])
            self._timers.set(room.sid, "updates", WINDOW_S, lambda: self._flush(room))

    def _broadcast(self, room: Room, infos: list[models.ParticipantInfo]) -> None:
        for part in chunks(infos):
            # Nearly everybody gets the very same message: it is encoded once.
            whole = EncodedResponse(rtc.SignalResponse(update=rtc.ParticipantUpdate(participants=part)))
            for connection in self._in_room(room):
                own = connection.participant.sid
                news = [info for info in part if info.sid != own and connection.seen.news(info)]
                if len(news) == len(part):
                    connection.deliver(whole)
                elif news:
                    connection.send(rtc.SignalResponse(update=rtc.ParticipantUpdate(participants=news)))

    # --- events of the media engine --------------------------------------------------------------

    def _on_peer_connected(self, event: PeerConnected) -> None:
        self.rooms.connected(event.peer_id)

    def _on_peer_closed(self, event: PeerClosed) -> None:
        connection = self._connections.get(event.peer_id)
        if connection is None:
            return
        log.info("media lost: %s", event.reason, extra={"participant": event.peer_id})
        person = connection.participant
        if event.reason == "closed_by_peer" and connection.outbox is not None:
            # Native clients close their media a moment before they say that they leave.
            connection.closes_media = True
            self._timers.set(
                person.sid, "goodbye", GOODBYE_S, lambda: self.rooms.leave(person, LeaveReason.MEDIA_LOST)
            )
        elif event.reason == "flood":
            self.rooms.leave(person, LeaveReason.FLOOD)
        else:
            self.rooms.leave(person, LeaveReason.MEDIA_LOST)

    def _on_sections_needed(self, event: SectionsNeeded) -> None:
        # Only the client offers in single-connection mode; the engine asks once per offer.
        connection = self._connections.get(event.peer_id)
        if connection is not None:
            requirement = rtc.MediaSectionsRequirement(num_audios=event.audio, num_videos=event.video)
            connection.send(rtc.SignalResponse(media_sections_requirement=requirement))

    def _on_offer_needed(self, event: OfferNeeded) -> None:
        connection = self._connections.get(event.peer_id)
        if connection is not None and connection.offers is not None:
            task = asyncio.get_running_loop().create_task(connection.offers.make())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def _on_data(self, event: DataReceived) -> None:
        connection = self._connections.get(event.peer_id)
        if connection is None:
            return
        sender = connection.participant
        if event.label == relay.DATA_TRACK_LABEL:
            self._on_frame(sender, event.payload)
            return
        try:
            packet = decode_data_packet(event.payload)
        except WireError:
            reason = "undecodable"
        else:
            if self.rpc.take(sender.sid, packet):
                return
            reason = relay.drop_reason(
                sender, event.label, len(event.payload), packet, connection.last_sequence
            )
        if reason:
            self._count_drop(reason)
            return
        if event.label == relay.RELIABLE_LABEL:
            connection.last_sequence = max(connection.last_sequence, packet.sequence)
        relay.readdress(packet, sender, event.label)
        flow = data_streams.flow(packet, sender.sid)
        recipients = self._lost_streams.wanted_by(flow, relay.recipients(packet, sender))
        if recipients:
            self.media.send_data(recipients, event.label, packet.SerializeToString(), flow=flow)
        if packet.HasField("stream_trailer"):
            self._lost_streams.ended(flow)

    def _on_data_refused(self, event: DataRefused) -> None:
        """Somebody reads too slowly: what they lose of a stream ends with a trailer that says why."""
        self._count_drop("slow_reader")
        if not event.flow or event.peer_id not in self._connections:
            return
        sender = self.rooms.participant(event.flow.partition(" ")[0])
        identity = sender.identity if sender is not None and not sender.permissions.hidden else ""
        trailer = self._lost_streams.lose(event.flow, event.peer_id, identity)
        if trailer is not None:
            self.send_packet([event.peer_id], trailer)

    def _on_frame(self, sender: Participant, frame: bytes) -> None:
        handle = relay.frame_handle(frame)
        if not handle:
            self._count_drop("undecodable")
        elif not sender.permissions.can_publish_data:
            self._count_drop("not_allowed")
        else:
            for known_as, sids in self.data_tracks.recipients(sender, handle).items():
                self.media.send_data(sids, relay.DATA_TRACK_LABEL, relay.with_handle(frame, known_as))

    def _count_drop(self, reason: str) -> None:
        self.dropped_packets[reason] = self.dropped_packets.get(reason, 0) + 1

    def _on_data_tracks(self, event: events.DataTracksReceived) -> None:
        connection = self._connections.get(event.participant.sid)
        if connection is not None:
            handles = convert.subscriber_handles(event.participant)
            connection.send(rtc.SignalResponse(data_track_subscriber_handles=handles))

    def _on_quality(self, event: QualityChanged) -> None:
        person = self.rooms.participant(event.peer_id)
        if person is None:
            return
        level = convert.QUALITIES[event.quality]
        info = rtc.ConnectionQualityInfo(participant_sid=person.sid, quality=level)
        message = EncodedResponse(
            rtc.SignalResponse(connection_quality=rtc.ConnectionQualityUpdate(updates=[info]))
        )
        for connection in self._in_room(person.room):
            other = connection.participant
            if other is person or other.subscriptions.active & person.tracks.keys():
                connection.deliver(message)

    def _on_paused(self, event: SubscriptionPaused) -> None:
        connection = self._connections.get(event.peer_id)
        if connection is not None:
            (connection.paused.add if event.paused else connection.paused.discard)(event.publication_id)
            self._send_stream_states(connection, {event.publication_id})

    def _send_stream_states(self, connection: Connection, track_sids: set[str]) -> None:
        room = connection.participant.room
        tracks = [track for sid in track_sids if (track := room.find_track(sid)) is not None]
        if tracks:
            states = [convert.stream_state(track, paused=track.sid in connection.paused) for track in tracks]
            update = rtc.StreamStateUpdate(stream_states=states)
            connection.send(rtc.SignalResponse(stream_state_update=update))

    def _on_speakers(self, event: SpeakersChanged) -> None:
        room = self.rooms.room_by_sid(event.room_id)
        if room is None:
            return
        changed = self._loudness.update(room, event.speakers)
        for connection in self._in_room(room):
            active = connection.participant.subscriptions.active
            heard = [
                change.info
                for change in changed
                if change.info.sid == connection.participant.sid or change.track_sids & active
            ]
            if heard:
                connection.send(rtc.SignalResponse(speakers_changed=rtc.SpeakersChanged(speakers=heard)))
