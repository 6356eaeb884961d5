"""The life of a connection: join, resume, move to another room, end; and what it is sent at each of these."""

from collections.abc import Callable
from dataclasses import dataclass

from livekit.protocol import rtc

from signaling.access import tokens
from signaling.ids import ParticipantSid
from signaling.livekit.connections import packets
from signaling.livekit.connections.broadcast import Broadcast
from signaling.livekit.connections.connection import ClientSocket, Connection
from signaling.livekit.connections.downstream_offers import DownstreamOffers
from signaling.livekit.connections.registry import Connections
from signaling.livekit.connections.state import State
from signaling.livekit.messages import convert, devices
from signaling.livekit.messages.profiles import Profiles
from signaling.rooms.events import ParticipantLeft, ParticipantMoved
from signaling.rooms.memory import Memory
from signaling.rooms.model import LeaveReason, ParticipantState
from signaling.rooms.rooms import JoinSpec
from signaling.rooms.services import Services
from turn_config.credentials import IceServer

# LiveKit's values; clients take the first two from Join.
PING_INTERVAL_S = 5
PING_TIMEOUT_S = 15
REFRESH_INTERVAL_S = 300.0

# The version of the protocol from which clients can be moved to another room.
ROOM_MOVES_PROTOCOL = 16

# A participant without a WebSocket is kept while media flows, for as long as clients try to come back: browsers give
# up after ten tries in about 45 s.
SIGNAL_TIMEOUT_S = 60.0

# Time between the end of a client's media and the message that gives the reason.
GOODBYE_S = 1.0


@dataclass(frozen=True, slots=True)
class LiveKitSettings:
    """The part of the configuration that connections need."""

    signer: Callable[[str], tokens.Signer]
    "Returns the signer of a refreshed token, given the API key that signed its predecessor."
    node_id: str
    "Distinguishes this process from others in clients' logs."
    ice_servers: Callable[[ParticipantSid], tuple[IceServer, ...]]
    "TURN servers for one participant, by sid."


class Lifecycle:
    """Starts, resumes, moves and ends connections."""

    def __init__(
        self,
        services: Services,
        settings: LiveKitSettings,
        connections: Connections,
        broadcast: Broadcast,
        state: State,
    ) -> None:
        self._rooms = services.rooms
        self._subscribing = services.subscribing
        self._data_tracks = services.data_tracks
        self._media = services.media
        self._timers = services.timers
        self._wall_clock = services.wall_clock
        self._settings = settings
        self._connections = connections
        self._broadcast = broadcast
        self._state = state
        self._ended: Memory[str, tuple[str, LeaveReason]] = Memory()
        self._profiles = Profiles()

    def join(
        self, claims: tokens.Claims, request: rtc.JoinRequest, outbox: ClientSocket, *, dual: bool = False
    ) -> Connection:
        """Create the participant of an admitted client, and send Join and the state.

        RoomFullError, BannedError, OutsideHoursError. In dual-connection mode (`dual`) the caller then
        makes the first offer.
        """
        client = request.client_info
        claims = self._profiles.complete(claims, self._wall_clock())
        person = self._rooms.join(
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
                auto_subscribe_data=request.connection_settings.auto_subscribe_data_track,
                room_config=claims.room_config,
                granted_at=self._rooms.granted_at(claims.key, claims.valid_from),
                leaves_at=claims.leaves_at,
                receiver=convert.receiver_traits(client),
                receiving_channels=packets.CHANNELS if dual else None,
                frontend_info=convert.ClientTraits(client.client_protocol, tuple(client.capabilities)),
            )
        )
        connection = Connection(person, client, claims, outbox)
        if dual:
            connection.offers = DownstreamOffers(
                person,
                connection.send,
                lambda: connection.outbox is not None,
                self._media,
                self._timers,
                lambda subscribed: self._subscribing.negotiated(person, subscribed),
                lambda reason: self._rooms.leave(person, reason),
            )
        self._connections.add(connection)
        self._send_join(connection)
        self.send_token(connection)
        self._subscribing.start(person)
        self._data_tracks.start(person)
        return connection

    def resume(
        self, claims: tokens.Claims, participant_sid: ParticipantSid, outbox: ClientSocket
    ) -> Connection | None:
        """Give a connection its new WebSocket and repeat the state; None if this token has no such connection."""
        connection = self._connections.get(participant_sid)
        if connection is None:
            return None
        person = connection.participant
        if person.identity != claims.identity or claims.room not in {
            person.room.name,
            *connection.former_rooms,
        }:
            return None
        missed_move = connection.missed_move or claims.room != person.room.name
        if connection.outbox is not None:
            connection.outbox.drop()
        connection.outbox = outbox
        connection.claims = tokens.moved(claims, person.room.name) if missed_move else claims
        self._timers.cancel(person.sid, "signal")
        self._rooms.signal_changed(person, up=True)
        reconnect = rtc.ReconnectResponse(
            ice_servers=convert.ice_server_list(self._settings.ice_servers(person.sid)),
            server_info=convert.server_info(self._settings.node_id),
            last_message_seq=connection.last_sequence,
        )
        connection.send(rtc.SignalResponse(reconnect=reconnect))
        self._state.repeat_before_participants(connection)
        if missed_move:
            self._send_move(connection)
        else:
            self._send_everybody(connection)
        self._broadcast.send_room_to(connection)
        connection.deliver_missed()
        self._state.repeat_after_participants(connection)
        self.send_token(connection)
        return connection

    def refusal(self, claims: tokens.Claims, participant_sid: ParticipantSid) -> LeaveReason:
        """Return the reason to give a client that `resume` did not accept.

        A client whose participant left while it was away hears the reason now, unless it is one after which it may
        begin anew.
        """
        ended = self._ended.get(participant_sid, self._wall_clock())
        if ended is None or ended[0] != claims.identity:
            return LeaveReason.STATE_MISMATCH
        return ended[1] if not convert.leave(ended[1]).can_reconnect else LeaveReason.STATE_MISMATCH

    def socket_closed(self, connection: Connection, outbox: ClientSocket) -> None:
        """Note that a WebSocket is gone; the participant stays for a while if media is up."""
        if connection.outbox is not outbox:
            return
        connection.outbox = None
        person = connection.participant
        if connection.offers is not None:
            connection.offers.socket_closed()
        if person.state is ParticipantState.ACTIVE and not connection.closes_media:
            self._timers.set(
                person.sid,
                "signal",
                SIGNAL_TIMEOUT_S,
                lambda: self._rooms.leave(person, LeaveReason.SIGNAL_LOST),
            )
            self._rooms.signal_changed(person, up=False)
        else:
            self._rooms.leave(person, LeaveReason.SIGNAL_LOST)

    def media_lost(self, connection: Connection, reason: str) -> None:
        """End a connection whose media ended; the engine gives the reason."""
        person = connection.participant
        if reason == "closed_by_peer" and connection.outbox is not None:
            # Native clients close their media a moment before they send the reason.
            connection.closes_media = True
            self._timers.set(
                person.sid,
                "goodbye",
                GOODBYE_S,
                lambda: self._rooms.leave(person, LeaveReason.MEDIA_LOST, reason),
            )
        elif reason == "flood":
            self._rooms.leave(person, LeaveReason.FLOOD)
        else:
            self._rooms.leave(person, LeaveReason.MEDIA_LOST, reason)

    def left(self, event: ParticipantLeft) -> None:
        """End the connection of a participant who left, with the reason unless it was their own decision."""
        connection = self._connections.remove(event.participant.sid)
        if connection is None:
            return
        person = event.participant
        self._ended.put(person.sid, (person.identity, event.reason), self._wall_clock())
        if connection.outbox is not None:
            if event.reason is not LeaveReason.CLIENT_LEFT:
                connection.send(rtc.SignalResponse(leave=convert.leave(event.reason)))
            connection.outbox.finish()
            connection.outbox = None

    def moved(self, event: ParticipantMoved) -> None:
        """Send a participant the room to which the server moved them."""
        person = event.participant
        connection = self._connections.get(person.sid)
        if connection is None:
            return
        connection.former_rooms.add(event.origin.name)
        connection.claims = tokens.moved(connection.claims, person.room.name)
        if connection.client.protocol < ROOM_MOVES_PROTOCOL:
            # It comes back by itself, with the token that names the other room.
            self.send_token(connection)
            self._rooms.leave(person, LeaveReason.MOVED)
            return
        # Subscriptions ended with the move.
        connection.sent_facts.clear()
        connection.paused.clear()
        if connection.outbox is None:
            connection.missed_move = True
        else:
            self._send_move(connection)
            self.send_token(connection)  # not every client takes the one in the move for its next join
        self._broadcast.announce(person, None, to_self=False)

    def send_token(self, connection: Connection) -> None:
        """Send a token with the participant's present permissions and profile, now and every five minutes."""
        connection.send(rtc.SignalResponse(refresh_token=self._token(connection)))
        sid = connection.participant.sid
        self._timers.set(sid, "refresh", REFRESH_INTERVAL_S, lambda: self.send_token(connection))

    def _send_move(self, connection: Connection) -> None:
        own, others, later = connection.first_state()
        info = convert.room_info(connection.participant.room)
        moved = rtc.RoomMovedResponse(
            room=info, token=self._token(connection), participant=own, other_participants=others
        )
        connection.sent_room = info.SerializeToString()
        connection.missed_move = False
        connection.send(rtc.SignalResponse(room_moved=moved))
        connection.send_state(later)

    def _send_join(self, connection: Connection) -> None:
        person = connection.participant
        own, others, later = connection.first_state()
        info = convert.room_info(person.room)
        connection.sent_room = info.SerializeToString()
        join = rtc.JoinResponse(
            room=info,
            participant=own,
            other_participants=others,
            server_version=convert.SERVER_VERSION,
            server_info=convert.server_info(self._settings.node_id),
            ice_servers=convert.ice_server_list(self._settings.ice_servers(person.sid)),
            ping_interval=PING_INTERVAL_S,
            ping_timeout=PING_TIMEOUT_S,
            enabled_publish_codecs=convert.enabled_codecs(connection.client),
            # Clients that may publish then offer at once, and need not wait for the first track (LiveKit's rule).
            fast_publish=person.permissions.can_publish,
            # A client that may not subscribe connects its publishing side first, which it offers itself.
            subscriber_primary=connection.offers is not None and person.permissions.can_subscribe,
        )
        join.MergeFrom(devices.configuration(connection.client))
        connection.send(rtc.SignalResponse(join=join))
        connection.send_state(later)

    def _send_everybody(self, connection: Connection) -> None:
        person = connection.participant
        others = [other for other in person.room.visible() if other is not person]
        connection.send_infos(connection.seen.start_over({other.identity for other in (*others, person)}))
        # The participant's own state is made now: a browser must be sent a mute by the server before an update that
        # shows the track as muted.
        connection.send_state(others, convert.participant_info(person))

    def _token(self, connection: Connection) -> str:
        person, now = connection.participant, self._wall_clock()
        bearer = tokens.Bearer(
            person.name,
            person.metadata,
            person.attributes,
            person.permissions,
            person.leaves_at,
            # The room where the participant is now, also after a move.
            None if connection.claims.room_id is None else person.room.config.id,
        )
        bearer = self._profiles.shorten(person.room.name, person.identity, bearer, now)
        return tokens.refresh(connection.claims, bearer, self._settings.signer(connection.claims.key), now)
