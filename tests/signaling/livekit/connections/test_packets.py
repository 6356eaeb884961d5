import pytest
from hypothesis import given
from hypothesis import strategies as st
from livekit.protocol.metrics import MetricsBatch
from livekit.protocol.models import (
    ChatMessage,
    DataPacket,
    DataStream,
    Transcription,
    UserPacket,
)

from sfu.values import MAX_MESSAGE_BYTES
from signaling.livekit.connections import packets
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
    assert packets.drop_reason(people.ada, label, size, packet, last) == reason


def test_sending_needs_the_grant(people):
    mute = people("mute", permissions=Permissions(can_publish_data=False))
    assert packets.drop_reason(mute, "_reliable", 10, user(), 0) == "not_allowed"


def test_agents_may_transcribe(people):
    agent = people("bot", kind="agent")
    packet = DataPacket(transcription=Transcription(), participant_identity="ada")
    assert packets.drop_reason(agent, "_reliable", 10, packet, 0) == ""
    packets.readdress(packet, agent, "_reliable")
    assert packet.participant_identity == "ada"
    assert packet.participant_sid == agent.sid


def test_the_sender_is_who_the_server_knows(people):
    packet = user(participant_identity="bob", participant_sid="PA_x", kind=DataPacket.RELIABLE, sequence=9)
    packet.user.participant_identity = "bob"
    packets.readdress(packet, people.ada, "_lossy")
    assert (packet.participant_identity, packet.participant_sid) == ("ada", people.ada.sid)
    assert (packet.user.participant_identity, packet.user.participant_sid) == ("ada", people.ada.sid)
    assert packet.kind == DataPacket.LOSSY
    assert packet.sequence == 9


def test_nobody_but_agents_speaks_for_others(people):
    packet = DataPacket(chat_message=ChatMessage(message="x"), participant_identity="bob")
    packets.readdress(packet, people.ada, "_reliable")
    assert packet.participant_identity == "ada"
    agent = people("bot", permissions=Permissions(agent=True))
    packet = user(participant_identity="bob")
    packets.readdress(packet, agent, "_reliable")
    assert packet.participant_identity == "bot"


def test_the_hidden_have_no_name(people):
    ghost = people("ghost", permissions=Permissions(hidden=True))
    packet = user(participant_identity="ada", participant_sid="PA_1")
    packets.readdress(packet, ghost, "_reliable")
    assert (packet.participant_identity, packet.participant_sid) == ("", "")
    assert (packet.user.participant_identity, packet.user.participant_sid) == ("", "")


def test_a_packet_goes_to_all_others_in_the_room_or_to_those_named(harness, people):
    harness.rooms.join(JoinSpec("other", "bob"))
    ada, bob, cleo = people.ada, people.bob, people.cleo
    assert packets.recipients(user(), ada) == [bob.sid, cleo.sid]
    assert packets.recipients(user(destination_identities=["bob", "nobody"]), ada) == [bob.sid]
    assert packets.recipients(user(destination_identities=["ada"]), ada) == []
    by_sid = DataPacket(user=UserPacket(destination_sids=[cleo.sid]))
    assert packets.recipients(by_sid, ada) == [cleo.sid]


def test_destinations_are_told_in_the_old_place_and_the_new_one(people):
    old = DataPacket(user=UserPacket(destination_identities=["bob"]))
    packets.readdress(old, people.ada, "_reliable")
    assert list(old.destination_identities) == ["bob"]
    new = user(destination_identities=["cleo"])
    packets.readdress(new, people.ada, "_reliable")
    assert list(new.user.destination_identities) == ["cleo"]


def test_an_applications_message_as_livekits_clients_get_it():
    message = Message(b"hi", topic="t", identities=("bob",), sids=("PA_1",), nonce=b"n")
    made = packets.packet(message)
    assert (made.kind, made.user.payload, made.user.topic, made.user.nonce) == (
        DataPacket.RELIABLE,
        b"hi",
        "t",
        b"n",
    )
    assert list(made.destination_identities) == list(made.user.destination_identities) == ["bob"]
    assert list(made.user.destination_sids) == ["PA_1"]
    lossy = packets.packet(Message(b"hi", reliable=False))
    assert lossy.kind == DataPacket.LOSSY
    assert not lossy.user.HasField("topic")


@given(st.binary(max_size=40))
def test_any_frame_is_read_or_refused(frame):
    handle = packets.frame_handle(frame)
    assert 0 <= handle <= 0xFFFF
    if handle:
        assert packets.with_handle(frame, handle) == frame
        assert packets.frame_handle(packets.with_handle(frame, 5)) == 5


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
    assert packets.frame_handle(frame) == handle
