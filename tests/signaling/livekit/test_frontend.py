import pytest
from livekit.protocol import models, rtc

from sfu.values import PeerClosed, QualityChanged, SubscriptionPaused
from signaling.access import tokens
from signaling.livekit import convert
from signaling.rooms.model import LeaveReason
from signaling.rooms.permissions import Permissions, Source
from tests.signaling.frontend_harness import FakeOutbox
from turn_config.credentials import ice_servers

DISCONNECTED = models.ParticipantInfo.DISCONNECTED
HIDDEN = Permissions(hidden=True)


async def test_join_comes_first_and_says_everything(harness):
    client = models.ClientInfo(client_protocol=2, capabilities=[1])
    bob = await harness.join("bob", client=client, name="Bob")
    cam = await bob.publish("cam")
    ada = harness.enter("ada", metadata="m", attributes={"a": "b"})
    assert ada.kinds()[:2] == ["join", "refresh_token"]
    join = ada.last("join")
    assert (join.room.name, join.participant.identity) == ("lesson", "ada")
    assert join.room.num_participants == 2
    assert (join.participant.metadata, dict(join.participant.attributes)) == ("m", {"a": "b"})
    assert join.participant.permission.can_publish
    assert join.participant.state == models.ParticipantInfo.JOINED
    [other] = join.other_participants
    assert (other.identity, other.name, other.client_protocol, list(other.capabilities)) == (
        "bob",
        "Bob",
        2,
        [1],
    )
    assert [track.sid for track in other.tracks] == [cam]
    assert (join.ping_interval, join.ping_timeout) == (5, 15)
    assert join.server_info.version == join.server_version == "1.13.5"
    assert not join.subscriber_primary
    assert "video/VP8" in [codec.mime for codec in join.enabled_publish_codecs]
    assert join.alternative_url == ""


async def test_others_hear_of_a_newcomer_and_of_its_connection(harness):
    bob = await harness.join("bob")
    bob.clear()
    ada = harness.enter("ada")
    harness.connect_media(ada)
    states = [(info.sid, info.state, info.version) for info in bob.infos()]
    assert states == [
        (ada.sid, models.ParticipantInfo.JOINED, 1),
        (ada.sid, models.ParticipantInfo.ACTIVE, 2),
    ]
    assert ada.infos()[-1].state == models.ParticipantInfo.ACTIVE


async def test_the_hidden_are_nowhere_to_be_seen(harness):
    bob = await harness.join("bob")
    bob.clear()
    ghost = await harness.join("ghost", permissions=HIDDEN)
    await ghost.publish("cam")
    harness.advance(10)
    ada = await harness.join("ada")
    await ghost.send(leave=rtc.LeaveRequest())
    seen = {info.identity for info in bob.infos()} | {info.identity for info in ada.infos()}
    assert "ghost" not in seen
    assert [info.identity for info in ada.last("join").other_participants] == ["bob"]
    assert ada.last("join").room.num_participants == 2
    # The ghost itself sees everybody.
    assert [info.identity for info in ghost.last("join").other_participants] == ["bob"]
    assert "ada" in {info.identity for info in ghost.infos()}


async def test_rooms_hear_nothing_of_each_other(harness):
    ada, eve = await harness.join("ada"), await harness.join("eve", room="other")
    eve.clear()
    await ada.publish("cam")
    await ada.send(leave=rtc.LeaveRequest())
    harness.advance(10)
    assert [kind for kind in eve.kinds() if kind != "room_update"] == []
    assert all(update.room.name == "other" for update in eve.all("room_update"))


async def test_the_same_identity_again_ends_the_older_session(harness):
    bob = await harness.join("bob")
    first = await harness.join("ada")
    bob.clear()
    second = await harness.join("ada")
    leave = first.last("leave")
    assert (leave.action, leave.reason) == (rtc.LeaveRequest.DISCONNECT, models.DUPLICATE_IDENTITY)
    assert first.outbox.finished
    assert bob.infos()[0].sid == first.sid
    assert bob.infos()[0].state == DISCONNECTED
    assert bob.infos()[-1].sid == second.sid


@pytest.mark.parametrize(
    ("reason", "action"),
    [
        ("consent_expired", rtc.LeaveRequest.RECONNECT),
        ("handshake_failed", rtc.LeaveRequest.RECONNECT),
    ],
)
async def test_lost_media_makes_the_client_start_over(harness, reason, action):
    ada, bob = await harness.join("ada"), await harness.join("bob")
    bob.clear()
    harness.media.emit(PeerClosed(ada.sid, reason))
    assert ada.last("leave").action == action
    assert bob.infos()[-1].state == DISCONNECTED
    assert harness.frontend.connection(ada.sid) is None


async def test_a_client_that_closes_its_media_may_say_why(harness):
    ada, bob = await harness.join("ada"), await harness.join("bob")
    harness.media.emit(PeerClosed(ada.sid, "closed_by_peer"))
    assert not ada.connection.participant.has_left
    await ada.send(leave=rtc.LeaveRequest(reason=models.CLIENT_INITIATED))
    assert bob.infos()[-1].disconnect_reason == models.CLIENT_INITIATED


async def test_a_client_that_closes_its_media_and_says_nothing_starts_over(harness):
    ada = await harness.join("ada")
    harness.media.emit(PeerClosed(ada.sid, "closed_by_peer"))
    harness.advance(1)
    assert ada.last("leave").action == rtc.LeaveRequest.RECONNECT


async def test_a_client_that_closes_everything_is_gone_at_once(harness):
    for first in ("media", "signal"):
        ada = await harness.join("ada")
        if first == "signal":
            harness.frontend.socket_closed(ada.connection, ada.outbox)
        harness.media.emit(PeerClosed(ada.sid, "closed_by_peer"))
        if first == "media":
            harness.frontend.socket_closed(ada.connection, ada.outbox)
        assert ada.connection.participant.has_left


def test_every_end_tells_old_clients_whether_to_come_back():
    for reason in LeaveReason:
        leave = convert.leave(reason)
        assert leave.can_reconnect == (leave.action != rtc.LeaveRequest.DISCONNECT)


async def test_a_stopping_server_says_goodbye(harness):
    ada = await harness.join("ada")
    harness.rooms.shut_down()
    leave = ada.last("leave")
    assert (leave.action, leave.reason) == (rtc.LeaveRequest.DISCONNECT, models.SERVER_SHUTDOWN)
    assert ada.outbox.finished


async def test_without_its_socket_a_connected_participant_stays_a_minute(harness):
    ada, bob = await harness.join("ada"), await harness.join("bob")
    bob.clear()
    harness.frontend.socket_closed(ada.connection, ada.outbox)
    harness.advance(59)
    assert not ada.connection.participant.has_left
    assert [info for info in bob.infos() if info.state == DISCONNECTED] == []
    harness.advance(1)
    assert ada.connection.participant.has_left
    assert bob.infos()[-1].state == DISCONNECTED


async def test_without_its_socket_before_media_a_participant_leaves(harness):
    ada = harness.enter("ada")
    harness.frontend.socket_closed(ada.connection, ada.outbox)
    assert ada.connection.participant.has_left


async def test_messages_while_the_socket_is_lost_do_not_fail(harness):
    ada, bob = await harness.join("ada"), await harness.join("bob")
    harness.frontend.socket_closed(ada.connection, ada.outbox)
    ada.clear()
    await bob.publish("cam")
    harness.advance(1)
    assert ada.kinds() == []


async def test_a_resume_repeats_the_state_in_order(harness):
    ada, bob, cleo = await harness.join("ada"), await harness.join("bob"), await harness.join("cleo")
    ada.connection.last_sequence = 17
    harness.frontend.socket_closed(ada.connection, ada.outbox)
    await cleo.send(leave=rtc.LeaveRequest())
    sid = await bob.publish("cam")
    outbox = FakeOutbox()
    connection = harness.frontend.resume(harness.claims("ada"), ada.sid, outbox)
    assert connection is ada.connection
    old, ada.outbox = ada.outbox, outbox
    assert ada.kinds() == ["reconnect", "update", "update", "room_update", "refresh_token"]
    assert ada.last("reconnect").last_message_seq == 17
    assert ada.last("reconnect").server_info.version == "1.13.5"
    gone, present = ada.all("update")
    assert [(info.identity, info.state) for info in gone.participants] == [("cleo", DISCONNECTED)]
    assert [info.identity for info in present.participants] == ["bob", "ada"]
    assert [track.sid for track in present.participants[0].tracks] == [sid]
    # The old socket's end, which comes later, changes nothing.
    harness.frontend.socket_closed(connection, old)
    harness.advance(600)
    assert not connection.participant.has_left


async def test_a_resume_takes_over_a_socket_that_seems_alive(harness):
    ada = await harness.join("ada")
    harness.frontend.resume(harness.claims("ada"), ada.sid, FakeOutbox())
    assert ada.outbox.dropped
    assert ada.all("leave") == []


@pytest.mark.parametrize(
    ("identity", "room", "sid"),
    [("bob", "lesson", None), ("ada", "other", None), ("ada", "lesson", "PA_old")],
)
async def test_nobody_resumes_anothers_session(harness, identity, room, sid):
    ada = await harness.join("ada")
    claims = harness.claims(identity, room)
    assert harness.frontend.resume(claims, sid or ada.sid, FakeOutbox()) is None
    assert not ada.outbox.dropped


async def test_a_session_that_ended_is_not_resumed(harness):
    ada = await harness.join("ada")
    harness.media.emit(PeerClosed(ada.sid, "consent_expired"))
    assert harness.frontend.resume(harness.claims("ada"), ada.sid, FakeOutbox()) is None


async def test_tokens_are_refreshed_at_the_start_and_every_five_minutes(harness):
    ada = await harness.join("ada", metadata="m")
    assert len(ada.all("refresh_token")) == 1
    harness.advance(299)
    assert len(ada.all("refresh_token")) == 1
    harness.advance(301)
    assert len(ada.all("refresh_token")) == 3
    claims = tokens.verify(ada.last("refresh_token"), {"devkey": "secret"}, harness.wall_clock())
    assert (claims.identity, claims.metadata) == ("ada", "m")
    await ada.send(leave=rtc.LeaveRequest())
    harness.advance(600)


async def test_changed_permissions_reach_the_client_its_tracks_and_its_token(harness):
    ada, bob = await harness.join("ada"), await harness.join("bob")
    sid = await ada.publish("cam", source=models.TrackSource.CAMERA)
    ada.clear()
    bob.clear()
    harness.rooms.set_permissions(
        ada.connection.participant, Permissions(can_publish_sources=(Source.MICROPHONE,))
    )
    assert ada.last("track_unpublished").track_sid == sid
    assert list(ada.infos()[-1].permission.can_publish_sources) == [models.TrackSource.MICROPHONE]
    claims = tokens.verify(ada.last("refresh_token"), {"devkey": "secret"}, harness.wall_clock())
    assert claims.permissions.can_publish_sources == (Source.MICROPHONE,)
    assert list(bob.infos()[-1].tracks) == []


async def test_room_metadata_is_told_at_once_and_counts_a_little_later(harness):
    ada = await harness.join("ada")
    harness.advance(10)
    ada.clear()
    harness.rooms.update_metadata(ada.connection.participant.room, "maths")
    assert ada.last("room_update").room.metadata == "maths"
    ada.clear()
    await harness.join("bob")
    await harness.join("cleo")
    assert ada.all("room_update") == []
    harness.advance(5)
    assert [update.room.num_participants for update in ada.all("room_update")] == [3]
    # What did not change is not told.
    harness.rooms.update_profile(ada.connection.participant, metadata="m")
    harness.advance(10)
    assert len(ada.all("room_update")) == 1


async def test_a_crowd_is_told_of_in_batches(harness):
    ada = await harness.join("ada")
    harness.advance(10)
    ada.clear()
    crowd = [harness.enter(f"p{number}") for number in range(50)]
    assert len(ada.all("update")) == 10
    harness.advance(3)
    assert len(ada.all("update")) == 11
    assert {info.sid for info in ada.infos()} == {person.sid for person in crowd}
    # Nobody is told of themselves, or of somebody they know from their Join.
    last = crowd[-1]
    assert [info for info in last.infos() if info.state != models.ParticipantInfo.ACTIVE] == []


async def test_a_publisher_never_waits_in_a_batch(harness):
    ada, bob = await harness.join("ada"), await harness.join("bob")
    for number in range(20):
        harness.enter(f"p{number}")
    ada.clear()
    sid = await bob.publish("cam")
    assert [track.sid for info in ada.infos() for track in info.tracks] == [sid]
    ada.clear()
    await bob.send(leave=rtc.LeaveRequest())
    assert [(info.identity, info.state) for info in ada.infos()] == [("bob", DISCONNECTED)]


async def test_the_publisher_hears_when_its_first_subscriber_is_there(harness):
    ada, bob = await harness.join("ada"), await harness.join("bob")
    sid = await ada.publish("cam")
    assert ada.all("track_subscribed") == []
    await bob.offer("a3 v3", number=2)
    assert [message.track_sid for message in ada.all("track_subscribed")] == [sid]


async def test_an_incomplete_message_is_kept_from_its_client(harness, caplog):
    ada, bob = await harness.join("ada"), await harness.join("bob")
    ada.clear()
    ada.connection.send(rtc.SignalResponse(room_update=rtc.RoomUpdate()))
    assert ada.kinds() == []
    assert "a room without sid or name" in caplog.text
    # One that would go to everybody neither reaches them nor stops the server.
    bob.connection.participant.identity = ""
    harness.rooms.update_profile(bob.connection.participant, metadata="x")
    assert [info for info in ada.infos() if not info.identity] == []


async def test_relays_come_with_credentials_of_the_participants_own(harness):
    def relays(sid):
        return ice_servers("turn:relay.example:3478", "s" * 40, sid, 1000.0, 600)

    settings = harness.frontend._settings
    harness.frontend._settings = type(settings)(settings.signer, settings.node_id, relays)
    ada = harness.enter("ada")
    [server] = ada.last("join").ice_servers
    assert list(server.urls) == ["turn:relay.example:3478"]
    assert server.username == f"1600:{ada.sid}"
    assert server.credential


async def test_a_publisher_is_told_what_is_wanted(harness):
    ada, bob = await harness.join("ada"), await harness.join("bob")
    layers = [
        models.VideoLayer(quality=quality, width=160 << quality, height=90 << quality) for quality in range(3)
    ]
    sid = await ada.publish("cam", layers=layers, source=models.TrackSource.CAMERA)
    settings = rtc.UpdateTrackSettings(track_sids=[sid], quality=models.VideoQuality.LOW)
    await bob.send(track_setting=settings)
    harness.advance(6)
    update = ada.last("subscribed_quality_update")
    assert update.track_sid == sid
    assert [quality.enabled for quality in update.subscribed_qualities] == [True, False, False]
    assert not bob.all("subscribed_quality_update")


async def test_a_bad_connection_is_told_to_its_owner_and_to_those_who_receive_from_it(harness):
    ada, bob = await harness.join("ada"), await harness.join("bob")
    eve = await harness.join("eve", auto_subscribe=False)
    await ada.publish("cam")
    harness.media.emit(QualityChanged(ada.sid, "poor"))
    harness.media.emit(QualityChanged("PA_gone", "poor"))
    for person in (ada, bob):
        (update,) = person.all("connection_quality")
        assert [(info.participant_sid, info.quality) for info in update.updates] == [
            (ada.sid, models.ConnectionQuality.POOR)
        ]
    assert not eve.all("connection_quality")


async def test_a_subscriber_is_told_what_its_bandwidth_stops_and_again_when_it_resumes(harness):
    ada, bob = await harness.join("ada"), await harness.join("bob")
    camera, screen = await ada.publish("cam"), await ada.publish("screen")

    def told():
        states = [info for update in bob.all("stream_state_update") for info in update.stream_states]
        bob.clear()
        return [(info.participant_sid, info.track_sid, info.state) for info in states]

    for track in (camera, screen):
        harness.media.emit(SubscriptionPaused(bob.sid, track, paused=True))
    assert told() == [(ada.sid, sid, rtc.StreamState.PAUSED) for sid in (camera, screen)]
    harness.media.emit(SubscriptionPaused(bob.sid, camera, paused=False))
    assert told() == [(ada.sid, camera, rtc.StreamState.ACTIVE)]
    harness.media.emit(SubscriptionPaused(bob.sid, "TR_gone", paused=True))
    harness.media.emit(SubscriptionPaused("PA_gone", camera, paused=True))
    assert not told()

    bob.outbox = FakeOutbox()
    assert harness.frontend.resume(bob.connection.claims, bob.sid, bob.outbox) is bob.connection
    assert told() == [(ada.sid, screen, rtc.StreamState.PAUSED)]
    assert not ada.all("stream_state_update")


async def test_whoever_is_hidden_later_is_gone_for_the_others_and_may_appear_again(harness):
    ada, bob = await harness.join("ada"), await harness.join("bob")
    sid = await ada.publish("cam")
    bob.clear()
    person = ada.connection.participant
    harness.rooms.set_permissions(person, HIDDEN)
    assert [(info.sid, info.state) for info in bob.infos()] == [(ada.sid, DISCONNECTED)]
    assert ada.infos()[-1].permission.hidden
    harness.media.deliver()
    assert sid not in harness.media.peers[bob.sid].subscriptions
    bob.clear()
    harness.rooms.update_profile(person, name="Ada L")
    harness.advance(10)
    assert not bob.infos()
    harness.rooms.set_permissions(person, Permissions())
    (info,) = bob.infos()
    assert (info.sid, info.name, info.state) == (ada.sid, "Ada L", models.ParticipantInfo.ACTIVE)
    assert sid in harness.media.peers[bob.sid].subscriptions


async def test_who_floods_is_sent_out_and_not_asked_back(harness):
    ada = await harness.join("ada")
    harness.media.emit(PeerClosed(ada.sid, "flood"))
    assert ada.last("leave").action == rtc.LeaveRequest.DISCONNECT
