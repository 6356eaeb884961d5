from sfu.values import Speaker, SpeakersChanged
from signaling.rooms.permissions import Permissions


def report(harness, room, *speakers):
    harness.media.emit(SpeakersChanged(room.sid, speakers))


def heard(person):
    return [
        (speaker.sid, round(speaker.level, 3), speaker.active)
        for message in person.all("speakers_changed")
        for speaker in message.speakers
    ]


async def test_subscribers_and_the_speaker_are_told_of_changes(harness):
    ada, bob = await harness.join("ada"), await harness.join("bob")
    deaf = await harness.join("deaf", permissions=Permissions(can_subscribe=False))
    mic = await ada.publish("mic", 0)
    room = ada.connection.participant.room
    report(harness, room, Speaker(mic, 0.5, True))
    report(harness, room, Speaker(mic, 0.0, False))
    expected = [(ada.sid, 0.5, True), (ada.sid, 0.0, False)]
    assert heard(ada) == expected
    assert heard(bob) == expected
    assert heard(deaf) == []


async def test_a_participant_is_as_loud_as_its_loudest_track(harness):
    ada, bob = await harness.join("ada"), await harness.join("bob")
    mic = await ada.publish("mic", 0)
    screen = await ada.publish("screen", 0)
    room = ada.connection.participant.room
    report(harness, room, Speaker(mic, 0.25, True), Speaker(screen, 0.75, True))
    report(harness, room, Speaker(screen, 0.0, False))
    report(harness, room, Speaker(mic, 0.0, False))
    assert heard(bob) == [(ada.sid, 0.75, True), (ada.sid, 0.25, True), (ada.sid, 0.0, False)]


async def test_tracks_that_are_gone_are_forgotten(harness):
    ada, bob = await harness.join("ada"), await harness.join("bob")
    mic = await ada.publish("mic", 0)
    screen = await ada.publish("screen", 0)
    room = ada.connection.participant.room
    report(harness, room, Speaker(mic, 0.25, True), Speaker(screen, 0.75, True))
    harness.publishing.unpublish(ada.connection.participant, screen)
    report(harness, room, Speaker(screen, 0.75, True))
    report(harness, room, Speaker(mic, 0.5, True))
    assert heard(bob)[-1] == (ada.sid, 0.5, True)
    report(harness, room, Speaker("TR_unknown", 0.5, True))
    report(harness, type(room)("RM_gone", "x", room.config, 0.0), Speaker(mic, 0.5, True))
    assert heard(bob) == [(ada.sid, 0.75, True), (ada.sid, 0.25, True), (ada.sid, 0.5, True)]
