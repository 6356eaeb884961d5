"""What clients are sent when something happens in a room or in the media engine: one small method per event.

The two tables at the end of `__init__` are the whole dispatch.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from livekit.protocol import rtc

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
from signaling.ids import ParticipantSid
from signaling.livekit.connections.broadcast import Broadcast
from signaling.livekit.connections.lifecycle import Lifecycle
from signaling.livekit.connections.relay import Relay
from signaling.livekit.connections.state import State
from signaling.livekit.messages import convert
from signaling.rooms import events
from signaling.rooms.model import LeaveReason, Room
from signaling.rooms.services import Services

Reacting = Mapping[type, Callable[[Any], None]]


class Reactions:
    """Listens to the domain and to the media engine."""

    def __init__(
        self,
        services: Services,
        state: State,
        broadcast: Broadcast,
        lifecycle: Lifecycle,
        relay: Relay,
    ) -> None:
        self._rooms = services.rooms
        self._connections = broadcast.connections
        self._broadcast = broadcast
        self._lifecycle = lifecycle
        self._relay = relay
        self._loudness = state.loudness
        self._qualities = state.measured_qualities
        self._state = state
        self._tasks: set[asyncio.Task[None]] = set()
        self._of_events: Reacting = {
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
            events.SubscriptionChanged: self._on_subscription,
            events.DataTracksReceived: self._on_data_tracks,
            events.SubscriptionPermissionChanged: self._on_subscription_permission,
            events.SubscriptionFailed: self._on_subscription_failed,
            events.DataSent: relay.on_application_data,
            events.Captioned: relay.on_captions,
            events.RoomChanged: lambda event: broadcast.send_room(event.room),
            events.RoomFinished: lambda event: broadcast.forget(event.room),
        }
        services.hub.observe(self._on_event)
        of_media: Reacting = {
            PeerConnected: lambda event: self._rooms.connected(event.peer_id),
            PeerClosed: self._on_peer_closed,
            SectionsNeeded: self._on_sections_needed,
            OfferNeeded: self._on_offer_needed,
            DataReceived: relay.on_data,
            DataRefused: relay.on_refused,
            SpeakersChanged: self._on_speakers,
            QualityChanged: self._on_quality,
            SubscriptionPaused: self._on_paused,
        }
        for kind, reaction in of_media.items():
            services.media_events.on(kind, reaction)

    def _on_event(self, event: events.RoomEvent) -> None:
        reaction = self._of_events.get(type(event))
        if reaction is not None:
            reaction(event)

    def _send(self, participant_sid: ParticipantSid, message: rtc.SignalResponse) -> None:
        connection = self._connections.get(participant_sid)
        if connection is not None:
            connection.send(message)

    # --- participants ----------------------------------------------------------------------------

    def _on_joined(self, event: events.ParticipantJoined) -> None:
        self._broadcast.announce(event.participant, None, to_self=False)

    def _on_active(self, event: events.ParticipantActive) -> None:
        self._broadcast.announce(event.participant, None, to_self=True)

    def _on_changed(self, event: events.ParticipantChanged) -> None:
        self._broadcast.announce(event.participant, None, to_self=event.to_self)
        connection = self._connections.get(event.participant.sid)
        if connection is not None and event.to_self:
            # What the participant did not do itself, or has to see confirmed, is in its token as well.
            self._lifecycle.send_token(connection)

    def _on_permissions(self, event: events.PermissionsChanged) -> None:
        if event.participant.permissions.hidden and not event.before.hidden:
            # For the others it is as if the participant had left.
            self._silence(event.participant.sid, event.participant.room)
            self._broadcast.notify_others(event.participant, LeaveReason.CLIENT_LEFT, urgent=True)

    def _on_left(self, event: events.ParticipantLeft) -> None:
        self._gone(event.participant.sid, event.participant.room)
        self._qualities.pop(event.participant.sid, None)
        self._relay.left(event.participant.sid)
        self._lifecycle.left(event)
        self._broadcast.announce(event.participant, event.reason, to_self=False, urgent=event.was_publisher)

    def _on_moved(self, event: events.ParticipantMoved) -> None:
        person = event.participant
        self._gone(person.sid, event.origin)
        if not person.permissions.hidden:
            self._broadcast.send_participants(
                event.origin, [convert.participant_info(person, LeaveReason.MOVED)]
            )
            self._broadcast.send_room(event.origin)
        self._lifecycle.moved(event)

    def _gone(self, participant_sid: ParticipantSid, room: Room) -> None:
        """Remove the measurements of a participant who is no longer in a room."""
        self._loudness.forget(participant_sid)
        self._silence(participant_sid, room)

    def _silence(self, participant_sid: ParticipantSid, room: Room) -> None:
        """Send others the end of a participant's speech before that participant's end.

        A browser cannot remove a speaker from its list once it does not know the participant.
        """
        connections = self._connections.in_room(room)
        self._state.sync_all(connections, self._state.speaking, (participant_sid,))
        self._state.sync_all(connections, self._state.qualities, (participant_sid,))

    def _on_peer_closed(self, event: PeerClosed) -> None:
        connection = self._connections.get(event.peer_id)
        if connection is not None:
            self._lifecycle.media_lost(connection, event.reason)

    # --- publishing ------------------------------------------------------------------------------

    def _on_muted(self, event: events.TrackMuted) -> None:
        connection = self._connections.get(event.participant.sid)
        if connection is not None:
            connection.switched_by_server.add(event.track.sid)
            self._state.sync(connection, self._state.mutes)
            connection.send_participants([convert.participant_info(event.participant)])

    def _on_unpublished(self, event: events.TrackUnpublished) -> None:
        person, track_sid = event.participant, event.track.sid
        self._loudness.forget_track(person.sid, track_sid)
        own = self._connections.get(person.sid)
        if own is not None:
            own.switched_by_server.discard(track_sid)
            if event.by_server:
                own.taken_down.add(track_sid)
                self._state.sync(own, self._state.taken_down)
        connections = self._connections.in_room(person.room)
        self._state.sync_all(connections, self._state.speaking, (person.sid,))
        for connection in connections:
            connection.paused.discard(track_sid)
            self._state.sync(connection, self._state.stream_states, (track_sid,))
            self._state.sync(connection, self._state.permissions, (track_sid,))

    def _on_subscribed(self, event: events.TrackSubscribed) -> None:
        message = rtc.TrackSubscribed(track_sid=event.track.sid)
        self._send(event.publisher.sid, rtc.SignalResponse(track_subscribed=message))

    def _on_demanded(self, event: events.DemandChanged) -> None:
        connection = self._connections.get(event.publisher.sid)
        if connection is not None:
            self._state.sync(connection, self._state.wanted, (event.track.sid,))

    # --- subscribing -----------------------------------------------------------------------------

    def _on_subscription(self, event: events.SubscriptionChanged) -> None:
        connection = self._connections.get(event.subscriber.sid)
        if connection is not None:
            if event.track.sid not in event.subscriber.subscriptions.subscribed:
                connection.paused.discard(event.track.sid)
            self._state.sync(connection, self._state.stream_states, (event.track.sid,))
            self._state.sync(connection, self._state.speaking, (event.publisher.sid,))
            self._state.sync(connection, self._state.qualities, (event.publisher.sid,))

    def _on_subscription_permission(self, event: events.SubscriptionPermissionChanged) -> None:
        connection = self._connections.get(event.subscriber.sid)
        if connection is not None:
            self._state.sync(connection, self._state.permissions, (event.track.sid,))

    def _on_subscription_failed(self, event: events.SubscriptionFailed) -> None:
        message = rtc.SubscriptionResponse(
            track_sid=event.track_sid, err=convert.SUBSCRIPTION_ERRORS[event.reason]
        )
        self._send(event.subscriber.sid, rtc.SignalResponse(subscription_response=message))

    def _on_data_tracks(self, event: events.DataTracksReceived) -> None:
        connection = self._connections.get(event.participant.sid)
        if connection is not None:
            self._state.answer(connection, self._state.data_handles)

    def _on_sections_needed(self, event: SectionsNeeded) -> None:
        # Only the client offers in single-connection mode; the engine asks once per offer.
        connection = self._connections.get(event.peer_id)
        if connection is not None:
            connection.sections_required = (event.audio, event.video)
            self._state.repeat(connection, self._state.sections)

    def _on_offer_needed(self, event: OfferNeeded) -> None:
        connection = self._connections.get(event.peer_id)
        if connection is not None and connection.offers is not None:
            task = asyncio.get_running_loop().create_task(connection.offers.make())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    # --- quality and speakers --------------------------------------------------------------------

    def _on_quality(self, event: QualityChanged) -> None:
        person = self._rooms.participant(event.peer_id)
        if person is not None:
            self._qualities[person.sid] = convert.QUALITIES[event.quality]
            self._state.sync_all(self._connections.in_room(person.room), self._state.qualities, (person.sid,))

    def _on_paused(self, event: SubscriptionPaused) -> None:
        connection = self._connections.get(event.peer_id)
        if connection is not None:
            (connection.paused.add if event.paused else connection.paused.discard)(event.publication_id)
            self._state.sync(connection, self._state.stream_states, (event.publication_id,))

    def _on_speakers(self, event: SpeakersChanged) -> None:
        room = self._rooms.room_by_sid(event.room_id)
        if room is not None:
            touched = self._loudness.update(room, event.speakers)
            self._state.sync_all(self._connections.in_room(room), self._state.speaking, touched)
