"""Snapshots of rooms, participants and tracks for the event log and for the webhooks made from it."""

from signaling.rooms.model import Participant, Room, Track, Visitor
from signaling.store.meetings.entries import (
    LayerSnapshot,
    ParticipantReference,
    ParticipantSnapshot,
    RoomReference,
    RoomSnapshot,
    TrackSnapshot,
    VisitorSnapshot,
)


def room_snapshot(room: Room) -> RoomSnapshot:
    """Return a snapshot of a room, with the number of its participants without hidden ones."""
    visible = room.visible()
    return RoomSnapshot(
        sid=room.sid,
        name=room.name,
        metadata=room.metadata,
        owner=room.config.owner,
        created_at=room.created_at,
        visited_at=room.visited_at,
        empty_timeout_s=room.config.empty_timeout_s,
        departure_timeout_s=room.config.departure_timeout_s,
        max_participants=room.config.max_participants,
        participants=len(visible),
        publishers=sum(person.is_publisher for person in visible),
    )


def room_reference(room: Room) -> RoomReference:
    """Return the names that identify a room."""
    return RoomReference(room.sid, room.name)


def participant_snapshot(person: Participant) -> ParticipantSnapshot:
    """Return a snapshot of a participant without tracks."""
    return ParticipantSnapshot(
        sid=person.sid,
        identity=person.identity,
        name=person.name,
        metadata=person.metadata,
        attributes=dict(person.attributes),
        permissions=person.permissions,
        joined_at=person.joined_at,
        leaves_at=person.leaves_at,
        connected_at=person.connected_at,
        kind=person.kind,
        is_publisher=person.is_publisher,
        state=person.state.name,
        version=person.version,
    )


def participant_reference(person: Participant) -> ParticipantReference:
    """Return the names that identify a participant."""
    return ParticipantReference(person.sid, person.identity, person.name)


def visitor_snapshot(visitor: Visitor) -> VisitorSnapshot:
    """Return a snapshot of a person who waits to be admitted."""
    return VisitorSnapshot(
        identity=visitor.identity,
        name=visitor.name,
        attributes=dict(visitor.attributes),
        permissions=visitor.permissions,
        joined_at=visitor.joined_at,
        leaves_at=visitor.leaves_at,
    )


def track_snapshot(track: Track) -> TrackSnapshot:
    """Return a snapshot of a track."""
    spec = track.spec
    return TrackSnapshot(
        sid=track.sid,
        kind=spec.kind,
        source=spec.source,
        name=spec.name,
        muted=track.muted,
        width=track.width,
        height=track.height,
        codec=track.codec,
        mid=track.mid,
        layers=tuple(
            LayerSnapshot(layer.rid, layer.width, layer.height, layer.bitrate_bps) for layer in spec.layers
        ),
        stereo=spec.stereo,
        dtx=spec.dtx,
        red=spec.red,
    )
