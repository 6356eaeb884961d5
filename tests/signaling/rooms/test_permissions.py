import pytest

from signaling.rooms.permissions import Permissions, Receiving, Source, SubscriptionRules, TrackRule


@pytest.mark.parametrize(
    ("permissions", "source", "allowed"),
    [
        (Permissions(), Source.CAMERA, True),
        (Permissions(), Source.UNKNOWN, True),
        (Permissions(can_publish=False), Source.CAMERA, False),
        (Permissions(can_publish_sources=(Source.MICROPHONE,)), Source.MICROPHONE, True),
        (Permissions(can_publish_sources=(Source.MICROPHONE,)), Source.CAMERA, False),
        (Permissions(can_publish_sources=(Source.MICROPHONE,)), Source.UNKNOWN, False),
        (Permissions(can_publish=False, can_publish_sources=(Source.CAMERA,)), Source.CAMERA, False),
    ],
)
def test_publishing_needs_the_grant_and_the_source(permissions, source, allowed):
    assert permissions.may_publish(source) is allowed


@pytest.mark.parametrize(
    ("rules", "allowed"),
    [
        (SubscriptionRules(), True),
        (SubscriptionRules(everybody=False), False),
        (SubscriptionRules(False, (TrackRule("PA_1", "", True, frozenset()),)), True),
        (SubscriptionRules(False, (TrackRule("", "ada", True, frozenset()),)), True),
        (SubscriptionRules(False, (TrackRule("PA_2", "ada", True, frozenset()),)), False),
        (SubscriptionRules(False, (TrackRule("", "ada", False, frozenset({"TR_1"})),)), True),
        (SubscriptionRules(False, (TrackRule("", "ada", False, frozenset({"TR_2"})),)), False),
        (SubscriptionRules(True, (TrackRule("", "bob", True, frozenset()),)), True),
    ],
)
def test_a_publisher_decides_who_receives(rules, allowed):
    assert rules.allow("PA_1", "ada", "TR_1") is allowed


CAMERA, NOTHING = frozenset({Source.CAMERA}), frozenset()


@pytest.mark.parametrize(
    ("receiving", "allowed"),
    [
        (Receiving(), True),
        (Receiving(NOTHING), False),
        (Receiving(frozenset({Source.MICROPHONE})), False),
        (Receiving(NOTHING, by_user_id={"user": CAMERA}), True),
        (Receiving(by_user_id={"other": NOTHING}), True),
        (Receiving(by_user_id={"user": CAMERA}, by_identity={"ada": NOTHING}), False),
        (Receiving(NOTHING, by_identity={"ada": CAMERA}), True),
    ],
)
def test_whose_tracks_may_be_received(receiving, allowed):
    assert Permissions(receiving=receiving).may_receive("ada", "user", Source.CAMERA) is allowed
    assert not Permissions(can_subscribe=False, receiving=receiving).may_receive("ada", "user", Source.CAMERA)
