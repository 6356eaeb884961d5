from livekit.protocol import models, rtc

from sfu.values import QualityChanged, SubscriptionPaused
from signaling.access import tokens
from signaling.rooms.permissions import Permissions, Source
from tests.signaling.frontend_harness import FakeOutbox

DISCONNECTED = models.ParticipantInfo.DISCONNECTED
HIDDEN = Permissions(hidden=True)


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


async def test_the_publisher_hears_when_its_first_subscriber_is_there(harness):
    ada, bob = await harness.join("ada"), await harness.join("bob")
    sid = await ada.publish("cam")
    assert ada.all("track_subscribed") == []
    await bob.offer("a3 v3", number=2)
    assert [message.track_sid for message in ada.all("track_subscribed")] == [sid]


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
    assert harness.livekit.lifecycle.resume(bob.connection.claims, bob.sid, bob.outbox) is bob.connection
    assert set(told()) == {
        (ada.sid, screen, rtc.StreamState.PAUSED),
        (ada.sid, camera, rtc.StreamState.ACTIVE),
    }
    assert not ada.all("stream_state_update")
