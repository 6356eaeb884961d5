from dataclasses import replace

from sfu.values import Layer
from signaling.history.snapshots import (
    participant_reference,
    participant_snapshot,
    room_reference,
    room_snapshot,
    track_snapshot,
)
from signaling.rooms.model import Participant, Room, RoomConfig, Track, TrackSpec
from signaling.rooms.permissions import Permissions, Source
from signaling.store.meetings.entries import LayerSnapshot, ParticipantReference, RoomReference

CONFIG = RoomConfig(max_participants=9, metadata="m")


def test_snapshots_are_of_the_moment():
    room = Room("RM_1", "algebra", CONFIG, 5.0, metadata="m")
    grants = Permissions(can_publish_sources=(Source.CAMERA,))
    person = Participant("PA_1", "ada", room, "Ada", "", {"a": "b"}, grants, 6.0)
    room.participants["ada"] = person
    room.participants["bot"] = replace(person, identity="bot", permissions=Permissions(hidden=True))
    spec = TrackSpec("video", Source.CAMERA, layers=(Layer("q", 320, 180),))
    track = Track.from_spec("TR_1", "PA_1", spec)
    person.tracks["TR_1"] = track
    shown = room_snapshot(room)
    assert (shown.participants, shown.publishers, shown.max_participants) == (1, 1, 9)
    told = participant_snapshot(person)
    assert (told.identity, told.state, told.connected_at) == ("ada", "JOINING", 0.0)
    assert told.permissions == grants
    person.attributes["a"] = "changed"
    assert told.attributes == {"a": "b"}
    sent = track_snapshot(track)
    assert (sent.source, sent.layers) == ("camera", (LayerSnapshot("q", 320, 180, 0),))
    assert room_reference(room) == RoomReference("RM_1", "algebra")
    assert participant_reference(person) == ParticipantReference("PA_1", "ada", "Ada")
