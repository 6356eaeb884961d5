"""Dual-connection mode: the server's offers, one at a time."""

import pytest
from livekit.protocol import rtc

from sfu.values import EngineError, OfferNeeded
from signaling.livekit.connections.packets import CHANNELS
from signaling.rooms.permissions import Permissions
from tests.signaling.frontend_harness import FakeOutbox, Person


async def enter(harness, identity, **fields):
    outbox = FakeOutbox()
    request = rtc.JoinRequest(connection_settings=rtc.ConnectionSettings(auto_subscribe=True))
    connection = harness.livekit.lifecycle.join(
        harness.claims(identity, **fields), request, outbox, dual=True
    )
    await connection.offers.make()
    return Person(harness, connection, outbox)


async def answer(person, number=None, sdp="answer"):
    number = person.last("offer").id if number is None else number
    await person.send(answer=rtc.SessionDescription(type="answer", sdp=sdp, id=number))


def answered(harness, person):
    return [command for command in harness.media.commands if command[:2] == ("answer", person.sid)]


async def test_the_server_offers_after_join_even_without_tracks(harness):
    ada = await enter(harness, "ada")
    assert ("open_peer", ada.sid, "RM_1", *(channel.label for channel in CHANNELS)) in harness.media.commands
    assert ada.kinds()[0] == "join"
    assert ada.last("join").subscriber_primary
    assert (ada.last("offer").type, ada.last("offer").id) == ("offer", 1)


async def test_who_may_not_receive_publishes_first(harness):
    ada = await enter(harness, "ada", permissions=Permissions(can_subscribe=False))
    assert not ada.last("join").subscriber_primary


async def test_a_new_track_is_offered_and_its_publisher_hears_of_the_first_subscriber(harness):
    ada, bob = await harness.join("ada"), await enter(harness, "bob")
    await answer(bob)
    sid = await ada.publish("cam")
    assert bob.last("offer").id == 1
    await harness.livekit.connections.get(bob.sid).offers.make()  # what the event has the front end do
    assert bob.last("offer").id == 2
    await answer(bob)
    assert bob.connection.participant.subscriptions.negotiated == {sid}
    assert ada.last("track_subscribed").track_sid == sid


async def test_the_engines_wish_becomes_an_offer(harness):
    bob = await enter(harness, "bob")
    await answer(bob)
    harness.media.emit(OfferNeeded(bob.sid))
    (task,) = harness.livekit.reactions._tasks
    await task
    assert [offer.id for offer in bob.all("offer")] == [1, 2]
    harness.media.emit(OfferNeeded("PA_gone"))


async def test_one_offer_is_out_at_a_time(harness):
    ada = await enter(harness, "ada")
    await ada.connection.offers.make()
    assert len(ada.all("offer")) == 1
    await answer(ada)
    await ada.connection.offers.make()
    assert len(ada.all("offer")) == 2


async def test_answers_to_earlier_offers_are_ignored_and_unnumbered_ones_taken(harness):
    ada = await enter(harness, "ada")
    await answer(ada, 7)
    assert not answered(harness, ada)
    await answer(ada, 0)
    await answer(ada, 0)  # nothing is asked any more
    assert len(answered(harness, ada)) == 1


async def test_a_resume_restarts_ice_though_an_answer_was_lost(harness):
    ada = await enter(harness, "ada")
    await ada.connection.offers.make(restart=True)
    assert [offer.id for offer in ada.all("offer")] == [1, 2]
    assert ("offer", ada.sid, "restart") in harness.media.commands
    await answer(ada)
    assert len(answered(harness, ada)) == 1


async def test_the_publishers_own_answers_do_not_touch_what_it_receives(harness):
    ada, bob = await harness.join("ada"), await enter(harness, "bob")
    sid = await ada.publish("cam")
    await answer(bob)
    await bob.publish("screen")
    assert bob.connection.participant.subscriptions.negotiated == {sid}


async def test_silence_ends_in_a_reconnect(harness):
    ada = await enter(harness, "ada")
    harness.advance(14)
    assert not ada.outbox.finished
    harness.advance(2)
    assert ada.last("leave").action == rtc.LeaveRequest.RECONNECT


@pytest.mark.parametrize("gone", [True, False])
async def test_an_answer_that_cannot_be_taken_ends_the_session(harness, gone):
    ada = await enter(harness, "ada")
    if gone:
        harness.media.peers.clear()
    await answer(ada, sdp="garbage")
    assert ada.outbox.finished


async def test_a_peer_that_is_gone_gets_no_offer(harness):
    ada = await enter(harness, "ada")
    await answer(ada)
    harness.media.peers.clear()
    await ada.connection.offers.make()
    assert ada.outbox.finished


async def test_single_connection_clients_have_nothing_to_answer(harness):
    ada = await harness.join("ada")
    await answer(ada, 1)
    assert not answered(harness, ada)


async def test_a_fault_of_the_engine_makes_the_client_start_over(harness, monkeypatch):
    async def fail(*_args, **_named):
        raise EngineError("a bug")

    ada, bob = await enter(harness, "ada"), await enter(harness, "bob")
    for command in ("answer", "offer"):
        monkeypatch.setattr(harness.media, command, fail)
    await answer(ada)
    await harness.livekit.connections.get(bob.sid).offers.make(restart=True)
    for person in (ada, bob):
        assert person.last("leave").action == rtc.LeaveRequest.RECONNECT


async def test_a_client_without_websocket_is_offered_nothing_and_stays_as_long_as_in_the_other_mode(harness):
    ada, bob = await harness.join("ada"), await enter(harness, "bob")
    harness.connect_media(bob)
    # The first offer is not answered when the WebSocket is lost, and more is to be offered afterwards.
    harness.livekit.lifecycle.socket_closed(bob.connection, bob.outbox)
    await ada.publish("cam")
    await bob.connection.offers.make()
    harness.advance(59)
    assert not bob.connection.participant.has_left
    bob.outbox = FakeOutbox()
    harness.livekit.lifecycle.resume(bob.connection.claims, bob.sid, bob.outbox)
    await bob.connection.offers.make(restart=True)
    await answer(bob)
    harness.advance(60)
    assert not bob.connection.participant.has_left


async def test_an_offer_that_is_made_while_the_websocket_goes_expects_no_answer(harness):
    bob = await enter(harness, "bob")
    await answer(bob)
    harness.connect_media(bob)
    offer = harness.media.offer

    async def lose_the_websocket(peer_id, *, restart=False):
        sdp = await offer(peer_id, restart=restart)
        harness.livekit.lifecycle.socket_closed(bob.connection, bob.outbox)
        return sdp

    harness.media.offer = lose_the_websocket
    await bob.connection.offers.make()
    harness.advance(59)
    assert not bob.connection.participant.has_left
