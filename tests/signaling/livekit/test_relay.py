import pytest
from hypothesis import given
from hypothesis import strategies as st
from livekit.protocol import models, rtc
from livekit.protocol.metrics import MetricsBatch
from livekit.protocol.models import (
    ChatMessage,
    DataPacket,
    DataStream,
    Transcription,
    UserPacket,
)

from sfu.values import MAX_MESSAGE_BYTES, DataReceived, DataRefused
from signaling.livekit import relay
from signaling.rooms.events import Message
from signaling.rooms.permissions import Permissions
from signaling.rooms.rooms import JoinSpec


@pytest.fixture
def people(harness):
    def join(identity, **fields):
        return harness.rooms.join(JoinSpec("lesson", identity, **fields))

    join.ada = join("ada")
    join.bob = join("bob")
    join.cleo = join("cleo")
    return join


def user(**fields):
    return DataPacket(user=UserPacket(payload=b"hi", topic="t"), **fields)


@pytest.mark.parametrize(
    ("packet", "label", "size", "last", "reason"),
    [
        (user(), "_reliable", 10, 0, ""),
        (user(), "_lossy", 10, 0, ""),
        (user(), "_data_track", 10, 0, "unknown_label"),
        (user(), "mine", 10, 0, "unknown_label"),
        (user(), "_reliable", MAX_MESSAGE_BYTES, 0, ""),
        (user(), "_reliable", MAX_MESSAGE_BYTES + 1, 0, "oversize"),
        (user(sequence=5), "_reliable", 10, 4, ""),
        (user(sequence=5), "_reliable", 10, 5, "repeated"),
        (user(sequence=5), "_lossy", 10, 5, ""),
        (user(), "_reliable", 10, 5, ""),
        (DataPacket(metrics=MetricsBatch()), "_reliable", 10, 0, "not_relayed"),
        (DataPacket(transcription=Transcription()), "_reliable", 10, 0, "not_an_agent"),
        (DataPacket(stream_header=DataStream.Header()), "_reliable", 10, 0, ""),
        (DataPacket(), "_reliable", 10, 0, ""),
    ],
)
def test_what_is_relayed(people, packet, label, size, last, reason):
    assert relay.drop_reason(people.ada, label, size, packet, last) == reason


def test_sending_needs_the_grant(people):
    mute = people("mute", permissions=Permissions(can_publish_data=False))
    assert relay.drop_reason(mute, "_reliable", 10, user(), 0) == "not_allowed"


def test_agents_may_transcribe(people):
    agent = people("bot", kind="agent")
    packet = DataPacket(transcription=Transcription(), participant_identity="ada")
    assert relay.drop_reason(agent, "_reliable", 10, packet, 0) == ""
    relay.readdress(packet, agent, "_reliable")
    assert packet.participant_identity == "ada"
    assert packet.participant_sid == agent.sid


def test_the_sender_is_who_the_server_knows(people):
    packet = user(participant_identity="bob", participant_sid="PA_x", kind=DataPacket.RELIABLE, sequence=9)
    packet.user.participant_identity = "bob"
    relay.readdress(packet, people.ada, "_lossy")
    assert (packet.participant_identity, packet.participant_sid) == ("ada", people.ada.sid)
    assert (packet.user.participant_identity, packet.user.participant_sid) == ("ada", people.ada.sid)
    assert packet.kind == DataPacket.LOSSY
    assert packet.sequence == 9


def test_nobody_but_agents_speaks_for_others(people):
    packet = DataPacket(chat_message=ChatMessage(message="x"), participant_identity="bob")
    relay.readdress(packet, people.ada, "_reliable")
    assert packet.participant_identity == "ada"
    agent = people("bot", permissions=Permissions(agent=True))
    packet = user(participant_identity="bob")
    relay.readdress(packet, agent, "_reliable")
    assert packet.participant_identity == "bot"


def test_the_hidden_have_no_name(people):
    ghost = people("ghost", permissions=Permissions(hidden=True))
    packet = user(participant_identity="ada", participant_sid="PA_1")
    relay.readdress(packet, ghost, "_reliable")
    assert (packet.participant_identity, packet.participant_sid) == ("", "")
    assert (packet.user.participant_identity, packet.user.participant_sid) == ("", "")


def test_a_packet_goes_to_all_others_in_the_room_or_to_those_named(harness, people):
    harness.rooms.join(JoinSpec("other", "bob"))
    ada, bob, cleo = people.ada, people.bob, people.cleo
    assert relay.recipients(user(), ada) == [bob.sid, cleo.sid]
    assert relay.recipients(user(destination_identities=["bob", "nobody"]), ada) == [bob.sid]
    assert relay.recipients(user(destination_identities=["ada"]), ada) == []
    by_sid = DataPacket(user=UserPacket(destination_sids=[cleo.sid]))
    assert relay.recipients(by_sid, ada) == [cleo.sid]


def test_destinations_are_told_in_the_old_place_and_the_new_one(people):
    old = DataPacket(user=UserPacket(destination_identities=["bob"]))
    relay.readdress(old, people.ada, "_reliable")
    assert list(old.destination_identities) == ["bob"]
    new = user(destination_identities=["cleo"])
    relay.readdress(new, people.ada, "_reliable")
    assert list(new.user.destination_identities) == ["cleo"]


async def test_the_skin_relays_and_counts(harness):
    ada, bob = await harness.join("ada"), await harness.join("bob")

    def send(packet, label="_reliable"):
        payload = packet if isinstance(packet, bytes) else packet.SerializeToString()
        harness.media.emit(DataReceived(ada.sid, label, payload))

    send(user(sequence=1))
    send(user(sequence=1))
    send(b"\xff\xff")
    send(user(destination_identities=["nobody"]))
    harness.media.emit(DataReceived("PA_gone", "_reliable", b""))
    assert harness.frontend.dropped_packets == {"repeated": 1, "undecodable": 1}
    [(peers, label, payload)] = harness.media.sent
    assert (peers, label) == ((bob.sid,), "_reliable")
    packet = DataPacket.FromString(payload)
    assert (packet.participant_identity, packet.user.payload, packet.sequence) == ("ada", b"hi", 1)


async def test_a_stream_that_a_receiver_is_too_slow_for_is_ended_there_and_goes_on_elsewhere(harness):
    ada, bob, cleo = [await harness.join(name) for name in ("ada", "bob", "cleo")]

    def send(**part):
        harness.media.emit(DataReceived(ada.sid, "_reliable", DataPacket(**part).SerializeToString()))
        return harness.media.sent[-1][0]

    assert set(send(stream_header=DataStream.Header(stream_id="s"))) == {bob.sid, cleo.sid}
    flow = harness.media.flows[-1]
    assert flow == f"{ada.sid} s"
    for _ in range(2):  # told twice, the trailer goes once
        harness.media.emit(DataRefused(bob.sid, "_reliable", flow))
    trailers = harness.media.sent[1:]
    [(peers, label, payload)] = trailers
    packet = DataPacket.FromString(payload)
    assert (peers, label, packet.participant_identity) == ((bob.sid,), "_reliable", "ada")
    assert packet.stream_trailer == DataStream.Trailer(
        stream_id="s", reason="the receiver's connection is too slow"
    )
    assert send(stream_chunk=DataStream.Chunk(stream_id="s")) == (cleo.sid,)
    assert set(send(stream_chunk=DataStream.Chunk(stream_id="other"))) == {bob.sid, cleo.sid}
    assert send(stream_trailer=DataStream.Trailer(stream_id="s")) == (cleo.sid,)
    assert set(send(stream_header=DataStream.Header(stream_id="s"))) == {bob.sid, cleo.sid}
    harness.media.emit(DataRefused(bob.sid, "_reliable", ""))
    harness.media.emit(DataRefused("PA_gone", "_reliable", flow))
    assert harness.media.sent[-1][0] != (bob.sid,)
    assert harness.frontend.dropped_packets == {"slow_reader": 4}


async def test_packets_of_later_protocols_pass_untouched(harness):
    ada, _bob = await harness.join("ada"), await harness.join("bob")
    unknown = b"\xba\x3e\x03abc"  # field 999
    harness.media.emit(DataReceived(ada.sid, "_reliable", unknown))
    [(_peers, _label, payload)] = harness.media.sent
    assert unknown in payload


def test_an_applications_message_as_livekits_clients_get_it():
    message = Message(b"hi", topic="t", identities=("bob",), sids=("PA_1",), nonce=b"n")
    made = relay.packet(message)
    assert (made.kind, made.user.payload, made.user.topic, made.user.nonce) == (
        DataPacket.RELIABLE,
        b"hi",
        "t",
        b"n",
    )
    assert list(made.destination_identities) == list(made.user.destination_identities) == ["bob"]
    assert list(made.user.destination_sids) == ["PA_1"]
    lossy = relay.packet(Message(b"hi", reliable=False))
    assert lossy.kind == DataPacket.LOSSY
    assert not lossy.user.HasField("topic")


@given(st.binary(max_size=40))
def test_any_frame_is_read_or_refused(frame):
    handle = relay.frame_handle(frame)
    assert 0 <= handle <= 0xFFFF
    if handle:
        assert relay.with_handle(frame, handle) == frame
        assert relay.frame_handle(relay.with_handle(frame, 5)) == 5


@pytest.mark.parametrize(
    ("frame", "handle"),
    [
        (bytes((0x18, 0, 1, 2)) + bytes(8) + b"data", 0x0102),
        (bytes((0x18, 0, 1, 2)) + bytes(7), 0),
        (bytes((0x38, 0, 1, 2)) + bytes(8), 0),  # another version
        (bytes((0x18, 0, 1, 2)) + bytes(MAX_MESSAGE_BYTES), 0),
    ],
    ids=["good", "short", "version 1", "oversize"],
)
def test_the_handle_of_a_frame(frame, handle):
    assert relay.frame_handle(frame) == handle


async def test_frames_of_data_tracks_are_forwarded_with_the_subscribers_number(harness):
    ada, bob = await harness.join("ada"), await harness.join("bob")
    encoding = models.DataTrackFrameEncoding(custom="grid")
    for handle, name in ((40, "unheard"), (41, "sensor")):
        request = rtc.PublishDataTrackRequest(pub_handle=handle, name=name, frame_encoding=encoding)
        await ada.send(publish_data_track_request=request)
    info = ada.last("publish_data_track_response").info
    assert (info.pub_handle, info.name, info.frame_encoding.custom) == (41, "sensor", "grid")
    [told] = bob.last("update").participants
    assert [track.name for track in told.data_tracks] == ["unheard", "sensor"]

    update = rtc.UpdateDataSubscription.Update(track_sid=info.sid, subscribe=True)
    await bob.send(update_data_subscription=rtc.UpdateDataSubscription(updates=[update]))
    [(handle, track)] = bob.last("data_track_subscriber_handles").sub_handles.items()
    assert (handle, track.publisher_identity, track.track_sid) == (1, "ada", info.sid)

    frame = bytes((0x18, 0, 0, 41)) + bytes(8) + b"data"
    harness.media.emit(DataReceived(ada.sid, "_data_track", frame))
    assert harness.media.sent == [((bob.sid,), "_data_track", bytes((0x18, 0, 0, 1)) + frame[4:])]
    harness.media.emit(DataReceived(ada.sid, "_data_track", b"?"))
    assert harness.frontend.dropped_packets == {"undecodable": 1}

    await ada.send(publish_data_track_request=rtc.PublishDataTrackRequest(pub_handle=41, name="again"))
    refusal = ada.last("request_response")
    assert refusal.reason == rtc.RequestResponse.DUPLICATE_HANDLE
    assert refusal.publish_data_track.name == "again"
    await ada.send(unpublish_data_track_request=rtc.UnpublishDataTrackRequest(pub_handle=41))
    assert ada.last("unpublish_data_track_response").info.sid == info.sid
    assert not bob.last("data_track_subscriber_handles").sub_handles
