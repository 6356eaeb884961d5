"""The rule by which facts are sent: differences only, to those whom they concern. `test_absence` has every fact."""

from livekit.protocol import models, rtc

from sfu.values import QualityChanged, Speaker, SpeakersChanged, SubscriptionPaused
from signaling.livekit.connections.updates import MAX_ENDED
from signaling.rooms.model import LeaveReason


def speak(harness, person, track_sid, level):
    speaker = Speaker(track_sid, level, level > 0)
    harness.media.emit(SpeakersChanged(person.connection.participant.room.sid, (speaker,)))


async def test_what_a_client_knows_is_not_sent_again(harness):
    ada, bob = await harness.join("ada"), await harness.join("bob")
    sid = await ada.publish("mic", models.TrackType.AUDIO)
    for _ in range(2):
        speak(harness, ada, sid, 0.5)
        harness.media.emit(QualityChanged(ada.sid, "poor"))
        harness.media.emit(SubscriptionPaused(bob.sid, sid, paused=True))
    for kind in ("speakers_changed", "connection_quality", "stream_state_update"):
        assert len(bob.all(kind)) == 1


async def test_what_begins_while_somebody_is_not_subscribed_is_sent_with_the_subscription(harness):
    ada, bob = await harness.join("ada"), await harness.join("bob", auto_subscribe=False)
    sid = await ada.publish("mic", models.TrackType.AUDIO)
    speak(harness, ada, sid, 0.5)
    harness.media.emit(QualityChanged(ada.sid, "poor"))
    assert not bob.all("speakers_changed")
    assert not bob.all("connection_quality")
    await bob.send(subscription=rtc.UpdateSubscription(track_sids=[sid], subscribe=True))
    assert [(each.sid, each.active) for each in bob.last("speakers_changed").speakers] == [(ada.sid, True)]
    assert bob.last("connection_quality").updates[0].quality == models.ConnectionQuality.POOR
    await bob.send(subscription=rtc.UpdateSubscription(track_sids=[sid], subscribe=False))
    assert [(each.sid, each.active) for each in bob.last("speakers_changed").speakers] == [(ada.sid, False)]


async def test_a_pause_ends_with_its_subscription(harness):
    ada, bob = await harness.join("ada"), await harness.join("bob")
    sid = await ada.publish("cam")
    harness.media.emit(SubscriptionPaused(bob.sid, sid, paused=True))
    bob.clear()
    for subscribe in (False, True):
        await bob.send(subscription=rtc.UpdateSubscription(track_sids=[sid], subscribe=subscribe))
    # A client takes each new subscription for active.
    assert not bob.all("stream_state_update")
    harness.media.emit(SubscriptionPaused(bob.sid, sid, paused=True))
    assert len(bob.all("stream_state_update")) == 1


async def test_a_question_is_answered_although_nothing_changed(harness):
    ada = await harness.join("ada")
    for _ in range(2):
        await ada.send(update_data_subscription=rtc.UpdateDataSubscription())
    assert [dict(each.sub_handles) for each in ada.all("data_track_subscriber_handles")] == [{}, {}]


async def test_a_measured_quality_goes_along_to_another_room(harness):
    ada = await harness.join("ada", client=models.ClientInfo(protocol=17))
    await ada.publish("cam")
    harness.media.emit(QualityChanged(ada.sid, "poor"))
    bob = await harness.join("bob", room="other")
    harness.rooms.move(ada.connection.participant, harness.rooms.open_room("other"))
    assert [each.participant_sid for each in bob.last("connection_quality").updates] == [ada.sid]


async def test_ends_that_are_repeated_have_a_bound(harness):
    bob = await harness.join("bob")
    for number in range(MAX_ENDED + 5):
        ada = await harness.join(f"p{number}")
        sid = await ada.publish("mic", models.TrackType.AUDIO)
        speak(harness, ada, sid, 0.5)
        harness.rooms.leave(ada.connection.participant, LeaveReason.CLIENT_LEFT)
    assert len(bob.connection.sent_facts["speakers_changed"]) == MAX_ENDED
