"""Rooms, participants and tracks as JSON: what the event log keeps of them, and what webhooks are made of."""

from dataclasses import asdict
from typing import Any

import msgspec

from signaling.model import Participant, Room, Track, Visitor


def room_values(room: Room) -> dict[str, Any]:
    """Return a room and how many are in it; the hidden are not counted."""
    visible = room.visible()
    return {
        "sid": room.sid,
        "name": room.name,
        "metadata": room.metadata,
        "owner": room.config.owner,
        "created_at": room.created_at,
        "visited_at": room.visited_at,
        "empty_timeout_s": room.config.empty_timeout_s,
        "departure_timeout_s": room.config.departure_timeout_s,
        "max_participants": room.config.max_participants,
        "participants": len(visible),
        "publishers": sum(person.is_publisher for person in visible),
    }


def participant_values(person: Participant) -> dict[str, Any]:
    """Return a participant without the tracks."""
    return {
        "sid": person.sid,
        "identity": person.identity,
        "name": person.name,
        "metadata": person.metadata,
        "attributes": dict(person.attributes),
        "permissions": msgspec.to_builtins(person.permissions, order="sorted"),
        "joined_at": person.joined_at,
        "leaves_at": person.leaves_at,
        "connected_at": person.connected_at,
        "kind": person.kind,
        "is_publisher": person.is_publisher,
        "state": person.state.name,
        "version": person.version,
    }


def visitor_values(visitor: Visitor) -> dict[str, Any]:
    """Return somebody at the door, in the words for participants."""
    return {
        "identity": visitor.identity,
        "name": visitor.name,
        "attributes": dict(visitor.attributes),
        "permissions": msgspec.to_builtins(visitor.permissions, order="sorted"),
        "joined_at": visitor.joined_at,
        "leaves_at": visitor.leaves_at,
    }


def track_values(track: Track) -> dict[str, Any]:
    """Return a track as it is sent now."""
    spec = track.spec
    return {
        "sid": track.sid,
        "kind": spec.kind,
        "source": spec.source.value,
        "name": spec.name,
        "muted": track.muted,
        "width": track.width,
        "height": track.height,
        "codec": track.codec,
        "mid": track.mid,
        "layers": [asdict(layer) for layer in spec.layers],
        "stereo": spec.stereo,
        "dtx": spec.dtx,
        "red": spec.red,
    }
