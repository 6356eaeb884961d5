import json
from dataclasses import replace

from sfu.events import Layer
from signaling.model import Participant, Room, RoomConfig, Track, TrackSpec
from signaling.permissions import Permissions, Source
from signaling.plain import participant_values, room_values, track_values

CONFIG = RoomConfig(max_participants=9, metadata="m")


def test_everything_is_json():
    room = Room("RM_1", "algebra", CONFIG, 5.0, metadata="m")
    grants = Permissions(can_publish_sources=(Source.CAMERA,))
    person = Participant("PA_1", "ada", room, "Ada", "", {"a": "b"}, grants, 6.0)
    room.participants["ada"] = person
    room.participants["bot"] = replace(person, identity="bot", permissions=Permissions(hidden=True))
    spec = TrackSpec("video", Source.CAMERA, layers=(Layer("q", 320, 180),))
    track = Track.from_spec("TR_1", "PA_1", spec)
    person.tracks["TR_1"] = track
    values = [room_values(room), participant_values(person), track_values(track)]
    assert json.loads(json.dumps(values[0])) == values[0]
    assert (values[0]["participants"], values[0]["publishers"], values[0]["max_participants"]) == (1, 1, 9)
    told = json.loads(json.dumps(values[1]))
    assert (told["identity"], told["state"], told["connected_at"]) == ("ada", "JOINING", 0.0)
    assert told["permissions"]["can_publish_sources"] == ["camera"]
    assert told["permissions"]["receiving"]["base"] == sorted(Source)
    told = json.loads(json.dumps(values[2]))
    assert (told["source"], told["layers"][0]["rid"]) == ("camera", "q")
