"""Every kind of message that a client is sent once: one that missed it ends with the same state as one that did not.

`stay` is connected all the time. `away` loses its WebSocket before something happens and resumes afterwards. `reload`
joins again under its identity, and `late` joins for the first time.
"""

from typing import Any

import pytest
from livekit.protocol import models, rtc

from signaling.livekit.connections.absence import ABSENCES, MAX_KEPT, Absence
from signaling.rooms.permissions import Permissions
from tests.signaling.frontend_harness import FakeOutbox
from tests.signaling.livekit.connections.absence_rows import ROWS, SUBJECTS, Class, tutors_link_is_poor


def renamed(value: Any, **names: str) -> Any:
    """Return the same value with identities replaced, in keys too."""
    if isinstance(value, str):
        first, _, rest = value.partition(" ")
        return f"{names.get(first, first)} {rest}"
    if isinstance(value, dict):
        return {renamed(key, **names): renamed(each, **names) for key, each in value.items()}
    if isinstance(value, list | tuple | set):
        return type(value)(renamed(each, **names) for each in value)
    return value


def test_every_kind_of_message_has_its_rule_and_every_rule_its_rows():
    kinds = {field.name for field in rtc.SignalResponse.DESCRIPTOR.oneofs_by_name["message"].fields}
    assert ABSENCES.keys() == kinds
    lasting = {kind for kind, rule in ABSENCES.items() if rule in {Absence.STATE, Absence.ANSWER}}
    assert {each.kind for each in ROWS} == lasting


def _cases() -> list[Any]:
    cases = []
    for each in ROWS:
        name = each.happens.__name__
        cases.append(pytest.param(each, False, id=name))
        if ABSENCES[each.kind] is Absence.STATE:
            cases.append(pytest.param(each, True, id=f"{name}-on-the-way"))
    return cases


@pytest.mark.parametrize(("each", "on_the_way"), _cases())
async def test_whoever_missed_it_ends_with_the_same_state(harness, each, on_the_way):
    """`on_the_way`: it was sent to a WebSocket that lost everything, and closed only then."""
    room = Class(harness)
    client = models.ClientInfo(protocol=17)
    await room.enter("tutor", "old", "stay", "away", "reload", client=client)
    await room.publish("tutor", "mic", models.TrackType.AUDIO)
    await room.publish("tutor", "cam")
    for identity in SUBJECTS:
        await room.publish(identity, "mic", models.TrackType.AUDIO)
        await room.publish(identity, "owncam")
    await room.offer("stay", "away", "reload", "tutor", "old")
    await each.before(room)
    before = room.read("stay").result()
    room.read("away")
    if not on_the_way:
        room.lose("away")
    await each.happens(room)
    if on_the_way:
        room.people["away"].clear()
        room.lose("away")
    room.resume("away")
    fresh = []
    if each.fresh:
        await room.enter("reload", "late", client=client)
        fresh = ["reload", "late"]
        await room.offer(*fresh)
    harness.advance(20)

    stayed = room.read("stay").result()
    assert (each.entry in stayed) != each.ends
    if not each.ends and each.entry in before and each.before is not tutors_link_is_poor:
        assert stayed[each.entry] != before[each.entry]
    returned = room.read("away").result()
    if each.kind == "leave":  # One of them saw the other leave.
        returned, stayed = {"leave": returned["leave"]}, {"leave": stayed["leave"]}
    assert renamed(returned, away="me", stay="other") == renamed(stayed, stay="me", away="other")
    for identity in fresh:
        seen = room.read(identity).result()
        for view in (seen, stayed):
            view["people"].pop("stay", None)  # The only one who knows more of itself than the others do.
        for lasting in ("people", "room", "speaking", "quality", "refused", "handles"):
            assert seen.get(lasting) == stayed.get(lasting), (identity, lasting)


async def test_a_rule_about_a_connection_holds_for_the_person_after_a_reload(harness):
    tutor, ada, eve = await harness.join("tutor"), await harness.join("ada"), await harness.join("eve")
    track = models.TrackType.AUDIO
    sid = await tutor.publish("mic", track)
    rule = rtc.TrackPermission(participant_sid=ada.sid, all_tracks=True)
    await tutor.send(subscription_permission=rtc.SubscriptionPermission(track_permissions=[rule]))
    again, eve_again = await harness.join("ada"), await harness.join("eve")
    assert sid in harness.media.peers[again.sid].subscriptions
    assert sid not in harness.media.peers[eve_again.sid].subscriptions
    assert not again.all("subscription_permission_update")
    # The tutor's client may not know yet that they are connections of the past.
    rules = [rtc.TrackPermission(participant_sid=eve.sid, all_tracks=True)]
    await tutor.send(subscription_permission=rtc.SubscriptionPermission(track_permissions=rules))
    assert sid in harness.media.peers[eve_again.sid].subscriptions
    assert sid not in harness.media.peers[again.sid].subscriptions


async def test_a_client_hears_once_of_a_track_that_the_server_ended_and_may_still_list_it(harness):
    ada = await harness.join("ada")
    sid = await ada.publish("cam")
    harness.livekit.lifecycle.socket_closed(ada.connection, ada.outbox)
    harness.rooms.set_permissions(ada.connection.participant, Permissions(can_publish=False))
    ada.outbox = FakeOutbox()
    harness.livekit.lifecycle.resume(ada.connection.claims, ada.sid, ada.outbox)
    assert ada.kinds()[:2] == ["reconnect", "track_unpublished"]
    listed = [rtc.TrackPublishedResponse(track=models.TrackInfo(sid=sid))]
    await ada.send(sync_state=rtc.SyncState(publish_tracks=listed))
    assert not ada.connection.participant.has_left
    await ada.send(sync_state=rtc.SyncState())
    await ada.send(sync_state=rtc.SyncState(publish_tracks=listed))
    assert ada.connection.participant.has_left


async def test_a_mute_by_the_server_comes_before_the_update_that_shows_it_and_the_clients_own_word_ends_it(
    harness,
):
    ada = await harness.join("ada")
    sid = await ada.publish("mic", models.TrackType.AUDIO)
    harness.livekit.lifecycle.socket_closed(ada.connection, ada.outbox)
    harness.publishing.set_muted(ada.connection.participant, sid, True, by_server=True)
    for expected in (["reconnect", "mute"], ["reconnect", "update"]):
        ada.outbox = FakeOutbox()
        harness.livekit.lifecycle.resume(ada.connection.claims, ada.sid, ada.outbox)
        assert ada.kinds()[:2] == expected
        await ada.send(mute=rtc.MuteTrackRequest(sid=sid, muted=False))


async def test_a_moved_client_resumes_with_the_token_of_its_old_room(harness):
    ada = await harness.join("ada", client=models.ClientInfo(protocol=17))
    old = ada.connection.claims
    harness.rooms.move(ada.connection.participant, harness.rooms.open_room("other"))
    harness.livekit.lifecycle.socket_closed(ada.connection, ada.outbox)
    ada.outbox = FakeOutbox()
    connection = harness.livekit.lifecycle.resume(old, ada.sid, ada.outbox)
    assert connection is ada.connection
    assert ada.kinds()[:2] == ["reconnect", "room_moved"]
    assert connection.claims.room == ada.last("room_moved").room.name == "other"


async def test_answers_that_are_kept_have_a_bound(harness):
    ada = await harness.join("ada")
    harness.livekit.lifecycle.socket_closed(ada.connection, ada.outbox)
    for number in range(MAX_KEPT + 5):
        await ada.send(update_metadata=rtc.UpdateParticipantMetadata(name="x", request_id=number + 1))
    ada.outbox = FakeOutbox()
    harness.livekit.lifecycle.resume(ada.connection.claims, ada.sid, ada.outbox)
    assert [answer.request_id for answer in ada.all("request_response")] == list(range(6, MAX_KEPT + 6))


async def test_the_size_of_kept_answers_has_a_bound(harness):
    ada = await harness.join("ada")
    harness.livekit.lifecycle.socket_closed(ada.connection, ada.outbox)
    for number in range(4):
        await ada.send(
            update_metadata=rtc.UpdateParticipantMetadata(metadata="x" * 100_000, request_id=number + 1)
        )
    ada.outbox = FakeOutbox()
    harness.livekit.lifecycle.resume(ada.connection.claims, ada.sid, ada.outbox)
    assert [answer.request_id for answer in ada.all("request_response")] == [3, 4]


@pytest.mark.parametrize("on_the_way", [False, True])
async def test_the_answer_to_a_request_to_publish_is_sent_once_more_until_media_comes(harness, on_the_way):
    ada = await harness.join("ada")
    lifecycle = harness.livekit.lifecycle

    async def resume():
        lifecycle.socket_closed(ada.connection, ada.outbox)
        ada.outbox = FakeOutbox()
        lifecycle.resume(ada.connection.claims, ada.sid, ada.outbox)
        return [answer.cid for answer in ada.all("track_published")]

    if not on_the_way:
        lifecycle.socket_closed(ada.connection, ada.outbox)
    await ada.send(add_track=rtc.AddTrackRequest(cid="cam", type=models.TrackType.VIDEO))
    assert await resume() == ["cam"]
    await ada.offer("a3 v3 cam=mid")
    assert await resume() == []
