from livekit.protocol import models, rtc
from livekit.protocol.models import (
    DataPacket,
    DataStream,
    UserPacket,
)

from sfu.values import DataReceived, DataRefused


def user(**fields):
    return DataPacket(user=UserPacket(payload=b"hi", topic="t"), **fields)


async def test_packets_are_relayed_and_drops_are_counted(harness):
    ada, bob = await harness.join("ada"), await harness.join("bob")

    def send(packet, label="_reliable"):
        payload = packet if isinstance(packet, bytes) else packet.SerializeToString()
        harness.media.emit(DataReceived(ada.sid, label, payload))

    send(user(sequence=1))
    send(user(sequence=1))
    send(b"\xff\xff")
    send(user(destination_identities=["nobody"]))
    harness.media.emit(DataReceived("PA_gone", "_reliable", b""))
    assert harness.livekit.relay.dropped_packets == {"repeated": 1, "undecodable": 1}
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
    assert harness.livekit.relay.dropped_packets == {"slow_reader": 4}


async def test_packets_of_later_protocols_pass_untouched(harness):
    ada, _bob = await harness.join("ada"), await harness.join("bob")
    unknown = b"\xba\x3e\x03abc"  # field 999
    harness.media.emit(DataReceived(ada.sid, "_reliable", unknown))
    [(_peers, _label, payload)] = harness.media.sent
    assert unknown in payload


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
    assert harness.livekit.relay.dropped_packets == {"undecodable": 1}

    await ada.send(publish_data_track_request=rtc.PublishDataTrackRequest(pub_handle=41, name="again"))
    refusal = ada.last("request_response")
    assert refusal.reason == rtc.RequestResponse.DUPLICATE_HANDLE
    assert refusal.publish_data_track.name == "again"
    await ada.send(unpublish_data_track_request=rtc.UnpublishDataTrackRequest(pub_handle=41))
    assert ada.last("unpublish_data_track_response").info.sid == info.sid
    assert not bob.last("data_track_subscriber_handles").sub_handles
