"""What one participant may announce, all together."""

from livekit.protocol import models, rtc

from signaling.livekit.messages.announced import MAX_ANNOUNCED_BYTES, announced_bytes

Reason = rtc.RequestResponse
WIDE = "w" * 1000


def data_track(handle):
    schema = models.DataTrackSchemaId(name=WIDE)
    encoding = models.DataTrackFrameEncoding(custom=WIDE)
    return rtc.PublishDataTrackRequest(
        pub_handle=handle, name=f"{handle} {WIDE}"[:256], schema=schema, frame_encoding=encoding
    )


async def test_tracks_of_any_kind_are_refused_once_they_are_too_large_together(harness):
    ada, bob = await harness.join("ada"), await harness.join("bob")
    refused_at = 0
    for handle in range(1, 1000):
        await ada.send(publish_data_track_request=data_track(handle))
        if ada.outbox.messages[-1].request_response.reason == Reason.LIMIT_EXCEEDED:
            refused_at = handle
            break
    assert 0.8 * MAX_ANNOUNCED_BYTES < announced_bytes(ada.connection.participant) < 1.1 * MAX_ANNOUNCED_BYTES
    assert len(ada.connection.participant.data_tracks) == refused_at - 1
    await ada.send(add_track=rtc.AddTrackRequest(cid="cam", type=models.TrackType.VIDEO, name=WIDE))
    await ada.send(add_track=rtc.AddTrackRequest(cid="mic", type=models.TrackType.AUDIO, name=WIDE))
    assert {response.reason for response in ada.all("request_response")[-2:]} <= {Reason.LIMIT_EXCEEDED}
    await bob.publish("cam")
    await ada.send(unpublish_data_track_request=rtc.UnpublishDataTrackRequest(pub_handle=1))
    await ada.send(publish_data_track_request=data_track(1))
    assert ada.last("publish_data_track_response").info.pub_handle == 1


async def test_a_thousand_data_tracks_with_ordinary_names_fit(harness):
    ada = await harness.join("ada")
    for handle in range(1, 1001):
        request = rtc.PublishDataTrackRequest(pub_handle=handle, name=f"robot/arm/joint-{handle}/temperature")
        await ada.send(publish_data_track_request=request)
    assert len(ada.connection.participant.data_tracks) == 1000
    await ada.publish("cam")
