"""Frames of the WebSocket in both encodings, join requests and data packets, through their handlers.

The first octet of an input says which it is, and the rest is the content.
"""

import asyncio
import contextlib
import json

from google.protobuf import json_format
from livekit.protocol import models, rtc

from sfu.values import DataReceived, SdpError
from signaling.errors import WireError
from signaling.livekit.handlers import handle
from signaling.livekit.messages import wire
from tests.fuzz.errors import ErrorLog
from tests.fuzz.targets import tokens
from tests.signaling.frontend_harness import FrontendHarness
from tests.signaling.livekit_client import pack

BINARY, TEXT, JOIN, QUERY, DATA = range(5)
INPUTS_OF_A_LESSON = 200


def requests():
    description = rtc.SessionDescription(type="offer", sdp="a3 v3 cam=mid-cam", id=2)
    tracks = [models.ParticipantTracks(participant_sid="PA_1", track_sids=["TR_1", "TR_2"])]
    permission = rtc.TrackPermission(participant_sid="PA_1", all_tracks=True, track_sids=["TR_1"])
    layers = [models.VideoLayer(quality=1, width=320, height=180, bitrate=100_000)]
    track = rtc.AddTrackRequest(cid="cam", type=1, name="c", width=640, height=360, layers=layers)
    return [
        rtc.SignalRequest(**{kind: message})
        for kind, message in {
            "offer": description,
            "answer": description,
            "trickle": rtc.TrickleRequest(candidateInit='{"candidate":""}', target=0),
            "add_track": track,
            "mute": rtc.MuteTrackRequest(sid="TR_1", muted=True),
            "subscription": rtc.UpdateSubscription(
                participant_tracks=tracks, track_sids=["TR_1"], subscribe=True
            ),
            "track_setting": rtc.UpdateTrackSettings(
                track_sids=["TR_1"], quality=2, width=3, fps=4, priority=5
            ),
            "leave": rtc.LeaveRequest(reason=1),
            "subscription_permission": rtc.SubscriptionPermission(track_permissions=[permission]),
            "sync_state": rtc.SyncState(answer=description, track_sids_disabled=["TR_1"]),
            "simulate": rtc.SimulateScenario(speaker_update=3),
            "ping_req": rtc.Ping(timestamp=5, rtt=6),
            "update_metadata": rtc.UpdateParticipantMetadata(metadata="m", name="n", attributes={"a": "b"}),
            "update_audio_track": rtc.UpdateLocalAudioTrack(track_sid="TR_1", features=[1, 2]),
            "update_video_track": rtc.UpdateLocalVideoTrack(track_sid="TR_1", width=7, height=8),
        }.items()
    ]


def seeds():
    join = rtc.JoinRequest(
        connection_settings=rtc.ConnectionSettings(auto_subscribe=True),
        publisher_offer=rtc.SessionDescription(type="offer", sdp="a3 v3", id=1),
    )
    data = models.DataPacket()
    data.user.payload, data.user.topic = b"hello", "chat"
    rpc = models.DataPacket(destination_identities=["ben"])
    rpc.rpc_request.id = rpc.rpc_request.method = "m"
    made = [bytes([BINARY]) + request.SerializeToString() for request in requests()]
    made += [bytes([TEXT]) + json_format.MessageToJson(request).encode() for request in requests()]
    made += [bytes([JOIN]) + pack(join, compress=compress).encode() for compress in (True, False)]
    query = {"sdk": "js", "protocol": "15", "capabilities": "a,b", "attributes": "e30", "reconnect": "1"}
    made.append(bytes([QUERY]) + json.dumps(query).encode())
    return [*made, *(bytes([DATA]) + each.SerializeToString() for each in (data, rpc))]


def words():
    """Identifiers that name something there, and JSON at which readers are often wrong."""
    return [b"PA_1", b"PA_2", b"TR_1", b"TR_2", b"cam", b"ada", b"ben", *tokens.words()]


def strict(command):
    """The fake engine's descriptions are toys: what it cannot read is what the engine refuses as SDP."""

    async def checked(*arguments, **options):
        try:
            return await command(*arguments, **options)
        except (ValueError, IndexError, KeyError) as error:
            raise SdpError("not one of the fake engine's descriptions") from error

    return checked


class Lesson:
    """Two people on a front end without sockets."""

    def __init__(self):
        self.harness = FrontendHarness()
        media = self.harness.media
        media.negotiate, media.answer = strict(media.negotiate), strict(media.answer)
        self.people = {}

    async def person(self, name):
        person = self.people.get(name)
        if person is None or person.connection.participant.has_left:
            person = self.people[name] = await self.harness.join(name)
        return person

    async def feed(self, data):
        ada, ben = await self.person("ada"), await self.person("ben")
        kind, content = data[0] % 5, data[1:]
        if kind in {BINARY, TEXT}:
            frame = content if kind == BINARY else content.decode(errors="replace")
            await handle(self.harness.livekit, ada.connection, wire.decode_request(frame))
            self.harness.media.deliver()
            self.harness.advance(0.05)
        elif kind == JOIN:
            wire.decode_join_request(content.decode(errors="replace"))
        elif kind == QUERY:
            self.query(content)
        else:
            self.harness.media.emit(DataReceived(ada.sid, "_reliable", content))
        for each in (ada, ben):
            each.clear()
        self.harness.events.clear()
        self.harness.media.commands.clear()
        self.harness.media.sent.clear()

    @staticmethod
    def query(content):
        try:
            query = json.loads(content)
        except (ValueError, RecursionError):
            return
        if isinstance(query, dict):
            texts = {name: value for name, value in query.items() if isinstance(value, str)}
            wire.decode_join_query(texts)


def make():
    errors, loop = ErrorLog().install(), asyncio.new_event_loop()
    state = {"left": 0}

    def feed(data):
        if not data:
            return
        if not state["left"]:
            state.update(left=INPUTS_OF_A_LESSON, lesson=Lesson())
        state["left"] -= 1
        with contextlib.suppress(WireError):
            loop.run_until_complete(state["lesson"].feed(data))
        errors.check()

    return feed
