from dataclasses import replace

from sfu.values import CodecMissing, Preferences
from signaling.rooms.events import (
    SubscriptionFailed,
    SubscriptionPermissionChanged,
    SubscriptionProblem,
    TrackSubscribed,
)
from signaling.rooms.model import LeaveReason
from signaling.rooms.permissions import Permissions, Receiving, Source, SubscriptionRules, TrackRule


def test_everybody_gets_everything_automatically(room):
    ada, bob = room.join("ada"), room.join("bob")
    sid = room.publish(ada)
    late = room.join("late")
    expected = {sid: f"{ada.sid}|{sid}"}
    assert room.received(bob) == expected
    assert room.received(late) == expected
    assert room.received(ada) == {}


def test_nothing_comes_without_asking_when_not_automatic(harness, room):
    ada, bob = room.join("ada"), room.join("bob", auto_subscribe=False)
    sid = room.publish(ada)
    assert room.received(bob) == {}
    harness.subscribing.request(bob, sid, True)
    harness.subscribing.request(bob, sid, True)
    assert list(room.received(bob)) == [sid]
    assert len([command for command in harness.media.commands if command[0] == "subscribe"]) == 1
    harness.subscribing.request(bob, sid, False)
    assert room.received(bob) == {}


def test_rooms_are_apart(harness, room):
    ada, eve = room.join("ada"), room.join("eve", room="other")
    sid = room.publish(ada)
    harness.rooms.connected(eve.sid)
    harness.subscribing.request(eve, sid, True)
    assert room.received(eve) == {}
    harness.advance(60)
    assert SubscriptionFailed(eve, sid, SubscriptionProblem.TRACK_NOT_FOUND) in harness.events


def test_the_hidden_are_not_received(harness, room):
    ghost, bob = room.join("ghost", permissions=Permissions(hidden=True)), room.join("bob")
    sid = room.publish(ghost)
    harness.subscribing.request(bob, sid, True)
    assert room.received(bob) == {}


def test_subscribing_needs_the_grant(harness, room):
    ada, bob = room.join("ada"), room.join("bob", permissions=Permissions(can_subscribe=False))
    sid = room.publish(ada)
    harness.subscribing.request(bob, sid, True)
    assert room.received(bob) == {}
    harness.rooms.set_permissions(bob, Permissions())
    assert list(room.received(bob)) == [sid]
    harness.rooms.set_permissions(bob, Permissions(can_subscribe=False))
    assert room.received(bob) == {}


def test_whom_somebody_may_receive_is_a_permission_too(harness, room):
    ada = room.join("ada", attributes={"lectern.user_id": "teacher"})
    nobody = Receiving(frozenset())
    bob = room.join("bob", permissions=Permissions(receiving=nobody))
    sid = room.publish(ada)
    harness.subscribing.request(bob, sid, True)
    assert room.received(bob) == {}
    teacher = replace(nobody, by_user_id={"teacher": frozenset({Source.CAMERA})})
    harness.rooms.set_permissions(bob, Permissions(receiving=teacher))
    assert list(room.received(bob)) == [sid]
    harness.rooms.set_permissions(bob, Permissions(receiving=nobody))
    assert room.received(bob) == {}


def test_a_wish_waits_for_its_track(harness, room):
    ada, bob = room.join("ada"), room.join("bob", auto_subscribe=False)
    harness.subscribing.request(bob, "TR_VC1", True)
    harness.advance(30)
    assert room.publish(ada) == "TR_VC1"
    assert list(room.received(bob)) == ["TR_VC1"]
    harness.advance(60)
    assert not [event for event in harness.events if isinstance(event, SubscriptionFailed)]


def test_a_wish_for_nothing_fails_after_a_minute(harness, room):
    bob = room.join("bob")
    harness.rooms.connected(bob.sid)
    harness.subscribing.request(bob, "TR_never", True)
    harness.advance(59)
    assert not [event for event in harness.events if isinstance(event, SubscriptionFailed)]
    harness.advance(1)
    assert SubscriptionFailed(bob, "TR_never", SubscriptionProblem.TRACK_NOT_FOUND) in harness.events
    assert bob.subscriptions.wanted == {}


def test_refusing_a_track_that_is_not_there_yet_is_remembered(harness, room):
    ada, bob = room.join("ada"), room.join("bob")
    harness.subscribing.request(bob, "TR_VC1", False)
    assert room.publish(ada) == "TR_VC1"
    assert room.received(bob) == {}


def test_wishes_are_limited(harness, room):
    bob = room.join("bob")
    for number in range(10_050):
        harness.subscribing.request(bob, f"TR_{number}", True)
    assert len(bob.subscriptions.wanted) == 10_000


def test_a_publisher_may_choose_its_subscribers(harness, room):
    ada, bob, eve = room.join("ada"), room.join("bob"), room.join("eve")
    sid = room.publish(ada)
    track = ada.tracks[sid]
    only_bob = SubscriptionRules(False, (TrackRule("", "bob", True, frozenset()),))
    harness.subscribing.set_rules(ada, only_bob)
    assert list(room.received(bob)) == [sid]
    assert room.received(eve) == {}
    late = room.join("late")
    assert room.received(late) == {}
    harness.subscribing.set_rules(ada, only_bob)
    harness.subscribing.set_rules(ada, SubscriptionRules())
    assert list(room.received(eve)) == [sid]
    changes = [event for event in harness.events if isinstance(event, SubscriptionPermissionChanged)]
    assert changes == [
        SubscriptionPermissionChanged(eve, track, False),
        SubscriptionPermissionChanged(late, track, False),
        SubscriptionPermissionChanged(eve, track, True),
        SubscriptionPermissionChanged(late, track, True),
    ]


def test_preferences_wait_a_moment_and_the_last_one_counts(harness, room):
    ada, bob = room.join("ada"), room.join("bob")
    sid = room.publish(ada)
    peer = harness.media.peers[bob.sid]
    harness.subscribing.prefer(bob, sid, Preferences(height=720))
    # The first time counts as becoming visible.
    assert peer.preferences[sid].height == 720
    harness.subscribing.prefer(bob, sid, Preferences(height=360))
    harness.advance(0.05)
    harness.subscribing.prefer(bob, sid, Preferences(height=180))
    assert peer.preferences[sid].height == 720
    harness.advance(0.06)
    assert peer.preferences[sid].height == 180


def test_becoming_visible_does_not_wait(harness, room):
    ada, bob = room.join("ada"), room.join("bob")
    sid = room.publish(ada)
    peer = harness.media.peers[bob.sid]
    harness.subscribing.prefer(bob, sid, Preferences(enabled=False))
    assert sid not in peer.preferences
    harness.advance(0.1)
    assert not peer.preferences[sid].enabled
    harness.subscribing.prefer(bob, sid, Preferences(enabled=True))
    assert peer.preferences[sid].enabled
    count = len(harness.media.commands)
    harness.advance(1)
    assert len(harness.media.commands) == count


def test_a_change_of_mind_within_the_moment_is_one_command(harness, room):
    ada, bob = room.join("ada"), room.join("bob")
    sid = room.publish(ada)
    harness.subscribing.prefer(bob, sid, Preferences(enabled=False))
    harness.subscribing.prefer(bob, sid, Preferences(enabled=True))
    harness.advance(1)
    assert [command[0] for command in harness.media.commands].count("set_preferences") == 1


def test_preferences_survive_an_unsubscription(harness, room):
    ada, bob = room.join("ada"), room.join("bob")
    sid = room.publish(ada)
    harness.subscribing.prefer(bob, sid, Preferences(height=180))
    harness.subscribing.request(bob, sid, False)
    harness.subscribing.request(bob, sid, True)
    sent = [command for command in harness.media.commands if command[0] == "set_preferences"]
    assert sent == [("set_preferences", bob.sid, sid, Preferences(height=180))] * 2


def test_the_publisher_hears_of_its_first_subscriber_once(harness, room):
    ada, bob, eve = room.join("ada"), room.join("bob"), room.join("eve")
    sid = room.publish(ada)
    for person in (bob, bob, eve):
        harness.subscribing.negotiated(person, {"3": sid})
    told = [event for event in harness.events if isinstance(event, TrackSubscribed)]
    assert told == [TrackSubscribed(ada, ada.tracks[sid])]
    # One that unsubscribed and comes back is the first again if nobody was left.
    for person in (bob, eve):
        harness.subscribing.request(person, sid, False)
    harness.subscribing.request(bob, sid, True)
    harness.subscribing.negotiated(bob, {"3": sid})
    told = [event for event in harness.events if isinstance(event, TrackSubscribed)]
    assert len(told) == 2


def test_nothing_is_kept_of_a_track_that_is_gone(harness, room):
    ada, bob = room.join("ada"), room.join("bob")
    sid = room.publish(ada)
    harness.subscribing.request(bob, sid, True)
    harness.subscribing.prefer(bob, sid, Preferences(height=180))
    harness.rooms.leave(ada, LeaveReason.CLIENT_LEFT)
    state = bob.subscriptions
    left = [state.subscribed, state.negotiated, state.wanted, state.preferences, state.refused]
    assert not any(left)


def test_a_codec_that_cannot_be_taken_is_a_failure_unless_there_is_a_backup(harness, room):
    ada, bob = room.join("ada"), room.join("bob")
    plain, backed = room.publish(ada, "plain"), room.publish(ada, "backed", backup_codec="vp8")
    for sid in (plain, backed):
        harness.media.emit(CodecMissing(bob.sid, sid))
    failures = [event for event in harness.events if isinstance(event, SubscriptionFailed)]
    assert failures == [SubscriptionFailed(bob, plain, SubscriptionProblem.CODEC_UNSUPPORTED)]
    assert bob.subscriptions.codec_missing == {plain, backed}


def test_preferences_of_a_track_that_was_away_meanwhile_are_forgotten(harness, room, caplog):
    ada, bob = room.join("ada"), room.join("bob")
    sid = room.publish(ada)
    harness.subscribing.prefer(bob, sid, Preferences(height=720))
    harness.subscribing.prefer(bob, sid, Preferences(height=360))
    here = ada.room
    harness.rooms.move(ada, harness.rooms.open_room("breakout"))
    harness.rooms.move(ada, here)
    assert sid in bob.subscriptions.subscribed
    harness.advance(0.1)
    assert sid not in bob.subscriptions.preferences
    # A timer that fails is logged.
    assert caplog.records == []
