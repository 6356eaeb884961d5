import pytest
from livekit.protocol import models, rtc

from sfu.values import PeerClosed, Speaker, SpeakersChanged
from signaling.access import tokens
from signaling.livekit.messages import convert
from signaling.rooms.model import LeaveReason
from signaling.rooms.permissions import Permissions
from tests.signaling.frontend_harness import FakeOutbox, SlowOutbox
from tests.signaling.livekit.connections.client_view import ClientView
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
    assert join.fast_publish
    assert "video/VP8" in [codec.mime for codec in join.enabled_publish_codecs]
    assert join.alternative_url == ""


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
    assert harness.livekit.connections.get(ada.sid) is None


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
            harness.livekit.lifecycle.socket_closed(ada.connection, ada.outbox)
        harness.media.emit(PeerClosed(ada.sid, "closed_by_peer"))
        if first == "media":
            harness.livekit.lifecycle.socket_closed(ada.connection, ada.outbox)
        assert ada.connection.participant.has_left


def test_every_end_tells_old_clients_whether_to_come_back():
    for reason in LeaveReason:
        leave = convert.leave(reason)
        assert leave.can_reconnect == (leave.action != rtc.LeaveRequest.DISCONNECT)


async def test_whoever_may_not_publish_is_not_told_to_publish_fast(harness):
    ada = harness.enter("ada", permissions=Permissions(can_publish=False))
    assert not ada.last("join").fast_publish


async def test_a_stopping_server_says_goodbye(harness):
    ada = await harness.join("ada")
    harness.rooms.shut_down()
    leave = ada.last("leave")
    assert (leave.action, leave.reason) == (rtc.LeaveRequest.RECONNECT, models.SERVER_SHUTDOWN)
    assert ada.outbox.finished


async def test_without_its_socket_a_connected_participant_stays_a_minute(harness):
    ada, bob = await harness.join("ada"), await harness.join("bob")
    bob.clear()
    harness.livekit.lifecycle.socket_closed(ada.connection, ada.outbox)
    harness.advance(59)
    assert not ada.connection.participant.has_left
    assert [info for info in bob.infos() if info.state == DISCONNECTED] == []
    harness.advance(1)
    assert ada.connection.participant.has_left
    assert bob.infos()[-1].state == DISCONNECTED


async def test_without_its_socket_before_media_a_participant_leaves(harness):
    ada = harness.enter("ada")
    harness.livekit.lifecycle.socket_closed(ada.connection, ada.outbox)
    assert ada.connection.participant.has_left


async def test_messages_while_the_socket_is_lost_do_not_fail(harness):
    ada, bob = await harness.join("ada"), await harness.join("bob")
    harness.livekit.lifecycle.socket_closed(ada.connection, ada.outbox)
    ada.clear()
    await bob.publish("cam")
    harness.advance(1)
    assert ada.kinds() == []


async def test_a_resume_repeats_the_state_in_order(harness):
    ada, bob, cleo = await harness.join("ada"), await harness.join("bob"), await harness.join("cleo")
    ada.connection.last_sequence = 17
    harness.livekit.lifecycle.socket_closed(ada.connection, ada.outbox)
    await cleo.send(leave=rtc.LeaveRequest())
    sid = await bob.publish("cam")
    outbox = FakeOutbox()
    connection = harness.livekit.lifecycle.resume(harness.claims("ada"), ada.sid, outbox)
    assert connection is ada.connection
    old, ada.outbox = ada.outbox, outbox
    assert ada.kinds() == [
        "reconnect",
        "update",
        "update",
        "room_update",
        "media_sections_requirement",
        "refresh_token",
    ]
    assert ada.last("reconnect").last_message_seq == 17
    assert ada.last("reconnect").server_info.version == "1.13.5"
    gone, present = ada.all("update")
    assert [(info.identity, info.state) for info in gone.participants] == [("cleo", DISCONNECTED)]
    assert [info.identity for info in present.participants] == ["bob", "ada"]
    assert [track.sid for track in present.participants[0].tracks] == [sid]
    # The old socket's end, which comes later, changes nothing.
    harness.livekit.lifecycle.socket_closed(connection, old)
    harness.advance(600)
    assert not connection.participant.has_left


async def test_a_resume_takes_over_a_socket_that_seems_alive(harness):
    ada = await harness.join("ada")
    harness.livekit.lifecycle.resume(harness.claims("ada"), ada.sid, FakeOutbox())
    assert ada.outbox.dropped
    assert ada.all("leave") == []


@pytest.mark.parametrize(
    ("identity", "room", "sid"),
    [("bob", "lesson", None), ("ada", "other", None), ("ada", "lesson", "PA_old")],
)
async def test_nobody_resumes_anothers_session(harness, identity, room, sid):
    ada = await harness.join("ada")
    claims = harness.claims(identity, room)
    assert harness.livekit.lifecycle.resume(claims, sid or ada.sid, FakeOutbox()) is None
    assert not ada.outbox.dropped


async def test_a_session_that_ended_is_not_resumed(harness):
    ada = await harness.join("ada")
    harness.media.emit(PeerClosed(ada.sid, "consent_expired"))
    assert harness.livekit.lifecycle.resume(harness.claims("ada"), ada.sid, FakeOutbox()) is None


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


async def test_relays_come_with_credentials_of_the_participants_own(harness):
    def relays(sid):
        return ice_servers("turn:relay.example:3478", "s" * 40, sid, 1000.0, 600)

    settings = harness.livekit.lifecycle._settings
    harness.livekit.lifecycle._settings = type(settings)(settings.signer, settings.node_id, relays)
    ada = harness.enter("ada")
    [server] = ada.last("join").ice_servers
    assert list(server.urls) == ["turn:relay.example:3478"]
    assert server.username == f"1600:{ada.sid}"
    assert server.credential


async def test_who_floods_is_sent_out_and_not_asked_back(harness):
    ada = await harness.join("ada")
    harness.media.emit(PeerClosed(ada.sid, "flood"))
    assert ada.last("leave").action == rtc.LeaveRequest.DISCONNECT


def small_first_state(monkeypatch):
    monkeypatch.setattr("signaling.livekit.connections.connection.MAX_FIRST_STATE_BYTES", 1)


def resume_slowly(harness, person):
    person.outbox = SlowOutbox()
    harness.livekit.lifecycle.resume(harness.claims("ada"), person.sid, person.outbox)


def shown(view):
    """What a client shows of the others, whoever it is."""
    result = view.result()
    return {name: info for name, info in result["people"].items() if name not in {"ada", "stay"}}, {
        kind: result.get(kind) for kind in ("room", "speaking")
    }


@pytest.mark.parametrize("way", ["resume", "join", "resume twice"])
async def test_what_happens_while_the_state_waits_to_be_read_is_in_it_or_follows_it(
    harness, monkeypatch, way
):
    small_first_state(monkeypatch)
    tutor, cleo, eve = await harness.join("tutor"), await harness.join("cleo"), await harness.join("eve")
    mic = await tutor.publish("mic", models.TrackType.AUDIO, name="mic")
    await eve.publish("cam", name="cam")
    sids = [person.sid for person in (tutor, cleo, eve)]
    stay, view = await harness.join("stay"), ClientView()
    ada = None if way == "join" else await harness.join("ada")
    room = tutor.connection.participant.room
    harness.media.emit(SpeakersChanged(room.sid, (Speaker(mic, 0.5, active=True),)))
    if ada is None:
        ada = await harness.join("ada", outbox=SlowOutbox())
    else:
        view.apply(ada.outbox.messages).resumed()
        harness.livekit.lifecycle.socket_closed(ada.connection, ada.outbox)
        for _ in way.split()[1:]:
            resume_slowly(harness, ada)  # and lose everything that it has not read
            harness.livekit.lifecycle.socket_closed(ada.connection, ada.outbox)
        resume_slowly(harness, ada)
    await tutor.send(mute=rtc.MuteTrackRequest(sid=mic, muted=True))
    harness.rooms.update_profile(tutor.connection.participant, metadata="new")
    await cleo.send(leave=rtc.LeaveRequest())
    harness.rooms.set_permissions(eve.connection.participant, HIDDEN)
    await harness.join("new")
    harness.advance(10)
    view.apply(ada.outbox.read())
    assert shown(view) == shown(ClientView().apply(stay.outbox.messages))
    assert view.result()["speaking"]
    named = [info.sid for info in ada.infos()]
    assert named.count(sids[0]) == 1  # its changes were in time for the state
    assert [(sid in named) for sid in sids[1:]] == [way != "join"] * 2


async def test_who_moves_while_the_state_waits_is_sent_the_other_room_alone(harness, monkeypatch):
    small_first_state(monkeypatch)
    tutor = await harness.join("tutor")
    client = models.ClientInfo(protocol=17)  # can be moved
    moving = await harness.join("moving", client=client)
    await harness.join("there", room="other")
    ada = harness.enter("ada", outbox=SlowOutbox(), client=client)
    other = harness.rooms.open_room("other")
    harness.rooms.move(ada.connection.participant, other)
    harness.rooms.move(moving.connection.participant, other)
    view = ClientView().apply(ada.outbox.read())
    assert moving.sid in view.people
    assert {info.identity for info in view.people.values()} == {"ada", "moving", "there"}
    assert tutor.sid not in view.names


async def test_pongs_do_not_wait_for_the_state(harness, monkeypatch):
    small_first_state(monkeypatch)
    await harness.join("tutor")
    ada = harness.enter("ada", outbox=SlowOutbox())
    await ada.send(ping=1)
    await ada.send(ping_req=rtc.Ping(timestamp=2))
    ada.outbox.read()
    assert ada.kinds()[:4] == ["join", "pong", "pong_resp", "update"]


async def test_a_mute_by_the_server_precedes_the_update_that_shows_it_also_while_the_state_waits(harness):
    ada = await harness.join("ada")
    sid = await ada.publish("mic", models.TrackType.AUDIO)
    harness.livekit.lifecycle.socket_closed(ada.connection, ada.outbox)
    resume_slowly(harness, ada)
    harness.publishing.set_muted(ada.connection.participant, sid, True, by_server=True)
    ada.outbox.read()
    shows = [
        index
        for index, message in enumerate(ada.outbox.messages)
        if any(track.muted for info in message.update.participants for track in info.tracks)
    ]
    assert shows
    assert ada.kinds().index("mute") < shows[0]
