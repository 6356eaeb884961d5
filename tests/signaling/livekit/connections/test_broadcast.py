from livekit.protocol import models, rtc

from signaling.rooms.permissions import Permissions

DISCONNECTED = models.ParticipantInfo.DISCONNECTED
HIDDEN = Permissions(hidden=True)


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
