from livekit.protocol import models, rtc


async def test_a_lesson_of_two(world):
    ada, join = await world.join("ada")
    answer = await ada.until("answer")
    assert answer.id == 1
    track = await ada.publish("cam")
    assert track.sid.startswith("TR_VC")
    bob, _ = await world.join("bob")
    await bob.until("answer")
    await ada.send(offer=rtc.SessionDescription(type="offer", sdp="a3 v3 cam=mid7", id=2))
    update = await bob.until("update", lambda update: any(info.tracks for info in update.participants))
    assert update.participants[0].tracks[0].mime_type == "video/VP8"
    requirement = await bob.until("media_sections_requirement")
    assert (requirement.num_audios, requirement.num_videos) == (0, 1)
    await bob.send(offer=rtc.SessionDescription(type="offer", sdp="a3 v4", id=2))
    answer = await bob.until("answer")
    assert list(answer.mid_to_track_id.values()) == [track.sid]
    await ada.until("track_subscribed", lambda message: message.track_sid == track.sid)
    await ada.send(leave=rtc.LeaveRequest(reason=models.CLIENT_INITIATED))
    gone = await bob.until("update", lambda update: update.participants[0].state == 3)
    assert gone.participants[0].sid == join.participant.sid
